//! The main job, driven by commands and API alone: set up, upload, transcode, watch, record, chart, back up.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use serde_json::{Value, json};
use support::{Client, Daemon, FILM, lecternd};

fn new_state() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    (folder, state)
}

async fn play(client: &Client, video: &str) -> Value {
    client
        .json("POST", &format!("/api/v1/videos/{video}/play"), &json!({}))
        .await
        .expect(200)
        .json()
}

/// A statement of the Video Profile, as the player of this viewing would send it.
fn statement(viewing: &Value, verb: &str, at_s: f64, result: Value) -> Value {
    let now: jiff::Timestamp = viewing["now"].as_str().unwrap().parse().unwrap();
    let at = now + jiff::SignedDuration::from_millis((at_s * 1000.0) as i64);
    json!({
        "id": uuid::Uuid::new_v4().to_string(),
        "actor": viewing["actor"],
        "verb": { "id": verb },
        "object": {
            "id": viewing["activity_id"],
            "definition": { "type": "https://w3id.org/xapi/video/activity-type/video" },
        },
        "result": { "extensions": result },
        "context": {
            "registration": viewing["registration"],
            "revision": viewing["version"].to_string(),
            "contextActivities": { "category": [{ "id": "https://w3id.org/xapi/video" }] },
            "extensions": { "https://w3id.org/xapi/video/extensions/length": 30.0 },
        },
        "timestamp": at.to_string(),
    })
}

fn played(segments: &str) -> Value {
    let time: f64 = segments.rsplit("[.]").next().unwrap().parse().unwrap();
    json!({
        "https://w3id.org/xapi/video/extensions/time": time,
        "https://w3id.org/xapi/video/extensions/played-segments": segments,
    })
}

fn viewer(viewing: &Value, base: &Client) -> (Client, String) {
    let token = viewing["xapi"]["token"].as_str().unwrap();
    let client = Client {
        auth: Some(format!("Bearer {token}")),
        ..base.clone()
    };
    let endpoint = viewing["xapi"]["endpoint"]
        .as_str()
        .unwrap()
        .trim_end_matches('/');
    (client, format!("{endpoint}/statements"))
}

const PAUSED: &str = "https://w3id.org/xapi/video/verbs/paused";
const PLAYED: &str = "https://w3id.org/xapi/video/verbs/played";
const TERMINATED: &str = "http://adlnet.gov/expapi/verbs/terminated";

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_link_makes_the_first_admin_and_is_gone_afterwards() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let link = daemon
        .setup
        .clone()
        .expect("a new box prints its set-up link");
    let token = link.split_once('#').unwrap().1;
    let nobody = daemon.client(None);
    assert_eq!(
        nobody.get("/api/v1/setup").await.expect(200).json()["needed"],
        true
    );
    let wrong =
        json!({ "token": "wrong", "name": "it", "password": "correct horse battery staple" });
    assert!((400..=403).contains(&nobody.json("POST", "/api/v1/setup", &wrong).await.status));
    let right = json!({ "token": token, "name": "it", "password": "correct horse battery staple" });
    let answer = nobody.json("POST", "/api/v1/setup", &right).await;
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
    assert_eq!(
        nobody.get("/api/v1/setup").await.expect(200).json()["needed"],
        false
    );
    assert!(daemon.stop());
    let daemon = Daemon::start(&state);
    assert!(daemon.setup.is_none());
    let signed_in = daemon
        .client(None)
        .json(
            "POST",
            "/api/v1/session",
            &json!({ "name": "it", "password": "correct horse battery staple" }),
        )
        .await
        .expect(200);
    assert!(signed_in.json()["csrf"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_playable_soon_and_its_report_says_why_the_top_rung_was_encoded() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let instructor = daemon.person("ines", &["instructor"]);
    let video = instructor
        .create_video(&std::fs::read(FILM).unwrap(), "Big Buck Bunny")
        .await;
    instructor.wait_for(&video, &["playable", "ready"]).await;
    let viewing = play(&instructor, &video).await;
    let master = instructor
        .get(viewing["hls"].as_str().unwrap())
        .await
        .expect(200);
    assert_eq!(master.header("cache-control"), "private, no-cache");
    let answer = instructor.wait_for(&video, &["ready", "failed"]).await;
    let version = &answer["versions"][0];
    assert_eq!(version["state"], "ready", "{answer}");
    assert!(
        (version["duration_ms"].as_i64().unwrap() - 30_000).abs() < 100,
        "{version}"
    );
    let videos: Vec<_> = version["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["height"].as_u64() > Some(0))
        .collect();
    let heights: Vec<_> = videos
        .iter()
        .map(|rendition| rendition["height"].as_u64().unwrap())
        .collect();
    assert_eq!(heights, [480, 360, 240]);
    assert!(
        videos
            .iter()
            .all(|rendition| rendition["made"] == "encoded")
    );
    let reason = videos[0]["reason"].as_str().unwrap();
    assert!(reason.contains("10.4"), "{reason}");

    let nobody = daemon.client(None);
    let refused = nobody.get(&format!("/media/{video}/1/master.m3u8")).await;
    assert!([401, 403].contains(&refused.status));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_film_fails_with_a_sentence_and_the_daemon_stays_up() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let instructor = daemon.person("ines", &["instructor"]);
    let film = std::fs::read(FILM).unwrap();
    let png = include_bytes!("support/pixel.png").to_vec();
    let random: Vec<u8> = (0..200_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (name, bytes) in [
        ("cut off", film[..film.len() / 2].to_vec()),
        ("random", random),
        ("a picture", png),
    ] {
        let video = instructor.create_video(&bytes, name).await;
        let answer = instructor.wait_for(&video, &["failed", "ready"]).await;
        let version = &answer["versions"][0];
        // A film that is cut off at its end may still play up to there; it must say so then.
        if name == "cut off" && version["state"] == "ready" {
            assert!(version["report"].to_string().contains("notes"), "{version}");
            continue;
        }
        assert_eq!(version["state"], "failed", "{name}: {answer}");
        let sentence = version["error"].as_str().unwrap();
        assert!(
            sentence.len() > 20 && sentence.ends_with('.'),
            "{name}: {sentence}"
        );
    }
    let video = daemon.import(FILM, "After all that");
    instructor.wait_for(&video, &["ready"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_shows_what_the_statements_say() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let video = daemon.import(FILM, "Big Buck Bunny");
    let instructor = daemon.person("ines", &["instructor"]);
    let learner = daemon.person("lea", &["learner"]);
    let viewing = play(&learner, &video).await;
    let (device, statements) = viewer(&viewing, &learner);
    let batch = json!([
        statement(
            &viewing,
            PLAYED,
            0.0,
            json!({ "https://w3id.org/xapi/video/extensions/time": 0 })
        ),
        statement(&viewing, PAUSED, 18.0, played("0[.]10[,]20[.]25[,]5[.]8")),
        statement(
            &viewing,
            TERMINATED,
            18.5,
            played("0[.]10[,]20[.]25[,]5[.]8")
        ),
    ]);
    device
        .xapi("POST", &statements, Some(&batch))
        .await
        .unwrap()
        .expect(200);

    let retention = instructor
        .get(&format!("/api/v1/videos/{video}/retention"))
        .await
        .expect(200)
        .json();
    let expected: Vec<u64> = (0..retention["views"].as_array().unwrap().len() as u64)
        .map(|second| match second {
            5..=7 => 2,
            0..=9 | 20..=24 => 1,
            _ => 0,
        })
        .collect();
    assert_eq!(retention["views"], json!(expected));
    assert_eq!(
        retention["viewers"],
        json!(
            expected
                .iter()
                .map(|views| (*views).min(1))
                .collect::<Vec<_>>()
        )
    );
    assert_eq!(retention["bucket_ms"], 1000);

    let again = play(&learner, &video).await;
    assert_eq!(again["registration"], viewing["registration"]);
    assert_eq!(again["resume_ms"], 8000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewing_token_writes_for_its_own_learner_alone() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let video = daemon.import(FILM, "Big Buck Bunny");
    let (lea, leo) = (
        daemon.person("lea", &["learner"]),
        daemon.person("leo", &["learner"]),
    );
    let (of_lea, of_leo) = (play(&lea, &video).await, play(&leo, &video).await);
    let (device, statements) = viewer(&of_lea, &lea);
    let foreign = statement(&of_leo, PAUSED, 1.0, played("0[.]1"));
    device
        .xapi("POST", &statements, Some(&foreign))
        .await
        .unwrap()
        .expect(403);
    let voiding = json!({
        "actor": of_lea["actor"],
        "verb": { "id": "http://adlnet.gov/expapi/verbs/voided" },
        "object": { "objectType": "StatementRef", "id": uuid::Uuid::new_v4().to_string() },
    });
    device
        .xapi("POST", &statements, Some(&voiding))
        .await
        .unwrap()
        .expect(403);
    let own = statement(&of_lea, PAUSED, 1.0, played("0[.]1"));
    device
        .xapi("POST", &statements, Some(&own))
        .await
        .unwrap()
        .expect(200);
    device
        .xapi("POST", &statements, Some(&own))
        .await
        .unwrap()
        .expect(200);
    let stored = daemon
        .lrs()
        .xapi("GET", "/xapi/statements", None)
        .await
        .unwrap()
        .expect(200)
        .json();
    assert_eq!(stored["statements"].as_array().unwrap().len(), 1);
    let authority = stored["statements"][0]["authority"].to_string();
    assert!(authority.contains("device"), "{authority}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_it_runs_comes_back_whole() {
    let (folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let video = daemon.import(FILM, "Big Buck Bunny");
    let lrs = daemon.lrs();
    let one = json!({
        "actor": { "mbox": "mailto:one@backup.example" },
        "verb": { "id": "http://adlnet.gov/expapi/verbs/experienced" },
        "object": { "id": "https://backup.example/1" },
    });
    lrs.xapi("POST", "/xapi/statements", Some(&one))
        .await
        .unwrap()
        .expect(200);
    let archive = folder.path().join("backup.tar");
    daemon.run(&["backup", archive.to_str().unwrap()], "");
    assert!(daemon.stop());

    let restored = folder.path().join("restored");
    let (ok, answer) = lecternd(&restored, &["restore", archive.to_str().unwrap()], "");
    assert!(ok, "{answer}");
    let (ok, answer) = lecternd(&restored, &["verify", archive.to_str().unwrap()], "");
    assert!(ok && answer["entries"] == 1, "{answer}");
    let daemon = Daemon::start(&restored);
    let learner = daemon.person("lea", &["learner"]);
    let viewing = play(&learner, &video).await;
    learner
        .get(viewing["hls"].as_str().unwrap())
        .await
        .expect(200);
    let (ok, answer) = lecternd(&restored, &["restore", archive.to_str().unwrap()], "");
    assert!(
        !ok && answer["error"].is_string(),
        "a restore over a running box is refused: {answer}"
    );

    let cut = folder.path().join("cut.tar");
    let bytes = std::fs::read(&archive).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let nowhere = folder.path().join("nowhere");
    let (ok, answer) = lecternd(&nowhere, &["restore", cut.to_str().unwrap()], "");
    assert!(!ok && answer["error"].is_string(), "{answer}");
    assert!(
        std::fs::read_dir(&nowhere).unwrap().next().is_none(),
        "a failed restore leaves the folder empty"
    );
}

#[test]
fn every_command_works_without_a_daemon() {
    let (_folder, state) = new_state();
    let (ok, answer) = lecternd(
        &state,
        &[
            "user",
            "add",
            "lea",
            "--role",
            "learner",
            "--password-stdin",
        ],
        "correct horse battery staple\n",
    );
    assert!(ok && answer["id"].is_string(), "{answer}");
    let (ok, answer) = lecternd(&state, &["token", "add", "--user", "lea"], "");
    assert!(ok && answer["token"].is_string(), "{answer}");
    let (ok, answer) = lecternd(&state, &["token", "add", "--user", "nobody"], "");
    assert!(!ok && answer["error"].is_string(), "{answer}");
    let (ok, answer) = lecternd(&state, &["credential", "add", "--name", "n"], "");
    assert!(
        ok && answer["key"].is_string() && answer["secret"].is_string(),
        "{answer}"
    );
    let (ok, answer) = lecternd(&state, &["import", FILM, "--title", "T", "--wait"], "");
    assert!(ok && answer["version"] == 1, "{answer}");
    let (ok, answer) = lecternd(
        &state,
        &["import", "/dev/null", "--title", "T", "--wait"],
        "",
    );
    assert!(!ok && answer["error"].is_string(), "{answer}");
    let (ok, answer) = lecternd(&state, &["upstream", "list"], "");
    assert!(ok && answer["items"] == json!([]), "{answer}");
    let (ok, answer) = lecternd(&state, &["doctor"], "");
    assert!(ok && answer["checks"].is_array(), "{answer}");
}

#[tokio::test]
async fn chips_are_tried_once_and_again_when_somebody_asks() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    let admin = daemon.person("it", &["admin"]);
    let first = tried(&admin).await;
    assert_eq!(first["families"].as_array().unwrap().len(), 4);
    for family in first["families"].as_array().unwrap() {
        let is_said = family["why"].is_string() || family["coders"][0]["codec"].is_string();
        assert!(is_said, "{family}");
    }
    assert!(daemon.stop());

    let daemon = Daemon::start(&state);
    let admin = daemon.person("it-again", &["admin"]);
    let second = tried(&admin).await;
    assert_eq!(second, first, "what is remembered is not tried again");
    let again = admin.json("POST", "/api/v1/system/chips", &json!({})).await;
    again.expect(202);
    let third = tried(&admin).await;
    assert_ne!(third["tried"], first["tried"]);
    let cut: Vec<u8> = std::fs::read(state.join("capabilities.json")).unwrap();
    assert!(daemon.stop());

    std::fs::write(state.join("capabilities.json"), &cut[..cut.len() / 2]).unwrap();
    let daemon = Daemon::start(&state);
    let admin = daemon.person("it-once-more", &["admin"]);
    assert_ne!(
        tried(&admin).await["tried"],
        third["tried"],
        "a file that is broken is made anew"
    );
}

/// What the chips can do, once that is known.
async fn tried(admin: &Client) -> Value {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let known = admin.get("/api/v1/system/chips").await.expect(200).json();
        if known["trying"] == false {
            return known;
        }
        assert!(std::time::Instant::now() < patience, "{known}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
