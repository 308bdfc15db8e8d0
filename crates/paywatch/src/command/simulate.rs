//! `paywatch simulate …`: chains without a node, for a merchant's own tests.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, address};
use anyhow::Context as _;
use paywatch_core::{ChainId, Decimals};
use paywatch_simulator::SimChain;
use paywatch_simulator::merchant::MerchantChain;
use paywatch_simulator::server::{Rpc, Served, SimServer};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::Simulate;
use crate::output;

/// The token of every simulated chain.
const TOKEN: Address = address!("0x00000000000000000000000000000000000705d7");
const DECIMALS: u8 = 6;
/// The chains: two, so that one can be the wrong one.
const CHAINS: [(&str, u64); 2] = [("sim", 31_337), ("other", 31_338)];

/// Does what `simulate …` asks.
pub(crate) async fn run(args: Simulate) -> anyhow::Result<ExitCode> {
    match args {
        Simulate::Run { listen, block_time } => serve(listen, *block_time).await?,
        Simulate::Pay {
            to,
            amount,
            connection,
        } => {
            let decimals = Decimals::new(DECIMALS)?;
            let units = amount
                .to_base_units(decimals)
                .with_context(|| format!("--amount {amount}"))?;
            connection
                .tell("sim_pay", json!([to, units.to_string()]))
                .await?;
        },
        Simulate::Mine { blocks, connection } => {
            connection.tell("sim_mine", json!([blocks])).await?;
        },
        Simulate::Reorg {
            depth,
            keep,
            connection,
        } => connection.tell("sim_reorg", json!([depth, keep])).await?,
        Simulate::Advance { by, connection } => {
            connection
                .tell("sim_advance", json!([by.as_secs()]))
                .await?;
        },
    }
    Ok(ExitCode::SUCCESS)
}

impl crate::cli::SimulateConnection {
    /// Tells the running simulation to do something, and prints what it did.
    async fn tell(&self, method: &str, params: Value) -> anyhow::Result<()> {
        let url = format!("{}/{}", self.url.as_str().trim_end_matches('/'), self.chain);
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = reqwest::Client::new()
            .post(&url)
            .json(&question)
            .send()
            .await
            .with_context(|| format!("no simulation at {url}; start one: paywatch simulate run"))?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{}", text.trim());
        let answer: Value = serde_json::from_str(&text)?;
        if let Some(error) = answer.get("error") {
            let said = error.get("message").and_then(Value::as_str);
            anyhow::bail!("{}", said.unwrap_or("the simulation refuses"));
        }
        output::json(answer.get("result").unwrap_or(&Value::Null))
    }
}

fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

async fn serve(listen: SocketAddr, block_time: Duration) -> anyhow::Result<()> {
    let mut nodes = Vec::new();
    for (name, id) in CHAINS {
        let chain = SimChain::new(ChainId::new(id)?, now_s(), 1, [(TOKEN, DECIMALS)]);
        let chain = Arc::new(MerchantChain::new(chain, TOKEN));
        let node: Arc<dyn Rpc> = Arc::<MerchantChain>::clone(&chain);
        nodes.push((name.to_owned(), Served::new(node, Arc::default())));
        if !block_time.is_zero() {
            tokio::spawn(async move {
                let mut clock = interval(block_time);
                clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    clock.tick().await;
                    chain.tick(now_s());
                }
            });
        }
    }
    let mut server = SimServer::start(listen, nodes)
        .await
        .with_context(|| format!("--listen {listen}: is it taken by another program?"))?;
    output::line(&configuration(&server))?;
    let shutdown = crate::signals::shutdown()?;
    // Whether it was told to stop or its listener failed, it ends.
    let _ended = shutdown.run_until_cancelled(server.run()).await;
    Ok(())
}

/// What a paywatch.toml says to follow these chains.
fn configuration(server: &SimServer) -> String {
    let mut text = format!(
        "# Simulated chains at http://{}; for paywatch.toml:\n",
        server.address()
    );
    for (name, id) in CHAINS {
        text.push_str(&format!(
            "[chains.{name}]\nid = {id}\nhttp = \"{}\"\nws = \"{}\"\nconfirmations = 3\n\
             tokens = [{{ symbol = \"USDT\", address = \"{TOKEN}\", decimals = {DECIMALS} }}]\n",
            server.http(name),
            server.ws(name),
        ));
    }
    text
}
