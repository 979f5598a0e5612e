use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Param, ParamKey};

/// The longest formula, in bytes: what a person reads on one line.
pub const MAX_FORMULA: usize = 256;
/// How deep parentheses may go: reading is recursive, and a stack is not endless.
const DEPTH: usize = 16;

/// A formula over a design's parameters: `+ - * /`, parentheses, `min max abs round floor ceil`, names and numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct Expression(String);

/// Why a formula has no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormulaError {
    /// It is longer than [`MAX_FORMULA`].
    #[error("longer than {MAX_FORMULA} bytes")]
    TooLong,
    /// Parentheses in parentheses in parentheses.
    #[error("parentheses go deeper than {DEPTH}")]
    TooDeep,
    /// It cannot be read.
    #[error("cannot be read at byte {0}")]
    Syntax(usize),
    /// No parameter and no function has this name.
    #[error("nothing is called {0}")]
    Unknown(String),
    /// A division by zero, or a number that is too large.
    #[error("has no finite value")]
    NotFinite,
}

impl Expression {
    /// The formula that `text` is, without the `=` that marks it in a document.
    ///
    /// # Errors
    /// [`FormulaError`] where it cannot be read; names are looked up later.
    pub fn new(text: &str) -> Result<Self, FormulaError> {
        if text.len() > MAX_FORMULA {
            return Err(FormulaError::TooLong);
        }
        let known = |_: &str| Some(1.0);
        Reader { text: text.as_bytes(), at: 0, depth: 0, value_of: &known }.whole()?;
        Ok(Self(text.to_owned()))
    }

    /// For formulas in this crate, which tests go through.
    pub(crate) fn known(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names in it: of parameters, and of functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let belongs = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let words = self.0.split(move |c| !belongs(c));
        words.filter(|word| word.bytes().next().is_some_and(|first| first.is_ascii_lowercase()))
    }

    /// Its value with these parameters.
    ///
    /// # Errors
    /// [`FormulaError`] where a name is unknown or the value is not finite.
    pub fn value(&self, params: &BTreeMap<ParamKey, Param>) -> Result<f64, FormulaError> {
        let look_up = |name: &str| params.get(&ParamKey::known(name)).map(|param| param.value);
        let value = Reader { text: self.0.as_bytes(), at: 0, depth: 0, value_of: &look_up }.whole()?;
        if value.is_finite() { Ok(value) } else { Err(FormulaError::NotFinite) }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }
}

/// A number, or the formula that gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Amount {
    /// As it is.
    Value(f64),
    /// From parameters.
    Formula(Expression),
}

impl Amount {
    /// The number. A formula that nobody resolved is no number: what is built from it is refused.
    pub(crate) fn number(&self) -> f64 {
        match self {
            Self::Value(value) => *value,
            Self::Formula(_) => f64::NAN,
        }
    }
}

impl From<f64> for Amount {
    fn from(value: f64) -> Self {
        Self::Value(value)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl TryFrom<Written> for Amount {
    type Error = FormulaError;
    fn try_from(written: Written) -> Result<Self, FormulaError> {
        match written {
            Written::Number(value) => Ok(Self::Value(value)),
            Written::Text(text) => {
                let formula = text.strip_prefix('=').ok_or(FormulaError::Syntax(0))?;
                Ok(Self::Formula(Expression::new(formula)?))
            }
        }
    }
}

impl From<Amount> for Written {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Value(value) => Self::Number(value),
            Amount::Formula(formula) => Self::Text(format!("={}", formula.0)),
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    value_of: &'a dyn Fn(&str) -> Option<f64>,
}

impl Reader<'_> {
    fn whole(mut self) -> Result<f64, FormulaError> {
        let value = self.sum()?;
        if self.peek().is_some() { Err(FormulaError::Syntax(self.at)) } else { Ok(value) }
    }

    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn takes(&mut self, sign: u8) -> bool {
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Result<f64, FormulaError> {
        let mut value = self.product()?;
        loop {
            if self.takes(b'+') {
                value += self.product()?;
            } else if self.takes(b'-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, FormulaError> {
        let mut value = self.factor()?;
        loop {
            if self.takes(b'*') {
                value *= self.factor()?;
            } else if self.takes(b'/') {
                value /= self.factor()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn factor(&mut self) -> Result<f64, FormulaError> {
        let mut negative = false;
        while self.takes(b'-') {
            negative = !negative;
        }
        let value = match self.peek() {
            Some(b'(') => self.within(Self::sum)?,
            Some(c) if c.is_ascii_digit() || c == b'.' => self.number()?,
            Some(c) if c.is_ascii_lowercase() => self.name()?,
            _ => return Err(FormulaError::Syntax(self.at)),
        };
        Ok(if negative { -value } else { value })
    }

    fn within<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, FormulaError>) -> Result<T, FormulaError> {
        if !self.takes(b'(') {
            return Err(FormulaError::Syntax(self.at));
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(FormulaError::TooDeep);
        }
        let value = inner(self)?;
        self.depth -= 1;
        if self.takes(b')') { Ok(value) } else { Err(FormulaError::Syntax(self.at)) }
    }

    fn word(&mut self, belongs: impl Fn(u8) -> bool) -> &str {
        let start = self.at;
        while self.text.get(self.at).is_some_and(|c| belongs(*c)) {
            self.at += 1;
        }
        std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default()
    }

    fn number(&mut self) -> Result<f64, FormulaError> {
        let start = self.at;
        let read = self.word(|c| c.is_ascii_digit() || c == b'.').parse::<f64>();
        read.map_err(|_| FormulaError::Syntax(start))
    }

    fn name(&mut self) -> Result<f64, FormulaError> {
        let name = self.word(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_').to_owned();
        if self.peek() == Some(b'(') {
            let (first, second) = self.within(|reader| {
                let first = reader.sum()?;
                Ok((first, if reader.takes(b',') { Some(reader.sum()?) } else { None }))
            })?;
            return call(&name, first, second).ok_or(FormulaError::Unknown(name));
        }
        (self.value_of)(&name).ok_or(FormulaError::Unknown(name))
    }
}

fn call(name: &str, first: f64, second: Option<f64>) -> Option<f64> {
    match (name, second) {
        ("min", Some(second)) => Some(first.min(second)),
        ("max", Some(second)) => Some(first.max(second)),
        ("abs", None) => Some(first.abs()),
        ("round", None) => Some(first.round()),
        ("floor", None) => Some(first.floor()),
        ("ceil", None) => Some(first.ceil()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<f64, FormulaError> {
        let param = Param { value: 12.5, ..Param::length("Width", 12.5, 1.0, 100.0) };
        Expression::new(text)?.value(&BTreeMap::from([(ParamKey::known("width"), param)]))
    }

    #[test]
    fn formulas_have_the_value_of_school() {
        assert_eq!(value("1 + 2 * 3"), Ok(7.0));
        assert_eq!(value("-(width - 0.5) / 4"), Ok(-3.0));
        assert_eq!(value("max(width, 20) - min(3, 4) + floor(2.9)+ceil(0.1)"), Ok(20.0));
        assert_eq!(value("--2 - -2"), Ok(4.0));
        assert_eq!(value("round(width / 5) * abs(-2)"), Ok(6.0));
    }

    #[test]
    fn what_is_no_formula_says_where() {
        assert_eq!(value("1 +"), Err(FormulaError::Syntax(3)));
        assert_eq!(value("(1"), Err(FormulaError::Syntax(2)));
        assert_eq!(value("1 2"), Err(FormulaError::Syntax(2)));
        assert_eq!(value("1.2.3"), Err(FormulaError::Syntax(0)));
        assert_eq!(value("height"), Err(FormulaError::Unknown("height".to_owned())));
        assert_eq!(value("sin(1)"), Err(FormulaError::Unknown("sin".to_owned())));
        assert_eq!(value("1 / (width - 12.5)"), Err(FormulaError::NotFinite));
        assert_eq!(value(&"(".repeat(40)), Err(FormulaError::TooDeep));
        assert_eq!(value(&"1".repeat(300)), Err(FormulaError::TooLong));
    }
}
