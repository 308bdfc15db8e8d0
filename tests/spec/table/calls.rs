//! Orders that are paid through the payment receiver.

use crate::expectation::{awaiting_payment, completed, paid, partially_paid};
use crate::step::{By, order, payment, reorg};
use crate::story::{Story, story};

told_in_both_places!(
    a_call_pays_its_order,
    a_call_and_a_transfer_add_up,
    calls_name_one_of_many_orders_at_the_treasury,
    a_call_for_an_order_that_takes_none_is_unmatched,
    a_reorg_takes_a_call_away,
    a_call_that_comes_too_late_says_so,
);

fn a_call_pays_its_order() -> Story {
    story()
        .with_the_receiver()
        .order(order("TEA").amount("25.5").by(&["contract"]))
        .pay(payment("25.5").by_call_for("TEA").called("CALL"))
        .sees("TEA", paid().received("25.5").payments(&["detected"]))
        .becomes_final()
        .sees("TEA", completed().confirmed("25.5"))
        .finds("CALL", "confirmed")
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn a_call_and_a_transfer_add_up() -> Story {
    story()
        .with_the_receiver()
        .order(
            order("TEA")
                .amount("100")
                .by(&["deposit_address", "contract"]),
        )
        .pay(payment("40").by_call_for("TEA"))
        .sees("TEA", partially_paid().received("40").remaining("60"))
        .pays("TEA", "60")
        .becomes_final()
        .sees("TEA", completed().confirmed("100").options("2"))
}

fn calls_name_one_of_many_orders_at_the_treasury() -> Story {
    story()
        .with_the_receiver()
        .order(order("TEA").amount("10").by(&["contract"]))
        .order(order("MILK").amount("10").by(&["contract"]))
        .pay(payment("10").by_call_for("MILK").by(By::AnotherCustomer))
        .pay(payment("10").to_the_treasury().called("MERE"))
        .becomes_final()
        .sees("TEA", awaiting_payment().payments(&[]))
        .sees("MILK", completed().confirmed("10"))
        .finds("MERE", "unmatched")
}

fn a_call_for_an_order_that_takes_none_is_unmatched() -> Story {
    story()
        .with_the_receiver()
        .order(order("TEA").amount("10").by(&["deposit_address"]))
        .pay(payment("10").by_call_for("TEA").called("CALL"))
        .becomes_final()
        .finds("CALL", "unmatched")
        .sees("TEA", awaiting_payment().payments(&[]))
        .told(&["order.created", "payment.unmatched"])
}

fn a_reorg_takes_a_call_away() -> Story {
    story()
        .with_the_receiver()
        .order(order("TEA").amount("10").by(&["contract"]))
        .blocks_come(3)
        .pay(payment("10").by_call_for("TEA").called("CALL"))
        .sees("TEA", paid())
        .reorganises(reorg(1))
        .finds("CALL", "reverted")
        .sees("TEA", awaiting_payment().flags(&["reverted"]).received("0"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "order.reverted",
        ])
}

fn a_call_that_comes_too_late_says_so() -> Story {
    story()
        .with_the_receiver()
        .order(
            order("TEA")
                .amount("10")
                .by(&["contract"])
                .expires_in("10m")
                .holds_late_money(),
        )
        .minutes_pass(11)
        .pay(payment("10").by_call_for("TEA").called("CALL"))
        .becomes_final()
        .finds("CALL", "held_late")
        .sees(
            "TEA",
            crate::expectation::expired().flags(&["late"]).ignored("10"),
        )
}
