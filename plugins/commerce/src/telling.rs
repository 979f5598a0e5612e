//! How far a merchant is told who buys, and where it goes: chosen, given to the enabler, named in a call. Pure.

use vestibule_model::ContentHash;
use vestibule_twin::{AddressBook, AddressEntry, Given, Giving, KnownPurchases, ShopTold};

use crate::{ids::Ids, person};

/// Where the document about the person is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// There is none.
    #[default]
    Here,
    /// On its way to this enabler. `lost`: the connection is.
    Giving { to: String, document: ContentHash, lost: bool },
    /// This enabler has it, and the merchant is told so far.
    Given { by: String, document: ContentHash, told: ShopTold },
}

/// What came of following it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Nothing,
    /// The enabler has the document: the merchant can be told of it.
    There,
    /// It has to be sent anew, and why.
    Back(String),
}

/// The address of a cart, and who was told of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Telling {
    /// Its place in the book, and how many stood there; none: it is not in it any more.
    place: Option<(usize, usize)>,
    /// The address as it is told.
    entry: Option<AddressEntry>,
    stage: Stage,
}

impl Telling {
    /// It goes to this one of so many. Nothing leaves by this. Whether the merchant may have another one.
    pub(crate) fn choose(&mut self, place: usize, of: usize, entry: &AddressEntry) -> bool {
        let told = self.document().is_some();
        *self = Self { place: Some((place, of)), entry: Some(entry.clone()), stage: Stage::Here };
        told
    }

    /// The book may be another. As long as nothing has left, it goes where the chosen address is by now, and nowhere where
    /// that was removed.
    pub(crate) fn look(&mut self, book: &AddressBook) {
        if self.entry.is_none() {
            return;
        }
        let now = book.addresses.len();
        self.place = match (self.address(book), self.place) {
            (Some(place), _) => Some((place, now)),
            // One was removed, and this one is not there any more as it was.
            (None, Some((_, of))) if now < of => None,
            (None, place) => place.map(|(place, _)| (place, now)),
        };
        if self.stage == Stage::Here {
            self.entry = self.place.and_then(|(place, _)| book.addresses.get(place).cloned());
        }
    }

    /// Where it is in the book, as it is told.
    pub(crate) fn address(&self, book: &AddressBook) -> Option<usize> {
        let entry = self.entry.as_ref()?;
        let as_before = self.place.map(|(place, _)| place).filter(|place| book.addresses.get(*place) == Some(entry));
        as_before.or_else(|| book.addresses.iter().position(|one| one == entry))
    }

    /// The address as it is told.
    pub(crate) const fn entry(&self) -> Option<&AddressEntry> {
        self.entry.as_ref()
    }

    /// What the merchant would be told of the person by the next press.
    pub(crate) fn leaves(&self) -> Vec<(String, String)> {
        self.entry.as_ref().filter(|_| self.stage == Stage::Here).map(person::leaves).unwrap_or_default()
    }

    /// The document, for this enabler; nothing where it is on its way or there already.
    ///
    /// # Errors
    /// Why nothing is sent, for a person.
    pub(crate) fn send(&mut self, ids: &mut Ids, enabler: &str, connected: bool) -> Result<Option<Given>, String> {
        let Some(entry) = self.entry.as_ref().filter(|_| self.stage == Stage::Here) else { return Ok(None) };
        if let Some(lacks) = person::lacks(entry) {
            return Err(lacks);
        }
        if !connected {
            return Err("The enabler cannot be reached, so your address was not sent.".to_owned());
        }
        let document = person::document(entry, ids.salt());
        self.stage = Stage::Giving { to: enabler.to_owned(), document: document.hash, lost: false };
        Ok(Some(document))
    }

    pub(crate) const fn is_giving(&self) -> bool {
        matches!(self.stage, Stage::Giving { .. })
    }

    /// The document that the enabler has: calls name it.
    pub(crate) const fn document(&self) -> Option<ContentHash> {
        if let Stage::Given { document, .. } = &self.stage { Some(*document) } else { None }
    }

    /// What became of what was given, as far as it was given to the enabler that answers now.
    pub(crate) fn follow(&mut self, known: &KnownPurchases, enabler: &str) -> Came {
        let (whose, document) = match &self.stage {
            Stage::Here => return Came::Nothing,
            Stage::Giving { to, document, .. } => (to.clone(), *document),
            Stage::Given { by, document, .. } => (by.clone(), *document),
        };
        if whose != enabler {
            self.stage = Stage::Here;
            return Came::Back(format!(
                "Your address went to {whose}, and {enabler} answers now: send it again. {whose} may still have it."
            ));
        }
        let Stage::Giving { lost, .. } = &mut self.stage else { return Came::Nothing };
        let why = match known.given.get(&document).filter(|_| known.given_to == whose) {
            None => return Came::Nothing,
            Some(Giving::Under(..)) => {
                *lost = false;
                return Came::Nothing;
            }
            Some(Giving::Lost(_)) => {
                *lost = true;
                return Came::Nothing;
            }
            Some(Giving::There) => {
                self.stage = Stage::Given { by: whose, document, told: ShopTold::OnItsWay };
                return Came::There;
            }
            Some(Giving::NotSent(why)) => format!("Your address was not sent: {why}"),
            Some(Giving::Refused(why)) => {
                format!("The enabler heard your address and did not keep it; the merchant was told nothing. {why}")
            }
        };
        self.stage = Stage::Here;
        Came::Back(why)
    }

    /// A call that named this document was answered by the merchant, or nobody knows whether it arrived.
    pub(crate) fn answered(&mut self, named: ContentHash, heard: bool) {
        if let Stage::Given { document, told, .. } = &mut self.stage
            && *document == named
            && *told != ShopTold::Told
        {
            *told = if heard { ShopTold::Told } else { ShopTold::Unsure };
        }
    }

    /// Whether the merchant knows.
    pub(crate) const fn told(&self) -> ShopTold {
        match &self.stage {
            Stage::Here => ShopTold::Nothing,
            Stage::Giving { .. } => ShopTold::OnItsWay,
            Stage::Given { told, .. } => *told,
        }
    }

    /// What is to be said of it while it is on its way.
    pub(crate) fn problem(&self) -> Option<String> {
        let is_lost = matches!(self.stage, Stage::Giving { lost: true, .. });
        is_lost.then(|| {
            "The connection was lost while your address was handed over: the enabler may have it, the merchant was told \
             nothing. It goes on when the enabler answers; choose an address again to stop that."
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{Refusal, RefusalCode};

    use super::*;
    use crate::person::tests::home;

    const HERE: &str = "this computer";

    /// An address that was sent, its document, and what is known.
    fn sent() -> (Telling, ContentHash, KnownPurchases) {
        let mut telling = Telling::default();
        assert!(!telling.choose(0, 1, &home()), "nobody was told before");
        let given = telling.send(&mut Ids::new([1; 16]), HERE, true).unwrap().unwrap();
        let known = KnownPurchases { given_to: HERE.to_owned(), ..KnownPurchases::default() };
        assert!(telling.is_giving() && telling.leaves().is_empty() && telling.told() == ShopTold::OnItsWay);
        (telling, given.hash, known)
    }

    fn no(code: RefusalCode) -> Refusal {
        Refusal::new(code, "so it is")
    }

    #[test]
    fn what_never_left_says_so() {
        let mut telling = Telling::default();
        telling.choose(0, 1, &home());
        let why = telling.send(&mut Ids::new([1; 16]), HERE, false).unwrap_err();
        assert!(why.contains("was not sent") && !telling.leaves().is_empty(), "{why}");
        let (mut telling, document, mut known) = sent();
        known.given.insert(document, Giving::NotSent(no(RefusalCode::Overloaded)));
        let Came::Back(why) = telling.follow(&known, HERE) else { panic!() };
        assert!(why.contains("was not sent: so it is"), "{why}");
        assert!(!telling.leaves().is_empty() && telling.told() == ShopTold::Nothing, "it can be sent again");
    }

    #[test]
    fn what_was_lost_on_the_way_may_be_there_and_goes_on() {
        let (mut telling, document, mut known) = sent();
        known.given.insert(document, Giving::Lost(no(RefusalCode::Unavailable)));
        assert_eq!(telling.follow(&known, HERE), Came::Nothing);
        let why = telling.problem().unwrap();
        assert!(why.contains("the enabler may have it") && why.contains("the merchant was told nothing"), "{why}");
        assert_eq!((telling.told(), telling.document()), (ShopTold::OnItsWay, None));
        known.given.insert(document, Giving::Under(0, 9));
        assert_eq!((telling.follow(&known, HERE), telling.problem()), (Came::Nothing, None));
        known.given.insert(document, Giving::There);
        assert_eq!(telling.follow(&known, HERE), Came::There);
        assert_eq!((telling.document(), telling.follow(&known, HERE)), (Some(document), Came::Nothing), "once");
    }

    #[test]
    fn what_is_refused_was_heard_by_the_enabler_and_by_no_merchant() {
        let (mut telling, document, mut known) = sent();
        known.given.insert(document, Giving::Refused(no(RefusalCode::Storage)));
        let Came::Back(why) = telling.follow(&known, HERE) else { panic!() };
        assert!(why.contains("did not keep it") && why.contains("the merchant was told nothing"), "{why}");
    }

    #[test]
    fn another_enabler_s_answer_is_not_taken_for_this_one_s() {
        let (mut telling, document, mut known) = sent();
        known.given.insert(document, Giving::There);
        known.given_to = "hub.local".to_owned();
        assert_eq!(telling.follow(&known, HERE), Came::Nothing, "that one has it, this one has not said so");
        let Came::Back(why) = telling.follow(&known, "hub.local") else { panic!() };
        assert!(why.contains("went to this computer, and hub.local answers now"), "{why}");
        // One that this enabler has is none that the next one could give to a merchant.
        let (mut telling, document, mut known) = sent();
        known.given.insert(document, Giving::There);
        assert_eq!(telling.follow(&known, HERE), Came::There);
        assert!(matches!(telling.follow(&known, "hub.local"), Came::Back(_)));
        assert_eq!((telling.document(), telling.told()), (None, ShopTold::Nothing));
    }

    #[test]
    fn a_merchant_has_it_when_it_has_answered() {
        let (mut telling, document, mut known) = sent();
        telling.answered(document, true);
        assert_eq!(telling.told(), ShopTold::OnItsWay, "the enabler does not have it");
        known.given.insert(document, Giving::There);
        telling.follow(&known, HERE);
        telling.answered(ContentHash([9; 32]), true);
        assert_eq!(telling.told(), ShopTold::OnItsWay, "that was about the address before");
        telling.answered(document, false);
        assert_eq!(telling.told(), ShopTold::Unsure);
        telling.answered(document, true);
        telling.answered(document, false);
        assert_eq!(telling.told(), ShopTold::Told, "it does not forget");
        assert!(telling.choose(0, 1, &home()), "it has the old one");
    }

    #[test]
    fn the_book_says_where_it_goes_until_something_has_left() {
        let entry = |label: &str| AddressEntry { label: label.to_owned(), ..home() };
        let book = |labels: &[&str]| AddressBook { addresses: labels.iter().map(|label| entry(label)).collect() };
        let chosen = || {
            let mut telling = Telling::default();
            telling.choose(1, 3, &entry("Home"));
            telling
        };
        let goes = |telling: &Telling| telling.entry().map(|entry| entry.label.clone());
        let mut telling = chosen();
        for (labels, place) in [
            (&["Boat", "Home", "Office"][..], 1),
            (&["Home", "Office"][..], 0),
            (&["Home, new", "Office"][..], 0),
            (&["Home, new", "Office", "Hut"][..], 0),
        ] {
            telling.look(&book(labels));
            assert_eq!((telling.address(&book(labels)), goes(&telling)), (Some(place), Some(labels[place].to_owned())));
        }
        // It was removed: another one is not taken for it.
        let mut telling = chosen();
        telling.look(&book(&["Boat", "Office"]));
        assert!(goes(&telling).is_none() && telling.leaves().is_empty());
        // What has left stays what it was.
        for labels in [&["Boat", "Home, new", "Office"][..], &["Boat", "Office"]] {
            let mut telling = chosen();
            telling.send(&mut Ids::new([1; 16]), HERE, true).unwrap().unwrap();
            telling.look(&book(labels));
            assert_eq!((telling.address(&book(labels)), goes(&telling)), (None, Some("Home".to_owned())));
        }
    }
}
