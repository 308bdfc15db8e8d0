//! What a payer is told of an order, in plain words. Pure.

use paywatch_core::{Amount, Asking, Flags, OrderStatus};
use paywatch_store::OrderRecord;

use crate::checkout::standing::Standing;

/// How it is to look: what waits, what is done, what needs a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Open,
    Good,
    Bad,
}

impl Tone {
    /// The class in the style sheet.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// What a payer is told.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// How it is to look.
    pub(crate) tone: Tone,
    /// The most important thing.
    pub(crate) headline: String,
    /// The rest, a sentence or two each.
    pub(crate) sentences: Vec<String>,
}

/// What is told of an order in an amount called `unit`; its merchant is called `merchant`.
pub(crate) fn words(
    record: &OrderRecord,
    standing: &Standing,
    unit: &str,
    merchant: Option<&str>,
) -> Words {
    let who = merchant.unwrap_or("the merchant");
    let mut words = of_status(record, standing, unit, who);
    words.sentences.extend(of_flags(record, unit, who));
    let ignored = record.snapshot.received.less(record.snapshot.counted);
    if !ignored.is_zero() {
        words.sentences.push(format!(
            "{ignored} {unit} arrived and do not count: in another token or on another network \
             than asked for, too late, or after the order had ended. Ask {who} about it."
        ));
    }
    words
}

fn of_status(record: &OrderRecord, standing: &Standing, unit: &str, who: &str) -> Words {
    let (order, snapshot) = (&record.order, &record.snapshot);
    let (amount, counted) = (order.amount, snapshot.counted);
    let (tone, headline, sentence) = match (snapshot.status, standing.payable) {
        (OrderStatus::AwaitingPayment, true) => {
            let what = match order.asking {
                Asking::Exactly => "Send the amount below",
                Asking::AtLeast => "Send the amount below, or more",
            };
            let sentence = format!("{what}. This page changes by itself once it has arrived.");
            (Tone::Open, "Waiting for your payment".to_owned(), sentence)
        },
        (OrderStatus::PartiallyPaid, true) => {
            let remaining = &standing.remaining;
            let headline = format!("{remaining} {unit} are missing");
            let sentence = format!("{counted} of {amount} {unit} have arrived. Send the rest.");
            (Tone::Open, headline, sentence)
        },
        (OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid, false) => (
            Tone::Bad,
            "The time to pay is over".to_owned(),
            too_late(counted, unit, who),
        ),
        (OrderStatus::Paid, _) => {
            let sentence = format!(
                "{counted} {unit} have arrived and are being confirmed by the network. You need \
                 not wait here."
            );
            (Tone::Good, "Payment received".to_owned(), sentence)
        },
        (OrderStatus::Completed, _) => {
            let sentence = "Your payment is confirmed. Thank you.".to_owned();
            (Tone::Good, "Paid".to_owned(), sentence)
        },
        (OrderStatus::Expired, _) => (
            Tone::Bad,
            "This order has expired".to_owned(),
            expired(counted, unit, who),
        ),
        (OrderStatus::Cancelled, _) => {
            let sentence = format!("Do not send any money for it. Ask {who} if you already did.");
            (Tone::Bad, "This order was cancelled".to_owned(), sentence)
        },
    };
    Words {
        tone,
        headline,
        sentences: vec![sentence],
    }
}

/// The deadline is over for payers, and not yet by the chains.
fn too_late(counted: Amount, unit: &str, who: &str) -> String {
    let rest = "What you have already sent is still being looked for; this page changes by itself.";
    if counted.is_zero() {
        format!("Do not send any money now. {rest}")
    } else {
        format!(
            "{counted} {unit} have arrived, which is not enough. Do not send the rest now: ask \
             {who}. {rest}"
        )
    }
}

fn expired(counted: Amount, unit: &str, who: &str) -> String {
    if counted.is_zero() {
        format!("Do not send any money for it. Ask {who} for a new one, or if you already paid.")
    } else {
        format!(
            "{counted} {unit} had arrived, which was not enough. Do not send more: ask {who} \
             about it."
        )
    }
}

fn of_flags(record: &OrderRecord, unit: &str, who: &str) -> Vec<String> {
    let snapshot = &record.snapshot;
    let Flags {
        overpaid,
        underpaid_within_tolerance,
        late,
        reverted,
        resolved,
        refunded,
        partially_refunded,
    } = snapshot.flags;
    let (excess, back) = (snapshot.excess, snapshot.refunded);
    let told = [
        (
            overpaid,
            format!("You sent {excess} {unit} more than was asked for. Ask {who} about it."),
        ),
        (
            underpaid_within_tolerance,
            "A little less than asked for has arrived, and that is enough.".to_owned(),
        ),
        (late, "Some of it came after the deadline.".to_owned()),
        (
            reverted,
            "The network took back a payment that had been seen. Most often it comes again by \
             itself: look into your wallet before you send anything twice."
                .to_owned(),
        ),
        (
            resolved,
            format!("Something about this order was decided by hand by {who}."),
        ),
        (
            refunded,
            format!("All that arrived was sent back: {back} {unit}."),
        ),
        (
            partially_refunded,
            format!("Some of what arrived was sent back: {back} {unit}."),
        ),
    ];
    let told = told.into_iter().filter(|(is_so, _)| *is_so);
    told.map(|(_, sentence)| sentence).collect()
}

#[cfg(test)]
mod tests {
    use paywatch_core::{Heads, Timestamp};

    use super::*;
    use crate::checkout::standing::standing;
    use crate::samples::record;

    /// What is told of `record` so many seconds after it was made.
    fn told(record: &OrderRecord, seconds: u64) -> Words {
        let now = Timestamp::from_unix_s(1_700_000_000_u64.saturating_add(seconds)).unwrap();
        let standing = standing(record, &Heads::new(), now);
        words(record, &standing, "USDT", Some("Tea & Cake"))
    }

    fn in_status(status: OrderStatus, counted: &str) -> OrderRecord {
        let mut record = record();
        record.snapshot.status = status;
        record.snapshot.counted = counted.parse().unwrap();
        record.snapshot.received = record.snapshot.counted;
        record
    }

    #[test]
    fn every_status_is_told_in_words_that_say_what_to_do() {
        for (status, counted, seconds, headline, sentence) in [
            (
                OrderStatus::AwaitingPayment,
                "0",
                0,
                "Waiting for your payment",
                "Send the amount below.",
            ),
            (
                OrderStatus::AwaitingPayment,
                "0",
                3_601,
                "The time to pay is over",
                "Do not send any money now.",
            ),
            (
                OrderStatus::PartiallyPaid,
                "40",
                0,
                "60 USDT are missing",
                "40 of 100 USDT have arrived.",
            ),
            (
                OrderStatus::PartiallyPaid,
                "40",
                3_601,
                "The time to pay is over",
                "40 USDT have arrived, which is not enough.",
            ),
            (
                OrderStatus::Paid,
                "100",
                0,
                "Payment received",
                "100 USDT have arrived and are being confirmed",
            ),
            (
                OrderStatus::Completed,
                "100",
                0,
                "Paid",
                "Your payment is confirmed.",
            ),
            (
                OrderStatus::Expired,
                "0",
                0,
                "This order has expired",
                "Do not send any money for it. Ask Tea & Cake",
            ),
            (
                OrderStatus::Expired,
                "40",
                0,
                "This order has expired",
                "40 USDT had arrived, which was not enough.",
            ),
            (
                OrderStatus::Cancelled,
                "0",
                0,
                "This order was cancelled",
                "Do not send any money for it.",
            ),
        ] {
            let told = told(&in_status(status, counted), seconds);
            assert_eq!(told.headline, headline);
            assert!(told.sentences[0].starts_with(sentence), "{told:?}");
            assert_eq!(told.sentences.len(), 1, "{told:?}");
        }
    }

    #[test]
    fn every_flag_adds_a_sentence() {
        let mut record = in_status(OrderStatus::Completed, "102");
        record.snapshot.excess = "2".parse().unwrap();
        record.snapshot.refunded = "7".parse().unwrap();
        for (flag, sentence) in [
            (
                "overpaid",
                "You sent 2 USDT more than was asked for. Ask Tea & Cake",
            ),
            (
                "underpaid_within_tolerance",
                "A little less than asked for has arrived",
            ),
            ("late", "Some of it came after the deadline."),
            ("reverted", "The network took back a payment"),
            (
                "resolved",
                "Something about this order was decided by hand by Tea & Cake.",
            ),
            ("refunded", "All that arrived was sent back: 7 USDT."),
            (
                "partially_refunded",
                "Some of what arrived was sent back: 7 USDT.",
            ),
        ] {
            record.snapshot.flags = Flags::from_names([flag]).unwrap();
            let told = told(&record, 0);
            assert_eq!(told.sentences.len(), 2, "{told:?}");
            assert!(told.sentences[1].starts_with(sentence), "{told:?}");
        }
    }

    #[test]
    fn money_that_does_not_count_is_told() {
        let mut record = in_status(OrderStatus::Cancelled, "0");
        record.snapshot.received = "5".parse().unwrap();
        let told = told(&record, 0);
        assert!(
            told.sentences[1].starts_with("5 USDT arrived and do not count"),
            "{told:?}"
        );
    }

    #[test]
    fn any_amount_may_be_more() {
        let mut record = in_status(OrderStatus::AwaitingPayment, "0");
        record.order.asking = Asking::AtLeast;
        let told = told(&record, 0);
        assert!(
            told.sentences[0].starts_with("Send the amount below, or more."),
            "{told:?}"
        );
    }
}
