//! Orders that are asked for many times at once, and by clients that never got an answer.

use paywatch_client::{Client, ClientError, CreateOrder, ListOrders, Order};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::Shop;
use paywatch_tests::wait;

on_both_engines!(
    two_hundred_at_once_make_one_order,
    a_daemon_that_is_killed_while_it_answers_makes_one_order,
);

fn request(reference: &str) -> CreateOrder {
    CreateOrder {
        reference: reference.to_owned(),
        amount: "10".to_owned(),
        ..CreateOrder::default()
    }
}

/// What a careful client does: it asks again with the same key until it has an answer.
async fn answered(client: Client, request: CreateOrder, key: String) -> Order {
    wait::until("an answer", || async {
        match client.create_order_once(&request, &key).await {
            Ok(order) => Ok(order),
            Err(ClientError::Problem(problem)) if problem.code == "in_progress" => {
                Err(problem.code.clone())
            },
            Err(other) => panic!("{other:?}"),
        }
    })
    .await
}

async fn all_with(client: &Client, reference: &str) -> Vec<Order> {
    let list = ListOrders {
        reference: Some(reference.to_owned()),
        ..ListOrders::default()
    };
    client.orders(&list).await.expect("a page").data
}

async fn two_hundred_at_once_make_one_order(engine: Engine) {
    let shop = Shop::open(engine).await;
    let client = shop.client();
    let asking = (0..200).map(|_| {
        let asked = answered(client.clone(), request("ONCE-1"), "key-1".to_owned());
        tokio::spawn(asked)
    });
    let mut answers = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        answers.push(asked.await.expect("it ends"));
    }
    assert!(answers.iter().all(|order| *order == answers[0]));
    assert_eq!(all_with(&client, "ONCE-1").await.len(), 1);
    shop.close().await;
}

/// Each time a little later, so that every point between question and answer is met.
async fn a_daemon_that_is_killed_while_it_answers_makes_one_order(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    for round in 0..6 {
        let (reference, key) = (format!("KILLED-{round}"), format!("key-{round}"));
        let client = shop.client();
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let (client, request, key) = (client.clone(), request(&reference), key.clone());
                tokio::spawn(async move { client.create_order_once(&request, &key).await })
            })
            .collect();
        // As many as the round says have got an answer, or none will any more.
        for asked in asking.into_iter().take(round) {
            let _answer = asked.await;
        }
        shop.daemon.is_killed().await;
        shop.daemon.start().await;
        shop.daemon.becomes_ready().await;
        let order = answered(shop.client(), request(&reference), key.clone()).await;
        let again = answered(shop.client(), request(&reference), key).await;
        assert_eq!(order, again);
        let made = all_with(&shop.client(), &reference).await;
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0].id, order.id);
    }
    shop.close().await;
}
