//! Which texts are names, and the form that says whose a name is.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;

use super::Claimant;
use crate::limits::{CLAIMANT_DIGITS, CLAIMANT_DIGITS_MAX, NAME_BYTES_MAX};

/// A name in a space; with digits of its claimant after `~`, nobody else can claim it.
///
/// A name has 1 to 128 bytes: small letters `a` to `z`, digits, and inside it `-` and `_`. So a name has one spelling, and no
/// table of letters, which differ between versions, decides whether two are one.
///
/// ```
/// use pistol_acl::SpaceName;
///
/// assert!("high-scores".parse::<SpaceName>().is_ok());
/// assert!("high-scores~abcdefgh23".parse::<SpaceName>().is_ok());
/// assert!("High scores".parse::<SpaceName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpaceName {
    label: String,
    digits: Option<String>,
}

/// A text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAName {
    /// The name itself.
    #[error("a name has 1 to 128 small letters from a to z and digits, and - or _ between them; write it so")]
    Label,
    /// What is after `~`.
    #[error("after ~ come 10 to 52 of the letters a to z and the digits 2 to 7, as the name was shown to you")]
    Digits,
}

impl SpaceName {
    /// The name without digits.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The name with the first ten digits of who claims it.
    #[must_use]
    pub fn of_claimant(&self, claimant: &Claimant) -> SpaceName {
        let digits = digits(claimant).chars().take(CLAIMANT_DIGITS).collect();
        SpaceName { label: self.label.clone(), digits: Some(digits) }
    }

    /// The name with all digits of who claims it, which nobody else can have.
    #[must_use]
    pub fn of_claimant_in_full(&self, claimant: &Claimant) -> SpaceName {
        SpaceName { label: self.label.clone(), digits: Some(digits(claimant)) }
    }

    pub(super) fn of_label(label: &str) -> SpaceName {
        SpaceName { label: label.to_owned(), digits: None }
    }

    pub(super) fn has_digits(&self) -> bool {
        self.digits.is_some()
    }

    /// Whether this claimant's claims are asked for.
    pub(super) fn admits(&self, claimant: &Claimant) -> bool {
        self.digits.as_ref().is_none_or(|wanted| digits(claimant).starts_with(wanted))
    }
}

fn digits(claimant: &Claimant) -> String {
    BASE32_NOPAD.encode(claimant.as_bytes()).to_ascii_lowercase()
}

/// Whether a text can be claimed.
pub(super) fn is_label(text: &str) -> bool {
    let is_inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let is_outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= NAME_BYTES_MAX && bytes.iter().all(is_inner) && is_outer(bytes.first()) && is_outer(bytes.last())
}

impl FromStr for SpaceName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let (label, digits) = text.split_once('~').map_or((text, None), |(label, digits)| (label, Some(digits)));
        if !is_label(label) {
            return Err(NotAName::Label);
        }
        let is_digit = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
        let fits = |digits: &str| (CLAIMANT_DIGITS..=CLAIMANT_DIGITS_MAX).contains(&digits.len());
        if digits.is_some_and(|digits| !fits(digits) || !digits.bytes().all(is_digit)) {
            return Err(NotAName::Digits);
        }
        Ok(SpaceName { label: label.to_owned(), digits: digits.map(str::to_owned) })
    }
}

impl fmt::Display for SpaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        self.digits.as_ref().map_or(Ok(()), |digits| write!(f, "~{digits}"))
    }
}
