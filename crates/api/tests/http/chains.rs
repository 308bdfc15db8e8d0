//! How the chains are, for people and for probes.

use paywatch_api::ChainCondition;
use paywatch_core::{B256, Block, ChainHeads, Tags, Timestamp};
use paywatch_store::ChainCommit;
use serde_json::{Value, json};

use crate::api::{Api, CHECKSUMMED, chain_id};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_s(seconds).unwrap()
}

/// Covers `anvil` up to block 12, made 20 seconds before the tests begin; its node has 15 blocks.
async fn cover_anvil(api: &Api) {
    let tip = Block {
        number: 12,
        hash: B256::repeat_byte(0x12),
        parent_hash: B256::repeat_byte(0x11),
        timestamp: at(1_699_999_980),
    };
    let update = ChainCommit {
        chain_id: chain_id(31_337),
        expected: None,
        heads: ChainHeads::starting_at(chain_id(31_337), tip).moved_to(
            tip,
            Tags {
                safe: None,
                finalized: Some(9),
            },
        ),
        node_head: 15,
        retract_above: None,
        first_covered: Some(tip.number),
        blocks: vec![tip],
        keep_blocks: 64,
        transfers: Vec::new(),
        disproved: Vec::new(),
        proofs: Vec::new(),
        changes: Vec::new(),
        deferred: Vec::new(),
        chain_events: Vec::new(),
        loose: Vec::new(),
        payment_events: Vec::new(),
        imports: Vec::new(),
        freezes: Vec::new(),
        at: at(1_700_000_000),
    };
    api.store.commit_update(&update).await.unwrap();
}

#[tokio::test]
async fn a_chain_says_how_far_it_is_covered() {
    let api = Api::open_unread().await;
    cover_anvil(&api).await;
    api.board.set(chain_id(31_337), ChainCondition::Following);
    let list = api.get("/v1/chains").await.json();
    let token = json!({
        "symbol": "USDT", "address": "0x5555555555555555555555555555555555555555", "decimals": 6,
    });
    let expected = json!({
        "id": 31_337,
        "name": "anvil",
        "tokens": [token],
        "treasury": "0x7777777777777777777777777777777777777777",
        "factory": CHECKSUMMED,
        "head": 15,
        "covered_up_to": {
            "number": 12,
            "hash": format!("0x{}", "12".repeat(32)),
            "timestamp": "2023-11-14T22:13:00.000Z",
        },
        "started_at_block": 12,
        "lag_blocks": 3,
        "lag_seconds": 20,
        "finalized": 9,
        "safe": null,
        "finality": {"confirmations": 3, "tag": null, "proof": "none", "tiers": []},
        "condition": "following",
        "cause": null,
        "since": null,
    });
    let anvil = &list["data"][0];
    assert_eq!(*anvil, expected);
    let bnb = &list["data"][1];
    assert_eq!(bnb["name"], "bnb");
    for unknown in [
        "head",
        "covered_up_to",
        "started_at_block",
        "lag_blocks",
        "lag_seconds",
    ] {
        assert_eq!(bnb[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(bnb["condition"], "starting");
}

#[tokio::test]
async fn readiness_is_every_chain_followed_and_the_database_answering() {
    let api = Api::open_unread().await;
    let (anvil, bnb) = (chain_id(31_337), chain_id(56));
    let conditions = |ready: &Value| {
        let chains = ready["chains"].as_array().unwrap();
        chains
            .iter()
            .map(|chain| chain["condition"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let answer = api.get("/readyz").await;
    assert_eq!(answer.status.as_u16(), 503);
    assert_eq!(answer.json()["ready"], false);
    assert_eq!(answer.json()["database"], "ok");
    assert_eq!(conditions(&answer.json()), ["starting", "starting"]);

    api.board.set(anvil, ChainCondition::Following);
    let cause = "the node at 127.0.0.1:8545 does not answer".to_owned();
    let since = at(1_700_000_000);
    let degraded = ChainCondition::Degraded {
        since,
        cause: cause.clone(),
    };
    api.board.set(bnb, degraded);
    let answer = api.get("/readyz").await;
    assert_eq!(answer.status.as_u16(), 503);
    assert_eq!(conditions(&answer.json()), ["following", "degraded"]);
    let troubled = &answer.json()["chains"][1];
    assert_eq!(troubled["cause"], cause);
    assert_eq!(troubled["since"], "2023-11-14T22:13:20.000Z");
    let listed = &api.get("/v1/chains").await.json()["data"][1];
    assert_eq!(
        (&listed["condition"], &listed["cause"]),
        (&json!("degraded"), &json!(cause))
    );

    let stopped = ChainCondition::Stopped { since, cause };
    api.board.set(bnb, stopped);
    assert_eq!(
        conditions(&api.get("/readyz").await.json()),
        ["following", "stopped"]
    );

    api.board.set(bnb, ChainCondition::Following);
    let answer = api.get("/readyz").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["ready"]),
        (200, &json!(true))
    );

    api.store.close().await;
    let answer = api.get("/readyz").await;
    assert_eq!(answer.status.as_u16(), 503);
    assert_eq!(answer.json()["database"], "unreachable");
    assert_eq!(api.get("/healthz").await.json()["status"], "ok");
}

#[tokio::test]
async fn nobody_is_told_to_pay_on_a_chain_that_was_never_read() {
    let api = Api::open_unread().await;
    api.cover(31_337).await;
    let on = |reference: &str, chains: Value| {
        json!({"reference": reference, "amount": "5", "chains": chains}).to_string()
    };
    let problem = api
        .post(on("A", json!(["anvil", "bnb"])))
        .await
        .problem(503, "chain_not_started");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("bnb") && !detail.contains("anvil"),
        "{detail}"
    );
    assert!(api.references("").await.is_empty(), "nothing was written");

    assert_eq!(
        api.post(on("A", json!(["anvil"]))).await.status.as_u16(),
        201
    );
    api.cover(56).await;
    assert_eq!(
        api.post(on("B", json!(["anvil", "bnb"])))
            .await
            .status
            .as_u16(),
        201
    );
}
