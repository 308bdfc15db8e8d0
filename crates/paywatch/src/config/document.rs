//! Reads the file and the environment into the raw configuration, and tells what does not fit its
//! shape.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use figment::Figment;
use figment::error::{Actual, Kind};
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

use crate::config::problem::{ConfigError, Problem, Problems};
use crate::config::raw::Raw;

/// What the names of variables that override the file begin with.
const PREFIX: &str = "PAYWATCH__";

/// The variables of this process that override the file.
pub(crate) fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// Reads the file at `path` with the variables of `environment` laid over it. What does not fit
/// is left out of the raw value and reported beside it.
pub(crate) fn read(
    path: &Path,
    environment: &[(String, String)],
) -> Result<(Raw, Problems), ConfigError> {
    let text = fs::read_to_string(path).map_err(|cause| {
        let path = path.to_owned();
        if cause.kind() == ErrorKind::NotFound {
            ConfigError::Missing { path }
        } else {
            ConfigError::Unreadable { path, cause }
        }
    })?;
    let syntax = |error: &figment::Error| ConfigError::Syntax {
        path: path.to_owned(),
        message: without_the_line(&error.kind.to_string()),
    };
    let figment = environment
        .iter()
        .filter_map(|(name, value)| Some((key_of(name)?, value)))
        .fold(
            Figment::from(Toml::string(&text)),
            |figment, (key, value)| figment.merge(Serialized::default(&key, read_value(value))),
        );
    let mut dict: Dict = figment.extract().map_err(|error| syntax(&error))?;

    let mut problems = Problems::default();
    loop {
        // One key that does not fit hides the next, so it is taken out and the rest tried again.
        match Value::from(dict.clone()).deserialize::<Raw>() {
            Ok(raw) => return Ok((raw, problems)),
            Err(error) => {
                problems.add(describe(&error));
                if !remove(&mut dict, &error.path) {
                    return Err(syntax(&error));
                }
            },
        }
    }
}

/// The key that a variable overrides: `PAYWATCH__CHAINS__MY_CHAIN__HTTP` is
/// `chains.my-chain.http`, since the names of chains and of messages have no underscores and those of
/// variables no hyphens.
fn key_of(variable: &str) -> Option<String> {
    let path = variable.strip_prefix(PREFIX)?.to_lowercase();
    let mut parts: Vec<String> = path.split("__").map(str::to_owned).collect();
    if let [section, name, ..] = parts.as_mut_slice()
        && (section == "chains" || section == "messages")
    {
        *name = name.replace('_', "-");
    }
    Some(parts.join("."))
}

/// A variable's value: a number, a boolean, a list in brackets, or else a text.
fn read_value(text: &str) -> Value {
    match text.parse() {
        Ok(value) => value,
        Err(infallible) => match infallible {},
    }
}

/// Takes out the value at `path`, or the list that holds it; whether there was one.
fn remove(dict: &mut Dict, path: &[String]) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return false;
    };
    match dict.get_mut(key) {
        Some(Value::Dict(_, inner)) if !rest.is_empty() => remove(inner, rest),
        Some(_) => dict.remove(key).is_some(),
        None => false,
    }
}

/// An error of shape in our words. It names types and never values, which may be secrets.
fn describe(error: &figment::Error) -> Problem {
    let key = error.path.join(".");
    let (wrong, allowed) = match &error.kind {
        Kind::UnknownField(name, known) => return unknown_key(key, name, known),
        Kind::InvalidType(actual, expected) => (
            format!("is {}", kind_of(actual)),
            format!("must be {}", in_words(expected)),
        ),
        Kind::InvalidValue(_, expected) => (
            "is out of range".to_owned(),
            format!("must be {}", in_words(expected)),
        ),
        Kind::MissingField(field) => (
            format!("{field} is missing"),
            "give symbol, address and decimals".to_owned(),
        ),
        Kind::Message(_)
        | Kind::InvalidLength(..)
        | Kind::UnknownVariant(..)
        | Kind::DuplicateField(_)
        | Kind::ISizeOutOfRange(_)
        | Kind::USizeOutOfRange(_)
        | Kind::Unsupported(_)
        | Kind::UnsupportedKey(..) => (
            "cannot be read".to_owned(),
            "see the file that `paywatch init` writes".to_owned(),
        ),
    };
    Problem {
        key,
        wrong,
        allowed,
    }
}

/// A key that does not exist, with the nearest one that does.
fn unknown_key(key: String, name: &str, known: &[&str]) -> Problem {
    let nearest = nearest(name, known.iter().copied());
    let hint = nearest
        .map(|near| format!(" (did you mean {near}?)"))
        .unwrap_or_default();
    Problem {
        key,
        wrong: format!("there is no such key{hint}"),
        allowed: format!("known keys are {}", known.join(", ")),
    }
}

/// The one of `known` that `name` is likely to mean.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What kind of value was found.
fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a number with a fraction",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        Actual::Unit | Actual::Option => "empty",
        Actual::Bytes(_)
        | Actual::NewtypeStruct
        | Actual::Enum
        | Actual::UnitVariant
        | Actual::NewtypeVariant
        | Actual::TupleVariant
        | Actual::StructVariant
        | Actual::Other(_) => "something else",
    }
}

/// What serde expected, in words for people.
fn in_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "a boolean" => "true or false",
        "a string" | "path string" => "a text in quotes",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    words.to_owned()
}

/// The TOML parser's message without the source lines that it quotes, which look like `1 | …`.
fn without_the_line(message: &str) -> String {
    let is_quoted = |line: &&str| {
        line.split_once('|')
            .is_some_and(|(margin, _)| margin.trim().bytes().all(|b| b.is_ascii_digit()))
    };
    message
        .lines()
        .filter(|line| !is_quoted(line))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
