use std::path::{Path, PathBuf};

use serde::Serialize;

use super::script::Observation;

/// How a tour went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TourReport {
    /// What it showed.
    pub title: String,
    /// The software that played it.
    pub software: String,
    /// The seed of the simulated home.
    pub seed: u64,
    /// Whether every step went as written.
    pub ok: bool,
    /// The steps that were played.
    pub steps: Vec<StepReport>,
}

/// How a step went.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Its number, from 1.
    pub number: usize,
    /// What it is about.
    pub name: String,
    /// Which step of which scenario it plays.
    pub plays: Option<String>,
    /// What was expected.
    pub expected: Vec<String>,
    /// What was observed, in the same order.
    pub observed: Vec<String>,
    /// Whether all of it was as expected.
    pub ok: bool,
    /// Milliseconds from the last cause (a key, a click, something physical; the step's beginning where it has none) to
    /// the moment when all was as expected, or to giving up.
    pub ms: u64,
    /// The picture's file name.
    pub picture: Option<String>,
}

impl StepReport {
    pub(crate) fn fill(&mut self, observations: &[Observation]) {
        self.expected = observations.iter().map(|o| o.expected.clone()).collect();
        self.observed = observations.iter().map(|o| o.observed.clone()).collect();
        self.ok = observations.iter().all(|o| o.ok);
    }
}

/// `NN-name.png`, of letters, digits and dashes.
pub(crate) fn picture_name(number: usize, name: &str) -> String {
    let dashed: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short: Vec<_> = dashed.split('-').filter(|word| !word.is_empty()).take(8).collect();
    format!("{number:02}-{}.png", short.join("-"))
}

impl TourReport {
    /// Writes `tour.json` into `folder`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let path = folder.join("tour.json");
        let json = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(&path, json + "\n")?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_plain_names() {
        assert_eq!(picture_name(3, "A guest rings; you're told!"), "03-a-guest-rings-you-re-told.png");
    }
}
