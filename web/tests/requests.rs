//! What every request meets: strict bodies, bounds, problem documents, headers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use axum::body::Body;
use lectern_lms::Role;
use serde_json::json;
use support::{ELSEWHERE, TestBox};

#[tokio::test]
async fn unknown_members_are_refused_by_name() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let answer = root
        .json(
            "POST",
            "/api/v1/people",
            &json!({"name": "ada", "rolls": ["learner"]}),
        )
        .await
        .expect(400);
    assert_eq!(answer.problem(), "bad-request");
    assert!(
        answer.json()["detail"].as_str().unwrap().contains("rolls"),
        "{}",
        answer.text()
    );
    let answer = root
        .json("PATCH", "/api/v1/settings", &json!({"plain_http": "some"}))
        .await
        .expect(400);
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("learners"),
        "{}",
        answer.text()
    );
    let rule = json!({"completion_rule": {"kind": "end", "percent": 5}});
    let answer = root
        .json("PATCH", "/api/v1/settings", &rule)
        .await
        .expect(400);
    assert!(answer.text().contains("percent"), "{}", answer.text());
    let answer = root.get("/api/v1/people?order=name").await.expect(400);
    assert!(
        answer.json()["detail"].as_str().unwrap().contains("order"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn bodies_beyond_the_routes_bound_are_refused_announced_or_not() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let large = json!({"name": "x".repeat(300 * 1024)}).to_string();
    let announced = root
        .clone()
        .header("content-length", &large.len().to_string());
    let answer = announced
        .send(
            "POST",
            "/api/v1/people",
            Some("application/json"),
            Body::from(large.clone()),
        )
        .await;
    assert_eq!(answer.expect(413).problem(), "too-large");
    let pieces: Vec<_> = large
        .as_bytes()
        .chunks(1000)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
        .collect();
    let streamed = Body::from_stream(futures_util::stream::iter(pieces));
    let answer = root
        .send("POST", "/api/v1/people", Some("application/json"), streamed)
        .await;
    assert_eq!(answer.expect(413).problem(), "too-large");
}

#[tokio::test]
async fn what_is_not_json_is_refused_with_the_place() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let answer = root
        .send(
            "POST",
            "/api/v1/people",
            Some("application/json"),
            Body::from("{\"name\":"),
        )
        .await;
    assert!(
        answer.expect(400).json()["detail"]
            .as_str()
            .unwrap()
            .contains("line 1")
    );
    let answer = root
        .send(
            "POST",
            "/api/v1/people",
            Some("text/plain"),
            Body::from("{}"),
        )
        .await;
    assert_eq!(answer.expect(415).problem(), "unsupported-media-type");
}

#[tokio::test]
async fn unknown_addresses_and_methods_answer_with_problems_under_the_api() {
    let it = TestBox::new();
    assert_eq!(
        it.nobody()
            .get("/api/v1/nothing")
            .await
            .expect(404)
            .problem(),
        "not-found"
    );
    assert_eq!(
        it.nobody().get("/api").await.expect(404).problem(),
        "not-found"
    );
    let answer = it
        .nobody()
        .send("PUT", "/api/v1/settings", None, Body::empty())
        .await
        .expect(405);
    assert_eq!(answer.header("allow"), "GET, PATCH");
    let root = it.caller("root", &[Role::Admin]);
    let answer = root
        .json("PATCH", "/api/v1/people/no-uuid", &json!({}))
        .await
        .expect(404);
    assert_eq!(answer.problem(), "not-found");
}

#[tokio::test]
async fn every_answer_forbids_framing_and_foreign_scripts() {
    let it = TestBox::new();
    for path in [
        "/",
        "/api/v1/setup",
        "/api/v1/nothing",
        "/healthz",
        "/watch/x",
    ] {
        let answer = it.nobody().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(
            policy.contains("media-src 'self' blob:") && !policy.contains("script-src"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
        assert!(!policy.contains("upgrade-insecure-requests"), "{path}");
    }
}

#[tokio::test]
async fn what_the_api_answers_is_not_kept_by_browsers() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    for path in ["/api/v1/session", "/api/v1/people", "/api/v1/nothing"] {
        let answer = root.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn people_are_added_changed_imported_and_erased() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let new = json!({"name": "ada", "display_name": "Ada L.", "email": "ada@example.org", "roles": ["learner"]});
    let ada = root
        .json("POST", "/api/v1/people", &new)
        .await
        .expect(201)
        .json();
    let path = format!("/api/v1/people/{}", ada["id"].as_str().unwrap());
    assert_eq!(
        root.json("POST", "/api/v1/people", &new)
            .await
            .expect(409)
            .problem(),
        "name-taken"
    );
    let changed = root
        .json("PATCH", &path, &json!({"roles": ["learner", "instructor"]}))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["roles"], json!(["instructor", "learner"]));
    root.json(
        "POST",
        &format!("{path}/password"),
        &json!({"password": "a long enough one"}),
    )
    .await
    .expect(204);
    let csv = "name,role\nbob,learner\nmallory,emperor\n";
    let report = root
        .send(
            "POST",
            "/api/v1/people/import",
            Some("text/csv"),
            Body::from(csv),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&report["added"], &report["errors"][0]["line"]),
        (&json!(1), &json!(3)),
        "{report}"
    );
    let teacher = it.caller("teacher", &[Role::Instructor]);
    let found = teacher.get("/api/v1/people?q=ada").await.expect(200).json();
    assert_eq!(found["items"][0]["display_name"], "Ada L.");
    assert!(found["items"][0].get("email").is_none());
    let first = root.get("/api/v1/people?limit=2").await.expect(200).json();
    let next = first["next"].as_str().unwrap();
    let second = root
        .get(&format!("/api/v1/people?limit=2&cursor={next}"))
        .await
        .expect(200)
        .json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_ne!(first["items"][1]["id"], second["items"][0]["id"]);
    root.send("DELETE", &path, None, Body::empty())
        .await
        .expect(204);
    root.send("DELETE", &path, None, Body::empty())
        .await
        .expect(404);
    let audit = root.get("/api/v1/audit").await.expect(200).json();
    let deeds: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["what"].clone())
        .collect();
    assert_eq!(deeds[0], "person.remove");
    assert!(
        deeds.contains(&json!("person.import")) && deeds.contains(&json!("password.set")),
        "{deeds:?}"
    );
}

#[tokio::test]
async fn an_administrator_revokes_all_tokens_of_a_person() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let ada = it.person("ada", &[Role::Learner]);
    let token = it.app.lms.add_api_token("ada", it.app.now()).unwrap();
    let bearer = it
        .nobody()
        .header("authorization", &format!("Bearer {token}"));
    bearer.get("/api/v1/session").await.expect(200);
    let path = format!("/api/v1/people/{}/tokens", ada.id);
    let none = Body::empty();
    let answer = root.send("DELETE", &path, None, none).await.expect(200);
    assert_eq!(answer.json(), json!({"revoked": 1}));
    bearer.get("/api/v1/session").await.expect(401);
    let audited = &it.app.lms.audit_list(None, 1).unwrap().items[0];
    assert_eq!(
        (audited.what.as_str(), audited.on.clone()),
        ("token.revoke", Some(ada.id.to_string()))
    );
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let it = TestBox::new();
    let root = it.person("root", &[Role::Admin]);
    let asking = it.signed_in("root").await;
    let path = format!("/api/v1/people/{}", root.id);
    assert_eq!(
        asking
            .json("PATCH", &path, &json!({"roles": []}))
            .await
            .expect(409)
            .problem(),
        "last-admin"
    );
    assert_eq!(
        asking
            .send("DELETE", &path, None, Body::empty())
            .await
            .expect(409)
            .problem(),
        "last-admin"
    );
}

#[tokio::test]
async fn a_credentials_secret_is_shown_once() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let new = json!({"name": "campus", "scopes": ["statements/write", "statements/read"]});
    let made = root
        .json("POST", "/api/v1/credentials", &new)
        .await
        .expect(201)
        .json();
    let (key, secret) = (
        made["key"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    assert!(
        it.app
            .lrs
            .credentials()
            .verify(key, secret)
            .unwrap()
            .is_some()
    );
    let listed = root.get("/api/v1/credentials").await.expect(200);
    assert!(!listed.text().contains(secret));
    assert_eq!(
        listed.json()["items"][0]["scopes"],
        json!(["statements/write", "statements/read"])
    );
    let path = format!("/api/v1/credentials/{}", made["id"].as_str().unwrap());
    root.send("DELETE", &path, None, Body::empty())
        .await
        .expect(204);
    assert!(
        it.app
            .lrs
            .credentials()
            .verify(key, secret)
            .unwrap()
            .is_none()
    );
    for wrong in [
        json!({"name": "x", "scopes": ["everything"]}),
        json!({"name": "x", "scopes": []}),
        json!({"name": " "}),
        json!({"name": "x".repeat(201)}),
    ] {
        root.json("POST", "/api/v1/credentials", &wrong)
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn credentials_upstreams_and_sources_come_in_pages() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    for n in 0..3 {
        let credential = json!({ "name": format!("{n}") });
        let other = json!({"name": format!("{n}"), "url": "https://lrs.example/xapi", "key": "k", "secret": "s"});
        for (path, new) in [
            ("credentials", credential),
            ("upstreams", other.clone()),
            ("sources", other),
        ] {
            root.json("POST", &format!("/api/v1/{path}"), &new)
                .await
                .expect(201);
        }
    }
    for list in ["credentials", "upstreams", "sources"] {
        let (mut names, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let page = root.get(&format!("/api/v1/{list}{query}")).await;
            let page = page.expect(200).json();
            let items = page["items"].as_array().unwrap();
            names.extend(
                items
                    .iter()
                    .map(|item| item["name"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next"].as_str() else {
                break;
            };
            query = format!("?limit=2&cursor={next}");
        }
        assert_eq!(names, ["0", "1", "2"], "{list}");
        root.get(&format!("/api/v1/{list}?page=2"))
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn upstreams_are_added_paused_and_removed_and_never_show_their_secret() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let new = json!({"name": "central", "url": "https://lrs.example/xapi", "key": "k", "secret": "s3cr3t-of-ours"});
    let id = root
        .json("POST", "/api/v1/upstreams", &new)
        .await
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = root.get("/api/v1/upstreams").await.expect(200);
    assert!(!listed.text().contains("s3cr3t-of-ours"));
    assert_eq!(listed.json()["items"][0]["lag"], 0);
    let path = format!("/api/v1/upstreams/{id}");
    assert_eq!(
        root.json("PATCH", &path, &json!({"paused": true}))
            .await
            .expect(200)
            .json()["paused"],
        true
    );
    assert_eq!(
        root.get(&format!("{path}/dead")).await.expect(200).json()["items"],
        json!([])
    );
    root.send("POST", &format!("{path}/dead/1/retry"), None, Body::empty())
        .await
        .expect(404);
    root.send("DELETE", &path, None, Body::empty())
        .await
        .expect(204);
    root.get(&format!("{path}/dead")).await.expect(404);
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_for_tokens_of_those_who_run_it() {
    let it = TestBox::new();
    it.nobody().get("/api/v1/setup").await.expect(200);
    let text = it.nobody().get("/metrics").await.expect(200).text();
    let line =
        "lectern_http_requests_total{method=\"GET\",route=\"/api/v1/setup\",status=\"200\"} 1";
    assert!(text.contains(line), "{text}");
    for name in [
        "lectern_disk_free_bytes",
        "lectern_jobs",
        "lectern_fold_lag_statements",
        "lectern_jobs_ended_total{result=\"failed\"} 0",
    ] {
        assert!(text.contains(name), "{name}");
    }
    // What only grows is a counter, by its name and by its type.
    for line in text.lines() {
        if let Some(series) = line.strip_prefix("# TYPE ") {
            let (name, kind) = series.split_once(' ').unwrap();
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        }
    }
    it.nobody()
        .header("x-forwarded-for", "127.0.0.1")
        .get("/metrics")
        .await
        .expect(401);
    it.nobody()
        .header("host", "evil.example")
        .get("/metrics")
        .await
        .expect(401);
    it.nobody()
        .from(ELSEWHERE)
        .get("/metrics")
        .await
        .expect(401);
    it.caller("ada", &[Role::Learner])
        .get("/metrics")
        .await
        .expect(403);
    let root = it.caller("root", &[Role::Admin]);
    root.clone()
        .from(ELSEWHERE)
        .get("/metrics")
        .await
        .expect(403);
    root.from(ELSEWHERE)
        .over_https()
        .get("/metrics")
        .await
        .expect(200);
}

#[tokio::test]
async fn the_system_page_counts_and_says_what_is_bad_first() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let system = root.get("/api/v1/system").await.expect(200).json();
    assert_eq!(system["version"], "0.0.0-test");
    assert_eq!(system["https"]["enabled"], false);
    let order = ["bad", "soon", "ok"];
    let states = system["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["state"].as_str().unwrap());
    let places: Vec<_> = states
        .map(|state| order.iter().position(|known| *known == state).unwrap())
        .collect();
    assert!(places.is_sorted() && places.len() >= 5, "{places:?}");
    assert!(
        system["memory_bytes"].as_u64().unwrap() > 0
            && system["disk"]["total"].as_u64().unwrap() > 0
    );
    assert_eq!(
        root.get("/api/v1/jobs").await.expect(200).json()["items"],
        json!([])
    );
    it.nobody().get("/healthz").await.expect(200);
    it.nobody().get("/readyz").await.expect(200);
    it.app.shutdown.cancel();
    it.nobody().get("/readyz").await.expect(503);
}

#[tokio::test]
async fn a_backup_is_streamed_as_it_is_made_and_a_failed_one_is_cut_off() {
    use std::sync::Arc;
    let it = TestBox::with(|config| {
        config.backup = Some(Arc::new(|to| {
            to.write_all(&vec![7; 1_000_000])
                .map_err(|error| error.to_string())
        }));
    });
    let root = it.caller("root", &[Role::Admin]);
    let answer = root.get("/api/v1/system/backup").await.expect(200);
    assert_eq!(
        (answer.body.len(), answer.header("content-type")),
        (1_000_000, "application/x-tar")
    );
    assert!(answer.header("content-disposition").contains(".tar"));
    let system = root.get("/api/v1/system").await.expect(200).json();
    let check = |system: &serde_json::Value| {
        let checks = system["checks"].as_array().unwrap().iter();
        let check = checks.clone().find(|check| check["id"] == "backup");
        check.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert!(system["last_backup"].is_string(), "{system}");
    assert_eq!(check(&system), "ok");

    let it = TestBox::with(|config| {
        config.backup = Some(Arc::new(|_| Err("the disk failed".to_owned())));
    });
    let root = it.caller("root", &[Role::Admin]);
    let cut = root.try_get("/api/v1/system/backup").await;
    assert!(cut.is_err(), "a cut archive must not look whole");
    let system = root.get("/api/v1/system").await.expect(200).json();
    assert!(system["last_backup"].is_null(), "{system}");
    assert_eq!(check(&system), "soon");
}

#[tokio::test]
async fn the_sample_lecture_becomes_a_video_with_captions() {
    let film = tempfile::tempdir().unwrap();
    std::fs::write(film.path().join("welcome.mp4"), b"not really a film").unwrap();
    std::fs::write(
        film.path().join("welcome.en.vtt"),
        "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n",
    )
    .unwrap();
    let it = TestBox::with(|config| {
        config.sample = Some(lectern_web::Sample {
            film: film.path().join("welcome.mp4"),
            captions: Some(film.path().join("welcome.en.vtt")),
            title: "Welcome".into(),
            language: "en".into(),
        });
    });
    let teacher = it.caller("teacher", &[Role::Instructor]);
    let id = teacher
        .send("POST", "/api/v1/sample", None, Body::empty())
        .await
        .expect(201)
        .json();
    let id: lectern_library::VideoId = id["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(it.app.library.video(id).unwrap().title, "Welcome");
    assert_eq!(
        it.app
            .library
            .texts(lectern_library::TextKind::Captions)
            .list(id)
            .unwrap()
            .len(),
        1
    );
    let none = TestBox::new();
    none.caller("root", &[Role::Admin])
        .send("POST", "/api/v1/sample", None, Body::empty())
        .await
        .expect(404);
}

#[tokio::test]
async fn an_upstream_is_for_courses_and_people_by_the_names_that_admins_know() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    it.caller("ada", &[Role::Learner]);
    let filter = json!({
        "verbs": [],
        "activities": ["https://school.example/courses/1"],
        "people": ["ada", "https://school.example bob", "mailto:eve@school.example"],
    });
    let new = json!({"name": "central", "url": "https://lrs.example/xapi", "key": "k", "secret": "s", "filter": filter});
    root.json("POST", "/api/v1/upstreams", &new)
        .await
        .expect(201);
    let listed = root.get("/api/v1/upstreams").await.expect(200).json();
    let listed = &listed["items"][0]["filter"];
    assert_eq!(listed["activities"], filter["activities"]);
    let mut people: Vec<_> = listed["people"].as_array().unwrap().clone();
    people.sort_by_key(|one| one.as_str().unwrap().to_owned());
    assert_eq!(json!(people), filter["people"]);
}

#[tokio::test]
async fn whom_an_upstream_sees_is_chosen_and_its_table_is_not_read_back() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    it.caller("ada", &[Role::Learner]);
    let table = json!([{"from": "ada", "to": "mailto:ada@uni.example"}]);
    let new = |identities: &serde_json::Value| json!({"name": "central", "url": "https://lrs.example/xapi", "key": "k", "secret": "s", "identities": identities});
    for (wrong, status) in [
        (json!({"how": "map"}), 400),
        (json!({"how": "keep", "table": table}), 400),
        (
            json!({"how": "map", "table": [{"from": "ada", "to": "4711"}]}),
            422,
        ),
        (json!({"how": "guess"}), 400),
    ] {
        root.json("POST", "/api/v1/upstreams", &new(&wrong))
            .await
            .expect(status);
    }
    let made = new(&json!({"how": "map", "table": table}));
    let made = root.json("POST", "/api/v1/upstreams", &made).await;
    let made = made.expect(201).json();
    let path = format!("/api/v1/upstreams/{}", made["id"].as_str().unwrap());
    let listed = root.get("/api/v1/upstreams").await.expect(200);
    assert!(!listed.text().contains("uni.example"));
    assert_eq!(
        listed.json()["items"][0]["identities"],
        json!({"how": "map", "rows": 1, "unlisted": "hold_back"})
    );
    for (change, becomes) in [
        (
            json!({"how": "map", "unlisted": "keep"}),
            json!({"how": "map", "rows": 1, "unlisted": "keep"}),
        ),
        (
            json!({"how": "pseudonymise"}),
            json!({"how": "pseudonymise", "rows": 0, "unlisted": "hold_back"}),
        ),
    ] {
        let changed = root
            .json("PATCH", &path, &json!({"identities": change}))
            .await;
        assert_eq!(changed.expect(200).json()["identities"], becomes);
    }
    let audit = root.get("/api/v1/audit").await.expect(200).json();
    assert_eq!(audit["items"][0]["detail"], "identities: pseudonymise");
}

#[tokio::test]
async fn a_replay_stands_in_the_audit_log() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let new =
        json!({"name": "central", "url": "https://lrs.example/xapi", "key": "k", "secret": "s"});
    let made = root.json("POST", "/api/v1/upstreams", &new).await;
    let made = made.expect(201).json();
    let of = |id: &str| format!("/api/v1/upstreams/{id}/replay");
    let path = of(made["id"].as_str().unwrap());
    let since = json!({"since": "2026-01-01T00:00:00Z"});
    let replayed = root.json("POST", &path, &since).await.expect(200).json();
    assert_eq!(replayed, json!({"statements": 0}));
    root.json("POST", &path, &json!({})).await.expect(400);
    let other = of(&uuid::Uuid::nil().to_string());
    root.json("POST", &other, &since).await.expect(404);
    let audit = root.get("/api/v1/audit").await.expect(200).json();
    let last = &audit["items"][0];
    assert_eq!(last["what"], "upstream.replay");
    let detail = last["detail"].as_str().unwrap();
    assert!(detail.starts_with("since 2026-01-01T00:00:00"), "{detail}");
}

#[tokio::test]
async fn somebody_is_erased_once_their_name_is_typed_again_and_keeps_no_door() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let ada = it.person("ada", &[Role::Learner]);
    let teacher = it.caller("teacher", &[Role::Instructor]);
    let path = format!("/api/v1/people/{}/erasure", ada.id);
    teacher.get(&path).await.expect(403);
    let there = root.get(&path).await.expect(200).json();
    assert_eq!(
        (&there["name"], &there["statements"]),
        (&json!("ada"), &json!(0))
    );
    assert_eq!(there["identifiers"].as_array().unwrap().len(), 1);
    let wrong = root.json("POST", &path, &json!({"name": "adda"})).await;
    assert_eq!(wrong.expect(422).problem(), "invalid");
    let begun = root
        .json("POST", &path, &json!({"name": "ada"}))
        .await
        .expect(202)
        .json();
    assert_eq!(
        (&begun["state"], &begun["of"]),
        (&json!("running"), &json!(ada.id.to_string()))
    );
    // Who asked is gone from there on.
    root.get(&path).await.expect(404);
    let list = root.get("/api/v1/erasures").await.expect(200).json();
    assert_eq!(list["items"][0]["id"], begun["id"]);
    let one = format!("/api/v1/erasures/{}", begun["id"].as_str().unwrap());
    teacher.get(&one).await.expect(403);
    root.get(&one).await.expect(200);
    let audit = root.get("/api/v1/audit").await.expect(200).json();
    let deeds: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["what"].as_str().unwrap())
        .collect();
    assert_eq!(deeds[..2], ["person.erase", "person.erase_preview"]);
    // Nobody would run the box.
    let me = root.get("/api/v1/session").await.expect(200).json();
    let own = format!("/api/v1/people/{}/erasure", me["id"].as_str().unwrap());
    let last = root.json("POST", &own, &json!({"name": "root"})).await;
    assert_eq!(last.expect(409).problem(), "last-admin");
}

#[tokio::test]
async fn how_long_statements_are_kept_is_previewed_set_and_audited() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let path = "/api/v1/keeping";
    let off = root.get(path).await.expect(200).json();
    assert_eq!((&off["keep_days"], off.get("next")), (&json!(0), None));
    let rules = json!({"keep_days": 365, "keep_closed_days": 30});
    let found = root
        .get("/api/v1/keeping/preview?keep_days=365&keep_closed_days=30")
        .await;
    assert_eq!(found.expect(200).json(), json!({"statements": 0}));
    let set = root.json("PUT", path, &rules).await.expect(200).json();
    assert!(set["next"].is_string(), "{set}");
    root.json(
        "PUT",
        path,
        &json!({"keep_days": 40_000, "keep_closed_days": 0}),
    )
    .await
    .expect(422);
    let auditor = it.caller("eve", &[Role::Auditor]);
    assert_eq!(auditor.get(path).await.expect(200).json()["keep_days"], 365);
    auditor.json("PUT", path, &rules).await.expect(403);
    let audit = auditor.get("/api/v1/audit").await.expect(200).json();
    assert_eq!(audit["items"][0]["detail"], "all 365 days, closed 30 days");
}

#[tokio::test]
async fn sources_are_added_changed_and_removed_and_never_show_their_secret() {
    let it = TestBox::new();
    let root = it.caller("root", &[Role::Admin]);
    let new = json!({
        "name": "old", "url": "https://lrs.example/xapi/statements", "key": "k", "secret": "s3cr3t-of-ours",
        "since": "2026-01-01T00:00:00Z",
    });
    let made = root.json("POST", "/api/v1/sources", &new).await;
    let made = made.expect(201).json();
    let path = format!("/api/v1/sources/{}", made["id"].as_str().unwrap());
    let listed = root.get("/api/v1/sources").await.expect(200);
    assert!(!listed.text().contains("s3cr3t-of-ours"));
    let one = &listed.json()["items"][0];
    assert_eq!(
        (&one["state"], &one["url"]),
        (&json!("reading"), &json!("https://lrs.example/xapi"))
    );
    let patch = json!({"paused": true, "follow": true, "name": "older"});
    let changed = root.json("PATCH", &path, &patch).await.expect(200).json();
    assert_eq!(
        (&changed["state"], &changed["name"]),
        (&json!("paused"), &json!("older"))
    );
    let refused = root
        .get(&format!("{path}/refused"))
        .await
        .expect(200)
        .json();
    assert_eq!(refused["items"], json!([]));
    let inside = json!({"url": "http://127.0.0.1:9/xapi", "key": "k", "secret": "s"});
    root.json("POST", "/api/v1/sources/test", &inside)
        .await
        .expect(400);
    let nobody =
        json!({"url": "http://127.0.0.1:9/xapi", "key": "k", "secret": "s", "allow_private": true});
    let trial = root.json("POST", "/api/v1/sources/test", &nobody).await;
    assert!(trial.expect(502).text().contains("no connection"));
    let learner = it.caller("lea", &[Role::Learner]);
    learner.get("/api/v1/sources").await.expect(403);
    root.send("DELETE", &path, None, Body::empty())
        .await
        .expect(204);
    root.get(&format!("{path}/refused")).await.expect(404);
    root.json("PATCH", &path, &json!({"paused": false}))
        .await
        .expect(404);
}
