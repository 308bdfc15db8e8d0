//! What the operator decides about orders.

use crate::expectation::{cancelled, completed, partially_paid};
use crate::step::{Decision, order, payment};
use crate::story::{Story, story};

told_in_both_places!(
    money_for_a_cancelled_order_does_not_count,
    a_paid_order_cannot_be_cancelled,
    an_order_that_was_paid_in_part_is_cancelled,
    too_little_is_accepted,
    there_is_nothing_to_accept_where_nothing_came,
);

fn money_for_a_cancelled_order_does_not_count() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .decides(Decision::Cancel("TEA"))
        .sees("TEA", cancelled().received("0"))
        .pays("TEA", "10")
        .becomes_final()
        .sees(
            "TEA",
            cancelled()
                .received("10")
                .ignored("10")
                .payments(&["order_cancelled"]),
        )
        .told(&["order.created", "order.cancelled", "payment.detected"])
}

fn a_paid_order_cannot_be_cancelled() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .cannot(Decision::Cancel("TEA"), "refund it instead")
        .becomes_final()
        .sees("TEA", completed())
        .cannot(Decision::Cancel("TEA"), "refund it instead")
        .sees("TEA", completed().confirmed("10"))
}

fn an_order_that_was_paid_in_part_is_cancelled() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "4")
        .becomes_final()
        .sees("TEA", partially_paid().confirmed("4"))
        .decides(Decision::Cancel("TEA"))
        .sees("TEA", cancelled().received("4").ignored("4"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.confirmed",
            "order.cancelled",
        ])
}

fn too_little_is_accepted() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "7")
        .becomes_final()
        .sees("TEA", partially_paid().confirmed("7").remaining("3"))
        .decides(Decision::Accept("TEA"))
        .sees(
            "TEA",
            completed()
                .flags(&["resolved"])
                .accepted("7")
                .remaining("0"),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.confirmed",
            "order.resolved",
            "order.paid",
            "order.completed",
        ])
}

fn there_is_nothing_to_accept_where_nothing_came() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pay(payment("10").called("ELSEWHERE"))
        .cannot(Decision::Accept("TEA"), "nothing has arrived")
        .finds("ELSEWHERE", "unmatched")
        .told(&["order.created", "payment.unmatched"])
}
