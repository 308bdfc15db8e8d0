//! How many blocks to ask one endpoint for at once: what it serves, found out and remembered.

/// After so many full spans below a refused width, that width is tried again: nodes change.
const FORGET_AFTER: u32 = 256;
/// How many blocks are asked for before anything is known.
const FIRST: u64 = 64;
/// An answer of about so many logs is a good one: more wait for each other, fewer cost more calls.
const LOGS_AT_ONCE: u64 = 6_000;
/// Trouble that says nothing about width narrows the span no further than this.
const SOFT_FLOOR: u64 = 8;
/// Densities are counted in logs of so many blocks.
const DENSITY_OF: u64 = 1_024;

/// The number of blocks to ask for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    width: u64,
    widest: u64,
    /// The narrowest width that was refused lately.
    refused: Option<u64>,
    /// The widest that was served whole since.
    proven: u64,
    /// Full spans that were served since.
    served: u32,
    /// About how many logs there are in [`DENSITY_OF`] blocks, once any were seen.
    density: Option<u64>,
}

impl Span {
    /// A span that begins narrow: nobody knows yet how dense the chain is.
    pub(super) fn new(widest: u64) -> Self {
        let widest = widest.max(1);
        Self {
            width: widest.min(FIRST),
            widest,
            refused: None,
            proven: 0,
            served: 0,
            density: None,
        }
    }

    /// How many blocks to ask for, at least 1.
    pub(super) fn width(&self) -> u64 {
        let comfortable = self
            .density
            .and_then(|density| LOGS_AT_ONCE.saturating_mul(DENSITY_OF).checked_div(density))
            .unwrap_or(self.widest);
        self.width.min(comfortable).max(1)
    }

    /// How many logs `blocks` blocks are likely to hold.
    pub(super) fn expected(&self, blocks: u64) -> u64 {
        self.density
            .unwrap_or_default()
            .saturating_mul(blocks)
            .checked_div(DENSITY_OF)
            .unwrap_or_default()
    }

    /// `asked` blocks were refused: asks for less from now on, as much as the node suggested if
    /// that is less, else what it served before, else half. Returns whether there was anything left
    /// to narrow.
    pub(super) fn narrow(&mut self, asked: u64, suggested: Option<u64>) -> bool {
        if asked <= 1 {
            return false;
        }
        self.refused = Some(self.refused.unwrap_or(asked).min(asked));
        self.served = 0;
        let suggested = suggested.filter(|&blocks| blocks >= 1 && blocks < asked);
        // Of several that were under way, the first to be refused has narrowed it already.
        if asked > self.width && suggested.is_none() {
            return true;
        }
        let half = asked.checked_div(2).unwrap_or(1).max(1);
        let proven = Some(self.proven).filter(|&blocks| blocks > half && blocks < asked);
        self.width = suggested.or(proven).unwrap_or(half).min(self.width);
        self.proven = self.proven.min(self.width);
        true
    }

    /// `asked` blocks failed in a way that says nothing about width. It may be the width all the
    /// same.
    pub(super) fn shrink(&mut self, asked: u64) {
        let half = asked.min(self.width).checked_div(2).unwrap_or(1);
        if half >= SOFT_FLOOR {
            self.width = half;
        }
    }

    /// `blocks` were served at once, with so many logs: asks for more from now on, below what was
    /// refused.
    pub(super) fn served(&mut self, blocks: u64, logs: u64) {
        let density = logs.saturating_mul(DENSITY_OF).checked_div(blocks.max(1));
        let density = density.unwrap_or_default();
        self.density = Some(match self.density {
            None => density,
            Some(before) => before
                .saturating_mul(3)
                .saturating_add(density)
                .checked_div(4)
                .unwrap_or(density),
        });
        if blocks < self.width {
            return;
        }
        self.proven = self.proven.max(blocks);
        self.served = self.served.saturating_add(1);
        if self.served >= FORGET_AFTER {
            self.refused = None;
            self.served = 0;
        }
        let (limit, step) = match self.refused {
            Some(refused) => {
                let limit = refused.saturating_sub(1).clamp(1, self.widest);
                let between = limit.saturating_sub(self.width).checked_div(2);
                (limit, between.unwrap_or(0).max(1))
            },
            // Nobody has refused anything yet.
            None => (self.widest, self.width.saturating_mul(3)),
        };
        let wider = self.width.saturating_add(step).min(limit);
        self.width = self.width.max(wider);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A span that has grown to its widest.
    fn wide(widest: u64) -> Span {
        Span {
            width: widest,
            ..Span::new(widest)
        }
    }

    #[test]
    fn begins_narrow_and_grows() {
        let mut span = Span::new(1_000);
        let mut widths = Vec::new();
        for _ in 0..6 {
            widths.push(span.width());
            span.served(span.width(), 0);
        }
        assert_eq!(widths, [64, 256, 1_000, 1_000, 1_000, 1_000]);
    }

    #[test]
    fn takes_a_suggestion_and_else_halves() {
        let mut span = wide(10_000);
        assert!(span.narrow(10_000, Some(2_000)));
        assert_eq!(span.width(), 2_000);
        assert!(span.narrow(2_000, Some(50_000)));
        assert_eq!(span.width(), 1_000);
        assert!(span.narrow(1_000, Some(0)));
        assert_eq!(span.width(), 500);
        let mut single = Span::new(1);
        assert!(!single.narrow(1, Some(1)));
        assert_eq!(Span::new(0).width(), 1);
    }

    #[test]
    fn a_refused_width_is_not_asked_again_for_long() {
        let mut span = wide(1_000);
        let limit = 100;
        let mut refusals = 0;
        for _ in 0..200 {
            let width = span.width();
            if width > limit {
                refusals += 1;
                assert!(span.narrow(width, None));
            } else {
                span.served(width, 0);
            }
        }
        assert!(
            span.width() <= limit && span.width() > limit / 2,
            "{span:?}"
        );
        assert!(refusals < 12, "{refusals} refusals");
    }

    #[test]
    fn several_refusals_at_once_narrow_once() {
        let mut span = wide(1_000);
        for _ in 0..4 {
            assert!(span.narrow(1_000, None));
        }
        assert_eq!(span.width(), 500);
    }

    #[test]
    fn grows_back_once_the_node_serves_more() {
        let mut span = wide(1_000);
        while span.narrow(span.width(), None) {}
        assert_eq!(span.width(), 1);
        for _ in 0..2_000 {
            span.served(span.width(), 0);
        }
        assert_eq!(span.width(), 1_000);
    }

    #[test]
    fn trouble_of_any_kind_shrinks_it_and_it_recovers_at_once() {
        let mut span = wide(1_000);
        for _ in 0..20 {
            span.shrink(span.width());
        }
        assert_eq!(span.width(), 15);
        for _ in 0..7 {
            span.served(span.width(), 0);
        }
        assert_eq!(span.width(), 1_000);
    }

    #[test]
    fn dense_blocks_are_taken_in_smaller_bites() {
        let mut span = wide(2_000);
        span.served(2_000, 2_000 * 100);
        assert_eq!(span.width(), 60);
        assert_eq!(span.expected(60), 6_000);
        for _ in 0..40 {
            span.served(span.width(), 0);
        }
        assert_eq!(span.width(), 2_000);
    }

    proptest! {
        #[test]
        fn is_never_empty_and_never_too_wide(
            widest in 0_u64..5_000,
            steps in proptest::collection::vec((0_u8..3, 0_u64..10_000), 0..100),
        ) {
            let mut span = Span::new(widest);
            for (kind, number) in steps {
                let before = span.width();
                match kind {
                    0 => prop_assert_eq!(span.narrow(before, Some(number)), before > 1),
                    1 => span.shrink(before),
                    _ => span.served(before, number),
                }
                prop_assert!(span.width() >= 1 && span.width() <= widest.max(1));
            }
        }
    }
}
