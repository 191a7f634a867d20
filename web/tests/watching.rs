//! From `play` to the chart: who may begin, under which registration and version, what the token may
//! write, what the figures say then, and who may read them.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::Cursor;

use axum::body::Body;
use jiff::{SignedDuration, Timestamp};
use lectern_library::{NewUpload, NewVideo, PackageUpdate, VideoId, VideoPatch, Visibility};
use lectern_lms::{CompletionRule, PersonPatch, Role, SettingsPatch};
use lectern_vod::names::TrackId;
use lectern_vod::package::Package;
use serde_json::{Value, json};
use support::{Answer, Asking, TestBox};

const PAUSED: &str = "https://w3id.org/xapi/video/verbs/paused";

/// A video of 30 s that plays.
fn video(it: &TestBox, owner: &str, visibility: Visibility) -> VideoId {
    let upload = upload(it, owner, b"one");
    let new = NewVideo {
        title: "Heat and work".into(),
        language: "en".into(),
        visibility,
        owner: owner.into(),
        upload,
    };
    let id = it.app.library.create_video(new, it.app.now()).unwrap();
    make_playable(it);
    id
}

fn upload(it: &TestBox, owner: &str, bytes: &[u8]) -> lectern_library::UploadId {
    let new = NewUpload {
        length: bytes.len() as u64,
        name: "one.mp4".into(),
        owner: owner.into(),
        metadata: String::new(),
    };
    let imported = it
        .app
        .library
        .import(new, &mut Cursor::new(bytes), it.app.now());
    imported.unwrap().id
}

fn make_playable(it: &TestBox) {
    let job = it.app.library.next_job(it.app.now()).unwrap().unwrap();
    let track = TrackId::new("v480").unwrap();
    let package = Package::planned(30_000, 4, vec![0], vec![track]).unwrap();
    let update = PackageUpdate {
        package: Some(serde_json::to_string(&package).unwrap()),
        is_playable: true,
        duration_ms: Some(30_000),
        report: None,
    };
    it.app
        .library
        .save_package(&job, update, it.app.now())
        .unwrap();
}

async fn play(asking: &Asking<'_>, video: VideoId) -> Answer {
    asking
        .json("POST", &format!("/api/v1/videos/{video}/play"), &json!({}))
        .await
}

async fn get(asking: &Asking<'_>, video: VideoId, what: &str) -> Answer {
    asking.get(&format!("/api/v1/videos/{video}/{what}")).await
}

/// `paused` with these segments, as the player of this viewing would send it.
fn paused(viewing: &Value, played: &str) -> Value {
    json!({
        "id": uuid::Uuid::new_v4(),
        "actor": viewing["actor"],
        "verb": {"id": PAUSED},
        "object": {
            "id": viewing["activity_id"],
            "definition": {"type": "https://w3id.org/xapi/video/activity-type/video"},
        },
        "result": {"extensions": {
            "https://w3id.org/xapi/video/extensions/played-segments": played,
            "https://w3id.org/xapi/video/extensions/time": 8,
        }},
        "context": {
            "registration": viewing["registration"],
            "revision": viewing["version"].to_string(),
            "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}]},
            "extensions": {"https://w3id.org/xapi/video/extensions/length": 30},
        },
        "timestamp": viewing["now"],
    })
}

async fn post(it: &TestBox, viewing: &Value, statement: &Value) -> Answer {
    let token = viewing["xapi"]["token"].as_str().unwrap();
    it.nobody()
        .header("authorization", &format!("Bearer {token}"))
        .header("x-experience-api-version", "2.0.0")
        .json("POST", "/xapi/statements", &json!([statement]))
        .await
}

#[tokio::test]
async fn what_is_played_arrives_in_the_chart_as_the_contract_says() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]);
    let id = video(&it, &ines.id.to_string(), Visibility::Members);
    let learner = it.caller("ada", &[Role::Learner]);
    let viewing = play(&learner, id).await.expect(200).json();
    assert_eq!(viewing["version"], 1);
    assert_eq!(viewing["duration_ms"], 30_000);
    assert_eq!(
        viewing["completion"],
        json!({"rule": "watched", "threshold": 0.9})
    );
    assert_eq!(viewing["resume_ms"], 0);
    assert_eq!(viewing["language"], "en");
    assert!(viewing.get("device").is_none());

    let said = paused(&viewing, "0[.]10[,]20[.]25[,]5[.]8");
    post(&it, &viewing, &said).await.expect(200);

    it.app.lms.add_api_token("ines", it.app.now()).unwrap();
    let instructor = it.signed_in("ines").await;
    let retention = get(&instructor, id, "retention").await.expect(200).json();
    let mut views = vec![0; 30];
    views[0..10].fill(1);
    views[5..8].fill(2);
    views[20..25].fill(1);
    let viewers: Vec<i32> = views.iter().map(|count| i32::from(*count > 0)).collect();
    let expected = json!({
        "version": 1, "bucket_ms": 1000,
        "views": views, "viewers": viewers, "hidden_views": vec![0; 30],
    });
    assert_eq!(retention, expected);

    let summary = get(&instructor, id, "summary").await.expect(200).json();
    assert_eq!(summary["started"], 1);
    assert_eq!(summary["median_ms"], 18_000);
    assert_eq!(summary["rule"], json!({"kind": "watched", "percent": 90}));

    let row = &get(&instructor, id, "viewers").await.expect(200).json()["items"][0];
    assert_eq!(row["name"], "ada");
    assert_eq!(row["segments"], json!([[0.0, 10.0], [20.0, 25.0]]));
    assert_eq!(row["replayed"], json!([[5.0, 8.0]]));
    assert_eq!(
        (&row["watched"], &row["completed"]),
        (&json!(0.5), &json!(false))
    );

    let again = play(&learner, id).await.expect(200).json();
    assert_eq!(again["registration"], viewing["registration"]);
    assert_eq!(again["played_segments"], "0[.]10[,]20[.]25[,]5[.]8");
    assert_eq!(again["resume_ms"], 8_000);
    assert_eq!(again["watched"], 0.5);
    let mine = get(&learner, id, "progress").await.expect(200).json();
    assert_eq!(mine["resume_ms"], 8_000);
    assert_eq!(mine["segments"], row["segments"]);

    let patch = SettingsPatch {
        completion_rule: Some(CompletionRule::Watched { percent: 50 }),
        ..SettingsPatch::default()
    };
    it.app.lms.update_settings(patch).unwrap();
    let summary = get(&instructor, id, "summary").await.expect(200).json();
    assert_eq!(
        (&summary["watched"], &summary["completed"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_viewing_token_writes_for_its_own_learner_registration_and_video_alone() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]);
    let id = video(&it, &ines.id.to_string(), Visibility::Members);
    let ada = play(&it.caller("ada", &[Role::Learner]), id)
        .await
        .expect(200)
        .json();
    let bob = play(&it.caller("bob", &[Role::Learner]), id)
        .await
        .expect(200)
        .json();
    for (pointer, value) in [
        ("/actor", &bob["actor"]),
        ("/context/registration", &bob["registration"]),
        ("/object/id", &json!("https://elsewhere.example/videos/1")),
    ] {
        let mut said = paused(&ada, "0[.]10");
        *said.pointer_mut(pointer).unwrap() = value.clone();
        post(&it, &ada, &said).await.expect(403);
    }
    let media = ada["hls"].as_str().unwrap().split_once("token=").unwrap().1;
    let mut forged = ada.clone();
    forged["xapi"]["token"] = json!(media);
    let answer = post(&it, &forged, &paused(&ada, "0[.]10")).await;
    assert!(
        [401, 403].contains(&answer.status.as_u16()),
        "{}",
        answer.text()
    );
    assert_eq!(it.app.lrs.head().unwrap(), 0);
    let expires: Timestamp = ada["xapi"]["expires"].as_str().unwrap().parse().unwrap();
    let days = expires.duration_since(it.app.now());
    assert!(days > SignedDuration::from_hours(29 * 24), "{expires}");
}

#[tokio::test]
async fn each_visibility_lets_those_play_whom_it_names() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]);
    let ada = it.person("ada", &[Role::Learner]);
    let bob = it.person("bob", &[Role::Learner]);
    let id = video(&it, &ines.id.to_string(), Visibility::Private);
    let asking = [
        it.signed_in("ines").await,
        it.signed_in("ada").await,
        it.signed_in("bob").await,
        it.nobody(),
    ];
    let rows = [
        (Visibility::Private, [200, 403, 403, 401]),
        (Visibility::Named, [200, 200, 403, 401]),
        (Visibility::Members, [200, 200, 200, 401]),
        (Visibility::Open, [200, 200, 200, 200]),
    ];
    for (visibility, expected) in rows {
        let patch = VideoPatch {
            visibility: Some(visibility),
            people: Some([ada.id.to_string()].into()),
            ..VideoPatch::default()
        };
        it.app.library.patch_video(id, patch).unwrap();
        for (asking, status) in asking.iter().zip(expected) {
            let found = play(asking, id).await.status.as_u16();
            assert_eq!(found, status, "{visibility:?}");
        }
    }
    let close = PersonPatch {
        disabled: Some(true),
        ..PersonPatch::default()
    };
    it.app.lms.update_person(bob.id, close).unwrap();
    let patch = VideoPatch {
        visibility: Some(Visibility::Members),
        ..VideoPatch::default()
    };
    it.app.library.patch_video(id, patch).unwrap();
    play(&asking[2], id).await.expect(401);
}

#[tokio::test]
async fn a_device_that_nobody_signed_in_on_is_one_learner_by_cookie_or_by_the_id_it_keeps() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]);
    let id = video(&it, &ines.id.to_string(), Visibility::Open);
    let first = play(&it.nobody(), id).await.expect(200);
    let cookie = first
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let viewing = first.json();
    let device = viewing["device"].as_str().unwrap();
    assert_eq!(cookie, format!("lectern_device={device}"));
    assert!(!viewing["actor"].to_string().contains(device));
    post(&it, &viewing, &paused(&viewing, "0[.]3"))
        .await
        .expect(200);

    let by_cookie = it.nobody().header("cookie", &cookie);
    let path = format!("/api/v1/videos/{id}/play");
    let kept = it
        .nobody()
        .json("POST", &path, &json!({"device": device}))
        .await;
    for again in [play(&by_cookie, id).await, kept] {
        let again = again.expect(200).json();
        assert_eq!(again["registration"], viewing["registration"]);
        assert_eq!(again["played_segments"], "0[.]3");
    }
    let other = play(&it.nobody(), id).await.expect(200).json();
    assert_ne!(other["registration"], viewing["registration"]);

    let row = &get(&it.signed_in("ines").await, id, "viewers")
        .await
        .expect(200)
        .json()["items"][0];
    assert_eq!(row["name"], Value::Null);
    assert!(!row.to_string().contains(device));
}

#[tokio::test]
async fn who_has_begun_a_version_stays_on_it_and_who_has_not_gets_the_newest() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]).id.to_string();
    let id = video(&it, &ines, Visibility::Members);
    let (ada, bob) = (
        it.caller("ada", &[Role::Learner]),
        it.caller("bob", &[Role::Learner]),
    );
    let begun = play(&ada, id).await.expect(200).json();
    post(&it, &begun, &paused(&begun, "0[.]3"))
        .await
        .expect(200);
    play(&bob, id).await.expect(200); // opened, never played

    let second = upload(&it, &ines, b"two");
    it.app
        .library
        .add_version(id, second, &ines, it.app.now())
        .unwrap();
    let instructor = it.signed_in("ines").await;
    let queued = get(&instructor, id, "retention").await.expect(200).json();
    assert_eq!(
        (&queued["version"], &queued["views"]),
        (&json!(2), &json!([])),
        "the newest, though nothing of it plays yet"
    );
    assert_eq!(
        play(&ada, id).await.expect(200).json()["versions_newer"],
        false
    );
    make_playable(&it);

    let stays = play(&ada, id).await.expect(200).json();
    assert_eq!(
        (&stays["version"], &stays["versions_newer"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(stays["played_segments"], "0[.]3");
    assert_eq!(play(&bob, id).await.expect(200).json()["version"], 2);

    let path = format!("/api/v1/videos/{id}/play");
    let looks = ada
        .json("POST", &path, &json!({"version": 2}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&looks["version"], &looks["played_segments"]),
        (&json!(2), &json!(""))
    );
    assert_eq!(play(&ada, id).await.expect(200).json()["version"], 1);
    ada.json("POST", &path, &json!({"version": 3}))
        .await
        .expect(404);
    ada.json("POST", &path, &json!({"versions": 1}))
        .await
        .expect(400);
    ada.send("POST", &path, None, Body::empty())
        .await
        .expect(200);

    let newest = get(&instructor, id, "retention").await.expect(200).json();
    assert_eq!(
        (&newest["version"], &newest["views"][0]),
        (&json!(2), &json!(0))
    );
    let first = get(&instructor, id, "retention?version=1")
        .await
        .expect(200)
        .json();
    assert_eq!(first["views"][0], 1);
    get(&instructor, id, "retention?version=9")
        .await
        .expect(404);
}

#[tokio::test]
async fn play_says_whether_completed_was_said_whatever_the_rule_says() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]).id.to_string();
    let id = video(&it, &ines, Visibility::Members);
    let ada = it.caller("ada", &[Role::Learner]);
    let viewing = play(&ada, id).await.expect(200).json();
    let mut said = paused(&viewing, "0[.]30");
    post(&it, &viewing, &said).await.expect(200);
    let all_seen = play(&ada, id).await.expect(200).json();
    assert_eq!(
        (&all_seen["watched"], &all_seen["completed"]),
        (&json!(1.0), &json!(false))
    );
    said["id"] = json!(uuid::Uuid::new_v4());
    said["verb"]["id"] = json!("http://adlnet.gov/expapi/verbs/completed");
    post(&it, &viewing, &said).await.expect(200);
    assert_eq!(play(&ada, id).await.expect(200).json()["completed"], true);
}

#[tokio::test]
async fn what_cannot_be_played_yet_says_so() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]).id.to_string();
    let new = NewVideo {
        title: "Soon".into(),
        language: String::new(),
        visibility: Visibility::Members,
        upload: upload(&it, &ines, b"soon"),
        owner: ines,
    };
    let id = it.app.library.create_video(new, it.app.now()).unwrap();
    let asking = it.signed_in("ines").await;
    assert_eq!(
        play(&asking, id).await.expect(409).problem(),
        "not-playable"
    );
    let retention = get(&asking, id, "retention").await.expect(200).json();
    assert_eq!(retention["views"], json!([]));
    let nothing = VideoId(uuid::Uuid::now_v7());
    play(&asking, nothing).await.expect(404);
}

#[tokio::test]
async fn individuals_are_read_by_those_who_may_and_each_reading_is_audited() {
    let it = TestBox::new();
    let ines = it.person("ines", &[Role::Instructor]);
    let id = video(&it, &ines.id.to_string(), Visibility::Members);
    let viewing = play(&it.caller("ada", &[Role::Learner]), id)
        .await
        .expect(200)
        .json();
    post(&it, &viewing, &paused(&viewing, "0[.]3"))
        .await
        .expect(200);

    let rows: [(&str, &[Role], u16, u16); 5] = [
        ("learner", &[Role::Learner], 403, 403),
        ("admin", &[Role::Admin], 200, 403),
        ("both", &[Role::Admin, Role::Instructor], 200, 200),
        ("teacher", &[Role::Instructor], 200, 200),
        ("auditor", &[Role::Auditor], 200, 200),
    ];
    for (name, roles, figures, individuals) in rows {
        let asking = it.caller(name, roles);
        for (what, status) in [
            ("retention", figures),
            ("summary", figures),
            ("viewers", individuals),
            ("viewers.csv", individuals),
        ] {
            let found = get(&asking, id, what).await.status.as_u16();
            assert_eq!(found, status, "{name} {what}");
        }
    }
    get(&it.nobody(), id, "viewers").await.expect(401);

    let ada = it.app.lms.person_by_name("ada").unwrap().unwrap();
    let log = it.app.lms.audit_list(None, 100).unwrap().items;
    let read: Vec<_> = log
        .iter()
        .filter(|entry| entry.what == "record.read")
        .collect();
    assert_eq!(read.len(), 3, "{log:?}");
    assert!(
        read.iter()
            .all(|entry| entry.on == Some(ada.id.to_string()))
    );

    let csv = get(&it.signed_in("ines").await, id, "viewers.csv")
        .await
        .expect(200);
    assert!(csv.header("content-type").starts_with("text/csv"));
    let text = csv.text();
    let line = text.lines().nth(1).unwrap();
    assert!(
        line.starts_with(&format!("{},ada,10.0,no,3,", ada.id)),
        "{line}"
    );

    it.app.lms.remove_person(ada.id).unwrap();
    let row = &get(&it.signed_in("ines").await, id, "viewers")
        .await
        .expect(200)
        .json()["items"][0];
    assert_eq!(row["name"], Value::Null);
    assert_eq!(
        post(&it, &viewing, &paused(&viewing, "0[.]4"))
            .await
            .status
            .as_u16(),
        401
    );
}
