//! The page itself: an order, its standing and a choice become HTML. Pure.
//!
//! All text goes through the templates, which escape it.

mod pay;

use askama::Template;
use paywatch_store::OrderRecord;

use crate::blockatm::{BACK_TO, web_address};
use crate::checkout::Checkout;
use crate::checkout::assets::{ICON, SCRIPT, STYLE};
use crate::checkout::page::pay::{Pay, pay};
use crate::checkout::standing::Standing;
use crate::checkout::words::{Words, words};
use crate::orders::view::ask::Content;
use crate::orders::way::Wish;
use crate::state::ApiState;
use crate::wire::spoken_time;

/// What amounts are called where the ways to pay an order do not agree.
const USUAL_UNIT: &str = "USDT";
/// After how many seconds the page is loaded again where there are no scripts: while the order is
/// open, and afterwards.
const RELOAD_S: (u32, u32) = (10, 60);

/// What a payer has chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chosen<'a> {
    /// How to pay.
    pub(crate) wish: Wish<'a>,
    /// What the QR code is to hold.
    pub(crate) content: Content,
}

impl<'a> Chosen<'a> {
    /// Reads a query; what means nothing is passed over.
    pub(crate) fn read(pairs: &'a [(String, String)]) -> Self {
        let mut chosen = Self::default();
        for (name, value) in pairs {
            match (name.as_str(), value.as_str()) {
                ("chain", chain) => chosen.wish.chain = Some(chain),
                ("token", token) => chosen.wish.token = Some(token),
                ("method", method) => chosen.wish.method = Some(method),
                ("qr", "address") | ("plain", "true") => chosen.content = Content::Address,
                (_other, _) => {},
            }
        }
        chosen
    }
}

/// An order's page.
#[derive(Debug, Template)]
#[template(path = "checkout.html")]
struct Page<'a> {
    /// The end of the page's URL.
    token: String,
    icon: &'a str,
    style: &'a str,
    script: &'a str,
    merchant: Option<&'a str>,
    unit: &'a str,
    words: Words,
    standing: &'a Standing,
    /// The deadline, as people read it.
    deadline: String,
    /// The time until then, roughly.
    left: String,
    has_received: bool,
    pay: Option<Pay>,
    /// Where the shop wants the payer to go once nothing is to be paid any more.
    back_to: Option<&'a str>,
    reload_s: u32,
}

/// A page that says one thing.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub(crate) struct Message {
    icon: &'static str,
    style: &'static str,
    title: &'static str,
    text: &'static str,
    reload_s: Option<u32>,
}

impl Message {
    /// There is no such page.
    pub(crate) fn missing() -> Self {
        Self {
            icon: &ICON.name,
            style: &STYLE.name,
            title: "There is no such page",
            text: "Look at the address again: it may not have been copied as a whole. Whoever gave \
                   it to you can give it to you once more.",
            reload_s: None,
        }
    }

    /// The page cannot be shown now.
    pub(crate) fn later() -> Self {
        Self {
            icon: &ICON.name,
            style: &STYLE.name,
            title: "This page cannot be shown now",
            text: "Nothing is lost, and a payment that is on its way will be seen. This page tries \
                   again by itself in a few seconds.",
            reload_s: Some(RELOAD_S.0),
        }
    }

    /// As HTML.
    ///
    /// # Errors
    /// None that is known.
    pub(crate) fn write(&self) -> askama::Result<String> {
        self.render()
    }
}

/// The page of an order that stands so, with what was chosen.
///
/// # Errors
/// None that is known.
pub(crate) fn write(
    record: &OrderRecord,
    standing: &Standing,
    chosen: &Chosen<'_>,
    (checkout, state): (&Checkout, &ApiState),
) -> askama::Result<String> {
    let unit = unit(record);
    let merchant = checkout.merchant_name.as_deref();
    let token = record.checkout.map(|token| token.to_string());
    let token = token.unwrap_or_default();
    let pay = standing
        .payable
        .then(|| pay(record, chosen, (&token, checkout, &state.shop)))
        .flatten();
    let page = Page {
        icon: &ICON.name,
        style: &STYLE.name,
        script: &SCRIPT.name,
        merchant,
        unit,
        words: words(record, standing, unit, merchant),
        standing,
        deadline: spoken_time(record.order.expires_at),
        left: spoken_left(standing.seconds_left),
        has_received: !record.snapshot.received.is_zero(),
        reload_s: if standing.payable || standing.confirmations.is_some() {
            RELOAD_S.0
        } else {
            RELOAD_S.1
        },
        back_to: back_to(record, standing),
        pay,
        token,
    };
    page.render()
}

/// Where the shop wants the payer to go, if it said so and there is nothing more to be paid. It is checked
/// again: the note may have been written by whoever makes orders.
fn back_to<'a>(record: &'a OrderRecord, standing: &Standing) -> Option<&'a str> {
    let url = record.order.metadata.get(BACK_TO)?;
    web_address(url).filter(|_| !standing.payable)
}

/// What the order's amounts are called: as its tokens, if they agree.
fn unit(record: &OrderRecord) -> &str {
    let mut symbols = record
        .order
        .options
        .iter()
        .map(|way| way.token.symbol.as_str());
    let first = symbols.next().unwrap_or(USUAL_UNIT);
    if symbols.all(|symbol| symbol == first) {
        first
    } else {
        USUAL_UNIT
    }
}

/// A time in its largest unit of which there are two.
fn spoken_left(seconds: u64) -> String {
    [("days", 86_400), ("hours", 3_600), ("minutes", 60)]
        .into_iter()
        .filter_map(|(name, unit)| Some((name, seconds.checked_div(unit)?)))
        .find(|(_, count)| *count >= 2)
        .map_or_else(
            || format!("{seconds} seconds"),
            |(name, count)| format!("{count} {name}"),
        )
}
