//! Places for whoever waits long: few for everybody, fewer for each user.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vestibule_model::UserId;

/// Whose account something goes on: a user's, or that of all who bear a token of that user. Tokens are narrowed and
/// renamed without asking, so counting each of them would count nobody; and no guest takes places from their host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Account(String);

impl Account {
    /// Of this user, or bearer.
    pub(crate) fn of(user: &UserId) -> Self {
        Self(match user.as_str().split_once(':') {
            Some((delegator, _)) => format!("{delegator}:"),
            None => user.to_string(),
        })
    }
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<Account, usize>,
}

/// Gives out places.
#[derive(Debug)]
pub(crate) struct Shares {
    most: usize,
    most_each: usize,
    taken: Mutex<Taken>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// This account has as many as it can have.
    Yours,
    /// Everybody together has.
    Everybodys,
}

/// A place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    account: Account,
}

impl Shares {
    pub(crate) fn new(most: usize, most_each: usize) -> Arc<Self> {
        Arc::new(Self { most, most_each, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place on this account.
    pub(crate) fn take(self: &Arc<Self>, account: Account) -> Result<Share, Full> {
        let mut taken = self.taken();
        let mine = taken.each.get(&account).copied().unwrap_or_default();
        if mine >= self.most_each {
            return Err(Full::Yours);
        }
        if taken.all >= self.most {
            return Err(Full::Everybodys);
        }
        taken.all += 1;
        taken.each.insert(account.clone(), mine + 1);
        Ok(Share { shares: self.clone(), account })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        taken.all -= 1;
        let left = taken.each.get(&self.account).map_or(0, |mine| mine - 1);
        if left == 0 {
            taken.each.remove(&self.account);
        } else {
            taken.each.insert(self.account.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_all_bearers_of_ones_tokens_are_one() {
        let shares = Shares::new(5, 2);
        let take = |user: &str| shares.take(Account::of(&UserId::slug(user)));
        let ada = [take("ada").unwrap(), take("ada").unwrap()];
        assert_eq!(take("ada").unwrap_err(), Full::Yours);
        let guests = [take("ada:postman").unwrap(), take("ada:baker").unwrap()];
        assert_eq!(take("ada:sweep").unwrap_err(), Full::Yours, "however they are called");
        let bob = take("bob").unwrap();
        assert_eq!(take("eve").unwrap_err(), Full::Everybodys);
        drop(ada);
        assert!(take("eve").is_ok() && take("ada:sweep").is_err());
        drop((guests, bob));
        assert!(shares.taken().each.is_empty() && shares.taken().all == 0, "nobody is remembered");
    }
}
