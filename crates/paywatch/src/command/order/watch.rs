//! `paywatch order watch`: follows an order until nothing more is expected of it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use paywatch_client::{Client, ClientError, Order};
use paywatch_core::OrderStatus;
use tokio::time::MissedTickBehavior;

use crate::command::order::screen;
use crate::output::{self, Format};

/// How often the daemon is asked.
const EVERY: Duration = Duration::from_secs(1);

/// Shows the order whenever it changed, until it ends or Ctrl-C.
pub(crate) async fn run(client: &Client, id: &str, format: Format) -> anyhow::Result<ExitCode> {
    let mut display = match format {
        Format::Json => Display::Objects,
        Format::Text if output::is_terminal() => Display::Live { drawn_rows: 0 },
        Format::Text => Display::Lines,
    };
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<Order> = None;
    let mut was_reached = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {},
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("Ctrl-C cannot be listened for")?;
                return Ok(ExitCode::SUCCESS);
            },
        }
        match client.order(id).await {
            Ok(order) => {
                was_reached = true;
                if last.as_ref() != Some(&order) {
                    display.show(&order)?;
                }
                if let Some(code) = end_of(&order)? {
                    return Ok(code);
                }
                last = Some(order);
            },
            // Only what was seen before is sure to be seen again.
            Err(error) if last.is_none() || is_refusal(&error) => return Err(error.into()),
            Err(error) if was_reached => {
                was_reached = false;
                display.remark(&format!("{error}; still trying"))?;
            },
            Err(_) => {},
        }
    }
}

/// Whether asking again would change nothing.
fn is_refusal(error: &ClientError) -> bool {
    match error {
        ClientError::Problem(problem) => problem.status < 500,
        ClientError::Setup { .. } => true,
        ClientError::Unreachable { .. } | ClientError::Unexpected { .. } => false,
    }
}

/// The exit code if nothing more is to be waited for.
fn end_of(order: &Order) -> anyhow::Result<Option<ExitCode>> {
    let status: OrderStatus = order
        .status
        .parse()
        .context("the daemon is of another version")?;
    Ok(match status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid | OrderStatus::Paid => None,
        OrderStatus::Completed => Some(ExitCode::SUCCESS),
        OrderStatus::Expired | OrderStatus::Cancelled => Some(ExitCode::FAILURE),
    })
}

/// How the order is shown.
enum Display {
    /// A JSON object on a line whenever it changed.
    Objects,
    /// A line whenever it changed.
    Lines,
    /// A table that is drawn over.
    Live {
        /// How many rows the last drawing takes.
        drawn_rows: usize,
    },
}

impl Display {
    fn show(&mut self, order: &Order) -> anyhow::Result<()> {
        match self {
            Self::Objects => output::json_line(order),
            Self::Lines => Ok(output::line(&screen::summary(order))?),
            Self::Live { drawn_rows } => {
                let drawing = screen::draw(order);
                let above = std::mem::replace(drawn_rows, output::rows(&drawing));
                Ok(output::line(&over(above, &drawing))?)
            },
        }
    }

    /// Says something beside the order, below what is drawn.
    fn remark(&mut self, text: &str) -> anyhow::Result<()> {
        if let Self::Live { drawn_rows } = self {
            *drawn_rows = 0;
        }
        Ok(output::aside(text)?)
    }
}

/// `drawing` in place of the `above` rows that were drawn last: up to the first of them, and
/// everything below away.
fn over(above: usize, drawing: &str) -> String {
    match above {
        0 => drawing.to_owned(),
        rows => format!("\u{1b}[{rows}A\u{1b}[J{drawing}"),
    }
}
