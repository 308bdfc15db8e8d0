//! The pages on which orders are paid.

use url::Url;

use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawCheckout;
use crate::config::section::Section;

/// Characters that a merchant's name may have.
const LONGEST_NAME: usize = 80;

/// The pages on which orders are paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckoutConfig {
    /// Where payers reach the daemon; where it listens, if nothing is said.
    pub public_url: Option<Url>,
    /// What payers know the merchant by, if they are told.
    pub merchant_name: Option<String>,
}

/// Checks `[checkout]`; `None` if no pages are to be shown.
pub(crate) fn check(
    raw: RawCheckout,
    problems: &mut Problems,
) -> Result<Option<CheckoutConfig>, Reported> {
    let mut section = Section::new("checkout", problems);
    let public_url = check_url(&mut section, &raw);
    let merchant_name = check_name(&mut section, raw.merchant_name);
    let config = CheckoutConfig {
        public_url: public_url?,
        merchant_name: merchant_name?,
    };
    Ok(raw.enabled.unwrap_or(true).then_some(config))
}

fn check_url(section: &mut Section<'_>, raw: &RawCheckout) -> Result<Option<Url>, Reported> {
    let Some(text) = &raw.public_url else {
        return Ok(None);
    };
    let url = section.url("public_url", text, ["https", "http"])?;
    let has_more = url.query().is_some() || url.fragment().is_some();
    if has_more || !url.username().is_empty() || url.password().is_some() {
        let wrong = "has more than a host and a path";
        let allowed = "write it like https://pay.example.com, as your customers reach the daemon";
        return Err(section.wrong("public_url", wrong, allowed));
    }
    Ok(Some(url))
}

fn check_name(
    section: &mut Section<'_>,
    given: Option<String>,
) -> Result<Option<String>, Reported> {
    let Some(name) = given else {
        return Ok(None);
    };
    let is_long = name.chars().count() > LONGEST_NAME;
    if name.trim().is_empty() || is_long || name.chars().any(char::is_control) {
        let allowed = format!("write 1 to {LONGEST_NAME} characters on one line");
        return Err(section.wrong("merchant_name", "is no name", allowed));
    }
    Ok(Some(name.trim().to_owned()))
}
