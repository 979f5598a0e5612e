//! From when to when a certificate says it is valid.

use std::path::Path;

use rustls::pki_types::{CertificateDer, pem::PemObject};

/// The dates of a certificate, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not valid before.
    pub not_before: u64,
    /// Not valid after.
    pub not_after: u64,
}

impl Validity {
    /// Of the first certificate in a PEM file; `None` where there is none, or none that can be read.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        Self::of(CertificateDer::from_pem_file(path).ok()?.as_ref())
    }

    /// Of a certificate in DER: X.509 says `Certificate { TBSCertificate { version?, serial, algorithm, issuer,
    /// validity { notBefore, notAfter }, ... } }`.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Self> {
        let (SEQUENCE, certificate, _) = element(der)? else { return None };
        let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
        if let (VERSION, _, after) = element(rest)? {
            rest = after;
        }
        for _serial_algorithm_issuer in 0..3 {
            rest = element(rest)?.2;
        }
        let (SEQUENCE, dates, _) = element(rest)? else { return None };
        let (kind, before, dates) = element(dates)?;
        let not_before = moment(kind, before)?;
        let (kind, after, _) = element(dates)?;
        Some(Self { not_before, not_after: moment(kind, after)? })
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Tag, content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], mut rest) = der.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // Longer than any certificate.
        (bytes.len() <= 4).then_some(())?;
        length = bytes.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?;
        rest = after;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn moment(kind: u8, text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    (digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u64>().ok();
    let (year, at) = match (kind, digits.len()) {
        (UTC_TIME, 12) => {
            let year = number(0, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, 2)
        }
        (GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |index: usize| number(at + 2 * index, at + 2 * index + 2);
    let (month, day) = (part(0)?, part(1)?);
    let seconds = part(2)? * 3_600 + part(3)? * 60 + part(4)?;
    days(year, month, day)?.checked_mul(86_400)?.checked_add(seconds)
}

/// Days from 1970-01-01; a year begins in March here, which puts the leap day at its end.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(())?;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(from: (i32, u8, u8), to: (i32, u8, u8)) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["vestibule".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        parameters.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn dates_are_read() {
        let validity = Validity::of(&made((2000, 2, 29), (2049, 12, 31))).unwrap();
        assert_eq!(validity, Validity { not_before: 951_782_400, not_after: 2_524_521_600 });
        let later = Validity::of(&made((2020, 1, 1), (4096, 1, 1))).unwrap();
        assert_eq!(later, Validity { not_before: 1_577_836_800, not_after: 67_090_118_400 });
    }

    #[test]
    fn garbage_is_nothing_and_no_panic() {
        let whole = made((2020, 1, 1), (2030, 1, 1));
        for end in 0..whole.len() {
            assert_eq!(Validity::of(&whole[..end]), None);
        }
        for at in 0..whole.len().min(200) {
            for byte in [0, 1, 0x7f, 0x80, 0x84, 0xff] {
                let mut bad = whole.clone();
                bad[at] = byte;
                // Whatever it says, it says it.
                let _ = Validity::of(&bad);
            }
        }
    }
}
