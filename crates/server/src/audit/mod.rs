//! What was decided, for people: printed, exported, proved, replayed; and names that are forgotten.

mod filter;
mod replay;

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use vestibule_model::UserId;
use vestibule_protocol::{Disclosed, Disclosures, Request, Response};
use vestibule_store::{EventLog, SqliteLog, verify_export};

use crate::{
    HubConfig, HubHandle, LOG_FILE, Peer,
    cli::CliError,
    hub::{in_words, names},
    net::control::{Answer, ControlError, Question, ask},
};
use filter::{Filter, moment};

pub(crate) use replay::{ReplayArgs, replay};

/// Lines of the log that are read at once.
const PAGE: u32 = 500;

/// What `vestibule-enabler log` takes.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The data folder.
    #[arg(long, env = "VESTIBULE_DATA", required_unless_present = "verify")]
    data: Option<PathBuf>,
    /// Only lines after this number.
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// Only what this user did, or what was done about them.
    #[arg(long, value_name = "USER")]
    who: Option<String>,
    /// Only what is about this twin.
    #[arg(long)]
    twin: Option<String>,
    /// Only this kind of decision, such as `command_accepted` or `rule_set`.
    #[arg(long)]
    kind: Option<String>,
    /// Only from this moment on, such as 2026-11-20T14:00:00Z.
    #[arg(long, value_parser = moment)]
    since: Option<vestibule_model::Timestamp>,
    /// Only before this moment.
    #[arg(long, value_parser = moment)]
    until: Option<vestibule_model::Timestamp>,
    /// Print nothing but whether every line is as it was written. With a file: whether that export is.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    verify: Option<PathBuf>,
    /// Write the whole log to a file of JSON lines that proves itself. Filters would break its chain.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["after", "who", "twin", "kind", "since", "until", "verify"])]
    export: Option<PathBuf>,
}

/// What `vestibule-enabler erase` takes.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// The data folder.
    #[arg(long, env = "VESTIBULE_DATA")]
    data: PathBuf,
    /// Who is to be forgotten.
    #[arg(long)]
    user: UserId,
}

pub(crate) async fn open(data: &Path) -> Result<SqliteLog, CliError> {
    let file = data.join(LOG_FILE);
    if !file.exists() {
        return Err(CliError::NoLog(data.to_owned()));
    }
    Ok(SqliteLog::read_only(&file).await?)
}

fn say(report: &vestibule_store::VerifyReport) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} lines, all as they were written", report.lines)?;
    if report.from.sequence > 0 {
        writeln!(
            out,
            "they follow line {}, hash {}; what was before was cut off",
            report.from.sequence, report.from.hash
        )?;
    }
    writeln!(out, "head {}", report.head.hash)?;
    Ok(())
}

pub(crate) async fn log(args: LogArgs) -> Result<(), CliError> {
    if let Some(file) = args.verify.as_ref().filter(|file| file.as_os_str() != "-") {
        let file = File::open(file).map_err(|error| CliError::File(file.clone(), error))?;
        return say(&verify_export(BufReader::new(file))?);
    }
    let data = args.data.clone().ok_or_else(|| CliError::NoLog(PathBuf::from(".")))?;
    let log = open(&data).await?;
    if args.verify.is_some() {
        return say(&log.verify().await?);
    }
    if let Some(path) = &args.export {
        let failed = |error| CliError::File(path.clone(), error);
        let mut out = BufWriter::new(File::create(path).map_err(failed)?);
        let report = vestibule_store::export(&log, &mut out).await?;
        out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
        return say(&report);
    }
    print(&log, &args).await
}

async fn print(log: &SqliteLog, args: &LogArgs) -> Result<(), CliError> {
    let mut names = names(log).await?;
    let mut filter = Filter::new(args);
    let mut out = std::io::stdout().lock();
    let begins = log.anchor().await?.sequence;
    // What a line is about may have been said by one before it.
    let mut read = if filter.needs_all() { begins } else { args.after.max(begins) };
    loop {
        let lines = log.read(read, PAGE).await?;
        let Some(last) = lines.last() else { return Ok(()) };
        read = last.sequence;
        for line in &lines {
            let words = in_words(&line.payload, &mut names);
            if filter.takes(line.at, &words) && line.sequence > args.after {
                // JSON has no line breaks; control characters in it are escaped.
                writeln!(out, "{:>8}  {}  {}", line.sequence, line.at.to_utc(), words)?;
            }
        }
    }
}

/// Forgets a person: by the enabler that runs on the folder, or without one.
pub(crate) async fn erase(args: EraseArgs) -> Result<(), CliError> {
    let request = Request::Erase { user: args.user.clone() };
    let response = match ask(&args.data, &Question::Ask { request: Box::new(request.clone()) }).await {
        Ok(Answer::Said { response }) => *response,
        Ok(_) => return Err(crate::cli::strange()),
        Err(ControlError::NotRunning(_)) => {
            if !args.data.join(LOG_FILE).exists() {
                return Err(CliError::NoLog(args.data));
            }
            let hub = HubHandle::start(HubConfig::new(&args.data, "erase")).await.map_err(CliError::Hub)?;
            let (session, _outgoing) = hub.open(Peer::Console).await.map_err(CliError::Hub)?;
            let response = session.request(request).await;
            hub.shutdown().await;
            response
        }
        Err(error) => return Err(error.into()),
    };
    let told = match response {
        Response::Erased(told) => told,
        Response::Refused(refusal) => return Err(CliError::Words(refusal.to_string())),
        _ => return Err(crate::cli::strange()),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} is forgotten: what the log says of them reads as erased, and its chain is whole", args.user)?;
    writeln!(out, "Copies of the data folder and files that were exported before still have the name.")?;
    disclosed(&mut out, &told)?;
    Ok(())
}

/// What is others' to erase.
fn disclosed(out: &mut impl Write, told: &Disclosures) -> std::io::Result<()> {
    if told.systems.is_empty() {
        writeln!(out, "By this log, no system was told anything of them.")?;
    } else {
        writeln!(out, "These systems were told of them, and keep what they keep. Ask them to erase it:")?;
    }
    for Disclosed { system, what, first, last } in &told.systems {
        let what: Vec<String> = what.iter().map(ToString::to_string).collect();
        writeln!(out, "  {system}  {} to {}  {}", first.to_utc(), last.to_utc(), what.join(", "))?;
    }
    if told.more > 0 {
        writeln!(out, "  and {} more", told.more)?;
    }
    if told.begins > 0 {
        writeln!(out, "The log begins behind line {}: what was told before that is not known.", told.begins)?;
    }
    Ok(())
}

impl From<&LogArgs> for filter::Wanted {
    fn from(args: &LogArgs) -> Self {
        let LogArgs { who, twin, kind, since, until, .. } = args;
        Self { who: who.clone(), twin: twin.clone(), kind: kind.clone(), since: *since, until: *until }
    }
}
