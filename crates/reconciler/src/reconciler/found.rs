//! What an update brings: transfers by where they belong, and notices by what they mean.

use paywatch_core::{
    ChainEvent, Claim, Loose, OrderId, Payer, Place, RecordedTransfer, TokenNotice, Transfer, place,
};
use paywatch_indexer::{ChainUpdate, Recipients};
use paywatch_store::StoreError;

use crate::reconciler::{Contracts, Reconciler};

/// What an update brings.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) to_orders: Vec<(RecordedTransfer, OrderId)>,
    pub(super) loose: Vec<(Transfer, Loose)>,
    /// Notices that freeze the merchant's addresses, or release them.
    pub(super) freezes: Vec<TokenNotice>,
    /// What is to be told of notices.
    pub(super) alerts: Vec<ChainEvent>,
}

/// A transfer that touches the merchant's addresses.
struct Ours<'a> {
    transfer: &'a Transfer,
    payer: Payer,
    /// Whether it is to one of them, so that somebody may claim it.
    is_paid: bool,
}

impl Reconciler {
    /// What in `update` concerns the merchant's addresses, and where it belongs.
    pub(super) async fn found_in(&self, update: &ChainUpdate) -> Result<Found, StoreError> {
        let mut found = Found::default();
        if update.blocks.iter().all(|covered| covered.is_empty()) {
            return Ok(found);
        }
        let watched = self.addresses.read_on().await?;
        let own = self.addresses.own();
        let mut ours = Vec::new();
        {
            let (watched, own) = (watched.read(), own.read());
            for covered in &update.blocks {
                let transfers = covered.transfers.iter();
                ours.extend(transfers.filter_map(|transfer| Ours::of(transfer, &watched, &own)));
                for notice in &covered.notices {
                    found.take_notice(notice, &self.contracts, &watched);
                }
            }
        }
        let paid: Vec<&Transfer> = ours
            .iter()
            .filter(|ours| ours.is_paid)
            .map(|ours| ours.transfer)
            .collect();
        let claims = self.store.claims(&paid).await?;
        for ours in ours {
            let transfer = ours.transfer;
            let claimed = claims.get(&transfer.id).filter(|_| ours.is_paid);
            let claim = match claimed {
                Some(claimed) => claimed.claim,
                None if ours.is_paid => Claim::Nobody,
                None => Claim::Stranger,
            };
            match place(transfer, claim, ours.payer, self.dust) {
                Place::Order(order) => {
                    let recorded = RecordedTransfer {
                        assigned: claimed.and_then(|claimed| claimed.assigned),
                        ..RecordedTransfer::from(transfer.clone())
                    };
                    found.to_orders.push((recorded, order));
                },
                Place::Loose(loose) => found.loose.push((transfer.clone(), loose)),
            }
        }
        Ok(found)
    }
}

impl<'a> Ours<'a> {
    /// `transfer`, if it is to an address that is `watched` or from one of our `own`.
    fn of(transfer: &'a Transfer, watched: &Recipients<'_>, own: &Recipients<'_>) -> Option<Self> {
        let is_paid = watched.contains(&transfer.to);
        if !is_paid && !own.contains(&transfer.from) {
            return None;
        }
        let payer = if watched.contains(&transfer.from) {
            Payer::Ourselves
        } else {
            Payer::Somebody
        };
        Some(Self {
            transfer,
            payer,
            is_paid,
        })
    }
}

impl Found {
    pub(super) fn count(&self) -> usize {
        self.to_orders.len().saturating_add(self.loose.len())
    }

    /// What is to be shown: what may count, what an operator may give to an order later, and what a
    /// receiver is said to have passed on.
    pub(super) fn to_prove(&self) -> impl Iterator<Item = &Transfer> {
        // What is sent may be a refund, now or by an operator's word later.
        let provable = self.loose.iter().filter(|(transfer, loose)| match loose {
            Loose::Unmatched | Loose::Dust | Loose::WrittenOff | Loose::Sent => true,
            Loose::Moved | Loose::ZeroValue => transfer.paid_through.is_some(),
        });
        self.to_orders
            .iter()
            .map(|(recorded, _)| &recorded.transfer)
            .chain(provable.map(|(transfer, _)| transfer))
    }

    /// What left one of the merchant's addresses for somebody else's.
    pub(super) fn sent(&self) -> Vec<Transfer> {
        let loose = self.loose.iter();
        let sent = loose.filter(|(_, loose)| *loose == Loose::Sent);
        sent.map(|(transfer, _)| transfer.clone()).collect()
    }

    fn take_notice(
        &mut self,
        notice: &TokenNotice,
        contracts: &Contracts,
        watched: &Recipients<'_>,
    ) {
        let is_ours = |address: &_| watched.contains(address);
        if notice
            .freeze()
            .is_some_and(|(address, _)| is_ours(&address))
        {
            self.freezes.push(notice.clone());
        }
        let mut tokens = contracts.tokens.iter();
        let token = tokens.find(|token| token.address == notice.token);
        if let Some(alert) = token.and_then(|token| notice.alert(token, is_ours)) {
            self.alerts.push(alert.into_event(notice.chain_id));
        }
    }
}
