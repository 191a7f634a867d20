//! `/xapi` over HTTP: versions, sign-ins, headers, the syntax of old browsers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod support;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jiff::SignedDuration;
use lectern_lms::{Role, ViewingGrant};
use lectern_lrs::{Scope, Scopes};
use serde_json::{Value, json};
use support::{Answer, Asking, TestBox};
use uuid::Uuid;

const VERSION: &str = "x-experience-api-version";
const CONSISTENT: &str = "x-experience-api-consistent-through";

fn basic(key: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")))
}

/// Someone with a credential for everything, under a version.
fn client<'a>(the_box: &'a TestBox, version: &str) -> Asking<'a> {
    let identity = the_box.app.lms.identity().unwrap();
    let new = the_box
        .app
        .lrs
        .credentials()
        .add("test", Scopes::from_iter([Scope::All]), &identity)
        .unwrap();
    the_box
        .nobody()
        .header("authorization", &basic(&new.key, &new.secret))
        .header(VERSION, version)
}

fn statement(actor: Value, activity: &str) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "actor": actor,
        "verb": { "id": "https://w3id.org/xapi/video/verbs/played" },
        "object": { "id": activity },
    })
}

fn someone() -> Value {
    json!({ "mbox": "mailto:a@example.com" })
}

async fn send(asking: &Asking<'_>, method: &str, path: &str, kind: &str, body: &str) -> Answer {
    asking
        .send(method, path, Some(kind), Body::from(body.to_owned()))
        .await
}

#[tokio::test]
async fn a_statement_goes_in_and_comes_out_under_both_versions() {
    let the_box = TestBox::new();
    for (asked, answered) in [
        ("1.0.3", "1.0.3"),
        ("1.0.0", "1.0.3"),
        ("1.0", "1.0.3"),
        ("2.0.0", "2.0.0"),
        ("2.0", "2.0.0"),
    ] {
        let client = client(&the_box, asked);
        let sent = statement(someone(), "http://example.com/film");
        let stored = client.json("POST", "/xapi/statements", &sent).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text());
        assert_eq!(stored.json(), json!([sent["id"]]));
        assert_eq!(stored.header(VERSION), answered);
        let id = sent["id"].as_str().unwrap();
        let got = client
            .get(&format!("/xapi/statements?statementId={id}"))
            .await;
        assert_eq!(got.json()["actor"], sent["actor"]);
        assert!(got.header("last-modified").ends_with("GMT"));
        assert_eq!(got.header("content-type"), "application/json");
        // What follows from a statement is there soon after it.
        let stored: jiff::Timestamp = got.json()["stored"].as_str().unwrap().parse().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let page = client.get("/xapi/statements?limit=1").await;
            let through: jiff::Timestamp = page.header(CONSISTENT).parse().unwrap();
            if through >= stored {
                break;
            }
            assert!(
                std::time::Instant::now() < end,
                "{through} stays before {stored}"
            );
        }
        let put = client
            .json("PUT", &format!("/xapi/statements?statementId={id}"), &sent)
            .await;
        assert_eq!(put.status, StatusCode::NO_CONTENT);
        assert!(put.body.is_empty());
    }
}

#[tokio::test]
async fn every_answer_names_its_version_and_may_be_read_from_elsewhere() {
    let the_box = TestBox::with(|config| config.xapi_default = lectern_xapi::Version::V1_0_3);
    let client = client(&the_box, "2.0.0");
    let missing = client.clone().without(VERSION);
    for (answer, status, version) in [
        (missing.get("/xapi/statements").await, 400, "1.0.3"),
        (missing.get("/xapi/about").await, 200, "1.0.3"),
        (client.get("/xapi/about").await, 200, "2.0.0"),
        (
            client
                .clone()
                .header(VERSION, "1.1.0")
                .get("/xapi/statements")
                .await,
            400,
            "1.0.3",
        ),
        (
            client
                .clone()
                .without("authorization")
                .get("/xapi/statements")
                .await,
            401,
            "2.0.0",
        ),
        (
            client
                .clone()
                .header("authorization", "nonsense")
                .get("/xapi/statements")
                .await,
            401,
            "2.0.0",
        ),
        (
            client
                .clone()
                .header("authorization", &basic("a", "b"))
                .get("/xapi/statements")
                .await,
            401,
            "2.0.0",
        ),
        (client.get("/xapi/nothing").await, 404, "2.0.0"),
        (
            client
                .json("DELETE", "/xapi/statements", &json!(null))
                .await,
            405,
            "2.0.0",
        ),
        (
            client.get("/xapi/statements?Verb=http://a/b").await,
            400,
            "2.0.0",
        ),
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.header(VERSION)),
            (status, version),
            "{}",
            answer.text()
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(
            answer
                .header("access-control-expose-headers")
                .contains("X-Experience-API-Consistent-Through")
        );
    }
    let about = client.get("/xapi/about").await.json();
    assert_eq!(about["version"], json!(["1.0.3", "2.0.0"]));
    let refused = client.get("/xapi/statements?limit=x").await;
    assert!(!refused.header(CONSISTENT).is_empty());
    let preflight = the_box
        .nobody()
        .send("OPTIONS", "/xapi/statements", None, Body::empty())
        .await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("X-Experience-API-Version")
    );
}

#[tokio::test]
async fn head_answers_with_the_headers_of_get_and_no_body() {
    let the_box = TestBox::new();
    let client = client(&the_box, "2.0.0");
    client
        .json(
            "POST",
            "/xapi/statements",
            &statement(someone(), "http://example.com/film"),
        )
        .await;
    for path in [
        "/xapi/statements",
        "/xapi/about",
        "/xapi/activities?activityId=http://a/b",
    ] {
        let (head, get) = (
            client.send("HEAD", path, None, Body::empty()).await,
            client.get(path).await,
        );
        assert_eq!(
            (head.status, head.body.len()),
            (StatusCode::OK, 0),
            "{path}"
        );
        assert_eq!(
            head.header("content-length"),
            get.body.len().to_string(),
            "{path}"
        );
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_viewing_token_writes_for_its_viewing_alone() {
    let the_box = TestBox::new();
    let learner = the_box.person("ada", &[Role::Learner]);
    let (identity, now) = (the_box.app.lms.identity().unwrap(), the_box.app.now());
    let registration = Uuid::now_v7();
    let activity = format!("{identity}/videos/1");
    let grant = ViewingGrant {
        actor: learner.actor.clone(),
        registration,
        activity_id: activity.clone(),
        video: "1".to_owned(),
        version: 1,
        expires: now.checked_add(SignedDuration::from_hours(1)).unwrap(),
    };
    let token = the_box.app.lms.mint_viewing(grant, now).unwrap();
    let device = the_box
        .nobody()
        .header("authorization", &format!("Bearer {token}"))
        .header(VERSION, "1.0.3");
    let account = |name: &str| json!({ "account": { "homePage": identity, "name": name } });
    let mut own = statement(account(&learner.actor), &activity);
    own["context"] = json!({ "registration": registration });
    let stored = device.json("POST", "/xapi/statements", &own).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text());
    let mut foreign = own.clone();
    foreign["id"] = json!(Uuid::now_v7());
    foreign["actor"] = account("someone-else");
    assert_eq!(
        device
            .json("POST", "/xapi/statements", &foreign)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        device.get("/xapi/statements").await.status,
        StatusCode::FORBIDDEN
    );
    let state = |name: &str| {
        let agent = account(name)
            .to_string()
            .replace('"', "%22")
            .replace('{', "%7B")
            .replace('}', "%7D");
        format!(
            "/xapi/activities/state?activityId={activity}&agent={agent}&registration={registration}&stateId=x"
        )
    };
    assert_eq!(
        send(
            &device,
            "PUT",
            &state(&learner.actor),
            "application/json",
            "{}"
        )
        .await
        .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        send(
            &device,
            "PUT",
            &state("someone-else"),
            "application/json",
            "{}"
        )
        .await
        .status,
        StatusCode::FORBIDDEN
    );
    let document = device.get(&state(&learner.actor)).await;
    assert_eq!(document.text(), "{}");
    assert_eq!(
        document.header("etag"),
        "\"bf21a9e8fbc5a3846fb05b4fa0859e0917b2202f\""
    );
    assert!(
        document
            .header("content-security-policy")
            .contains("sandbox")
    );
    let again = device
        .clone()
        .header("if-none-match", document.header("etag"));
    let again = again.get(&state(&learner.actor)).await;
    assert_eq!(
        (again.status, again.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
}

#[tokio::test]
async fn an_api_token_writes_for_its_person_whatever_their_role() {
    let the_box = TestBox::new();
    let identity = the_box.app.lms.identity().unwrap();
    let token = the_box.token("grace", &[Role::Instructor, Role::Admin]);
    let actor = the_box
        .app
        .lms
        .person_by_name("grace")
        .unwrap()
        .unwrap()
        .actor;
    let grace = the_box
        .nobody()
        .header("authorization", &format!("Bearer {token}"))
        .header(VERSION, "2.0.0");
    let own = statement(
        json!({ "account": { "homePage": identity, "name": actor } }),
        "http://example.com/film",
    );
    assert_eq!(
        grace.json("POST", "/xapi/statements", &own).await.status,
        StatusCode::OK
    );
    let foreign = statement(someone(), "http://example.com/film");
    assert_eq!(
        grace
            .json("POST", "/xapi/statements", &foreign)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let read = grace.get("/xapi/statements").await.json();
    assert_eq!(read["statements"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_cookie_opens_nothing_here() {
    let the_box = TestBox::new();
    the_box.person("ada", &[Role::Learner]);
    let ada = the_box.signed_in("ada").await.header(VERSION, "2.0.0");
    assert_eq!(
        ada.get("/xapi/statements").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_syntax_of_old_browsers_works_under_1_0_3_and_is_refused_under_2_0() {
    let the_box = TestBox::new();
    let asking = client(&the_box, "1.0.3");
    let form = |fields: &[(&str, &str)]| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        form.finish()
    };
    let bare = asking.clone().without(VERSION);
    let kind = "application/x-www-form-urlencoded";
    let sent = statement(someone(), "http://example.com/film");
    let id = sent["id"].as_str().unwrap();
    let put = form(&[
        ("statementId", id),
        ("X-Experience-API-Version", "1.0.3"),
        ("content", &sent.to_string()),
    ]);
    let answer = send(&bare, "POST", "/xapi/statements?method=PUT", kind, &put).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    let get = form(&[("statementId", id), ("X-Experience-API-Version", "1.0.3")]);
    let answer = send(&bare, "POST", "/xapi/statements?method=GET", kind, &get).await;
    assert_eq!(answer.json()["id"], sent["id"]);
    assert_eq!(
        send(
            &bare,
            "POST",
            "/xapi/statements?method=GET&limit=1",
            kind,
            &get
        )
        .await
        .status,
        StatusCode::BAD_REQUEST
    );
    let newer = client(&the_box, "2.0.0");
    assert_eq!(
        send(
            &newer,
            "POST",
            "/xapi/statements?method=GET",
            kind,
            &form(&[("statementId", id)])
        )
        .await
        .status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn attachments_travel_as_multipart_mixed() {
    let the_box = TestBox::new();
    let client = client(&the_box, "2.0.0");
    let file = b"hello".to_vec();
    let sha2 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&file));
    let mut sent = statement(someone(), "http://example.com/film");
    sent["attachments"] = json!([{ "usageType": "http://a/b", "display": {}, "contentType": "text/plain", "length": 5, "sha2": sha2 }]);
    let bytes = lectern_lrs::AttachmentBytes {
        sha2: sha2.clone(),
        content_type: "text/plain".to_owned(),
        bytes: file,
    };
    let (kind, body) = lectern_lrs::join_multipart(sent.to_string().as_bytes(), &[bytes]);
    assert_eq!(
        client.json("POST", "/xapi/statements", &sent).await.status,
        StatusCode::BAD_REQUEST
    );
    let stored = client
        .send("POST", "/xapi/statements", Some(&kind), Body::from(body))
        .await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text());
    let got = client.get("/xapi/statements?attachments=true").await;
    assert!(
        got.header("content-type")
            .starts_with("multipart/mixed; boundary=")
    );
    assert!(
        got.text()
            .contains(&format!("X-Experience-API-Hash: {sha2}\r\n\r\nhello\r\n"))
    );
    let form = send(
        &client,
        "POST",
        "/xapi/statements",
        "multipart/form-data; boundary=x",
        "--x--",
    )
    .await;
    assert_eq!(form.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_page_of_many_statements_is_whole_and_head_says_how_long_it_is() {
    let the_box = TestBox::new();
    let client = client(&the_box, "2.0.0");
    let statements: Vec<Value> = (0..150)
        .map(|n| {
            let mut sent = statement(someone(), &format!("http://example.com/film/{n}"));
            sent["result"] = json!({"response": "x".repeat(3_000)});
            sent
        })
        .collect();
    let sent = client
        .json("POST", "/xapi/statements", &json!(statements))
        .await;
    assert_eq!(sent.status, StatusCode::OK);
    let page = client.get("/xapi/statements?limit=0").await;
    let found = page.json();
    assert_eq!(found["statements"].as_array().unwrap().len(), 150);
    assert_eq!(found["more"], "");
    let head = client
        .send("HEAD", "/xapi/statements?limit=0", None, Body::empty())
        .await;
    assert_eq!(head.header("content-length"), page.text().len().to_string());
    assert_eq!(head.text(), "");
}
