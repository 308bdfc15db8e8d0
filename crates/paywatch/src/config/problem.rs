//! What is wrong with a configuration: every problem at once, each with its key.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// One thing that is wrong: `chains.ethereum.treasury: what is wrong; what is allowed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, with its sections before it.
    pub key: String,
    /// What is wrong with its value.
    pub wrong: String,
    /// What would be right.
    pub allowed: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.wrong, self.allowed)
    }
}

/// All that is wrong, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Problems(Vec<Problem>);

/// A problem was recorded and there is no value to go on with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported;

impl Problems {
    /// Records a problem, unless one with the same key, or above or below it, is known already:
    /// what follows from a problem is no news.
    pub(crate) fn add(&mut self, problem: Problem) -> Reported {
        let is_news = !self.0.iter().any(|known| is_akin(&known.key, &problem.key));
        if is_news {
            self.0.push(problem);
        }
        Reported
    }

    /// Whether nothing is wrong.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems of one section.
    pub(crate) fn within(self, section: &str) -> Self {
        Self(
            self.0
                .into_iter()
                .filter(|problem| is_akin(&problem.key, section))
                .collect(),
        )
    }

    /// These and then `later` ones, as far as they are news.
    pub(crate) fn then(mut self, later: Self) -> Self {
        for problem in later.0 {
            self.add(problem);
        }
        self
    }
}

/// Whether two keys are the same, or one lies within the other.
fn is_akin(one: &str, other: &str) -> bool {
    let lies_within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    lies_within(one, other) || lies_within(other, one)
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}  {problem}")?;
        }
        Ok(())
    }
}

/// Why there is no configuration to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// There is no file.
    #[error(
        "there is no configuration at {}; `paywatch init` writes one, --config or PAYWATCH_CONFIG names another",
        path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the configuration {} cannot be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The file is not TOML. The text is the parser's without the line itself, which may hold a
    /// secret.
    #[error("the configuration {} is not valid TOML: {message}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where it is wrong and why.
        message: String,
    },
    /// The file holds what cannot be used.
    #[error("the configuration {} cannot be used:\n{problems}", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Everything that is wrong with it.
        problems: Problems,
    },
}
