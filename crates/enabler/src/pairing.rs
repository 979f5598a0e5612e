//! Six digits make a device known (enabler side of pairing): short-lived, one use, few tries.

use std::{collections::VecDeque, fmt};

use vestibule_model::{Refusal, RefusalCode, RoleId, Timestamp, UserId};

/// Milliseconds for which a code can be used.
const LIFE_MS: u64 = 5 * 60 * 1_000;
/// Wrong tries after which every open code is void: one in 200 000 guesses it.
const WRONG_TRIES: u8 = 5;
/// Wrong tries in a minute, over all codes.
const WRONG_A_MINUTE: usize = 10;
/// Open codes: a person pairs one device at a time. Each open code makes guessing easier.
const MOST_OPEN: usize = 8;

/// Six decimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode(String);

impl PairingCode {
    /// The code for a random number; all but its last six digits are ignored.
    #[must_use]
    pub fn of(random: u32) -> Self {
        Self(format!("{:06}", random % 1_000_000))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Logs must not open doors.
        f.write_str("PairingCode(......)")
    }
}

/// What a pairing code gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the device may be.
    pub role: RoleId,
    /// Whose it will be; `None`: somebody new, named like the device.
    pub user: Option<UserId>,
    /// Who offers it; `None`: whoever runs the enabler.
    pub by: Option<UserId>,
    /// Until when the device will be known: whoever is let in for a while lets nobody in for good.
    pub until: Option<Timestamp>,
}

impl Offer {
    /// For a device of somebody new, on the word of whoever runs the enabler.
    #[must_use]
    pub const fn new(role: RoleId) -> Self {
        Self { role, user: None, by: None, until: None }
    }
}

#[derive(Clone, Debug)]
struct Open {
    code: PairingCode,
    offer: Offer,
    expires: Timestamp,
    wrong: u8,
}

/// Codes that were shown and not used yet. They are never written down.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    open: Vec<Open>,
    wrong: VecDeque<Timestamp>,
}

impl Pairing {
    /// Opens `code` for one device; until when it can be used.
    ///
    /// # Errors
    /// [`Refusal`] where as many codes are open as may be, or this very one.
    pub fn open(&mut self, code: PairingCode, offer: Offer, now: Timestamp) -> Result<Timestamp, Refusal> {
        self.open.retain(|open| now <= open.expires);
        if self.open.len() >= MOST_OPEN {
            let message = format!("{MOST_OPEN} pairing codes are open; use one of them or wait five minutes");
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        if self.open.iter().any(|open| open.code == code) {
            return Err(Refusal::new(RefusalCode::Conflict, "this pairing code is open already; choose another one"));
        }
        let expires = now.plus(LIFE_MS);
        self.open.push(Open { code, offer, expires, wrong: 0 });
        Ok(expires)
    }

    /// The code that was opened last, as long as it can be used.
    #[must_use]
    pub fn newest(&self, now: Timestamp) -> Option<PairingCode> {
        self.open.iter().rev().find(|open| now <= open.expires).map(|open| open.code.clone())
    }

    /// Uses a code up; what it gives.
    ///
    /// # Errors
    /// [`Refusal`] where it is none, or too many wrong ones were tried in the last minute.
    pub fn redeem(&mut self, digits: &str, now: Timestamp) -> Result<Offer, Refusal> {
        self.open.retain(|open| now <= open.expires);
        while self.wrong.front().is_some_and(|at| now.since(*at) >= 60_000) {
            self.wrong.pop_front();
        }
        if self.wrong.len() >= WRONG_A_MINUTE {
            let message = "too many wrong pairing codes; wait a minute and have a new code shown";
            return Err(Refusal::new(RefusalCode::Overloaded, message));
        }
        // Every code is compared to its end: how long it takes says nothing about the digits.
        let matches = |open: &Open| {
            let pairs = open.code.0.bytes().zip(digits.bytes());
            digits.len() == open.code.0.len() && pairs.fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
        };
        let found = self.open.iter().map(matches).collect::<Vec<_>>().iter().position(|found| *found);
        if let Some(place) = found {
            return Ok(self.open.remove(place).offer);
        }
        self.wrong.push_back(now);
        self.open.iter_mut().for_each(|open| open.wrong = open.wrong.saturating_add(1));
        self.open.retain(|open| open.wrong < WRONG_TRIES);
        let message = "that pairing code is not valid: codes end after five minutes, one use, or five wrong tries";
        Err(Refusal::new(RefusalCode::Unauthenticated, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(pairing: &mut Pairing, code: u32, now: u64) {
        pairing.open(PairingCode::of(code), Offer::new(RoleId::slug("owner")), Timestamp(now)).unwrap();
    }

    #[test]
    fn a_code_is_used_once_and_ends() {
        let mut pairing = Pairing::default();
        opened(&mut pairing, 42, 0);
        assert_eq!(pairing.redeem("000042", Timestamp(1)).unwrap().role.as_str(), "owner");
        assert!(pairing.redeem("000042", Timestamp(2)).is_err());
        opened(&mut pairing, 43, 0);
        assert!(pairing.redeem("000043", Timestamp(LIFE_MS + 1)).is_err());
        assert!(!format!("{:?}", PairingCode::of(43)).contains("43"));
    }

    #[test]
    fn guessing_is_hopeless() {
        let mut pairing = Pairing::default();
        opened(&mut pairing, 7, 0);
        for _ in 0..5 {
            assert_eq!(pairing.redeem("999999", Timestamp(1)).unwrap_err().code, RefusalCode::Unauthenticated);
        }
        assert!(pairing.redeem("000007", Timestamp(2)).is_err(), "void after five wrong tries");
        for _ in 0..4 {
            assert!(pairing.redeem("", Timestamp(3)).is_err());
        }
        opened(&mut pairing, 8, 4);
        assert_eq!(pairing.redeem("000008", Timestamp(5)).unwrap_err().code, RefusalCode::Overloaded);
        assert!(pairing.redeem("000008", Timestamp(60_003)).is_ok(), "a minute later the owner is not locked out");
    }
}
