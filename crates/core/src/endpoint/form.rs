//! What fits a form of telling: of what it has words for, and what signs it.

use crate::{EventFormat, EventKind, EventTypes, SignatureKind};

/// Something that a form does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// There are no words for it.
    #[error("the form {form} has no words for {missing}; it has for {known}")]
    NoWords {
        /// The form.
        form: EventFormat,
        /// The types of events, by their names.
        missing: String,
        /// Those that there are words for.
        known: String,
    },
    /// It is signed otherwise.
    #[error("the form {form} is signed by {known}, not by {signature}; leave it out")]
    Signature {
        /// The form.
        form: EventFormat,
        /// What was asked for.
        signature: SignatureKind,
        /// What there is.
        known: &'static str,
    },
    /// Nobody is told in it but whom an order names that was made by the routes it belongs to.
    #[error("the form {form} is for the orders that its own routes make, not for webhooks")]
    OrdersOnly {
        /// The form.
        form: EventFormat,
    },
}

impl EventFormat {
    /// All that it has words for.
    #[must_use]
    pub fn types(self) -> EventTypes {
        match self {
            Self::Standard => EventTypes::All,
            Self::Epusdt => EventTypes::Only([EventKind::OrderCompleted.name()].into()),
            Self::BlockAtm => EventTypes::Only(
                [
                    EventKind::PaymentDetected,
                    EventKind::PaymentConfirmed,
                    EventKind::PaymentReverted,
                    EventKind::PaymentAssigned,
                    EventKind::PaymentUnassigned,
                ]
                .map(EventKind::name)
                .into(),
            ),
        }
    }

    /// Of what somebody is told in this form who wants `types`: all that there are words for, where
    /// everything is wanted.
    ///
    /// # Errors
    /// [`FormError::NoWords`] where something is wanted that there are none for.
    pub fn told_of(self, types: EventTypes) -> Result<EventTypes, FormError> {
        let known = self.types();
        match types {
            EventTypes::All => Ok(known),
            EventTypes::Only(wanted) => {
                let missing = wanted.iter().copied().filter(|name| !known.has(name));
                let missing: Vec<&str> = missing.collect();
                if missing.is_empty() {
                    return Ok(EventTypes::Only(wanted));
                }
                Err(FormError::NoWords {
                    form: self,
                    missing: missing.join(", "),
                    known: known.to_string(),
                })
            },
        }
    }

    /// What signs in this form where `asked` is, or nothing is asked for.
    ///
    /// # Errors
    /// [`FormError::Signature`] where it is signed otherwise; [`FormError::OrdersOnly`] where only orders
    /// are told in it.
    pub fn signed_by(self, asked: Option<SignatureKind>) -> Result<SignatureKind, FormError> {
        let (usual, known) = match self {
            Self::Standard => (SignatureKind::Hmac, "hmac or ed25519"),
            Self::BlockAtm => (SignatureKind::P256, "p256"),
            Self::Epusdt => return Err(FormError::OrdersOnly { form: self }),
        };
        let asked = asked.unwrap_or(usual);
        let fits = match asked {
            SignatureKind::Hmac | SignatureKind::Ed25519 => self == Self::Standard,
            SignatureKind::P256 => self == Self::BlockAtm,
            SignatureKind::Md5 => false,
        };
        if fits {
            return Ok(asked);
        }
        Err(FormError::Signature {
            form: self,
            signature: asked,
            known,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_what_it_has_words_for() {
        let all = EventTypes::All;
        assert_eq!(EventFormat::Standard.told_of(all.clone()), Ok(all.clone()));
        let told = EventFormat::BlockAtm.told_of(all).unwrap();
        assert_eq!(
            told.to_string(),
            "payment.assigned payment.confirmed payment.detected payment.reverted \
             payment.unassigned"
        );
        let one = EventTypes::read(["payment.confirmed"]).unwrap();
        assert_eq!(EventFormat::BlockAtm.told_of(one.clone()), Ok(one));
        let more = EventTypes::read(["payment.confirmed", "order.paid", "chain.stalled"]);
        let refused = EventFormat::BlockAtm.told_of(more.unwrap()).unwrap_err();
        let text = refused.to_string();
        assert!(
            text.starts_with("the form blockatm has no words for chain.stalled, order.paid; it"),
            "{text}"
        );
    }

    #[test]
    fn a_form_is_signed_as_it_wants() {
        let (own, theirs) = (EventFormat::Standard, EventFormat::BlockAtm);
        assert_eq!(own.signed_by(None), Ok(SignatureKind::Hmac));
        let pair = Some(SignatureKind::Ed25519);
        assert_eq!(own.signed_by(pair), Ok(SignatureKind::Ed25519));
        assert_eq!(theirs.signed_by(None), Ok(SignatureKind::P256));
        let refused = theirs.signed_by(pair).unwrap_err().to_string();
        assert!(refused.contains("by p256, not by ed25519"), "{refused}");
        assert!(own.signed_by(Some(SignatureKind::P256)).is_err());
        assert!(own.signed_by(Some(SignatureKind::Md5)).is_err());
        let refused = EventFormat::Epusdt.signed_by(None).unwrap_err().to_string();
        assert!(refused.contains("not for webhooks"), "{refused}");
    }
}
