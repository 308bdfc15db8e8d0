//! Orders that are paid to one wallet and told apart by their amounts.

use crate::expectation::{awaiting_payment, completed, expired, paid};
use crate::step::{By, Decision, Terms, order, payment, reorg};
use crate::story::{Story, story};

told_in_both_places!(
    two_orders_for_the_same_amount_are_told_apart,
    an_amount_that_nobody_was_asked_for_is_unmatched,
    an_unmatched_amount_at_the_wallet_is_given_to_its_order,
    the_same_amount_once_more_is_too_much,
    late_money_pays_the_late_order_and_no_stranger,
    one_transaction_pays_two_orders_at_the_wallet,
    a_reorg_takes_an_exact_amount_away,
);

const STEPS: &str = "[exact_amount]\nstep = \"0.01\"\nmax_surcharge = \"0.03\"\n";

fn at_the_wallet() -> Story {
    story().with_a_wallet().configured(STEPS)
}

fn exact(reference: &'static str) -> Terms {
    order(reference).amount("100").by(&["exact_amount"])
}

fn two_orders_for_the_same_amount_are_told_apart() -> Story {
    at_the_wallet()
        .order(exact("TEA"))
        .order(exact("CAKE"))
        .sees("TEA", awaiting_payment().asked("100"))
        .sees("CAKE", awaiting_payment().asked("100.01"))
        .pay(payment("100.01").to_the_wallet())
        .sees("CAKE", paid().received("100.01").excess("0"))
        .sees("TEA", awaiting_payment().received("0"))
        .pay(payment("100").to_the_wallet().by(By::AnotherCustomer))
        .becomes_final()
        .sees("TEA", completed().confirmed("100").excess("0"))
        .sees("CAKE", completed().confirmed("100.01").excess("0"))
}

fn an_amount_that_nobody_was_asked_for_is_unmatched() -> Story {
    at_the_wallet()
        .order(exact("TEA"))
        .pay(payment("50").to_the_wallet().called("A PART"))
        .pay(payment("99.999999").to_the_wallet().called("ROUNDED DOWN"))
        .pay(payment("100.000001").to_the_wallet().called("ROUNDED UP"))
        .becomes_final()
        .finds("A PART", "unmatched")
        .finds("ROUNDED DOWN", "unmatched")
        .finds("ROUNDED UP", "unmatched")
        .sees("TEA", awaiting_payment().received("0").payments(&[]))
        .told(&[
            "order.created",
            "payment.unmatched",
            "payment.unmatched",
            "payment.unmatched",
        ])
}

fn an_unmatched_amount_at_the_wallet_is_given_to_its_order() -> Story {
    at_the_wallet()
        .order(exact("TEA"))
        .pay(payment("101").to_the_wallet().called("ASTRAY"))
        .finds("ASTRAY", "unmatched")
        .decides(Decision::Assign("ASTRAY", "TEA"))
        .becomes_final()
        .sees(
            "TEA",
            completed().flags(&["overpaid", "resolved"]).excess("1"),
        )
}

fn the_same_amount_once_more_is_too_much() -> Story {
    at_the_wallet()
        .order(exact("TEA"))
        .pay(payment("100").to_the_wallet())
        .becomes_final()
        .sees("TEA", completed().excess("0"))
        .pay(payment("100").to_the_wallet())
        .sees("TEA", completed().flags(&["overpaid"]).excess("100"))
}

fn late_money_pays_the_late_order_and_no_stranger() -> Story {
    at_the_wallet()
        .order(exact("LATE").expires_in("10m"))
        .minutes_pass(11)
        .sees("LATE", expired())
        .order(exact("STRANGER").expires_in("3h"))
        .sees("STRANGER", awaiting_payment().asked("100.01"))
        .pay(payment("100").to_the_wallet())
        .becomes_final()
        .sees("LATE", completed().flags(&["late"]).confirmed("100"))
        .sees("STRANGER", awaiting_payment().payments(&[]))
}

fn one_transaction_pays_two_orders_at_the_wallet() -> Story {
    at_the_wallet()
        .order(exact("TEA"))
        .order(exact("CAKE"))
        .pay_in_one_transaction(&[
            payment("100.01").to_the_wallet().by(By::Exchange),
            payment("100").to_the_wallet().by(By::Exchange),
        ])
        .sees("TEA", paid().received("100").payments(&["detected"]))
        .sees("CAKE", paid().received("100.01").payments(&["detected"]))
        .becomes_final()
        .sees("TEA", completed().confirmed("100"))
        .sees("CAKE", completed().confirmed("100.01"))
}

fn a_reorg_takes_an_exact_amount_away() -> Story {
    at_the_wallet()
        .order(exact("TEA"))
        .pay(payment("100").to_the_wallet())
        .sees("TEA", paid())
        .reorganises(reorg(1))
        .sees("TEA", awaiting_payment().flags(&["reverted"]).received("0"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "order.reverted",
        ])
}
