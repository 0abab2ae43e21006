//! Keeping both: a text that one person edited in an editor while others went on.

/// The replacement of one stretch of a text. Positions count code points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Splice {
    /// Where it begins.
    pub(crate) at: usize,
    /// How much it removes.
    pub(crate) delete: usize,
    /// What it adds there.
    pub(crate) insert: String,
}

impl Splice {
    /// The shortest one that makes `new` of `old`.
    pub(crate) fn between(old: &str, new: &str) -> Self {
        let alike = |(old, new): &(char, char)| old == new;
        let (old_length, new_length) = (old.chars().count(), new.chars().count());
        let before = old.chars().zip(new.chars()).take_while(alike).count();
        let room = old_length.min(new_length) - before;
        let after = old.chars().rev().zip(new.chars().rev()).take(room).take_while(alike).count();
        Splice {
            at: before,
            delete: old_length - before - after,
            insert: new.chars().skip(before).take(new_length - before - after).collect(),
        }
    }

    /// How many code points it removes and adds.
    pub(crate) fn size(&self) -> usize {
        self.delete + self.insert.chars().count()
    }

    /// The first part of it, with at most so many code points.
    pub(crate) fn first(&self, most: usize) -> Self {
        let delete = self.delete.min(most);
        let insert = self.insert.chars().take(most - delete).collect();
        Splice { at: self.at, delete, insert }
    }

    /// The text after it.
    pub(crate) fn apply(&self, text: &str) -> String {
        let before = text.chars().take(self.at);
        let after = text.chars().skip(self.at + self.delete);
        before.chain(self.insert.chars()).chain(after).collect()
    }
}

/// What `current` becomes if it also gets the edit that made `edited` of `base`; none if both changed the same stretch.
pub(crate) fn merge(base: &str, edited: &str, current: &str) -> Option<String> {
    if base == current {
        return Some(edited.to_owned());
    }
    let (mine, theirs) = (Splice::between(base, edited), Splice::between(base, current));
    let at = if mine.at + mine.delete <= theirs.at {
        mine.at
    } else if theirs.at + theirs.delete <= mine.at {
        mine.at - theirs.delete + theirs.insert.chars().count()
    } else {
        return (edited == current).then(|| current.to_owned());
    };
    Some(Splice { at, ..mine }.apply(current))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_splice_replaces_what_differs() {
        for (old, new, size) in [
            ("", "", 0),
            ("aaa", "aa", 1),
            ("aa", "aaa", 1),
            ("one two", "one 2 two", 2),
            ("abc", "xyz", 6),
            ("grüße 👋", "grüße 👋👋", 1),
        ] {
            let splice = Splice::between(old, new);
            assert_eq!((splice.apply(old).as_str(), splice.size()), (new, size), "{old} -> {new}");
        }
    }

    #[test]
    fn first_parts_lead_to_the_whole() {
        let (mut text, new) = ("abcdefgh".to_owned(), "a12345h".to_owned());
        for _ in 0..4 {
            text = Splice::between(&text, &new).first(3).apply(&text);
        }
        assert_eq!(text, new);
    }

    #[test]
    fn edits_of_different_stretches_are_both_kept() {
        for (base, edited, current, merged) in [
            ("a b c", "A b c", "a b C", Some("A b C")),
            ("a b c", "a b C", "AA b c", Some("AA b C")),
            ("a", "a mine", "a theirs", Some("a mine theirs")),
            ("a b c", "a c", "a b c d", Some("a c d")),
            ("abc", "axc", "ayc", None),
            ("abc", "axc", "axc", Some("axc")),
            ("abc", "abc", "xyz", Some("xyz")),
            ("abc", "xyz", "abc", Some("xyz")),
        ] {
            assert_eq!(merge(base, edited, current).as_deref(), merged, "{base}: {edited} and {current}");
        }
    }
}
