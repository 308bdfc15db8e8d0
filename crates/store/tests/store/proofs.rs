//! What was shown of payments is kept, and so is what is told of chains.

use paywatch_core::{ChainEvent, ChainEventKind, PaymentId, Proof, TransferId};
use paywatch_store::{PaymentProof, Told};

use crate::books::{Books, at, chain, order};
use crate::line::Line;

on_both_engines!(
    a_proof_is_kept_with_its_payment,
    a_payment_that_left_its_chain_is_not_proved,
    chains_are_told_of_in_the_same_log,
    payments_are_read_by_height,
    watched_addresses_are_read_in_parts,
);

fn proof(transfer: TransferId) -> PaymentProof {
    PaymentProof {
        transfer,
        bundle: "{}".to_owned(),
    }
}

async fn a_proof_is_kept_with_its_payment(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=2, &[(2, &order, "40")])
        .await
        .unwrap();
    let transfer = books.order(&order).await.payments[0]
        .recorded
        .transfer
        .clone();
    let unproved = books.store.unproved_blocks(chain(1)).await.unwrap();
    assert_eq!(unproved.len(), 1);
    assert_eq!(unproved[0].hash, transfer.id.block_hash);
    let id = PaymentId::of(&transfer.id);
    assert_eq!(books.store.payment_proof(&id).await.unwrap(), None);
    assert!(books.store.has_payment(&id).await.unwrap());

    let mut update = line.update(&books.store, 0, 3..=3, &[]).await.unwrap();
    update.proofs = vec![proof(transfer.id)];
    books.store.commit_update(&update).await.unwrap();

    assert_eq!(
        books.order(&order).await.payments[0].recorded.proof,
        Proof::ReceiptsRoot
    );
    let kept = books.store.payment_proof(&id).await.unwrap();
    assert_eq!(kept.as_deref(), Some("{}"));
    assert_eq!(books.store.unproved_blocks(chain(1)).await.unwrap(), []);
}

async fn a_payment_that_left_its_chain_is_not_proved(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=2, &[(2, &order, "40")])
        .await
        .unwrap();
    let id = books.order(&order).await.payments[0].recorded.transfer.id;
    let mut update = line.update(&books.store, 1, 2..=3, &[]).await.unwrap();
    update.proofs = vec![proof(id)];
    books.store.commit_update(&update).await.unwrap();
    let kept = books.store.payment_proof(&PaymentId::of(&id)).await;
    assert_eq!(kept.unwrap(), None);
    assert_eq!(
        books.order(&order).await.payments[0].recorded.proof,
        Proof::None
    );
    let nobody = PaymentId::of(&TransferId {
        log_index: 99,
        ..id
    });
    assert!(!books.store.has_payment(&nobody).await.unwrap());
}

async fn chains_are_told_of_in_the_same_log(books: Books) {
    books.expects(order(1)).await;
    let stalled = ChainEvent {
        chain_id: chain(1),
        kind: ChainEventKind::Stalled,
        detail: "no block for 5 minutes".to_owned(),
    };
    books.store.tell_of_chain(&stalled, at(50)).await.unwrap();
    books.expects(order(2)).await;
    let reorged = ChainEvent {
        kind: ChainEventKind::Reorged,
        ..stalled.clone()
    };
    let mut update = Line::new(1)
        .update(&books.store, 0, 1..=1, &[])
        .await
        .unwrap();
    update.chain_events = vec![reorged.clone()];
    books.store.commit_update(&update).await.unwrap();

    let events = books.events().await;
    assert_eq!(events.len(), 4);
    assert_eq!(events[1].told, Told::Chain(stalled));
    assert_eq!(events[1].at, at(50));
    assert_eq!(events[3].told, Told::Chain(reorged));
    assert_ne!(events[1].id, events[3].id);
}

async fn payments_are_read_by_height(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    let payments = [(2, &order, "10"), (3, &order, "20"), (5, &order, "30")];
    line.cover(&books.store, 0, 1..=5, &payments).await.unwrap();
    let read = books.store.payments_between(chain(1), 3, u64::MAX).await;
    let heights: Vec<_> = read
        .unwrap()
        .iter()
        .map(|payment| {
            assert_eq!(payment.order(), Some(order.id));
            payment.recorded.transfer.block_number
        })
        .collect();
    assert_eq!(heights, [3, 5]);
    let elsewhere = books.store.payments_between(chain(56), 0, u64::MAX).await;
    assert_eq!(elsewhere.unwrap(), []);
}

async fn watched_addresses_are_read_in_parts(books: Books) {
    let mut made = Vec::new();
    for number in 1..=5 {
        made.push(books.expects(order(number)).await);
    }
    let mut read = Vec::new();
    let mut seq = 0;
    loop {
        let part = books.store.watched_after(seq, 2).await.unwrap();
        let Some(last) = part.last() else { break };
        seq = last.seq;
        assert!(part.len() <= 2);
        read.extend(part.iter().map(|watched| watched.order_id));
    }
    let ids: Vec<_> = made.iter().map(|order| order.id).collect();
    assert_eq!(read, ids);
}
