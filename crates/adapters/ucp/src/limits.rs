//! How much, how many, how long.

use std::time::Duration;

/// Questions that wait for one merchant: what a few people click while a slow shop answers. More is refused.
pub(crate) const QUEUE: usize = 64;
/// Requests that one merchant is asked at once: more would be a burden that nobody asked it about.
pub(crate) const AT_ONCE: usize = 4;
/// Merchants that are bound: each has a queue and a task.
pub(crate) const MERCHANTS: usize = 64;
/// Header lines of an answer.
pub(crate) const MAX_HEADER_LINES: usize = 64;

/// Until there is a connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);
/// A profile, from the first byte to the last.
pub(crate) const PROFILE: Duration = Duration::from_secs(5);
/// An answer, from the first byte to the last.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);
/// A quote takes so many times as long: a manufacturer looks at a whole design, which is handed over first.
pub(crate) const QUOTE_TIMES: u32 = 6;

/// Milliseconds that a profile is taken as it was, at least and at most, whatever its owner says.
pub(crate) const PROFILE_KEPT_MS: (u64, u64) = (60_000, 3_600_000);
/// Milliseconds until a profile that could not be had is asked for again; doubles up to the second.
pub(crate) const PROFILE_AWAY_MS: (u64, u64) = (10_000, 300_000);
/// Milliseconds between two refreshes because of a key that nobody knows: not everybody who sends a forged one.
pub(crate) const ANEW_MS: u64 = 60_000;

/// Webhooks of one merchant that are remembered, so that the same one again is only answered: some minutes of a busy
/// one. What is repeated later is an old snapshot, and says nothing new.
pub(crate) const HOOKS: usize = 1_024;
/// Packages of which it is remembered that a manufacturer has them.
pub(crate) const PACKAGES: usize = 256;
/// Purchases of one merchant in doubt whose tokens are kept.
pub(crate) const TOKENS: usize = 64;
/// Bytes of a document with what is personal.
pub(crate) const MAX_PERSON: usize = 8 * 1024;
/// Bytes of the file with what merchants are known by: some hundred bytes for each key.
pub(crate) const MAX_PINS: u64 = 1024 * 1024;
