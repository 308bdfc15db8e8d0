//! What receivers do, and what is made of it.

use std::time::Duration;

use paywatch_core::{DecisionKind, DeliveryState};
use paywatch_notifier::{LaneSettings, Schedule};
use paywatch_store::{Again, NewDecision};

use crate::house::{House, Mood};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// What somebody decides now.
fn decision(house: &House, kind: DecisionKind) -> NewDecision {
    NewDecision {
        id: format!("dec_{kind}"),
        kind,
        reason: "it is back".parse().unwrap(),
        by: "root".to_owned(),
        detail: "shop".to_owned(),
        at: paywatch_notifier::Clock::now(&house.clock),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_and_what_belongs_together_in_order() {
    let mut house = House::new().await;
    house.endpoint("shop").await;
    house.opens();
    for number in 0..200 {
        house.happens(number % 7 + 1).await;
    }
    house
        .until("all 200 are taken", async || {
            house.town.taken("shop").len() == 200
        })
        .await;
    let taken = house.town.taken("shop");
    for chain in 0..7 {
        let of_chain: Vec<_> = taken.iter().filter(|seq| (*seq - 1) % 7 == chain).collect();
        assert!(of_chain.is_sorted(), "{of_chain:?}");
    }
    let mut all = taken;
    all.sort_unstable();
    assert!(all.iter().copied().eq(1..=200), "each once");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_later_and_holds_up_its_own_only() {
    let mut house = House::new().await;
    house.endpoint("shop").await;
    house
        .town
        .next("shop", [Mood::Answers(422), Mood::Answers(422)]);
    house.happens(1).await;
    house.opens();
    house
        .until("the first is refused", async || {
            house.town.tried("shop").len() == 1
        })
        .await;
    house.happens(1).await;
    house
        .in_time(SECOND, "it is tried again", async || {
            house.town.tried("shop").len() == 2
        })
        .await;
    house.happens(2).await;
    house
        .until("the other chain's is taken", async || {
            house.town.taken("shop") == [3]
        })
        .await;
    house
        .in_time(SECOND, "all are taken", async || {
            house.town.taken("shop").len() == 3
        })
        .await;
    assert_eq!(house.town.taken("shop"), [3, 1, 2]);
    let tried = house.town.tried("shop");
    let pause = tried[1].1.unix_ms() - tried[0].1.unix_ms();
    assert!((4_500..=7_000).contains(&pause), "{pause} ms");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_for_hours_is_left_alone_and_then_told_everything() {
    let mut house = House::new().await;
    let id = house.endpoint("shop").await;
    house.town.is("shop", Mood::Answers(500));
    house.opens();
    for number in 1..=300 {
        house.happens(number % 50 + 1).await;
    }
    for _ in 0..360 {
        house.clock.pass(Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    let asked = house.town.tried("shop").len();
    assert!(asked < 150, "it was asked {asked} times in three hours");
    house.town.is("shop", Mood::Takes);
    house
        .in_time(Duration::from_secs(30), "all are taken", async || {
            house.town.taken("shop").len() == 300
        })
        .await;
    let taken = house.town.taken("shop");
    for chain in 0..50 {
        let of_chain: Vec<_> = taken.iter().filter(|seq| *seq % 50 == chain).collect();
        assert!(of_chain.is_sorted(), "{of_chain:?}");
    }
    house
        .until("all is written down", async || {
            house.store.pending_deliveries(id).await.unwrap() == 0
        })
        .await;
    house
        .until("both are told", async || {
            house.told_of_endpoints().await == ["endpoint.failing", "endpoint.recovered"]
        })
        .await;
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_delays_nobody_else() {
    let mut house = House::new().await;
    for number in 0..10 {
        let name = format!("dead {number}");
        house.endpoint(&name).await;
        house.town.is(&name, Mood::Hangs);
    }
    house.endpoint("shop").await;
    house.opens();
    for number in 1..=100 {
        house.happens(number).await;
    }
    house
        .until("all are taken", async || {
            house.town.taken("shop").len() == 100
        })
        .await;
    house.burns().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_be_left_alone_is() {
    let mut house = House::new().await;
    house.endpoint("shop").await;
    house.town.next("shop", [Mood::AsksToWait(HOUR)]);
    house.happens(1).await;
    house.opens();
    house
        .until("it is asked", async || house.town.tried("shop").len() == 1)
        .await;
    house.happens(2).await;
    house
        .in_time(Duration::from_secs(20), "all are taken", async || {
            house.town.taken("shop").len() == 2
        })
        .await;
    let tried = house.town.tried("shop");
    let first = tried[0].1;
    for (_, at) in &tried[1..] {
        assert!(*at >= first.plus_ms(3_600_000).unwrap(), "{tried:?}");
    }
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_is_told_nothing_any_more() {
    let mut house = House::new().await;
    let id = house.endpoint("shop").await;
    house.town.is("shop", Mood::Answers(410));
    house.happens(1).await;
    house.opens();
    house
        .until("it is disabled", async || {
            let endpoint = house.store.endpoint(id).await.unwrap().unwrap();
            endpoint.disabled.is_some()
        })
        .await;
    let tried = house.town.tried("shop").len();
    house.town.is("shop", Mood::Takes);
    for number in 1..=20 {
        house.happens(number).await;
        house.clock.pass(HOUR);
    }
    house
        .until("it is told of", async || {
            house.told_of_endpoints().await == ["endpoint.disabled"]
        })
        .await;
    assert_eq!(house.town.tried("shop").len(), tried);
    // Until somebody enables it again, and wants to have what it missed.
    let enable = decision(&house, DecisionKind::EnableEndpoint);
    assert!(house.store.enable_endpoint(id, &enable).await.unwrap());
    let endpoint = house.store.endpoint(id).await.unwrap().unwrap();
    let wanted = decision(&house, DecisionKind::Redeliver);
    let range = Again::Range(1, 100);
    let again = house.store.redeliver(&endpoint, range, &wanted);
    assert_eq!(again.await.unwrap(), 21);
    house
        .in_time(SECOND, "all are taken", async || {
            house.town.taken("shop").len() == 21
        })
        .await;
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_is_given_up_and_can_be_delivered_again() {
    let mut house = House::new().await;
    house.settings = LaneSettings {
        schedule: Schedule::new(vec![SECOND, SECOND]).unwrap(),
        ..LaneSettings::default()
    };
    let id = house.endpoint("shop").await;
    house.town.is("shop", Mood::Answers(422));
    house.happens(1).await;
    house.happens(1).await;
    house.opens();
    house
        .in_time(SECOND, "both are given up", async || {
            let failed = house
                .store
                .deliveries(id, &[DeliveryState::Failed], None, 9);
            failed.await.unwrap().len() == 2
        })
        .await;
    let tried: Vec<_> = house.town.tried("shop").iter().map(|it| it.0).collect();
    assert_eq!(tried, [1, 1, 1, 2, 2, 2]);
    house.town.is("shop", Mood::Takes);
    let endpoint = house.store.endpoint(id).await.unwrap().unwrap();
    let wanted = decision(&house, DecisionKind::Redeliver);
    let again = house.store.redeliver(&endpoint, Again::Failed, &wanted);
    assert_eq!(again.await.unwrap(), 2);
    house
        .until("both are taken", async || {
            house.town.taken("shop") == [1, 2]
        })
        .await;
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_burns_down_loses_nothing() {
    let mut house = House::new().await;
    let id = house.endpoint("shop").await;
    for number in 0..500_u64 {
        house.happens(number % 20 + 1).await;
    }
    for round in 0..20_u64 {
        house.opens();
        tokio::time::sleep(Duration::from_millis(round * 3)).await;
        house.burns().await;
        house.clock.pass(Duration::from_secs(11));
    }
    house.opens();
    house
        .in_time(SECOND, "nothing is left", async || {
            let queued = house.store.endpoint(id).await.unwrap().unwrap().queued_to == 500;
            queued && house.store.pending_deliveries(id).await.unwrap() == 0
        })
        .await;
    let taken = house.town.taken("shop");
    for chain in 0..20 {
        let mut first_seen = Vec::new();
        for seq in taken.iter().filter(|seq| (*seq - 1) % 20 == chain) {
            if !first_seen.contains(seq) {
                first_seen.push(*seq);
            }
        }
        assert_eq!(first_seen.len(), 25);
        assert!(first_seen.is_sorted(), "{first_seen:?}");
    }
    house.closes().await;
}
