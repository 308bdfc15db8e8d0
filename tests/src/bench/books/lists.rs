//! How long lists take.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use paywatch_core::{ChainId, Flags, OrderStatus};
use paywatch_store::{OrderFilter, PaymentFilter, Store};

use crate::bench::books::histories::{Plan, token_of};
use crate::bench::books::measure::{Figures, LIMIT, SAMPLES, WARM_UP, keys, page};

pub(super) async fn by_status(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    for status in OrderStatus::ALL {
        let filter = OrderFilter {
            statuses: vec![status],
            ..OrderFilter::default()
        };
        let list = async |before_seq| page(store, &filter, before_seq, |n| n > 0).await;
        let name = format!("list {LIMIT} {status}, first page");
        figures.time(&name, keys(|_| Ok(None))?, list).await?;
        let mut deep = Vec::new();
        for number in 0..WARM_UP + SAMPLES {
            // Not below the lowest of them.
            let number = plan.sample_in(status, number).max(plan.orders / 10);
            let order = store.order(plan.id(number)?).await?;
            deep.push(Some(order.context("it is there")?.seq));
        }
        let name = format!("list {LIMIT} {status}, a deep page");
        figures.time(&name, deep, list).await?;
    }
    Ok(())
}

pub(super) async fn of_orders(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let chain = |id| ChainId::new(id).map(Some);
    let (popular, rare) = (chain(137)?, chain(8_453)?);
    let any = OrderFilter::default();
    let old = plan.created_at(plan.orders / 3)?;
    let lists: [(&'static str, OrderFilter); 8] = [
        ("list 50 of all", any.clone()),
        (
            "list 50 on a chain of most",
            OrderFilter {
                chain_id: popular,
                ..any.clone()
            },
        ),
        (
            "list the 20 on a chain of few",
            OrderFilter {
                chain_id: rare,
                ..any.clone()
            },
        ),
        (
            "list those of them that are completed or expired",
            OrderFilter {
                statuses: vec![OrderStatus::Completed, OrderStatus::Expired],
                chain_id: rare,
                ..any.clone()
            },
        ),
        (
            "list 50 open on a chain of most",
            OrderFilter {
                statuses: vec![OrderStatus::AwaitingPayment, OrderStatus::PartiallyPaid],
                chain_id: popular,
                ..any.clone()
            },
        ),
        (
            "list 50 of the oldest third",
            OrderFilter {
                created_before: Some(old),
                ..any.clone()
            },
        ),
        (
            "list 50 completed of one old day",
            OrderFilter {
                statuses: vec![OrderStatus::Completed],
                created_from: old.plus_ms(-24 * 3_600_000),
                created_before: Some(old),
                ..any.clone()
            },
        ),
        (
            "list the 50 oldest of all",
            OrderFilter {
                oldest_first: true,
                ..any.clone()
            },
        ),
    ];
    each(figures, store, lists).await?;
    let lists = lists_by_what_is_said(popular);
    each(figures, store, lists).await
}

/// Lists by flags and notes.
fn lists_by_what_is_said(popular: Option<ChainId>) -> [(&'static str, OrderFilter); 5] {
    let any = OrderFilter::default();
    let overpaid = Flags {
        overpaid: true,
        ..Flags::default()
    };
    let noted = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    [
        (
            "list 50 overpaid",
            OrderFilter {
                flags: overpaid,
                ..any.clone()
            },
        ),
        (
            "list 50 with a note that a third has",
            OrderFilter {
                metadata: noted("till", "1"),
                ..any.clone()
            },
        ),
        (
            "list the 14 with a note of few",
            OrderFilter {
                metadata: noted("customer", "4711"),
                ..any.clone()
            },
        ),
        (
            "list open ones with a note that a third has",
            OrderFilter {
                statuses: vec![OrderStatus::AwaitingPayment, OrderStatus::PartiallyPaid],
                metadata: noted("till", "1"),
                ..any.clone()
            },
        ),
        (
            "list overpaid ones on a chain of most, with such a note",
            OrderFilter {
                flags: overpaid,
                chain_id: popular,
                metadata: noted("till", "1"),
                ..any
            },
        ),
    ]
}

async fn each(
    figures: &mut Figures,
    store: &Store,
    lists: impl IntoIterator<Item = (&'static str, OrderFilter)>,
) -> Result<()> {
    for (name, filter) in lists {
        let list = async |()| page(store, &filter, None, |n| n > 0).await;
        figures.time(name, keys(|_| Ok(()))?, list).await?;
    }
    Ok(())
}

pub(super) async fn of_payments(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let list = async |filter: PaymentFilter| some_payments(store, &filter).await;
    let unmatched = PaymentFilter {
        states: vec!["unmatched"],
        ..PaymentFilter::default()
    };
    let of_all = keys(|_| Ok(unmatched.clone()))?;
    figures
        .time("list 50 unmatched payments", of_all, list)
        .await?;
    let of_chain = keys(|_| {
        Ok(PaymentFilter {
            chain_id: Some(ChainId::new(137)?),
            ..unmatched.clone()
        })
    })?;
    figures
        .time("list 50 unmatched payments of a chain", of_chain, list)
        .await?;
    let all_of_chain = keys(|_| {
        Ok(PaymentFilter {
            chain_id: Some(ChainId::new(8_453)?),
            ..PaymentFilter::default()
        })
    })?;
    figures
        .time("list payments of a chain of few", all_of_chain, list)
        .await?;
    of_a_token(figures, store, plan).await?;
    let to = keys(|number| {
        let number = plan.sample_in(OrderStatus::Completed, number);
        Ok(PaymentFilter {
            to: Some(plan.transfer(number, 0, "1")?.to),
            ..PaymentFilter::default()
        })
    })?;
    figures
        .time("list payments to an address", to, list)
        .await?;
    let mut deep = Vec::new();
    for number in 0..WARM_UP + SAMPLES {
        let number = plan
            .sample_in(OrderStatus::Completed, number)
            .max(plan.orders / 10);
        let id = plan.transfer(number, 0, "1")?.payment_id();
        let payment = store.payment(&id).await?.context("it is there")?;
        deep.push((payment.detected_at, id));
    }
    figures
        .time("list 50 payments, a deep page", deep, async |after| {
            let filter = PaymentFilter::default();
            let found = store.payments(&filter, Some(after), LIMIT).await?;
            anyhow::ensure!(!found.is_empty(), "no payments were found");
            Ok(())
        })
        .await
}

/// Payments in a token, of all time and of a day.
async fn of_a_token(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let list = async |filter: PaymentFilter| some_payments(store, &filter).await;
    let polygon = |filter| PaymentFilter {
        token: Some(token_of(137)),
        ..filter
    };
    let any = PaymentFilter::default();
    let of_token = keys(|_| Ok(polygon(any.clone())))?;
    figures
        .time("list 50 payments in a token", of_token, list)
        .await?;
    let old = plan.created_at(plan.orders / 3)?;
    let of_a_day = keys(|_| {
        Ok(polygon(PaymentFilter {
            detected_from: old.plus_ms(-24 * 3_600_000),
            detected_before: Some(old),
            oldest_first: true,
            ..any.clone()
        }))
    })?;
    figures
        .time("list 50 payments in a token on an old day", of_a_day, list)
        .await
}

async fn some_payments(store: &Store, filter: &PaymentFilter) -> Result<()> {
    let found = store.payments(filter, None, LIMIT).await?;
    anyhow::ensure!(!found.is_empty(), "no payments were found");
    Ok(())
}
