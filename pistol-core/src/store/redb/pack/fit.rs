//! How many rows fit a pack. That is known only by compressing them, which takes a while, and rows are whatever peers wrote: so it
//! is found out with few tries.

use super::PACK_BYTES;

/// The most rows that fit, more than the `known` first and at most `all`, and what they come to; none if no more than those fit.
/// `likely` of them are tried first.
pub(super) fn most(
    (known, all): (usize, usize),
    likely: usize,
    mut pack: impl FnMut(usize) -> Vec<u8>,
) -> Option<(usize, Vec<u8>)> {
    let (mut fitting, mut too_many, mut found) = (known, all + 1, None);
    let (mut next, mut is_guessed) = (likely, true);
    while fitting + 1 < too_many {
        let count = next.clamp(fitting + 1, too_many - 1);
        let made = pack(count);
        let bytes = made.len().max(1);
        if bytes <= PACK_BYTES {
            (fitting, found) = (count, Some((count, made)));
        } else {
            too_many = count;
        }
        // Others take as much as these, about. Where they do not, each second try leaves half of what is in question.
        next = if is_guessed { count * PACK_BYTES / bytes } else { fitting + (too_many - fitting) / 2 };
        is_guessed = !is_guessed;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_tries_tell_how_many_rows_fit_whatever_each_of_them_takes() {
        let all: usize = 2000;
        let shapes: [fn(usize) -> usize; 5] =
            [|_| 1, |row| if row == 0 { 30 } else { 140 }, |row| row / 2, |row| 2000 / (row + 1), |_| 9000];
        for bytes_of in shapes {
            let bytes = |count: usize| (0..count).map(bytes_of).sum::<usize>();
            let wanted = (1..=all).take_while(|count| bytes(*count) <= PACK_BYTES).last();
            for likely in [1, 40, all] {
                let mut tries = 0;
                let found = most((0, all), likely, |count| {
                    tries += 1;
                    vec![0; bytes(count)]
                });
                assert_eq!(found.map(|(count, _)| count), wanted);
                assert!(tries <= 24, "{tries}");
            }
        }
    }
}
