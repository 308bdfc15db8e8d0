//! What a chain gives, it may take away.

use crate::expectation::{awaiting_payment, completed, expired, paid, partially_paid};
use crate::step::{Decision, order, payment, reorg};
use crate::story::{Story, story};

told_in_both_places!(
    a_reorg_takes_a_payment_away_before_it_is_final,
    a_payment_is_mined_again_in_another_block,
    a_payment_is_mined_again_while_the_daemon_is_away,
    a_reorg_moves_a_payment_past_the_deadline,
    a_reorg_moves_a_payment_past_the_deadline_where_late_money_is_held,
    a_payment_that_is_64_blocks_deep_stays,
    a_reorg_deeper_than_was_waited_for_takes_a_completed_order_back,
    a_reorg_on_one_of_two_chains_takes_half_away,
    a_reorg_takes_only_the_excess_away,
    a_reorg_takes_an_unmatched_payment_away,
    a_reorg_takes_an_assigned_payment_away,
    a_reorg_below_nothing_of_ours_is_no_news,
);

fn a_reorg_takes_a_payment_away_before_it_is_final() -> Story {
    story()
        .order(order("TEA").amount("25"))
        .pays("TEA", "25")
        .sees("TEA", paid())
        .reorganises(reorg(1))
        .sees(
            "TEA",
            awaiting_payment()
                .flags(&["reverted"])
                .received("0")
                .payments(&["reverted"]),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "order.reverted",
        ])
        .pays("TEA", "25")
        .becomes_final()
        .sees("TEA", completed().flags(&["reverted"]).confirmed("25"))
}

fn a_payment_is_mined_again_in_another_block() -> Story {
    story()
        .order(order("TEA").amount("25"))
        .pays("TEA", "25")
        .blocks_come(1)
        .sees("TEA", paid().payments(&["detected"]))
        .reorganises(reorg(2).with(1, payment("25").to("TEA")))
        .sees(
            "TEA",
            paid()
                .flags(&["reverted"])
                .received("25")
                .payments(&["reverted", "detected"]),
        )
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .flags(&["reverted"])
                .received("25")
                .confirmed("25")
                .excess("0"),
        )
}

fn a_payment_is_mined_again_while_the_daemon_is_away() -> Story {
    story()
        .order(order("TEA").amount("25"))
        .pays("TEA", "25")
        .blocks_come(1)
        .sees("TEA", paid())
        .daemon_stops()
        .reorganises(reorg(2).with(1, payment("25").to("TEA")))
        .daemon_starts()
        .sees(
            "TEA",
            paid()
                .flags(&["reverted"])
                .received("25")
                .payments(&["reverted", "detected"]),
        )
        .becomes_final()
        .sees("TEA", completed().flags(&["reverted"]).confirmed("25"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "payment.detected",
            "payment.confirmed",
            "order.completed",
        ])
}

fn a_reorg_moves_a_payment_past_the_deadline() -> Story {
    story()
        .order(order("TEA").amount("25").expires_in("10m"))
        .pays("TEA", "25")
        .sees("TEA", paid())
        .daemon_stops()
        .reorganises(reorg(1))
        .pay(payment("25").to("TEA").after_minutes(11))
        .daemon_starts()
        .sees("TEA", paid().flags(&["late", "reverted"]).received("25"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "payment.detected",
            "order.late_payment",
        ])
        .becomes_final()
        .sees(
            "TEA",
            completed().flags(&["late", "reverted"]).confirmed("25"),
        )
}

fn a_reorg_moves_a_payment_past_the_deadline_where_late_money_is_held() -> Story {
    story()
        .order(
            order("TEA")
                .amount("25")
                .expires_in("10m")
                .holds_late_money(),
        )
        .pays("TEA", "25")
        .sees("TEA", paid())
        .daemon_stops()
        .reorganises(reorg(1))
        .pay(payment("25").to("TEA").after_minutes(11))
        .daemon_starts()
        .becomes_final()
        .sees(
            "TEA",
            expired()
                .flags(&["late", "reverted"])
                .ignored("25")
                .payments(&["reverted", "held_late"]),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "payment.detected",
            "order.reverted",
            "order.late_payment",
        ])
}

fn a_payment_that_is_64_blocks_deep_stays() -> Story {
    story()
        .order(order("TEA").amount("25"))
        .pays("TEA", "25")
        .blocks_come(64)
        .sees("TEA", completed())
        .reorganises(reorg(64))
        .blocks_come(1)
        .sees("TEA", completed().confirmed("25").payments(&["confirmed"]))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn a_reorg_deeper_than_was_waited_for_takes_a_completed_order_back() -> Story {
    story()
        .order(order("TEA").amount("25"))
        .pays("TEA", "25")
        .becomes_final()
        .sees("TEA", completed())
        .reorganises(reorg(4))
        .sees("TEA", awaiting_payment().flags(&["reverted"]).received("0"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
            "payment.reverted",
            "order.reverted",
        ])
        .pays("TEA", "25")
        .becomes_final()
        .sees("TEA", completed().flags(&["reverted"]).confirmed("25"))
}

fn a_reorg_on_one_of_two_chains_takes_half_away() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("20"))
        .pays("TEA", "10")
        .pay(payment("10").to("TEA").on("second"))
        .sees("TEA", paid())
        .reorganises(reorg(1).on("second"))
        .sees(
            "TEA",
            partially_paid()
                .flags(&["reverted"])
                .received("10")
                .remaining("10"),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "order.reverted",
        ])
        .becomes_final()
        .sees("TEA", partially_paid().flags(&["reverted"]).confirmed("10"))
}

fn a_reorg_takes_only_the_excess_away() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .pays("TEA", "5")
        .sees("TEA", paid().flags(&["overpaid"]).excess("5"))
        .reorganises(reorg(1))
        .sees(
            "TEA",
            paid().flags(&["reverted"]).received("10").excess("0"),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.detected",
            "order.overpaid",
            "payment.reverted",
            "order.reverted",
        ])
        .becomes_final()
        .sees("TEA", completed().flags(&["reverted"]).confirmed("10"))
}

fn a_reorg_takes_an_unmatched_payment_away() -> Story {
    story()
        .pay(payment("7").called("ASTRAY"))
        .finds("ASTRAY", "unmatched")
        .reorganises(reorg(1))
        .finds("ASTRAY", "reverted")
        .told(&["payment.unmatched", "payment.reverted"])
}

fn a_reorg_takes_an_assigned_payment_away() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pay(payment("10").called("ASTRAY"))
        .decides(Decision::Assign("ASTRAY", "TEA"))
        .sees("TEA", paid().flags(&["resolved"]))
        .reorganises(reorg(1))
        .sees(
            "TEA",
            awaiting_payment()
                .flags(&["reverted", "resolved"])
                .received("0"),
        )
        .told_of(
            "TEA",
            &[
                "order.created",
                "payment.assigned",
                "order.paid",
                "payment.reverted",
                "order.reverted",
            ],
        )
}

fn a_reorg_below_nothing_of_ours_is_no_news() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .blocks_come(1)
        .reorganises(reorg(1))
        .blocks_come(1)
        .reorganises(reorg(2))
        .becomes_final()
        .sees("TEA", completed().confirmed("10").payments(&["confirmed"]))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}
