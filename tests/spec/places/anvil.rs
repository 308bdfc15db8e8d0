//! A real Anvil with the real contracts.

use alloy::network::TransactionBuilder as _;
use alloy::providers::Provider as _;
use alloy::providers::ext::AnvilApi as _;
use alloy::rpc::types::TransactionRequest;
use async_trait::async_trait;
use paywatch_contracts::receiver::{self, receiver_address, receiver_deployment};
use paywatch_contracts::{Erc20, MockUSDT};
use paywatch_core::{Address, Amount, B256, BlockNumber, OrderId, U256};
use paywatch_tests::books::Truth;
use paywatch_tests::chain::{Chain, ISSUER, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::node::Node;
use paywatch_tests::wait;

use crate::places::{Place, Pulled, SLOTS_IN_AN_EPOCH, Transfer};
use crate::step::{By, Coin};
use crate::story::ChainPlan;

/// What each customer has of each token.
const PURSE: &str = "1000000";
/// Enough gas for a transfer, so that nobody tries it out before it is mined.
const GAS: u64 = 200_000;

/// A chain on a node of its own.
pub(crate) struct OnAnvil {
    chain: Chain,
    usdc: Option<Address>,
    wallet: Option<Address>,
    look_alike: Option<Address>,
}

impl OnAnvil {
    /// Another token, of which the customer has some.
    async fn deploy(chain: &Chain) -> Address {
        let token = chain.deploy_token().await;
        chain.pays_in(token, ISSUER, PAYER, PURSE).await;
        token
    }

    async fn contract(&mut self, coin: Coin) -> Address {
        match coin {
            Coin::Usdt => self.chain.token,
            Coin::Usdc => self.usdc.expect("the story has USDC"),
            Coin::LookAlike => match self.look_alike {
                Some(token) => token,
                None => *self.look_alike.insert(Self::deploy(&self.chain).await),
            },
        }
    }

    /// Lets `who`, who has no key, send transactions.
    async fn speaks_for(&self, who: Address) {
        let provider = self.chain.provider();
        let gas = U256::from(10).pow(U256::from(18));
        let paid = provider.anvil_set_balance(who, gas).await;
        paid.expect("Anvil gives it gas");
        let known = provider.anvil_impersonate_account(who).await;
        known.expect("Anvil lets it speak");
    }

    /// What a payer's wallet does to pay through the receiver: two transactions, two blocks.
    async fn calls(
        &self,
        from: Address,
        token: Address,
        transfer: &Transfer,
        order_ref: B256,
    ) -> B256 {
        let chain = &self.chain;
        let amount = chain.units(transfer.amount);
        let approve = paywatch_contracts::erc20::approve(receiver_address(), amount);
        chain.send(from, token, approve).await;
        let payment = receiver::Payment {
            treasury: transfer.to,
            order_ref,
            token,
            amount,
        };
        let receipt = chain.send(from, receiver_address(), payment.pay()).await;
        receipt.transaction_hash
    }

    /// A transfer from 0x0. USDT on Ethereum logs none when it is issued, so the zero address is
    /// given money, and spends it: the log is the one that a bridge's mint writes.
    async fn mints(&self, token: Address, to: Address, amount: &str) -> B256 {
        let (chain, nobody) = (&self.chain, Address::ZERO);
        chain.pays_in(token, ISSUER, nobody, amount).await;
        self.speaks_for(nobody).await;
        let receipt = chain.pays_in(token, nobody, to, amount).await;
        receipt.transaction_hash
    }
}

impl Place for OnAnvil {
    const NAME: &'static str = "on Anvil";

    async fn open(plan: ChainPlan) -> Self {
        let node = Node::start_with(plan.id, SLOTS_IN_AN_EPOCH).await;
        let chain = Chain::start_on(node, plan.name, plan.decimals).await;
        if plan.receiver.is_some() {
            let (deployer, code) = receiver_deployment();
            chain.send(ISSUER, deployer, code).await;
        }
        let usdc = if plan.has_usdc {
            Some(Self::deploy(&chain).await)
        } else {
            None
        };
        Self {
            chain,
            usdc,
            wallet: plan.wallet,
            look_alike: None,
        }
    }

    fn urls(&self) -> (String, String) {
        let node = &self.chain.node;
        (node.url().to_string(), node.ws_url().to_string())
    }

    fn configured(&self, coin: Coin) -> Option<Address> {
        match coin {
            Coin::Usdt => Some(self.chain.token),
            Coin::Usdc => self.usdc,
            Coin::LookAlike => None,
        }
    }

    async fn transacts(&mut self, transfers: &[Transfer]) -> B256 {
        let [one] = transfers else {
            let is_possible = |each: &Transfer| each.by == By::Exchange && each.coin == Coin::Usdt;
            assert!(transfers.iter().all(is_possible), "only the exchange can");
            let many: Vec<_> = transfers.iter().map(|t| (t.to, t.amount)).collect();
            return self.chain.exchange_pays(&many).await.transaction_hash;
        };
        let Transfer {
            coin,
            by,
            to,
            amount,
            order_ref,
        } = *one;
        let token = self.contract(coin).await;
        let chain = &self.chain;
        if let Some(order_ref) = order_ref {
            let from = match by {
                By::Customer => PAYER,
                By::AnotherCustomer => OTHER_PAYER,
                By::Exchange | By::Contract | By::Stranger | By::Nobody | By::Merchant => {
                    panic!("only customers call the receiver")
                },
            };
            return self.calls(from, token, one, order_ref).await;
        }
        let receipt = match by {
            By::Customer => chain.pays_in(token, PAYER, to, amount).await,
            By::AnotherCustomer => chain.pays_in(token, OTHER_PAYER, to, amount).await,
            By::Exchange => chain.exchange_pays(&[(to, amount)]).await,
            By::Contract => chain.pays_through_exchange(to, amount).await,
            By::Stranger => chain.poisons(PAYER, to).await,
            By::Nobody => return self.mints(token, to, amount).await,
            By::Merchant => {
                self.speaks_for(TREASURY).await;
                chain.pays_in(token, TREASURY, to, amount).await
            },
        };
        receipt.transaction_hash
    }

    async fn fails(&mut self, transfer: &Transfer) -> B256 {
        assert_eq!(transfer.by, By::Customer, "only a customer fails");
        let token = self.contract(transfer.coin).await;
        let provider = self.chain.provider();
        let units = self.chain.units(transfer.amount);
        let call = Erc20::new(token, &provider)
            .transfer(transfer.to, units)
            .calldata()
            .clone();
        let request = TransactionRequest::default()
            .with_from(PAYER)
            .with_to(token)
            .with_input(call)
            .with_gas_limit(GAS);
        let sent = provider.send_transaction(request).await;
        let hash = *sent.expect("the node takes it").tx_hash();
        let receipt = wait::until("a transaction to be mined", || async {
            let receipt = provider.get_transaction_receipt(hash).await;
            let receipt = receipt.map_err(|error| error.to_string())?;
            receipt.ok_or_else(|| "no receipt".to_owned())
        });
        assert!(!receipt.await.status(), "it was to fail, and did not");
        hash
    }

    async fn flushes(&mut self, order: OrderId, _address: Address) -> B256 {
        let receipt = self.chain.flushes(vec![order.salt()]).await;
        receipt.transaction_hash
    }

    async fn pulls(&mut self, lever: Pulled) {
        let chain = &self.chain;
        let token = MockUSDT::new(chain.token, chain.provider());
        let call = match lever {
            Pulled::Fee(share, most) => return chain.takes_a_fee(share, most).await,
            Pulled::Pause => token.pause().calldata().clone(),
            Pulled::Unpause => token.unpause().calldata().clone(),
            Pulled::Freeze(who) => token.addBlackList(who).calldata().clone(),
            Pulled::Release(who) => token.removeBlackList(who).calldata().clone(),
            Pulled::Issue(units) => {
                let units = chain.units(&units.to_string());
                token.issue(units).calldata().clone()
            },
            Pulled::Deprecate => {
                let successor = chain.deploy_token().await;
                token.deprecate(successor).calldata().clone()
            },
        };
        chain.send(ISSUER, chain.token, call).await;
    }

    async fn mines(&mut self, blocks: u64) {
        self.chain.mines(blocks).await;
    }

    async fn seconds_pass(&mut self, seconds: u64) {
        let moved = self.chain.provider().anvil_increase_time(seconds).await;
        moved.expect("Anvil's clock moves");
    }

    async fn reorganises(&mut self, depth: u64, again: &[(u64, Transfer)]) {
        let is_possible = |each: &Transfer| each.by == By::Customer && each.coin == Coin::Usdt;
        assert!(
            again.iter().all(|(_, each)| is_possible(each)),
            "only a customer's USDT"
        );
        let again: Vec<_> = again
            .iter()
            .map(|(before, transfer)| (transfer.to, transfer.amount, *before))
            .collect();
        self.chain.reorgs(depth, &again).await;
    }

    async fn head(&self) -> (BlockNumber, B256) {
        let number = self.chain.height().await;
        let hash = self.hash_at(number).await;
        (number, hash.expect("its newest block exists"))
    }

    async fn node_stops(&mut self) {
        self.chain.node.stop().await;
    }

    async fn node_starts(&mut self) {
        self.chain.node.start_again().await;
    }
}

#[async_trait]
impl Truth for OnAnvil {
    fn chain_id(&self) -> u64 {
        self.chain.chain_id()
    }

    fn tokens(&self) -> Vec<Address> {
        let usdt = [self.chain.token];
        usdt.into_iter().chain(self.usdc).collect()
    }

    fn own(&self) -> Vec<Address> {
        [TREASURY].into_iter().chain(self.wallet).collect()
    }

    async fn paid_in(&self, token: Address, to: Address) -> Vec<(B256, Amount)> {
        self.chain.paid_in(token, to).await
    }

    async fn paid_by_call(&self, order_ref: B256) -> Vec<(B256, Amount)> {
        self.chain.paid_by_call(order_ref).await
    }

    async fn hash_at(&self, number: BlockNumber) -> Option<B256> {
        self.chain.hash_at(number).await
    }
}
