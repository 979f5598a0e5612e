//! `cargo xtask test`: everything that must hold, in one run that tells everything.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::demo;
use crate::peers;
use crate::process::{self, Ending};
use crate::setup::{self, Purpose};
use crate::stages::{PICTURE, STAGES, Stage, Work};
use crate::tally::Tally;
use crate::tidy;
use crate::workspace::{Workspace, software_vulkan, vulkan_drivers};

/// What was asked for on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    without: Vec<String>,
    only: Vec<String>,
    list: bool,
}

impl Choice {
    fn parse(args: &[String]) -> Result<Self> {
        let mut choice = Self::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--list" => choice.list = true,
                "--without" => {
                    let name = words.next().context("--without what?")?;
                    if name != PICTURE {
                        peers::known(name).with_context(|| format!("or {PICTURE}"))?;
                    }
                    choice.without.push(name.clone());
                }
                "--only" => {
                    let name = words.next().context("--only what?")?;
                    if !STAGES.iter().any(|stage| stage.name == name) {
                        bail!("no such stage: {name}; `cargo xtask test --list` names them");
                    }
                    choice.only.push(name.clone());
                }
                other => bail!("test does not know {other}"),
            }
        }
        Ok(choice)
    }

    fn leaves_out(&self, name: &str) -> bool {
        self.without.iter().any(|without| without == name)
    }

    fn stages(&self) -> Vec<&'static Stage> {
        STAGES
            .iter()
            .filter(|stage| self.only.is_empty() || self.only.iter().any(|name| name == stage.name))
            .filter(|stage| !stage.left_out_by.is_some_and(|name| self.leaves_out(name)))
            .collect()
    }

    fn purposes(&self) -> Vec<Purpose> {
        let stages = self.stages();
        let mut purposes: Vec<Purpose> = stages.iter().flat_map(|stage| stage.purposes).copied().collect();
        purposes.retain(|purpose| !(*purpose == Purpose::Picture && self.leaves_out(PICTURE)));
        purposes.extend(self.peers().iter().filter_map(|peer| peers::purpose(peer)));
        purposes
    }

    fn peers(&self) -> Vec<&'static str> {
        let stages = self.stages();
        let wanted = |peer: &&str| stages.iter().any(|stage| stage.peers.contains(peer)) && !self.leaves_out(peer);
        peers::NAMES.into_iter().filter(wanted).collect()
    }
}

/// What stages share, and what they have found so far.
struct Run {
    workspace: Workspace,
    choice: Choice,
    variables: Vec<(&'static str, String)>,
    lines: Vec<String>,
    sum: Tally,
}

/// Runs the stages; the closing line says what passed and what failed.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let choice = Choice::parse(args)?;
    if choice.list {
        for stage in STAGES {
            println!("{}", stage.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::find()?;
    let mut run = Run { workspace, choice, variables: Vec::new(), lines: Vec::new(), sum: Tally::default() };
    run.stage("setup", Run::set_up);
    for stage in run.choice.stages() {
        let tally = run.stage(stage.name, |run| run.work(stage));
        if process::interrupted() {
            run.lines.push("interrupted: later stages did not run".to_owned());
            break;
        }
        if stage.must_pass && tally.failed > 0 {
            run.lines.push(format!("{} failed: later stages did not run", stage.name));
            break;
        }
    }
    run.close();
    Ok(if run.sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Run {
    fn stage(&mut self, name: &str, work: impl FnOnce(&mut Self) -> Result<Tally>) -> Tally {
        println!("\n== {name} ==");
        let start = Instant::now();
        let tally = work(self).unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Tally::one(false)
        });
        let line = format!("{name:<12} {:>7}  {tally}", clock(start.elapsed()));
        println!("-- {line}");
        self.lines.push(line);
        self.sum += tally;
        tally
    }

    /// A peer that cannot be had is a failure of its own; the other stages still run.
    fn set_up(&mut self) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut note = |name: &str, result: Result<()>| {
            if let Err(error) = &result {
                eprintln!("{name}: {error:#}");
            }
            tally += Tally::one(result.is_ok());
        };
        note("system packages", setup::install(&self.choice.purposes()));
        for peer in self.choice.peers() {
            let prepared = peers::prepare(peer, &self.workspace);
            note(peer, prepared.map(|variables| self.variables.extend(variables)));
        }
        if !self.choice.leaves_out(PICTURE)
            && let Some(driver) = software_vulkan(&vulkan_drivers())
        {
            self.variables.push(("VESTIBULE_LAVAPIPE_ICD", driver.display().to_string()));
        }
        self.variables.push(("VESTIBULE_XTASK", self.workspace.binary("xtask").display().to_string()));
        self.variables.push(("VESTIBULE_BIN_DIR", self.workspace.binary("").display().to_string()));
        self.variables.push(("VESTIBULE_WITHOUT", self.choice.without.join(",")));
        for (name, value) in &self.variables {
            println!("{name}={value}");
        }
        Ok(tally)
    }

    fn work(&mut self, stage: &Stage) -> Result<Tally> {
        match stage.work {
            Work::Cargo(args) => Ok(Tally::one(self.cargo(args, stage.limit)?.0.is_success())),
            Work::CargoTest(args) => {
                let (ending, said) = self.cargo(args, stage.limit)?;
                Ok(Tally::of_cargo_test(&said, ending.is_success()))
            }
            Work::Tidy => Ok(Tally::one(tidy::check()? == 0)),
            Work::Tour => {
                let folder = self.workspace.target.join("tour/home");
                let mut command = Command::new(self.workspace.binary("vestibule"));
                command.args(["--tour", "home", "--offscreen"]).arg(&folder);
                Ok(demo::tour(command.envs(self.variables.clone()), &folder, stage.limit)?)
            }
            Work::XrTour => {
                let folder = self.workspace.target.join("tour/xr");
                // Not `current_exe`: the build before may have put a new one in its place.
                let mut command = Command::new(self.workspace.binary("xtask"));
                command.args(["monado", "exec", "--"]).arg(self.workspace.binary("vestibule"));
                command.args(["--xr", "--tour", "xr", "--offscreen"]).arg(&folder);
                Ok(demo::tour(command.envs(self.variables.clone()), &folder, stage.limit)?)
            }
        }
    }

    fn cargo(&self, args: &[&str], limit: Duration) -> Result<(Ending, String)> {
        println!("cargo {}", args.join(" "));
        let mut command = self.workspace.cargo(args);
        let result = process::run(command.envs(self.variables.clone()), limit)?;
        if !result.0.is_success() {
            println!("cargo {} {}", args.first().unwrap_or(&""), result.0);
        }
        Ok(result)
    }

    fn close(&self) {
        println!("\n== result ==");
        for line in &self.lines {
            println!("{line}");
        }
        for name in &self.choice.without {
            println!("left out, as asked: {name}");
        }
        if !self.choice.only.is_empty() {
            println!("ran only, as asked: {}", self.choice.only.join(", "));
        }
        println!("{}", self.sum);
    }
}

fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(line: &str) -> Result<Choice> {
        Choice::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn without_a_word_everything_runs() {
        let all = choice("").unwrap();
        assert_eq!(all.stages().len(), STAGES.len());
        assert_eq!(all.peers(), peers::NAMES);
    }

    #[test]
    fn what_is_left_out_is_named_exactly() {
        let choice = choice("--without monado --without picture").unwrap();
        assert!(choice.stages().iter().all(|stage| stage.name != "xr" && stage.name != "tour"));
        assert!(!choice.peers().contains(&"monado"));
        assert!(!choice.purposes().contains(&Purpose::Picture));
        assert!(choice.purposes().contains(&Purpose::Mosquitto));
    }

    #[test]
    fn a_name_that_is_unknown_is_refused() {
        for line in ["--without mosquito", "--only tets", "--without", "--quick"] {
            assert!(choice(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_cheap_stage_asks_for_no_peer() {
        let choice = choice("--only fmt --only tidy").unwrap();
        assert!(choice.peers().is_empty() && choice.purposes().is_empty());
    }

    #[test]
    fn time_reads_as_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(125)), "2:05");
    }
}
