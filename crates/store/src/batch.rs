//! Many rows in few statements. The texts are put together from constant pieces and placeholders;
//! every value is bound.

use futures::TryStreamExt as _;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe};

use crate::error::{StoreError, failed};

/// How many keys or rows one statement may take: few sizes, so that few statements are prepared.
const SIZES: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];
/// How many values the rows of one statement may have: SQLite looks for the name of each among the
/// names of all, so that twice as many take four times as long.
const MOST_VALUES: usize = 512;

/// A value to be bound; a missing one keeps its type, which PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Number(Some(i64::from(flag)))
    }
}

/// A statement with `$1`, `$2` and so on, whose values are bound as it is written.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    text: String,
    values: Vec<Value>,
}

impl Statement {
    /// Begins with a constant piece.
    pub(crate) fn new(piece: &'static str) -> Self {
        Self {
            text: piece.to_owned(),
            values: Vec::new(),
        }
    }

    /// Goes on with a constant piece.
    pub(crate) fn push(&mut self, piece: &'static str) -> &mut Self {
        self.text.push_str(piece);
        self
    }

    /// Goes on with a placeholder for `value`.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push_str(&format!("${}", self.values.len()));
        self
    }

    /// Goes on with placeholders for `values`, between commas.
    pub(crate) fn bind_list(&mut self, values: impl IntoIterator<Item = Value>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }

    /// What asks how the database would run it.
    #[cfg(test)]
    pub(crate) fn explained(mut self, by: &str) -> Self {
        self.text.insert_str(0, by);
        self
    }

    /// Runs it and returns its rows.
    pub(crate) async fn rows(
        self,
        connection: &mut AnyConnection,
        what: &'static str,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let query = self.into_query();
        query.fetch_all(connection).await.map_err(failed(what))
    }

    /// Runs it in no transaction, which a single one needs not, and returns its rows.
    pub(crate) async fn rows_alone(
        self,
        readers: &AnyPool,
        what: &'static str,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let query = self.into_query();
        query.fetch_all(readers).await.map_err(failed(what))
    }

    /// Runs it and gives each row to `each` as it comes, so that there may be any number.
    pub(crate) async fn each(
        self,
        connection: &mut AnyConnection,
        what: &'static str,
        mut each: impl FnMut(&AnyRow) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let mut rows = self.into_query().fetch(connection);
        while let Some(row) = rows.try_next().await.map_err(failed(what))? {
            each(&row)?;
        }
        Ok(())
    }

    fn into_query(self) -> Query<'static, Any, AnyArguments> {
        // Safe: the text holds only constant pieces and placeholders.
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            })
    }
}

/// The rows of `before (keys) after` for all `keys`, in as few statements as it takes: the last key
/// fills up what is left of the last one's places.
pub(crate) async fn rows_of(
    connection: &mut AnyConnection,
    keys: &[String],
    before: &'static str,
    after: &'static str,
    what: &'static str,
) -> Result<Vec<AnyRow>, StoreError> {
    let mut rows = Vec::new();
    let [most, ..] = SIZES;
    for chunk in keys.chunks(most) {
        let mut statement = Statement::new(before);
        statement
            .push(" (")
            .bind_list(filled_up(chunk).map(|key| Value::from(key.as_str())))
            .push(") ");
        statement.push(after);
        rows.extend(statement.rows(connection, what).await?);
    }
    Ok(rows)
}

/// Runs `before VALUES (…), (…) after` for all `rows`; returns what that returns.
pub(crate) async fn insert<const N: usize>(
    connection: &mut AnyConnection,
    rows: &[[Value; N]],
    before: &'static str,
    after: &'static str,
    what: &'static str,
) -> Result<Vec<AnyRow>, StoreError> {
    let mut returned = Vec::new();
    for chunk in chunks(rows, N) {
        let mut statement = Statement::new(before);
        statement.push(" VALUES ");
        for (index, row) in chunk.iter().enumerate() {
            statement.push(if index == 0 { "(" } else { ", (" });
            statement.bind_list(row.iter().cloned()).push(")");
        }
        statement.push(" ").push(after);
        returned.extend(statement.rows(connection, what).await?);
    }
    Ok(returned)
}

/// `keys`, and the last of them again and again up to the next allowed size.
fn filled_up(keys: &[String]) -> impl Iterator<Item = &String> {
    let fits = |size: &usize| *size >= keys.len();
    let size = SIZES.into_iter().rev().find(fits).unwrap_or(keys.len());
    let places = size.saturating_sub(keys.len());
    keys.iter()
        .chain(std::iter::repeat_n(keys.last(), places).flatten())
}

/// Cuts `items` of `width` values each into pieces of the allowed sizes.
fn chunks<T>(items: &[T], width: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let may_be = |size: &usize| *size == 1 || size.saturating_mul(width) <= MOST_VALUES;
        let mut sizes = SIZES.into_iter().filter(may_be);
        let size = sizes.find(|size| *size <= rest.len())?;
        let (chunk, tail) = rest.split_at_checked(size)?;
        rest = tail;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_one_chunk() {
        for count in [0, 1, 2, 3, 63, 64, 65, 700] {
            for width in [1, 2, 17, 600] {
                let items: Vec<_> = (0..count).collect();
                let cut: Vec<_> = chunks(&items, width).collect();
                assert!(cut.iter().all(|chunk| SIZES.contains(&chunk.len())));
                let fits = |chunk: &&[i32]| chunk.len() == 1 || chunk.len() * width <= MOST_VALUES;
                assert!(cut.iter().all(fits));
                assert_eq!(cut.concat(), items);
            }
        }
    }

    #[test]
    fn keys_fill_up_a_statement_of_an_allowed_size() {
        for count in [1, 2, 3, 50, 63, 64, 65, 256] {
            let keys: Vec<_> = (0..count).map(|key| key.to_string()).collect();
            let filled: Vec<_> = filled_up(&keys).cloned().collect();
            assert!(SIZES.contains(&filled.len()));
            assert!(filled.len() < count * 4);
            let (own, again) = filled.split_at(count);
            assert_eq!(own, keys);
            assert!(again.iter().all(|key| Some(key) == keys.last()));
        }
    }
}
