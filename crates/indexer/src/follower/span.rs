//! How many blocks to ask for at once: what the node serves, found out and remembered.

/// After so many full spans below a refused width, that width is tried again: nodes change.
const FORGET_AFTER: u32 = 256;

/// The number of blocks to ask for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    width: u64,
    widest: u64,
    /// The narrowest width that was refused lately.
    refused: Option<u64>,
    /// Full spans that were served since.
    served: u32,
}

impl Span {
    /// A span that begins at its widest.
    pub(super) fn new(widest: u64) -> Self {
        let widest = widest.max(1);
        Self {
            width: widest,
            widest,
            refused: None,
            served: 0,
        }
    }

    /// How many blocks to ask for, at least 1.
    pub(super) const fn width(&self) -> u64 {
        self.width
    }

    /// Asks for less from now on: as much as the node suggested if that is less, else half.
    /// Returns whether there was anything left to narrow.
    pub(super) fn narrow(&mut self, suggested: Option<u64>) -> bool {
        let before = self.width;
        if before == 1 {
            return false;
        }
        let half = before.checked_div(2).unwrap_or(1).max(1);
        self.width = suggested
            .filter(|&blocks| blocks >= 1 && blocks < before)
            .unwrap_or(half);
        self.refused = Some(before);
        self.served = 0;
        true
    }

    /// `blocks` were served at once: asks for slightly more from now on, below what was refused.
    pub(super) fn served(&mut self, blocks: u64) {
        if blocks < self.width {
            return;
        }
        self.served = self.served.saturating_add(1);
        if self.served >= FORGET_AFTER {
            self.refused = None;
            self.served = 0;
        }
        let limit = match self.refused {
            Some(refused) => refused.saturating_sub(1).clamp(1, self.widest),
            None => self.widest,
        };
        let step = self.width.checked_div(8).unwrap_or(0).max(1);
        let wider = self.width.saturating_add(step).min(limit);
        self.width = self.width.max(wider);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_a_suggestion_and_else_halves() {
        let mut span = Span::new(10_000);
        assert!(span.narrow(Some(2_000)));
        assert_eq!(span.width(), 2_000);
        assert!(span.narrow(Some(50_000)));
        assert_eq!(span.width(), 1_000);
        assert!(span.narrow(Some(0)));
        assert_eq!(span.width(), 500);
        let mut single = Span::new(1);
        assert!(!single.narrow(Some(1)));
        assert_eq!(Span::new(0).width(), 1);
    }

    #[test]
    fn a_refused_width_is_not_asked_again_for_long() {
        let mut span = Span::new(1_000);
        let limit = 100;
        let mut refusals = 0;
        for _ in 0..200 {
            let width = span.width();
            if width > limit {
                refusals += 1;
                assert!(span.narrow(None));
            } else {
                span.served(width);
            }
        }
        assert!(
            span.width() <= limit && span.width() > limit / 2,
            "{span:?}"
        );
        assert!(refusals < 20, "{refusals} refusals");
    }

    #[test]
    fn grows_back_once_the_node_serves_more() {
        let mut span = Span::new(1_000);
        while span.narrow(None) {}
        assert_eq!(span.width(), 1);
        for _ in 0..2_000 {
            span.served(span.width());
        }
        assert_eq!(span.width(), 1_000);
    }

    proptest! {
        #[test]
        fn is_never_empty_and_never_too_wide(
            widest in 0_u64..5_000,
            steps in proptest::collection::vec(proptest::option::of(0_u64..10_000), 0..100),
        ) {
            let mut span = Span::new(widest);
            for step in steps {
                match step {
                    Some(suggested) => {
                        let before = span.width();
                        prop_assert_eq!(span.narrow(Some(suggested)), before > 1);
                        prop_assert!(span.width() < before || before == 1);
                    },
                    None => span.served(span.width()),
                }
                prop_assert!(span.width() >= 1 && span.width() <= widest.max(1));
            }
        }
    }
}
