//! What calls with `fields` answer: an object, or the part of it that was asked for.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayItems, Schema};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use crate::docs::operations;

/// What can be shown in part: the object, its part, and the page that lists it.
const SHOWN: [(&str, &str, &str); 3] = [
    ("Order", "OrderPart", "OrderList"),
    ("Payment", "PaymentPart", "PaymentList"),
    ("Sweep", "SweepPart", "SweepList"),
];

/// Describes the parts, and that calls which take `fields` answer with one or with all of it.
pub(crate) fn describe_parts(openapi: &mut OpenApi) {
    for (whole, part, list) in SHOWN {
        let components = openapi.components.get_or_insert_default();
        let schemas = &mut components.schemas;
        let Some(RefOr::T(Schema::Object(object))) = schemas.get(whole) else {
            continue;
        };
        let mut shown = object.clone();
        shown.required.clear();
        shown.description = Some(format!("Those fields of {whole} that `fields` asked for."));
        schemas.insert(part.to_owned(), Schema::Object(shown).into());
        if let Some(RefOr::T(Schema::Object(page))) = schemas.get_mut(list)
            && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
        {
            data.items = ArrayItems::RefOrSchema(Box::new(either(whole, part)));
        }
        let paths = openapi.paths.paths.values_mut();
        for operation in paths.flat_map(operations).filter(|it| takes_fields(it)) {
            answer_either(operation, (whole, part));
        }
    }
}

fn either(whole: &str, part: &str) -> RefOr<Schema> {
    let any = AnyOfBuilder::new()
        .item(Ref::from_schema_name(whole))
        .item(Ref::from_schema_name(part));
    Schema::AnyOf(any.build()).into()
}

fn takes_fields(operation: &Operation) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .into_iter()
        .any(|it| matches!(it, RefOr::T(it) if it.name == "fields"))
}

fn answer_either(operation: &mut Operation, (whole, part): (&str, &str)) {
    let whole_is = Ref::from_schema_name(whole).ref_location;
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else {
            continue;
        };
        for content in response.content.values_mut() {
            let RefOr::T(content) = content else {
                continue;
            };
            if matches!(&content.schema, Some(RefOr::Ref(it)) if it.ref_location == whole_is) {
                content.schema = Some(either(whole, part));
            }
        }
    }
}
