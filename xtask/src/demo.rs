//! `cargo demo`: a window to walk through, or pictures of a tour where there is no display.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::process::{self, Ending};
use crate::setup::{self, Purpose};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// The profile, the packages and (through the named example, see there) the features of `cargo test --workspace`:
/// whoever ran one of demo and test has compiled Bevy for the other.
pub const BUILD: [&str; 5] = ["build", "--workspace", "--bins", "--example", "same_features"];
/// Software drawing shows a few frames a second, and a tour has some hundred.
const TOUR_LIMIT: Duration = Duration::from_secs(20 * 60);

/// Set-up, build, then the client; `args` are passed on to it.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let args = crate::passed_on(args);
    let has_display = has_display();
    let window: &[Purpose] = if has_display { &[Purpose::Window] } else { &[] };
    setup::install(&[window, &[Purpose::Build, Purpose::Picture]].concat())?;
    let workspace = Workspace::find()?;
    println!("Building; the first time this takes a quarter of an hour.");
    if process::in_front(&mut workspace.cargo(&BUILD))? != 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut client = Command::new(workspace.binary("vestibule"));
    client.current_dir(&workspace.root).env("BEVY_ASSET_ROOT", &workspace.root);
    if has_display {
        let status = process::in_front(client.args(args))?;
        return Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)));
    }
    let named = value_of(args, "--tour");
    let folder = workspace.target.join("tour").join(Path::new(named.unwrap_or("home")).file_stem().unwrap_or_default());
    println!("There is no display here, so a tour is drawn into pictures.");
    if named.is_none() {
        client.args(["--tour", "home"]);
    } else if value_of(args, "--size").is_none() {
        // The windows that people order in want more room than the least there is.
        client.args(["--size", "960x540"]);
    }
    client.arg("--offscreen").arg(&folder).args(args);
    let tally = tour(&mut client, &folder, TOUR_LIMIT)?;
    println!("{tally}; the pictures are in {}", folder.display());
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What stands after a flag, or behind its `=`.
fn value_of<'a>(args: &'a [String], flag: &str) -> Option<&'a str> {
    args.iter().enumerate().find_map(|(at, arg)| {
        let rest = arg.strip_prefix(flag)?;
        if rest.is_empty() { args.get(at + 1).map(String::as_str) } else { rest.strip_prefix('=') }
    })
}

/// Whether `DISPLAY` names an X server that answers.
fn has_display() -> bool {
    let Some(display) = std::env::var("DISPLAY").ok().filter(|display| !display.is_empty()) else {
        return false;
    };
    // Where nothing that could ask is installed, the name has to do.
    let asks = ["xdpyinfo", "xset"].into_iter().find(|name| crate::workspace::program(name).is_some());
    let answers = |name| {
        let mut command = Command::new(name);
        command.args(if name == "xset" { &["q"][..] } else { &[] });
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    asks.map_or_else(|| local_display_exists(&display), answers)
}

/// A display of this machine has a socket; one of another machine (`host:0`) is believed.
fn local_display_exists(display: &str) -> bool {
    match display.strip_prefix(':') {
        None => true,
        Some(rest) => {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Path::new("/tmp/.X11-unix").join(format!("X{number}")).exists()
        }
    }
}

/// Runs a tour that draws into `folder`, prints its steps and counts them. A tour that ends badly, or that leaves
/// no report, has failed once more.
pub fn tour(command: &mut Command, folder: &Path, limit: Duration) -> Result<Tally> {
    if folder.exists() {
        // Never take an older tour's pictures for this one's.
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let (ending, _) = process::run(command, limit)?;
    let mut tally = Tally::default();
    match steps(folder) {
        Ok(steps) => {
            for step in steps {
                print!("{}", step.describe(folder));
                tally += Tally::one(step.passed);
            }
        }
        Err(error) => {
            println!("  FAILED {error:#}");
            tally += Tally::one(false);
        }
    }
    // A tour with a failed step returns 1; that is one failure, not two.
    let is_told = tally.failed > 0 && ending == Ending::Returned(1);
    if !ending.is_success() && !is_told {
        println!("  FAILED the tour {ending}");
        tally += Tally::one(false);
    }
    Ok(tally)
}

/// What `tour.json` says of a step; the client writes more (`src/tour/report.rs`).
#[derive(Debug, PartialEq, Eq)]
struct Step {
    number: u64,
    name: String,
    passed: bool,
    expected: Vec<String>,
    observed: Vec<String>,
    ms: u64,
    picture: Option<String>,
}

impl Step {
    /// A line, and below it, where the step failed, what was seen instead and where its picture is.
    fn describe(&self, folder: &Path) -> String {
        let verdict = if self.passed { "passed" } else { "FAILED" };
        let mut text = format!("  {verdict} {:2} {} ({} ms)\n", self.number, self.name, self.ms);
        if !self.passed {
            for (position, observed) in self.observed.iter().enumerate() {
                let expected = self.expected.get(position).map_or("nothing", String::as_str);
                text += &format!("            expected {expected}: {observed}\n");
            }
            if let Some(picture) = &self.picture {
                text += &format!("            picture {}\n", folder.join(picture).display());
            }
        }
        text
    }
}

fn steps(folder: &Path) -> Result<Vec<Step>> {
    let path = folder.join("tour.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("cannot understand {}", path.display()))
}

/// `{"steps": [{"number": 1, "name": "...", "expected": ["..."], "observed": ["..."], "ok": true, "ms": 12,
/// "picture": "01-x.png"}]}`, with `null` for a step without a picture.
fn parse(text: &str) -> Result<Vec<Step>> {
    let report: Value = serde_json::from_str(text)?;
    let steps = report["steps"].as_array().ok_or_else(|| anyhow!("there are no steps"))?;
    if steps.is_empty() {
        return Err(anyhow!("there are no steps"));
    }
    steps.iter().map(step).collect()
}

fn step(step: &Value) -> Result<Step> {
    let whole = |key: &str| step[key].as_u64().ok_or_else(|| anyhow!("a step has no {key}"));
    Ok(Step {
        number: whole("number")?,
        name: step["name"].as_str().ok_or_else(|| anyhow!("a step has no name"))?.to_owned(),
        passed: step["ok"].as_bool().ok_or_else(|| anyhow!("a step says not whether it passed"))?,
        expected: strings(&step["expected"])?,
        observed: strings(&step["observed"])?,
        ms: whole("ms")?,
        picture: step["picture"].as_str().map(str::to_owned),
    })
}

fn strings(list: &Value) -> Result<Vec<String>> {
    let list = list.as_array().ok_or_else(|| anyhow!("a step says not what was expected and observed"))?;
    list.iter()
        .map(|text| text.as_str().map(str::to_owned).ok_or_else(|| anyhow!("an observation is no text")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"title": "t", "software": "s", "seed": 7, "ok": false, "steps": [
        {"number": 1, "name": "hall", "plays": "S4.1", "expected": [], "observed": [], "ok": true, "ms": 12,
         "picture": null},
        {"number": 2, "name": "door opens", "plays": null, "expected": ["open"], "observed": ["closed, live"],
         "ok": false, "ms": 3000, "picture": "02-door-opens.png"}]}"#;

    #[test]
    fn a_report_is_read() {
        let steps = parse(REPORT).unwrap();
        assert!(steps[0].passed && !steps[1].passed);
        assert_eq!((steps[1].number, steps[1].ms), (2, 3000));
        assert_eq!(steps[0].picture, None);
    }

    #[test]
    fn a_failed_step_says_what_was_seen_and_where() {
        let steps = parse(REPORT).unwrap();
        assert_eq!(steps[0].describe(Path::new("/t")), "  passed  1 hall (12 ms)\n");
        let failed = steps[1].describe(Path::new("/t"));
        assert!(failed.starts_with("  FAILED  2 door opens (3000 ms)\n"), "{failed}");
        assert!(failed.contains("expected open: closed, live"), "{failed}");
        assert!(failed.contains("/t/02-door-opens.png"), "{failed}");
    }

    #[test]
    fn a_report_that_says_nothing_is_no_success() {
        let without = |key: &str| REPORT.replace(&format!("\"{key}\":"), "\"other\":");
        let texts = ["", "{}", r#"{"steps": []}"#].map(str::to_owned).into_iter();
        for text in texts.chain(["number", "name", "ok", "ms", "expected", "observed"].map(without)) {
            assert!(parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tour_that_leaves_no_report_or_ends_badly_fails() {
        let folder = std::env::temp_dir().join(format!("vestibule-no-tour-{}", std::process::id()));
        let mut silent = Command::new("true");
        assert_eq!(tour(&mut silent, &folder, Duration::from_secs(20)).unwrap(), Tally { passed: 0, failed: 1 });
        let mut crash = Command::new("sh");
        let report = r#"{"steps": [{"number": 1, "name": "a", "expected": [], "observed": [], "ok": true, "ms": 1}]}"#;
        crash.args(["-c", &format!("mkdir {0}; echo '{report}' > {0}/tour.json; exit 134", folder.display())]);
        assert_eq!(tour(&mut crash, &folder, Duration::from_secs(20)).unwrap(), Tally { passed: 1, failed: 1 });
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_tour_of_ones_own_choice_is_found() {
        let args = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(value_of(&args(&["--hour", "9", "--tour", "cook"]), "--tour"), Some("cook"));
        assert_eq!(value_of(&args(&["--tour=design"]), "--tour"), Some("design"));
        for none in [&["--tours", "x"][..], &["--tour"], &[]] {
            assert_eq!(value_of(&args(none), "--tour"), None, "{none:?}");
        }
    }

    #[test]
    fn a_display_without_a_socket_is_not_there() {
        assert!(!local_display_exists(":54321.0"));
        assert!(local_display_exists("somewhere:0"));
    }
}
