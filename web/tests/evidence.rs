//! `/api/v1/evidence`, and what is written down of readings at `/xapi`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use lectern_lms::{AuditEntry, Role};
use lectern_lrs::evidence::verify_export;
use lectern_lrs::{Scope, Scopes};
use serde_json::{Value, json};
use support::{Asking, TestBox};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn credential<'a>(the_box: &'a TestBox, name: &str) -> (Asking<'a>, String) {
    let identity = the_box.app.lms.identity().unwrap();
    let scopes = Scopes::from_iter([Scope::All]);
    let credentials = the_box.app.lrs.credentials();
    let new = credentials.add(name, scopes, &identity).unwrap();
    let basic = STANDARD.encode(format!("{}:{}", new.key, new.secret));
    let asking = the_box
        .nobody()
        .header("authorization", &format!("Basic {basic}"))
        .header("x-experience-api-version", "2.0.0");
    (asking, format!("credential:{}", new.id))
}

fn agent(the_box: &TestBox, name: &str) -> Value {
    let identity = the_box.app.lms.identity().unwrap();
    json!({ "account": { "homePage": identity, "name": name } })
}

async fn store(asking: &Asking<'_>, actor: &Value) -> String {
    let id = Uuid::now_v7().to_string();
    let statement = json!({
        "id": id,
        "actor": actor,
        "verb": { "id": "https://w3id.org/xapi/video/verbs/played" },
        "object": { "id": "https://example.org/film" },
    });
    let stored = asking.json("POST", "/xapi/statements", &statement).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text());
    id
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// The readings in the audit log, oldest first: who, on whom, what.
fn readings(the_box: &TestBox) -> Vec<(String, String, String)> {
    let page = the_box.app.lms.audit_list(None, 500).unwrap();
    let is_reading = |entry: &AuditEntry| entry.what == "record.read";
    let of = |entry: AuditEntry| (entry.who, entry.on.unwrap(), entry.detail.unwrap());
    let mut found: Vec<_> = page.items.into_iter().filter(is_reading).map(of).collect();
    found.reverse();
    found
}

#[tokio::test]
async fn what_a_credential_reads_is_written_down_with_whose_record_it_is() {
    let the_box = TestBox::new();
    let (asking, who) = credential(&the_box, "analytics");
    let ada = the_box.person("ada", &[Role::Learner]);
    let ours = agent(&the_box, &ada.actor);
    let foreign = json!({ "mbox": "mailto:eve@example.org" });
    let id = store(&asking, &ours).await;
    store(&asking, &foreign).await;
    assert_eq!(readings(&the_box), [], "writing is no reading");
    let get = async |path: String| {
        let answer = asking.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    };
    let verb = "https://w3id.org/xapi/video/verbs/played";
    let of_foreign = query(&[("agent", &foreign.to_string()), ("verb", verb)]);
    let of_ada = query(&[("agent", &ours.to_string())]);
    get("/xapi/statements?limit=1".to_owned()).await;
    get(format!("/xapi/statements?statementId={id}")).await;
    get(format!("/xapi/statements?{of_foreign}")).await;
    get(format!("/xapi/agents?{of_ada}")).await;
    get(format!("/xapi/agents/profile?{of_ada}")).await;
    let state = format!("{of_ada}&activityId=https%3A%2F%2Fexample.org%2Ffilm");
    get(format!("/xapi/activities/state?{state}")).await;
    let ada = ada.id.to_string();
    let row = |on: &str, detail: &str| (who.clone(), on.to_owned(), detail.to_owned());
    let expected = [
        row("everyone", "xapi/statements"),
        row(&ada, &format!("xapi/statements statementId={id}")),
        row(
            "mailto:eve@example.org",
            &format!("xapi/statements verb={verb}"),
        ),
        row(&ada, "xapi/agents"),
        row(&ada, "xapi/agents/profile"),
        row(
            &ada,
            "xapi/activities/state activityId=https://example.org/film",
        ),
    ];
    assert_eq!(readings(&the_box), expected);
    // Again, within ten minutes: nothing is written, not even to the store.
    let commits = *the_box.app.records.commits().borrow();
    get(format!("/xapi/statements?{of_foreign}")).await;
    get(format!("/xapi/agents?{of_ada}")).await;
    assert_eq!(readings(&the_box), expected);
    assert_eq!(*the_box.app.records.commits().borrow(), commits);
    // What was not found was not read, and an activity is nobody.
    let missing = asking
        .get(&format!("/xapi/statements?statementId={}", Uuid::nil()))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    get("/xapi/activities?activityId=https%3A%2F%2Fexample.org%2Ffilm".to_owned()).await;
    assert_eq!(readings(&the_box), expected);
}

#[tokio::test]
async fn a_further_page_is_a_reading_of_whom_the_first_was_about() {
    let the_box = TestBox::new();
    let (asking, _) = credential(&the_box, "first");
    let eve = json!({ "mbox": "mailto:eve@example.org" });
    store(&asking, &eve).await;
    store(&asking, &eve).await;
    let of_eve = query(&[("agent", &eve.to_string()), ("limit", "1")]);
    let page = asking
        .get(&format!("/xapi/statements?{of_eve}"))
        .await
        .json();
    let (other, who) = credential(&the_box, "second");
    let more = other.get(page["more"].as_str().unwrap()).await;
    assert_eq!(more.status, StatusCode::OK, "{}", more.text());
    let last = readings(&the_box).pop().unwrap();
    let expected = (
        who,
        "mailto:eve@example.org".into(),
        "xapi/statements".into(),
    );
    assert_eq!(last, expected);
}

#[tokio::test]
async fn reading_ones_own_record_is_not_written_down_and_reading_anothers_is() {
    let the_box = TestBox::new();
    let token = the_box.token("ada", &[Role::Learner]);
    let ada = the_box.app.lms.person_by_name("ada").unwrap().unwrap();
    let asking = the_box
        .nobody()
        .header("authorization", &format!("Bearer {token}"))
        .header("x-experience-api-version", "2.0.0");
    let own = agent(&the_box, &ada.actor);
    let id = store(&asking, &own).await;
    let of_own = query(&[("agent", &own.to_string())]);
    for path in [
        "/xapi/statements".to_owned(),
        format!("/xapi/statements?statementId={id}"),
        format!("/xapi/statements?{of_own}"),
        format!("/xapi/activities/state?{of_own}&activityId=https%3A%2F%2Fexample.org%2Ffilm"),
    ] {
        let answer = asking.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    }
    assert_eq!(readings(&the_box), []);
    let other = query(&[(
        "agent",
        &json!({ "mbox": "mailto:eve@example.org" }).to_string(),
    )]);
    let answer = asking.get(&format!("/xapi/statements?{other}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let (who, on, _) = readings(&the_box).pop().unwrap();
    assert_eq!(
        (who, on),
        (ada.id.to_string(), "mailto:eve@example.org".into())
    );
}

#[tokio::test]
async fn the_auditor_signs_verifies_and_takes_the_evidence_away() {
    let the_box = TestBox::new();
    let stop = CancellationToken::new();
    let running = tokio::spawn(lectern_lrs::evidence::run(
        the_box.app.evidence.clone(),
        stop.clone(),
    ));
    let auditor = the_box.caller("vera", &[Role::Auditor]);
    let empty = auditor.get("/api/v1/evidence").await.json();
    assert_eq!(
        (&empty["entries"], &empty["can_sign"]),
        (&json!(0), &json!(true))
    );
    let refused = auditor
        .json("POST", "/api/v1/evidence/heads", &json!(null))
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    let (writer, _) = credential(&the_box, "w");
    store(&writer, &json!({ "mbox": "mailto:eve@example.org" })).await;
    let signed = auditor
        .json("POST", "/api/v1/evidence/heads", &json!(null))
        .await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.text());
    assert_eq!(signed.json()["sequence"], 1);
    let begun = auditor
        .json("POST", "/api/v1/evidence/verify", &json!(null))
        .await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
    let standing = loop {
        let standing = auditor.get("/api/v1/evidence").await.json();
        if standing.get("verifying").is_none() {
            break standing;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(standing["verified"]["is_whole"], true, "{standing}");
    assert_eq!(standing["last_head"]["hash"], signed.json()["hash"]);
    let export = auditor.get("/api/v1/evidence/export?bodies=true").await;
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let key = standing["key"].as_str().unwrap().parse().unwrap();
    let found = verify_export(&mut &export.body[..], Some(key), None, &mut |_| {}).unwrap();
    assert_eq!((found.entries, found.bodies, found.heads), (1, 1, 1));
    let page = the_box.app.lms.audit_list(None, 500).unwrap();
    for what in ["evidence.sign", "evidence.verify", "evidence.export"] {
        assert!(page.items.iter().any(|entry| entry.what == what), "{what}");
    }
    let admin = the_box.caller("ines", &[Role::Admin]);
    let refused = admin.get("/api/v1/evidence/export").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    stop.cancel();
    running.await.unwrap();
}
