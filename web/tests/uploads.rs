//! tus 1.0.0 as its text asks, header by header, through the router.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use lectern_lms::Role;
use lectern_web::roles::TABLE;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use support::{Answer, Asking, TestBox};

const BYTES: Option<&str> = Some("application/offset+octet-stream");

fn tus(asking: Asking<'_>) -> Asking<'_> {
    asking.header("tus-resumable", "1.0.0")
}

async fn announce(caller: &Asking<'_>, length: usize) -> String {
    let asking = tus(caller.clone())
        .header("upload-length", &length.to_string())
        .header(
            "upload-metadata",
            "filename bGVjdHVyZS5tcDQ=,filetype dmlkZW8vbXA0",
        );
    let answer = asking
        .send("POST", "/api/v1/uploads", None, Body::empty())
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert!(!answer.header("upload-expires").is_empty());
    answer.header("location").to_owned()
}

async fn patch(caller: &Asking<'_>, location: &str, offset: usize, bytes: &[u8]) -> Answer {
    let asking = tus(caller.clone()).header("upload-offset", &offset.to_string());
    asking
        .send("PATCH", location, BYTES, Body::from(bytes.to_vec()))
        .await
}

async fn head(caller: &Asking<'_>, location: &str) -> Answer {
    tus(caller.clone())
        .send("HEAD", location, None, Body::empty())
        .await
}

#[tokio::test]
async fn the_box_says_what_it_can_without_being_asked_for_a_version() {
    let it = TestBox::new();
    let answer = it
        .nobody()
        .send("OPTIONS", "/api/v1/uploads", None, Body::empty())
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("tus-version"), "1.0.0");
    assert_eq!(answer.header("tus-resumable"), "1.0.0");
    for extension in ["creation", "expiration", "checksum", "termination"] {
        let extensions: Vec<_> = answer.header("tus-extension").split(',').collect();
        assert!(extensions.contains(&extension));
    }
    assert!(
        answer
            .header("tus-checksum-algorithm")
            .split(',')
            .any(|name| name == "sha1")
    );
    assert!(answer.header("tus-max-size").parse::<u64>().unwrap() > 1 << 30);
}

#[tokio::test]
async fn an_upload_in_two_pieces_becomes_a_video() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 11).await;

    let status = head(&caller, &location).await;
    assert_eq!(status.status, StatusCode::OK);
    assert_eq!(
        (
            status.header("upload-offset"),
            status.header("upload-length")
        ),
        ("0", "11")
    );
    assert_eq!(
        status.header("upload-metadata"),
        "filename bGVjdHVyZS5tcDQ=,filetype dmlkZW8vbXA0"
    );
    assert_eq!(
        (
            status.header("cache-control"),
            status.header("tus-resumable")
        ),
        ("no-store", "1.0.0")
    );

    let first = patch(&caller, &location, 0, b"hello ").await;
    assert_eq!(
        (first.status, first.header("upload-offset")),
        (StatusCode::NO_CONTENT, "6")
    );
    let id = location.rsplit('/').next().unwrap();
    let video = serde_json::json!({ "title": "A lecture", "upload": id });
    let early = caller.json("POST", "/api/v1/videos", &video).await;
    assert_eq!(early.status, StatusCode::CONFLICT);

    let last = patch(&caller, &location, 6, b"world").await;
    assert_eq!(
        (last.status, last.header("upload-offset")),
        (StatusCode::NO_CONTENT, "11")
    );
    let made = caller.json("POST", "/api/v1/videos", &video).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/v1/videos/{id}"));
    let video = it.app.library.video(id.parse().unwrap()).unwrap();
    let expected = hex::encode(Sha256::digest(b"hello world"));
    assert_eq!(video.versions[0].source.blob.to_string(), expected);
    assert_eq!(video.versions[0].source.original_name, "lecture.mp4");
}

#[tokio::test]
async fn each_mistake_has_its_status_and_changes_nothing() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 10).await;
    let wrong_place = patch(&caller, &location, 3, b"abc").await;
    assert_eq!(wrong_place.status, StatusCode::CONFLICT);
    assert_eq!(wrong_place.header("tus-resumable"), "1.0.0");
    let too_many = patch(&caller, &location, 0, b"0123456789A").await;
    assert_eq!(too_many.status, StatusCode::PAYLOAD_TOO_LARGE);
    let other_kind = tus(caller.clone()).header("upload-offset", "0");
    let other_kind = other_kind
        .send("PATCH", &location, Some("text/plain"), Body::from("x"))
        .await;
    assert_eq!(other_kind.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let no_version = caller
        .send("PATCH", &location, BYTES, Body::from("x"))
        .await;
    assert_eq!(no_version.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(no_version.header("tus-version"), "1.0.0");
    let no_length = tus(caller.clone())
        .send("POST", "/api/v1/uploads", None, Body::empty())
        .await;
    assert_eq!(no_length.status, StatusCode::BAD_REQUEST);
    let endless = tus(caller.clone()).header("upload-length", "18446744073709551615");
    let endless = endless
        .send("POST", "/api/v1/uploads", None, Body::empty())
        .await;
    assert_eq!(endless.status, StatusCode::PAYLOAD_TOO_LARGE);
    let full = tus(caller.clone()).header("upload-length", &(200_u64 << 30).to_string());
    let full = full
        .send("POST", "/api/v1/uploads", None, Body::empty())
        .await;
    assert_eq!(full.status, StatusCode::INSUFFICIENT_STORAGE);
    let full = full.json();
    let sentence = full["detail"].as_str().unwrap();
    assert!(sentence.contains("takes about 429.4 GB"), "{sentence}");
    assert_eq!(full["needed_bytes"], lectern_library::room_for(200 << 30));
    let nothing = head(
        &caller,
        "/api/v1/uploads/00000000-0000-4000-8000-000000000000",
    )
    .await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert_eq!(head(&caller, &location).await.header("upload-offset"), "0");
}

#[tokio::test]
async fn every_answer_names_the_version_of_tus_whoever_gave_it() {
    let it = TestBox::new();
    let instructor = it.caller("ada", &[Role::Instructor]);
    let learner = it.caller("lin", &[Role::Learner]);
    let nobody = it.nobody();
    let one = "/api/v1/uploads/00000000-0000-4000-8000-000000000000";
    let too_long = (lectern_library::MAX_UPLOAD_BYTES + 1).to_string();
    let too_long = instructor.clone().header("content-length", &too_long);
    for (asking, method, path, status) in [
        (&nobody, "POST", "/api/v1/uploads", 401),
        (&learner, "POST", "/api/v1/uploads", 403),
        (&nobody, "PATCH", one, 401),
        (&learner, "HEAD", one, 403),
        (&instructor, "PUT", one, 405),
        (&too_long, "PATCH", one, 413),
        (&instructor, "PATCH", one, 412),
    ] {
        let answer = asking.send(method, path, None, Body::empty()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{method} {path}");
    }
    let elsewhere = nobody.get("/api/v1/uploadsandmore").await;
    assert_eq!(elsewhere.header("tus-resumable"), "");
}

#[tokio::test]
async fn a_whole_upload_may_come_in_one_request() {
    let it = TestBox::new();
    let most = it.app.library.max_upload_bytes();
    for rule in TABLE.iter().filter(|rule| rule.path.contains("/uploads")) {
        if rule.method == Method::PATCH || rule.method == Method::POST {
            assert_eq!(rule.body_bytes, most, "{} {}", rule.method, rule.path);
        }
    }
}

#[tokio::test]
async fn another_persons_upload_is_not_there() {
    let it = TestBox::new();
    let ada = it.caller("ada", &[Role::Instructor]);
    let eve = it.caller("eve", &[Role::Instructor, Role::Admin]);
    let location = announce(&ada, 3).await;
    assert_eq!(head(&eve, &location).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        patch(&eve, &location, 0, b"abc").await.status,
        StatusCode::NOT_FOUND
    );
    let gone = tus(eve.clone())
        .send("DELETE", &location, None, Body::empty())
        .await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!(
        patch(&ada, &location, 0, b"abc").await.status,
        StatusCode::NO_CONTENT
    );
    let id = location.rsplit('/').next().unwrap();
    let video = serde_json::json!({ "title": "Mine now", "upload": id });
    assert_eq!(
        eve.json("POST", "/api/v1/videos", &video).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn bytes_with_a_wrong_checksum_are_thrown_away() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 11).await;
    let right = [
        format!("sha1 {}", STANDARD.encode(Sha1::digest(b"hello world"))),
        format!("sha256 {}", STANDARD.encode(Sha256::digest(b"hello world"))),
    ];
    let send = async |checksum: &str, bytes: &'static str| {
        let asking = tus(caller.clone())
            .header("upload-offset", "0")
            .header("upload-checksum", checksum);
        asking
            .send("PATCH", &location, BYTES, Body::from(bytes))
            .await
            .status
            .as_u16()
    };
    assert_eq!(
        send("md5 XrY7u+Ae7tCTyyK7j1rNww==", "hello world").await,
        400
    );
    assert_eq!(send("sha1 nonsense", "hello world").await, 400);
    for checksum in &right {
        assert_eq!(send(checksum, "hello w0rld").await, 460);
        assert_eq!(send(checksum, "hello").await, 460);
        assert_eq!(head(&caller, &location).await.header("upload-offset"), "0");
    }
    assert_eq!(send(&right[0], "hello world").await, 204);
    let upload = location.rsplit('/').next().unwrap().parse().unwrap();
    let blob = it
        .app
        .library
        .upload(upload, it.app.now())
        .unwrap()
        .blob
        .unwrap();
    assert_eq!(
        blob.to_string(),
        hex::encode(Sha256::digest(b"hello world"))
    );
}

#[tokio::test]
async fn a_terminated_upload_is_gone_with_its_bytes() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 11).await;
    patch(&caller, &location, 0, b"hello").await;
    let gone = tus(caller.clone())
        .send("DELETE", &location, None, Body::empty())
        .await;
    assert_eq!(
        (gone.status, gone.header("tus-resumable")),
        (StatusCode::NO_CONTENT, "1.0.0")
    );
    assert_eq!(head(&caller, &location).await.status, StatusCode::NOT_FOUND);
    let left = std::fs::read_dir(it.folder.path().join("uploads"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_client_that_can_only_post_names_the_method() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 5).await;
    let asking = tus(caller.clone())
        .header("upload-offset", "0")
        .header("x-http-method-override", "PATCH");
    let sent = asking
        .send("POST", &location, BYTES, Body::from("hello"))
        .await;
    assert_eq!(
        (sent.status, sent.header("upload-offset")),
        (StatusCode::NO_CONTENT, "5")
    );
}

#[tokio::test]
async fn first_bytes_may_come_with_the_announcement() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let asking = tus(caller.clone()).header("upload-length", "11");
    let answer = asking
        .send("POST", "/api/v1/uploads", BYTES, Body::from("hello"))
        .await;
    assert_eq!(
        (answer.status, answer.header("upload-offset")),
        (StatusCode::CREATED, "5")
    );
}

#[tokio::test]
async fn what_came_before_the_connection_broke_is_kept() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 11).await;
    let pieces = [
        Ok(bytes::Bytes::from_static(b"hello ")),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let asking = tus(caller.clone()).header("upload-offset", "0");
    let broken = asking.send("PATCH", &location, BYTES, body).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert_eq!(head(&caller, &location).await.header("upload-offset"), "6");
    assert_eq!(
        patch(&caller, &location, 6, b"world").await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn a_client_that_comes_back_takes_over_from_its_dead_connection() {
    let it = TestBox::new();
    let caller = it.caller("ada", &[Role::Instructor]);
    let location = announce(&caller, 11).await;
    // The first connection sends a little and then nothing, for ever.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    sender
        .send(Ok(bytes::Bytes::from_static(b"hello ")))
        .await
        .unwrap();
    let silent = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let asking = tus(caller.clone()).header("upload-offset", "0");
    let first = asking.send("PATCH", &location, BYTES, silent);
    let second = async {
        // Until the first has taken the upload and its bytes are there.
        sender.reserve().await.unwrap();
        let mut offset = 0;
        let mut answer = patch(&caller, &location, offset, b"hello ").await;
        while answer.status == StatusCode::CONFLICT {
            offset = head(&caller, &location)
                .await
                .header("upload-offset")
                .parse()
                .unwrap();
            answer = patch(&caller, &location, offset, &b"hello world"[offset..]).await;
        }
        answer
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, StatusCode::CONFLICT);
    assert_eq!(second.status, StatusCode::NO_CONTENT);
    let offset: usize = second.header("upload-offset").parse().unwrap();
    if offset < 11 {
        assert_eq!(
            patch(&caller, &location, offset, b"world").await.status,
            StatusCode::NO_CONTENT
        );
    }
    let upload = location.rsplit('/').next().unwrap().parse().unwrap();
    let blob = it
        .app
        .library
        .upload(upload, it.app.now())
        .unwrap()
        .blob
        .unwrap();
    assert_eq!(
        blob.to_string(),
        hex::encode(Sha256::digest(b"hello world"))
    );
}
