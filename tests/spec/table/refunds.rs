//! Money that goes back.

use crate::expectation::{cancelled, completed};
use crate::step::{Decision, order, payment, reorg};
use crate::story::{Story, story};

told_in_both_places!(
    money_goes_back_in_part_and_then_all_of_it,
    money_of_a_cancelled_order_goes_back,
    more_than_came_does_not_go_back,
    what_the_merchant_pays_to_others_is_no_refund,
    a_reorg_takes_a_refund_away,
);

fn money_goes_back_in_part_and_then_all_of_it() -> Story {
    story()
        .order(order("TEA").amount("100"))
        .pays("TEA", "100")
        .becomes_final()
        .flushes("TEA", "FLUSH")
        .decides(Decision::Refund("TEA", "40"))
        .sees("TEA", completed().refunded("0"))
        .pay(payment("40").goes_back().called("SOME"))
        .finds("SOME", "sent")
        .becomes_final()
        .sees(
            "TEA",
            completed().flags(&["partially_refunded"]).refunded("40"),
        )
        .decides(Decision::Refund("TEA", "60"))
        .pay(payment("60").goes_back())
        .becomes_final()
        .sees("TEA", completed().flags(&["refunded"]).refunded("100"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
            "order.refunded",
            "sweep.completed",
            "order.refunded",
        ])
}

fn money_of_a_cancelled_order_goes_back() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .decides(Decision::Cancel("TEA"))
        .pays("TEA", "10")
        .becomes_final()
        .flushes("TEA", "FLUSH")
        .decides(Decision::Refund("TEA", "10"))
        .pay(payment("10").goes_back())
        .becomes_final()
        .sees(
            "TEA",
            cancelled()
                .flags(&["refunded"])
                .ignored("10")
                .refunded("10"),
        )
}

fn more_than_came_does_not_go_back() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .cannot(Decision::Refund("TEA", "1"), "0")
        .pays("TEA", "10")
        .becomes_final()
        .decides(Decision::Refund("TEA", "4"))
        .cannot(Decision::Refund("TEA", "7"), "6")
        .sees("TEA", completed().refunded("0"))
}

fn what_the_merchant_pays_to_others_is_no_refund() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .becomes_final()
        .flushes("TEA", "FLUSH")
        .pay(payment("10").goes_back().called("RENT"))
        .becomes_final()
        .finds("RENT", "sent")
        .sees("TEA", completed().refunded("0"))
}

fn a_reorg_takes_a_refund_away() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .becomes_final()
        .flushes("TEA", "FLUSH")
        .blocks_come(2)
        .decides(Decision::Refund("TEA", "10"))
        .pay(payment("10").goes_back().called("BACK"))
        .finds("BACK", "sent")
        .sees("TEA", completed().flags(&["refunded"]).refunded("10"))
        .reorganises(reorg(1))
        .finds("BACK", "reverted")
        .sees("TEA", completed().refunded("0"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
            "sweep.completed",
            "order.refunded",
            "order.refund_reverted",
        ])
}
