//! Webhooks in the hands of a service, and of an operator who wants to know why nothing arrives.

use paywatch_client::{ChangeWebhook, Client, CreateWebhook, Redeliver};
use paywatch_tests::database::Engine;

use crate::endpoints::Scene;

/// A service that has a key for it manages its own webhooks.
#[tokio::test]
async fn a_service_manages_its_own_webhook() {
    let scene = Box::pin(Scene::open(Engine::Sqlite)).await;
    let daemon = &scene.shop.daemon;
    let create = [
        "api-key", "create", "--name", "till", "--scopes", "webhooks",
    ];
    let (went_well, key, error) = daemon.operator(&create).await;
    assert!(went_well, "{error}");
    let client = Client::new(daemon.url().clone(), key.trim().into()).expect("a client");
    let wanted = CreateWebhook {
        name: "till".to_owned(),
        url: format!("{}?till=7", scene.receiver.url()),
        types: Some(vec!["order.completed".to_owned()]),
        signature: Some("ed25519".to_owned()),
        ..CreateWebhook::default()
    };
    let made = client.create_webhook(&wanted).await.expect("it is made");
    assert_eq!(made.secret, None);
    let webhook = made.webhook;
    let public_key = webhook.public_key.clone().expect("it is shown");
    assert!(public_key.starts_with("whpk_"), "{public_key}");
    let all = client.webhooks().await.expect("all of them");
    assert_eq!((all.len(), &all[1]), (2, &webhook));
    let change = ChangeWebhook {
        types: Some(vec!["chain.*".to_owned(), "order.paid".to_owned()]),
        ..ChangeWebhook::default()
    };
    let changed = client.change_webhook(&webhook.id, &change).await;
    let changed = changed.expect("it is changed");
    assert!(
        changed.types.contains(&"chain.reorged".to_owned()),
        "{changed:?}"
    );
    assert_eq!(changed.url, webhook.url);
    let taken = ChangeWebhook {
        name: Some("shop".to_owned()),
        ..ChangeWebhook::default()
    };
    let refused = client.change_webhook(&webhook.id, &taken).await;
    let refused = refused.expect_err("it is taken").to_string();
    assert!(refused.contains(&scene.id), "{refused}");
    let disabled = client.disable_webhook(&webhook.id, "it moves").await;
    let because = disabled.expect("it is disabled").disabled_because;
    assert_eq!(because.as_deref(), Some("it moves"));
    let enabled = client.enable_webhook(&webhook.id, "it is back").await;
    assert_eq!(enabled.expect("it is enabled").status, "enabled");
    let again = client.redeliver(&webhook.id, &Redeliver::Failed, "all of it");
    assert_eq!(again.await.expect("nothing failed"), 0);
    scene.shop.close().await;
}

/// What is wrong with a receiver is said, and what would help.
#[tokio::test]
async fn an_operator_learns_why_a_webhook_is_not_taken() {
    let scene = Box::pin(Scene::open(Engine::Sqlite)).await;
    let daemon = &scene.shop.daemon;
    scene.receiver.answers(401);
    let test = ["webhook", "test", &scene.id];
    let (went_well, said, _) = daemon.operator(&test).await;
    assert!(!went_well, "{said}");
    for words in ["it answered 401", "the till is jammed", "byte for byte"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    drop(scene.receiver);
    let (went_well, said, _) = daemon.operator(&test).await;
    assert!(
        !went_well && said.contains("does the receiver run"),
        "{said}"
    );

    let add = |name, url| ["webhook", "add", "--name", name, "--url", url];
    let (went_well, _, error) = daemon.operator(&add("inside", "https://10.0.0.7/")).await;
    assert!(!went_well && error.contains("[webhooks]"), "{error}");
    let (went_well, _, error) = daemon.operator(&add("shop", "https://shop.example/")).await;
    assert!(!went_well && error.contains(&scene.id), "{error}");
    let bank = [
        &add("bank", "https://bank.example/in?key=s3cret")[..],
        &["--signature", "ed25519"],
    ];
    let (went_well, key, error) = daemon.operator(&bank.concat()).await;
    assert!(went_well && key.starts_with("whpk_"), "{key}{error}");
    let (went_well, listed, error) = daemon.operator(&["webhook", "list"]).await;
    assert!(went_well, "{error}");
    assert!(
        listed.contains("bank.example") && !listed.contains("s3cret"),
        "{listed}"
    );
    let (went_well, shown, error) = daemon.operator(&["webhook", "show", &scene.id]).await;
    assert!(
        went_well && shown.contains("signed by  hmac"),
        "{shown}{error}"
    );
    scene.shop.close().await;
}
