//! The least of a failing world with which it still fails: few enough acts to be read as a story.

/// How much happens in a world at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// What users do.
    pub acts: u64,
    /// What goes wrong.
    pub faults: u64,
    /// Floods of a stranger's.
    pub floods: u64,
    /// Times that a traitor tells a node something.
    pub treasons: u64,
    /// Which of the worlds of this size and weather; 0 is the seed's own.
    pub salt: u64,
}

/// Worlds that are tried for each size.
const SALTS: u64 = 32;

impl Most {
    fn fields(&mut self) -> [&mut u64; 4] {
        [&mut self.acts, &mut self.faults, &mut self.floods, &mut self.treasons]
    }

    /// The same with another number in one place.
    fn with(mut self, place: usize, number: u64) -> Most {
        if let Some(field) = self.fields().into_iter().nth(place) {
            *field = number;
        }
        self
    }
}

/// Takes away as much as may be, one kind after the other, as long as a world still fails; until nothing can be taken away. What
/// happens by chance after something that was taken away is something else, so a smaller world need not fail where the larger one did:
/// some of each size are tried.
pub fn least(of: Most, fails: impl Fn(Most) -> bool) -> Most {
    let mut least = of;
    loop {
        let before = least;
        for place in 0..least.fields().len() {
            let Some(number) = least.fields().get(place).map(|number| **number) else { continue };
            let less = [0, number / 4, number / 2, number.saturating_sub(1)];
            let sizes = less.into_iter().filter(|less| *less < number).map(|less| least.with(place, less));
            let worlds = |size: Most| (0..SALTS).map(move |salt| Most { salt, ..size });
            least = sizes.flat_map(worlds).find(|world| fails(*world)).unwrap_or(least);
        }
        if least == before {
            return least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_still_fails_and_nothing_more_can_be_taken_away() {
        let all = Most { acts: 60, faults: 15, floods: 3, treasons: 6, salt: 0 };
        let fails = |most: Most| most.acts >= 7 && most.faults >= 2 && most.treasons >= 1;
        assert_eq!(least(all, fails), Most { acts: 7, faults: 2, floods: 0, treasons: 1, salt: 0 });
        assert_eq!(least(all, |most| most.salt == 5), Most { acts: 0, faults: 0, floods: 0, treasons: 0, salt: 5 });
        assert_eq!(least(all, |most| most == all), all);
    }
}
