//! `vestibule-conformance`: flags, words and exit codes.

use std::{io::Write, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use vestibule_model::SystemId;
use vestibule_quic::Fingerprint;

use crate::{
    catalogue::Group,
    run::{Config, run},
    wire::{Http, Quic, Transport, Trust},
};

const CODES: &str = "Exit codes: 0 every row passed, 1 a row failed, 2 wrong flags, or no enabler that takes the code.";

/// How an enabler is named.
const WAYS: &str = "quic://HOST:PORT, http://HOST:PORT or https://HOST:PORT is one";

/// Plays every party of FGMV-29 against any integration enabler, from outside, and says row by row what it saw.
#[derive(Debug, Parser)]
#[command(name = "vestibule-conformance", version, after_help = CODES)]
pub struct Cli {
    /// The enabler: quic://HOST:PORT, http://HOST:PORT or https://HOST:PORT.
    #[arg(long, value_name = "URL")]
    enabler: String,
    /// A six-digit pairing code for an owner, as `vestibule-enabler pair` shows it.
    #[arg(long, value_name = "CODE")]
    pair: String,
    /// Over HTTPS: certificates to believe instead of this machine's authorities (PEM): the enabler's own, or whoever
    /// signed it.
    #[arg(long, value_name = "FILE", conflicts_with = "fingerprint")]
    ca: Option<PathBuf>,
    /// Over HTTPS: the enabler's certificate by its fingerprint, as `vestibule-enabler serve` shows it.
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Fingerprint>,
    /// Also write the report as JSON; `-`: to standard output, instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only rows of this group; may be given often.
    #[arg(long = "group", value_name = "GROUP", value_parser = group)]
    groups: Vec<Group>,
    /// A manufacturer from which the enabler buys (`vestibule-enabler serve --ucp ID=URL`), by that ID: something is ordered
    /// there, and rows about products are played as well. It has to deliver within the patience.
    #[arg(long, value_name = "ID")]
    merchant: Option<SystemId>,
    /// Seconds to wait for anything that has to come.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
}

fn group(name: &str) -> Result<Group, String> {
    Group::ALL.into_iter().find(|group| group.name() == name).ok_or_else(|| {
        let names: Vec<_> = Group::ALL.iter().map(|group| group.name()).collect();
        format!("there are {}", names.join(", "))
    })
}

/// The way to an enabler; over HTTPS with a certificate that `trust` takes.
///
/// # Errors
/// What is wrong with the address, in words.
pub fn transport(url: &str, trust: Trust, patience: Duration) -> Result<Arc<dyn Transport>, String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(format!("{url:?} is no enabler: {WAYS}"));
    };
    let target = rest.trim_end_matches('/');
    let port = target.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    match scheme {
        "quic" if port => Ok(Arc::new(Quic::new(target, patience))),
        "quic" => Err(format!("{url:?} names no port: quic://HOST:PORT does")),
        "http" | "https" => Ok(Arc::new(Http::new(url, trust)?)),
        other => Err(format!("enablers are not reached over {other:?}: {WAYS}")),
    }
}

impl Cli {
    /// Plays, prints, and says how it went.
    pub async fn play(self) -> ExitCode {
        let Self { enabler, pair, ca, fingerprint, json, groups, merchant, patience } = self;
        let patience = Duration::from_secs(patience);
        let wrong = |words: &str| {
            eprintln!("vestibule-conformance: {words}");
            ExitCode::from(2)
        };
        if pair.len() != 6 || !pair.bytes().all(|digit| digit.is_ascii_digit()) {
            return wrong("a pairing code has six digits");
        }
        if !enabler.starts_with("https://") && (ca.is_some() || fingerprint.is_some()) {
            return wrong("--ca and --fingerprint are about certificates over https://");
        }
        let trust = match (ca, fingerprint) {
            (Some(file), _) => Trust::file(&file),
            (None, Some(fingerprint)) => Ok(Trust::only(fingerprint)),
            (None, None) => Ok(Trust::default()),
        };
        let transport = match trust.and_then(|trust| transport(&enabler, trust, patience)) {
            Ok(transport) => transport,
            Err(words) => return wrong(&words),
        };
        let report = match run(transport, &pair, &Config { patience, groups, merchant }).await {
            Ok(report) => report,
            Err(words) => return wrong(&words),
        };
        let mut text = report.to_string();
        match json {
            Some(path) if path.as_os_str() == "-" => text = report.to_json(),
            Some(path) => {
                if let Err(error) = std::fs::write(&path, report.to_json()) {
                    return wrong(&format!("{} cannot be written: {error}", path.display()));
                }
            }
            None => {}
        }
        // Whoever does not read it still gets the exit code.
        let _ = writeln!(std::io::stdout(), "{text}");
        if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_before_anybody_is_called() {
        let way = |url: &str| transport(url, Trust::default(), Duration::from_secs(1));
        assert_eq!(way("quic://home:4433").unwrap().name(), "quic://home:4433");
        assert_eq!(way("http://home:8080/").unwrap().name(), "http://home:8080");
        assert!(way("quic://[::1]:4433/").is_ok());
        assert_eq!(way("https://home:8443").unwrap().name(), "https://home:8443");
        for wrong in ["home:4433", "quic://home", "quic://:4433", "quic://home:x", "ftp://home:21", "", "http://"] {
            assert!(way(wrong).is_err(), "{wrong}");
        }
        assert_eq!(group("truth"), Ok(Group::Truth));
        assert!(group("lies").is_err());
    }
}
