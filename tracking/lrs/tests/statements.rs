//! Writing and reading back, through the crate's public door.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::sync::atomic::Ordering;

use common::{admin, id, parameters, reference, statement, voiding};
use lectern_lrs::{Bound, Caller, Error, Scope, Scopes};
use lectern_xapi::{Ifi, Version};
use serde_json::json;

#[tokio::test]
async fn a_stored_statement_comes_back_as_received_with_what_the_lrs_sets() {
    let lrs = common::new();
    let mut sent = statement("ada", "read", "book");
    sent["result"] = json!({ "score": { "raw": 1.50 }, "extensions": { "http://x": null } });
    let ids = lrs.post(&sent).await.unwrap();
    let got = lrs.get(&[("statementId", &ids[0].to_string())]).unwrap();
    assert_eq!(got["result"], sent["result"]);
    assert_eq!(got["stored"], got["timestamp"]);
    assert_eq!(got["version"], "2.0.0");
    assert_eq!(got["authority"], admin().authority);
}

#[tokio::test]
async fn the_same_statement_again_is_fine_and_another_under_its_id_is_refused() {
    let lrs = common::new();
    let sent = statement("ada", "read", "book");
    lrs.post(&sent).await.unwrap();
    lrs.post(&sent).await.unwrap();
    assert_eq!(lrs.lrs.head().unwrap(), 1);
    let mut other = sent.clone();
    other["verb"]["id"] = json!("http://verbs/wrote");
    assert!(matches!(lrs.post(&other).await, Err(Error::Conflict(_))));
    assert_eq!(
        lrs.get(&[("statementId", &id(&sent))]).unwrap()["verb"],
        sent["verb"]
    );
}

#[tokio::test]
async fn one_bad_statement_keeps_its_whole_batch_out() {
    let lrs = common::new();
    let (good, mut bad) = (
        statement("ada", "read", "book"),
        statement("ada", "read", "book"),
    );
    bad["actor"] = json!(null);
    let refused = lrs.post(&json!([good, bad])).await;
    assert!(matches!(refused, Err(Error::Invalid(invalid)) if invalid.path == "$[1].actor"));
    let taken = statement("ada", "read", "book");
    lrs.post(&taken).await.unwrap();
    let mut other = taken.clone();
    other["actor"] = common::agent("bob");
    assert!(lrs.post(&json!([good, other])).await.is_err());
    assert_eq!(lrs.lrs.head().unwrap(), 1);
    assert!(lrs.get(&[("statementId", &id(&good))]).is_err());
}

#[tokio::test]
async fn stored_strictly_increases_when_the_clock_stands_or_jumps_back() {
    let lrs = common::new();
    let batch: Vec<_> = (0..5).map(|_| statement("ada", "read", "book")).collect();
    lrs.post(&json!(batch)).await.unwrap();
    lrs.clock.fetch_sub(3_600_000_000, Ordering::SeqCst);
    lrs.post(&json!(
        batch
            .iter()
            .map(|_| statement("ada", "read", "book"))
            .collect::<Vec<_>>()
    ))
    .await
    .unwrap();
    let got = lrs.get(&[("ascending", "true")]).unwrap();
    let stored: Vec<&str> = got["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["stored"].as_str().unwrap())
        .collect();
    assert_eq!(stored.len(), 10);
    assert!(
        stored.windows(2).all(|pair| pair[0] < pair[1]),
        "{stored:?}"
    );
    assert_eq!(lrs.lrs.verify_chain().unwrap().broken, None);
}

#[tokio::test]
async fn put_asks_for_the_id_of_the_request() {
    let lrs = common::new();
    let sent = statement("ada", "read", "book");
    let other = uuid::Uuid::now_v7().to_string();
    let put = |id: String, body: String| {
        let lrs = lrs.lrs.clone();
        async move {
            lrs.put_statement(&admin(), Version::V1_0_3, &id, body)
                .await
        }
    };
    assert!(put(other, sent.to_string()).await.is_err());
    put(id(&sent), sent.to_string()).await.unwrap();
    put(id(&sent), sent.to_string()).await.unwrap();
    assert!(put(id(&sent), json!([sent]).to_string()).await.is_err());
    assert_eq!(
        lrs.get(&[("statementId", &id(&sent))]).unwrap()["version"],
        "1.0.0"
    );
}

#[tokio::test]
async fn a_voided_statement_is_found_by_its_voided_id_alone_even_when_it_comes_second() {
    let lrs = common::new();
    let (first, second) = (
        statement("ada", "read", "book"),
        statement("ada", "read", "book"),
    );
    lrs.post(&first).await.unwrap();
    let (void_first, void_second) = (voiding(&id(&first)), voiding(&id(&second)));
    lrs.post(&json!([void_first, void_second])).await.unwrap();
    lrs.post(&second).await.unwrap();
    // What is handed on to earlier statements comes with the tables.
    lrs.lrs.settle();
    for voided in [&first, &second] {
        assert!(matches!(
            lrs.get(&[("statementId", &id(voided))]),
            Err(Error::NotFound(_))
        ));
        assert_eq!(
            lrs.get(&[("voidedStatementId", &id(voided))]).unwrap()["id"],
            voided["id"]
        );
    }
    assert!(lrs.get(&[("voidedStatementId", &id(&void_first))]).is_err());
    // The filter reaches through the voiding statement, which is shown in the voided one's place.
    assert_eq!(
        lrs.ids(&[("verb", "http://verbs/read")]),
        [id(&void_second), id(&void_first)]
    );
}

#[tokio::test]
async fn voiding_a_voiding_statement_changes_nothing() {
    let lrs = common::new();
    let sent = statement("ada", "read", "book");
    let void = voiding(&id(&sent));
    lrs.post(&json!([sent, void, voiding(&id(&void))]))
        .await
        .unwrap();
    assert!(lrs.get(&[("statementId", &id(&sent))]).is_err());
    assert!(lrs.get(&[("statementId", &id(&void))]).is_ok());
}

fn device(actor: &str, registration: uuid::Uuid) -> Caller {
    Caller::device(Bound {
        actor: Ifi::account(common::ACTOR, actor),
        registration: Some(registration),
        activity: Some("http://activities/film".to_owned()),
    })
}

#[tokio::test]
async fn a_viewing_token_writes_for_its_own_actor_registration_and_activity_only() {
    let lrs = common::new();
    let registration = uuid::Uuid::now_v7();
    let caller = device("ada", registration);
    let mut good = statement("ada", "played", "film");
    good["context"] = json!({ "registration": registration });
    lrs.post_as(&caller, &good).await.unwrap();
    let got = lrs.get(&[("statementId", &id(&good))]).unwrap();
    assert_eq!(got["authority"]["account"]["name"], "device:ada");

    let mut cases = Vec::new();
    for change in ["actor", "object", "context"] {
        let mut bad = good.clone();
        bad["id"] = json!(uuid::Uuid::now_v7());
        match change {
            "actor" => bad["actor"] = common::agent("bob"),
            "object" => bad["object"]["id"] = json!("http://activities/other"),
            _ => bad["context"]["registration"] = json!(uuid::Uuid::now_v7()),
        }
        cases.push(bad);
    }
    let mut group = good.clone();
    group["id"] = json!(uuid::Uuid::now_v7());
    group["actor"] = json!({ "objectType": "Group", "member": [common::agent("ada")] });
    cases.push(group);
    let mut named = good.clone();
    named["id"] = json!(uuid::Uuid::now_v7());
    named["actor"] = common::agent("ada");
    named["actor"]["objectType"] = json!("Group");
    named["actor"]["member"] = json!([common::agent("bob")]);
    cases.push(named);
    let mut bare = good.clone();
    bare["id"] = json!(uuid::Uuid::now_v7());
    bare.as_object_mut().unwrap().remove("context");
    cases.push(bare);
    let mut void = voiding(&id(&good));
    void["actor"] = common::agent("ada");
    cases.push(void);
    cases.push(reference("ada", "x", &id(&good)));
    for bad in cases {
        assert!(
            matches!(lrs.post_as(&caller, &bad).await, Err(Error::Forbidden(_))),
            "{bad}"
        );
    }
    let read = lrs
        .lrs
        .get_statements(&caller, Version::V2_0_0, &parameters(&[]), None);
    assert!(matches!(read, Err(Error::Forbidden(_))));
    assert_eq!(lrs.lrs.head().unwrap(), 1);
}

#[test]
fn a_credential_has_a_name_and_may_do_something() {
    let lrs = common::new();
    let credentials = lrs.lrs.credentials();
    let add = |name: &str, scopes: &[Scope]| {
        credentials.add(
            name,
            Scopes::from_iter(scopes.iter().copied()),
            common::ACTOR,
        )
    };
    let long = "ä".repeat(200);
    for name in ["a", long.as_str(), "  Moodle  "] {
        assert!(add(name, &[Scope::State]).is_ok(), "{name}");
    }
    for name in ["", "   ", "a\nb", &format!("{long}ä")] {
        let added = add(name, &[Scope::State]).map(|_| ());
        assert!(matches!(added, Err(Error::Invalid(_))), "{name}");
    }
    let nothing = add("a", &[]).map(|_| ());
    assert!(matches!(nothing, Err(Error::Invalid(_))));
    assert_eq!(credentials.list().unwrap()[2].name, "Moodle");
}

#[tokio::test]
async fn a_credential_reads_its_own_statements_unless_it_may_read_all() {
    let lrs = common::new();
    let credentials = lrs.lrs.credentials();
    let new = credentials
        .add("mine", lectern_lrs::Scopes::default(), common::ACTOR)
        .unwrap();
    assert!(credentials.verify(&new.key, "wrong").unwrap().is_none());
    let caller = credentials.verify(&new.key, &new.secret).unwrap().unwrap();
    let (own, foreign) = (
        statement("ada", "read", "book"),
        statement("ada", "read", "book"),
    );
    lrs.post(&foreign).await.unwrap();
    lrs.post_as(&caller, &own).await.unwrap();
    for filter in [&[][..], &[("verb", "http://verbs/read")][..]] {
        let answer = lrs
            .lrs
            .get_statements(&caller, Version::V2_0_0, &parameters(filter), None)
            .unwrap();
        let got: serde_json::Value = serde_json::from_str(&answer.json).unwrap();
        assert_eq!(got["statements"].as_array().unwrap().len(), 1);
        assert_eq!(got["statements"][0]["id"], own["id"]);
    }
    let foreign = parameters(&[("statementId", &id(&foreign))]);
    assert!(
        lrs.lrs
            .get_statements(&caller, Version::V2_0_0, &foreign, None)
            .is_err()
    );
    credentials.revoke(new.id).unwrap();
    assert!(credentials.verify(&new.key, &new.secret).unwrap().is_none());
}

#[tokio::test]
async fn what_is_consistent_never_promises_a_statement_on_its_way() {
    let lrs = common::new();
    let before = lrs.lrs.consistent_through();
    lrs.post(&statement("ada", "read", "book")).await.unwrap();
    lrs.lrs.settle();
    lrs.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let after = lrs.lrs.consistent_through();
    let stored: jiff::Timestamp = lrs.get(&[]).unwrap()["statements"][0]["stored"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(before < stored && stored <= after);
}

fn attached(bytes: &[u8], url: bool) -> serde_json::Value {
    use sha2::{Digest, Sha256};
    let mut attachment = json!({
        "usageType": "http://usage",
        "display": { "en": "A file" },
        "contentType": "text/plain",
        "length": bytes.len(),
        "sha2": hex::encode(Sha256::digest(bytes)),
    });
    if url {
        attachment["fileUrl"] = json!("http://files/a");
    }
    attachment
}

fn mixed(statements: &serde_json::Value, files: &[&[u8]]) -> lectern_lrs::StatementsBody {
    use sha2::{Digest, Sha256};
    let parts: Vec<_> = files
        .iter()
        .map(|bytes| lectern_lrs::AttachmentBytes {
            sha2: hex::encode(Sha256::digest(bytes)),
            content_type: "text/plain".to_owned(),
            bytes: bytes.to_vec(),
        })
        .collect();
    let (content_type, bytes) =
        lectern_lrs::join_multipart(statements.to_string().as_bytes(), &parts);
    let boundary = lectern_xapi::multipart::boundary(&content_type)
        .unwrap()
        .unwrap();
    lectern_lrs::StatementsBody::Multipart { bytes, boundary }
}

#[tokio::test]
async fn attachments_come_with_their_statements_and_go_with_them() {
    let lrs = common::new();
    let post = |body: lectern_lrs::StatementsBody| {
        let lrs = lrs.lrs.clone();
        async move { lrs.post_statements(&admin(), Version::V1_0_3, body).await }
    };
    let (mut first, mut second) = (statement("ada", "read", "a"), statement("ada", "read", "b"));
    first["attachments"] = json!([attached(b"one", false), attached(b"elsewhere", true)]);
    second["attachments"] = json!([attached(b"one", false), attached(b"two\r\n", false)]);
    let both = json!([first, second]);
    assert!(post(both.to_string().into()).await.is_err());
    assert!(post(mixed(&both, &[b"one"])).await.is_err());
    assert!(
        post(mixed(&both, &[b"one", b"two\r\n", b"three"]))
            .await
            .is_err()
    );
    assert_eq!(lrs.lrs.head().unwrap(), 0);
    post(mixed(&both, &[b"one", b"two\r\n"])).await.unwrap();
    let get = |pairs: &[(&str, &str)]| {
        lrs.lrs
            .get_statements(&admin(), Version::V1_0_3, &parameters(pairs), None)
            .unwrap()
            .attachments
    };
    assert_eq!(get(&[]), None);
    let all = get(&[("attachments", "true")]).unwrap();
    let mut bytes: Vec<_> = all
        .iter()
        .map(|attachment| attachment.bytes.as_slice())
        .collect();
    bytes.sort_unstable();
    assert_eq!(bytes, [&b"one"[..], b"two\r\n"]);
    assert_eq!(
        get(&[("attachments", "true"), ("statementId", &id(&first))])
            .unwrap()
            .len(),
        1
    );
}
