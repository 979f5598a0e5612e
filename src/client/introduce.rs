//! Our own merchants are third-party systems of the embedded enabler, registered as anybody's are: over HTTP, with a token
//! that a pairing code gave. Where the enabler is and which code is theirs stands in a file in their folders, since they
//! are started before it. Codes end after some minutes: a merchant that comes later asks for another one by a file beside.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use vestibule_model::RoleId;
use vestibule_server::{Embedded, HubError, PairingCodes};

use super::private::{self, PrivateError};

/// The file that a merchant looks at: where the enabler is.
pub(super) const FILE: &str = "enabler.json";
/// What a merchant puts beside it whose code is not taken any more.
const WANTED: &str = "enabler.wanted";
/// The enabler that gave a merchant its token.
const KNOWN_TO: &str = "known_to";
/// The merchant's own: what it got for its code.
const TOKEN: &str = "token";
/// What merchants may be.
const ROLE: &str = "third_party";
/// From the file to the registration, while nobody draws yet. Whoever takes longer comes later.
const REGISTERS: Duration = Duration::from_secs(3);
/// Between two looks whether somebody wants another code.
const LOOK: Duration = Duration::from_secs(1);

/// Why a merchant does not learn where the enabler is.
#[derive(Debug, Error)]
enum Untold {
    #[error("the enabler does not listen for HTTP")]
    NoHttp,
    #[error(transparent)]
    Enabler(#[from] HubError),
    #[error("its folder: {0}")]
    Disk(#[from] io::Error),
    #[error(transparent)]
    Private(#[from] PrivateError),
}

/// What was said at an earlier start is not true any more.
pub(super) fn forget(folder: &Path) {
    for name in [FILE, WANTED] {
        let _ = fs::remove_file(folder.join(name));
    }
}

/// Tells the merchants with these names, each of which has a folder in `folder`, where the enabler is. Those that cannot be
/// told are told of: nobody hears what they offer. Those that come late are looked after for as long as the enabler runs.
pub(super) async fn introduce(enabler: &Embedded, folder: &Path, names: impl Iterator<Item = &str>) {
    let places: Vec<Place> =
        names.map(|name| Place { name: name.to_owned(), folder: folder.join(name), untold: None }).collect();
    let mut registrar = match Desk::of(enabler) {
        Ok(desk) => Registrar { desk, places },
        Err(error) => return tracing::warn!(%error, "merchants do not learn where the enabler is"),
    };
    let told = registrar.look(true).await;
    // So that they are there when somebody first looks; adapters may be counted first, and then one of them comes later.
    let there = async {
        while enabler.hub().status().await.systems_online < told {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = timeout(REGISTERS, there).await;
    tokio::spawn(registrar.stay());
}

/// The enabler, as merchants are told of it. It does not keep it running.
struct Desk {
    codes: PairingCodes,
    http: SocketAddr,
    fingerprint: String,
}

impl Desk {
    fn of(enabler: &Embedded) -> Result<Self, Untold> {
        let http = enabler.http().ok_or(Untold::NoHttp)?;
        Ok(Self { codes: enabler.hub().pairing_codes(), http, fingerprint: enabler.fingerprint().to_string() })
    }

    async fn tell(&self, Place { name, folder, .. }: &Place) -> Result<(), Untold> {
        if !is_known(folder, &self.fingerprint) {
            // A token of another enabler opens nothing here.
            let _ = fs::remove_file(folder.join(TOKEN));
        }
        fs::create_dir_all(folder)?;
        private::write(&folder.join(KNOWN_TO), self.fingerprint.as_bytes())?;
        // It asks again at each try, if this was too early.
        match fs::remove_file(folder.join(WANTED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        // After what may fail at each try: few codes may be open at once, and others need one, too.
        let code = match folder.join(TOKEN).exists() {
            true => None,
            false => Some(self.codes.show(RoleId::slug(ROLE)).await?),
        };
        let code = code.as_ref().map(|code| code.as_str());
        let said = json!({"url": format!("http://{}", self.http), "code": code, "system": name}).to_string();
        // A code is a secret.
        Ok(private::write(&folder.join(FILE), said.as_bytes())?)
    }
}

/// Where a merchant lives.
struct Place {
    name: String,
    folder: PathBuf,
    /// Why it could not be told last time.
    untold: Option<String>,
}

impl Place {
    /// Whether there is something to tell it.
    fn wants(&self) -> bool {
        !self.folder.join(FILE).exists() || self.folder.join(WANTED).exists()
    }
}

/// Looks after merchants until each of them has its token.
struct Registrar {
    desk: Desk,
    places: Vec<Place>,
}

impl Registrar {
    /// Tells all of them, or those that want to know; how many were told.
    async fn look(&mut self, all: bool) -> usize {
        let mut told = 0;
        for place in self.places.iter_mut().filter(|place| all || place.wants()) {
            let why = self.desk.tell(place).await.err().map(|error| error.to_string());
            told += usize::from(why.is_none());
            // The same once more is no news.
            if let Some(error) = why.as_ref().filter(|_| why != place.untold) {
                tracing::warn!(name = place.name, error, "a merchant does not learn where the enabler is");
            }
            place.untold = why;
        }
        told
    }

    async fn stay(mut self) {
        loop {
            self.places.retain(|place| place.untold.is_some() || !place.folder.join(TOKEN).exists());
            if self.places.is_empty() || self.desk.codes.is_over() {
                return;
            }
            sleep(LOOK).await;
            self.look(false).await;
        }
    }
}

fn is_known(folder: &Path, enabler: &str) -> bool {
    fs::read_to_string(folder.join(KNOWN_TO)).is_ok_and(|known| known == enabler)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::Value;
    use vestibule_server::{EmbeddedConfig, HttpConfig};

    use super::*;

    async fn enabler(folder: &Path) -> Embedded {
        let http = HttpConfig { plain: Some((Ipv4Addr::LOCALHOST, 0).into()), ..HttpConfig::default() };
        Embedded::start(EmbeddedConfig { http, ..EmbeddedConfig::local(folder) }).await.unwrap()
    }

    fn said(folder: &Path) -> Value {
        serde_json::from_slice(&fs::read(folder.join(FILE)).unwrap()).unwrap()
    }

    fn place(folder: &Path) -> Place {
        Place { name: "shop".to_owned(), folder: folder.to_owned(), untold: None }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_merchant_is_told_where_the_enabler_is_and_gets_a_code_while_it_has_no_token() {
        let (one, other, merchants) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shop = merchants.path().join("shop");
        let first = enabler(one.path()).await;
        let desk = Desk::of(&first).unwrap();
        desk.tell(&place(&shop)).await.unwrap();
        let told = said(&shop);
        assert_eq!(told["url"], format!("http://{}", first.http().unwrap()));
        assert_eq!((told["code"].as_str().unwrap().len(), &told["system"]), (6, &json!("shop")));
        fs::write(shop.join(TOKEN), "t0k3n").unwrap();
        desk.tell(&place(&shop)).await.unwrap();
        assert_eq!(said(&shop)["code"], Value::Null, "it has a token: no more codes are open than needed");
        first.stop().await;
        // In another house its token is worth nothing.
        let second = enabler(other.path()).await;
        Desk::of(&second).unwrap().tell(&place(&shop)).await.unwrap();
        assert!(said(&shop)["code"].is_string() && !shop.join(TOKEN).exists());
        second.stop().await;
        fs::write(shop.join(WANTED), "").unwrap();
        forget(&shop);
        assert!(!shop.join(FILE).exists() && !shop.join(WANTED).exists());
    }

    /// The code of the file, once it is another than `before`.
    async fn another(folder: &Path, before: &Value) -> Value {
        let changes = async {
            loop {
                // It may be just in between.
                let said: Value =
                    fs::read(folder.join(FILE)).map_or(Value::Null, |b| serde_json::from_slice(&b).unwrap());
                if said["code"].is_string() && said["code"] != *before {
                    return said["code"].clone();
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), changes).await.expect("another code")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_merchant_that_comes_late_gets_a_code_that_is_still_good() {
        let (data, merchants) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shop = merchants.path().join("shop");
        // Its folder cannot be written to at first.
        fs::write(&shop, "").unwrap();
        let enabler = enabler(data.path()).await;
        introduce(&enabler, merchants.path(), ["shop"].into_iter()).await;
        fs::remove_file(&shop).unwrap();
        let first = another(&shop, &Value::Null).await;
        // Nothing is asked, nothing is shown: each open code makes guessing easier.
        sleep(LOOK * 2).await;
        assert_eq!(said(&shop)["code"], first);
        fs::write(shop.join(WANTED), "").unwrap();
        let second = another(&shop, &first).await;
        let newest = enabler.hub().newest_code().await.unwrap().unwrap();
        assert_eq!(second.as_str(), Some(newest.as_str()));
        enabler.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_looks_after_merchants_does_not_keep_the_enabler_running() {
        let (data, merchants) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = enabler(data.path()).await;
        introduce(&first, merchants.path(), ["shop"].into_iter()).await;
        drop(first);
        // As if killed: its folder is free at once, or soon.
        let again = async {
            loop {
                match Embedded::start(EmbeddedConfig::local(data.path())).await {
                    Ok(enabler) => return enabler,
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        };
        timeout(Duration::from_secs(30), again).await.expect("nobody holds the folder").stop().await;
    }
}
