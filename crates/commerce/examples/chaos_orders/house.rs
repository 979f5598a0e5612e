//! The processes, and the networks between them.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rand::{Rng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use vestibule_fabricate::{Budget, Evaluator, Start, export::write_3mf};

use crate::{
    ask::{Answer, Enabler},
    buyer::Orders,
    proxy::{Behind, Fault, Proxy},
};

/// Times faster than the real one: an order is at the door within seconds.
const SPEED: &str = "20000";
const SECRET: &str = "only this run knows";
/// What is on the shelf, and how much of it: of the last one too little for everybody.
pub const SHELF: [(&str, u32); 4] =
    [("bulb_7w", 100_000), ("desk_lamp_white", 100_000), ("wall_plugs_20", 100_000), ("cutting_board_40", 12)];

/// Purchases without which a run says nothing.
const ENOUGH: usize = 4;
/// How long that may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(180);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Enabler,
    Shop,
    Workshop,
    Buyer,
}

impl Victim {
    pub const ALL: [Self; 4] = [Self::Enabler, Self::Shop, Self::Workshop, Self::Buyer];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabler => "enabler",
            Self::Shop => "shop",
            Self::Workshop => "manufacturer",
            Self::Buyer => "buyer",
        }
    }

    pub fn thrown(dice: &mut StdRng) -> Self {
        match dice.random_range(0..10) {
            0..=2 => Self::Enabler,
            3..=5 => Self::Shop,
            6..=7 => Self::Workshop,
            _ => Self::Buyer,
        }
    }
}

/// A process that is killed when it is dropped.
struct Program(Child);

impl Program {
    /// Starts it; gives what its first lines say, `lines` of them.
    fn start(mut command: Command, log: &Path, lines: usize) -> (Self, Vec<String>) {
        for name in
            ["VESTIBULE_DATA", "VESTIBULE_QUIC", "VESTIBULE_HTTP", "VESTIBULE_HTTPS", "VESTIBULE_MQTT", "VESTIBULE_UCP"]
        {
            command.env_remove(name);
        }
        let log = OpenOptions::new().create(true).append(true).open(log).expect("a log");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut said = Vec::new();
        for _ in 0..lines {
            let mut line = String::new();
            out.read_line(&mut line).expect("a line");
            said.push(line.trim().to_owned());
        }
        (Self(child), said)
    }

    fn kill(&mut self) {
        // SIGKILL: no handler runs.
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn address(line: &str) -> SocketAddr {
    let url = line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("it says where it listens: {line:?}"));
    url.parse().expect("an address")
}

/// A merchant's role, its folder's name, and its code.
struct Merchant {
    role: &'static str,
    name: &'static str,
    code: String,
    proxy: Proxy,
    /// Where it really is.
    at: Option<SocketAddr>,
    program: Option<Program>,
}

pub struct House {
    programs: PathBuf,
    folder: PathBuf,
    front: Proxy,
    enabler_at: SocketAddr,
    enabler: Option<Program>,
    merchants: [Merchant; 2],
    orders: Orders,
    buyer: Option<Program>,
}

impl House {
    /// Everybody is there and knows one another: so many users, two merchants.
    pub async fn open(programs: &Path, folder: &Path, seed: u64, users: usize) -> Self {
        let front = Proxy::open(Behind::Enabler, seed ^ 1).await;
        let merchant = |role, name, proxy| Merchant { role, name, code: String::new(), proxy, at: None, program: None };
        let merchants = [
            merchant("shop", "shop", Proxy::open(Behind::Merchant, seed ^ 2).await),
            merchant("manufacturer", "workshop", Proxy::open(Behind::Merchant, seed ^ 3).await),
        ];
        let orders = Orders {
            enabler: front.url(),
            tokens: Vec::new(),
            journal: folder.join("buyer.jsonl"),
            persons: Vec::new(),
            package: String::new(),
            design: String::new(),
            seed,
            only_settles: false,
        };
        let nowhere = front.address;
        let mut house = Self {
            programs: programs.to_owned(),
            folder: folder.to_owned(),
            front,
            enabler_at: nowhere,
            enabler: None,
            merchants,
            orders,
            buyer: None,
        };
        std::fs::create_dir_all(folder).expect("a folder");
        house.start_enabler();
        for _ in 0..users {
            let token = house.pair("owner").await;
            house.orders.tokens.push(token);
        }
        for at in 0..house.merchants.len() {
            house.merchants[at].code = house.code("third_party");
            house.start_merchant(at);
            house.agree(house.merchants[at].name).await;
        }
        house.furnish().await;
        house.go_on();
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn start_enabler(&mut self) {
        let mut command = Command::new(self.programs.join("vestibule-enabler"));
        // Snapshots come often, so that kills meet them as well.
        command.args(["serve", "--snapshot-every", "200", "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"]);
        command.arg(self.path("enabler")).args(["--ucp-platform", &self.front.url()]);
        for merchant in &self.merchants {
            command.arg("--ucp").arg(format!("{}={}/.well-known/ucp", merchant.name, merchant.proxy.url()));
        }
        let (program, said) = Program::start(command, &self.path("enabler.log"), 2);
        self.enabler_at = address(&said[1]);
        self.front.lead_to(Some(self.enabler_at));
        self.enabler = Some(program);
    }

    fn start_merchant(&mut self, at: usize) {
        let front = self.front.url();
        let merchant = &self.merchants[at];
        let mut command = Command::new(self.programs.join("vestibule-commerce"));
        command.args([
            merchant.role,
            "--until-stdin-ends",
            "--no-slicer",
            "--speed",
            SPEED,
            "--simulation-secret",
            SECRET,
        ]);
        command.args(["--url", &merchant.proxy.url(), "--enabler", &front, "--code", &merchant.code]);
        command.args(["--system", merchant.name, "--data"]).arg(self.path(merchant.name));
        let log = self.path(&format!("{}.log", merchant.name));
        let (program, listens) = loop {
            // Where others reach it is what it says; where it listens is told apart.
            let port = free();
            let mut again = Command::new(command.get_program());
            again.args(command.get_args()).args(["--listen", &format!("127.0.0.1:{port}")]);
            let (program, said) = Program::start(again, &log, 1);
            // Somebody else may have taken the port meanwhile.
            if said[0].starts_with("listening on") {
                break (program, SocketAddr::from(([127, 0, 0, 1], port)));
            }
        };
        let merchant = &mut self.merchants[at];
        merchant.proxy.lead_to(Some(listens));
        (merchant.at, merchant.program) = (Some(listens), Some(program));
    }

    fn start_buyer(&mut self) {
        // Whoever begins anew wants other things.
        self.orders.seed = self.orders.seed.wrapping_add(1);
        let file = self.path("orders.json");
        std::fs::write(&file, serde_json::to_vec(&self.orders).expect("orders")).expect("written");
        let mut command = Command::new(std::env::current_exe().expect("a program"));
        command.arg("--buyer").arg(file);
        self.buyer = Some(Program::start(command, &self.path("buyer.log"), 0).0);
    }

    fn tool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.programs.join("vestibule-enabler"));
        let output = command.args(arguments).arg("--data").arg(self.path("enabler")).output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn code(&self, role: &str) -> String {
        let said = self.tool(&["pair", "--role", role]);
        said.split_whitespace().next().expect("six digits").to_owned()
    }

    async fn pair(&self, role: &str) -> String {
        let asked = json!({"code": self.code(role), "name": "buyer"});
        let paired = Enabler::new(self.front.url(), "").surely(Method::POST, "/v1/pairing", None, Some(&asked)).await;
        paired.expect("paired")["token"].as_str().expect("a token").to_owned()
    }

    /// The enabler itself, as each user asks it, without a network that does its worst.
    pub fn enablers(&self) -> impl Iterator<Item = Enabler> {
        self.orders.tokens.iter().map(|token| Enabler::new(format!("http://{}", self.enabler_at), token))
    }

    async fn agree(&self, merchant: &str) {
        let year = vestibule_commerce::Clock::default().now().plus(30 * 24 * 3_600_000);
        let own = if merchant == "workshop" { "quote" } else { "search" };
        let services = ["checkout", "look_checkout", "cancel_checkout", own];
        let wanted = json!({"services": services, "until": year});
        let path = format!("/v1/authorizations/{merchant}");
        for enabler in self.enablers() {
            let start = std::time::Instant::now();
            // It has to register first.
            while !matches!(enabler.ask(Method::PUT, &path, None, Some(&wanted)).await, Answer::Done(_)) {
                assert!(start.elapsed() < PATIENCE, "{merchant} does not register within {PATIENCE:?}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// What is bought, and who buys it.
    async fn furnish(&mut self) {
        let design = Start::Hook.design();
        let solids = Evaluator::new().evaluate(&design, &Budget::default()).expect("a hook");
        let mut package = Vec::new();
        write_3mf(&solids, &design, &mut package).expect("a package");
        let enablers: Vec<Enabler> = self.enablers().collect();
        for (number, enabler) in enablers.iter().enumerate() {
            let person = json!({"salt": format!("{number:064x}"), "buyer": {"first_name": "Ada", "email": "ada@example.com"},
                "destination": {"street_address": "12 Example Street", "postal_code": "12345", "first_name": "Ada",
                    "address_locality": "Sample Town", "address_country": "DE", "last_name": "Owner"}});
            let media = "application/vnd.vestibule.person+json";
            self.orders.persons.push(enabler.give(person.to_string().as_bytes(), media).await);
        }
        self.orders.package = enablers[0].give(&package, "model/3mf").await;
        self.orders.design = design.hash().expect("a hash").0.to_string();
        for (item, left) in SHELF {
            assert!(self.stage(&json!({"item": item, "left": left})).await, "{item} is on the shelf");
        }
    }

    /// Has the shop change something; `false` where it does not answer.
    async fn stage(&self, staged: &Value) -> bool {
        let Some(at) = self.merchants[0].at else { return false };
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
        let request = client.post(format!("http://{at}/simulation")).header("simulation-secret", SECRET);
        request.body(staged.to_string()).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Something costs something else from now on, whatever people have seen.
    pub async fn change_a_price(&self, dice: &mut StdRng) {
        let (item, _) = SHELF[dice.random_range(0..SHELF.len())];
        self.stage(&json!({"item": item, "price": dice.random_range(100..9_000)})).await;
    }

    /// Kills somebody, and starts them again.
    pub async fn kill(&mut self, which: Victim) {
        match which {
            Victim::Enabler => {
                self.enabler.take().expect("it runs").kill();
                self.front.lead_to(None);
                self.start_enabler();
            }
            Victim::Shop | Victim::Workshop => {
                let at = usize::from(which == Victim::Workshop);
                self.merchants[at].program.take().expect("it runs").kill();
                self.merchants[at].proxy.lead_to(None);
                self.start_merchant(at);
            }
            Victim::Buyer => {
                self.stop_buyer();
                self.start_buyer();
            }
        }
    }

    fn stop_buyer(&mut self) {
        let mut buyer = self.buyer.take().expect("somebody buys");
        let ended = buyer.0.try_wait().expect("a process");
        assert!(ended.is_none(), "the buyer has ended by itself ({ended:?}): buyer.log says why");
        buyer.kill();
    }

    /// People buy, and the networks do their worst.
    pub fn go_on(&mut self) {
        self.proxies().for_each(|proxy| proxy.be_bad(true));
        self.orders.only_settles = false;
        self.start_buyer();
    }

    /// Waits until people have bought something.
    pub async fn enough(&self) {
        let start = std::time::Instant::now();
        let is_bought = |purchase: &crate::books::Purchase| purchase.is_acknowledged && !purchase.is_taken_back;
        while crate::books::read(self.journal()).values().filter(|one| is_bought(one)).count() < ENOUGH {
            assert!(start.elapsed() < PATIENCE, "people buy nothing within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Nobody buys any more, and the networks are good.
    pub fn rest(&mut self) {
        self.proxies().for_each(|proxy| proxy.be_bad(false));
        self.stop_buyer();
        self.orders.only_settles = true;
        self.start_buyer();
        let ended = self.buyer.take().expect("the last one").0.wait().expect("a process");
        assert!(ended.success(), "what was wanted was asked for: buyer.log says why not");
    }

    fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.merchants.iter().map(|merchant| &merchant.proxy).chain([&self.front])
    }

    /// The merchants' names and folders.
    pub fn merchants(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        self.merchants.iter().map(|merchant| (merchant.name, self.path(merchant.name)))
    }

    pub fn journal(&self) -> &Path {
        &self.orders.journal
    }

    /// Whether the enabler's log is as it was written.
    pub fn verify_log(&self) {
        self.tool(&["log", "--verify"]);
    }

    pub fn believed(&self) -> u32 {
        self.front.believed()
    }

    /// What the networks did.
    pub fn mischief(&self) -> String {
        let mut sum: BTreeMap<Fault, u32> = BTreeMap::new();
        self.proxies().for_each(|proxy| proxy.add_to(&mut sum));
        let words: Vec<String> = sum.iter().map(|(fault, count)| format!("{count} {fault}")).collect();
        words.join(", ")
    }
}

/// A port that nobody has.
fn free() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
