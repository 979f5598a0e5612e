//! `cargo xtask bench commerce`: orders beside the disk and SQLite, solids and files beside manifold3d and lib3mf, a plan of
//! meals by itself. Writes docs/bench-commerce.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::demo;
use crate::peers;
use crate::process;
use crate::workspace::Workspace;

const PAGE: &str = "docs/bench-commerce.md";
/// Each part takes some minutes.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// All carts are of one platform, and open at once.
const MOST_ORDERS: u64 = 2_400;
/// How often ours and theirs are measured.
const TURNS: usize = 3;
/// The programs, by their packages.
const EXAMPLES: [(&str, &str); 3] = [
    ("vestibule-commerce", "bench_commerce"),
    ("vestibule-fabricate", "bench_fabricate"),
    ("vestibule-kitchen", "readiness"),
];

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    /// Built as the tests are, to see that it works: such numbers say nothing, and no page is written.
    dev: bool,
    orders: u64,
}

impl Choice {
    fn parse(args: &[String]) -> Result<Self> {
        let mut choice = Self { dev: false, orders: 2_000 };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--dev" => choice.dev = true,
                "--orders" => {
                    let number = words.next().context("--orders needs a number")?;
                    choice.orders = number.parse().with_context(|| format!("--orders {number}: not a number"))?;
                    if choice.orders > MOST_ORDERS {
                        bail!("--orders {number}: at most {MOST_ORDERS}, a shop keeps no more carts of one buyer open");
                    }
                }
                _ => bail!("bench commerce does not know {word}"),
            }
        }
        Ok(choice)
    }
}

/// Builds, measures beside the peers, and writes the page.
pub fn run(args: &[String], machine: &str) -> Result<ExitCode> {
    let choice = Choice::parse(args)?;
    let workspace = Workspace::find()?;
    let variables = peers::prepare(peers::fabrication::NAME, &workspace)?;
    let python = variables.first().map(|(_, python)| python.clone()).context("the peer says where its Python is")?;
    let folder = build(&workspace, choice.dev)?;
    // With Bevy, as `cargo demo` builds it.
    if process::in_front(&mut workspace.cargo(&demo::BUILD))? != 0 {
        bail!("the client does not build");
    }
    let client = workspace.binary("vestibule-bench");
    let program = |name: &str| Command::new(folder.join("examples").join(name));
    let mut orders = program("bench_commerce");
    let orders = process::must(orders.args(["--orders", &choice.orders.to_string()]), LIMIT)?;
    let peer = workspace.root.join("crates/fabricate/tests/peers/bench.py");
    // In turn, so that what else the machine does meets both.
    let (mut ours, mut theirs) = (Measures::new(), Measures::new());
    for _ in 0..TURNS {
        ours = least(ours, measures(&process::must(&mut program("bench_fabricate"), LIMIT)?));
        theirs = least(theirs, measures(&process::must(Command::new(&python).arg(&peer), LIMIT)?));
    }
    let meals = process::must(&mut program("readiness"), LIMIT)?;
    let pictures = process::must(Command::new(client).arg("edits"), LIMIT)?;
    ours.extend(measures(&pictures));
    let page = page(machine, &orders, &ours, &theirs, &meals)?;
    println!("{page}");
    if choice.dev {
        println!("no page is written: this is not how it is built for people");
    } else {
        let path = workspace.root.join(PAGE);
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the programs; gives the folder that they are in.
fn build(workspace: &Workspace, dev: bool) -> Result<PathBuf> {
    // Of the whole workspace as the tests are, so that what they have built is used; optimized, each by itself.
    let mut build = vec!["build", if dev { "--workspace" } else { "--release" }];
    for (package, example) in EXAMPLES {
        if !dev {
            build.extend(["-p", package]);
        }
        build.extend(["--example", example]);
    }
    if process::in_front(&mut workspace.cargo(&build))? != 0 {
        bail!("it does not build");
    }
    Ok(workspace.target.join(if dev { "debug" } else { "release" }))
}

/// A measure of solids or files: its milliseconds, and the rest of its line.
type Measures = BTreeMap<String, (f64, String)>;

/// Reads lines like `plate_5 12.34 ms, 123 triangles, …`.
fn measures(said: &str) -> Measures {
    let measure = |line: &str| {
        let (name, rest) = line.split_once(' ')?;
        let (millis, rest) = rest.split_once(" ms")?;
        Some((name.to_owned(), (millis.parse().ok()?, rest.trim_start_matches(", ").to_owned())))
    };
    said.lines().filter_map(measure).collect()
}

/// Of each measure the one that took less.
fn least(mut so_far: Measures, more: Measures) -> Measures {
    for (name, measure) in more {
        let kept = so_far.entry(name).or_insert_with(|| measure.clone());
        if measure.0 < kept.0 {
            *kept = measure;
        }
    }
    so_far
}

/// A number in words like `40960 KiB more memory`.
fn memory(words: &str) -> Option<f64> {
    let before = words.split(" KiB more memory").next().filter(|before| before.len() < words.len())?;
    before.rsplit(' ').next()?.parse().ok()
}

/// What is measured beside whom, and what is aimed at: at most so many times as long.
const BESIDE: [(&str, &str, f64); 8] = [
    ("plate_1", "a plate minus 1 cylinder", 1.0),
    ("plate_5", "minus 5", 1.0),
    ("plate_20", "minus 20", 1.0),
    ("plate_100", "minus 100", 1.0),
    ("lattice", "200 bars put together", 1.0),
    ("balls", "a ball minus a ball", 1.0),
    ("hundred", "a design of 100 features, all of it", 1.0),
    ("export_3mf", "3MF of a million triangles (lib3mf)", 0.5),
];
/// One click in the design of 100 features, beside rebuilding it.
const EDITS: [(&str, &str); 3] = [("edit_first", "its first"), ("edit_middle", "its 50th"), ("edit_last", "its last")];

fn page(machine: &str, orders: &str, ours: &Measures, theirs: &Measures, meals: &str) -> Result<String> {
    let mut page = String::from(
        "# Commerce, measured\n\nWritten by `cargo xtask bench commerce`; every number beside a peer's is of the same run.\n\n",
    );
    let _ = writeln!(page, "Machine: {machine}.\n");
    write_orders(&mut page, orders)?;
    write_solids(&mut page, ours, theirs)?;
    let _ = writeln!(
        page,
        "## Meals\n\nWith 1,000 places that tell their stock, and 1,000 recipes (aim: under 20 ms for all):\n"
    );
    for line in meals.lines() {
        let _ = writeln!(page, "- {line}");
    }
    Ok(page)
}

fn write_orders(page: &mut String, said: &str) -> Result<()> {
    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let find =
        |name: &str| lines.iter().find(|line| line["name"] == name).with_context(|| format!("no measure {name}"));
    let number = |name: &str, what: &str| Ok::<_, anyhow::Error>(find(name)?[what].as_f64().unwrap_or_default());
    let _ = writeln!(
        page,
        "## Placing an order\n\nSigned, over HTTP on this machine, durable when it is answered: session, stock, payment, order and \
         what is to be told in one transaction. The platform that asks runs in the same process.\n\n\
         - p99 with one buyer / bare `fdatasync` of 4 KiB, p99: **{:.2}** (aim: at most 3)\n\
         - orders a second of 64 buyers / the same rows in SQLite, 64 orders a transaction: **{:.2}** (aim: at least 0.5)\n",
        number("orders_1", "p99_us")? / number("fdatasync", "p99_us")?,
        number("orders_64", "rate")? / number("sqlite_64", "rate")?,
    );
    let _ = writeln!(page, "| | p50 | p99 | a second |\n| --- | --- | --- | --- |");
    let rows = [
        ("fdatasync", "bare `fdatasync`"),
        ("sqlite_1", "SQLite, an order a transaction"),
        ("sqlite_64", "SQLite, 64 orders a transaction"),
        ("orders_1", "1 buyer"),
        ("orders_8", "8 buyers"),
        ("orders_64", "64 buyers"),
    ];
    for (name, words) in rows {
        let millis = |what: &str| Ok::<_, anyhow::Error>(number(name, what)? / 1e3);
        let (p50, p99, rate) = (millis("p50_us")?, millis("p99_us")?, number(name, "rate")?);
        let _ = writeln!(page, "| {words} | {p50:.2} ms | {p99:.2} ms | {rate:.0} |");
    }
    let bytes = find("bytes_an_order")?["bytes"].as_u64().unwrap_or_default();
    let _ = writeln!(page, "\nAn order leaves about {bytes} bytes in nine rows; the peer writes as much.\n");
    Ok(())
}

fn write_solids(page: &mut String, ours: &Measures, theirs: &Measures) -> Result<()> {
    let find = |measures: &Measures, name: &str| {
        measures.get(name).cloned().with_context(|| format!("nobody has measured {name}"))
    };
    let _ = writeln!(
        page,
        "## Solids and files\n\nThe least of three turns of five times each, the same solids in the same order, ours and \
         manifold3d or lib3mf from PyPI in turn.\n\n\
         | | ours | theirs | ours / theirs | aim |\n| --- | --- | --- | --- | --- |"
    );
    for (name, words, aim) in BESIDE {
        let ((own, _), (other, _)) = (find(ours, name)?, find(theirs, name)?);
        let _ = writeln!(page, "| {words} | {own:.1} ms | {other:.1} ms | **{:.2}** | at most {aim} |", own / other);
    }
    let (rebuilt, _) = find(theirs, "hundred")?;
    for (name, words) in EDITS {
        let (own, _) = find(ours, name)?;
        let _ = writeln!(
            page,
            "| a click on {words} of 100 features | {own:.1} ms | {rebuilt:.1} ms, rebuilding | **{:.2}** | at most 0.5 |",
            own / rebuilt
        );
    }
    let ((solid, about), (picture, of)) = (find(ours, "starts")?, find(ours, "edit_to_picture")?);
    let _ = writeln!(
        page,
        "\nAn edit of a starting point until its new picture is given to be drawn, in the App as `cargo demo` builds it: \
         **{picture:.1} ms**, {of} (aim: p99 under 50 ms). The solids of it alone, in a release build: {solid:.1} ms, {about}."
    );
    let ((_, own), (_, other)) = (find(ours, "export_3mf")?, find(theirs, "export_3mf")?);
    let mebibytes =
        |words: &str| memory(words).map_or_else(|| "unknown".to_owned(), |kib| format!("{:.1} MiB", kib / 1_024.0));
    let _ = writeln!(
        page,
        "\nMemory that writing the million triangles takes beyond what held them: {}, lib3mf {}.\n",
        mebibytes(&own),
        mebibytes(&other)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(line: &str) -> Result<Choice> {
        Choice::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_run_is_chosen_by_words() {
        assert_eq!(choice("").unwrap(), Choice { dev: false, orders: 2_000 });
        assert_eq!(choice("--dev --orders 50").unwrap(), Choice { dev: true, orders: 50 });
        for line in ["--orders", "--orders many", "--orders 9999", "--release"] {
            assert!(choice(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_page_says_how_ours_are_to_theirs() {
        let names = BESIDE
            .iter()
            .map(|(name, ..)| *name)
            .chain(EDITS.map(|(name, _)| name))
            .chain(["starts", "edit_to_picture"]);
        let said = |millis: u32, kib: u32| {
            names
                .clone()
                .map(|name| format!("{name} {millis}.50 ms, 9 triangles, 7 bytes, {kib} KiB more memory\n"))
                .collect::<String>()
        };
        let ours = least(measures(&said(12, 3_000)), measures(&said(10, 2_048)));
        let theirs = least(measures(&said(21, 10_240)), measures(&said(22, 9_000)));
        let order =
            |name: &str| format!("{{\"name\":\"{name}\",\"rate\":100.0,\"p50_us\":1000.0,\"p99_us\":2000.0}}\n");
        let orders: String =
            ["fdatasync", "sqlite_1", "sqlite_64", "orders_1", "orders_8", "orders_64"].map(order).concat();
        let orders = format!("{orders}{{\"name\":\"bytes_an_order\",\"bytes\":9000}}\n");
        let page = page("a machine", &orders, &ours, &theirs, "all of them: 3 ms\n").unwrap();
        for part in [
            "| minus 20 | 10.5 ms | 21.5 ms | **0.49** | at most 1 |",
            "takes beyond what held them: 2.0 MiB, lib3mf 10.0 MiB",
            "builds it: **10.5 ms**, 9 triangles",
            "bare `fdatasync` of 4 KiB, p99: **1.00**",
            "| 64 buyers | 1.00 ms | 2.00 ms | 100 |",
            "- all of them: 3 ms",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(super::page("a machine", "", &ours, &theirs, "").is_err(), "what was not measured is missed");
    }
}
