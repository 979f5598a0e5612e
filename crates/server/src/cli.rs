//! `vestibule-enabler`: flags, words and exit codes.

mod login;
mod people;
mod ucp;

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use thiserror::Error;
use vestibule_adapter_mqtt::MqttConfig;
use vestibule_enabler_core::OWNER_ROLE;
use vestibule_model::{LeaseUpdate, RoleId, UserId};
use vestibule_quic::QuicError;
use vestibule_store::StoreError;

use crate::{
    Embedded, EmbeddedConfig, HttpConfig, HttpError, HubError, Keeping, StartError, audit,
    net::control::{self, Answer, ControlError, Question, ask},
    ops::{
        self,
        doctor::{Level, Patient},
    },
};

/// Who does not take the goodbye within this time learns it from silence; supervisors kill after 10 s and more.
const DRAIN: Duration = Duration::from_secs(8);

const CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong flags, 3 no enabler runs on the data folder, 4 the data \
folder is in use or cannot be used, 5 the address is in use, 6 the log is not as it was written.";

/// The integration enabler: decides who may see and do what with physical things, and remembers it.
#[derive(Debug, Parser)]
#[command(name = "vestibule-enabler", version, after_help = CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Order,
    /// How to write what happens, to stderr.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "VESTIBULE_LOG_FORMAT")]
    log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line, for programs.
    Json,
}

impl Cli {
    /// How to write log lines.
    #[must_use]
    pub const fn log_format(&self) -> LogFormat {
        self.log_format
    }
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Run the enabler until it is told to stop (Ctrl-C, SIGTERM).
    Serve {
        /// Folder for everything that it remembers.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
        /// Address for clients and twin systems, UDP.
        #[arg(long, default_value_t = ops::doctor::QUIC, env = "VESTIBULE_QUIC")]
        quic: SocketAddr,
        /// Address for HTTP, on this machine only: tokens are not encrypted.
        #[arg(long, env = "VESTIBULE_HTTP")]
        http: Option<SocketAddr>,
        /// Address for HTTPS, with the enabler's own certificate.
        #[arg(long, env = "VESTIBULE_HTTPS")]
        https: Option<SocketAddr>,
        /// Speak plain HTTP to other machines as well, where everybody between can read it.
        #[arg(long)]
        http_insecure: bool,
        /// A broker whose devices become twins: mqtt://[user:password@]host[:port][?system=home], or mqtts:// with
        /// ?ca=FILE&cert=FILE&key=FILE; ?announce=false says nothing on Home Assistant's birth topic. May be given often.
        #[arg(long = "mqtt", value_name = "URL", env = "VESTIBULE_MQTT", value_parser = broker, hide_env_values = true)]
        mqtt: Vec<MqttConfig>,
        /// Its name, for people.
        #[arg(long, default_value = "Vestibule", env = "VESTIBULE_NAME")]
        name: String,
        #[command(flatten)]
        keep: KeepArgs,
        #[command(flatten)]
        login: Box<login::LoginArgs>,
        #[command(flatten)]
        ucp: Box<ucp::UcpArgs>,
    },
    /// Show a six-digit code with which one more device can pair.
    Pair {
        /// The data folder of a running enabler.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
        /// What the device may be; an owner's unless told. Has to be told with --user.
        #[arg(long)]
        role: Option<RoleId>,
        /// Whose it will be; somebody new unless told.
        #[arg(long, requires = "role")]
        user: Option<UserId>,
    },
    /// Let somebody do something: add a rule.
    Grant(people::Grant),
    /// Take back a rule, a token or a device, at once.
    Revoke(people::Revoke),
    /// Who is known, with which roles and devices.
    Users(people::Users),
    /// Hand on rights with a token, narrow one, look at one.
    #[command(subcommand)]
    Token(people::Token),
    /// Say how a running enabler is.
    Status {
        /// Its data folder.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
    },
    /// Print who holds which twin's physical object and who waits for it, a line each.
    Leases {
        /// The data folder of a running enabler.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
    },
    /// Have a running enabler read its certificate anew. Connections that are open go on.
    #[cfg(unix)]
    Reload {
        /// Its data folder.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
    },
    /// Look at everything that an enabler needs; say what is wrong and what to do. Works whether it runs or not.
    Doctor {
        /// The data folder.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
        /// Address for clients and twin systems, UDP; that of the running enabler unless told.
        #[arg(long, env = "VESTIBULE_QUIC")]
        quic: Option<SocketAddr>,
        /// An address for HTTP or HTTPS. May be given often.
        #[arg(long, value_name = "ADDR")]
        http: Vec<SocketAddr>,
        /// A broker. May be given often.
        #[arg(long = "mqtt", value_name = "URL", env = "VESTIBULE_MQTT", value_parser = broker, hide_env_values = true)]
        mqtt: Vec<MqttConfig>,
    },
    /// Print what was decided, a line each: number, time (UTC), decision. Works whether the enabler runs or not.
    Log(audit::LogArgs),
    /// Print the state of a moment as JSON, rebuilt from the log. Works whether the enabler runs or not.
    Replay(audit::ReplayArgs),
    /// Forget a person: what the log says of them reads as erased from then on, and its chain stays whole.
    Erase(audit::EraseArgs),
}

/// How long what was is kept.
#[derive(Args, Debug)]
struct KeepArgs {
    /// Days of the log that are kept; older lines are cut off behind a snapshot. Not given: all of it.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Days for which what things said is kept, beside the log.
    #[arg(long, value_name = "DAYS", default_value_t = Keeping::default().history_days)]
    keep_readings: u32,
    /// Lines of the log after which a snapshot is written: a restart reads it and what came after it.
    #[arg(long, value_name = "LINES", default_value_t = Keeping::default().snapshot_lines)]
    snapshot_every: u64,
}

impl KeepArgs {
    fn keeping(&self) -> Keeping {
        Keeping {
            log_days: self.keep,
            history_days: self.keep_readings,
            snapshot_lines: self.snapshot_every.max(1),
            ..Keeping::default()
        }
    }
}

fn broker(url: &str) -> Result<MqttConfig, String> {
    MqttConfig::from_url(url).map_err(|error| error.to_string())
}

/// Why a command did not do what it should.
#[derive(Debug, Error)]
pub enum CliError {
    /// The enabler did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A running enabler did not answer.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no log.
    #[error("{} has no log: no enabler has ever run on it", .0.display())]
    NoLog(PathBuf),
    /// The data, or what is in it.
    #[error(transparent)]
    Hub(HubError),
    /// A file that was named.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    /// What the doctor found.
    #[error("{0} of these must be mended")]
    Ill(usize),
    /// What was typed makes no sense.
    #[error("{0}")]
    Words(String),
    /// Nobody reads what is printed, or no signals can be had.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl CliError {
    const fn code(&self) -> u8 {
        match self {
            Self::Control(ControlError::NotRunning(_)) => 3,
            Self::Start(StartError::Hub(HubError::Store(StoreError::InUse(_) | StoreError::Folder { .. })))
            | Self::Hub(HubError::Store(StoreError::InUse(_) | StoreError::Folder { .. }))
            | Self::Start(StartError::Folder(..))
            | Self::NoLog(_) => 4,
            Self::Start(StartError::Network(QuicError::InUse(_)) | StartError::Http(HttpError::InUse(_))) => 5,
            Self::Store(StoreError::Bad(_) | StoreError::Damaged(_))
            | Self::Hub(HubError::Store(StoreError::Bad(_) | StoreError::Damaged(_)))
            | Self::Start(StartError::Hub(HubError::Store(StoreError::Bad(_) | StoreError::Damaged(_)))) => 6,
            _ => 1,
        }
    }
}

/// Runs what the flags say.
pub async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Order::Serve { data, quic, http, https, http_insecure, mqtt, name, keep, login, ucp } => {
            let http = HttpConfig { plain: http, tls: https, insecure: http_insecure };
            match login.config(&http).and_then(|login| Ok((login, ucp.config(&http)?))) {
                Ok((login, trade)) => {
                    let keeping = keep.keeping();
                    serve(EmbeddedConfig { data_dir: data, name, mqtt, quic, http, login, keeping, trade }).await
                }
                Err(error) => Err(error),
            }
        }
        Order::Pair { data, role, user } => pair(&data, role.unwrap_or_else(|| RoleId::slug(OWNER_ROLE)), user).await,
        Order::Grant(args) => people::grant(args).await,
        Order::Revoke(args) => people::revoke(args).await,
        Order::Users(args) => people::users(args).await,
        Order::Token(order) => people::token(order).await,
        Order::Status { data } => status(&data).await,
        Order::Leases { data } => leases(&data).await,
        #[cfg(unix)]
        Order::Reload { data } => reload(&data),
        Order::Doctor { data, quic, http, mqtt } => doctor(Patient { data, quic, http, mqtt }).await,
        Order::Log(args) => audit::log(args).await,
        Order::Replay(args) => audit::replay(args).await,
        Order::Erase(args) => audit::erase(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // `vestibule-enabler log | head` is no failure.
        Err(CliError::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell where stderr is gone as well.
            let _ = writeln!(std::io::stderr(), "vestibule-enabler: {error}");
            ExitCode::from(error.code())
        }
    }
}

async fn serve(config: EmbeddedConfig) -> Result<(), CliError> {
    // Before anything else: a signal during the start is not lost.
    let mut stop = Stop::new()?;
    let enabler = Embedded::start(config).await?;
    // For whoever starts this program and waits for it; port 0 is known from here on.
    let mut out = std::io::stdout();
    writeln!(out, "listening on {} as {}", enabler.address(), enabler.fingerprint())?;
    for (scheme, address) in [("http", enabler.http()), ("https", enabler.https())] {
        if let Some(address) = address {
            writeln!(out, "listening on {scheme}://{address}")?;
        }
    }
    out.flush()?;
    let signal = loop {
        match stop.wait().await {
            Signal::Stop(signal) => break signal,
            #[cfg(unix)]
            Signal::Reload => {
                if let Err(error) = enabler.reload() {
                    tracing::error!(%error, "the certificate stays as it was");
                }
            }
        }
    };
    tracing::info!(signal, "stopping");
    tokio::select! {
        () = enabler.stop() => {}
        // Whoever asks twice means it. What was acknowledged is on disk.
        signal = stop.again() => tracing::warn!(signal, "stopping at once"),
        // So does whoever waits to kill it: systemd, an orchestrator.
        () = tokio::time::sleep(DRAIN) => tracing::warn!("not everybody could be told in time; stopping at once"),
    }
    Ok(())
}

/// What somebody outside wants.
enum Signal {
    /// An end.
    Stop(&'static str),
    /// The certificate read anew.
    #[cfg(unix)]
    Reload,
}

#[cfg(unix)]
struct Stop([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Stop {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn wait(&mut self) -> Signal {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => Signal::Stop("SIGINT"),
            _ = terminate.recv() => Signal::Stop("SIGTERM"),
            _ = hangup.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Stop("Ctrl-C"),
            // No signals can be had: run until killed.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Stop {
    /// Waits until somebody wants an end, once more.
    async fn again(&mut self) -> &'static str {
        loop {
            match self.wait().await {
                Signal::Stop(signal) => return signal,
                #[cfg(unix)]
                Signal::Reload => {}
            }
        }
    }
}

#[cfg(unix)]
fn reload(data: &Path) -> Result<(), CliError> {
    let process = control::process(data)?;
    let process = rustix::process::Pid::from_raw(process).ok_or_else(strange)?;
    rustix::process::kill_process(process, rustix::process::Signal::HUP).map_err(std::io::Error::from)?;
    Ok(())
}

async fn pair(data: &Path, role: RoleId, user: Option<UserId>) -> Result<(), CliError> {
    let question = Question::Pair { role: role.clone(), user };
    let Answer::Code { code, address } = ask(data, &question).await? else { return Err(strange()) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{code}")?;
    writeln!(out)?;
    writeln!(out, "Give these digits to one device within 5 minutes; it will be {role}.")?;
    writeln!(out, "It connects to port {} of this machine. Over QUIC only the newest code counts.", address.port())?;
    Ok(())
}

async fn status(data: &Path) -> Result<(), CliError> {
    let Answer::Status(status) = ask(data, &Question::Status).await? else { return Err(strange()) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} (vestibule-enabler {})", status.name, status.version)?;
    writeln!(out, "address      {}", status.address)?;
    writeln!(out, "fingerprint  {}", status.fingerprint)?;
    writeln!(out, "connections  {}", status.connections)?;
    for (name, value) in status.hub {
        writeln!(out, "{name:<12} {value}")?;
    }
    Ok(())
}

async fn leases(data: &Path) -> Result<(), CliError> {
    let Answer::Leases { leases, more } = ask(data, &Question::Leases).await? else { return Err(strange()) };
    let mut out = std::io::stdout().lock();
    for lease in leases {
        let user = lease.user.as_ref().map_or("somebody", UserId::as_str);
        let until = lease.until.map(|until| until.to_utc()).unwrap_or_default();
        let LeaseUpdate { twin, priority, status, .. } = &lease;
        writeln!(out, "{:<32} {user:<24} priority {priority:>3}  until {until}  {status}", twin.as_str())?;
    }
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    Ok(())
}

async fn doctor(patient: Patient) -> Result<(), CliError> {
    let findings = ops::doctor::examine(&patient).await;
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let failed = findings.iter().filter(|finding| finding.level == Level::Fail).count();
    if failed == 0 { Ok(()) } else { Err(CliError::Ill(failed)) }
}

pub(crate) fn strange() -> CliError {
    ControlError::Refused("the running enabler answered something else: it is of another version".to_owned()).into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_are_consistent() {
        Cli::command().debug_assert();
        let wrong = Cli::try_parse_from(["vestibule-enabler", "serve", "--data", "x", "--mqtt", "http://me:secret@x"]);
        let words = wrong.unwrap_err().to_string();
        assert!(words.contains("mqtt://"), "{words}");
    }
}
