//! What only the code of a real token can do.

use crate::expectation::{awaiting_payment, completed};
use crate::step::Lever::{Pause, Unpause};
use crate::step::{order, payment};
use crate::story::{Story, story};

told_on_anvil_only!(
    a_token_that_is_stopped_moves_nothing
        because "the simulator's tokens have no code that could refuse a transfer",
);

fn a_token_that_is_stopped_moves_nothing() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .issuer_pulls(Pause)
        .fails_to_pay(payment("12.5").to("TEA").called("STOPPED"))
        .finds_nothing_of("STOPPED")
        .sees("TEA", awaiting_payment())
        .issuer_pulls(Unpause)
        .pays("TEA", "12.5")
        .becomes_final()
        .sees("TEA", completed().confirmed("12.5"))
}
