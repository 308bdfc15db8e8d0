//! Power cuts, restarts and dead nodes: nothing is lost and nothing is doubled.

use crate::expectation::{awaiting_payment, completed, paid, partially_paid};
use crate::step::{By, order, payment, reorg};
use crate::story::{Story, story};

told_in_both_places!(
    the_daemon_is_killed_between_payment_and_confirmation,
    the_daemon_is_killed_before_each_part,
    the_daemon_was_away_for_the_payment_and_long_after,
    the_daemon_was_away_while_the_payment_was_taken_back,
    a_payment_came_and_went_while_the_daemon_was_away,
    a_node_is_away_for_a_while,
    an_order_is_made_while_the_node_is_away,
    one_chain_goes_on_while_the_node_of_another_is_away,
);

fn the_daemon_is_killed_between_payment_and_confirmation() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .pays("TEA", "12.5")
        .sees("TEA", paid())
        .daemon_is_killed()
        .becomes_final()
        .daemon_starts()
        .sees(
            "TEA",
            completed().confirmed("12.5").payments(&["confirmed"]),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn the_daemon_is_killed_before_each_part() -> Story {
    let part = |amount| payment(amount).to("TEA").by(By::AnotherCustomer);
    story()
        .order(order("TEA").amount("100"))
        .pays("TEA", "40")
        .sees("TEA", partially_paid().received("40"))
        .daemon_is_killed()
        .pay(part("10"))
        .daemon_starts()
        .daemon_is_killed()
        .pay(part("20"))
        .daemon_starts()
        .daemon_is_killed()
        .pay(part("30"))
        .daemon_starts()
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .confirmed("100")
                .excess("0")
                .payments(&["confirmed"; 4]),
        )
}

fn the_daemon_was_away_for_the_payment_and_long_after() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .daemon_stops()
        .pays("TEA", "12.5")
        .blocks_come(300)
        .daemon_starts()
        .sees("TEA", completed().confirmed("12.5"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn the_daemon_was_away_while_the_payment_was_taken_back() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .pays("TEA", "12.5")
        .sees("TEA", paid())
        .daemon_is_killed()
        .reorganises(reorg(1))
        .blocks_come(2)
        .daemon_starts()
        .sees(
            "TEA",
            awaiting_payment()
                .flags(&["reverted"])
                .payments(&["reverted"]),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.reverted",
            "order.reverted",
        ])
}

fn a_payment_came_and_went_while_the_daemon_was_away() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .daemon_stops()
        .pay(payment("12.5").to("TEA").called("GONE"))
        .reorganises(reorg(1))
        .blocks_come(3)
        .daemon_starts()
        .finds_nothing_of("GONE")
        .sees("TEA", awaiting_payment().payments(&[]))
        .told(&["order.created"])
}

fn a_node_is_away_for_a_while() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .pays("TEA", "12.5")
        .sees("TEA", paid())
        .node_stops("first")
        .sees("TEA", paid())
        .node_starts("first")
        .becomes_final()
        .sees("TEA", completed().confirmed("12.5"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn an_order_is_made_while_the_node_is_away() -> Story {
    story()
        .node_stops("first")
        .order(order("TEA").amount("12.5"))
        .node_starts("first")
        .pays("TEA", "12.5")
        .becomes_final()
        .sees("TEA", completed().confirmed("12.5"))
}

fn one_chain_goes_on_while_the_node_of_another_is_away() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("12.5"))
        .node_stops("second")
        .pays("TEA", "12.5")
        .becomes_final()
        .sees("TEA", completed().confirmed("12.5"))
        .node_starts("second")
        .pay(payment("1").to("TEA").on("second"))
        .sees("TEA", completed().flags(&["overpaid"]).excess("1"))
}
