//! What a stranger's contract says of itself: read, cleaned, and compared with what tokens of ours
//! are called. Nothing of it is to be trusted.

use paywatch_core::{Likeness, U256};
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton;

/// Longer names are cut.
const LONGEST: usize = 64;
/// More bytes of a name are not even looked at.
const MOST_BYTES: usize = 1_024;
/// Shorter names of ours are compared as a whole: anything may hold them.
const SHORTEST_PART: usize = 3;

/// The text that `symbol()` or `name()` answered: a string, or as the oldest tokens have it, 32
/// bytes.
pub(super) fn read_text(answer: &[u8]) -> Option<String> {
    let bytes = if answer.len() == 32 {
        let end = answer.iter().position(|byte| *byte == 0);
        answer.get(..end.unwrap_or(32))?
    } else {
        let number = |from: usize| -> Option<usize> {
            let word = answer.get(from..)?.first_chunk::<32>()?;
            usize::try_from(U256::from_be_bytes(*word)).ok()
        };
        let place = number(0)?;
        let begin = place.checked_add(32)?;
        answer.get(begin..begin.checked_add(number(place)?)?)?
    };
    let bytes = bytes.get(..MOST_BYTES).unwrap_or(bytes);
    clean(&String::from_utf8_lossy(bytes))
}

/// What `decimals()` answered.
pub(super) fn read_decimals(answer: &[u8]) -> Option<u8> {
    let value = U256::try_from_be_slice(answer).filter(|_| answer.len() == 32)?;
    u8::try_from(value).ok()
}

/// The text without what is not seen or turns other text around, in one line, bounded; `None` if
/// nothing is left.
fn clean(text: &str) -> Option<String> {
    let seen: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let words: Vec<&str> = seen.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

/// Control characters, and those that Unicode has for formatting alone: zero width, direction,
/// variation, tags.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What tokens of ours are called, as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OurNames(Vec<[String; 2]>);

impl OurNames {
    /// The names of tokens, and each without a number at its end: a stranger's `USDT` is meant to
    /// be taken for our `USDT0`.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut ours = Vec::new();
        for name in names {
            for name in [name, name.trim_end_matches(|c: char| c.is_ascii_digit())] {
                let forms = forms(name);
                let is_new = !forms.concat().is_empty() && !ours.contains(&forms);
                if is_new {
                    ours.push(forms);
                }
            }
        }
        Self(ours)
    }

    /// What a contract is that is no token of ours and calls itself so.
    pub(super) fn likeness(&self, symbol: Option<&str>, name: Option<&str>) -> Likeness {
        let resembles = |text: &str| {
            let theirs = forms(text);
            self.0.iter().any(|ours| {
                let mut pairs = ours.iter().zip(&theirs);
                pairs.any(|(ours, theirs)| {
                    theirs == ours
                        || (ours.chars().count() >= SHORTEST_PART && theirs.contains(ours.as_str()))
                })
            })
        };
        if symbol.into_iter().chain(name).any(resembles) {
            Likeness::LookAlike
        } else {
            Likeness::UnknownToken
        }
    }
}

/// Two texts that are the same for names that look the same (Unicode TS #39), whatever their case,
/// marks and spaces: of some letters the small ones look alike, of others the capitals.
fn forms(text: &str) -> [String; 2] {
    let text: String = text.nfkc().collect();
    let form = |text: &str| -> String {
        let plain: String = skeleton(text).collect();
        let lower = plain.to_lowercase();
        lower.chars().filter(|c| c.is_alphanumeric()).collect()
    };
    [form(&text), form(&text.to_uppercase())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours() -> OurNames {
        OurNames::of(["USDT", "Tether USD"])
    }

    fn string(text: &str) -> Vec<u8> {
        let number = |value: usize| U256::from(value).to_be_bytes::<32>().to_vec();
        let mut body = text.as_bytes().to_vec();
        body.resize(text.len().next_multiple_of(32), 0);
        [number(32), number(text.len()), body].concat()
    }

    #[test]
    fn what_looks_like_ours_is_a_look_alike() {
        let fakes = [
            "USDT",
            "usdt",
            "USDТ",
            "ЅUDT ΤЕТНЕR USD",
            "U S D T",
            "USD₮",
            "ＵＳＤＴ",
            "U.S.D.T",
            "USDT.e",
            "Claim USDT at x.example",
            "ÚSDT",
            "𝐔𝐒𝐃𝐓",
        ];
        for fake in fakes {
            let found = ours().likeness(Some(fake), None);
            assert_eq!(found, Likeness::LookAlike, "{fake}: {:?}", forms(fake));
        }
        let by_name = ours().likeness(Some("X"), Some("Tеther USD"));
        assert_eq!(by_name, Likeness::LookAlike);
        let newer = OurNames::of(["USDT0"]);
        assert_eq!(newer.likeness(Some("USDT"), None), Likeness::LookAlike);
    }

    #[test]
    fn what_does_not_is_unknown() {
        for other in ["USDC", "DAI", "USD Coin", "T", "", "Wrapped Ether"] {
            let found = ours().likeness(Some(other), Some(other));
            assert_eq!(found, Likeness::UnknownToken, "{other}");
        }
        assert_eq!(ours().likeness(None, None), Likeness::UnknownToken);
        let short = OurNames::of(["A"]);
        assert_eq!(short.likeness(Some("AAVE"), None), Likeness::UnknownToken);
        assert_eq!(short.likeness(Some("a"), None), Likeness::LookAlike);
        let none = OurNames::of([""]);
        assert_eq!(none.likeness(Some(""), None), Likeness::UnknownToken);
    }

    #[test]
    fn hidden_characters_hide_nothing() {
        let text = read_text(&string("US\u{200b}D\u{202e}T\n\u{0}  x\u{e0041}"));
        assert_eq!(text.as_deref(), Some("USDT x"));
        assert_eq!(read_text(&string("\u{202e}\u{200b}")), None);
        let long = read_text(&string(&"ä".repeat(4_000))).unwrap();
        assert_eq!(long.chars().count(), LONGEST);
    }

    #[test]
    fn both_ways_to_answer_are_read() {
        let mut word = [0; 32];
        word[..3].copy_from_slice(b"MKR");
        assert_eq!(read_text(&word).as_deref(), Some("MKR"));
        assert_eq!(read_text(&string("USDT")).as_deref(), Some("USDT"));
        assert_eq!(read_text(&[]), None);
        assert_eq!(read_decimals(&U256::from(6).to_be_bytes::<32>()), Some(6));
        assert_eq!(read_decimals(&U256::from(256).to_be_bytes::<32>()), None);
        assert_eq!(read_decimals(&[]), None);
    }

    proptest! {
        #[test]
        fn nothing_that_a_stranger_answers_makes_it_fall_over(
            answer in prop::collection::vec(any::<u8>(), 0..300),
            text in any::<String>(),
        ) {
            for text in [read_text(&answer), read_text(&string(&text))].into_iter().flatten() {
                prop_assert!(text.chars().count() <= LONGEST);
                prop_assert!(!text.chars().any(is_hidden));
                ours().likeness(Some(&text), None);
            }
        }
    }
}
