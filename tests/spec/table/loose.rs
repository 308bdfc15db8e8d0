//! Money that no order claims, money in the wrong token or on the wrong chain, and noise.

use crate::expectation::{awaiting_payment, completed, paid, partially_paid};
use crate::step::{By, Coin, Decision, order, payment};
use crate::story::{Story, story};

told_in_both_places!(
    money_sent_to_the_treasury_is_given_to_its_order,
    what_was_given_to_the_wrong_order_goes_to_the_right_one,
    what_belongs_to_an_order_is_not_given_to_another,
    an_unmatched_payment_is_written_off,
    a_flush_is_no_payment,
    another_token_is_attached_and_does_not_count,
    another_chain_is_attached_and_does_not_count,
    a_look_alike_is_no_money,
    a_transfer_of_nothing_is_no_payment,
    dust_is_recorded_and_not_announced,
);

fn money_sent_to_the_treasury_is_given_to_its_order() -> Story {
    story()
        .order(order("TEA").amount("100"))
        .pay(payment("60").to_the_treasury().called("ASTRAY"))
        .finds("ASTRAY", "unmatched")
        .decides(Decision::Assign("ASTRAY", "TEA"))
        .sees("TEA", partially_paid().flags(&["resolved"]).received("60"))
        .pays("TEA", "40")
        .sees("TEA", paid().flags(&["resolved"]).received("100"))
        .becomes_final()
        .sees("TEA", completed().flags(&["resolved"]).confirmed("100"))
        .told(&[
            "order.created",
            "payment.unmatched",
            "payment.assigned",
            "order.partially_paid",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "payment.confirmed",
            "order.completed",
        ])
}

fn what_was_given_to_the_wrong_order_goes_to_the_right_one() -> Story {
    story()
        .order(order("WRONG").amount("10"))
        .order(order("RIGHT").amount("10"))
        .pay(payment("10").called("ASTRAY"))
        .decides(Decision::Assign("ASTRAY", "WRONG"))
        .becomes_final()
        .sees("WRONG", completed().flags(&["resolved"]))
        .decides(Decision::Unassign("ASTRAY"))
        .sees(
            "WRONG",
            awaiting_payment()
                .flags(&["reverted", "resolved"])
                .received("0"),
        )
        .finds("ASTRAY", "unmatched")
        .decides(Decision::Assign("ASTRAY", "RIGHT"))
        .sees("RIGHT", completed().flags(&["resolved"]).confirmed("10"))
        .told_of(
            "WRONG",
            &[
                "order.created",
                "payment.assigned",
                "order.paid",
                "payment.confirmed",
                "order.completed",
                "payment.unassigned",
                "order.reverted",
            ],
        )
        .told_of(
            "RIGHT",
            &[
                "order.created",
                "payment.assigned",
                "payment.confirmed",
                "order.paid",
                "order.completed",
            ],
        )
}

fn what_belongs_to_an_order_is_not_given_to_another() -> Story {
    story()
        .order(order("MINE").amount("10"))
        .order(order("YOURS").amount("10"))
        .pay(payment("10").to("MINE").called("PAID"))
        .cannot(Decision::Assign("PAID", "YOURS"), "belongs to")
        .cannot(Decision::WriteOff("PAID"), "is not unmatched")
        .sees("MINE", paid())
        .sees("YOURS", awaiting_payment().payments(&[]))
}

fn an_unmatched_payment_is_written_off() -> Story {
    story()
        .pay(payment("7").by(By::AnotherCustomer).called("OURS"))
        .finds("OURS", "unmatched")
        .decides(Decision::WriteOff("OURS"))
        .finds("OURS", "written_off")
        .told(&["payment.unmatched", "payment.written_off"])
}

fn a_flush_is_no_payment() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pays("TEA", "10")
        .becomes_final()
        .sees("TEA", completed())
        .flushes("TEA", "FLUSH")
        .finds("FLUSH", "moved")
        .becomes_final()
        .sees("TEA", completed().received("10").confirmed("10"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
            "sweep.completed",
        ])
}

fn another_token_is_attached_and_does_not_count() -> Story {
    story()
        .with_usdc()
        .order(order("TEA").amount("10").in_tokens(&["USDT"]))
        .sees("TEA", awaiting_payment().options("1"))
        .pay(payment("10").to("TEA").in_coin(Coin::Usdc))
        .becomes_final()
        .sees(
            "TEA",
            awaiting_payment()
                .received("10")
                .ignored("10")
                .payments(&["not_accepted"]),
        )
        .told(&["order.created", "payment.detected", "payment.wrong_asset"])
}

fn another_chain_is_attached_and_does_not_count() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("10").on(&["first"]))
        .sees("TEA", awaiting_payment().options("1"))
        .pay(payment("10").to("TEA").on("second"))
        .becomes_final()
        .sees(
            "TEA",
            awaiting_payment()
                .received("10")
                .ignored("10")
                .payments(&["not_accepted"]),
        )
        .told(&["order.created", "payment.detected", "payment.wrong_asset"])
}

fn a_look_alike_is_no_money() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pay(
            payment("10")
                .to("TEA")
                .in_coin(Coin::LookAlike)
                .called("FAKE"),
        )
        .pay(
            payment("10")
                .to_the_treasury()
                .in_coin(Coin::LookAlike)
                .called("FAKE TOO"),
        )
        .becomes_final()
        .finds_nothing_of("FAKE")
        .finds_nothing_of("FAKE TOO")
        .finds_strange("FAKE")
        .finds_strange("FAKE TOO")
        .sees("TEA", awaiting_payment().received("0").payments(&[]))
        .told(&["order.created"])
}

fn a_transfer_of_nothing_is_no_payment() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .pay(payment("0").to("TEA").by(By::Stranger).called("POISON"))
        .pay(payment("0").to_the_treasury().called("NOTHING"))
        .becomes_final()
        .finds("POISON", "zero_value")
        .finds("NOTHING", "zero_value")
        .sees("TEA", awaiting_payment().received("0").payments(&[]))
        .told(&["order.created"])
}

fn dust_is_recorded_and_not_announced() -> Story {
    story()
        .configured("[orders]\ndust = \"0.01\"\n")
        .pay(payment("0.009999").called("DUST"))
        .finds("DUST", "dust")
        .pay(payment("0.01").called("MONEY"))
        .finds("MONEY", "unmatched")
        .told(&["payment.unmatched"])
}
