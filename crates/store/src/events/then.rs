//! The form in which an event keeps what its order was: short, since every event has it, and
//! bounded, since anybody may pay an order as often as he likes.
//!
//! Seven words: the number of the form, when the order closed (Unix milliseconds), `a` or `h` for
//! its late policy, what was accepted, how many payments are left out, the payments and the
//! refunds. A payment is the digits of its id and a letter; a refund the digits of its id, a letter,
//! and the digits of the payment that carried it out. A minus stands for nothing.

use std::collections::BTreeSet;

use paywatch_core::{
    Amount, IgnoredBecause, LatePolicy, Order, PaymentId, PaymentState, RefundId, RefundStatus,
    Snapshot, Timestamp,
};

use crate::record::{OrderThen, PaymentThen, RefundThen};

/// The number of this form.
const FORM: &str = "1";
/// What stands for nothing.
const NOTHING: &str = "-";
/// How many hex digits an id has.
const DIGITS: usize = 32;
/// How many payments an event keeps beside the one that it is about.
const MOST_PAYMENTS: usize = 100;

/// A text that is none of this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not say what an order was: {what} cannot be read")]
pub(crate) struct Malformed {
    what: &'static str,
}

/// What of an order may be decided later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) closes_at: Timestamp,
    pub(crate) late_policy: LatePolicy,
    pub(crate) accepted: Option<Amount>,
}

impl Terms {
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            closes_at: order.closes_at(),
            late_policy: order.late_policy,
            accepted: order.accepted,
        }
    }
}

/// All of what an order was after `snapshot`, with these terms and payments, oldest first.
pub(crate) fn then(terms: Terms, payments: Vec<PaymentThen>, snapshot: &Snapshot) -> OrderThen {
    let refunds = snapshot.refunds.iter();
    OrderThen {
        closes_at: terms.closes_at,
        late_policy: terms.late_policy,
        accepted: terms.accepted,
        payments,
        left_out: 0,
        refunds: refunds
            .map(|(id, state)| RefundThen {
                id: *id,
                status: state.status(),
                payment: state.transfer().as_ref().map(PaymentId::of),
            })
            .collect(),
    }
}

/// What events about these payments keep of `then`, each in its place: the last payments, and its
/// own.
pub(crate) fn kept(then: &OrderThen, about: &[Option<PaymentId>]) -> Vec<String> {
    let count = then.payments.len();
    let Some(more) = count.checked_sub(MOST_PAYMENTS).filter(|more| *more > 0) else {
        let text = write(then);
        return about.iter().map(|_| text.clone()).collect();
    };
    let (older, last) = then.payments.split_at_checked(more).unwrap_or_default();
    let named: BTreeSet<PaymentId> = about.iter().flatten().copied().collect();
    let older: Vec<&PaymentThen> = older.iter().filter(|it| named.contains(&it.id)).collect();
    let one = |about: &Option<PaymentId>| {
        let own = older.iter().find(|it| Some(it.id) == *about);
        let own = own.map(|own| **own);
        let payments: Vec<_> = own.into_iter().chain(last.iter().copied()).collect();
        let left_out = count.saturating_sub(payments.len());
        write(&OrderThen {
            payments,
            left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            refunds: then.refunds.clone(),
            ..*then
        })
    };
    about.iter().map(one).collect()
}

/// Writes what an order was.
fn write(then: &OrderThen) -> String {
    let policy = match then.late_policy {
        LatePolicy::Accept => "a",
        LatePolicy::Hold => "h",
    };
    let accepted = then.accepted.map(|amount| amount.to_string());
    let payments: String = then.payments.iter().map(payment).collect();
    let refunds: Vec<String> = then.refunds.iter().map(refund).collect();
    let or_nothing = |text: String| match text.as_str() {
        "" => NOTHING.to_owned(),
        _ => text,
    };
    [
        FORM.to_owned(),
        then.closes_at.unix_ms().to_string(),
        policy.to_owned(),
        or_nothing(accepted.unwrap_or_default()),
        then.left_out.to_string(),
        or_nothing(payments),
        or_nothing(refunds.join(",")),
    ]
    .join(" ")
}

/// Reads what [`kept`] wrote.
pub(crate) fn read(text: &str) -> Result<OrderThen, Malformed> {
    let wrong = |what| Malformed { what };
    let words: Vec<&str> = text.split(' ').collect();
    let Ok(
        [
            FORM,
            closes_at,
            policy,
            accepted,
            left_out,
            payments,
            refunds,
        ],
    ) = <[&str; 7]>::try_from(words)
    else {
        return Err(wrong("its form"));
    };
    let closes_at = closes_at.parse().ok();
    let closes_at = closes_at.and_then(|ms| Timestamp::from_unix_ms(ms).ok());
    let [accepted, payments, refunds] =
        [accepted, payments, refunds].map(|word| Some(word).filter(|word| *word != NOTHING));
    let accepted = accepted.map(|word| word.parse().map_err(|_not_one| wrong("an amount")));
    Ok(OrderThen {
        closes_at: closes_at.ok_or_else(|| wrong("a time"))?,
        late_policy: match policy {
            "a" => LatePolicy::Accept,
            "h" => LatePolicy::Hold,
            _unknown => return Err(wrong("a late policy")),
        },
        accepted: accepted.transpose()?,
        payments: read_payments(payments.unwrap_or_default())?,
        left_out: left_out.parse().map_err(|_no_number| wrong("a number"))?,
        refunds: refunds
            .into_iter()
            .flat_map(|word| word.split(','))
            .map(read_refund)
            .collect::<Result<_, _>>()?,
    })
}

fn payment(then: &PaymentThen) -> String {
    let letter = match then.state {
        None => 'r',
        Some(PaymentState::Seen) => 's',
        Some(PaymentState::Confirmed) => 'c',
        Some(PaymentState::Ignored(IgnoredBecause::NotAccepted)) => 'n',
        Some(PaymentState::Ignored(IgnoredBecause::HeldLate)) => 'h',
        Some(PaymentState::Ignored(IgnoredBecause::OrderCancelled)) => 'k',
    };
    // Late money shouts.
    let letter = if then.is_late {
        letter.to_ascii_uppercase()
    } else {
        letter
    };
    format!("{}{letter}", digits(&then.id))
}

fn read_payments(mut text: &str) -> Result<Vec<PaymentThen>, Malformed> {
    let wrong = Malformed { what: "a payment" };
    let mut payments = Vec::new();
    while !text.is_empty() {
        let (id, rest) = text.split_at_checked(DIGITS).ok_or(wrong)?;
        let mut letters = rest.chars();
        let letter = letters.next().ok_or(wrong)?;
        let state = match letter.to_ascii_lowercase() {
            'r' => None,
            's' => Some(PaymentState::Seen),
            'c' => Some(PaymentState::Confirmed),
            'n' => Some(PaymentState::Ignored(IgnoredBecause::NotAccepted)),
            'h' => Some(PaymentState::Ignored(IgnoredBecause::HeldLate)),
            'k' => Some(PaymentState::Ignored(IgnoredBecause::OrderCancelled)),
            _unknown => return Err(wrong),
        };
        payments.push(PaymentThen {
            id: read_id(PaymentId::PREFIX, id).ok_or(wrong)?,
            state,
            is_late: letter.is_ascii_uppercase(),
        });
        text = letters.as_str();
    }
    Ok(payments)
}

fn refund(then: &RefundThen) -> String {
    let letter = match then.status {
        RefundStatus::Prepared => 'p',
        RefundStatus::Sent => 's',
        RefundStatus::Confirmed => 'c',
        RefundStatus::Cancelled => 'x',
    };
    let id = then.id.to_string();
    let id = id.trim_start_matches(RefundId::PREFIX);
    let by = then.payment.as_ref().map(digits).unwrap_or_default();
    format!("{id}{letter}{by}")
}

fn read_refund(text: &str) -> Result<RefundThen, Malformed> {
    let wrong = Malformed { what: "a refund" };
    let (id, rest) = text.split_at_checked(DIGITS).ok_or(wrong)?;
    let mut letters = rest.chars();
    let status = match letters.next() {
        Some('p') => RefundStatus::Prepared,
        Some('s') => RefundStatus::Sent,
        Some('c') => RefundStatus::Confirmed,
        Some('x') => RefundStatus::Cancelled,
        Some(_) | None => return Err(wrong),
    };
    let by = Some(letters.as_str()).filter(|by| !by.is_empty());
    let by = by.map(|by| read_id(PaymentId::PREFIX, by).ok_or(wrong));
    Ok(RefundThen {
        id: read_id(RefundId::PREFIX, id).ok_or(wrong)?,
        status,
        payment: by.transpose()?,
    })
}

/// A payment's id without what all of them begin with.
fn digits(id: &PaymentId) -> String {
    let id = id.to_string();
    id.trim_start_matches(PaymentId::PREFIX).to_owned()
}

fn read_id<T: std::str::FromStr>(prefix: &str, digits: &str) -> Option<T> {
    format!("{prefix}{digits}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(count: u64) -> OrderThen {
        let id = |number: u64| u128::from(number).to_be_bytes();
        let states = PaymentState::ALL.into_iter().map(Some).chain([None]);
        let payments = (0..count).zip(states.cycle());
        let refunds = RefundStatus::ALL.into_iter().zip(0..);
        OrderThen {
            closes_at: Timestamp::from_unix_ms(1_700_000_000_123).unwrap(),
            late_policy: LatePolicy::Hold,
            accepted: Some("12.000000000000000001".parse().unwrap()),
            payments: payments
                .map(|(number, state)| PaymentThen {
                    id: PaymentId::from_bytes(id(number)),
                    state,
                    is_late: number % 2 == 1,
                })
                .collect(),
            left_out: 0,
            refunds: refunds
                .map(|(status, number)| RefundThen {
                    id: RefundId::from_bytes(id(number)),
                    status,
                    payment: (number % 2 == 1).then(|| PaymentId::from_bytes(id(number))),
                })
                .collect(),
        }
    }

    #[test]
    fn what_is_kept_reads_back() {
        let nothing = OrderThen {
            late_policy: LatePolicy::Accept,
            accepted: None,
            refunds: Vec::new(),
            ..some(0)
        };
        for then in [nothing, some(1), some(12), some(100)] {
            let [text] = kept(&then, &[None]).try_into().unwrap();
            assert_eq!(read(&text), Ok(then));
        }
    }

    #[test]
    fn only_the_last_payments_are_kept_and_the_one_that_it_is_about() {
        let all = some(150);
        let about = [None, Some(all.payments[3].id), Some(all.payments[120].id)];
        let texts = kept(&all, &about);
        let [none, old, recent] = [0, 1, 2].map(|place: usize| read(&texts[place]).unwrap());
        assert_eq!(none.payments, all.payments[50..]);
        assert_eq!(none.left_out, 50);
        assert_eq!(recent, none);
        assert_eq!(old.payments[0], all.payments[3]);
        assert_eq!(old.payments[1..], all.payments[50..]);
        assert_eq!(old.left_out, 49);
        assert!(texts.iter().all(|text| text.len() < 4_000));
    }

    #[test]
    fn anything_else_is_refused() {
        let [fine] = kept(&some(2), &[None]).try_into().unwrap();
        assert!(read(&fine).is_ok());
        let broken = [
            String::new(),
            fine.replacen('1', "2", 1),
            format!("{fine} x"),
            fine.replacen(" h ", " z ", 1),
            fine.replacen("0000s", "0000q", 1),
            fine.replacen("00001", "0000x", 1),
            fine.strip_suffix('3').unwrap().to_owned(),
            fine.replacen("1700000000123", "yesterday", 1),
        ];
        for text in broken {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
