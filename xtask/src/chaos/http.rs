//! `cargo xtask chaos http`: the API is asked, for longer than the tests do, whatever Schemathesis comes up with.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

const TEST: [&str; 7] = ["test", "-p", "vestibule-server", "--test", "http_schema", "--", "--nocapture"];
/// Times as many examples as the tests take: some minutes on two cores.
const EXAMPLES: u64 = 20;
/// Seconds that one run may take.
const SECONDS: u64 = 4 * 60 * 60;

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    examples: u64,
    seed: u64,
}

impl Choice {
    fn parse(args: &[String]) -> Result<Self> {
        let mut choice = Self { examples: EXAMPLES, seed: 1 };
        for pair in args.chunks(2) {
            let [name, value] = pair else { bail!("{} needs a number", pair.join(" ")) };
            let value = value.parse().with_context(|| format!("{name} {value}: not a number"))?;
            match name.as_str() {
                "--examples" => choice.examples = value,
                "--seed" => choice.seed = value,
                _ => bail!("chaos http does not know {name}"),
            }
        }
        Ok(choice)
    }
}

/// Brings Schemathesis, and the provider with which people log in, and runs the tests that it is part of with more examples.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let choice = Choice::parse(args)?;
    let workspace = Workspace::find()?;
    let mut variables = crate::peers::prepare(crate::peers::schemathesis::NAME, &workspace)?;
    variables.extend(crate::peers::prepare(crate::peers::node::NAME, &workspace)?);
    println!("chaos http --examples {} --seed {}", choice.examples, choice.seed);
    let mut test = workspace.cargo(&TEST);
    test.envs(variables).env("VESTIBULE_EXAMPLES", choice.examples.to_string());
    test.env("VESTIBULE_SEED", choice.seed.to_string()).env("VESTIBULE_SECONDS", SECONDS.to_string());
    let status = process::in_front(&mut test)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(line: &str) -> Result<Choice> {
        Choice::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_run_is_chosen_by_numbers() {
        assert_eq!(choice("").unwrap(), Choice { examples: EXAMPLES, seed: 1 });
        assert_eq!(choice("--seed 7 --examples 3").unwrap(), Choice { examples: 3, seed: 7 });
        for line in ["--seed", "--seed x", "--speed 1"] {
            assert!(choice(line).is_err(), "{line}");
        }
    }
}
