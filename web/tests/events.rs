//! The event stream: who hears what, how many, and when it ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use lectern_library::{NewUpload, NewVideo, VideoId, Visibility};
use lectern_lms::Role;
use lectern_web::events::Audience;
use serde_json::json;
use support::TestBox;
use tower::ServiceExt;

const PATIENCE: Duration = Duration::from_secs(60);

fn video(it: &TestBox, title: &str, visibility: Visibility) -> VideoId {
    let (now, owner) = (it.app.now(), "somebody".to_owned());
    let new = NewUpload {
        length: 4,
        name: "film.mp4".into(),
        owner: owner.clone(),
        metadata: String::new(),
    };
    let upload = it
        .app
        .library
        .import(new, &mut title.as_bytes(), now)
        .unwrap()
        .id;
    let new = NewVideo {
        title: title.into(),
        language: String::new(),
        visibility,
        owner,
        upload,
    };
    it.app.library.create_video(new, now).unwrap()
}

/// Opens the stream of a token's person.
async fn open(it: &TestBox, token: &str) -> axum::response::Response {
    let request = Request::get("/api/v1/events").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    it.router.clone().oneshot(request).await.unwrap()
}

/// The next event as it travels; `None` at the end.
async fn next(body: &mut Body) -> Option<String> {
    let frame = tokio::time::timeout(PATIENCE, body.frame())
        .await
        .unwrap()?;
    let bytes = frame.unwrap().into_data().unwrap();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn each_hears_only_of_what_they_may_see() {
    let it = TestBox::new();
    let (hidden, shown) = (
        video(&it, "mine", Visibility::Private),
        video(&it, "ours", Visibility::Members),
    );
    let token = it.token("ada", &[Role::Learner]);
    let mut body = open(&it, &token).await.into_body();
    let tell = |id: VideoId| {
        it.app
            .events
            .tell("video", json!({"id": id}), Audience::Video(id));
    };
    it.app.events.tell("system", json!({}), Audience::Box);
    it.app
        .events
        .tell("statements", json!({"activity": "a"}), Audience::Figures);
    tell(hidden);
    tell(shown);
    let heard = next(&mut body).await.unwrap();
    assert_eq!(
        heard,
        format!("event: video\ndata: {{\"id\":\"{shown}\"}}\n\n")
    );
    it.app.shutdown.cancel();
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test]
async fn whoever_fell_behind_is_told_to_look_at_everything_again() {
    let it = TestBox::new();
    let token = it.token("root", &[Role::Admin]);
    let mut body = open(&it, &token).await.into_body();
    for _ in 0..1000 {
        it.app.events.tell("system", json!({}), Audience::Box);
    }
    assert!(next(&mut body).await.unwrap().starts_with("event: resync"));
    assert!(next(&mut body).await.unwrap().starts_with("event: system"));
}

#[tokio::test]
async fn when_the_box_itself_missed_changes_everybody_looks_again() {
    let it = TestBox::new();
    let shown = video(&it, "ours", Visibility::Members);
    let job = it.app.library.next_job(it.app.now()).unwrap().unwrap();
    let http = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listeners = lectern_web::Listeners { http, https: None };
    let server = tokio::spawn(lectern_web::serve(it.app.clone(), listeners));
    let token = it.token("ada", &[Role::Learner]);
    let mut body = open(&it, &token).await.into_body();
    let progress = || {
        let now = it.app.now();
        it.app.library.job_progress(&job, 0.5, None, now).unwrap();
    };
    // Only from then on the pump listens.
    let mut heard = String::new();
    while !heard.contains("event: video") {
        progress();
        heard = tokio::time::timeout(Duration::from_millis(100), next(&mut body))
            .await
            .unwrap_or_default()
            .unwrap_or_default();
    }
    assert!(heard.contains(&shown.to_string()), "{heard}");
    // One thread runs this test and the pump: it cannot keep up.
    for _ in 0..5000 {
        progress();
    }
    while !heard.contains("event: resync") {
        heard = next(&mut body).await.unwrap();
    }
    it.app.shutdown.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_person_cannot_open_streams_without_end() {
    let it = TestBox::new();
    let token = it.token("ada", &[Role::Learner]);
    let mut held = Vec::new();
    let refused = loop {
        let response = open(&it, &token).await;
        if response.status() != 200 {
            break response.status();
        }
        held.push(response);
        assert!(held.len() < 100);
    };
    assert_eq!(refused, 429);
    held.pop();
    assert_eq!(open(&it, &token).await.status(), 200);
}
