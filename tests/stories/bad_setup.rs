//! Wrong configurations and missing nodes: a clear error, and nothing is written.

use paywatch_client::CreateOrder;
use paywatch_tests::chain::Chain;
use paywatch_tests::daemon::{Daemon, chain_section};
use paywatch_tests::database::Engine;
use paywatch_tests::wait;

/// Starts the daemon with `section` and waits until readiness says `words` about its chain.
async fn readiness_says(section: String, words: &[&str]) {
    let mut daemon = Daemon::new(Engine::Sqlite, &[section]);
    daemon.start().await;
    let client = daemon.client();
    wait::until("readiness to say what is wrong", || async {
        let ready = client.ready().await.map_err(|error| error.to_string())?;
        let cause = ready.chains[0].cause.clone().unwrap_or_default();
        let said = !ready.ready && words.iter().all(|word| cause.contains(word));
        if said {
            Ok(())
        } else {
            Err(format!("{ready:?}"))
        }
    })
    .await;
    let chains = client.chains().await.expect("the API answers");
    assert!(
        chains[0].covered_up_to.is_none(),
        "nothing was read: {chains:?}"
    );
    daemon.stop().await;
}

/// The endpoint belongs to another chain than the configuration says.
#[tokio::test]
async fn an_endpoint_of_another_chain_is_refused() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = chain_section(&chain, 3).replace("id = 31337", "id = 4242");
    readiness_says(section, &["31337", "4242"]).await;
}

/// The token has 6 decimals and the configuration says 18: a million times too much or too little.
#[tokio::test]
async fn a_token_with_other_decimals_is_refused() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = chain_section(&chain, 3).replace("decimals = 6", "decimals = 18");
    readiness_says(section, &["6", "18", "decimals"]).await;
}

/// The node is down when the daemon starts: it keeps trying, and follows once the node is there.
#[tokio::test]
async fn a_node_that_is_down_at_the_start_is_waited_for() {
    let mut chain = Chain::start("anvil", 31_337, 6).await;
    chain.node.stop().await;
    let mut daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, 3)]);
    daemon.start().await;
    let client = daemon.client();
    wait::until("readiness to say so", || async {
        let ready = client.ready().await.map_err(|error| error.to_string())?;
        if ready.chains[0].condition == "degraded" {
            Ok(())
        } else {
            Err(format!("{ready:?}"))
        }
    })
    .await;

    let request = CreateOrder {
        reference: "EARLY-1".to_owned(),
        amount: "5".to_owned(),
        ..CreateOrder::default()
    };
    let refused = client
        .create_order(&request)
        .await
        .expect_err("nobody reads the chain yet");
    assert!(refused.to_string().contains("anvil"), "{refused}");

    chain.node.start_again().await;
    daemon.becomes_ready().await;
    client
        .create_order(&request)
        .await
        .expect("the chain is being read");
    daemon.stop().await;
}

/// A database that cannot be written: the daemon says where and does not start.
#[tokio::test]
async fn an_unwritable_database_is_a_clear_error() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, 3)]);
    let config = std::fs::read_to_string(daemon.config()).expect("it has a configuration");
    let missing = daemon.folder().join("no-such-folder/paywatch.sqlite");
    let wrong = config.replace(&daemon.database, &format!("sqlite:{}", missing.display()));
    std::fs::write(daemon.config(), wrong).expect("the folder takes a file");

    let (went_well, said) = daemon.says(&["run"]).await;
    assert!(!went_well);
    assert!(said.contains("no-such-folder"), "{said}");
}

/// Every wrong key of a configuration is named, with what is allowed.
#[tokio::test]
async fn a_wrong_configuration_names_its_keys() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = chain_section(&chain, 3)
        .replace("confirmations = 3", "confirmations = 0\nconfirmation = 3");
    let daemon = Daemon::new(Engine::Sqlite, &[section]);
    let (went_well, said) = daemon.says(&["run"]).await;
    assert!(!went_well);
    assert!(
        said.contains("chains.anvil") && said.contains("confirmation"),
        "{said}"
    );
    assert!(
        !daemon.folder().join("paywatch.sqlite").exists(),
        "nothing was written"
    );
}

/// A bad order over the wire, and a wrong key: problems that name the field; nothing is written.
#[tokio::test]
async fn a_bad_order_is_refused_by_the_real_daemon() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, 3)]);
    daemon.start().await;
    let client = daemon.client();
    for amount in [
        "0",
        "-1",
        "1e3",
        "0.0000000000000000001",
        "0.0000001",
        "",
        "9".repeat(60).as_str(),
    ] {
        let request = CreateOrder {
            reference: "BAD-1".to_owned(),
            amount: amount.to_owned(),
            ..CreateOrder::default()
        };
        let refused = client
            .create_order(&request)
            .await
            .expect_err("it is refused");
        assert!(
            refused.to_string().contains("amount"),
            "{amount:?}: {refused}"
        );
    }
    let stranger = paywatch_client::Client::new(daemon.url().clone(), "pw_live_wrong".into());
    let refused = stranger
        .expect("a client")
        .orders(&Default::default())
        .await;
    assert!(
        refused
            .expect_err("it is refused")
            .to_string()
            .contains("key")
    );
    let orders = client
        .orders(&Default::default())
        .await
        .expect("the API answers");
    assert!(orders.data.is_empty(), "nothing was written");
    daemon.stop().await;
}
