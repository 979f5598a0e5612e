//! What a buyer writes down before anybody is asked, so that nothing is forgotten when it is killed.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// This is going to be bought, in these words, by this one of the users.
    Wanted { id: String, who: usize, order: Value },
    /// The enabler has it.
    Acknowledged { id: String },
    /// The enabler does not take it.
    Refused { id: String, code: String },
    /// It was wanted back.
    TakenBack { id: String },
    /// The enabler knows that.
    Heard { id: String },
}

/// What is known of one purchase.
#[derive(Clone, Debug, Default)]
pub struct Purchase {
    pub who: usize,
    pub order: Value,
    pub is_acknowledged: bool,
    pub refused: Option<String>,
    pub is_taken_back: bool,
    pub is_heard: bool,
}

/// The file.
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    pub fn open(path: &Path) -> Self {
        // Killed in the middle of a line: what is half there was not written.
        let whole = std::fs::read(path).unwrap_or_default();
        let end = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let file = OpenOptions::new().create(true).append(true).open(path).expect("a journal");
        file.set_len(end as u64).expect("cut");
        Self { path: path.to_owned(), file: Mutex::new(file) }
    }

    pub fn write(&self, line: &Line) {
        let mut bytes = serde_json::to_vec(line).expect("a line");
        bytes.push(b'\n');
        let mut file = self.file.lock().expect("a file");
        file.write_all(&bytes).expect("written");
        file.sync_data().expect("on the disk");
    }

    pub fn purchases(&self) -> BTreeMap<String, Purchase> {
        read(&self.path)
    }
}

/// What a journal says. Its last line may be cut.
pub fn read(path: &Path) -> BTreeMap<String, Purchase> {
    let mut purchases: BTreeMap<String, Purchase> = BTreeMap::new();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    for line in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Wanted { id, who, order } => {
                let purchase = purchases.entry(id).or_default();
                (purchase.who, purchase.order) = (who, order);
            }
            Line::Acknowledged { id } => purchases.entry(id).or_default().is_acknowledged = true,
            Line::Refused { id, code } => purchases.entry(id).or_default().refused = Some(code),
            Line::TakenBack { id } => purchases.entry(id).or_default().is_taken_back = true,
            Line::Heard { id } => purchases.entry(id).or_default().is_heard = true,
        }
    }
    purchases
}
