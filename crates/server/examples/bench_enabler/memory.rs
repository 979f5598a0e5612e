//! What a twin costs beyond its own data: two processes, one with the data, one with the registry of it; before any of
//! its properties is reported, and after all of them are.

use std::{fmt::Write as _, process::Command, sync::Arc};

use vestibule_enabler_core::{Hot, observe};
use vestibule_model::{Reported, Value};
use vestibule_protocol::{DiiUp, Report};

use crate::{
    house::{EACH, NOW, state, system_id, twin},
    numbers::count,
};

pub struct Memory {
    twins: usize,
    own: u64,
    registry: u64,
    own_reported: u64,
    reported: u64,
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("this system says how much memory is used");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).expect("a number") * 1024
}

fn said(index: usize) -> Vec<Report> {
    let info = twin(index);
    let properties = info.properties().map(|(feature, property, about)| {
        let is_bool = about.value.is_a(&Value::Bool(true)).is_ok();
        let value = Some(if is_bool { Value::Bool(true) } else { Value::Float(0.5) });
        let (twin, feature, property) = (info.id.clone(), feature.clone(), property.clone());
        Report { twin, feature, property, value, at: Some(NOW), fresh: true, revision: 1 }
    });
    properties.collect()
}

fn value(report: Report) -> Reported {
    let Report { value, at, fresh, revision, .. } = report;
    Reported { value, at, fresh, revision }
}

/// Prints the bytes that `what` takes with so many twins.
pub fn say(what: &str, twins: usize) {
    let (what, reported) = what.strip_suffix(",reported").map_or((what, false), |what| (what, true));
    let before = resident();
    let bytes = if what == "own" {
        let own: Vec<_> = (0..twins)
            .map(|index| {
                let values: Box<[Reported]> =
                    if reported { said(index).into_iter().map(value).collect() } else { Box::default() };
                (Arc::new(twin(index)), values)
            })
            .collect();
        let bytes = resident() - before;
        drop(own);
        bytes
    } else {
        let state = state(twins);
        let mut hot = Hot::restore(&state, NOW);
        for index in (0..twins).filter(|_| reported) {
            for report in said(index) {
                observe(&state, &mut hot, NOW, &system_id(index / EACH), &DiiUp::Report(report)).expect("taken");
            }
        }
        let bytes = resident() - before;
        drop((state, hot));
        bytes
    };
    println!("{bytes}");
}

pub fn measure(twins: usize) -> Memory {
    let ask = |what: &str| {
        let this = std::env::current_exe().expect("this program");
        let mut child = Command::new(this);
        let output = child.args(["--memory", what, "--sizes", &twins.to_string()]).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    };
    let [own, registry, own_reported, reported] = ["own", "state", "own,reported", "state,reported"].map(ask);
    Memory { twins, own, registry, own_reported, reported }
}

pub fn write(sizes: &[Memory], page: &mut String) {
    let each = |memory: &Memory, whole: u64, own: u64| whole.saturating_sub(own) / memory.twins.max(1) as u64;
    let _ = writeln!(page, "## Memory\n");
    if let Some(last) = sizes.last() {
        let bytes = each(last, last.registry, last.own);
        let said = each(last, last.reported, last.own_reported);
        let _ = writeln!(
            page,
            "- a resident twin beyond its own data: **{bytes} bytes** (aim: at most 400); once its two properties are \
             reported, beyond its data and these values: **{said} bytes**\n"
        );
    }
    let _ = writeln!(
        page,
        "| twins | their own data | with the registry and their hot state | beyond, each | all reported: own data | \
         with the registry | beyond, each |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    for memory in sizes {
        let Memory { twins, own, registry, own_reported, reported } = memory;
        let mebibytes = |bytes: &u64| format!("{:.1} MiB", *bytes as f64 / f64::from(1 << 20));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} bytes | {} | {} | {} bytes |",
            count(*twins as f64),
            mebibytes(own),
            mebibytes(registry),
            each(memory, *registry, *own),
            mebibytes(own_reported),
            mebibytes(reported),
            each(memory, *reported, *own_reported),
        );
    }
    let _ = writeln!(page);
}
