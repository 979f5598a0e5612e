//! The kit as people run it, against `vestibule-enabler` as people run it: flags, words, exit codes, JSON.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// The program of another package.
fn enabler() -> PathBuf {
    program("vestibule-enabler", "vestibule-server")
}

fn program(name: &str, package: &str) -> PathBuf {
    let folder = std::env::var_os("VESTIBULE_BIN_DIR").map(PathBuf::from).unwrap_or_else(|| {
        let kit = Path::new(env!("CARGO_BIN_EXE_vestibule-conformance"));
        kit.parent().unwrap().to_owned()
    });
    let program = folder.join(name);
    assert!(program.is_file(), "{} is not built: `cargo build -p {package}` first", program.display());
    program
}

/// Killed when dropped.
struct Running {
    child: Child,
    /// `quic://ADDRESS`, `http://ADDRESS`, `https://ADDRESS`.
    urls: [String; 3],
    /// What its certificate is known by.
    fingerprint: String,
}

/// A manufacturer, for whom a day is half a second. Killed when dropped.
struct Workshop {
    child: Child,
    url: String,
    /// Whoever writes to a pipe that nobody holds any more ends.
    _out: BufReader<ChildStdout>,
}

impl Workshop {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(program("vestibule-commerce", "vestibule-commerce"));
        command
            .args(["manufacturer", "--no-slicer", "--speed", "200000", "--listen", "127.0.0.1:0", "--data"])
            .arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut out, mut line) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("where it listens").to_owned();
        Self { child, url, _out: out }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(data: &Path) -> Self {
        Self::buying(data, None)
    }

    fn buying(data: &Path, workshop: Option<&Workshop>) -> Self {
        let mut command = Command::new(enabler());
        command.args(["serve", "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        if let Some(workshop) = workshop {
            command.args(["--ucp", &format!("workshop={}/.well-known/ucp", workshop.url)]);
        }
        command.args(["--https", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take(3).collect();
        let words: Vec<&str> = said.iter().flat_map(|line| line.split_whitespace().skip(2)).collect();
        let [quic, "as", fingerprint, http, https] = words.as_slice() else {
            let mut error = String::new();
            stderr.read_to_string(&mut error).unwrap();
            panic!("it did not start: {said:?} {error}");
        };
        let urls = [format!("quic://{quic}"), (*http).to_owned(), (*https).to_owned()];
        let fingerprint = (*fingerprint).to_owned();
        // Nobody may block on a full pipe.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, urls, fingerprint }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code(data: &Path) -> String {
    let output = Command::new(enabler()).args(["pair", "--role", "owner", "--data"]).arg(data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap().to_owned()
}

fn kit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vestibule-conformance")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_stand_alone_enabler_passes_every_row_over_each_transport() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let workshop = Workshop::start(&folder.path().join("workshop"));
    let running = Running::buying(&data, Some(&workshop));
    let [quic, http, https] = &running.urls;
    let (json, pem) = (folder.path().join("report.json"), data.join("identity.pem"));
    passes(quic, &[], &code(&data), &json);
    passes(http, &[], &code(&data), &json);
    passes(https, &["--ca", pem.to_str().unwrap()], &code(&data), &json);
}

#[test]
fn a_certificate_that_nobody_named_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let running = Running::start(&data);
    let (https, fingerprint, code) = (&running.urls[2], running.fingerprint.as_str(), code(&data));
    let other = folder.path().join("other.pem");
    let wrong = vestibule_quic::Identity::load_or_create(&other).unwrap().fingerprint().to_string();
    for trust in [&[][..], &["--ca", other.to_str().unwrap()], &["--fingerprint", &wrong]] {
        let output = kit(&[&["--enabler", https, "--pair", &code], trust].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{trust:?}: {error}");
        assert!(error.contains("not known here") && error.contains(fingerprint), "{trust:?}: {error}");
    }
    // Nobody was paired by that: the code still counts, for whoever names the right one.
    let trust = ["--fingerprint", fingerprint, "--group", "http"];
    let output = kit(&[&["--enabler", https, "--pair", &code][..], &trust].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}

fn passes(url: &str, trust: &[&str], code: &str, json: &Path) {
    let file = json.to_str().unwrap();
    let whole = ["--enabler", url, "--pair", code, "--patience", "20", "--json", file, "--merchant", "workshop"];
    let output = kit(&[&whole[..], trust].concat());
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{url}: {table} {}", text(&output.stderr));
    let last = table.trim_end().lines().last().unwrap().to_owned();
    assert!(last.ends_with(" passed, 0 failed"), "{last}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!((report["failed"].as_u64(), report["passed"].as_u64()), (Some(0), Some(rows.len() as u64)));
    assert_eq!(report["enabler"], url);
    let complete = |row: &serde_json::Value| ["id", "clause", "done", "seen"].iter().all(|key| row[*key].is_string());
    assert!(rows.iter().all(complete) && last.starts_with(&rows.len().to_string()), "{last}");

    // The code was used: nobody is let in, and there is nothing to report.
    let output = kit(&[&["--enabler", url, "--pair", code], trust].concat());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("vestibule-conformance: "), "{}", text(&output.stderr));
}

#[test]
fn wrong_flags_are_said_in_words() {
    for (arguments, words) in [
        (&["--pair", "123456"][..], "--enabler"),
        (&["--enabler", "quic://localhost:1"], "--pair"),
        (&["--enabler", "quic://localhost:1", "--pair", "12345"], "six digits"),
        (&["--enabler", "quic://localhost", "--pair", "123456"], "names no port"),
        (&["--enabler", "ftp://localhost:21", "--pair", "123456"], "not reached over"),
        (&["--enabler", "localhost:4433", "--pair", "123456"], "is no enabler"),
        (&["--enabler", "quic://localhost:1", "--pair", "123456", "--group", "lies"], "procedure-2"),
        (&["--enabler", "quic://localhost:1", "--pair", "123456", "--group", "http"], "over http://"),
        (&["--enabler", "quic://localhost:1", "--pair", "123456", "--group", "products"], "--merchant"),
        (&["--enabler", "quic://localhost:1", "--pair", "123456", "--merchant", "no name"], "--merchant"),
        (&["--enabler", "http://localhost:1", "--pair", "123456", "--ca", "x.pem"], "over https://"),
        (&["--enabler", "https://localhost:1", "--pair", "123456", "--ca", "x.pem"], "x.pem"),
        (&["--enabler", "https://localhost:1", "--pair", "123456", "--fingerprint", "x"], "64 hexadecimal"),
    ] {
        let output = kit(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}
