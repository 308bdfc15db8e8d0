//! Where a story is played: what one chain of it must be able to do.

mod anvil;
mod simulated;

use paywatch_core::{Address, B256, BlockNumber, OrderId};
use paywatch_tests::books::Truth;
use paywatch_tests::shop::CONFIRMATIONS;

pub(crate) use crate::places::anvil::OnAnvil;
pub(crate) use crate::places::simulated::Simulated;
use crate::step::{By, Coin};
use crate::story::ChainPlan;

/// Slots of an epoch; a block is final two epochs later, so that 64 blocks may be replaced.
const SLOTS_IN_AN_EPOCH: u32 = 64;

/// The merchant's wallet, where amounts tell orders apart; nobody's account.
pub(crate) const WALLET: Address = Address::repeat_byte(0x22);

/// Where the customer wants to have money back; nobody's account.
pub(crate) const CUSTOMERS_BACK: Address = Address::repeat_byte(0x33);

/// An address of somebody else's.
pub(crate) const STRANGER: Address = Address::repeat_byte(0x44);

/// A payment whose recipient is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    /// In what.
    pub coin: Coin,
    /// By whom.
    pub by: By,
    /// To whom.
    pub to: Address,
    /// How much.
    pub amount: &'static str,
    /// What is named to the payment receiver, where it goes through that.
    pub order_ref: Option<B256>,
}

/// A lever of the token, with addresses in the place of orders.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pulled {
    /// See [`Lever`](crate::step::Lever).
    Fee(u64, u64),
    Pause,
    Unpause,
    Freeze(Address),
    Release(Address),
    Issue(u64),
    Deprecate,
}

/// A chain that a story is played on. Everything that happens is in a block when it returns.
pub(crate) trait Place: Truth + Sized {
    /// What people call it.
    const NAME: &'static str;

    /// A fresh chain with the tokens of `plan` on it, and customers who have a million of each.
    async fn open(plan: ChainPlan) -> Self;

    /// Where its node answers, over HTTP and over a WebSocket.
    fn urls(&self) -> (String, String);

    /// The contract of `coin`, if the story's configuration has it.
    fn configured(&self, coin: Coin) -> Option<Address>;

    /// One transaction in a block of its own. More than one transfer in it only by the exchange
    /// and in USDT.
    async fn transacts(&mut self, transfers: &[Transfer]) -> B256;

    /// A transaction that would make `transfer` and fails, in a block of its own.
    async fn fails(&mut self, transfer: &Transfer) -> B256;

    /// Anybody flushes the USDT at the address of `order` to the treasury.
    async fn flushes(&mut self, order: OrderId, address: Address) -> B256;

    /// The issuer of USDT pulls a lever of the token.
    async fn pulls(&mut self, lever: Pulled);

    /// So many empty blocks come.
    async fn mines(&mut self, blocks: u64);

    /// The next block will be so much later.
    async fn seconds_pass(&mut self, seconds: u64);

    /// The newest `depth` blocks are replaced. `again` are customers' payments in USDT, each with
    /// how many new blocks come before its own.
    async fn reorganises(&mut self, depth: u64, again: &[(u64, Transfer)]);

    /// The newest block.
    async fn head(&self) -> (BlockNumber, B256);

    /// The node is switched off.
    async fn node_stops(&mut self);

    /// It is switched on again, with the same chain.
    async fn node_starts(&mut self);
}

/// What the configuration says of the chain.
pub(crate) fn section<P: Place>(plan: &ChainPlan, place: &P) -> String {
    let ChainPlan {
        name, id, decimals, ..
    } = plan;
    let (http, ws) = place.urls();
    let token = |(symbol, coin)| {
        let address = place.configured(coin)?;
        Some(format!(
            "{{ symbol = \"{symbol}\", address = \"{address}\", decimals = {decimals} }}"
        ))
    };
    let tokens = [("USDT", Coin::Usdt), ("USDC", Coin::Usdc)];
    let tokens: Vec<_> = tokens.into_iter().filter_map(token).collect();
    let wallets = plan
        .wallet
        .map(|wallet| format!("wallets = [\"{wallet}\"]\n"));
    let wallets = wallets.unwrap_or_default();
    let receiver = plan
        .receiver
        .map(|receiver| format!("receiver = \"{receiver}\"\n"));
    let receiver = receiver.unwrap_or_default();
    format!(
        "[chains.{name}]\nid = {id}\nhttp = \"{http}\"\nws = \"{ws}\"\n\
         confirmations = {CONFIRMATIONS}\nstart_block = 0\npoll_interval = \"100ms\"\n\
         look_alikes = \"1s\"\ntokens = [{}]\n{wallets}{receiver}",
        tokens.join(", ")
    )
}
