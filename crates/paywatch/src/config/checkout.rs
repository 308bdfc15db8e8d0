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

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    use super::*;

    fn checked(text: &str) -> Result<Option<CheckoutConfig>, String> {
        let raw: RawCheckout = Figment::from(Toml::string(text)).extract().unwrap();
        let mut problems = Problems::default();
        check(raw, &mut problems).map_err(|Reported| problems.to_string())
    }

    #[test]
    fn pages_are_shown_where_the_daemon_listens_unless_it_is_said_otherwise() {
        let usual = checked("").unwrap().unwrap();
        assert_eq!((usual.public_url, usual.merchant_name), (None, None));
        assert_eq!(checked("enabled = false"), Ok(None));
        let text =
            "public_url = \"https://pay.example.com/shop/\"\nmerchant_name = \" Tea & Cake \"";
        let given = checked(text).unwrap().unwrap();
        assert_eq!(given.merchant_name.as_deref(), Some("Tea & Cake"));
        assert_eq!(
            given.public_url.unwrap().as_str(),
            "https://pay.example.com/shop/"
        );
    }

    #[test]
    fn what_payers_could_not_follow_or_read_is_refused() {
        let long = format!("merchant_name = \"{}\"", "x".repeat(LONGEST_NAME + 1));
        for (text, wrong) in [
            (
                "public_url = \"pay.example.com\"",
                "checkout.public_url: is not a URL",
            ),
            (
                "public_url = \"ftp://pay.example.com\"",
                "checkout.public_url: has the scheme ftp",
            ),
            (
                "public_url = \"https://pay.example.com/?a=b\"",
                "checkout.public_url: has more than",
            ),
            (
                "public_url = \"https://me@pay.example.com\"",
                "checkout.public_url: has more than",
            ),
            (
                "merchant_name = \" \"",
                "checkout.merchant_name: is no name",
            ),
            (
                "merchant_name = \"a\\nb\"",
                "checkout.merchant_name: is no name",
            ),
            (&long, "checkout.merchant_name: is no name"),
        ] {
            let problems = checked(text).unwrap_err();
            assert!(problems.contains(wrong), "{text}: {problems}");
        }
        let both = checked("public_url = \"x\"\nmerchant_name = \"\"").unwrap_err();
        assert_eq!(both.lines().count(), 2, "{both}");
    }
}
