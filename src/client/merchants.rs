//! Merchants of our own: a shop, a manufacturer and a supplier, each a program with a folder of its own, started with
//! the client, watched over, and gone with it.
//!
//! They are told apart by their keys, which are in their folders; where they listen is only where they are found. Each
//! listens where it did last time, unless somebody else is there by now.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use vestibule_adapter_ucp::Merchant;
use vestibule_server::Embedded;

use super::introduce;

/// The program that each of them is, beside this one.
const PROGRAM: &str = "vestibule-commerce";
/// Where a merchant listened, in its folder.
const PORT: &str = "port";
/// From its start until it listens, on a slow machine that does much else.
const LISTENS: Duration = Duration::from_secs(20);
/// Pauses while whoever has its folder or its port may be the one of the client's last start, which is just ending.
const EARLIER: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900), Duration::from_millis(2_700)];
/// Before one that has ended is started again: doubled each time, up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// Whoever ran for so long has not failed to start.
const SETTLED: Duration = Duration::from_secs(60);
/// A merchant that is told to end has so long: it takes leave of whoever it speaks to, and what it answered is on the disk.
const FAREWELL: Duration = Duration::from_secs(10);
/// Bytes of what it said last: the line that says why it ended.
const LAST_WORDS: usize = 1_024;
/// News that nobody has read yet. More are not kept: they are of the same merchants.
const NEWS: usize = 32;

/// A merchant that comes with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ours {
    /// What it is, what it is called at the enabler, and the name of its folder.
    pub(super) role: &'static str,
    /// For people.
    pub(super) name: &'static str,
}

/// All of them.
pub(super) const OURS: [Ours; 3] = [
    Ours { role: "shop", name: "The shop" },
    Ours { role: "manufacturer", name: "The workshop" },
    Ours { role: "supplier", name: "The grocer" },
];

/// Something that the person should know of a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It does not run, and why. It is started again.
    Away(Ours, String),
    /// It runs again.
    Back(Ours),
}

/// How merchants are started.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// The program.
    pub(super) program: PathBuf,
    /// A folder with a folder for each.
    pub(super) folder: PathBuf,
    /// How many times faster than the real one the clock of their makers and carriers goes.
    pub(super) speed: u32,
}

impl Setup {
    /// With the program beside this one.
    pub(super) fn beside(folder: PathBuf, speed: u32) -> Self {
        let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
        let program = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|folder| folder.join(&name)));
        Self { program: program.unwrap_or_else(|| name.into()), folder, speed }
    }
}

/// Merchants that are watched over. Dropped, they end as with this program: whoever starts them again goes on.
pub(super) struct Merchants {
    folder: PathBuf,
    bound: Vec<Merchant>,
    keepers: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    news: mpsc::Receiver<News>,
}

impl Merchants {
    /// Starts them, inside a tokio runtime. Whoever does not listen by then is away, and started again later where it
    /// is expected.
    pub(super) async fn start(setup: &Setup, all: &[Ours]) -> Self {
        let (tell, news) = mpsc::channel(NEWS);
        let (stop, stopped) = watch::channel(false);
        let begun = all.iter().map(|ours| {
            let place = Place { setup: setup.clone(), ours: *ours };
            // Each in its own time: the slowest decides.
            tokio::spawn(async move {
                let begun = place.begin().await;
                (place, begun)
            })
        });
        let folder = setup.folder.clone();
        let mut merchants = Self { folder, bound: Vec::new(), keepers: Vec::new(), stop, news };
        for begun in begun.collect::<Vec<_>>() {
            let Ok((place, Begun { port, running })) = begun.await else { continue };
            let bound = format!("{}=http://127.0.0.1:{port}/.well-known/ucp", place.ours.role);
            merchants.bound.extend(bound.parse::<Merchant>().ok());
            let keeper = Keeper { place, port, tell: tell.clone(), stop: stopped.clone() };
            merchants.keepers.push(tokio::spawn(keeper.keep(running)));
        }
        merchants
    }

    /// Where they are found.
    pub(super) fn bound(&self) -> &[Merchant] {
        &self.bound
    }

    /// Tells them whose third-party systems they are.
    pub(super) async fn introduce(&self, enabler: &Embedded) {
        let names = self.bound.iter().map(|merchant| merchant.system.as_str());
        introduce::introduce(enabler, &self.folder, names).await;
    }

    /// What happened since the last time.
    pub(super) fn news(&mut self) -> Option<News> {
        self.news.try_recv().ok()
    }

    /// Ends them, each in order.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        for keeper in self.keepers {
            let _ = keeper.await;
        }
    }
}

/// Where a merchant lives.
#[derive(Clone, Debug)]
struct Place {
    setup: Setup,
    ours: Ours,
}

/// How the first start went.
struct Begun {
    /// Where it is found from now on.
    port: u16,
    running: Result<Running, String>,
}

/// A merchant that listens.
struct Running {
    child: Child,
    /// It ends when this does. Not left with the child: whoever waits for that one closes it first.
    stdin: Option<ChildStdin>,
    said: Said,
    /// Whoever writes to a pipe that nobody holds any more ends.
    _out: BufReader<ChildStdout>,
}

impl Place {
    fn folder(&self) -> PathBuf {
        self.setup.folder.join(self.ours.role)
    }

    /// The first start: where it was last time, or else anywhere.
    async fn begin(&self) -> Begun {
        introduce::forget(&self.folder());
        let mut why = "it was not started".to_owned();
        if let Some(port) = kept_port(&self.folder()) {
            for pause in EARLIER {
                match self.launch(port).await {
                    Ok((running, port)) => return Begun { port, running: Ok(running) },
                    Err(error) => why = error,
                }
                sleep(pause).await;
            }
            // Somebody has its folder, not its port: it is there that it is found later.
            if is_free(port) {
                return Begun { port, running: Err(why) };
            }
        }
        let (port, running) = match self.launch(0).await {
            Ok((running, port)) => (port, Ok(running)),
            Err(error) => (free_port(), Err(error)),
        };
        if let Err(error) = fs::write(self.folder().join(PORT), port.to_string()) {
            tracing::debug!(%error, role = self.ours.role, "it listens elsewhere next time");
        }
        Begun { port, running }
    }

    /// Starts the program; done when it listens, and where.
    async fn launch(&self, port: u16) -> Result<(Running, u16), String> {
        let folder = self.folder();
        let mut command = Command::new(&self.setup.program);
        command.arg(self.ours.role).args(["--until-stdin-ends", "--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--speed", &self.setup.speed.to_string(), "--data"]).arg(&folder);
        command.arg("--enabler-file").arg(folder.join(introduce::FILE));
        // What lets others change prices is for tests of platforms.
        command.env_remove("VESTIBULE_COMMERCE_SIMULATION");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // A key that ends the client in a terminal ends the client: merchants end with it, before the enabler.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| missing(&self.setup.program, &error))?;
        let stdin = child.stdin.take();
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("nobody hears what it says".to_owned());
        };
        let said = Said::default();
        let hearing = tokio::spawn(said.clone().hear(err));
        let (mut out, mut line) = (BufReader::new(out), String::new());
        let first = timeout(LISTENS, out.read_line(&mut line)).await;
        let at = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        if let (Ok(Ok(_)), Some(at)) = (first, at) {
            return Ok((Running { child, stdin, said, _out: out }, at));
        }
        let _ = child.start_kill();
        let _ = child.wait().await;
        let _ = hearing.await;
        Err(said.last().unwrap_or_else(|| "it says nothing".to_owned()))
    }
}

/// Watches over a merchant.
struct Keeper {
    place: Place,
    port: u16,
    tell: mpsc::Sender<News>,
    stop: watch::Receiver<bool>,
}

impl Keeper {
    async fn keep(mut self, mut running: Result<Running, String>) {
        let mut pause = PAUSES.0;
        let mut told: Option<String> = None;
        loop {
            let why = match running {
                Ok(running) => {
                    if told.take().is_some() {
                        self.tell(News::Back(self.place.ours));
                    }
                    let since = Instant::now();
                    let Some(why) = self.watch(running).await else { return };
                    if since.elapsed() >= SETTLED {
                        pause = PAUSES.0;
                    }
                    why
                }
                Err(why) => why,
            };
            // The same once more is no news.
            if told.as_ref() != Some(&why) {
                tracing::warn!(role = self.place.ours.role, why, "a merchant does not run; it is started again");
                self.tell(News::Away(self.place.ours, why.clone()));
                told = Some(why);
            }
            let again = async {
                sleep(pause).await;
                // The enabler knows it there and nowhere else.
                self.place.launch(self.port).await.map(|(running, _)| running)
            };
            let mut stop = self.stop.clone();
            running = tokio::select! {
                running = again => running,
                () = stopped(&mut stop) => return,
            };
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Why it has ended; `None`: it was to.
    async fn watch(&mut self, mut running: Running) -> Option<String> {
        tokio::select! {
            ended = running.child.wait() => {
                let ended = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                Some(running.said.last().map_or_else(|| ended.clone(), |words| format!("{ended}: {words}")))
            }
            () = stopped(&mut self.stop) => {
                // Its standard input ends, and it with it.
                drop(running.stdin.take());
                if timeout(FAREWELL, running.child.wait()).await.is_err() {
                    let _ = running.child.kill().await;
                }
                None
            }
        }
    }

    fn tell(&self, news: News) {
        // Nobody reads the news where nobody draws.
        let _ = self.tell.try_send(news);
    }
}

/// Merchants shall end, or nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a merchant said last on its standard error.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    /// Passes it on to this program's, and remembers the end of it.
    async fn hear(self, mut from: impl tokio::io::AsyncRead + Unpin) {
        let mut piece = [0; 1_024];
        while let Ok(count @ 1..) = from.read(&mut piece).await {
            let piece = piece.get(..count).unwrap_or_default();
            let _ = io::Write::write_all(&mut io::stderr(), piece);
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            last.extend_from_slice(piece);
            let old = last.len().saturating_sub(LAST_WORDS);
            last.drain(..old);
        }
    }

    /// Why it ended, in its own words, or else its last line.
    fn last(&self) -> Option<String> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&last).into_owned();
        let lines = || text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
        let why = lines().find_map(|line| line.strip_prefix("vestibule-commerce: "));
        why.or_else(|| lines().next()).map(str::to_owned)
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({:?})", self.last())
    }
}

fn missing(program: &Path, error: &io::Error) -> String {
    format!("{} cannot be started: {error}", program.display())
}

/// Where the merchant of this folder listened.
fn kept_port(folder: &Path) -> Option<u16> {
    fs::read_to_string(folder.join(PORT)).ok()?.trim().parse().ok().filter(|port| *port > 0)
}

fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// A port for a merchant that cannot be started now: it is expected there later. Port 9 answers nobody.
fn free_port() -> u16 {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    free.map_or(9, |address| address.port())
}

#[cfg(test)]
mod tests;
