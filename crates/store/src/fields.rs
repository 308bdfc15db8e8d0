//! Rows to values and values to columns: every text and number is checked on its way.

use std::str::FromStr;

use paywatch_core::{
    Address, B256, Block, ChainId, Flags, TimeError, Timestamp, TransferId, UnknownName,
};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::{BoxError, StoreError};

/// A row, and how to name it when a column of it cannot be read.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    row: &'a AnyRow,
    table: &'static str,
    key: &'static str,
}

impl<'a> Fields<'a> {
    /// The columns of `row`, which is one of `table`'s and is named by its column `key`.
    pub(crate) const fn of(row: &'a AnyRow, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    pub(crate) fn corrupt(&self, column: &'static str, source: impl Into<BoxError>) -> StoreError {
        let text = || self.row.try_get::<String, _>(self.key);
        let number = |_not_text| {
            self.row
                .try_get::<i64, _>(self.key)
                .map(|key| key.to_string())
        };
        let key = text()
            .or_else(number)
            .unwrap_or_else(|_unreadable| "(unreadable)".to_owned());
        StoreError::Corrupt {
            table: self.table,
            column,
            key,
            source: source.into(),
        }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.row
            .try_get(column)
            .map_err(|cause| self.corrupt(column, cause))
    }

    pub(crate) fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.row
            .try_get(column)
            .map_err(|cause| self.corrupt(column, cause))
    }

    fn signed(&self, column: &'static str) -> Result<i64, StoreError> {
        self.row
            .try_get(column)
            .map_err(|cause| self.corrupt(column, cause))
    }

    fn maybe_signed(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.row
            .try_get(column)
            .map_err(|cause| self.corrupt(column, cause))
    }

    /// A number that fits `T`.
    pub(crate) fn number<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<i64, Error: Into<BoxError>>,
    {
        T::try_from(self.signed(column)?).map_err(|cause| self.corrupt(column, cause))
    }

    pub(crate) fn maybe_number<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<i64, Error: Into<BoxError>>,
    {
        self.maybe_signed(column)?
            .map(T::try_from)
            .transpose()
            .map_err(|cause| self.corrupt(column, cause))
    }

    /// A text that reads as a `T`.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr<Err: Into<BoxError>>,
    {
        self.text(column)?
            .parse()
            .map_err(|cause: T::Err| self.corrupt(column, cause))
    }

    pub(crate) fn maybe_parsed<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: Into<BoxError>>,
    {
        self.maybe_text(column)?
            .map(|text| text.parse())
            .transpose()
            .map_err(|cause: T::Err| self.corrupt(column, cause))
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        match self.signed(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.corrupt(column, format!("{other} is neither 0 nor 1"))),
        }
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.timestamp(column, self.signed(column)?)
    }

    pub(crate) fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.maybe_signed(column)?
            .map(|ms| self.timestamp(column, ms))
            .transpose()
    }

    fn timestamp(&self, column: &'static str, ms: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_unix_ms(ms).map_err(|cause: TimeError| self.corrupt(column, cause))
    }

    pub(crate) fn chain_id(&self, column: &'static str) -> Result<ChainId, StoreError> {
        ChainId::new(self.number(column)?).map_err(|cause| self.corrupt(column, cause))
    }

    pub(crate) fn maybe_chain_id(
        &self,
        column: &'static str,
    ) -> Result<Option<ChainId>, StoreError> {
        let id = self.maybe_number(column)?.map(ChainId::new);
        id.transpose().map_err(|cause| self.corrupt(column, cause))
    }

    pub(crate) fn flags(&self, column: &'static str) -> Result<Flags, StoreError> {
        let names = self.text(column)?;
        let names = names.split(',').filter(|name| !name.is_empty());
        Flags::from_names(names).map_err(|cause: UnknownName| self.corrupt(column, cause))
    }

    pub(crate) fn transfer_id(&self) -> Result<TransferId, StoreError> {
        Ok(TransferId {
            chain_id: self.chain_id("chain_id")?,
            block_hash: self.parsed("block_hash")?,
            log_index: self.number("log_index")?,
        })
    }

    /// A block, from columns of these names.
    pub(crate) fn block(&self, columns: [&'static str; 4]) -> Result<Block, StoreError> {
        let [number, hash, parent_hash, timestamp] = columns;
        Ok(Block {
            number: self.number(number)?,
            hash: self.parsed(hash)?,
            parent_hash: self.parsed(parent_hash)?,
            timestamp: self.time(timestamp)?,
        })
    }
}

/// An unsigned number for a BIGINT column.
pub(crate) fn number(value: u64, what: &str) -> Result<i64, StoreError> {
    i64::try_from(value)
        .map_err(|cause| StoreError::refused(format!("{what} {value} is too large: {cause}")))
}

/// As [`number`], for what may be missing.
pub(crate) fn maybe_number(value: Option<u64>, what: &str) -> Result<Option<i64>, StoreError> {
    value.map(|value| number(value, what)).transpose()
}

/// A chain id for a BIGINT column, which it always fits.
pub(crate) fn chain_number(chain_id: ChainId) -> Result<i64, StoreError> {
    number(chain_id.get(), "chain id")
}

pub(crate) fn address(address: &Address) -> String {
    format!("{address:#x}")
}

pub(crate) fn hash(hash: &B256) -> String {
    format!("{hash:#x}")
}

pub(crate) fn flags(flags: Flags) -> String {
    flags.names().join(",")
}
