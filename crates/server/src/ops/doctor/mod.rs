//! `vestibule-enabler doctor`: looks at everything that an enabler needs, says what is wrong and what to do.

mod folder;
mod ports;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{net::TcpStream, time::timeout};
use vestibule_adapter_mqtt::MqttConfig;
use vestibule_model::Timestamp;
use vestibule_quic::Validity;
use vestibule_store::{EventLog, SqliteLog};

use crate::{
    LOG_FILE,
    net::control::{Answer, ControlError, IDENTITY, Question, Status, ask},
};

/// Where `serve` listens for QUIC unless told.
pub(crate) const QUIC: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 4433));
/// When this program was not written yet: a clock that says an earlier time is wrong.
const WRITTEN: Timestamp = Timestamp(1_764_547_200_000);
/// Clocks of one machine step by so much when they are set.
const STEP_MS: u64 = 5_000;
/// A broker on another continent answers in a fraction of it.
const PATIENCE: Duration = Duration::from_secs(3);
/// A certificate that ends sooner is worth a word.
const SOON_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// What is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Patient {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Where QUIC is to listen; where that was not said, it is where the running enabler does, or where one would.
    pub(crate) quic: Option<SocketAddr>,
    /// Where HTTP is to listen.
    pub(crate) http: Vec<SocketAddr>,
    /// The brokers.
    pub(crate) mqtt: Vec<MqttConfig>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works; somebody should know.
    Warn,
    /// It does not work.
    Fail,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How it is.
    pub(crate) level: Level,
    /// What was looked at.
    pub(crate) what: &'static str,
    /// What was seen, and what to do.
    pub(crate) words: String,
}

impl Finding {
    fn ok(what: &'static str, words: impl Into<String>) -> Self {
        Self { level: Level::Ok, what, words: words.into() }
    }

    fn warn(what: &'static str, words: impl Into<String>) -> Self {
        Self { level: Level::Warn, what, words: words.into() }
    }

    fn fail(what: &'static str, words: impl Into<String>) -> Self {
        Self { level: Level::Fail, what, words: words.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        write!(f, "{level:<5} {:<12} {}", self.what, self.words)
    }
}

/// Looks at everything. What cannot be looked at because of something else is left out: that was said already.
pub(crate) async fn examine(patient: &Patient) -> Vec<Finding> {
    let mut findings = folder::examine(&patient.data);
    let now = now();
    let running = running(patient, &mut findings).await;
    let log = patient.data.join(LOG_FILE);
    if log.exists() {
        examine_log(&log, now, &mut findings).await;
    } else {
        findings.push(Finding::ok("log", "there is none yet; the first start begins it"));
        findings.push(clock(now, None));
    }
    let certificate = patient.data.join(IDENTITY);
    if certificate.exists() {
        findings.push(dates(Validity::of_file(&certificate), now));
    }
    findings.push(quic(patient.quic, running.as_ref()));
    findings.extend(patient.http.iter().map(|at| ports::examine("http", ports::Protocol::Tcp, *at, running.as_ref())));
    for broker in &patient.mqtt {
        findings.push(reach(broker).await);
    }
    findings
}

/// The port for QUIC: nobody is told that all is well with one that is not used.
fn quic(wanted: Option<SocketAddr>, running: Option<&Status>) -> Finding {
    let Some(status) = running.filter(|_| wanted.is_none()) else {
        let finding = ports::examine("quic", ports::Protocol::Udp, wanted.unwrap_or(QUIC), running);
        let hint =
            if wanted.is_none() { ", where `serve` listens unless told; --quic looks at another address" } else { "" };
        return Finding { words: format!("{}{hint}", finding.words), ..finding };
    };
    Finding::ok("quic", format!("the running enabler listens on {}", status.address))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

async fn running(patient: &Patient, findings: &mut Vec<Finding>) -> Option<Status> {
    if !patient.data.is_dir() {
        return None;
    }
    let (finding, status) = match ask(&patient.data, &Question::Status).await {
        Ok(Answer::Status(status)) => {
            let words = format!("{} runs on it, version {}, at {}", status.name, status.version, status.address);
            let version = env!("CARGO_PKG_VERSION");
            let finding = if status.version == version {
                Finding::ok("enabler", words)
            } else {
                Finding::warn("enabler", format!("{words}; this program is {version}: restart the enabler to update"))
            };
            (finding, Some(status))
        }
        Ok(_) => (Finding::warn("enabler", "another version runs on it: ask with its own program"), None),
        Err(ControlError::NotRunning(_)) => (Finding::ok("enabler", "none runs on it"), None),
        Err(error) => (Finding::fail("enabler", error.to_string()), None),
    };
    findings.push(finding);
    status
}

async fn examine_log(file: &std::path::Path, now: Timestamp, findings: &mut Vec<Finding>) {
    let log = match SqliteLog::read_only(file).await {
        Ok(log) => log,
        Err(error) => return findings.push(Finding::fail("log", error.to_string())),
    };
    let report = match log.verify().await {
        Ok(report) => report,
        Err(error) => return findings.push(Finding::fail("log", error.to_string())),
    };
    findings.push(Finding::ok("log", format!("{} lines, all as they were written", report.lines)));
    let last = log.read(report.head.sequence.saturating_sub(1), 1).await;
    findings.push(clock(now, last.ok().and_then(|lines| Some(lines.last()?.at))));
}

fn clock(now: Timestamp, last: Option<Timestamp>) -> Finding {
    if now < WRITTEN {
        let words = "says a time before this program was written: set it, or have it set over the network (NTP)";
        return Finding::fail("clock", words);
    }
    match last.map(|last| last.since(now)) {
        Some(ahead) if ahead > STEP_MS => {
            let seconds = ahead / 1_000;
            let words = format!("is {seconds} s behind the log's last line: it was set back, or was wrong before");
            Finding::fail("clock", words)
        }
        _ => Finding::ok("clock", "is plausible"),
    }
}

fn dates(validity: Option<Validity>, now: Timestamp) -> Finding {
    let Some(validity) = validity else {
        let words = "cannot be read: restore identity.pem from a backup, or remove it and pair all devices anew";
        return Finding::fail("certificate", words);
    };
    if now.0 / 1_000 < validity.not_before {
        return Finding::fail("certificate", "is not valid yet: the clock is wrong, or the certificate");
    }
    match (validity.not_after * 1_000).saturating_sub(now.0) {
        0 => Finding::fail("certificate", "is no longer valid: put a new one in its place, then `reload`"),
        left if left < SOON_MS => {
            let days = left / (24 * 3_600 * 1_000);
            Finding::warn(
                "certificate",
                format!("is valid for {days} days more: put a new one in its place, then `reload`"),
            )
        }
        _ => Finding::ok("certificate", "is valid"),
    }
}

async fn reach(broker: &MqttConfig) -> Finding {
    let at = format!("{}:{}", broker.host, broker.port);
    match timeout(PATIENCE, TcpStream::connect((broker.host.as_str(), broker.port))).await {
        Ok(Ok(_)) => Finding::ok("broker", format!("{at} is there")),
        Ok(Err(error)) => Finding::fail("broker", format!("{at}: {error}: start it, or mend the address in --mqtt")),
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            Finding::fail(
                "broker",
                format!("{at} does not answer within {seconds} s: a firewall, or the wrong address"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_that_is_looked_at_is_the_one_that_is_used() {
        let address: SocketAddr = "127.0.0.1:7743".parse().unwrap();
        let status = Status {
            name: String::new(),
            version: String::new(),
            process: 0,
            address,
            fingerprint: String::new(),
            connections: 0,
            hub: Vec::new(),
        };
        let words = |wanted, running| quic(wanted, running).words;
        assert!(words(None, Some(&status)).contains("7743") && !words(None, Some(&status)).contains("4433"));
        assert!(words(None, None).contains("4433") && words(None, None).contains("--quic"));
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let taken = socket.local_addr().unwrap();
        let asked = words(Some(taken), Some(&status));
        assert!(asked.contains(&taken.to_string()) && !asked.contains("--quic"), "{asked}");
    }

    #[test]
    fn clocks_that_were_set_back_are_found() {
        let now = WRITTEN.plus(1_000_000);
        assert_eq!(clock(Timestamp(0), None).level, Level::Fail);
        assert_eq!(clock(now, None).level, Level::Ok);
        assert_eq!(clock(now, Some(now.plus(1_000))).level, Level::Ok);
        assert_eq!(clock(now, Some(now.plus(60_000))).level, Level::Fail);
    }

    #[test]
    fn certificates_end() {
        let now = WRITTEN.plus(1_000_000);
        let until = |not_after: u64| dates(Some(Validity { not_before: 0, not_after }), now).level;
        assert_eq!(until(now.0 / 1_000 - 1), Level::Fail);
        assert_eq!(until(now.0 / 1_000 + 86_400), Level::Warn);
        assert_eq!(until(u64::from(u32::MAX)), Level::Ok);
        assert_eq!(dates(None, now).level, Level::Fail);
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let broker = |port| MqttConfig { host: "127.0.0.1".to_owned(), port, ..MqttConfig::default() };
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach(&broker(port)).await.level, Level::Ok);
        drop(listener);
        assert_eq!(reach(&broker(port)).await.level, Level::Fail);
    }
}
