//! Too much, too little, nearly enough, and the last decimal.

use crate::expectation::{completed, expired, paid, partially_paid};
use crate::step::{order, payment};
use crate::story::{Story, story};

told_in_both_places!(
    too_much_completes_and_the_excess_is_stated,
    a_completed_order_that_receives_more_says_so,
    too_little_expires,
    an_absolute_tolerance_is_enough,
    an_exchange_deducts_its_fee_within_the_tolerance,
    just_below_the_tolerance_is_not_enough,
    any_amount_from_the_least_is_welcome,
    the_least_exactly_is_enough,
    the_last_of_six_decimals_counts,
    the_last_of_eighteen_decimals_counts,
    an_amount_that_a_token_cannot_hold_is_refused,
    the_smallest_unit_is_money,
);

fn too_much_completes_and_the_excess_is_stated() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "12")
        .sees(
            "TEA",
            paid().flags(&["overpaid"]).received("12").excess("2"),
        )
        .becomes_final()
        .sees(
            "TEA",
            completed().flags(&["overpaid"]).excess("2").remaining("0"),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "order.overpaid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn a_completed_order_that_receives_more_says_so() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .becomes_final()
        .sees("TEA", completed().excess("0"))
        .pays("TEA", "5")
        .sees(
            "TEA",
            completed()
                .flags(&["overpaid"])
                .received("15")
                .confirmed("10")
                .excess("5"),
        )
        .becomes_final()
        .sees("TEA", completed().flags(&["overpaid"]).confirmed("15"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
            "payment.detected",
            "order.overpaid",
            "payment.confirmed",
        ])
}

fn too_little_expires() -> Story {
    story()
        .order(order("TEA").amount("10").expires_in("10m"))
        .pays("TEA", "4")
        .becomes_final()
        .sees("TEA", partially_paid().confirmed("4"))
        .minutes_pass(11)
        .sees("TEA", expired().received("4").confirmed("4").remaining("6"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.confirmed",
            "order.expired",
        ])
}

fn an_absolute_tolerance_is_enough() -> Story {
    story()
        .order(order("TEA").amount("100").tolerance("0.5"))
        .pays("TEA", "99.5")
        .sees(
            "TEA",
            paid().flags(&["underpaid_within_tolerance"]).remaining("0"),
        )
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .flags(&["underpaid_within_tolerance"])
                .received("99.5"),
        )
}

fn an_exchange_deducts_its_fee_within_the_tolerance() -> Story {
    story()
        .order(order("TEA").amount("100").tolerance_percent("1"))
        .pays("TEA", "99.2")
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .flags(&["underpaid_within_tolerance"])
                .remaining("0"),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn just_below_the_tolerance_is_not_enough() -> Story {
    story()
        .order(order("TEA").amount("100").tolerance_percent("1"))
        .pays("TEA", "98.999999")
        .becomes_final()
        .sees(
            "TEA",
            partially_paid()
                .confirmed("98.999999")
                .remaining("1.000001"),
        )
        .pays("TEA", "0.000001")
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .flags(&["underpaid_within_tolerance"])
                .confirmed("99"),
        )
}

fn any_amount_from_the_least_is_welcome() -> Story {
    story()
        .order(order("GIFT").at_least("5"))
        .pays("GIFT", "50")
        .sees("GIFT", paid().received("50").excess("0"))
        .becomes_final()
        .sees(
            "GIFT",
            completed().confirmed("50").excess("0").remaining("0"),
        )
}

fn the_least_exactly_is_enough() -> Story {
    story()
        .order(order("GIFT").at_least("5"))
        .pays("GIFT", "4.999999")
        .sees("GIFT", partially_paid().remaining("0.000001"))
        .pays("GIFT", "0.000001")
        .becomes_final()
        .sees("GIFT", completed().confirmed("5"))
}

fn the_last_of_six_decimals_counts() -> Story {
    story()
        .order(order("TEA").amount("1.000001"))
        .pays("TEA", "1")
        .becomes_final()
        .sees("TEA", partially_paid().confirmed("1").remaining("0.000001"))
        .pays("TEA", "0.000001")
        .becomes_final()
        .sees("TEA", completed().confirmed("1.000001").excess("0"))
}

fn the_last_of_eighteen_decimals_counts() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("1.000000000000000001").on(&["second"]))
        .pay(payment("1").to("TEA").on("second"))
        .becomes_final()
        .sees(
            "TEA",
            partially_paid()
                .confirmed("1")
                .remaining("0.000000000000000001"),
        )
        .pay(payment("0.000000000000000002").to("TEA").on("second"))
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .flags(&["overpaid"])
                .excess("0.000000000000000001"),
        )
}

fn an_amount_that_a_token_cannot_hold_is_refused() -> Story {
    story()
        .with_a_second_chain()
        .order_is_refused(order("TEA").amount("1.0000001"), "invalid_fields")
        .order(order("TEA").amount("1.0000001").on(&["second"]))
        .pay(payment("1.0000001").to("TEA").on("second"))
        .becomes_final()
        .sees("TEA", completed().confirmed("1.0000001"))
}

fn the_smallest_unit_is_money() -> Story {
    story()
        .configured("[orders]\ndust = \"0.01\"\n")
        .order(order("CRUMB").amount("0.000001"))
        .pays("CRUMB", "0.000001")
        .sees("CRUMB", paid().received("0.000001"))
        .becomes_final()
        .sees("CRUMB", completed().confirmed("0.000001"))
}
