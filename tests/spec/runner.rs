//! Plays a story: the real daemon, on chains of whatever place.

mod scene;

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::places::Place;
use crate::runner::scene::Scene;
use crate::story::Story;

/// How many lines of the daemon's log a failure shows.
const LOG_LINES: usize = 40;
/// How much of each.
const LOG_WIDTH: usize = 300;

/// Plays `story` from its first step to the audit of the books.
///
/// # Panics
/// When a step fails, with the whole story as a specification.
pub(crate) async fn play<P: Place>(name: &str, story: Story) {
    let mut scene: Scene<P> = Box::pin(Scene::open(&story)).await;
    for (index, step) in story.steps.iter().enumerate() {
        let played = AssertUnwindSafe(Box::pin(scene.play(step)));
        if let Err(problem) = caught(played.catch_unwind().await) {
            fails(name, &story, index, &problem, &scene);
        }
    }
    let closed = AssertUnwindSafe(Box::pin(scene.close(&story)));
    if let Err(problem) = caught(closed.catch_unwind().await) {
        fails(name, &story, story.steps.len(), &problem, &scene);
    }
}

/// A panic is a problem like any other.
fn caught(outcome: Result<Result<(), String>, Box<dyn Any + Send>>) -> Result<(), String> {
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(text.unwrap_or_else(|| "something without words".to_owned()))
    })
}

fn fails<P: Place>(name: &str, story: &Story, index: usize, problem: &str, scene: &Scene<P>) -> ! {
    let step = if index < story.steps.len() {
        format!("step {}", index + 1)
    } else {
        "the audit of the books".to_owned()
    };
    let log = scene.log();
    let lines: Vec<String> = log
        .lines()
        .map(|line| line.chars().take(LOG_WIDTH).collect())
        .collect();
    let last = lines.len().saturating_sub(LOG_LINES);
    panic!(
        "\nThe story \"{}\", played {}, fails at {step}:\n\n{}\n\n{problem}\n\n\
         The end of the daemon's log:\n{}\n",
        name.replace('_', " "),
        P::NAME,
        story.specification(Some(index)),
        lines[last..].join("\n"),
    );
}
