//! Requests that are carried out once, whoever asks how often.

use paywatch_store::{Attempt, AttemptOutcome, KeptAnswer};

use crate::books::{Books, at};

on_both_engines!(
    a_request_is_carried_out_once_and_answered_again,
    another_request_does_not_get_the_answer,
    one_of_many_who_ask_at_once_may_begin,
    what_was_given_up_is_begun_again,
    answers_are_forgotten_after_their_time,
);

fn attempt(name: &str, second: u64) -> Attempt {
    Attempt {
        api_key: "key_1".to_owned(),
        name: name.to_owned(),
        request_digest: "aa".to_owned(),
        begun_by: "process-1".to_owned(),
        begun_at: at(second),
    }
}

fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 201,
        location: Some("/v1/orders/ord_1".to_owned()),
        content_type: Some("application/json".to_owned()),
        body: "{\"id\": \"ord_1\"}".to_owned(),
    }
}

async fn begins(books: &Books, attempt: &Attempt) -> AttemptOutcome {
    let stale = attempt.begun_at.plus_ms(-60_000).unwrap();
    let begun = books.store.begin_attempt(attempt, at(0), stale).await;
    begun.unwrap()
}

async fn a_request_is_carried_out_once_and_answered_again(books: Books) {
    let first = attempt("A", 100);
    assert_eq!(begins(&books, &first).await, AttemptOutcome::Begun);
    let other = Attempt {
        begun_by: "process-2".to_owned(),
        ..attempt("A", 101)
    };
    assert_eq!(begins(&books, &other).await, AttemptOutcome::Running);
    books.store.finish_attempt(&first, &answer()).await.unwrap();
    let answered = AttemptOutcome::Answered(answer());
    assert_eq!(begins(&books, &other).await, answered);
    // Too late to change anything.
    books.store.abandon_attempt(&first).await.unwrap();
    let other_answer = KeptAnswer {
        status: 500,
        ..answer()
    };
    let kept = books.store.finish_attempt(&first, &other_answer).await;
    kept.unwrap();
    assert_eq!(begins(&books, &attempt("A", 5_000)).await, answered);
}

async fn another_request_does_not_get_the_answer(books: Books) {
    let first = attempt("A", 100);
    begins(&books, &first).await;
    let other = Attempt {
        request_digest: "bb".to_owned(),
        ..attempt("A", 101)
    };
    assert_eq!(begins(&books, &other).await, AttemptOutcome::OtherRequest);
    books.store.finish_attempt(&first, &answer()).await.unwrap();
    assert_eq!(begins(&books, &other).await, AttemptOutcome::OtherRequest);
    let somebody_else = Attempt {
        api_key: "key_2".to_owned(),
        ..other
    };
    assert_eq!(begins(&books, &somebody_else).await, AttemptOutcome::Begun);
}

async fn one_of_many_who_ask_at_once_may_begin(books: Books) {
    let asking = (0..20).map(|number| {
        let store = books.store.clone();
        let attempt = Attempt {
            begun_by: format!("process-{number}"),
            ..attempt("A", 100)
        };
        tokio::spawn(async move { store.begin_attempt(&attempt, at(0), at(40)).await.unwrap() })
    });
    let mut begun = 0;
    for asked in asking.collect::<Vec<_>>() {
        match asked.await.unwrap() {
            AttemptOutcome::Begun => begun += 1,
            other => assert_eq!(other, AttemptOutcome::Running),
        }
    }
    assert_eq!(begun, 1);
}

async fn what_was_given_up_is_begun_again(books: Books) {
    let first = attempt("A", 100);
    begins(&books, &first).await;
    // The same process knows that it does not carry it out any more.
    assert_eq!(
        begins(&books, &attempt("A", 101)).await,
        AttemptOutcome::Begun
    );
    // Another one waits until it is sure.
    let other = |second| Attempt {
        begun_by: "process-2".to_owned(),
        ..attempt("A", second)
    };
    assert_eq!(begins(&books, &other(160)).await, AttemptOutcome::Running);
    assert_eq!(begins(&books, &other(162)).await, AttemptOutcome::Begun);
    // The first one is late and does not matter.
    books.store.finish_attempt(&first, &answer()).await.unwrap();
    books.store.abandon_attempt(&first).await.unwrap();
    assert_eq!(
        begins(&books, &attempt("A", 163)).await,
        AttemptOutcome::Running
    );
    books.store.abandon_attempt(&other(162)).await.unwrap();
    assert_eq!(
        begins(&books, &attempt("A", 164)).await,
        AttemptOutcome::Begun
    );
}

async fn answers_are_forgotten_after_their_time(books: Books) {
    let first = attempt("A", 100);
    begins(&books, &first).await;
    books.store.finish_attempt(&first, &answer()).await.unwrap();
    let later = attempt("B", 200);
    let begun = books.store.begin_attempt(&later, at(101), at(140)).await;
    assert_eq!(begun.unwrap(), AttemptOutcome::Begun);
    assert_eq!(
        begins(&books, &attempt("A", 201)).await,
        AttemptOutcome::Begun
    );
}
