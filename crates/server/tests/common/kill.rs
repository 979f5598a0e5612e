//! `kill -9` of a real enabler at random moments, while several clients write; what must hold after each.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::sleep;
use vestibule_model::*;
use vestibule_protocol::{Party, Response};
use vestibule_quic::{Fingerprint, Identity, pair};

use crate::common::{FakeSystem, Peer, lamp_id, turn_on};

/// People who press at the same time.
const PEOPLE: usize = 4;
/// How long something may take that takes a moment, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(180);
/// How likely a person presses within some milliseconds: at most so much while a round lasts, and so much just before the
/// kill. An enabler remembers some thousand commands for some minutes and refuses more: who presses faster over many
/// rounds only sees refusals, and kills an enabler that does nothing.
const CALM: f64 = 0.05;
const EAGER: f64 = 0.7;
/// Just before the kill, in milliseconds at the most.
const BURST: u64 = 12;
/// A run with fewer acknowledged commands, or fewer executed ones, says nothing: the last round goes on until there are.
const ENOUGH: (usize, usize) = (50, 20);

/// What was done and found.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "the test and the command show different parts")]
pub struct Found {
    pub kills: usize,
    pub sent: u64,
    pub acknowledged: usize,
    pub executed: usize,
    pub lines: u64,
    /// Kills before which something had been acknowledged since the one before.
    pub busy: usize,
    pub snapshots: usize,
}

struct Enabler {
    child: Child,
    address: SocketAddr,
    fingerprint: Fingerprint,
}

impl Enabler {
    fn spawn(program: &Path, data: &Path, quic: &str) -> Child {
        let mut command = Command::new(program);
        for name in ["VESTIBULE_DATA", "VESTIBULE_QUIC", "VESTIBULE_MQTT", "VESTIBULE_NAME", "RUST_LOG"] {
            command.env_remove(name);
        }
        // Snapshots come often, so that kills meet them as well.
        command.args(["serve", "--snapshot-every", "40", "--quic", quic, "--data"]).arg(data);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts")
    }

    fn start(program: &Path, data: &Path, quic: &str) -> Self {
        let mut child = Self::spawn(program, data, quic);
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let mut words = line.split_whitespace();
        let (address, fingerprint) = words.nth(2).zip(words.nth(1)).expect("it says where it listens");
        Self { address: address.parse().expect("an address"), fingerprint: fingerprint.parse().expect("a hash"), child }
    }

    fn kill(&mut self) {
        // SIGKILL: no handler runs.
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Enabler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Scene {
    program: PathBuf,
    data: PathBuf,
    people: Vec<Peer>,
    system: FakeSystem,
    acknowledged: HashSet<CommandId>,
    unchecked: Vec<CommandId>,
    busy: usize,
    logged: HashSet<String>,
    last: u64,
    sent: u64,
}

impl Scene {
    fn tool(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(&self.program).args(arguments).arg("--data").arg(&self.data).output().expect("it runs");
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {error}");
        out.into_owned()
    }

    fn pump(&mut self) {
        self.system.pump();
        for person in &mut self.people {
            person.pump();
            let (acknowledged, unchecked) = (&mut self.acknowledged, &mut self.unchecked);
            person.answers.retain(|_, answer| match answer {
                Ok(Response::Command(update)) => {
                    if acknowledged.insert(update.command) {
                        unchecked.push(update.command);
                    }
                    false
                }
                Err(refusal) => {
                    assert_ne!(
                        refusal.code,
                        RefusalCode::Overloaded,
                        "this run asks for more than is taken: {refusal}"
                    );
                    false
                }
                Ok(_) => false,
            });
        }
    }

    async fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            self.pump();
            sleep(Duration::from_millis(3)).await;
        }
    }

    async fn press(&mut self, rng: &mut StdRng, likely: f64, lasts: Duration) {
        let start = Instant::now();
        while start.elapsed() < lasts {
            self.press_once(rng, likely).await;
        }
    }

    async fn press_once(&mut self, rng: &mut StdRng, likely: f64) {
        for index in 0..self.people.len() {
            if rng.random_bool(likely) {
                self.sent += 1;
                let mut id = [0; 16];
                id[..8].copy_from_slice(&self.sent.to_le_bytes());
                let ms = self.people[index].ms();
                self.people[index].session.actuate(turn_on(id), ms);
            }
        }
        self.pump();
        sleep(Duration::from_millis(3)).await;
    }

    /// Presses until this run says something.
    async fn press_enough(&mut self, rng: &mut StdRng) {
        let start = Instant::now();
        while self.acknowledged.len() <= ENOUGH.0 || self.system.executed.len() <= ENOUGH.1 || self.snapshots() == 0 {
            assert!(start.elapsed() < PATIENCE, "too little happens within {PATIENCE:?}");
            self.press_once(rng, CALM).await;
        }
    }

    fn snapshots(&self) -> usize {
        let files = std::fs::read_dir(self.data.join("snapshots")).into_iter().flatten().flatten();
        files.filter(|file| file.path().extension().is_some_and(|ending| ending == "snapshot")).count()
    }

    /// With the enabler dead: the chain is whole, and everything that was acknowledged or executed is in it.
    fn check(&mut self, kill: usize) {
        self.pump();
        self.busy += usize::from(!self.unchecked.is_empty());
        self.tool(&["log", "--verify"]);
        for line in self.tool(&["log", "--kind", "command_accepted", "--after", &self.last.to_string()]).lines() {
            let number = line.split_whitespace().next().and_then(|number| number.parse().ok());
            self.last = number.expect("a line begins with its number");
            let id =
                line.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a command has an id");
            assert!(self.logged.insert(id.to_owned()), "kill {kill}: {id} was accepted twice");
        }
        for id in std::mem::take(&mut self.unchecked) {
            assert!(self.logged.contains(&id.to_string()), "kill {kill}: {id} was acknowledged and is lost");
        }
        for (id, times) in &self.system.executed {
            assert_eq!(*times, 1, "kill {kill}: {id} was executed {times} times");
            assert!(self.logged.contains(&id.to_string()), "kill {kill}: {id} was executed and never written down");
        }
    }
}

async fn join(program: &Path, data: &Path, enabler: &Enabler, role: &str, name: &str) -> Identity {
    let output = Command::new(program).args(["pair", "--role", role, "--data"]).arg(data).output().expect("it runs");
    let code = String::from_utf8_lossy(&output.stdout).lines().next().expect("a code").to_owned();
    let identity = Identity::generate().expect("a key");
    pair(&enabler.address.to_string(), &identity, &code, name).await.expect("paired");
    identity
}

/// Kills `kills` times; panics, with the number of the kill, where something does not hold.
pub async fn run(program: &Path, data: &Path, kills: usize, seed: u64) -> Found {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut enabler = Enabler::start(program, data, "127.0.0.1:0");
    let (address, server) = (enabler.address, enabler.fingerprint);
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let me = join(program, data, &enabler, "owner", &format!("person-{number}")).await;
        people.push(Peer::new(address, server, &me, Party::Metaverse));
    }
    let bench = join(program, data, &enabler, "twin_system", "bench").await;
    let mut scene = Scene {
        program: program.to_owned(),
        data: data.to_owned(),
        people,
        system: FakeSystem::new(address, server, &bench),
        acknowledged: HashSet::new(),
        unchecked: Vec::new(),
        busy: 0,
        logged: HashSet::new(),
        last: 0,
        sent: 0,
    };
    for kill in 1..=kills {
        let before: Vec<usize> = scene.people.iter().map(|person| person.connected).collect();
        if kill == 1 || rng.random_bool(0.8) {
            scene
                .until("everybody is connected and sees the lamp", |scene| {
                    scene.people.iter().zip(&before).all(|(person, before)| {
                        (kill == 1 || person.connected > *before) && person.twins.contains_key(&lamp_id())
                    })
                })
                .await;
        }
        let (likely, lasts) = (rng.random_range(0.0..CALM), Duration::from_millis(rng.random_range(5..500)));
        scene.press(&mut rng, likely, lasts).await;
        let burst = Duration::from_millis(rng.random_range(0..BURST));
        scene.press(&mut rng, EAGER, burst).await;
        enabler.kill();
        scene.check(kill);
        if kill % 50 == 0 {
            println!("{kill} kills, {} acknowledged, line {}", scene.acknowledged.len(), scene.last);
        }
        // Sometimes it does not even come up.
        if rng.random_bool(0.2) {
            let mut child = Enabler::spawn(program, data, &address.to_string());
            sleep(Duration::from_millis(rng.random_range(0..120))).await;
            child.kill().expect("killed");
            child.wait().expect("ended");
            scene.check(kill);
        }
        enabler = Enabler::start(program, data, &address.to_string());
    }
    // What had no answer is asked again by its sender, and decided one way or the other; never executed twice.
    scene.press(&mut rng, CALM, Duration::from_millis(1_500)).await;
    scene.press_enough(&mut rng).await;
    enabler.kill();
    scene.check(kills + 1);
    let snapshots = scene.snapshots();
    let (acknowledged, executed) = (scene.acknowledged.len(), scene.system.executed.len());
    // Of short rounds, and of those that do not wait until somebody is connected, many see nothing.
    assert!(scene.busy * 3 >= kills, "only {} of {kills} kills met an enabler that did something", scene.busy);
    Found { kills: kills + 1, sent: scene.sent, acknowledged, executed, lines: scene.last, busy: scene.busy, snapshots }
}
