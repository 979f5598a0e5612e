//! A metaverse system's end of a real enabler process, over QUIC.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use vestibule_model::{
    ActionId, Command as Wish, CommandId, CommandStatus, FeatureId, PropertyId, Refusal, Timestamp, TwinId, Value,
};
use vestibule_protocol::{
    ClientConfig, ClientSession, Interest, Link, News, Party, Request, Response, TwinView, WireReading,
};
use vestibule_quic::{Fingerprint, Identity, LinkConfig, QuicLink, pair};

use crate::process::{Running, free_udp_port, program, run, words};

/// Idempotency keys, of all users of this process.
static KEYS: AtomicU8 = AtomicU8::new(1);

/// An enabler process.
pub struct Enabler {
    /// Where it listens.
    pub address: String,
    /// Its data.
    pub data: TempDir,
    more: Vec<String>,
    running: Option<Running>,
}

impl Enabler {
    /// Starts one with these further flags.
    pub fn start(more: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", free_udp_port());
        let more = more.iter().map(|flag| (*flag).to_owned()).collect();
        let mut enabler = Self { address, data: tempfile::tempdir().unwrap(), more, running: None };
        enabler.resume();
        enabler
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = program("vestibule-enabler");
        command.arg(verb).arg("--data").arg(self.data.path());
        command
    }

    /// Starts it again after [`kill`](Self::kill).
    pub fn resume(&mut self) {
        let mut command = self.command("serve");
        let mut running = Running::start(command.args(["--quic", &self.address]).args(&self.more));
        running.until(&self.address, Duration::from_secs(20));
        self.running = Some(running);
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.running.as_mut().unwrap().kill();
    }

    /// Six digits for this role.
    pub fn code(&self, role: &str) -> String {
        let output = run(self.command("pair").args(["--role", role]), Duration::from_secs(10));
        let said = words(&output);
        let digits = said.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6);
        digits.unwrap_or_else(|| panic!("no code in {said:?}")).to_owned()
    }

    /// What `log --verify` says.
    pub fn verify(&self) -> String {
        let output = run(self.command("log").arg("--verify"), Duration::from_secs(20));
        assert!(output.status.success(), "{}", words(&output));
        words(&output)
    }

    /// A paired user with this role.
    pub fn user(&self, role: &str) -> User {
        let runtime = Runtime::new().unwrap();
        let identity = Identity::generate().unwrap();
        let paired = runtime.block_on(pair(&self.address, &identity, &self.code(role), "a test")).unwrap();
        User::connect(runtime, &self.address, paired.server, identity)
    }
}

/// A user with a session.
pub struct User {
    /// Its threads carry the link.
    _runtime: Runtime,
    link: QuicLink,
    session: ClientSession,
    began: Instant,
    /// Everything that was learned.
    pub news: Vec<News>,
}

impl User {
    /// A session of somebody who is known there.
    pub fn connect(runtime: Runtime, target: &str, server: Fingerprint, identity: Identity) -> Self {
        let config = LinkConfig { target: target.to_owned(), server, identity, wake: None };
        let link = QuicLink::spawn(runtime.handle(), config);
        let software = "e2e".to_owned();
        let session = ClientSession::new(ClientConfig { party: Party::Metaverse, interest: Interest::All, software });
        Self { _runtime: runtime, link, session, began: Instant::now(), news: Vec::new() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    /// Lets the session live until `found` says so, or the time is over.
    pub fn until<T>(&mut self, what: &str, limit: Duration, mut found: impl FnMut(&News) -> Option<T>) -> T {
        let end = Instant::now() + limit;
        let mut read = 0;
        loop {
            let now = self.now();
            self.session.tick(now);
            while let Some(event) = self.link.poll() {
                self.session.handle(event, now);
            }
            while let Some(command) = self.session.poll_link() {
                if self.link.send(command.clone()).is_err() {
                    self.session.unsend(command);
                    break;
                }
            }
            self.news.extend(std::iter::from_fn(|| self.session.poll_news()));
            for news in &self.news[read..] {
                if let Some(result) = found(news) {
                    return result;
                }
            }
            read = self.news.len();
            assert!(Instant::now() < end, "{what} did not come within {limit:?}: {:#?}", self.news);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for a twin whose description holds.
    pub fn twin(&mut self, id: &str, holds: impl Fn(&TwinView) -> bool) -> TwinView {
        self.until(&format!("the twin {id}"), Duration::from_secs(30), |news| match news {
            News::Twin(view) if view.info.id.as_str() == id && holds(view) => Some((**view).clone()),
            _ => None,
        })
    }

    /// Waits for a reading, as a twin comes or changes.
    pub fn reading(&mut self, twin: &str, property: &str, holds: impl Fn(&WireReading) -> bool) {
        let (feature, name) = property.split_once('.').unwrap();
        let (feature, name) = (FeatureId::slug(feature), PropertyId::slug(name));
        self.until(&format!("{twin} {property}"), Duration::from_secs(30), |news| match news {
            News::Readings { twin: id, changed } if id.as_str() == twin => {
                changed.iter().any(|(f, p, reading)| *f == feature && *p == name && holds(reading)).then_some(())
            }
            News::Twin(view) if view.info.id.as_str() == twin => {
                let index = view.info.properties().position(|(f, p, _)| *f == feature && *p == name)?;
                holds(&view.readings[index]).then_some(())
            }
            _ => None,
        });
    }

    /// Asks for something physical; the answer.
    pub fn actuate(
        &mut self,
        twin: &str,
        feature: &str,
        action: &str,
        input: Option<Value>,
        valid_ms: u64,
    ) -> Result<CommandId, Refusal> {
        let now = self.now();
        let wish = Wish {
            id: CommandId([KEYS.fetch_add(1, Ordering::Relaxed); 16]),
            twin: TwinId::new(twin).unwrap(),
            feature: FeatureId::slug(feature),
            action: ActionId::slug(action),
            input,
            expected_revision: None,
            not_after: Timestamp(self.session.enabler_time(now).0 + valid_ms),
            trace: None,
            lease: None,
        };
        let id = wish.id;
        let asked = self.session.actuate(wish, now);
        self.answer(asked).map(|_| id)
    }

    /// Asks the enabler.
    pub fn ask(&mut self, request: Request) -> Result<Response, Refusal> {
        let now = self.now();
        let asked = self.session.request(request, now);
        self.answer(asked)
    }

    /// Asks the enabler, and does not wait for what it says.
    pub fn send(&mut self, request: Request) {
        let now = self.now();
        self.session.request(request, now);
        while let Some(command) = self.session.poll_link() {
            self.link.send(command).unwrap();
        }
    }

    fn answer(&mut self, asked: u64) -> Result<Response, Refusal> {
        self.until("an answer", Duration::from_secs(15), |news| match news {
            News::Answer { id, answer } if *id == asked => Some(answer.clone().map(|response| *response)),
            _ => None,
        })
    }

    /// Waits for a command's end.
    pub fn end(&mut self, command: CommandId) -> CommandStatus {
        self.until("a command's end", Duration::from_secs(30), |news| match news {
            News::Command(update) if update.command == command && update.status.is_final() => {
                Some(update.status.clone())
            }
            News::Answer { answer: Ok(response), .. } => match &**response {
                Response::Command(update) if update.command == command && update.status.is_final() => {
                    Some(update.status.clone())
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// Forgets what was learned, so that only what comes now counts.
    pub fn forget(&mut self) {
        self.news.clear();
    }
}

/// A data folder that is no folder.
#[test]
fn a_data_folder_that_cannot_be_is_named() {
    let output = run(
        program("vestibule-enabler").args(["serve", "--data", "/proc/nowhere", "--quic", "127.0.0.1:0"]),
        Duration::from_secs(10),
    );
    let said = words(&output);
    assert!(!output.status.success() && said.contains("/proc/nowhere"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = Enabler::start(&[]);
    let other = tempfile::tempdir().unwrap();
    let second = |data: &Path| {
        let mut command = program("vestibule-enabler");
        command.arg("serve").arg("--data").arg(data).args(["--quic", &first.address]);
        words(&run(&mut command, Duration::from_secs(10)))
    };
    let said = second(other.path());
    assert!(said.contains(&first.address), "{said}");
    let said = second(first.data.path());
    assert!(said.contains("another") || said.contains("already"), "two enablers on one folder: {said}");
}
