//! Retention, viewers and progress through the public door: statements in, curves out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{ACTIVITY, ADA, By, FOLD, Lectern, ifi, paused, statement, uuid};
use lectern_analytics::{Rule, Summary};
use lectern_lrs::Mark;
use serde_json::{Value, json};
use uuid::Uuid;

const RULE: Rule = Rule::Watched { percent: 90 };
const BOB: By = By {
    actor: "bob",
    registration: 0xb,
    session: 0x2,
    version: 1,
};

#[tokio::test]
async fn the_contracts_example() {
    let lectern = Lectern::new();
    lectern
        .post(&[paused(ADA, 0, "0[.]10[,]20[.]25[,]5[.]8")])
        .await;
    let found = lectern.retention(1, 30);
    let mut views = vec![0; 30];
    views[0..10].fill(1);
    views[5..8].fill(2);
    views[20..25].fill(1);
    let viewers: Vec<u32> = views.iter().map(|count| u32::from(*count > 0)).collect();
    assert_eq!(found.views, views);
    assert_eq!(found.viewers, viewers);
    assert_eq!(found.hidden_views, vec![0; 30]);
}

#[tokio::test]
async fn only_what_was_added_counts_and_each_learner_is_one_viewer() {
    let lectern = Lectern::new();
    lectern
        .post(&[paused(ADA, 0, "0[.]2"), paused(BOB, 0, "1[.]3")])
        .await;
    lectern.post(&[paused(ADA, 60_000, "0[.]2[,]0[.]2")]).await;
    lectern.post(&[paused(ADA, 90_000, "0[.]2[,]0[.]2")]).await;
    let found = lectern.retention(1, 4);
    assert_eq!(found.views, [2, 3, 1, 0]);
    assert_eq!(found.viewers, [1, 2, 1, 0]);
}

#[tokio::test]
async fn an_actor_with_two_registrations_is_one_viewer() {
    let lectern = Lectern::new();
    let again = By {
        registration: 0xc,
        session: 0x3,
        ..ADA
    };
    lectern
        .post(&[paused(ADA, 0, "0[.]2"), paused(again, 0, "1[.]3")])
        .await;
    let found = lectern.retention(1, 3);
    assert_eq!((found.views, found.viewers), (vec![1, 2, 1], vec![1, 1, 1]));
    let summary = lectern
        .analytics
        .summary(ACTIVITY, 1, Some(30_000), RULE, 90)
        .unwrap();
    assert_eq!((summary.started, summary.median_ms), (1, 4_000));
}

#[tokio::test]
async fn an_actor_with_registrations_without_end_is_one_viewer() {
    let lectern = Lectern::new();
    let said: Vec<Value> = (0..70)
        .map(|n| {
            let from = By {
                registration: 0x100 + n,
                session: 0x200 + n,
                ..ADA
            };
            paused(from, 0, "0[.]1")
        })
        .collect();
    lectern.post(&said).await;
    let found = || {
        let found = lectern.retention(1, 1);
        (found.views, found.viewers)
    };
    assert_eq!(found(), (vec![70], vec![1]));
    // Each of them is found again where it was put, also those beyond what is told apart.
    for (n, at) in [(3, "0[.]1[,]0[.]1"), (69, "0[.]1[,]0[.]1")] {
        let from = By {
            registration: 0x100 + n,
            session: 0x200 + n,
            ..ADA
        };
        lectern.post(&[paused(from, 60_000, at)]).await;
    }
    assert_eq!(found(), (vec![72], vec![1]));
    lectern.lrs.rebuild(FOLD).unwrap();
    assert_eq!(found(), (vec![72], vec![1]));
    let mut after = None;
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = lectern
            .analytics
            .viewers(ACTIVITY, 1, Some(30_000), RULE, after, 9)
            .unwrap();
        seen.extend(page.items.iter().map(|viewer| viewer.registration));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 70);
}

#[tokio::test]
async fn a_registration_stands_where_it_was_last_watched_whatever_the_version() {
    let lectern = Lectern::new();
    let other = By {
        registration: 0xc,
        ..ADA
    };
    let of = |from: By| {
        lectern
            .analytics
            .progress(
                ACTIVITY,
                None,
                uuid(from.registration),
                &ifi("ada"),
                None,
                RULE,
            )
            .unwrap()
            .map(|progress| progress.version)
    };
    assert_eq!(of(ADA), None);
    for (from, version) in [
        (ADA, 2),
        (other, 1),
        (ADA, 3),
        (ADA, 1),
        (other, 1),
        (ADA, 2),
    ] {
        let from = By { version, ..from };
        lectern.post(&[paused(from, 0, "0[.]1")]).await;
        assert_eq!(of(from), Some(version));
    }
    assert_eq!(of(other), Some(1));
}

#[tokio::test]
async fn another_version_and_another_video_are_counted_apart() {
    let lectern = Lectern::new();
    let newer = By { version: 2, ..ADA };
    lectern
        .post(&[paused(ADA, 0, "0[.]1"), paused(newer, 0, "1[.]2")])
        .await;
    assert_eq!(lectern.retention(1, 2).views, [1, 0]);
    assert_eq!(lectern.retention(2, 2).views, [0, 1]);
    assert_eq!(lectern.retention(12, 2).views, [0, 0]);
}

#[tokio::test]
async fn hiding_that_is_told_later_is_taken_back_from_views_and_viewers() {
    let lectern = Lectern::new();
    lectern.post(&[paused(ADA, 0, "0[.]3")]).await;
    assert_eq!(lectern.views(3), [1, 1, 1]);
    let hidden = json!({"played-segments": "0[.]3", "hidden-segments": "1[.]2"});
    lectern
        .post(&[statement(
            ADA,
            "terminated",
            10,
            &hidden,
            &json!({"length": 30}),
        )])
        .await;
    let found = lectern.retention(1, 3);
    assert_eq!(found.views, [1, 0, 1]);
    assert_eq!(found.viewers, [1, 0, 1]);
    assert_eq!(found.hidden_views, [0, 1, 0]);
}

#[tokio::test]
async fn an_implausible_segment_is_marked_and_not_counted() {
    let lectern = Lectern::new();
    let played = statement(
        ADA,
        "played",
        0,
        &json!({"time": 0}),
        &json!({"speed": "1x"}),
    );
    lectern
        .post(&[
            played,
            paused(ADA, 5_000, "0[.]20"),
            paused(ADA, 12_000, "0[.]20[,]20[.]25"),
        ])
        .await;
    let views = lectern.views(30);
    assert_eq!(views[..20], [0; 20]);
    assert_eq!(views[20..25], [1; 5]);
    let snapshot = lectern.lrs.store().snapshot().unwrap();
    let is_marked = |sequence| {
        let marks = Mark::of(&snapshot, sequence).unwrap();
        marks.contains(&Mark::Implausible)
    };
    assert_eq!([1, 2, 3].map(is_marked), [false, true, false]);
    let viewers = lectern
        .analytics
        .viewers(ACTIVITY, 1, None, RULE, None, 10)
        .unwrap();
    assert_eq!(viewers.items[0].implausible, 1);
}

#[tokio::test]
async fn statements_that_come_out_of_order_are_judged_by_their_own_times() {
    let lectern = Lectern::new();
    let played = |at| statement(ADA, "played", at, &json!({}), &json!({"speed": "1x"}));
    let is_marked = |sequence| {
        let snapshot = lectern.lrs.store().snapshot().unwrap();
        let marks = Mark::of(&snapshot, sequence).unwrap();
        marks.contains(&Mark::Implausible)
    };
    lectern
        .post(&[played(0), played(100_000), paused(ADA, 60_000, "0[.]60")])
        .await;
    assert_eq!(lectern.views(60), [1; 60]);
    assert!(!is_marked(3));

    // Refused for want of the statement that told it first; counted when that has come.
    let terminated = json!({"played-segments": "0[.]60,60[.]90".replace(',', "[,]")});
    lectern
        .post(&[statement(
            ADA,
            "terminated",
            101_000,
            &terminated,
            &json!({}),
        )])
        .await;
    assert_eq!(lectern.views(90)[60..], [0; 30]);
    assert!(is_marked(4));
    lectern
        .post(&[played(61_000), paused(ADA, 91_000, "0[.]60[,]60[.]90")])
        .await;
    assert_eq!(lectern.views(90), [1; 90]);
    assert!(!is_marked(4));
    let before = lectern.retention(1, 90);
    lectern.lrs.rebuild(FOLD).unwrap();
    assert_eq!(lectern.retention(1, 90), before);
    assert!(!is_marked(4));
}

#[tokio::test]
async fn two_seconds_more_than_wall_time_and_rate_give_are_plausible() {
    for (speed, played, counts) in [
        ("1x", "0[.]12", true),
        ("1x", "0[.]12.01", false),
        ("2x", "0[.]22", true),
        ("2x", "0[.]22.01", false),
    ] {
        let lectern = Lectern::new();
        let start = statement(
            ADA,
            "played",
            0,
            &json!({"time": 0}),
            &json!({"speed": speed}),
        );
        lectern.post(&[start, paused(ADA, 10_000, played)]).await;
        assert_eq!(lectern.views(1), [u32::from(counts)], "{speed} {played}");
    }
}

#[tokio::test]
async fn an_interacted_in_between_does_not_shorten_the_time() {
    let lectern = Lectern::new();
    let with = |verb, at, context: &Value| statement(ADA, verb, at, &json!({}), context);
    let said = [
        with("initialized", 0, &json!({"speed": "2x"})),
        with("played", 0, &json!({})),
        with("interacted", 9_000, &json!({"speed": "1x"})),
        paused(ADA, 10_000, "0[.]19"),
    ];
    lectern.post(&said).await;
    assert_eq!(lectern.views(19), [1; 19]);
}

#[tokio::test]
async fn the_sessions_of_two_devices_do_not_bound_one_another() {
    let lectern = Lectern::new();
    let phone = By {
        session: 0x5,
        ..ADA
    };
    let start = |from| statement(from, "played", 0, &json!({"time": 0}), &json!({}));
    lectern
        .post(&[start(ADA), start(phone), paused(phone, 20_000, "100[.]120")])
        .await;
    lectern.post(&[paused(ADA, 20_500, "0[.]20")]).await;
    let views = lectern.views(120);
    assert_eq!(views.iter().sum::<u32>(), 40);
}

#[tokio::test]
async fn statements_of_another_shape_say_nothing() {
    let lectern = Lectern::new();
    let good = paused(ADA, 0, "0[.]5");
    let without = |pointer: &str, key: &str| {
        let mut statement = good.clone();
        statement["id"] = json!(Uuid::new_v4());
        statement
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key);
        statement
    };
    let with = |pointer: &str, value: Value| {
        let mut statement = good.clone();
        statement["id"] = json!(Uuid::new_v4());
        *statement.pointer_mut(pointer).unwrap() = value;
        statement
    };
    let segments =
        "/result/extensions/https:~1~1w3id.org~1xapi~1video~1extensions~1played-segments";
    lectern
        .post(&[
            without("/context", "registration"),
            without("/context", "revision"),
            with("/context/revision", json!("01")),
            with("/context/revision", json!("-1")),
            with("/context/revision", json!("latest")),
            with("/context/revision", json!("4294967296")),
            with(
                "/verb/id",
                json!("http://adlnet.gov/expapi/verbs/experienced"),
            ),
            with(segments, json!("0[.]1e308")),
            with(segments, json!("NaN[.]inf")),
            with(segments, json!("5[.]1")),
            with(segments, json!(17)),
            with(segments, json!("x".repeat(50_000))),
        ])
        .await;
    assert_eq!(lectern.views(10), [0; 10]);
    let summary = lectern
        .analytics
        .summary(ACTIVITY, 1, Some(30_000), RULE, 90)
        .unwrap();
    assert_eq!(summary, Summary::default());
}

#[tokio::test]
async fn hostile_extensions_never_stop_a_statement() {
    let lectern = Lectern::new();
    let odd = [
        json!(1e308),
        json!(-1),
        json!("1x1"),
        json!(null),
        json!([]),
        json!({}),
        json!("-5"),
        json!(1e-300),
    ];
    let mut said = Vec::new();
    for value in &odd {
        let context = json!({"length": value, "speed": value, "session-id": value});
        said.push(statement(
            ADA,
            "seeked",
            0,
            &json!({"time-to": value, "played-segments": "0[.]1"}),
            &context,
        ));
    }
    let lots: Vec<String> = (0..60_000).map(|n| format!("{}[.]{}", n, n + 1)).collect();
    said.push(paused(BOB, 0, &lots.join("[,]")));
    lectern.post(&said).await;
    assert_eq!(lectern.views(1), [2]);
    assert_eq!(
        lectern
            .analytics
            .retention(ACTIVITY, 1, u64::MAX)
            .unwrap()
            .views
            .len(),
        172_800
    );
}

#[tokio::test]
async fn everyone_who_can_be_named_counts_whoever_sent_it() {
    let lectern = Lectern::new();
    let mut mail = paused(ADA, 0, "0[.]1");
    mail["actor"] = json!({"mbox": "mailto:someone@example.org"});
    let mut nobody = paused(ADA, 0, "0[.]1");
    nobody["id"] = json!(Uuid::new_v4());
    nobody["actor"] = json!({"objectType": "Group", "member": [{"mbox": "mailto:a@example.org"}]});
    lectern.post(&[paused(ADA, 0, "0[.]1"), mail, nobody]).await;
    let found = lectern.retention(1, 1);
    assert_eq!((found.views, found.viewers), (vec![2], vec![2]));
}

#[tokio::test]
async fn a_fold_built_anew_gives_the_same() {
    let lectern = Lectern::new();
    for round in 0..6i64 {
        for from in [ADA, BOB] {
            let segments: Vec<String> = (0..=round)
                .map(|n| format!("{}[.]{}", n * 7 % 20, n * 7 % 20 + 5 + n % 3))
                .collect();
            let result = json!({"played-segments": segments.join("[,]"), "hidden-segments": "3[.]4", "time": round});
            lectern
                .post(&[statement(
                    from,
                    "paused",
                    round * 60_000,
                    &result,
                    &json!({"length": 30}),
                )])
                .await;
        }
    }
    let all = |lectern: &Lectern| {
        let viewers = lectern
            .analytics
            .viewers(ACTIVITY, 1, Some(30_000), RULE, None, 10)
            .unwrap();
        (lectern.retention(1, 30), viewers)
    };
    let before = all(&lectern);
    lectern.lrs.rebuild(FOLD).unwrap();
    assert_eq!(all(&lectern), before);
    assert!(before.0.views.iter().sum::<u32>() > 50);
}

#[tokio::test]
async fn progress_goes_on_where_the_learner_left_on_any_device() {
    let lectern = Lectern::new();
    let result = |time: u32, played: &str| json!({"time": time, "played-segments": played, "muted-segments": "0[.]2"});
    let said = |at, time, played| {
        statement(
            ADA,
            "paused",
            at,
            &result(time, played),
            &json!({"length": 30}),
        )
    };
    lectern
        .post(&[said(0, 10, "0[.]10"), said(600_000, 8, "0[.]10[,]5[.]8")])
        .await;
    let progress = |version| {
        let registration = uuid(ADA.registration);
        lectern
            .analytics
            .progress(
                ACTIVITY,
                version,
                registration,
                &ifi("ada"),
                Some(30_000),
                RULE,
            )
            .unwrap()
    };
    let found = progress(None).unwrap();
    assert_eq!(found.version, 1);
    assert_eq!(found.played_segments, "0[.]10[,]5[.]8");
    assert_eq!(found.hidden_segments, "");
    assert_eq!(found.muted_segments, "0[.]2");
    assert_eq!(found.resume_ms, 8_000);
    assert_eq!(found.segments, [[0.0, 10.0]]);
    assert_eq!(found.replayed, [[5.0, 8.0]]);
    assert!((found.watched - 1.0 / 3.0).abs() < 1e-9);
    assert!(!found.completed && found.started);
    assert_eq!(progress(Some(2)), None);
}

#[tokio::test]
async fn after_the_end_it_begins_again_and_a_late_statement_does_not_move_the_place() {
    let lectern = Lectern::new();
    let said = |at, time| {
        statement(
            ADA,
            "paused",
            at,
            &json!({"time": time}),
            &json!({"length": 30}),
        )
    };
    let resume = |lectern: &Lectern| {
        let registration = uuid(ADA.registration);
        lectern
            .analytics
            .progress(ACTIVITY, None, registration, &ifi("ada"), None, RULE)
            .unwrap()
            .unwrap()
            .resume_ms
    };
    lectern.post(&[said(60_000, 17)]).await;
    lectern.post(&[said(30_000, 4)]).await;
    assert_eq!(resume(&lectern), 17_000);
    lectern.post(&[said(90_000, 30)]).await;
    assert_eq!(resume(&lectern), 0);
}

#[tokio::test]
async fn a_tab_that_stood_idle_takes_nobodys_place_when_it_is_closed() {
    let lectern = Lectern::new();
    let said =
        |verb: &str, at, result: &Value| statement(ADA, verb, at, result, &json!({"length": 30}));
    let resume = || {
        let registration = uuid(ADA.registration);
        lectern
            .analytics
            .progress(ACTIVITY, None, registration, &ifi("ada"), None, RULE)
            .unwrap()
            .unwrap()
            .resume_ms
    };
    for (verb, at, result, place) in [
        ("paused", 0, json!({"time": 5}), 5_000),
        ("played", 10_000, json!({"time": 6}), 6_000),
        ("interacted", 20_000, json!({"time": 7}), 6_000),
        ("terminated", 30_000, json!({"time": 8}), 6_000),
        ("initialized", 40_000, json!({"time": 9}), 6_000),
        ("completed", 50_000, json!({"time": 10}), 10_000),
        (
            "seeked",
            60_000,
            json!({"time": 3, "time-from": 10, "time-to": 11}),
            11_000,
        ),
    ] {
        lectern.post(&[said(verb, at, &result)]).await;
        assert_eq!(resume(), place, "{verb}");
    }
}

#[tokio::test]
async fn completed_is_remembered_for_the_registration_as_the_player_said_it() {
    let lectern = Lectern::new();
    let has_said = |actor: &str| {
        let registration = uuid(ADA.registration);
        lectern
            .analytics
            .has_said_completed(ACTIVITY, registration, &ifi(actor))
            .unwrap()
    };
    lectern.post(&[paused(ADA, 0, "0[.]30")]).await;
    assert!(!has_said("ada"), "the rule's verdict is not what was said");
    let newer = By { version: 2, ..ADA };
    let completed = statement(
        newer,
        "completed",
        60_000,
        &json!({}),
        &json!({"length": 30}),
    );
    lectern.post(&[completed]).await;
    assert!(has_said("ada") && !has_said("bob"));
}

#[tokio::test]
async fn viewers_come_in_pages_and_the_summary_counts_people() {
    let lectern = Lectern::new();
    for (number, (actor, played)) in [
        ("a", "0[.]30"),
        ("b", "0[.]27"),
        ("c", "0[.]9"),
        ("d", "25[.]30"),
        ("e", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u128;
        let from = By {
            actor,
            registration: 1 + number,
            session: 9 + number,
            version: 1,
        };
        lectern.post(&[paused(from, 0, played)]).await;
    }
    let page = |after, limit| {
        lectern
            .analytics
            .viewers(ACTIVITY, 1, Some(30_000), RULE, after, limit)
            .unwrap()
    };
    let first = page(None, 3);
    assert_eq!(
        (
            first.items.len(),
            first.items[0].completed,
            first.items[2].completed
        ),
        (3, true, false)
    );
    let second = page(first.next, 3);
    assert_eq!((second.items.len(), second.next), (2, None));
    let summary = |rule| {
        lectern
            .analytics
            .summary(ACTIVITY, 1, Some(30_000), rule, 90)
            .unwrap()
    };
    let expected = Summary {
        started: 4,
        watched: 2,
        completed: 2,
        median_ms: 18_000,
    };
    assert_eq!(summary(RULE), expected);
    assert_eq!(summary(Rule::End), expected);
    assert_eq!(summary(Rule::Watched { percent: 30 }).completed, 3);
}
