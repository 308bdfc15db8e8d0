//! The table, by subject, and what must be true of all of its rows.

mod amounts;
mod calls;
mod deadlines;
mod decisions;
mod exact_amounts;
mod levers;
mod loose;
mod outages;
mod paying;
mod real_tokens;
mod refunds;
mod reorgs;

use std::collections::BTreeSet;

use crate::story::Story;

/// A row: its name and its story.
pub(crate) type Row = (&'static str, Story);

fn rows() -> Vec<Row> {
    [
        paying::rows(),
        amounts::rows(),
        deadlines::rows(),
        decisions::rows(),
        exact_amounts::rows(),
        calls::rows(),
        refunds::rows(),
        levers::rows(),
        loose::rows(),
        reorgs::rows(),
        outages::rows(),
        real_tokens::rows(),
    ]
    .concat()
}

/// Fewer would be a hole in the specification.
#[test]
fn there_are_at_least_forty_stories_each_with_a_name_of_its_own() {
    let names: Vec<_> = rows().into_iter().map(|(name, _)| name).collect();
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    assert!(names.len() >= 40, "there are {}", names.len());
}

/// A story that expects nothing cannot fail.
#[test]
fn every_story_ends_with_what_must_be() {
    for (name, story) in rows() {
        let last = story.steps.last();
        assert!(
            last.is_some_and(crate::step::Step::is_expectation),
            "{name} does not end with what must be:\n{story}"
        );
    }
}
