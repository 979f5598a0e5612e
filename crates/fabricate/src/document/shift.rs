//! Places that are moved, whether numbers or formulas.

use crate::design::{Amount, Expression};

/// An amount and so much more; of a formula, with the number behind it.
pub(super) fn shifted(amount: &Amount, by: f64) -> Option<Amount> {
    let settled = |value: f64| (value * 1e6).round() / 1e6 + 0.0;
    let formula = match amount {
        Amount::Value(value) => return Some(Amount::Value(settled(value + by))),
        Amount::Formula(formula) => formula.as_str(),
    };
    let (base, before) = shift_of(formula).unwrap_or((formula, 0.0));
    let shift = settled(before + by);
    let text = if shift == 0.0 { base.to_owned() } else { format!("({base}) + {shift}") };
    Expression::new(&text).ok().map(Amount::Formula)
}

/// What was shifted before, and by how much.
fn shift_of(formula: &str) -> Option<(&str, f64)> {
    let (base, shift) = formula.strip_prefix('(')?.rsplit_once(") + ")?;
    let mut depth = 0_i32;
    for c in base.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth < 0 {
            return None;
        }
    }
    Some((base, shift.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_shifted_again_and_back() {
        let shift = |text: &str, by: f64| {
            let Some(Amount::Formula(formula)) = shifted(&Amount::Formula(Expression::known(text)), by) else {
                panic!()
            };
            formula.as_str().to_owned()
        };
        assert_eq!(shift("width / 2", 5.0), "(width / 2) + 5");
        assert_eq!(shift("(width / 2) + 5", -7.5), "(width / 2) + -2.5");
        assert_eq!(shift("(width / 2) + -2.5", 2.5), "width / 2");
        assert_eq!(shift("(a) * (b) + 3", 1.0), "((a) * (b) + 3) + 1");
        assert_eq!(shifted(&Amount::Value(0.1), 0.2), Some(Amount::Value(0.3)));
    }
}
