//! A chain with a USDT like Ethereum's on it, and the people who pay with it.

use alloy::network::{Ethereum, TransactionBuilder as _};
use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::providers::ext::AnvilApi as _;
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::anvil::{ReorgOptions, TransactionData};
use alloy::rpc::types::{Filter, TransactionReceipt, TransactionRequest};
use alloy::sol_types::SolEvent as _;
use async_trait::async_trait;
use paywatch_contracts::receiver::receiver_address;
use paywatch_contracts::{DepositFactory, Erc20, Exchange, MockUSDT, PaymentReceiver, deposit};
use paywatch_core::{Amount, BlockNumber, Decimals};

use crate::books::Truth;
use crate::node::Node;
use crate::wait;

/// Who deployed the token, owns it and holds its supply (Anvil's first account).
pub const ISSUER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// A customer with money (Anvil's second account).
pub const PAYER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
/// Another customer with money (Anvil's third account).
pub const OTHER_PAYER: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
/// Where the merchant's money goes; nobody's account.
pub const TREASURY: Address = address!("1111111111111111111111111111111111111111");

/// A node with the contracts on it.
#[derive(Debug)]
pub struct Chain {
    /// The node.
    pub node: Node,
    /// What the configuration calls the chain.
    pub name: String,
    /// The token that counts as USDT.
    pub token: Address,
    /// Its decimals.
    pub decimals: u8,
    /// A contract that pays many people at once.
    pub exchange: Address,
}

impl Chain {
    /// Starts a chain and deploys the token, the deposit factory and an exchange, and gives both
    /// customers and the exchange a million each.
    pub async fn start(name: &str, chain_id: u64, decimals: u8) -> Self {
        Self::start_on(Node::start(chain_id).await, name, decimals).await
    }

    /// The same on a node that runs.
    pub async fn start_on(node: Node, name: &str, decimals: u8) -> Self {
        let zero = Address::ZERO;
        let mut chain = Self {
            node,
            name: name.to_owned(),
            token: zero,
            decimals,
            exchange: zero,
        };
        chain.token = chain.deploy_token().await;
        let exchange = Exchange::deploy_builder(chain.provider())
            .calldata()
            .clone();
        chain.exchange = chain.deploy(exchange).await;
        let (deployer, init_code) = deposit::factory_deployment();
        chain.send(ISSUER, deployer, init_code).await;
        for customer in [PAYER, OTHER_PAYER, chain.exchange] {
            chain.pays(ISSUER, customer, "1000000").await;
        }
        chain
    }

    /// A provider of the node.
    #[must_use]
    pub fn provider(&self) -> RootProvider<Ethereum> {
        self.node.provider()
    }

    /// Deploys one more token that behaves as USDT does; its issuer holds 10 billion.
    pub async fn deploy_token(&self) -> Address {
        let supply = self.units("10000000000");
        let decimals = U256::from(self.decimals);
        let token = MockUSDT::deploy_builder(
            self.provider(),
            supply,
            "Tether USD".to_owned(),
            "USDT".to_owned(),
            decimals,
        );
        self.deploy(token.calldata().clone()).await
    }

    async fn deploy(&self, init_code: Bytes) -> Address {
        let request = TransactionRequest::default()
            .from(ISSUER)
            .input(init_code.into());
        let create = request.into_create();
        let receipt = self.mined(create).await;
        receipt.contract_address.expect("a contract was made")
    }

    /// `amount` in the token's base units.
    #[must_use]
    pub fn units(&self, amount: &str) -> U256 {
        units(amount, self.decimals)
    }

    /// Sends `input` to `to` and waits until it is mined well.
    pub async fn send(&self, from: Address, to: Address, input: Bytes) -> TransactionReceipt {
        self.mined(
            TransactionRequest::default()
                .from(from)
                .to(to)
                .input(input.into()),
        )
        .await
    }

    async fn mined(&self, request: TransactionRequest) -> TransactionReceipt {
        let hash = self.submit(request).await;
        let provider = self.provider();
        let receipt = wait::until("a transaction to be mined", || async {
            let receipt = provider.get_transaction_receipt(hash).await;
            receipt
                .map_err(|error| error.to_string())?
                .ok_or_else(|| "no receipt".to_owned())
        })
        .await;
        assert!(receipt.status(), "the transaction failed: {receipt:?}");
        receipt
    }

    async fn submit(&self, request: TransactionRequest) -> B256 {
        let sent = self.provider().send_transaction(request).await;
        *sent.expect("the node takes the transaction").tx_hash()
    }

    /// The call that moves `amount` of the token to `to`.
    fn transfer_call(&self, to: Address, amount: &str) -> Bytes {
        Erc20::new(Address::ZERO, self.provider())
            .transfer(to, self.units(amount))
            .calldata()
            .clone()
    }

    /// `from` pays `amount` to `to`, in a block of its own.
    pub async fn pays(&self, from: Address, to: Address, amount: &str) -> TransactionReceipt {
        self.pays_in(self.token, from, to, amount).await
    }

    /// `from` pays `amount` of another token to `to`.
    pub async fn pays_in(
        &self,
        token: Address,
        from: Address,
        to: Address,
        amount: &str,
    ) -> TransactionReceipt {
        self.send(from, token, self.transfer_call(to, amount)).await
    }

    /// `from` tries to pay `amount` to `to` and fails, which is mined as well. Returns the
    /// transaction.
    pub async fn fails_to_pay(&self, from: Address, to: Address, amount: &str) -> B256 {
        let request = TransactionRequest::default()
            .from(from)
            .to(self.token)
            .input(self.transfer_call(to, amount).into())
            .gas_limit(200_000);
        let hash = self.submit(request).await;
        let provider = self.provider();
        wait::until("a transaction to fail", || async {
            let receipt = provider.get_transaction_receipt(hash).await;
            let receipt = receipt.map_err(|error| error.to_string())?;
            match receipt {
                Some(receipt) if !receipt.status() => Ok(hash),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    /// The issuer freezes `address`.
    pub async fn freezes(&self, address: Address) -> TransactionReceipt {
        let token = MockUSDT::new(self.token, self.provider());
        let call = token.addBlackList(address).calldata().clone();
        self.send(ISSUER, self.token, call).await
    }

    /// Mines `count` blocks with nothing of ours in them.
    pub async fn mines(&self, count: u64) {
        let mined = self.provider().anvil_mine(Some(count), None).await;
        mined.expect("Anvil mines");
    }

    /// Replaces the last `depth` blocks; `again` are the payments by [`PAYER`] that are mined
    /// anew, each with the offset of its block in the new branch.
    pub async fn reorgs(&self, depth: u64, again: &[(Address, &str, u64)]) {
        let pairs = again.iter().map(|(to, amount, block)| {
            let request = TransactionRequest::default()
                .from(PAYER)
                .to(self.token)
                .input(self.transfer_call(*to, amount).into())
                .gas_limit(200_000);
            (TransactionData::JSON(request), *block)
        });
        let options = ReorgOptions {
            depth,
            tx_block_pairs: pairs.collect(),
        };
        self.provider()
            .anvil_reorg(options)
            .await
            .expect("Anvil reorganises");
    }

    /// Lets chain time pass: the next block is `seconds` later.
    pub async fn time_passes(&self, seconds: u64) {
        self.provider()
            .anvil_increase_time(seconds)
            .await
            .expect("Anvil's clock moves");
        self.mines(1).await;
    }

    /// The exchange pays several addresses with one transaction.
    pub async fn exchange_pays(&self, payments: &[(Address, &str)]) -> TransactionReceipt {
        let to = payments.iter().map(|(to, _)| *to).collect();
        let amounts = payments
            .iter()
            .map(|(_, amount)| self.units(amount))
            .collect();
        let exchange = Exchange::new(self.exchange, self.provider());
        let call = exchange.payMany(self.token, to, amounts).calldata().clone();
        self.send(ISSUER, self.exchange, call).await
    }

    /// The payer lets the exchange take `amount` from him and pay it to `to` (`transferFrom`).
    pub async fn pays_through_exchange(&self, to: Address, amount: &str) -> TransactionReceipt {
        let token = Erc20::new(self.token, self.provider());
        let approve = token
            .approve(self.exchange, self.units(amount))
            .calldata()
            .clone();
        self.send(PAYER, self.token, approve).await;
        let exchange = Exchange::new(self.exchange, self.provider());
        let call = exchange
            .payFrom(self.token, PAYER, to, self.units(amount))
            .calldata()
            .clone();
        self.send(OTHER_PAYER, self.exchange, call).await
    }

    /// A stranger moves nothing from `victim` to `to`, as address poisoners do.
    pub async fn poisons(&self, victim: Address, to: Address) -> TransactionReceipt {
        let token = Erc20::new(self.token, self.provider());
        let call = token
            .transferFrom(victim, to, U256::ZERO)
            .calldata()
            .clone();
        self.send(OTHER_PAYER, self.token, call).await
    }

    /// The issuer switches the fee on: basis points, and the most in whole units.
    pub async fn takes_a_fee(&self, basis_points: u64, at_most: u64) {
        let token = MockUSDT::new(self.token, self.provider());
        let call = token.setParams(U256::from(basis_points), U256::from(at_most));
        self.send(ISSUER, self.token, call.calldata().clone()).await;
    }

    /// Anybody flushes the deposits with these salts to the treasury.
    pub async fn flushes(&self, salts: Vec<B256>) -> TransactionReceipt {
        let factory = DepositFactory::new(deposit::factory_address(), self.provider());
        let call = factory
            .flush(TREASURY, salts, vec![self.token])
            .calldata()
            .clone();
        self.send(OTHER_PAYER, deposit::factory_address(), call)
            .await
    }

    /// What `owner` holds of the token.
    pub async fn balance(&self, owner: Address) -> Amount {
        let token = Erc20::new(self.token, self.provider());
        let units = token.balanceOf(owner).call().await.expect("a balance");
        Amount::from_base_units(units, Decimals::new(self.decimals).expect("at most 18"))
            .expect("fits")
    }

    /// The height of the chain.
    pub async fn height(&self) -> u64 {
        self.provider()
            .get_block_number()
            .await
            .expect("the node answers")
    }
}

/// `amount` in the base units of a token with so many decimals.
#[must_use]
pub fn units(amount: &str, decimals: u8) -> U256 {
    let decimals = Decimals::new(decimals).expect("at most 18");
    let amount: Amount = amount.parse().expect("an amount");
    amount
        .to_base_units(decimals)
        .expect("payable in this token")
}

#[async_trait]
impl Truth for Chain {
    fn chain_id(&self) -> u64 {
        self.node.chain_id
    }

    fn tokens(&self) -> Vec<Address> {
        vec![self.token]
    }

    async fn paid_in(&self, token: Address, to: Address) -> Vec<(B256, Amount)> {
        let filter = Filter::new()
            .address(token)
            .event_signature(Erc20::Transfer::SIGNATURE_HASH)
            .topic2(to.into_word())
            .from_block(0);
        let logs = self
            .provider()
            .get_logs(&filter)
            .await
            .expect("the node has logs");
        let decimals = Decimals::new(self.decimals).expect("at most 18");
        logs.iter()
            .map(|log| {
                let value = U256::from_be_slice(&log.data().data);
                let amount = Amount::from_base_units(value, decimals).expect("fits");
                (log.transaction_hash.expect("mined"), amount)
            })
            .filter(|(_, amount)| !amount.is_zero())
            .collect()
    }

    async fn hash_at(&self, number: BlockNumber) -> Option<B256> {
        let block = self.provider().get_block_by_number(number.into()).await;
        Some(block.expect("the node answers")?.header.hash)
    }

    async fn paid_by_call(&self, order_ref: B256) -> Vec<(B256, Amount)> {
        let filter = Filter::new()
            .address(receiver_address())
            .event_signature(PaymentReceiver::Paid::SIGNATURE_HASH)
            .topic3(order_ref)
            .from_block(0);
        let logs = self.provider().get_logs(&filter).await;
        let decimals = Decimals::new(self.decimals).expect("at most 18");
        logs.expect("the node has logs")
            .iter()
            .map(|log| {
                let paid = PaymentReceiver::Paid::decode_log(&log.inner).expect("it is one");
                let amount = Amount::from_base_units(paid.amount, decimals).expect("fits");
                (log.transaction_hash.expect("mined"), amount)
            })
            .collect()
    }
}
