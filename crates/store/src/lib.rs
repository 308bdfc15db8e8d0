//! Every SQL statement of paywatch: one dialect on SQLite and PostgreSQL.
//!
//! Each public method of [`Store`] is one whole transaction, named after what it achieves; no
//! transaction leaks out. Nothing is decided here: what an order has become comes in as a value.

mod api_keys;
mod audits;
mod batch;
mod books;
#[cfg(feature = "bulk")]
mod bulk;
mod chains;
mod checkout;
mod commit;
mod create;
mod database_url;
mod decisions;
mod deliveries;
mod deposits;
mod endpoints;
mod engine;
mod error;
mod events;
mod exports;
mod fields;
mod frozen;
mod idempotency;
mod listing;
mod load;
mod look_alikes;
mod migrations;
mod payments;
mod promises;
mod proofs;
mod record;
mod refunds;
mod slots;
mod store;
mod sweeps;
#[cfg(feature = "test-postgres")]
pub mod test_postgres;
mod together;
mod waiting_line;

pub use crate::audits::Turnovers;
#[cfg(feature = "bulk")]
pub use crate::bulk::History;
pub use crate::database_url::{DatabaseUrl, DatabaseUrlError};
pub use crate::error::{BoxError, StoreError};
pub use crate::idempotency::{Attempt, AttemptOutcome, KeptAnswer};
pub use crate::promises::Promises;
pub use crate::record::{
    AfterAttempt, Again, ApiKeyRecord, Assessable, AttemptRecord, Attempted, AuditAccount,
    AuditEntry, AuditRun, AuditScope, BookedPlace, BookedTransfer, Callback, ChainCommit,
    ChainRecord, Claimed, CreateOutcome, DecisionFilter, DecisionRecord, DeliveryRecord,
    DisabledBy, DueDelivery, EndpointChange, EndpointHealth, EndpointOutcome, EndpointRecord,
    EndpointSecret, EventContext, EventFilter, EventGap, EventPage, EventRecord, Flush,
    FrozenAddress, FrozenState, Holder, Imported, KeyRate, KeyTerms, Ledger, LookAlike,
    LookAlikeBounds, LookAlikeCommit, LookAlikeFilter, LookAlikePlace, LookAlikeSums, Misplaced,
    NewApiKey, NewDecision, NewEndpoint, NewOrder, NewRefund, OrderBooks, OrderChange, OrderEvent,
    OrderFilter, OrderPage, OrderRecord, OrderSums, OrderThen, Origins, Page, PaidDeposit,
    PaidDeposits, PaymentFilter, PaymentProof, PaymentRecord, PaymentThen, Period, Queued,
    RefundFilter, RefundRecord, RefundThen, SelfDescription, SlotWish, StrangeTransfers, Sweep,
    SweepFilter, Told, Touch, Watched,
};
pub use crate::store::Store;
