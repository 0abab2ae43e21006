//! Spans of time, as the command line spells them.

use std::time::Duration;

/// The longest span: ten years, so that a moment can always be computed from it.
const SECONDS_MAX: u64 = 10 * 366 * 24 * 3600;

/// Reads `500ms`, `10s`, `2m` or `1h`; a bare number is in seconds.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("use a number and a unit, as in 500ms, 10s, 2m or 1h".into()),
    };
    let number: u64 = number.parse().map_err(|_| "begin with a whole number, as in 10s".to_owned())?;
    let span = number.checked_mul(unit_ms).map(Duration::from_millis);
    span.filter(|span| span.as_secs() <= SECONDS_MAX).ok_or_else(|| "at most ten years".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, ms) in [("500ms", 500), ("10s", 10_000), ("3", 3000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse_span(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "1d", "99999999999999999999s", "18446744073709551615h", "999999h"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
