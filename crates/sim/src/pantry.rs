//! Where food is kept: a shelf whose boards are scales, and a fridge that keeps a list.

use serde_json::{Map, Value, json};

use crate::model::{Happening, Happenings, Kind, Model};

/// How often everything is said again although nothing moved, in simulated milliseconds: what is old is not believed.
const AGAIN_MS: u64 = 600_000;

/// The most of anything that fits, in its unit: nobody's board holds 50 kg.
const MOST: f64 = 50_000.0;

/// One kind of food at one place.
struct Kept {
    /// What it is called: an ingredient.
    item: &'static str,
    /// Grams, millilitres or pieces.
    amount: f64,
}

/// What a device that keeps food says: each board or each entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// What a board weighs, and what lies on it.
    Boards,
    /// How much there is of each food.
    List,
}

/// A device that keeps food.
pub(crate) struct Pantry {
    says: Says,
    kept: Vec<Kept>,
    now_ms: u64,
    again_ms: u64,
    happenings: Happenings,
}

const fn kept(item: &'static str, amount: f64) -> Kept {
    Kept { item, amount }
}

impl Pantry {
    /// Four boards that weigh: flour, rice, sugar and pasta, in grams.
    pub(crate) fn shelf() -> Pantry {
        let kept = vec![kept("flour", 320.0), kept("rice", 800.0), kept("sugar", 450.0), kept("pasta", 150.0)];
        Pantry::new(Says::Boards, kept)
    }

    /// A fridge that knows what is in it: milk in millilitres, eggs in pieces, butter and cheese in grams.
    pub(crate) fn fridge() -> Pantry {
        let kept = vec![kept("milk", 400.0), kept("egg", 3.0), kept("butter", 120.0), kept("cheese", 80.0)];
        Pantry::new(Says::List, kept)
    }

    fn new(says: Says, kept: Vec<Kept>) -> Pantry {
        Pantry { says, kept, now_ms: 0, again_ms: AGAIN_MS, happenings: Happenings::default() }
    }

    fn state(&self) -> String {
        let mut body = Map::new();
        for (kept, number) in self.kept.iter().zip(1..) {
            match self.says {
                Says::Boards => {
                    body.insert(format!("board_{number}"), json!({ "grams": kept.amount, "food": kept.item }))
                }
                Says::List => body.insert(kept.item.to_owned(), kept.amount.into()),
            };
        }
        Value::Object(body).to_string()
    }
}

impl Model for Pantry {
    fn listens(&self) -> &'static [&'static str] {
        &[]
    }

    fn on_command(&mut self, _now_ms: u64, _tail: &str, _payload: &[u8]) {}

    fn on_power(&mut self, now_ms: u64, _on: bool) {
        self.step(now_ms);
    }

    fn step(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        if now_ms >= self.again_ms {
            self.again_ms = now_ms + AGAIN_MS;
            self.happenings.push("state", self.state(), Kind::State);
        }
    }

    fn states(&self) -> Vec<(&'static str, String)> {
        vec![("state", self.state())]
    }

    fn take_happenings(&mut self) -> Vec<Happening> {
        self.happenings.take()
    }

    fn keep(&mut self, item: &str, change: f64) -> bool {
        let known = self.kept.iter_mut().find(|kept| kept.item == item).filter(|_| change.is_finite());
        let Some(kept) = known else { return false };
        kept.amount = (kept.amount + change).clamp(0.0, MOST);
        true
    }

    fn kept(&self) -> Vec<(&'static str, f64)> {
        self.kept.iter().map(|kept| (kept.item, kept.amount)).collect()
    }
}

/// What a device says of itself, beside who it is.
pub(crate) fn components(id: &str) -> Value {
    let pantry = if id == "fridge" { Pantry::fridge() } else { Pantry::shelf() };
    let mut all = Map::new();
    for (kept, number) in pantry.kept.iter().zip(1..) {
        match pantry.says {
            Says::Boards => {
                let board = format!("board_{number}");
                let weight = json!({
                    "p": "sensor", "uniq_id": format!("{id}_{board}"), "name": format!("Board {number}"),
                    "dev_cla": "weight", "stat_cla": "measurement", "unit_of_meas": "g",
                    "val_tpl": format!("{{{{ value_json.{board}.grams }}}}"),
                });
                let food = json!({
                    "p": "sensor", "uniq_id": format!("{id}_{board}_food"), "name": format!("On board {number}"),
                    "val_tpl": format!("{{{{ value_json.{board}.food }}}}"),
                });
                all.insert(format!("{board}_food"), food);
                all.insert(board, weight);
            }
            Says::List => {
                let (name, unit) = match kept.item {
                    "milk" => ("Milk", "mL"),
                    "egg" => ("Eggs", "pcs"),
                    "butter" => ("Butter", "g"),
                    _ => ("Cheese", "g"),
                };
                let entry = json!({
                    "p": "sensor", "uniq_id": format!("{id}_{}", kept.item), "name": name,
                    "stat_cla": "measurement", "unit_of_meas": unit,
                    "val_tpl": format!("{{{{ value_json.{} }}}}", kept.item),
                });
                all.insert(kept.item.to_owned(), entry);
            }
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_and_taken_out_is_weighed() {
        let mut shelf = Pantry::shelf();
        assert!(shelf.keep("flour", 1_000.0) && shelf.keep("rice", -5_000.0));
        assert!(!shelf.keep("milk", 1.0) && !shelf.keep("flour", f64::NAN), "a shelf holds no milk");
        assert_eq!(shelf.kept()[..2], [("flour", 1_320.0), ("rice", 0.0)], "nothing is less than nothing");
        let state: Value = serde_json::from_str(&shelf.states()[0].1).unwrap();
        assert_eq!(state["board_1"], json!({ "grams": 1_320.0, "food": "flour" }));
        shelf.keep("flour", f64::MAX);
        assert_eq!(shelf.kept()[0].1, MOST);
    }

    #[test]
    fn it_says_everything_again_now_and_then() {
        let mut fridge = Pantry::fridge();
        fridge.step(AGAIN_MS - 1);
        assert!(fridge.take_happenings().is_empty());
        fridge.step(AGAIN_MS);
        let said = fridge.take_happenings();
        assert_eq!((said.len(), said[0].kind), (1, Kind::State));
        assert!(fridge.take_happenings().is_empty());
    }
}
