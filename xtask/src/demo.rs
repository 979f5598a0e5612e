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
pub const BUILD: [&str; 5] = [
    "build",
    "--workspace",
    "--bins",
    "--example",
    "same_features",
];
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
    client
        .current_dir(&workspace.root)
        .env("BEVY_ASSET_ROOT", &workspace.root);
    if has_display {
        let status = process::in_front(client.args(args))?;
        return Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)));
    }
    let folder = workspace.target.join("tour/home");
    println!("There is no display here, so a tour is drawn into pictures.");
    client
        .args(["--tour", "home", "--offscreen"])
        .arg(&folder)
        .args(args);
    let tally = tour(&mut client, &folder, TOUR_LIMIT)?;
    println!("{tally}; the pictures are in {}", folder.display());
    Ok(if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether `DISPLAY` names an X server that answers.
fn has_display() -> bool {
    let Some(display) = std::env::var("DISPLAY")
        .ok()
        .filter(|display| !display.is_empty())
    else {
        return false;
    };
    // Where nothing that could ask is installed, the name has to do.
    let asks = ["xdpyinfo", "xset"]
        .into_iter()
        .find(|name| crate::workspace::program(name).is_some());
    let answers = |name| {
        let mut command = Command::new(name);
        command.args(if name == "xset" { &["q"][..] } else { &[] });
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    asks.map_or_else(|| local_display_exists(&display), answers)
}

/// A display of this machine has a socket; one of another machine (`host:0`) is believed.
fn local_display_exists(display: &str) -> bool {
    match display.strip_prefix(':') {
        None => true,
        Some(rest) => {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Path::new("/tmp/.X11-unix")
                .join(format!("X{number}"))
                .exists()
        }
    }
}

/// Runs a tour that draws into `folder`, prints its steps and counts them. A tour that ends badly, or that leaves
/// no report, has failed once more.
pub fn tour(command: &mut Command, folder: &Path, limit: Duration) -> Result<Tally> {
    if folder.exists() {
        // Never take an older tour's pictures for this one's.
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let (ending, _) = process::run(command, limit)?;
    let mut tally = Tally::default();
    match steps(folder) {
        Ok(steps) => {
            for step in steps {
                println!(
                    "  {} {}{}",
                    if step.passed { "passed" } else { "FAILED" },
                    step.name,
                    step.detail
                );
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

#[derive(Debug, PartialEq, Eq)]
struct Step {
    name: String,
    passed: bool,
    detail: String,
}

fn steps(folder: &Path) -> Result<Vec<Step>> {
    let path = folder.join("tour.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("cannot understand {}", path.display()))
}

/// `{"steps": [{"name": "...", "passed": true, "detail": "..."}]}`
fn parse(text: &str) -> Result<Vec<Step>> {
    let report: Value = serde_json::from_str(text)?;
    let steps = report["steps"]
        .as_array()
        .ok_or_else(|| anyhow!("there are no steps"))?;
    if steps.is_empty() {
        return Err(anyhow!("there are no steps"));
    }
    steps.iter().map(step).collect()
}

fn step(step: &Value) -> Result<Step> {
    Ok(Step {
        name: step["name"]
            .as_str()
            .ok_or_else(|| anyhow!("a step has no name"))?
            .to_owned(),
        passed: step["passed"]
            .as_bool()
            .ok_or_else(|| anyhow!("a step says not whether it passed"))?,
        detail: step["detail"]
            .as_str()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let text = r#"{"steps": [{"name": "door opens", "passed": true}, {"name": "x", "passed": false, "detail": "y"}]}"#;
        let steps = parse(text).unwrap();
        assert!(steps[0].passed && !steps[1].passed);
        assert_eq!(steps[1].detail, ": y");
    }

    #[test]
    fn a_report_that_says_nothing_is_no_success() {
        for text in [
            "",
            "{}",
            r#"{"steps": []}"#,
            r#"{"steps": [{"name": "door opens"}]}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tour_that_leaves_no_report_or_ends_badly_fails() {
        let folder = std::env::temp_dir().join(format!("vestibule-no-tour-{}", std::process::id()));
        let mut silent = Command::new("true");
        assert_eq!(
            tour(&mut silent, &folder, Duration::from_secs(20)).unwrap(),
            Tally {
                passed: 0,
                failed: 1
            }
        );
        let mut crash = Command::new("sh");
        let report = r#"{"steps": [{"name": "a", "passed": true}]}"#;
        crash.args([
            "-c",
            &format!(
                "mkdir {0}; echo '{report}' > {0}/tour.json; exit 134",
                folder.display()
            ),
        ]);
        assert_eq!(
            tour(&mut crash, &folder, Duration::from_secs(20)).unwrap(),
            Tally {
                passed: 1,
                failed: 1
            }
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_display_without_a_socket_is_not_there() {
        assert!(!local_display_exists(":54321.0"));
        assert!(local_display_exists("somewhere:0"));
    }
}
