//! Maps whose copies share what they have in common: a batch keeps what was before it while a million twins are known.

use std::{
    borrow::Borrow,
    fmt,
    ops::{Bound, Index, RangeBounds},
};

use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map in the order of its keys. A copy costs nothing; a change costs a path from the root, however many copies
/// there are.
///
/// ```
/// use vestibule_enabler_core::Map;
/// let mut map: Map<&str, u32> = Map::default();
/// map.insert("a", 1);
/// let before = map.clone();
/// map.insert("b", 2);
/// assert_eq!((before.len(), map.len(), map["b"]), (1, 2, 2));
/// ```
#[derive(PartialEq, Eq)]
pub struct Map<K: Ord, V>(RedBlackTreeMapSync<K, V>);

impl<K: Ord, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Ord, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter()).finish()
    }
}

impl<K: Ord, V> Map<K, V> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.size()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `key` stands for.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// Whether `key` is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// The first one.
    #[must_use]
    pub fn first(&self) -> Option<(&K, &V)> {
        self.0.first()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter()
    }

    /// Their keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }

    /// What they stand for, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.values()
    }

    /// Those with keys in a range, in order. Costs what it gives, not what is there.
    pub fn range<'a, Q: Ord + ?Sized + 'a>(
        &'a self,
        range: impl RangeBounds<Q> + 'a,
    ) -> impl Iterator<Item = (&'a K, &'a V)>
    where
        K: Borrow<Q>,
    {
        self.0.range(range)
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// Puts `value` in the place of `key`.
    pub fn insert(&mut self, key: K, value: V) {
        self.0.insert_mut(key, value);
    }

    /// Takes `key` out; whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove_mut(key)
    }

    /// What `key` stands for, to change it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        // The path is copied only where there is something to change.
        if self.0.contains_key(key) { self.0.get_mut(key) } else { None }
    }
}

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for Map<K, V> {
    type Output = V;
    fn index(&self, key: &Q) -> &V {
        &self.0[key]
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::default();
        pairs.into_iter().for_each(|(key, value)| map.insert(key, value));
        map
    }
}

impl<K: Ord + Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Pairs: keys are not always texts.
        serializer.collect_seq(self.0.iter())
    }
}

impl<'de, K: Ord + Clone + Deserialize<'de>, V: Clone + Deserialize<'de>> Deserialize<'de> for Map<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<K, V>(std::marker::PhantomData<(K, V)>);
        impl<'de, K: Ord + Clone + Deserialize<'de>, V: Clone + Deserialize<'de>> serde::de::Visitor<'de> for Pairs<K, V> {
            type Value = Map<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("pairs of keys and values")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut pairs: A) -> Result<Self::Value, A::Error> {
                let mut map = Map::default();
                while let Some((key, value)) = pairs.next_element()? {
                    map.insert(key, value);
                }
                Ok(map)
            }
        }
        deserializer.deserialize_seq(Pairs(std::marker::PhantomData))
    }
}

/// Keys that begin with `prefix`, those after one of them where one is given.
pub(crate) struct Prefixed {
    start: Bound<String>,
    end: String,
}

impl Prefixed {
    /// The ids of a system's twins: they begin with its id and a `/`, whose successor in every text's order is `0`.
    pub(crate) fn twins_of(system: &str, after: Option<&str>) -> Self {
        let first = [system, "/"].concat();
        let start = match after {
            Some(after) if after > first.as_str() => Bound::Excluded(after.to_owned()),
            _ => Bound::Included(first),
        };
        // A start beyond the end would be no range.
        let end = [system, "0"].concat();
        match start {
            Bound::Excluded(after) if after >= end => Self { start: Bound::Included(end.clone()), end },
            start => Self { start, end },
        }
    }
}

impl RangeBounds<str> for Prefixed {
    fn start_bound(&self) -> Bound<&str> {
        self.start.as_ref().map(String::as_str)
    }

    fn end_bound(&self) -> Bound<&str> {
        Bound::Excluded(&self.end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_and_its_copies_stand_still(
            changes in proptest::collection::vec((any::<bool>(), 0_u8..40, any::<u8>()), 0..200),
            copied in 0_usize..200,
        ) {
            let (mut map, mut plain) = (Map::default(), BTreeMap::new());
            let (mut copy, mut then) = (map.clone(), plain.clone());
            for (number, (insert, key, value)) in changes.into_iter().enumerate() {
                if number == copied {
                    (copy, then) = (map.clone(), plain.clone());
                }
                if insert {
                    map.insert(key, value);
                    plain.insert(key, value);
                } else {
                    prop_assert_eq!(map.remove(&key), plain.remove(&key).is_some());
                }
                if let Some(there) = map.get_mut(&(key / 2)) {
                    *there = 7;
                    plain.insert(key / 2, 7);
                }
            }
            prop_assert!(map.iter().eq(plain.iter()) && map.len() == plain.len());
            prop_assert!(map.range(10..20).eq(plain.range(10..20)));
            if copied < 200 {
                prop_assert!(copy.iter().eq(then.iter()), "what was copied stays what it was");
            }
            let bytes = serde_json::to_vec(&map).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Map<u8, u8>>(&bytes).unwrap(), map);
        }

        #[test]
        fn a_system_s_twins_are_a_range(ids in proptest::collection::btree_set("[ab]{1,2}[-.0]?/[a-c0-]{1,2}", 0..40), after in "[ab]{1,2}/?[a-c]{0,2}") {
            let map: Map<String, ()> = ids.iter().map(|id| (id.clone(), ())).collect();
            for system in ["a", "ab", "b", "a-", "a0"] {
                let naive = ids.iter().filter(|id| id.starts_with(&format!("{system}/")));
                prop_assert!(map.range::<str>(Prefixed::twins_of(system, None)).map(|(id, ())| id).eq(naive.clone()));
                let later = naive.filter(|id| **id > after);
                prop_assert!(map.range::<str>(Prefixed::twins_of(system, Some(&after))).map(|(id, ())| id).eq(later));
            }
        }
    }
}
