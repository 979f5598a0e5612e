//! A merchant's profile: fetched with care, kept for a while, and its failures too.

use std::sync::Arc;

use vestibule_model::Timestamp;
use vestibule_ucp::{Endpoint, Profile, Side, Version, negotiate, verify_response};

use super::{Closed, Deal, Shop, is_of};
use crate::{
    clock,
    courier::{Outbound, Raw},
    limits::{ANEW_MS, PROFILE, PROFILE_AWAY_MS, PROFILE_KEPT_MS},
    pins::Kind,
};

/// What is known of a merchant, and until when.
#[derive(Debug, Default)]
pub(super) struct Cache {
    last: Option<Result<Arc<Deal>, Closed>>,
    until: Timestamp,
    asked: Timestamp,
    /// How long the last failure was remembered.
    pause_ms: u64,
}

/// What was fetched, and for how many milliseconds its owner says that it stays so.
pub(super) type Found = Result<(Deal, u64), Closed>;

impl Cache {
    pub(super) fn known(&self, now: Timestamp) -> Option<Result<Arc<Deal>, Closed>> {
        // A clock that was set back ends it as well.
        if now >= self.until || now < self.asked { None } else { self.last.clone() }
    }

    pub(super) fn may_ask_anew(&self, now: Timestamp) -> bool {
        now.since(self.asked) >= ANEW_MS
    }

    pub(super) fn put(&mut self, found: Found, now: Timestamp) -> Result<Arc<Deal>, Closed> {
        self.asked = now;
        let last = match found {
            Ok((deal, kept_ms)) => {
                let (least, most) = PROFILE_KEPT_MS;
                self.until = now.plus(kept_ms.clamp(least, most));
                self.pause_ms = 0;
                Ok(Arc::new(deal))
            }
            Err(closed) => {
                let (least, most) = PROFILE_AWAY_MS;
                self.pause_ms = (self.pause_ms * 2).clamp(least, most);
                self.until = now.plus(self.pause_ms);
                Err(closed)
            }
        };
        self.last = Some(last.clone());
        last
    }
}

impl Shop {
    pub(super) async fn fetch(&self) -> Found {
        let (mut profile, mut raw) = self.fetch_one(self.profile.clone()).await?;
        // Another version's profile is at another address.
        let ours = Version::ours();
        if profile.ucp.version != ours
            && let Some(other) = profile.ucp.supported_versions.as_ref().and_then(|older| older.get(&ours))
        {
            let other = Endpoint::new(other).map_err(|error| Closed::Malformed(error.to_string()))?;
            (profile, raw) = self.fetch_one(other).await?;
        }
        let pinned = self.pins.pinned(&self.system, profile.keys());
        let vouched = raw.has_signature()
            && !pinned.is_empty()
            && raw.with_parts(|parts| verify_response(parts, &pinned, clock::now())).is_ok();
        if !vouched && raw.has_signature() && !pinned.is_empty() && self.pins.signs(&self.system, Kind::Profile) {
            return Err(Closed::Malformed("its signature does not fit".to_owned()));
        }
        let keys = self.pins.admit(&self.system, profile.keys(), vouched)?;
        if vouched {
            self.pins.signed(&self.system, Kind::Profile);
        }
        let active = negotiate(&profile, self.platform.said())?;
        let rest = profile.rest().ok_or_else(|| Closed::Malformed("it is not spoken to over REST".to_owned()))?;
        if !is_of(&self.profile, &rest) {
            return Err(Closed::Malformed(format!("it sends to somebody else: {rest}")));
        }
        Ok((Deal { active, rest, keys }, max_age_ms(raw.header("cache-control").unwrap_or_default())))
    }

    async fn fetch_one(&self, url: Endpoint) -> Result<(Profile, Raw), Closed> {
        if !is_of(&self.profile, &url) {
            return Err(Closed::Malformed(format!("it is at somebody else's: {url}")));
        }
        let headers = vec![("accept", "application/json".to_owned())];
        let outbound = Outbound { method: "GET", url, headers, body: bytes::Bytes::new() };
        let raw = self.courier.send(outbound, PROFILE).await;
        let raw = raw.map_err(|error| Closed::Unreachable(error.to_string()))?;
        if raw.status != 200 {
            return Err(Closed::Unreachable(format!("answers HTTP {}", raw.status)));
        }
        if !raw.is_json() {
            return Err(Closed::Malformed("it is no JSON".to_owned()));
        }
        let read = Profile::read(&raw.body, Side::Business);
        let (profile, dropped) = read.map_err(|error| Closed::Malformed(error.to_string()))?;
        for one in dropped {
            tracing::warn!(system = %self.system, name = %one.name, version = %one.version, "described by somebody else: left out");
        }
        Ok((profile, raw))
    }
}

/// `max-age` of `Cache-Control`, in milliseconds; 0 where nothing is said.
fn max_age_ms(header: &str) -> u64 {
    let ages = header.split(',').filter_map(|part| part.trim().strip_prefix("max-age="));
    ages.filter_map(|age| age.trim_matches('"').parse::<u64>().ok()).next().unwrap_or(0).saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Found {
        Err(Closed::Unreachable("is away".to_owned()))
    }

    #[test]
    fn failures_are_remembered_longer_each_time() {
        let mut cache = Cache::default();
        let mut now = Timestamp(1_000_000);
        assert!(cache.known(now).is_none());
        for pause in [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000] {
            cache.put(away(), now).unwrap_err();
            assert!(cache.known(now.plus(pause - 1)).is_some_and(|known| known.is_err()), "{pause}");
            now = now.plus(pause);
            assert!(cache.known(now).is_none(), "{pause}");
        }
        assert!(cache.known(Timestamp(1)).is_none(), "a clock that was set back does not keep it for ever");
    }

    #[test]
    fn an_unknown_key_asks_anew_once_a_minute() {
        let mut cache = Cache::default();
        let now = Timestamp(1_000_000);
        assert!(cache.may_ask_anew(now));
        cache.put(away(), now).unwrap_err();
        assert!(!cache.may_ask_anew(now.plus(59_999)) && cache.may_ask_anew(now.plus(60_000)));
    }

    #[test]
    fn how_long_it_stays_is_read_from_anything() {
        for (header, ms) in [
            ("public, max-age=300", 300_000),
            ("max-age=\"5\"", 5_000),
            ("max-age=-1", 0),
            ("no-store", 0),
            ("", 0),
            ("max-age=99999999999999999999", 0),
            ("max-age=18446744073709551615", u64::MAX),
        ] {
            assert_eq!(max_age_ms(header), ms, "{header}");
        }
    }
}
