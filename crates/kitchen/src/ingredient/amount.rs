//! The amount at the start of a line.

use super::lex::Token;
use crate::{
    number::Number,
    units::{Amount, CountUnit, Measure},
    words::{ABOUT, RANGE, SOME, Style, spoken},
};

/// What stood at the start of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leading {
    /// How much; of a range the most.
    pub amount: Option<Amount>,
    /// The least of a range.
    pub least: Option<Amount>,
    /// The number, where it counts the thing itself and no unit followed.
    pub bare: bool,
    /// A size beside it has said how much each is.
    pub sized: bool,
    /// Tokens that were read.
    pub read: usize,
    /// There were words for an amount that nobody knows, or a number that no unit fits.
    pub vague: bool,
}

/// A place in the tokens.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
    style: Style,
}

impl<'a> Cursor<'a> {
    pub const fn new(tokens: &'a [Token], style: Style) -> Self {
        Self { tokens, at: 0, style }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn word(&self) -> String {
        let word = self.peek().map(Token::lower).unwrap_or_default();
        word.trim_end_matches('.').to_owned()
    }

    fn skip(&mut self, words: &[&str]) {
        while words.contains(&self.word().as_str()) {
            self.at += 1;
        }
    }

    fn mark(&mut self, mark: char) -> bool {
        let found = self.peek().is_some_and(|token| token.is(mark));
        self.at += usize::from(found);
        found
    }

    /// A number in digits, or a word for one. "a dozen" is twelve, "half a" is half.
    fn number(&mut self) -> Option<Number> {
        if let Some(Token::Number(number)) = self.peek() {
            self.at += 1;
            return Some(*number);
        }
        let first = spoken(&self.word())?;
        self.at += 1;
        let article = |word: &str| matches!(word, "a" | "an" | "ein" | "eine" | "einen" | "one");
        let second = self.word();
        let more = spoken(&second).filter(|_| self.at > 0);
        match more {
            Some(number) if first == Number::ONE || article(&second) => {
                self.at += 1;
                first.times(number)
            }
            _ => Some(first),
        }
    }

    /// A unit, with its "of". "fl oz" are two words.
    fn unit(&mut self) -> Option<Measure> {
        let Some(Token::Word(word)) = self.peek() else { return None };
        let next = self.tokens.get(self.at + 1).map(Token::lower).unwrap_or_default();
        let fluid = matches!(word.to_lowercase().trim_end_matches('.'), "fl" | "fluid")
            && matches!(next.trim_end_matches('.'), "oz" | "ounce" | "ounces");
        let measure = if fluid { Measure::of_word("floz", self.style)? } else { Measure::of_word(word, self.style)? };
        // "1 Glas" is a jar, "2 c" a cup; but "1 head" ends a line that means something else.
        self.at += 1 + usize::from(fluid);
        if matches!(self.word().as_str(), "of" | "von" | "vom") {
            self.at += 1;
        }
        Some(measure)
    }

    /// `400 g`, `14-oz`.
    fn size(&mut self) -> Option<Amount> {
        let before = *self;
        self.skip(ABOUT);
        let size = self.number().and_then(|number| {
            self.mark('-');
            let measure = self.unit().filter(|measure| !matches!(measure, Measure::Count(_)))?;
            measure.times(number)
        });
        if size.is_none() {
            *self = before;
        }
        size
    }

    /// `(400 g)`, `(about 200 g each)`, `(7 oz / 200 g)`. Whether it says "each" comes with it.
    fn bracket(&mut self) -> Option<(Amount, bool)> {
        let before = *self;
        let found = self.mark('(').then(|| self.inside()).flatten();
        if found.is_none() {
            *self = before;
        }
        found
    }

    fn inside(&mut self) -> Option<(Amount, bool)> {
        let mut each = matches!(self.word().as_str(), "each" | "je" | "à");
        let mut size = self.size()?;
        while self.mark('/') || self.mark(',') || self.mark(';') {
            size = self.size()?;
        }
        if matches!(self.word().as_str(), "each" | "je") {
            (each, self.at) = (true, self.at + 1);
        }
        self.mark(')').then_some((size, each))
    }
}

fn many(each: Amount, count: Number) -> Option<Amount> {
    let (over, under) = count.parts();
    each.share_up(over, under)
}

/// Reads the amount at the start.
pub fn leading(tokens: &[Token], style: Style) -> Leading {
    let mut cursor = Cursor::new(tokens, style);
    cursor.skip(ABOUT);
    let some = SOME.contains(&cursor.word().as_str()) || (cursor.word() == "a" && is_some(tokens.get(cursor.at + 1)));
    if some {
        cursor.at += 1 + usize::from(cursor.word() == "a");
        cursor.skip(&["of", "more"]);
        // "a little", "ein paar Tropfen".
        return Leading { read: cursor.at, vague: true, ..Leading::default() };
    }
    let Some(least) = cursor.number() else { return Leading::default() };
    if is_some(cursor.peek()) {
        return Leading { read: cursor.at + 1, vague: true, ..Leading::default() };
    }
    let most = range(&mut cursor);
    // "3-2 eggs": whichever is more.
    let (least, number) = most.map_or((least, least), |most| (least.min(most), least.max(most)));
    let times = cursor.mark('x')
        || (cursor.word() == "x" && {
            cursor.at += 1;
            true
        });
    let mut found = counted(&mut cursor, number, times);
    if found.amount.is_some() && most.is_some() {
        found.least = scaled(found.amount, least, number);
    }
    found.read = cursor.at;
    found
}

fn is_some(token: Option<&Token>) -> bool {
    token.is_some_and(|token| SOME.contains(&token.lower().as_str()))
}

/// The other end of `2-3`, `2 to 3`.
fn range(cursor: &mut Cursor<'_>) -> Option<Number> {
    let before = *cursor;
    let between = cursor.mark('-') || {
        let word = RANGE.contains(&cursor.word().as_str());
        cursor.at += usize::from(word);
        word
    };
    let other = if between { cursor.number() } else { None };
    // "1 -inch": a stroke is no range by itself.
    if other.is_none() {
        *cursor = before;
    }
    other
}

fn scaled(amount: Option<Amount>, least: Number, most: Number) -> Option<Amount> {
    let ((a, b), (c, d)) = (least.parts(), most.parts());
    let share = amount?.share_up(a.checked_mul(d)?, b.checked_mul(c)?)?;
    (share <= amount?).then_some(share)
}

/// What follows the number: a unit, a size and what it is the size of, or nothing.
fn counted(cursor: &mut Cursor<'_>, number: Number, times: bool) -> Leading {
    cursor.skip(ABOUT);
    // "2 x 400 g cans", "2 400 g cans", "1 (14 oz) can".
    let before = *cursor;
    let size = cursor.bracket().map(|(size, _)| size).or_else(|| cursor.size());
    if let Some(size) = size {
        let held = cursor.unit().is_some();
        if times || held {
            return Leading { amount: many(size, number), sized: true, ..Leading::default() };
        }
        *cursor = before;
    }
    cursor.mark('-');
    let Some(measure) = cursor.unit() else {
        let pieces = Measure::Count(CountUnit::Piece).times(number);
        return Leading { amount: pieces, bare: true, vague: pieces.is_none(), ..Leading::default() };
    };
    let Some(mut amount) = measure.times(number) else { return Leading { vague: true, ..Leading::default() } };
    while let Some(more) = addition(cursor, amount) {
        amount = more;
    }
    // "200g/7oz": the second says the same again.
    let slash = *cursor;
    if cursor.mark('/') && cursor.size().is_none() {
        *cursor = slash;
    }
    let before = *cursor;
    let mut sized = false;
    if let Some((size, each)) = cursor.bracket() {
        let holds = matches!(measure, Measure::Count(unit) if unit.holds());
        let better = if holds || each { many(size, number) } else { Some(size) };
        match (better, amount) {
            (Some(better), Amount::Count { .. }) => (amount, sized) = (better, true),
            (Some(better @ Amount::Mass(_)), Amount::Volume(_)) => (amount, sized) = (better, true),
            (Some(_), _) => {}
            (None, _) => *cursor = before,
        }
    }
    Leading { amount: Some(amount), sized, ..Leading::default() }
}

/// `plus 2 tablespoons`.
fn addition(cursor: &mut Cursor<'_>, amount: Amount) -> Option<Amount> {
    let before = *cursor;
    let word = cursor.word();
    let plus = cursor.mark('+') || {
        let said = matches!(word.as_str(), "plus" | "and" | "und");
        cursor.at += usize::from(said);
        said
    };
    let sum = if plus { cursor.size().and_then(|more| amount.plus(more)) } else { None };
    if sum.is_none() {
        *cursor = before;
    }
    sum
}

/// An amount in brackets somewhere behind the name: `1 onion (about 200 g)`.
pub fn behind(tokens: &[Token], style: Style) -> Option<(Amount, bool)> {
    (0..tokens.len()).filter(|at| tokens.get(*at).is_some_and(|token| token.is('('))).find_map(|at| {
        let mut cursor = Cursor::new(tokens.get(at..)?, style);
        cursor.bracket()
    })
}
