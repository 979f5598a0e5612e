//! Profiles of platforms: fetched from where they say, kept for a while.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use reqwest::{Client, header, redirect::Policy};
use vestibule_model::Timestamp;
use vestibule_ucp::{Endpoint, Profile, Side, Trouble, limits::MAX_BODY};

/// Profiles that are known at once; the one that was asked for longest ago makes room.
const KEPT: usize = 64;
/// How long a profile is believed, in milliseconds.
const GOOD_MS: u64 = 5 * 60 * 1000;
/// A key that is not known has its profile fetched again, this often at most.
const FRESH_MS: u64 = 60 * 1000;
/// What could not be fetched is not asked for again so soon: doubled each time.
const FIRST_PAUSE_MS: u64 = 10 * 1000;
const LONGEST_PAUSE_MS: u64 = 5 * 60 * 1000;
const CONNECT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of one platform.
#[derive(Default)]
struct Known {
    profile: Option<(Arc<Profile>, Timestamp)>,
    failed: Option<(Trouble, Timestamp, u64)>,
}

type Place = Arc<tokio::sync::Mutex<Known>>;

/// What is known of platforms.
pub(crate) struct Profiles {
    client: Client,
    /// Whether this machine counts, and plain HTTP on it: not where anybody can ask this merchant.
    local: bool,
    all: std::sync::Mutex<(HashMap<String, (Place, u64)>, u64)>,
}

/// How this merchant asks others: no redirects, no proxies, not for long.
pub(crate) fn client() -> reqwest::Result<Client> {
    // Taken already where somebody else in this process was first: the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT).timeout(PATIENCE);
    client.pool_max_idle_per_host(4).build()
}

/// Whether this host is the machine itself, or what speaks for it on its own link.
pub(crate) fn is_here(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let here = |ip: Ipv4Addr| ip.is_loopback() || ip.is_unspecified() || ip.is_link_local();
    match host.parse() {
        Ok(IpAddr::V4(ip)) => here(ip),
        Ok(IpAddr::V6(ip)) => {
            let within = ip.to_ipv4_mapped().is_some_and(here);
            within || ip.is_loopback() || ip.is_unspecified() || ip.is_unicast_link_local()
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

impl Profiles {
    pub(crate) fn new(client: Client, local: bool) -> Self {
        Self { client, local, all: std::sync::Mutex::default() }
    }

    /// Whether this merchant asks there at all, for a profile or to tell of an order. One that anybody can ask asks
    /// nobody on its own machine: there are services that take whoever is on it for a friend.
    pub(crate) fn may_ask(&self, url: &Endpoint) -> bool {
        self.local || url.is_secure() && !is_here(url.host())
    }

    /// The profile at `url`. `fresh`: what is known may be too old.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn get(&self, url: &Endpoint, now: Timestamp, fresh: bool) -> Result<Arc<Profile>, Trouble> {
        if !self.may_ask(url) {
            return Err(Trouble::InvalidProfileUrl);
        }
        let place = self.place(url);
        // Whoever asks for the same one meanwhile waits for this answer.
        let mut known = place.lock().await;
        let good = if fresh { FRESH_MS } else { GOOD_MS };
        if let Some((profile, fetched)) = &known.profile
            && now.since(*fetched) < good
        {
            return Ok(profile.clone());
        }
        if let Some((trouble, until, _)) = known.failed
            && now < until
        {
            return Err(trouble);
        }
        match self.fetch(url).await {
            Ok(profile) => {
                let profile = Arc::new(profile);
                *known = Known { profile: Some((profile.clone(), now)), failed: None };
                Ok(profile)
            }
            Err(trouble) => {
                let pause = known.failed.map_or(FIRST_PAUSE_MS, |(_, _, pause)| (pause * 2).min(LONGEST_PAUSE_MS));
                known.failed = Some((trouble, now.plus(pause), pause));
                Err(trouble)
            }
        }
    }

    fn place(&self, url: &Endpoint) -> Place {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let (places, turn) = &mut *all;
        *turn += 1;
        let turn = *turn;
        if !places.contains_key(url.as_str()) && places.len() >= KEPT {
            let oldest = places.iter().min_by_key(|(_, (_, used))| *used).map(|(url, _)| url.clone());
            if let Some(url) = oldest {
                places.remove(&url);
            }
        }
        let (place, used) = places.entry(url.as_str().to_owned()).or_default();
        *used = turn;
        place.clone()
    }

    async fn fetch(&self, url: &Endpoint) -> Result<Profile, Trouble> {
        let unreachable = |error: reqwest::Error| {
            tracing::info!(url = url.as_str(), %error, "a profile could not be fetched");
            Trouble::ProfileUnreachable
        };
        let asked = self.client.get(url.as_str()).header(header::ACCEPT, "application/json").send();
        let answer = asked.await.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(Trouble::ProfileUnreachable);
        }
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().ends_with("json") {
            return Err(Trouble::ProfileMalformed);
        }
        let mut body = Vec::new();
        let mut parts = answer.bytes_stream();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.map_err(unreachable)?);
            if body.len() > MAX_BODY {
                return Err(Trouble::ProfileMalformed);
            }
        }
        let (profile, dropped) = Profile::read(&body, Side::Platform).map_err(|error| {
            tracing::info!(url = url.as_str(), %error, "a profile cannot be read");
            Trouble::ProfileMalformed
        })?;
        for one in dropped {
            let (name, url) = (one.name.as_str(), url.as_str());
            tracing::warn!(url, name, "a capability is described elsewhere than at its owner's");
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_that_everybody_reaches_asks_nobody_on_its_own_machine() {
        let may =
            |url: &str, local: bool| Profiles::new(client().unwrap(), local).may_ask(&Endpoint::new(url).unwrap());
        for url in [
            "http://127.0.0.1:7801/hook",
            "https://127.0.0.1/hook",
            "https://127.3.2.1:8443/hook",
            "https://0.0.0.0/hook",
            "https://169.254.169.254/hook",
            "https://[::1]/hook",
            "https://[fe80::1]/hook",
            "https://[::ffff:127.0.0.1]/hook",
            "https://localhost/hook",
            "https://a.localhost/hook",
        ] {
            assert!(!may(url, false) && may(url, true), "{url}");
        }
        for url in ["https://platform.example.com/hook", "https://192.168.1.7/hook", "https://[2001:db8::1]/hook"] {
            assert!(may(url, false), "{url}");
        }
    }
}
