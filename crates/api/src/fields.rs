//! Which of its fields of an object are shown.

use serde::{Serialize, Serializer};
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::parameters::{read_each, unknown};
use crate::problem::FieldError;

/// The fields that a request asks for; all, if it names none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Option<Vec<String>>);

/// An object, of which only some fields are written.
#[derive(Debug)]
pub(crate) struct Shown<T> {
    object: T,
    fields: Fields,
}

impl Fields {
    /// Reads `fields` in `pairs`: names between commas, of fields that a `T` has by its description.
    ///
    /// # Errors
    /// When a name is none of those.
    pub(crate) fn read<T: PartialSchema>(pairs: &[(String, String)]) -> Result<Self, FieldError> {
        let Some((_, value)) = pairs.iter().find(|(name, _)| name == "fields") else {
            return Ok(Self::default());
        };
        Self::named::<T>(value)
    }

    /// The fields of a `T` that `value` names.
    fn named<T: PartialSchema>(value: &str) -> Result<Self, FieldError> {
        let known: Vec<String> = match T::schema() {
            RefOr::T(Schema::Object(object)) => object.properties.into_keys().collect(),
            RefOr::T(_) | RefOr::Ref(_) => Vec::new(),
        };
        let names: Vec<String> = value.split(',').map(str::to_owned).collect();
        match names.iter().find(|name| !known.contains(name)) {
            None => Ok(Self(Some(names))),
            Some(unknown) => {
                let detail = format!("{unknown:?} is none; known are {}", known.join(", "));
                Err(FieldError::new("fields", "unknown_field", detail))
            },
        }
    }

    /// The same of a call that has no other parameters.
    ///
    /// # Errors
    /// When a field or a parameter is unknown, or fields are given twice.
    pub(crate) fn only<T: PartialSchema>(
        pairs: &[(String, String)],
    ) -> Result<Self, Vec<FieldError>> {
        let mut fields = Self::default();
        read_each(pairs, &[], |name, value| {
            if name != "fields" {
                return Err(unknown(name, &["fields"]));
            }
            fields = Self::named::<T>(value)?;
            Ok(())
        })?;
        Ok(fields)
    }

    /// `object` as it is to be shown.
    pub(crate) fn of<T>(&self, object: T) -> Shown<T> {
        Shown {
            object,
            fields: self.clone(),
        }
    }
}

impl<T: Serialize> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(names) = &self.fields.0 else {
            return self.object.serialize(serializer);
        };
        let mut value = serde_json::to_value(&self.object).map_err(serde::ser::Error::custom)?;
        if let Some(object) = value.as_object_mut() {
            object.retain(|name, _| names.contains(name));
        }
        value.serialize(serializer)
    }
}
