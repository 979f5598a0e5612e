//! People's names, kept apart from what is written about them for ever.
//!
//! A log that must not be changed and a person who may be forgotten go together when the log never had the name: inside
//! of [`NameBook::scope`] every [`UserId`](crate::UserId) and every [`personal`] text is written as the commitment
//! `BLAKE3(salt, text)`, and the book has salt and text. Who has both can check that a name belongs to a line; once the
//! book has forgotten them, nobody can tell whose line it was. The salt of a person's id also is what their [`sealed`]
//! payloads are read with: they go with it.
//!
//! [`sealed`]: crate::sealed

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::ids::{IdError, from_hex, hex_serde};

/// What a text that was erased reads as.
pub const ERASED: &str = "erased";
const USER: &str = "p:";
const TEXT: &str = "t:";
const ALIAS: &str = "a:";
/// What begins the id of a user whose name was erased; their pseudonym follows.
const ERASED_USER: &str = "erased:";

/// The commitment that stands in place of a personal text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 16]);

hex_serde!(Commitment, 16);

impl Commitment {
    /// The commitment to `text` under `salt`: without the salt it says nothing, with it it fits no other text.
    #[must_use]
    pub fn of(salt: &[u8; 32], text: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"vestibule name 1");
        hasher.update(salt);
        hasher.update(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(bytes)
    }

    fn read(text: &str, kind: &str) -> Option<Self> {
        text.strip_prefix(kind)?.parse().ok()
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({self})")
    }
}

impl std::str::FromStr for Commitment {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        from_hex(text).map(Self)
    }
}

/// A personal text and what its commitment was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// What is written in its place.
    pub pseudonym: Commitment,
    /// Whose it is: the pseudonym of their user id.
    pub person: Commitment,
    /// 32 random bytes. Of a person's id: also what opens everything that is sealed as theirs.
    pub salt: [u8; 32],
    /// The text.
    pub text: String,
}

impl Name {
    /// Whether the commitment is to this text.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.pseudonym == Commitment::of(&self.salt, &self.text)
    }

    /// Whether this is a user id.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.pseudonym == self.person
    }

    /// Whether it says who `person` is: their own id and texts, and the ids of those who acted in their stead, which
    /// begin with theirs.
    #[must_use]
    pub fn tells_of(&self, person: &Self) -> bool {
        let after = self.text.strip_prefix(&person.text).filter(|_| self.is_user());
        self.person == person.pseudonym || after.is_some_and(|rest| rest.starts_with(':'))
    }
}

/// Which text each pseudonym stands for, until it is forgotten.
#[derive(Clone)]
pub struct NameBook {
    texts: HashMap<Commitment, Name>,
    users: HashMap<String, Commitment>,
    personal: BTreeMap<(Commitment, String), Commitment>,
    /// Every text that belongs to a person, whoever is spoken of: what others call them is found by itself.
    aliases: HashMap<String, Commitment>,
    /// Made since they were last taken to be written down.
    fresh: Vec<Name>,
    /// The person who was last written in this scope: the text that follows is theirs.
    current: Option<Commitment>,
    salt: fn() -> [u8; 32],
}

impl fmt::Debug for NameBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names have no place in a program's own log.
        write!(f, "NameBook({} names)", self.texts.len())
    }
}

thread_local! {
    // serde passes no context to what it writes and reads; this is its stand-in, for the time of one call of `scope`.
    static OPEN: RefCell<Option<NameBook>> = const { RefCell::new(None) };
}

/// Takes the book back, also where what ran in its scope panicked.
struct Scope<'a>(&'a mut NameBook);

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Some(book) = OPEN.with_borrow_mut(Option::take) {
            *self.0 = book;
        }
        self.0.current = None;
    }
}

impl NameBook {
    /// An empty book; `salt` gives 32 random bytes each time.
    #[must_use]
    pub fn new(salt: fn() -> [u8; 32]) -> Self {
        Self {
            texts: HashMap::new(),
            users: HashMap::new(),
            personal: BTreeMap::new(),
            aliases: HashMap::new(),
            fresh: Vec::new(),
            current: None,
            salt,
        }
    }

    /// Takes a name that was written down; `false` where it is not what its pseudonym was made of.
    pub fn insert(&mut self, name: Name) -> bool {
        if !name.is_sound() {
            return false;
        }
        if name.is_user() {
            self.users.insert(name.text.clone(), name.pseudonym);
        } else {
            self.personal.insert((name.person, name.text.clone()), name.pseudonym);
            self.aliases.insert(name.text.clone(), name.pseudonym);
        }
        self.texts.insert(name.pseudonym, name);
        true
    }

    /// Has everything that `work` writes be written with pseudonyms, and what it reads be read with names.
    pub fn scope<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let book = std::mem::replace(self, Self::new(self.salt));
        OPEN.with_borrow_mut(|open| *open = Some(book));
        let scope = Scope(self);
        let result = work();
        drop(scope);
        result
    }

    /// Names that were made since the last call; they must be durable before what was written with them.
    pub fn take_fresh(&mut self) -> Vec<Name> {
        std::mem::take(&mut self.fresh)
    }

    /// Names that could not be made durable after all.
    pub fn return_fresh(&mut self, names: Vec<Name>) {
        self.fresh.extend(names);
    }

    /// The pseudonym of a user; `None` where nothing was written about them, or they were forgotten.
    #[must_use]
    pub fn user(&self, user: &str) -> Option<Commitment> {
        self.users.get(user).copied()
    }

    /// Forgets everything of a person. What was written about them reads as erased from now on.
    pub fn forget(&mut self, person: Commitment) {
        let Some(known) = self.texts.get(&person).cloned() else { return };
        self.texts.retain(|_, name| !name.tells_of(&known));
        let texts = &self.texts;
        self.users.retain(|_, pseudonym| texts.contains_key(pseudonym));
        self.personal.retain(|_, pseudonym| texts.contains_key(pseudonym));
        self.aliases.retain(|_, pseudonym| texts.contains_key(pseudonym));
        self.fresh.retain(|name| !name.tells_of(&known));
    }

    fn make(&mut self, person: Option<Commitment>, text: &str) -> Commitment {
        let salt = (self.salt)();
        let pseudonym = Commitment::of(&salt, text);
        let name = Name { pseudonym, person: person.unwrap_or(pseudonym), salt, text: text.to_owned() };
        self.fresh.push(name.clone());
        self.insert(name);
        pseudonym
    }

    fn seal_user(&mut self, user: &str) -> String {
        let erased = Commitment::read(user, ERASED_USER);
        let known = erased.or_else(|| self.user(user));
        let pseudonym = known.unwrap_or_else(|| self.make(None, user));
        self.current = Some(pseudonym);
        format!("{USER}{pseudonym}")
    }

    fn seal_text(&mut self, text: &str) -> String {
        let Some(person) = self.current.filter(|_| text != ERASED) else { return text.to_owned() };
        if self.open_user(person) == text {
            // Who has no other name is called as their id is.
            return format!("{USER}{person}");
        }
        let known = self.personal.get(&(person, text.to_owned())).copied();
        format!("{TEXT}{}", known.unwrap_or_else(|| self.make(Some(person), text)))
    }

    /// What others call a person: theirs who is spoken of when it is first written. `None`: nobody is.
    fn seal_alias(&mut self, alias: &str) -> Option<String> {
        let erased = Commitment::read(alias, ERASED_USER);
        let known = erased.or_else(|| self.aliases.get(alias).copied());
        let commitment = known.or_else(|| self.current.map(|person| self.make(Some(person), alias)))?;
        Some(format!("{ALIAS}{commitment}"))
    }

    /// Whose what is written now is.
    fn owner(&self) -> Option<Owner> {
        let person = self.current?;
        Some(self.key(person).map_or(Owner::Erased, |key| Owner::Person(person, key)))
    }

    /// What opens what is sealed as theirs; `None`: they were forgotten.
    fn key(&self, person: Commitment) -> Option<[u8; 32]> {
        let known = self.texts.get(&person).filter(|name| name.is_user())?;
        Some(blake3::derive_key("vestibule 2026-11-26 sealed payloads of a person", &known.salt))
    }

    fn open(&self, pseudonym: Commitment) -> Option<String> {
        self.texts.get(&pseudonym).map(|name| name.text.clone())
    }

    fn open_user(&self, pseudonym: Commitment) -> String {
        self.open(pseudonym).unwrap_or_else(|| erased_user(pseudonym))
    }
}

/// Whose something is that is being written.
pub(crate) enum Owner {
    /// Theirs, with what seals it.
    Person(Commitment, [u8; 32]),
    /// Somebody's who was forgotten.
    Erased,
}

/// Whose what is written now is; `None`: nobody's, or no scope is open.
pub(crate) fn owner() -> Option<Owner> {
    with_book(|book| book.owner()).flatten()
}

/// What opens what is sealed as `person`'s: `None` outside of a scope, nothing inside of it where they were forgotten.
pub(crate) fn key_of(person: Commitment) -> Option<Option<[u8; 32]>> {
    with_book(|book| book.key(person))
}

/// The id that a user has once their name was erased.
#[must_use]
pub fn erased_user(pseudonym: Commitment) -> String {
    format!("{ERASED_USER}{pseudonym}")
}

/// Whether this is the id of a user whose name was erased: nobody else may take it.
#[must_use]
pub fn is_erased(user: &str) -> bool {
    Commitment::read(user, ERASED_USER).is_some()
}

fn with_book<T>(work: impl FnOnce(&mut NameBook) -> T) -> Option<T> {
    OPEN.with_borrow_mut(|open| open.as_mut().map(work))
}

pub(crate) fn sealed_user(user: &str) -> Option<String> {
    with_book(|book| book.seal_user(user))
}

pub(crate) fn opened_user(text: String) -> String {
    // A line from before names were kept apart has the name itself.
    let Some(pseudonym) = Commitment::read(&text, USER) else { return text };
    with_book(|book| book.open_user(pseudonym)).unwrap_or(text)
}

pub(crate) fn sealed_alias(alias: &str) -> Option<String> {
    with_book(|book| book.seal_alias(alias)).flatten()
}

pub(crate) fn opened_alias(text: String) -> String {
    let Some(commitment) = Commitment::read(&text, ALIAS) else { return text };
    with_book(|book| book.open_user(commitment)).unwrap_or(text)
}

/// For `#[serde(with = "personal")]`: a text that belongs to the user who is written just before it.
pub mod personal {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Commitment, ERASED, TEXT, USER, with_book};

    /// Writes the text, or its pseudonym inside of a scope.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        match with_book(|book| book.seal_text(text)) {
            Some(token) => serializer.serialize_str(&token),
            None => serializer.serialize_str(text),
        }
    }

    /// Reads the text; [`ERASED`] where it was forgotten.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer).map(opened)
    }

    fn opened(text: String) -> String {
        if let Some(person) = Commitment::read(&text, USER) {
            return with_book(|book| book.open_user(person)).unwrap_or(text);
        }
        let Some(commitment) = Commitment::read(&text, TEXT) else { return text };
        with_book(|book| book.open(commitment).unwrap_or_else(|| ERASED.to_owned())).unwrap_or(text)
    }

    /// The same for a text that may not be there.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use super::{opened, with_book};

        /// Writes the text, or its pseudonym inside of a scope.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
            let sealed = text.as_ref().and_then(|text| with_book(|book| book.seal_text(text)));
            sealed.as_ref().or(text.as_ref()).serialize(serializer)
        }

        /// Reads the text; [`ERASED`](crate::ERASED) where it was forgotten.
        ///
        /// # Errors
        /// Those of the deserializer.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.map(opened))
        }
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
