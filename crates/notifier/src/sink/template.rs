//! Texts and JSON with places for an event's words, such as `{reference}`.

use serde_json::Value;

use crate::sink::Outgoing;

/// What can stand between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Id,
    Kind,
    Key,
    Reference,
    Amount,
    Detail,
    Advice,
}

impl Place {
    const ALL: [(&'static str, Self); 7] = [
        ("type", Self::Kind),
        ("reference", Self::Reference),
        ("amount", Self::Amount),
        ("detail", Self::Detail),
        ("advice", Self::Advice),
        ("id", Self::Id),
        ("key", Self::Key),
    ];

    fn of(self, event: &Outgoing) -> &str {
        match self {
            Self::Id => &event.id,
            Self::Kind => &event.kind,
            Self::Key => &event.key,
            Self::Reference => &event.words.reference,
            Self::Amount => &event.words.amount,
            Self::Detail => &event.words.detail,
            Self::Advice => &event.words.advice,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Place),
}

/// A text with places. A brace of its own is written twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTemplate(Vec<Piece>);

/// JSON whose texts have places. What is filled in stays inside of its text, whatever it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonTemplate(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(TextTemplate),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    Fixed(Value),
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A place that nothing is known for.
    #[error(
        "{{{0}}} is no place; there are {{type}}, {{reference}}, {{amount}}, {{detail}}, {{advice}}, {{id}} and {{key}}, and a brace of its own is written twice"
    )]
    Place(String),
    /// A brace that has no partner.
    #[error("a brace has no partner; a brace of its own is written twice")]
    Brace,
    /// It is no JSON.
    #[error("it is no JSON; places belong inside of quotes")]
    Json(#[source] serde_json::Error),
}

impl TextTemplate {
    /// Reads a text with places.
    ///
    /// # Errors
    /// When a place is not known or a brace has no partner.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    plain.push(letter);
                },
                '{' => {
                    let mut name = String::new();
                    loop {
                        match letters.next() {
                            Some('}') => break,
                            None | Some('{') => return Err(TemplateError::Brace),
                            Some(letter) => name.push(letter),
                        }
                    }
                    let known = Place::ALL.into_iter().find(|(known, _)| *known == name);
                    let (_, place) = known.ok_or(TemplateError::Place(name))?;
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Place(place));
                },
                '}' => return Err(TemplateError::Brace),
                letter => plain.push(letter),
            }
        }
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self(pieces))
    }

    /// The text for this event.
    #[must_use]
    pub fn fill(&self, event: &Outgoing) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Place(place) => place.of(event),
        });
        pieces.collect()
    }
}

impl JsonTemplate {
    /// Reads JSON whose texts have places. Names of members have none.
    ///
    /// # Errors
    /// When it is no JSON, a place is not known, or a brace has no partner.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let value = serde_json::from_str(text).map_err(TemplateError::Json)?;
        Node::of(value).map(Self)
    }

    /// The JSON for this event.
    #[must_use]
    pub fn fill(&self, event: &Outgoing) -> Value {
        self.0.fill(event)
    }
}

impl Node {
    // As deep as the reader of JSON goes, which is 128.
    fn of(value: Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) => Self::Text(TextTemplate::parse(&text)?),
            Value::Array(values) => {
                Self::List(values.into_iter().map(Self::of).collect::<Result<_, _>>()?)
            },
            Value::Object(members) => {
                let node = |(name, value)| Ok((name, Self::of(value)?));
                let members: Result<_, TemplateError> = members.into_iter().map(node).collect();
                Self::Object(members?)
            },
            fixed @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Self::Fixed(fixed),
        })
    }

    fn fill(&self, event: &Outgoing) -> Value {
        match self {
            Self::Text(text) => Value::String(text.fill(event)),
            Self::List(nodes) => nodes.iter().map(|node| node.fill(event)).collect(),
            Self::Object(members) => {
                let member = |(name, node): &(String, Self)| (name.clone(), node.fill(event));
                Value::Object(members.iter().map(member).collect())
            },
            Self::Fixed(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::sink::Words;

    fn event(reference: &str, detail: &str) -> Outgoing {
        Outgoing {
            id: "evt_1".to_owned(),
            kind: "order.paid".to_owned(),
            key: "ord_1".to_owned(),
            body: "{}".into(),
            words: Words {
                reference: reference.to_owned(),
                amount: "12.5 USDT".to_owned(),
                detail: detail.to_owned(),
                advice: String::new(),
            },
        }
    }

    #[test]
    fn places_are_filled_and_braces_of_their_own_kept() {
        let text = "{type} {reference}: {amount} {detail}{id}{key} {{type}} }}{{";
        let filled = TextTemplate::parse(text)
            .unwrap()
            .fill(&event("INV-{id}", "-"));
        assert_eq!(
            filled,
            "order.paid INV-{id}: 12.5 USDT -evt_1ord_1 {type} }{"
        );
        assert_eq!(TextTemplate::parse("").unwrap().fill(&event("", "")), "");
    }

    #[test]
    fn what_is_filled_in_stays_inside_of_its_text() {
        let template = r#"{"chat_id":-100,"text":"<b>{type}</b>\n{reference}","list":["{amount}",true,null],"{id}":{}}"#;
        let reference = "\"},\\ \u{7}ü\n{amount}";
        let filled = JsonTemplate::parse(template)
            .unwrap()
            .fill(&event(reference, ""));
        let expected = json!({
            "chat_id": -100,
            "text": format!("<b>order.paid</b>\n{reference}"),
            "list": ["12.5 USDT", true, null],
            "{id}": {},
        });
        assert_eq!(filled, expected);
        let written: Value = serde_json::from_str(&filled.to_string()).unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_wrong_template_says_what_is_right() {
        for (text, words) in [
            ("{order}", "{order} is no place; there are {type},"),
            ("{}", "{} is no place"),
            ("{type", "no partner"),
            ("type}", "no partner"),
            ("{ty{pe}", "no partner"),
        ] {
            let said = TextTemplate::parse(text).unwrap_err().to_string();
            assert!(said.contains(words), "{text}: {said}");
            let json = json!([{ "a": text }]).to_string();
            let said = JsonTemplate::parse(&json).unwrap_err().to_string();
            assert!(said.contains(words), "{json}: {said}");
        }
        let said = JsonTemplate::parse(r#"{"amount": {amount}}"#)
            .unwrap_err()
            .to_string();
        assert!(said.contains("inside of quotes"), "{said}");
    }

    proptest! {
        #[test]
        fn any_text_can_be_written_as_a_template(text in "\\PC{0,40}", reference in "\\PC{0,20}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            let template = TextTemplate::parse(&format!("{doubled}{{reference}}")).unwrap();
            prop_assert_eq!(template.fill(&event(&reference, "")), text + &reference);
        }
    }
}
