//! What is counted while the server runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use lectern_library::{NewUpload, NewVideo, Visibility};
use lectern_lms::Role;
use serde_json::json;
use support::TestBox;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_job_that_ends_is_counted_by_how_it_ended() {
    let it = TestBox::new();
    let http = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listeners = lectern_web::Listeners { http, https: None };
    let server = tokio::spawn(lectern_web::serve(it.app.clone(), listeners));
    let (library, now) = (&it.app.library, it.app.now());
    let upload = NewUpload {
        length: 4,
        name: "film.mp4".into(),
        owner: "somebody".into(),
        metadata: String::new(),
    };
    let video = NewVideo {
        title: "A film".into(),
        language: String::new(),
        visibility: Visibility::Members,
        owner: "somebody".into(),
        upload: library
            .import(upload, &mut b"film".as_slice(), now)
            .unwrap()
            .id,
    };
    let video = library.create_video(video, now).unwrap();
    let ended = async || {
        let text = it.nobody().get("/metrics").await.expect(200).text();
        let counts = ["ready", "failed", "removed"].map(|result| {
            let name = format!("lectern_jobs_ended_total{{result=\"{result}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&*name));
            line.unwrap().parse::<u64>().unwrap()
        });
        (counts, text.contains("lectern_jobs{state=\"queued\"} 1"))
    };
    assert_eq!(ended().await, ([0, 0, 0], true));
    // A job that went before the counting first looked is not counted: then it is queued and cancelled again.
    let counts = tokio::time::timeout(PATIENCE, async {
        loop {
            library.cancel(video, 1).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            let (counts, _) = ended().await;
            if counts[1] > 0 {
                return counts;
            }
            library.retry(video, 1, now).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let [ready, _, removed] = counts.await.unwrap();
    assert_eq!((ready, removed), (0, 0));
    it.app.shutdown.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn every_upstream_has_its_figures() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    for name in ["north", "south"] {
        let new =
            json!({"name": name, "url": "https://lrs.example/xapi", "key": "k", "secret": "s"});
        root.json("POST", "/api/v1/upstreams", &new)
            .await
            .expect(201);
    }
    let text = it.nobody().get("/metrics").await.expect(200).text();
    for name in ["north", "south"] {
        for figure in [
            "lag_statements",
            "lag_seconds",
            "dead_statements",
            "delivered_statements_total",
        ] {
            let line = format!("lectern_upstream_{figure}{{upstream=\"{name}\"}} 0");
            assert!(text.contains(&line), "{line}: {text}");
        }
    }
    // It has not taken anything yet.
    assert!(!text.contains("lectern_upstream_last_success"), "{text}");
}

#[tokio::test]
async fn every_source_has_its_figures() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let new = json!({"name": "old", "url": "https://lrs.example/xapi", "key": "k", "secret": "s"});
    root.json("POST", "/api/v1/sources", &new).await.expect(201);
    let text = it.nobody().get("/metrics").await.expect(200).text();
    for figure in [
        "stored_statements_total",
        "known_statements_total",
        "refused_statements_total",
        "failing",
    ] {
        let line = format!("lectern_source_{figure}{{source=\"old\"}} 0");
        assert!(text.contains(&line), "{line}: {text}");
    }
}
