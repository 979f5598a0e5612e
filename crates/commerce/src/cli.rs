//! The command line: `vestibule-commerce {shop|manufacturer|supplier} --data DIR --listen ADDR`.

use std::{
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use vestibule_model::Cell;

use crate::{Clock, Config, EnablerConfig, Role, Tls, slicer, start};

/// A merchant that speaks the Universal Commerce Protocol.
#[derive(Clone, Debug, Parser)]
#[command(name = "vestibule-commerce", version)]
pub struct Cli {
    #[command(subcommand)]
    role: Which,
}

#[derive(Clone, Debug, Subcommand)]
enum Which {
    /// Sells what is in its catalogue
    Shop(Options),
    /// Makes what others designed
    Manufacturer(Options),
    /// Brings groceries, some of them weighed
    Supplier(Options),
}

#[derive(Clone, Debug, Args)]
struct Options {
    /// Its folder: the database, its key, confirmations
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where it listens; port 0 is any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Its certificate as PEM, to be reached from elsewhere
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The certificate's private key as PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Where others reach it, where that is not where it listens
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A catalogue of your own (TOML)
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// How many times faster than the real one the clock of makers and carriers goes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    speed: u32,
    /// What chance is thrown from: the same number, the same chance
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Lets in only platforms with this key (its thumbprint, RFC 7638); may be repeated
    #[arg(long, value_name = "THUMBPRINT")]
    platform_key: Vec<String>,
    /// Lets whoever knows it change prices and stocks, for tests of platforms
    #[arg(long, value_name = "SECRET", env = "VESTIBULE_COMMERCE_SIMULATION", hide_env_values = true)]
    simulation_secret: Option<String>,
    /// The enabler that it shall be a third-party system of: http://HOST:PORT
    #[arg(long, value_name = "URL", group = "known")]
    enabler: Option<String>,
    /// A file that says so, looked at until it is there: {"url": "http://HOST:PORT", "code": "DIGITS", "system": "ID"}; where
    /// its code is not taken, an empty file of the same name ending in .wanted is put beside it
    #[arg(long, value_name = "FILE", group = "known")]
    enabler_file: Option<PathBuf>,
    /// The six digits of `vestibule-enabler pair --role third_party`; needed once
    #[arg(long, value_name = "DIGITS", requires = "enabler")]
    code: Option<String>,
    /// What it is called at the enabler; its role where nothing is said
    #[arg(long, value_name = "ID", requires = "enabler")]
    system: Option<String>,
    /// When it is open, as in "Mo-Sa 07:00-22:00" (UTC); what its catalogue says where nothing is said
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    hours: Option<String>,
    /// Where it is, as an H3 cell as large as shall be told (8828308281fffff); users look for who is near
    #[arg(long, value_name = "CELL")]
    place: Option<Cell>,
    /// PrusaSlicer, for the manufacturer's times and weights; found in PATH where nothing is said
    #[arg(long, value_name = "FILE")]
    slicer: Option<PathBuf>,
    /// Uses its own estimate, whatever is installed
    #[arg(long, conflicts_with = "slicer")]
    no_slicer: bool,
    /// Ends when standard input does: for whoever starts this program and must not leave it behind
    #[arg(long)]
    until_stdin_ends: bool,
}

impl Options {
    fn config(self, role: Role) -> (Config, bool) {
        let tls = self.certificate.zip(self.key).map(|(certificate, key)| Tls { certificate, key });
        let system = self.system.unwrap_or_else(|| role.name().to_owned());
        let enabler = self.enabler.map(|url| EnablerConfig { url, code: self.code, system });
        let slicer = if self.no_slicer { None } else { self.slicer.or_else(|| slicer::installed(slicer::PROGRAM)) };
        let config = Config {
            role,
            data: self.data,
            listen: self.listen,
            tls,
            url: self.url,
            catalogue: self.catalogue,
            speed: self.speed,
            seed: self.seed,
            platform_keys: self.platform_key,
            simulation_secret: self.simulation_secret,
            enabler,
            introduction: self.enabler_file,
            hours: self.hours,
            place: self.place,
            slicer,
            clock: Clock::default(),
        };
        (config, self.until_stdin_ends)
    }
}

/// Words that fit on a sign.
fn hours(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("write hours as in Mo-Sa 07:00-22:00".to_owned()) }
}

/// Runs a merchant until a signal, or the end of standard input where that was asked for.
pub async fn run(cli: Cli) -> ExitCode {
    let (config, until_stdin_ends) = match cli.role {
        Which::Shop(options) => options.config(Role::Shop),
        Which::Manufacturer(options) => options.config(Role::Manufacturer),
        Which::Supplier(options) => options.config(Role::Supplier),
    };
    match serve(config, until_stdin_ends).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell where stderr is gone as well.
            let _ = writeln!(io::stderr(), "vestibule-commerce: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config, until_stdin_ends: bool) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything else: a signal during the start is not lost.
    let ended = end(until_stdin_ends)?;
    let merchant = start(config).await?;
    // For whoever starts this program and waits for it; port 0 is known from here on.
    let mut out = io::stdout();
    writeln!(out, "listening on {}", merchant.url())?;
    out.flush()?;
    let reason = ended.await;
    tracing::info!(reason, "stopping");
    merchant.stop().await;
    Ok(())
}

/// Comes to an end when this program shall.
fn end(until_stdin_ends: bool) -> io::Result<impl Future<Output = &'static str>> {
    #[cfg(unix)]
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let (gone, stdin_ended) = tokio::sync::oneshot::channel();
    let mut kept = Some(gone);
    if let Some(gone) = kept.take_if(|_| until_stdin_ends) {
        // Its own thread: nothing else ends a read of standard input.
        std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
            let mut bytes = [0; 1024];
            let mut stdin = io::stdin();
            while stdin.read(&mut bytes).is_ok_and(|count| count > 0) {}
            let _ = gone.send(());
        })?;
    }
    Ok(async move {
        // Where nobody watches it, nobody tells that it has ended.
        let _kept = kept;
        #[cfg(unix)]
        let terminated = async { terminated.recv().await };
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => "interrupted",
            _ = terminated => "terminated",
            _ = stdin_ended => "standard input has ended",
        }
    })
}
