//! Credentials: when they were last used.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use lectern_lrs::Scopes;

const MINUTE: i64 = 60_000_000;

#[tokio::test]
async fn the_last_use_is_kept_to_the_minute_without_a_write_for_each_request() {
    let it = common::new();
    let credentials = it.lrs.credentials();
    let made = credentials
        .add("Dashboard", Scopes::default(), common::ACTOR)
        .unwrap();
    let used_at = async |moment: i64| {
        it.clock.store(moment, Ordering::SeqCst);
        let commits = *it.lrs.store().commits().borrow();
        credentials.used(&made.key).await.unwrap();
        let has_written = *it.lrs.store().commits().borrow() != commits;
        let last = credentials.list().unwrap()[0].last_used.unwrap();
        (has_written, last)
    };
    let time = |moment| Timestamp::from_microsecond(moment).unwrap();
    let (first, second) = (common::START, common::START + MINUTE + 1);
    assert_eq!(used_at(first).await, (true, time(first)));
    assert_eq!(used_at(first + MINUTE).await, (false, time(first)));
    assert_eq!(used_at(second).await, (true, time(second)));
    let back = first - 10 * MINUTE;
    assert_eq!(used_at(back).await, (true, time(back)), "the clock jumped");
}
