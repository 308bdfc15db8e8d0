//! The demo: an order is paid in two parts on a local chain, before your eyes.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use paywatch_client::{Client, CreateOrder, Order};
use paywatch_contracts::deposit;
use paywatch_core::OrderId;
use paywatch_tests::chain::{Chain, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::{Daemon, chain_section};
use paywatch_tests::database::Engine;
use paywatch_tests::wait;
use secrecy::ExposeSecret as _;

/// Blocks that the demo's shop wants on a payment.
const CONFIRMATIONS: u32 = 3;

/// What happens when the demo is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    Stop,
    Keep,
}

#[tokio::main]
async fn main() -> ExitCode {
    let afterwards = if std::env::args().any(|argument| argument == "--keep") {
        Afterwards::Keep
    } else {
        Afterwards::Stop
    };
    match demo(afterwards).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nthe demo failed: {error:#}");
            ExitCode::FAILURE
        },
    }
}

async fn demo(afterwards: Afterwards) -> Result<()> {
    println!("paywatch demo: an order over 100 USDT, paid in two parts\n");
    let chain = Chain::start("anvil", 31_337, 6).await;
    println!(
        "chain      Anvil at {} (chain id {})",
        chain.node.url(),
        chain.node.chain_id
    );
    println!("contracts  mock USDT {}", chain.token);
    println!("           deposit factory {}", deposit::factory_address());

    let mut daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, CONFIRMATIONS)]);
    daemon.start().await;
    daemon.becomes_ready().await;
    println!("daemon     {} on {}", daemon.url(), daemon.database);

    let client = daemon.client();
    let order = pay_in_two_parts(&chain, &client).await?;
    flush(&chain, &order).await?;

    let last = client.order(&order.id).await?;
    if last.status != "completed" {
        bail!("the order ended as {} instead of completed", last.status);
    }
    println!("\ndone: the order is completed and the treasury holds the money");
    if afterwards == Afterwards::Keep {
        leave_running(&daemon, &chain, &order).await?;
    } else {
        daemon.stop().await;
    }
    Ok(())
}

async fn pay_in_two_parts(chain: &Chain, client: &Client) -> Result<Order> {
    let request = CreateOrder {
        reference: "INV-1001".to_owned(),
        amount: "100".to_owned(),
        expires_in: Some("1h".to_owned()),
        ..CreateOrder::default()
    };
    let order = client.create_order(&request).await?;
    let address = order
        .options
        .first()
        .context("the order has no option")?
        .address
        .parse()?;
    println!(
        "\norder      {} ({}), to be paid to {address}",
        order.reference, order.id
    );
    show(&order);

    let receipt = chain.pays(PAYER, address, "40").await;
    println!(
        "payer      sends 40 USDT in block {}",
        receipt.block_number.unwrap_or_default()
    );
    show(&becomes(client, &order, "partially_paid").await);

    let receipt = chain.pays(OTHER_PAYER, address, "60").await;
    println!(
        "payer      sends 60 USDT in block {}",
        receipt.block_number.unwrap_or_default()
    );
    show(&becomes(client, &order, "paid").await);

    println!("chain      mines {CONFIRMATIONS} blocks");
    chain.mines(u64::from(CONFIRMATIONS)).await;
    let completed = becomes(client, &order, "completed").await;
    show(&completed);
    Ok(completed)
}

async fn becomes(client: &Client, order: &Order, status: &str) -> Order {
    wait::until(&format!("the order to be {status}"), || async {
        let now = client
            .order(&order.id)
            .await
            .map_err(|error| error.to_string())?;
        if now.status == status {
            Ok(now)
        } else {
            Err(now.status)
        }
    })
    .await
}

fn show(order: &Order) {
    println!(
        "           {:<17} received {:>3}   confirmed {:>3}   remaining {:>3}",
        order.status, order.received, order.confirmed, order.remaining
    );
}

async fn flush(chain: &Chain, order: &Order) -> Result<()> {
    let id: OrderId = order.id.parse()?;
    let receipt = chain.flushes(vec![id.salt()]).await;
    println!(
        "anybody    flushes the deposit address (gas {})",
        receipt.gas_used
    );
    let balance = chain.balance(TREASURY).await.to_string();
    println!("treasury   {TREASURY} holds {balance} USDT");
    if balance != "100" {
        bail!("the treasury holds {balance} USDT instead of 100");
    }
    Ok(())
}

async fn leave_running(daemon: &Daemon, chain: &Chain, order: &Order) -> Result<()> {
    let (url, key) = (daemon.url(), daemon.key().expose_secret());
    println!("\nAll of it is left running until Ctrl-C. Try:\n");
    println!(
        "  curl -H 'Authorization: Bearer {key}' {url}v1/orders/{}",
        order.id
    );
    println!("  curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\");
    println!("       -d '{{\"reference\":\"INV-1002\",\"amount\":\"25.50\"}}' {url}v1/orders");
    println!("\n  API reference  {url}docs");
    println!("  readiness      {url}readyz");
    println!("  configuration  {}", daemon.config().display());
    println!(
        "  chain          {} (Anvil's unlocked accounts; USDT {})",
        chain.node.url(),
        chain.token
    );
    tokio::signal::ctrl_c()
        .await
        .context("Ctrl-C cannot be awaited")?;
    Ok(())
}
