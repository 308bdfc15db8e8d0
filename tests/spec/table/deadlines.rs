//! Deadlines, which go by the time of the chains, and money that comes after them.

use crate::expectation::{awaiting_payment, completed, expired, paid, partially_paid};
use crate::step::{Decision, order, payment};
use crate::story::{Story, story};

told_in_both_places!(
    late_money_is_accepted,
    late_money_is_held_and_does_not_count,
    late_money_that_is_held_is_accepted_by_the_operator,
    what_is_paid_in_time_and_seen_late_is_in_time,
    a_deadline_is_put_off_before_it_passes,
    an_expired_order_is_given_more_time_and_paid,
    an_order_expires_only_when_all_of_its_chains_are_past_the_deadline,
    nothing_expires_while_a_node_is_away,
    a_paid_order_does_not_expire,
    what_comes_within_the_grace_is_in_time,
    what_comes_after_the_grace_is_late,
);

fn late_money_is_accepted() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m"))
        .minutes_pass(11)
        .sees("TEA", expired().received("0"))
        .pays("TEA", "10")
        .sees("TEA", paid().flags(&["late"]).remaining("0"))
        .becomes_final()
        .sees("TEA", completed().flags(&["late"]).confirmed("10"))
        .told(&[
            "order.created",
            "order.expired",
            "payment.detected",
            "order.late_payment",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn late_money_is_held_and_does_not_count() -> Story {
    story()
        .order(
            order("TEA")
                .amount("10")
                .expires_in("10m")
                .holds_late_money(),
        )
        .minutes_pass(11)
        .pays("TEA", "10")
        .becomes_final()
        .sees(
            "TEA",
            expired()
                .flags(&["late"])
                .received("10")
                .ignored("10")
                .confirmed("0")
                .payments(&["held_late"]),
        )
        .told(&[
            "order.created",
            "order.expired",
            "payment.detected",
            "order.late_payment",
        ])
}

fn late_money_that_is_held_is_accepted_by_the_operator() -> Story {
    story()
        .order(
            order("TEA")
                .amount("10")
                .expires_in("10m")
                .holds_late_money(),
        )
        .pays("TEA", "4")
        .minutes_pass(11)
        .sees("TEA", expired().received("4"))
        .pays("TEA", "6")
        .sees(
            "TEA",
            expired().flags(&["late"]).received("10").ignored("6"),
        )
        .decides(Decision::Accept("TEA"))
        .sees(
            "TEA",
            paid()
                .flags(&["late", "resolved"])
                .ignored("0")
                .remaining("0"),
        )
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .flags(&["late", "resolved"])
                .confirmed("10")
                .accepted("-"),
        )
}

fn what_is_paid_in_time_and_seen_late_is_in_time() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m"))
        .daemon_stops()
        .pays("TEA", "10")
        .minutes_pass(60)
        .daemon_starts()
        .sees("TEA", paid().received("10"))
        .becomes_final()
        .sees("TEA", completed().confirmed("10"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn a_deadline_is_put_off_before_it_passes() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m"))
        .pays("TEA", "4")
        .decides(Decision::Extend("TEA", "2h"))
        .minutes_pass(11)
        .sees("TEA", partially_paid().received("4"))
        .pays("TEA", "6")
        .becomes_final()
        .sees("TEA", completed().confirmed("10"))
        .cannot(Decision::Extend("TEA", "2h"), "completed")
}

fn an_expired_order_is_given_more_time_and_paid() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m"))
        .minutes_pass(11)
        .sees("TEA", expired())
        .decides(Decision::Extend("TEA", "2h"))
        .sees("TEA", awaiting_payment())
        .pays("TEA", "10")
        .sees("TEA", paid())
        .becomes_final()
        .sees("TEA", completed().confirmed("10"))
        .told(&[
            "order.created",
            "order.expired",
            "order.extended",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn an_order_expires_only_when_all_of_its_chains_are_past_the_deadline() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("10").expires_in("10m"))
        .minutes_pass_on("first", 11)
        .sees("TEA", awaiting_payment())
        .told(&["order.created"])
        .minutes_pass_on("second", 11)
        .sees("TEA", expired())
        .told(&["order.created", "order.expired"])
}

fn nothing_expires_while_a_node_is_away() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("10").expires_in("10m"))
        .node_stops("second")
        .minutes_pass(11)
        .sees("TEA", awaiting_payment())
        .told(&["order.created"])
        .node_starts("second")
        .minutes_pass(11)
        .sees("TEA", expired())
        .told(&["order.created", "order.expired"])
}

fn a_paid_order_does_not_expire() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m"))
        .pays("TEA", "10")
        .minutes_pass(11)
        .sees("TEA", paid())
        .becomes_final()
        .sees("TEA", completed())
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn what_comes_within_the_grace_is_in_time() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m").grace("5m"))
        .minutes_pass(12)
        .sees("TEA", awaiting_payment())
        .pays("TEA", "10")
        .becomes_final()
        .sees("TEA", completed().confirmed("10"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn what_comes_after_the_grace_is_late() -> Story {
    story()
        .order(
            order("TEA")
                .amount("10")
                .expires_in("10m")
                .grace("5m")
                .holds_late_money(),
        )
        .pay(payment("4").to("TEA").after_minutes(12))
        .becomes_final()
        .sees("TEA", partially_paid().confirmed("4").ignored("0"))
        .minutes_pass(4)
        .sees("TEA", expired().received("4"))
        .pays("TEA", "6")
        .sees(
            "TEA",
            expired().flags(&["late"]).received("10").ignored("6"),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.confirmed",
            "order.expired",
            "payment.detected",
            "order.late_payment",
        ])
}
