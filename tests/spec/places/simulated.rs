//! A simulated chain behind a real JSON-RPC server, in this process: no node is needed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use paywatch_contracts::receiver::receiver_address;
use paywatch_core::{
    Address, Amount, B256, BlockNumber, ChainId, Decimals, OrderId, TokenNoticeKind, U256,
};
use paywatch_indexer::{TRANSFER_TOPIC, decode_paid};
use paywatch_simulator::server::{LedgerNode, Manners, Served, SimServer};
use paywatch_simulator::{
    Layout, Ledger as _, SimChain, SimPaid, SimTransaction, SimTransfer, notice_log,
};
use paywatch_tests::books::Truth;
use paywatch_tests::chain::{ISSUER, OTHER_PAYER, PAYER, TREASURY, units};
use paywatch_tests::tools;

use crate::places::{Place, Pulled, SLOTS_IN_AN_EPOCH, Transfer};
use crate::step::{By, Coin};
use crate::story::ChainPlan;

/// From one block to the next, where the clock does not say.
const BLOCK_TIME_S: u64 = 1;
/// The contracts.
const USDT: Address = Address::repeat_byte(0x71);
const USDC: Address = Address::repeat_byte(0x72);
const LOOK_ALIKE: Address = Address::repeat_byte(0x73);
const EXCHANGE: Address = Address::repeat_byte(0xe0);

/// A chain in memory and its server.
pub(crate) struct Simulated {
    plan: ChainPlan,
    chain: Arc<SimChain>,
    manners: Arc<Manners>,
    server: SimServer,
    /// How far the chain's time is ahead of the clock, in seconds.
    ahead_s: u64,
    transactions: u64,
    /// What USDT takes of a transfer: hundredths of a percent, and whole units at most.
    fee: (u64, u64),
}

fn clock_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("it is after 1970").as_secs()
}

/// Whom the token names as the payer.
const fn payer(by: By) -> Address {
    match by {
        By::Customer | By::Contract | By::Stranger => PAYER,
        By::AnotherCustomer => OTHER_PAYER,
        By::Exchange => EXCHANGE,
        By::Nobody => Address::ZERO,
        By::Merchant => TREASURY,
    }
}

const fn contract(coin: Coin) -> Address {
    match coin {
        Coin::Usdt => USDT,
        Coin::Usdc => USDC,
        Coin::LookAlike => LOOK_ALIKE,
    }
}

impl Simulated {
    fn moving(&mut self, transfers: &[Transfer]) -> SimTransaction {
        if let [one] = transfers
            && let Some(order_ref) = one.order_ref
        {
            let [.., transfer] = self.logged(one)[..] else {
                panic!("a transfer logs something");
            };
            let paid = SimPaid {
                receiver: receiver_address(),
                transfer,
                order_ref,
            };
            return SimTransaction::paying(&[paid], self.next_nonce());
        }
        let logged: Vec<_> = transfers
            .iter()
            .flat_map(|each| self.logged(each))
            .collect();
        self.transaction(&logged)
    }

    /// What a transfer logs: the fee comes first, if there is one.
    fn logged(&self, transfer: &Transfer) -> Vec<SimTransfer> {
        let decimals = self.plan.decimals;
        let whole = SimTransfer {
            token: contract(transfer.coin),
            from: payer(transfer.by),
            to: transfer.to,
            value: units(transfer.amount, decimals),
        };
        let (share, most) = self.fee;
        let share = whole.value * U256::from(share) / U256::from(10_000);
        let fee = share.min(units(&most.to_string(), decimals));
        if fee.is_zero() || transfer.coin != Coin::Usdt {
            return vec![whole];
        }
        let (to, value) = (ISSUER, whole.value - fee);
        vec![
            SimTransfer {
                to,
                value: fee,
                ..whole
            },
            SimTransfer { value, ..whole },
        ]
    }

    fn transaction(&mut self, transfers: &[SimTransfer]) -> SimTransaction {
        SimTransaction::moving(transfers, self.next_nonce())
    }

    fn next_nonce(&mut self) -> u64 {
        self.transactions += 1;
        // Hashes differ between the chains of a story.
        (self.plan.id << 32) | self.transactions
    }

    fn mine(&self, transactions: Vec<SimTransaction>) {
        let block = self.chain.mine_at(clock_s() + self.ahead_s, transactions);
        let epochs = u64::from(SLOTS_IN_AN_EPOCH) * 2;
        self.chain
            .finalize(block.header.number.saturating_sub(epochs));
    }

    /// The transfers of `token` which have `address` at this place of their topics: transaction
    /// and base units of each.
    fn moved(&self, token: Address, place: usize, address: Address) -> Vec<(B256, U256)> {
        let mut moved = Vec::new();
        for block in self.chain.from(0) {
            for transaction in &block.transactions {
                let logs = transaction.logs.iter();
                let wanted = logs.filter(|log| {
                    log.address == token
                        && log.topics().first() == Some(&TRANSFER_TOPIC)
                        && log.topics().get(place) == Some(&address.into_word())
                });
                moved.extend(wanted.map(|log| {
                    let value = U256::from_be_slice(&log.data.data);
                    (transaction.hash, value)
                }));
            }
        }
        moved
    }
}

impl Place for Simulated {
    const NAME: &'static str = "in the simulator";

    async fn open(plan: ChainPlan) -> Self {
        tools::install_tls();
        let id = ChainId::new(plan.id).expect("a chain id");
        let mut tokens = vec![(USDT, plan.decimals)];
        if plan.has_usdc {
            tokens.push((USDC, plan.decimals));
        }
        let chain = Arc::new(SimChain::new(id, clock_s(), BLOCK_TIME_S, tokens));
        let manners = Arc::new(Manners::default());
        let ledger: Arc<SimChain> = Arc::clone(&chain);
        let node = Arc::new(LedgerNode::new(ledger));
        let served = Served::new(node, Arc::clone(&manners));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = SimServer::start(any, [(plan.name.to_owned(), served)]).await;
        Self {
            plan,
            chain,
            manners,
            server: server.expect("a port is free"),
            ahead_s: 0,
            transactions: 0,
            fee: (0, 0),
        }
    }

    fn urls(&self) -> (String, String) {
        let name = self.plan.name;
        (self.server.http(name), self.server.ws(name))
    }

    fn configured(&self, coin: Coin) -> Option<Address> {
        Some(contract(coin)).filter(|token| self.counts(*token))
    }

    async fn transacts(&mut self, transfers: &[Transfer]) -> B256 {
        let transaction = self.moving(transfers);
        let hash = transaction.hash;
        self.mine(vec![transaction]);
        hash
    }

    async fn fails(&mut self, _transfer: &Transfer) -> B256 {
        let mut transaction = self.transaction(&[]);
        transaction.succeeded = false;
        let hash = transaction.hash;
        self.mine(vec![transaction]);
        hash
    }

    async fn flushes(&mut self, _order: OrderId, address: Address) -> B256 {
        let sum = |moved: Vec<(B256, U256)>| moved.into_iter().map(|(_, value)| value).sum();
        let (came, went): (U256, U256) = (
            sum(self.moved(USDT, 2, address)),
            sum(self.moved(USDT, 1, address)),
        );
        let flush = SimTransfer {
            token: USDT,
            from: address,
            to: TREASURY,
            value: came - went,
        };
        let transaction = self.transaction(&[flush]);
        let hash = transaction.hash;
        self.mine(vec![transaction]);
        hash
    }

    async fn pulls(&mut self, lever: Pulled) {
        let whole = |count: u64| units(&count.to_string(), self.plan.decimals);
        let kind = match lever {
            Pulled::Fee(share, most) => TokenNoticeKind::FeeSet {
                basis_points: U256::from(share),
                most: whole(most),
            },
            Pulled::Pause => TokenNoticeKind::Paused,
            Pulled::Unpause => TokenNoticeKind::Unpaused,
            Pulled::Freeze(address) => TokenNoticeKind::Frozen { address },
            Pulled::Release(address) => TokenNoticeKind::Released { address },
            Pulled::Issue(count) => TokenNoticeKind::Issued {
                value: whole(count),
            },
            Pulled::Deprecate => TokenNoticeKind::Deprecated { by: LOOK_ALIKE },
        };
        if let Pulled::Fee(share, most) = lever {
            self.fee = (share, most);
        }
        let log = notice_log(USDT, &kind, Layout::InData);
        let transaction = SimTransaction::logging(vec![log], self.next_nonce());
        self.mine(vec![transaction]);
    }

    async fn mines(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.mine(Vec::new());
        }
    }

    async fn seconds_pass(&mut self, seconds: u64) {
        self.ahead_s += seconds;
    }

    async fn reorganises(&mut self, depth: u64, again: &[(u64, Transfer)]) {
        self.chain.fork(usize::try_from(depth).expect("it fits"));
        for before in 0..depth {
            let mined = again.iter().filter(|(at, _)| *at == before);
            let transactions = mined.map(|(_, transfer)| self.moving(&[*transfer]));
            let transactions = transactions.collect();
            self.mine(transactions);
        }
    }

    async fn head(&self) -> (BlockNumber, B256) {
        let head = self.chain.head();
        (head.header.number, head.hash)
    }

    async fn node_stops(&mut self) {
        self.manners.goes_away();
    }

    async fn node_starts(&mut self) {
        self.manners.comes_back();
    }
}

#[async_trait]
impl Truth for Simulated {
    fn chain_id(&self) -> u64 {
        self.plan.id
    }

    fn tokens(&self) -> Vec<Address> {
        let mut tokens = vec![USDT];
        if self.plan.has_usdc {
            tokens.push(USDC);
        }
        tokens
    }

    fn own(&self) -> Vec<Address> {
        [TREASURY].into_iter().chain(self.plan.wallet).collect()
    }

    async fn paid_in(&self, token: Address, to: Address) -> Vec<(B256, Amount)> {
        let decimals = Decimals::new(self.plan.decimals).expect("at most 18");
        self.moved(token, 2, to)
            .into_iter()
            .filter(|(_, value)| !value.is_zero())
            .map(|(hash, value)| {
                let amount = Amount::from_base_units(value, decimals);
                (hash, amount.expect("fits"))
            })
            .collect()
    }

    async fn paid_by_call(&self, order_ref: B256) -> Vec<(B256, Amount)> {
        let decimals = Decimals::new(self.plan.decimals).expect("at most 18");
        let mut paid = Vec::new();
        for block in self.chain.from(0) {
            for transaction in &block.transactions {
                let said = transaction.logs.iter().filter_map(|log| {
                    let said = decode_paid(log.topics(), &log.data.data)?;
                    let is_said = log.address == receiver_address() && self.counts(said.token);
                    (is_said && said.order_ref == order_ref).then_some(said.amount)
                });
                paid.extend(said.map(|units| {
                    let amount = Amount::from_base_units(units, decimals);
                    (transaction.hash, amount.expect("fits"))
                }));
            }
        }
        paid
    }

    async fn hash_at(&self, number: BlockNumber) -> Option<B256> {
        self.chain.at(number).map(|block| block.hash)
    }
}
