//! What the issuer of a token does, and what the merchant is told of it.

use crate::expectation::{awaiting_payment, completed, paid};
use crate::step::Lever::{Deprecate, Fee, Freeze, FreezeAStranger, Issue, Pause, Release, Unpause};
use crate::step::{order, payment};
use crate::story::{Story, story};

told_in_both_places!(
    a_frozen_address_is_told_and_money_there_still_counts,
    what_others_have_frozen_is_no_alert,
    a_pause_is_told_when_it_begins_and_ends,
    a_fee_is_told_when_it_begins,
    a_token_that_is_replaced_is_told,
    more_of_a_token_is_for_information,
);

fn a_frozen_address_is_told_and_money_there_still_counts() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .issuer_pulls(Freeze("TEA"))
        .alerted(&["which is yours: what lies there cannot be moved"])
        .pay(payment("10").to("TEA").called("STUCK"))
        .finds_frozen("STUCK")
        .becomes_final()
        .sees("TEA", completed().confirmed("10"))
        .issuer_pulls(Release("TEA"))
        .alerted(&["its issuer froze", "its issuer released"])
}

fn what_others_have_frozen_is_no_alert() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .issuer_pulls(FreezeAStranger)
        .pays("TEA", "10")
        .sees("TEA", paid())
        .alerted(&[])
}

fn a_pause_is_told_when_it_begins_and_ends() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .issuer_pulls(Pause)
        .issuer_pulls(Unpause)
        .pays("TEA", "10")
        .sees("TEA", paid())
        .alerted(&["its issuer paused it", "its issuer ended the pause"])
}

fn a_fee_is_told_when_it_begins() -> Story {
    story()
        .issuer_pulls(Fee(10, 5))
        .alerted(&["it takes a fee of 10 hundredths of a percent"])
}

fn a_token_that_is_replaced_is_told() -> Story {
    story()
        .order(order("TEA").amount("10"))
        .issuer_pulls(Deprecate)
        .sees("TEA", awaiting_payment())
        .alerted(&["it was replaced by the contract"])
}

fn more_of_a_token_is_for_information() -> Story {
    story()
        .issuer_pulls(Issue(5_000))
        .alerted(&["for information: "])
        .alerted(&["the issuer made 5000 USDT more"])
}
