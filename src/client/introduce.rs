//! Our own merchants are third-party systems of the embedded enabler, registered as anybody's are: over HTTP, with a token
//! that a pairing code gave. Where the enabler is and which code is theirs stands in a file in their folders, since they
//! are started before it.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use tokio::time::{sleep, timeout};
use vestibule_model::RoleId;
use vestibule_server::Embedded;

use super::private;

/// The file that a merchant looks at: where the enabler is.
pub(super) const FILE: &str = "enabler.json";
/// The enabler that gave a merchant its token.
const KNOWN_TO: &str = "known_to";
/// The merchant's own: what it got for its code.
const TOKEN: &str = "token";
/// What merchants may be.
const ROLE: &str = "third_party";
/// From the file to the registration, while nobody draws yet. Whoever takes longer comes later.
const REGISTERS: Duration = Duration::from_secs(3);

/// What was said at an earlier start is not true any more.
pub(super) fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join(FILE));
}

/// Tells the merchants with these names, each of which has a folder in `folder`, where the enabler is. Those that cannot be
/// told are told of: nobody hears what they offer.
pub(super) async fn introduce(enabler: &Embedded, folder: &Path, names: impl Iterator<Item = &str>) {
    let mut told = 0;
    for name in names {
        match tell(enabler, &folder.join(name), name).await {
            Ok(()) => told += 1,
            Err(error) => tracing::warn!(name, error, "a merchant does not learn where the enabler is"),
        }
    }
    // So that they are there when somebody first looks; adapters may be counted first, and then one of them comes later.
    let there = async {
        while enabler.hub().status().await.systems_online < told {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = timeout(REGISTERS, there).await;
}

async fn tell(enabler: &Embedded, folder: &Path, name: &str) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let http = enabler.http().ok_or("the enabler does not listen for HTTP")?;
    let this = enabler.fingerprint().to_string();
    if !is_known(folder, &this) {
        // A token of another enabler opens nothing here.
        let _ = fs::remove_file(folder.join(TOKEN));
    }
    let code = match folder.join(TOKEN).exists() {
        true => None,
        false => Some(enabler.pairing_code(RoleId::slug(ROLE)).await.map_err(|error| words(&error))?),
    };
    let code = code.as_ref().map(|code| code.as_str());
    let said = json!({"url": format!("http://{http}"), "code": code, "system": name}).to_string();
    fs::create_dir_all(folder).map_err(|error| words(&error))?;
    // A code is a secret.
    let write = |name: &str, text: &str| private::write(&folder.join(name), text.as_bytes());
    write(KNOWN_TO, &this).and_then(|()| write(FILE, &said)).map_err(|error| words(&error))
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

    #[tokio::test(flavor = "multi_thread")]
    async fn a_merchant_is_told_where_the_enabler_is_and_gets_a_code_while_it_has_no_token() {
        let (one, other, merchants) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shop = merchants.path().join("shop");
        let first = enabler(one.path()).await;
        tell(&first, &shop, "shop").await.unwrap();
        let told = said(&shop);
        assert_eq!(told["url"], format!("http://{}", first.http().unwrap()));
        assert_eq!((told["code"].as_str().unwrap().len(), &told["system"]), (6, &json!("shop")));
        fs::write(shop.join(TOKEN), "t0k3n").unwrap();
        tell(&first, &shop, "shop").await.unwrap();
        assert_eq!(said(&shop)["code"], Value::Null, "it has a token: no more codes are open than needed");
        first.stop().await;
        // In another house its token is worth nothing.
        let second = enabler(other.path()).await;
        tell(&second, &shop, "shop").await.unwrap();
        assert!(said(&shop)["code"].is_string() && !shop.join(TOKEN).exists());
        second.stop().await;
        forget(&shop);
        assert!(!shop.join(FILE).exists());
    }
}
