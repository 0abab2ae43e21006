//! A bounded memory: past its bound the oldest goes, so that nobody chooses what is forgotten.

use std::collections::{BTreeMap, VecDeque};

#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    values: BTreeMap<K, V>,
    /// Keys in the order in which they came.
    order: VecDeque<K>,
    most: usize,
}

impl<K: Ord + Copy, V> Recent<K, V> {
    pub(crate) fn up_to(most: usize) -> Self {
        Recent { values: BTreeMap::new(), order: VecDeque::new(), most }
    }

    pub(crate) fn find(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.order.clear();
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.values.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > self.most {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.values.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_whatever_its_key() {
        let mut recent = Recent::up_to(3);
        for key in [5, 1, 9, 0, 1] {
            recent.insert(key, key);
        }
        let kept: Vec<_> = [5, 1, 9, 0].into_iter().filter(|key| recent.find(key).is_some()).collect();
        assert_eq!(kept, [1, 9, 0]);
        assert_eq!((recent.values.len(), recent.order.len()), (3, 3));
    }
}
