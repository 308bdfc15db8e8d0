//! Payments through a receiver, money that leaves, and what issuers do.

use paywatch_core::{
    Address, B256, ChainEventKind, ContractPayment, EventKind, Loose, Order, OrderId, OrderStatus,
    PaymentMethod, PaymentOption, TokenNotice, TokenNoticeKind, Transfer, TransferId,
};
use paywatch_indexer::ChainUpdate;
use paywatch_store::{BookedPlace, CreateOutcome, NewOrder};

use crate::{Chain, Shop, TREASURY, amount, token};

pub(crate) const RECEIVER: Address = Address::repeat_byte(0x50);
const CUSTOMER: Address = Address::repeat_byte(0xaa);
const STRANGER: Address = Address::repeat_byte(0xcc);

/// An order over `asked` that may be paid through the receiver on chain 1.
async fn contract_order(shop: &Shop, number: u8, asked: &str) -> Order {
    let deposit = shop.order(number + 100, asked).await;
    let finality = deposit.options[0].finality;
    let order = Order {
        id: OrderId::from_bytes([number; 16]),
        reference: format!("CONTRACT-{number}").parse().unwrap(),
        options: vec![PaymentOption {
            token: token(1),
            address: TREASURY,
            method: PaymentMethod::Contract { receiver: RECEIVER },
            finality,
        }],
        ..deposit
    };
    let new = NewOrder {
        order: order.clone(),
        request_digest: format!("{number:064x}"),
        slots: Vec::new(),
        callback: None,
    };
    let outcome = shop.store.create_order(&new).await.unwrap();
    assert!(matches!(outcome, CreateOutcome::Created(_)));
    order
}

/// Block `number` of a branch, in which `moves` happen: from, to, how much, for what.
fn update(
    chain: &Chain,
    (number, branch): (u64, u8),
    moves: &[(Address, Address, &str, Option<B256>)],
) -> ChainUpdate {
    let mut update = chain.update(number, branch, &[]);
    let block = update.tip;
    let transfers = (0..)
        .zip(moves)
        .map(|(log_index, (from, to, sum, order_ref))| Transfer {
            id: TransferId {
                chain_id: update.chain_id,
                block_hash: block.hash,
                log_index,
            },
            block_number: number,
            block_timestamp: block.timestamp,
            tx_hash: B256::repeat_byte(0x77),
            token: token(1).address,
            from: *from,
            to: *to,
            amount: amount(sum),
            paid_through: order_ref.map(|order_ref| ContractPayment {
                receiver: RECEIVER,
                payer: *from,
                order_ref,
            }),
        });
    update.blocks[0].transfers = transfers.collect();
    update
}

fn notices(chain: &Chain, block: (u64, u8), kinds: &[TokenNoticeKind]) -> ChainUpdate {
    let mut update = update(chain, block, &[]);
    let notices = (0..).zip(kinds).map(|(log_index, kind)| TokenNotice {
        chain_id: update.chain_id,
        token: token(1).address,
        block: update.tip.to_ref(),
        tx_hash: B256::repeat_byte(0x78),
        log_index,
        kind: kind.clone(),
    });
    update.blocks[0].notices = notices.collect();
    update
}

async fn places(shop: &Shop) -> Vec<(String, BookedPlace)> {
    let booked = shop
        .store
        .payments_between(crate::chain_id(1), 0, u64::MAX)
        .await
        .unwrap();
    let place = |booked: &paywatch_store::BookedTransfer| {
        let amount = booked.recorded.transfer.amount.to_string();
        (amount, booked.place)
    };
    booked.iter().map(place).collect()
}

#[tokio::test]
async fn a_payment_through_the_receiver_is_the_named_orders() {
    let shop = Shop::open().await;
    let tea = contract_order(&shop, 1, "5").await;
    let deposit = shop.order(2, "5").await;
    let mut chain = shop.follows(1);
    chain.brings(9, &[]).await;
    let for_tea = Some(tea.id.to_contract_ref());
    let for_nobody = Some(B256::repeat_byte(9));
    let for_deposit = Some(deposit.id.to_contract_ref());
    let moves = [
        (CUSTOMER, TREASURY, "5", for_tea),
        (CUSTOMER, TREASURY, "6", None),
        (CUSTOMER, TREASURY, "7", for_nobody),
        (CUSTOMER, TREASURY, "8", for_deposit),
        (CUSTOMER, deposit.options[0].address, "9", for_nobody),
    ];
    let bought = update(&chain, (10, 0), &moves);
    let applied = chain.apply(&bought).await.unwrap();
    let unmatched: Vec<_> = applied
        .payment_events
        .iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(unmatched, [EventKind::PaymentUnmatched; 3]);
    assert_eq!(shop.status(&tea).await.0, OrderStatus::Paid);
    // An order's own address is its own, whatever is said.
    assert_eq!(shop.status(&deposit).await.1, "9");
    let record = shop.store.order(tea.id).await.unwrap().unwrap();
    let kept = record.payments[0].recorded.transfer.paid_through;
    assert_eq!(kept, bought.blocks[0].transfers[0].paid_through);

    // Mined again for another order, it is that one's.
    let cake = contract_order(&shop, 3, "5").await;
    let common = paywatch_core::BlockRef {
        number: 9,
        hash: bought.tip.parent_hash,
    };
    chain.tip = Some(common);
    let again = [(CUSTOMER, TREASURY, "5", Some(cake.id.to_contract_ref()))];
    let mut reorg = update(&chain, (10, 1), &again);
    reorg.retract_above = Some(common);
    reorg.previous = Some(bought.tip.to_ref());
    chain.apply(&reorg).await.unwrap();
    assert_eq!(shop.status(&tea).await.0, OrderStatus::AwaitingPayment);
    assert_eq!(shop.status(&cake).await.0, OrderStatus::Paid);
}

#[tokio::test]
async fn money_that_leaves_is_in_the_books_and_told_to_nobody() {
    let shop = Shop::open().await;
    let order = shop.order(1, "5").await;
    let deposit = order.options[0].address;
    let mut chain = shop.follows(1);
    chain.brings(9, &[]).await;
    let moves = [
        (TREASURY, STRANGER, "1", None),
        (TREASURY, STRANGER, "0", None),
        (deposit, TREASURY, "2", None),
        (TREASURY, deposit, "3", None),
        (TREASURY, TREASURY, "4", None),
        (deposit, STRANGER, "5", None),
        (STRANGER, CUSTOMER, "6", None),
    ];
    let sent = update(&chain, (10, 0), &moves);
    let applied = chain.apply(&sent).await.unwrap();
    assert_eq!(applied.transfers, 5);
    assert_eq!(applied.payment_events, []);
    let booked = places(&shop).await;
    let loose = |place| BookedPlace::Loose(place);
    let sums: Vec<_> = booked.iter().map(|(sum, _)| sum.as_str()).collect();
    assert_eq!(sums, ["1", "0", "2", "3", "4"]);
    assert_eq!(booked[0].1, loose(Loose::Sent));
    assert_eq!(booked[1].1, loose(Loose::ZeroValue));
    assert_eq!(booked[2].1, loose(Loose::Moved));
    assert!(matches!(booked[3].1, BookedPlace::Order { id, .. } if id == order.id));
    assert_eq!(booked[4].1, loose(Loose::Moved));

    let common = paywatch_core::BlockRef {
        number: 9,
        hash: sent.tip.parent_hash,
    };
    chain.tip = Some(common);
    let mut reorg = update(&chain, (10, 1), &[]);
    reorg.retract_above = Some(common);
    reorg.previous = Some(sent.tip.to_ref());
    let applied = chain.apply(&reorg).await.unwrap();
    assert_eq!(applied.payment_events, []);
    assert_eq!(places(&shop).await, []);
}

#[tokio::test]
async fn what_an_issuer_does_is_told_and_frozen_addresses_are_known() {
    let shop = Shop::open().await;
    let order = shop.order(1, "5").await;
    let address = order.options[0].address;
    let mut chain = shop.follows(1);
    chain.brings(9, &[]).await;
    let frozen = async || {
        let frozen = shop.store.frozen(None).await.unwrap();
        let addresses = frozen.iter().map(|frozen| frozen.address);
        addresses.collect::<Vec<_>>()
    };
    let kinds = [
        TokenNoticeKind::Frozen { address },
        TokenNoticeKind::Frozen { address: STRANGER },
        TokenNoticeKind::Paused,
    ];
    let moved = notices(&chain, (10, 0), &kinds);
    let applied = chain.apply(&moved).await.unwrap();
    let told: Vec<_> = applied
        .chain_events
        .iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(told, [ChainEventKind::TokenAlert; 2]);
    let detail = &applied.chain_events[0].detail;
    assert!(detail.contains(&address.to_string()), "{detail}");
    assert_eq!(frozen().await, [address]);

    // It never happened, and happens again.
    let common = paywatch_core::BlockRef {
        number: 9,
        hash: moved.tip.parent_hash,
    };
    chain.tip = Some(common);
    let mut reorg = update(&chain, (10, 1), &[]);
    reorg.retract_above = Some(common);
    reorg.previous = Some(moved.tip.to_ref());
    chain.apply(&reorg).await.unwrap();
    assert!(frozen().await.is_empty());
    let again = notices(
        &chain,
        (11, 1),
        &[TokenNoticeKind::Frozen { address: TREASURY }],
    );
    let applied = chain.apply(&again).await.unwrap();
    assert_eq!(applied.chain_events.len(), 1);
    assert_eq!(frozen().await, [TREASURY]);
    let released = TokenNoticeKind::Released { address: TREASURY };
    let released = notices(&chain, (12, 1), &[released]);
    chain.apply(&released).await.unwrap();
    assert!(frozen().await.is_empty());
}
