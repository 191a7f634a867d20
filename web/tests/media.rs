//! `/media`: who gets a manifest, and what lies below a version's key.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;

use axum::body::Body;
use http::StatusCode;
use lectern_library::{
    Job, NewUpload, NewVideo, PackageUpdate, TextKind, VideoId, VideoPatch, Visibility,
};
use lectern_lms::{MediaGrant, Person, Role};
use lectern_vod::names::{Codecs, Sentence, TrackId};
use lectern_vod::package::{Made, Package, Poster, Ratio, Segment, Storyboard, Track, TrackKind};
use serde_json::json;
use support::{Asking, TestBox};

const SEGMENT: &[u8] = b"0123456789";

struct Film {
    video: VideoId,
    key: String,
}

impl Film {
    fn at(&self, rest: &str) -> String {
        format!("/media/{}/1/{rest}", self.video)
    }

    fn below(&self, rest: &str) -> String {
        self.at(&format!("{}/{rest}", self.key))
    }
}

fn track(id: &str, kind: TrackKind, segments: u64) -> Track {
    let segment = |n| Segment {
        start: n * 4000,
        duration: 4000,
        bytes: SEGMENT.len() as u64,
    };
    Track {
        id: TrackId::new(id).unwrap(),
        kind,
        codecs: Codecs::new(if id.starts_with('v') {
            "avc1.64001f"
        } else {
            "mp4a.40.2"
        })
        .unwrap(),
        timescale: 1000,
        presentation_offset: 0,
        made: Made::Encoded,
        reason: Sentence::new("A test."),
        segments: (0..segments).map(segment).collect(),
        complete: segments == 2,
    }
}

/// A package of one rung and one sound, with so many segments of two.
fn package(segments: u64) -> Package {
    let ids = ["v480", "a1"].map(|id| TrackId::new(id).unwrap());
    let mut package = Package::planned(8000, 4, vec![0, 4_000_000_000], ids.to_vec()).unwrap();
    let frame_rate = Ratio::new(25, 1).unwrap();
    package
        .add_track(track(
            "v480",
            TrackKind::Video {
                width: 854,
                height: 480,
                frame_rate,
            },
            segments,
        ))
        .unwrap();
    let sound = TrackKind::Audio {
        channels: 2,
        sample_rate: 48_000,
        language: None,
        label: None,
    };
    package.add_track(track("a1", sound, segments)).unwrap();
    package.poster = Some(Poster {
        width: 854,
        height: 480,
    });
    let storyboard = Storyboard {
        interval_ms: 2000,
        width: 160,
        height: 90,
        columns: 2,
        rows: 2,
        sheets: 1,
    };
    package.set_storyboard(storyboard).unwrap();
    if segments == 2 {
        package.finish().unwrap();
    }
    package
}

fn write_files(job: &Job) {
    for track in ["v480", "a1"] {
        let folder = job.package_dir.join(track);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("init.mp4"), b"init").unwrap();
        // One more than is listed: a file that is there is not therefore served.
        for n in 1..=3 {
            fs::write(folder.join(format!("{n}.m4s")), SEGMENT).unwrap();
        }
    }
    fs::create_dir_all(job.package_dir.join("storyboard")).unwrap();
    fs::write(job.package_dir.join("storyboard/1.jpg"), b"sheet").unwrap();
    fs::write(job.package_dir.join("poster.jpg"), b"poster").unwrap();
    fs::write(job.package_dir.join("secret.txt"), b"secret").unwrap();
}

fn queued(it: &TestBox, owner: &Person, visibility: Visibility) -> (VideoId, Job) {
    let library = &it.app.library;
    let now = it.app.now();
    let owner = owner.id.to_string();
    let new = NewUpload {
        length: 3,
        name: "x.mp4".into(),
        owner: owner.clone(),
        metadata: String::new(),
    };
    let upload = library.import(new, &mut &b"abc"[..], now).unwrap();
    let new = NewVideo {
        title: "A film".into(),
        language: "en".into(),
        visibility,
        owner,
        upload: upload.id,
    };
    let video = library.create_video(new, now).unwrap();
    let job = library.next_job(now).unwrap().unwrap();
    write_files(&job);
    (video, job)
}

fn ready(it: &TestBox, owner: &Person, visibility: Visibility) -> Film {
    let (video, job) = queued(it, owner, visibility);
    let json = serde_json::to_string(&package(2)).unwrap();
    it.app
        .library
        .finish_job(&job, json, json!({}), 8000, it.app.now())
        .unwrap();
    let key = it.app.library.version(video, 1).unwrap().key.to_string();
    Film { video, key }
}

async fn status(asking: &Asking<'_>, path: &str) -> u16 {
    asking.get(path).await.status.as_u16()
}

#[tokio::test]
async fn a_manifest_is_for_those_who_may_watch_and_names_everything_below_the_key() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let film = ready(&it, &owner, Visibility::Members);
    let learner = it.caller("lin", &[Role::Learner]);
    let answer = learner.get(&film.at("master.m3u8")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.apple.mpegurl"
    );
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(
        answer
            .text()
            .contains(&format!("\n{}/v480/index.m3u8", film.key))
    );
    let same = learner
        .clone()
        .header("if-none-match", answer.header("etag"))
        .get(&film.at("master.m3u8"))
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    let dash = learner.get(&film.at("manifest.mpd")).await;
    assert_eq!(dash.header("content-type"), "application/dash+xml");
    assert!(dash.text().contains(&film.key) && dash.text().contains("type=\"static\""));

    it.person("mel", &[Role::Learner]);
    let by_cookie = it.signed_in("mel").await;
    assert_eq!(status(&by_cookie, &film.at("master.m3u8")).await, 200);
    assert_eq!(status(&it.nobody(), &film.at("master.m3u8")).await, 401);
    let wrong = it.nobody().header("authorization", "Bearer nonsense");
    assert_eq!(status(&wrong, &film.at("master.m3u8")).await, 401);
}

#[tokio::test]
async fn each_visibility_lets_in_those_it_names() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let named = it.person("nan", &[Role::Learner]);
    let callers = [
        it.signed_in("ada").await,
        it.signed_in("nan").await,
        it.caller("lin", &[Role::Learner]),
        it.nobody(),
    ];
    let rows = [
        (Visibility::Private, [200, 403, 403, 401]),
        (Visibility::Named, [200, 200, 403, 401]),
        (Visibility::Members, [200, 200, 200, 401]),
        (Visibility::Open, [200, 200, 200, 200]),
    ];
    for (visibility, expected) in rows {
        let film = ready(&it, &owner, visibility);
        let people = Some([named.id.to_string()].into());
        it.app
            .library
            .patch_video(
                film.video,
                VideoPatch {
                    people,
                    ..VideoPatch::default()
                },
            )
            .unwrap();
        for (caller, expected) in callers.iter().zip(expected) {
            assert_eq!(
                status(caller, &film.at("master.m3u8")).await,
                expected,
                "{visibility:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_of_play_opens_its_version_as_long_as_its_viewer_may_watch() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let learner = it.person("lin", &[Role::Learner]);
    let (film, other) = (
        ready(&it, &owner, Visibility::Members),
        ready(&it, &owner, Visibility::Members),
    );
    let grant = |person, expires| MediaGrant {
        person,
        video: film.video.to_string(),
        version: 1,
        expires,
    };
    let now = it.app.now();
    let later = now + jiff::SignedDuration::from_hours(1);
    let token = it
        .app
        .lms
        .mint_media(grant(Some(learner.id), later), now)
        .unwrap();
    let old = it
        .app
        .lms
        .mint_media(grant(Some(learner.id), now), now)
        .unwrap();
    let of_nobody = it.app.lms.mint_media(grant(None, later), now).unwrap();
    let nobody = it.nobody();
    let with = |film: &Film, token: &str| film.at(&format!("master.m3u8?token={token}"));
    assert_eq!(status(&nobody, &with(&film, &token)).await, 200);
    assert_eq!(status(&nobody, &with(&other, &token)).await, 403);
    assert_eq!(status(&nobody, &with(&film, &old)).await, 401);
    assert_eq!(status(&nobody, &with(&film, "x")).await, 401);
    assert_eq!(status(&nobody, &with(&film, &of_nobody)).await, 401);
    let private = VideoPatch {
        visibility: Some(Visibility::Private),
        ..VideoPatch::default()
    };
    it.app.library.patch_video(film.video, private).unwrap();
    assert_eq!(status(&nobody, &with(&film, &token)).await, 403);
}

#[tokio::test]
async fn below_the_key_nothing_is_asked_and_only_what_is_listed_is_there() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let film = ready(&it, &owner, Visibility::Private);
    // Not even a wrong token is looked at: no answer depends on who asks.
    let nobody = it
        .nobody()
        .header("authorization", "Bearer nonsense")
        .header("cookie", "lectern=nonsense");
    let rows = [
        ("v480/init.mp4", "video/mp4", &b"init"[..]),
        ("v480/1.m4s", "video/mp4", SEGMENT),
        ("a1/2.m4s", "audio/mp4", SEGMENT),
        ("poster.jpg", "image/jpeg", b"poster"),
        ("storyboard/1.jpg", "image/jpeg", b"sheet"),
    ];
    for (name, kind, bytes) in rows {
        let answer = nobody.get(&film.below(name)).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (StatusCode::OK, bytes),
            "{name}"
        );
        assert_eq!(answer.header("content-type"), kind);
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    let playlist = nobody.get(&film.below("v480/index.m3u8")).await;
    assert!(
        playlist.text().contains("#EXT-X-ENDLIST")
            && playlist.header("cache-control").contains("no-cache")
    );
    for name in [
        "v480/3.m4s",
        "v480/0.m4s",
        "v480/01.m4s",
        "v720/1.m4s",
        "secret.txt",
        "storyboard/2.jpg",
        "",
        "v480",
        "v480/",
        "../1-1/poster.jpg",
        "..%2f1-1%2fposter.jpg",
        "%2e%2e/1-1/poster.jpg",
        "v480/..%2f..%2f..%2flibrary.redb",
        "v480/%2e%2e/poster.jpg",
        "v480%2f1.m4s%00",
        "captions/en.1.vtt",
    ] {
        let answer = nobody.get(&film.below(name)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
    let other_key = film.at(&format!("{}/poster.jpg", "0".repeat(32)));
    assert_eq!(status(&nobody, &other_key).await, 404);
    it.app.library.withdraw(film.video).unwrap();
    assert_eq!(status(&nobody, &film.below("poster.jpg")).await, 404);
}

#[tokio::test]
async fn parts_tags_and_head_are_as_http_says() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let film = ready(&it, &owner, Visibility::Open);
    let path = film.below("v480/1.m4s");
    let asking = it.nobody();
    let part = asking.clone().header("range", "bytes=2-4").get(&path).await;
    assert_eq!(
        (part.status, part.body.as_slice()),
        (StatusCode::PARTIAL_CONTENT, &b"234"[..])
    );
    assert_eq!(
        (part.header("content-range"), part.header("content-length")),
        ("bytes 2-4/10", "3")
    );
    let outside = asking.clone().header("range", "bytes=10-").get(&path).await;
    assert_eq!(outside.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(outside.header("content-range"), "bytes */10");

    let head = asking.send("HEAD", &path, None, Body::empty()).await;
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (StatusCode::OK, "10", 0)
    );
    let etag = head.header("etag").to_owned();
    let known = asking
        .clone()
        .header("if-none-match", &etag)
        .get(&path)
        .await;
    assert_eq!(
        (known.status, known.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    let conditional = asking.clone().header("range", "bytes=0-0");
    let current = conditional
        .clone()
        .header("if-range", &etag)
        .get(&path)
        .await;
    assert_eq!(current.status, StatusCode::PARTIAL_CONTENT);
    let other = conditional
        .header("if-range", "\"another\"")
        .get(&path)
        .await;
    assert_eq!(
        (other.status, other.body.as_slice()),
        (StatusCode::OK, SEGMENT)
    );

    let preflight = asking.send("OPTIONS", &path, None, Body::empty()).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("Range")
    );
    assert!(
        preflight
            .headers
            .get("access-control-allow-credentials")
            .is_none()
    );
}

#[tokio::test]
async fn a_manifest_grows_until_the_version_is_ready() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let (video, job) = queued(&it, &owner, Visibility::Open);
    let film = Film {
        video,
        key: it.app.library.version(video, 1).unwrap().key.to_string(),
    };
    let asking = it.nobody();
    assert_eq!(status(&asking, &film.at("master.m3u8")).await, 404);
    let growing = serde_json::to_string(&package(1)).unwrap();
    let update = PackageUpdate {
        package: Some(growing),
        is_playable: true,
        ..PackageUpdate::default()
    };
    it.app
        .library
        .save_package(&job, update, it.app.now())
        .unwrap();
    let playlist = asking.get(&film.below("v480/index.m3u8")).await.text();
    assert!(
        playlist.contains("EVENT") && playlist.contains("1.m4s") && !playlist.contains("2.m4s")
    );
    assert!(
        asking
            .get(&film.at("manifest.mpd"))
            .await
            .text()
            .contains("type=\"dynamic\"")
    );
    assert_eq!(status(&asking, &film.below("v480/2.m4s")).await, 404);
    let json = serde_json::to_string(&package(2)).unwrap();
    it.app
        .library
        .finish_job(&job, json, json!({}), 8000, it.app.now())
        .unwrap();
    let playlist = asking.get(&film.below("v480/index.m3u8")).await.text();
    assert!(playlist.contains("VOD") && playlist.contains("2.m4s"));
}

#[tokio::test]
async fn what_failed_or_was_cancelled_has_no_list_that_a_player_would_wait_at() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let library = &it.app.library;
    for is_cancelled in [false, true] {
        let (video, job) = queued(&it, &owner, Visibility::Open);
        let film = Film {
            video,
            key: library.version(video, 1).unwrap().key.to_string(),
        };
        let update = PackageUpdate {
            package: Some(serde_json::to_string(&package(1)).unwrap()),
            is_playable: true,
            ..PackageUpdate::default()
        };
        library.save_package(&job, update, it.app.now()).unwrap();
        let lists = [
            film.at("master.m3u8"),
            film.at("manifest.mpd"),
            film.below("v480/index.m3u8"),
        ];
        for list in &lists {
            assert_eq!(status(&it.nobody(), list).await, 200, "{list}");
        }
        match is_cancelled {
            true => library.cancel(video, 1).unwrap(),
            false => library
                .fail_job(&job, "No.", false, None, it.app.now())
                .unwrap(),
        }
        for list in &lists {
            assert_eq!(status(&it.nobody(), list).await, 404, "{list}");
        }
        // What was listed once keeps its bytes under its key.
        assert_eq!(status(&it.nobody(), &film.below("v480/1.m4s")).await, 200);
    }
}

#[tokio::test]
async fn jobs_and_captions_come_in_pages() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let root = it.caller("root", &[Role::Admin]);
    let library = &it.app.library;
    let mut failed = Vec::new();
    for _ in 0..3 {
        let (video, job) = queued(&it, &owner, Visibility::Open);
        library
            .fail_job(&job, "No.", false, None, it.app.now())
            .unwrap();
        failed.insert(0, video.to_string());
    }
    let (waiting, job) = queued(&it, &owner, Visibility::Open);
    library.put_back(&job).unwrap();
    let (running, again) = (waiting, library.next_job(it.app.now()).unwrap().unwrap());
    library
        .fail_job(&again, "It died.", true, None, it.app.now())
        .unwrap();
    let (last, _held) = queued(&it, &owner, Visibility::Open);
    let expected = [vec![last.to_string(), running.to_string()], failed].concat();
    for limit in 1..=6 {
        let (mut found, mut path) = (Vec::new(), format!("/api/v1/jobs?limit={limit}"));
        loop {
            let page = root.get(&path).await.expect(200).json();
            let items = page["items"].as_array().unwrap();
            assert!((1..=limit).contains(&items.len()), "{page}");
            found.extend(
                items
                    .iter()
                    .map(|item| item["video"].as_str().unwrap().to_owned()),
            );
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/jobs?limit={limit}&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
    let all = root.get("/api/v1/jobs").await.expect(200).json();
    let waits = &all["items"][1];
    assert_eq!(
        waits["waiting_for"],
        "It died. It is tried again by itself."
    );
    assert!(waits["next_try"].is_string());
    let ada = it.signed_in("ada").await;
    let video = ada.get(&format!("/api/v1/videos/{running}")).await.json();
    assert_eq!(video["versions"][0]["waiting_for"], waits["waiting_for"]);

    for language in ["de", "en", "fr"] {
        library
            .texts(TextKind::Captions)
            .put(last, language, "WEBVTT\n".to_owned(), "ada", it.app.now())
            .unwrap();
    }
    let path = format!("/api/v1/videos/{last}/captions?limit=2");
    let first = ada.get(&path).await.expect(200).json();
    let next = first["next"].as_str().unwrap();
    let second = ada.get(&format!("{path}&cursor={next}")).await.json();
    let languages: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|item| item["language"].as_str().unwrap())
        .collect();
    assert_eq!(languages, ["de", "en", "fr"]);
    assert!(second["next"].is_null());
}

#[tokio::test]
async fn captions_are_named_by_revision_and_change_the_manifest() {
    let it = TestBox::new();
    let token = it.token("ada", &[Role::Instructor]);
    let owner = it.app.lms.person_by_name("ada").unwrap().unwrap();
    let film = ready(&it, &owner, Visibility::Open);
    let ada = it
        .nobody()
        .header("authorization", &format!("Bearer {token}"));
    let place = format!("/api/v1/videos/{}/captions/pt-br", film.video);
    let put = async |text: &'static str, kind| {
        ada.send("PUT", &place, Some(kind), Body::from(text)).await
    };
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nOlá\n";
    let added = put(srt, "application/x-subrip").await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert_eq!(
        (&added.json()["language"], &added.json()["revision"]),
        (&json!("pt-BR"), &json!(1))
    );
    let vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nOlá a todos\n";
    assert_eq!(put(vtt, "text/vtt").await.status, StatusCode::OK);
    assert_eq!(
        put(srt, "text/plain").await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let wrong = put("WEBVTT\n\nnonsense --> 1\nx\n", "text/vtt").await;
    assert_eq!(
        (wrong.status, wrong.problem()),
        (StatusCode::UNPROCESSABLE_ENTITY, "captions".into())
    );

    let nobody = it.nobody();
    let manifest = nobody.get(&film.at("master.m3u8")).await.text();
    assert!(
        manifest.contains(&format!("{}/captions/pt-BR.2.m3u8", film.key)),
        "{manifest}"
    );
    let playlist = nobody
        .get(&film.below("captions/pt-BR.2.m3u8"))
        .await
        .text();
    assert!(playlist.contains("pt-BR.2.vtt"));
    let text = nobody.get(&film.below("captions/pt-BR.2.vtt")).await;
    assert!(
        text.text().contains("Olá a todos") && text.header("cache-control").contains("immutable")
    );
    assert!(
        nobody
            .get(&film.below("captions/pt-BR.1.vtt"))
            .await
            .text()
            .contains("Olá")
    );
    assert_eq!(
        status(&nobody, &film.below("captions/pt-br.2.vtt")).await,
        404
    );
    let listed = ada
        .get(&format!("/api/v1/videos/{}", film.video))
        .await
        .json();
    assert_eq!(listed["captions"][0]["label"], "Português (BR)");
    assert_eq!(
        ada.send("DELETE", &place, None, Body::empty()).await.status,
        StatusCode::NO_CONTENT
    );
    assert!(
        !nobody
            .get(&film.at("master.m3u8"))
            .await
            .text()
            .contains("pt-BR")
    );
}

#[tokio::test]
async fn descriptions_are_beside_captions_and_have_their_role_in_dash() {
    let it = TestBox::new();
    let token = it.token("ada", &[Role::Instructor]);
    let owner = it.app.lms.person_by_name("ada").unwrap().unwrap();
    let film = ready(&it, &owner, Visibility::Open);
    let ada = it
        .nobody()
        .header("authorization", &format!("Bearer {token}"));
    let video = format!("/api/v1/videos/{}", film.video);
    let vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nA red door opens.\n";
    let put = async |kind: &str| {
        let place = format!("{video}/{kind}/en");
        ada.send("PUT", &place, Some("text/vtt"), Body::from(vtt))
            .await
    };
    assert_eq!(put("descriptions").await.status, StatusCode::CREATED);
    assert_eq!(put("subtitles").await.status, StatusCode::NOT_FOUND);

    let listed = ada.get(&video).await.json();
    assert_eq!(listed["captions"], json!([]));
    let track = &listed["descriptions"][0];
    assert_eq!(track["url"], format!("{video}/descriptions/en"));
    let text = ada.get(&format!("{video}/descriptions/en")).await.text();
    assert!(text.contains("A red door opens."), "{text}");
    assert_eq!(status(&ada, &format!("{video}/captions/en")).await, 404);
    let work = ada.get(&format!("{video}/descriptions/en/work")).await;
    assert_eq!(work.json()["published"]["revision"], 1);

    let nobody = it.nobody();
    let dash = nobody.get(&film.at("manifest.mpd")).await.text();
    let named = format!("{}/descriptions/en.1.vtt", film.key);
    assert!(dash.contains(&named) && dash.contains(r#"value="description""#));
    let hls = nobody.get(&film.at("master.m3u8")).await.text();
    assert!(!hls.contains("descriptions"), "{hls}");
    let text = nobody.get(&film.below("descriptions/en.1.vtt")).await;
    assert!(text.header("cache-control").contains("immutable"));
    assert!(text.text().contains("A red door opens."));
    let missing = film.below("descriptions/en.1.m3u8");
    assert_eq!(status(&nobody, &missing).await, 404);
    let played = ada
        .json("POST", &format!("{video}/play"), &json!({}))
        .await
        .expect(200)
        .json();
    let url = played["descriptions"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/descriptions/en.1.vtt"), "{url}");
}

#[tokio::test]
async fn a_video_is_described_as_the_contract_says() {
    let it = TestBox::new();
    let token = it.token("ada", &[Role::Instructor]);
    let owner = it.app.lms.person_by_name("ada").unwrap().unwrap();
    let film = ready(&it, &owner, Visibility::Members);
    let ada = it
        .nobody()
        .header("authorization", &format!("Bearer {token}"));
    let path = format!("/api/v1/videos/{}", film.video);
    let video = ada.get(&path).await.json();
    assert_eq!(
        video["activity_id"],
        format!("{}/videos/{}", it.app.lms.identity().unwrap(), film.video)
    );
    assert_eq!(video["versions"][0]["state"], "ready");
    assert_eq!(video["versions"][0]["duration_ms"], 8000);
    let rendition = &video["versions"][0]["renditions"][0];
    assert_eq!(
        (&rendition["width"], &rendition["made"]),
        (&json!(854), &json!("encoded"))
    );
    assert_eq!(video["versions"][0]["poster"], film.below("poster.jpg"));
    assert_eq!(video["may_edit"], true);

    let learner = it.caller("lin", &[Role::Learner]);
    let list = learner.get("/api/v1/videos").await.json();
    let item = &list["items"][0];
    assert_eq!(
        (
            &item["state"],
            &item["renditions_done"],
            &item["renditions_total"]
        ),
        (&json!("ready"), &json!(2), &json!(2))
    );
    assert_eq!(
        (&item["may_edit"], &item["mine"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        learner
            .json("PATCH", &path, &json!({"title": "x"}))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let other = it.caller("otto", &[Role::Instructor]);
    assert_eq!(
        other
            .json("PATCH", &path, &json!({"title": "x"}))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let unknown = ada.json("PATCH", &path, &json!({"titel": "x"})).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let patched = ada
        .json(
            "PATCH",
            &path,
            &json!({"title": "Renamed", "visibility": "private"}),
        )
        .await;
    assert_eq!(
        (patched.status, &patched.json()["title"]),
        (StatusCode::OK, &json!("Renamed"))
    );
    assert_eq!(learner.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        it.nobody().get(&path).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        learner.get("/api/v1/videos").await.json()["items"],
        json!([])
    );
    assert_ne!(
        ada.get(&path).await.json()["versions"][0]["poster"],
        film.below("poster.jpg"),
        "a new key"
    );
    assert_eq!(
        ada.send("DELETE", &path, None, Body::empty()).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(ada.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_has_left_is_counted_by_day_and_survives_a_restart() {
    let it = TestBox::new();
    let owner = it.person("ada", &[Role::Instructor]);
    let film = ready(&it, &owner, Visibility::Open);
    let admin = it.caller("adm", &[Role::Admin]);
    let told = async || admin.get("/api/v1/system/delivery").await.json();
    let nothing = told().await;
    assert_eq!(nothing["total"], 0);
    assert_eq!(nothing["days"], json!([]));
    assert_eq!(
        nothing["price"],
        json!({ "per_gb": "0.09", "currency": "USD" })
    );
    assert!(nothing.get("since").is_none());

    let yesterday = it.app.now() - std::time::Duration::from_secs(86_400);
    it.app.library.add_delivered(yesterday, 1000).unwrap();
    let long_ago = it.app.now() - std::time::Duration::from_secs(86_400 * 40);
    it.app.library.add_delivered(long_ago, 5000).unwrap();
    it.nobody().get(&film.below("v480/1.m4s")).await;
    let part = it.nobody().header("range", "bytes=2-4");
    part.get(&film.below("v480/1.m4s")).await;
    let head = it.nobody();
    head.send("HEAD", &film.below("v480/1.m4s"), None, Body::empty())
        .await;
    let sent = SEGMENT.len() as u64 + 3;
    let now = told().await;
    assert_eq!(now["today"], sent);
    assert_eq!(now["last_30_days"], sent + 1000);
    assert_eq!(now["total"], sent + 6000);
    assert_eq!(now["days"].as_array().unwrap().len(), 2);
    assert_eq!(now["since"], long_ago.to_string()[..10]);

    let learner = it.caller("lin", &[Role::Learner]);
    assert_eq!(status(&learner, "/api/v1/system/delivery").await, 403);
}
