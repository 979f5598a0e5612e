//! Programs that end with the test that started them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Whether `cargo xtask test --without NAME` was asked for; says so.
pub fn without(name: &str) -> bool {
    let left_out = std::env::var("VESTIBULE_WITHOUT").unwrap_or_default();
    let yes = left_out.split(',').any(|left| left == name);
    if yes {
        eprintln!("left out on request: {name}");
    }
    yes
}

/// A program of this workspace.
pub fn program(name: &str) -> Command {
    let folder = std::env::var_os("VESTIBULE_BIN_DIR").map(PathBuf::from).unwrap_or_else(|| {
        let test = std::env::current_exe().unwrap();
        test.parent().and_then(Path::parent).unwrap().to_owned()
    });
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not built: run `cargo build --workspace --bins` first", path.display());
    Command::new(path)
}

/// A program of somebody else: where the environment says, or wherever the system has it.
pub fn peer(variable: &str, name: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| name.into()))
}

/// A running program; killed when dropped.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// What it has said so far.
    pub said: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a program and listens to both of its outputs.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let (send, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let send = send.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = send.send(line);
                }
            });
        }
        Self { child, lines, said: Vec::new() }
    }

    /// Waits for a line that contains `words`.
    pub fn until(&mut self, words: &str, limit: Duration) -> String {
        if self.hears(words, limit)
            && let Some(line) = self.said.last()
        {
            return line.clone();
        }
        panic!("{words:?} was not said within {limit:?}. Said:\n{}", self.said.join("\n"));
    }

    /// Whether a line that contains `words` comes in time.
    pub fn hears(&mut self, words: &str, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.said.push(line.clone());
            if line.contains(words) {
                return true;
            }
        }
        false
    }

    /// Its number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has said by now.
    pub fn heard(&mut self) -> &[String] {
        self.said.extend(self.lines.try_iter());
        &self.said
    }

    /// Types a line.
    pub fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs a program to its end; kills it after `limit`.
pub fn run(command: &mut Command, limit: Duration) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let id = child.id();
    let (send, done) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    match done.recv_timeout(limit) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            let output = done.recv().unwrap().unwrap();
            panic!("{command:?} took longer than {limit:?}:\n{}", words(&output));
        }
    }
}

/// Both outputs as text.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A TCP port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A UDP port that was free a moment ago.
pub fn free_udp_port() -> u16 {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A mosquitto on a free port.
pub struct Mosquitto {
    /// Where it listens.
    pub port: u16,
    running: Option<Running>,
    folder: tempfile::TempDir,
}

impl Mosquitto {
    /// Starts one; with `user` and password only who gives them gets in.
    pub fn start(user: Option<(&str, &str)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut config = format!("listener {port} 127.0.0.1\npersistence false\n");
        if let Some((user, password)) = user {
            let file = folder.path().join("passwords");
            let mut command = peer("VESTIBULE_MOSQUITTO_PASSWD", "mosquitto_passwd");
            let made = run(command.arg("-c").arg("-b").arg(&file).args([user, password]), Duration::from_secs(10));
            assert!(made.status.success(), "{}", words(&made));
            // A mosquitto that was started by root gives root up and must still read this.
            std::os::unix::fs::chown(&file, None, None).unwrap();
            let mut rights = std::fs::metadata(&file).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o644);
            std::fs::set_permissions(&file, rights).unwrap();
            let mut rights = std::fs::metadata(folder.path()).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
            std::fs::set_permissions(folder.path(), rights).unwrap();
            config += &format!("allow_anonymous false\npassword_file {}\n", file.display());
        } else {
            config += "allow_anonymous true\n";
        }
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let mut mosquitto = Self { port, running: None, folder };
        mosquitto.resume();
        mosquitto
    }

    /// Stops it as a power cut would.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it again on the same port.
    pub fn resume(&mut self) {
        let mut command = peer("VESTIBULE_MOSQUITTO", "mosquitto");
        command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
        self.running = Some(Running::start(command.arg("-c").arg(self.folder.path().join("mosquitto.conf"))));
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < end, "mosquitto does not listen");
            thread::sleep(Duration::from_millis(50));
        }
    }
}
