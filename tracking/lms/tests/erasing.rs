//! Erasing people: account and records in one act, and nothing that names them in the audit log.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{at, learner, new};
use lectern_lms::{AuditEvent, Erasing, Lms, MediaGrant, Person, PersonPatch, Role, ViewingGrant};
use lectern_lrs::{Caller, Lrs, Scope, Scopes};
use lectern_store::{Options, Store};
use lectern_xapi::{Ifi, Version};
use serde_json::json;

const MAIL: &str = "ada@example.edu";

/// A box with its record store, and Ada on it with a mail address.
fn scene() -> (Lms, Lrs, Erasing, Person, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("records.redb"), Options::default()).unwrap();
    let people = Lms::open(store.clone()).unwrap();
    let lrs = Lrs::open(store, vec![]).unwrap();
    let erasing = Erasing::new(people.clone(), lrs.clone());
    let ada = learner(&people, "ada");
    let mail = PersonPatch {
        email: Some(MAIL.into()),
        ..PersonPatch::default()
    };
    let ada = people.update_person(ada.id, mail).unwrap();
    (people, lrs, erasing, ada, folder)
}

async fn post(lrs: &Lrs, actor: serde_json::Value) {
    let caller = Caller {
        credential: "credential:test".into(),
        authority: Ifi::account("https://a.example", "credential:test").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    };
    let said =
        json!({"actor": actor, "verb": {"id": "http://v/v"}, "object": {"id": "http://a/a"}});
    let posted = lrs.post_statements(&caller, Version::V2_0_0, said.to_string());
    posted.await.unwrap();
}

async fn finish(erasing: &Erasing) -> Vec<lectern_lrs::erasure::Erasure> {
    let erasing = erasing.clone();
    let done = tokio::task::spawn_blocking(move || erasing.carry_out(&|| at(200), &mut || true));
    done.await.unwrap().unwrap()
}

#[tokio::test]
async fn account_tokens_and_statements_of_whoever_is_erased_go_in_one_act() {
    let (people, lrs, erasing, ada, _folder) = scene();
    let identity = people.identity().unwrap();
    post(&lrs, Ifi::account(identity, ada.actor.clone()).to_value()).await;
    post(
        &lrs,
        json!({"mbox": format!("mailto:{MAIL}"), "name": "Ada"}),
    )
    .await;
    post(&lrs, json!({"mbox": "mailto:bob@example.edu"})).await;
    let viewing = ViewingGrant {
        actor: ada.actor.clone(),
        registration: uuid::Uuid::new_v4(),
        activity_id: "http://a/a".into(),
        video: "v".into(),
        version: 1,
        expires: at(1_000),
    };
    let media = MediaGrant {
        person: Some(ada.id),
        video: "v".into(),
        version: 1,
        expires: at(1_000),
    };
    let viewing = people.mint_viewing(viewing, at(0)).unwrap();
    let media = people.mint_media(media, at(0)).unwrap();
    let token = people.add_api_token("ada", at(0)).unwrap();
    let whom = erasing.whom(ada.id).unwrap();
    assert_eq!(erasing.preview(&whom).unwrap().statements, 2);
    erasing.begin(&whom, "box", at(100)).unwrap();
    assert!(
        people.person(ada.id).unwrap().is_none() && people.who_is(&ada.actor).unwrap().is_none()
    );
    assert!(people.api_token(&token).unwrap().is_none());
    assert!(people.viewing(&viewing, at(101)).unwrap().is_none());
    assert!(people.media(&media, at(101)).unwrap().is_none());
    let done = finish(&erasing).await;
    assert_eq!((done.len(), done[0].statements), (1, 2));
    // Somebody else may have the name and the address now.
    people
        .add_person(&new("ada", &[Role::Learner]), at(300))
        .unwrap();
    assert!(finish(&erasing).await.is_empty());
    assert_eq!(lrs.verify_chain().unwrap().erased, 2);
}

#[tokio::test]
async fn the_audit_log_keeps_that_somebody_was_erased_and_nothing_that_names_them() {
    let (people, lrs, erasing, ada, _folder) = scene();
    post(&lrs, json!({"mbox": format!("mailto:{MAIL}")})).await;
    let read = AuditEvent {
        who: "somebody".into(),
        what: "record.read".into(),
        on: Some(format!("mailto:{MAIL}")),
        detail: Some(format!("statements of mailto:{MAIL}")),
    };
    people.audit(read, at(50)).unwrap();
    let whom = erasing.whom_typed("ada").unwrap();
    let begun = erasing.begin(&whom, "box", at(100)).unwrap();
    finish(&erasing).await;
    let entries = people.audit_list(None, 10).unwrap().items;
    let what: Vec<&str> = entries.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, ["person.erased", "person.erase", "record.read"]);
    assert!(!format!("{entries:?}").contains(MAIL), "{entries:?}");
    assert_eq!(entries[0].on, Some(ada.id.to_string()));
    assert_eq!(entries[2].on, Some(format!("erasure:{}", begun.id)));
    assert!(
        entries[0]
            .detail
            .as_deref()
            .unwrap()
            .starts_with("1 statements")
    );
}

#[tokio::test]
async fn a_rule_runs_from_the_next_day_on_and_once_a_day() {
    let (people, lrs, erasing, ada, _folder) = scene();
    post(&lrs, json!({"mbox": format!("mailto:{MAIL}")})).await;
    post(&lrs, json!({"mbox": "mailto:bob@example.edu"})).await;
    let now = jiff::Timestamp::now();
    let later = |days: i64| now + jiff::SignedDuration::from_hours(24 * days);
    people.set_keeping(0, 5, "root", now).unwrap();
    let run = async |time: jiff::Timestamp| {
        let erasing = erasing.clone();
        let ran = tokio::task::spawn_blocking(move || erasing.expire_when_due(time, &mut || true));
        ran.await.unwrap().unwrap()
    };
    // Her account is open.
    assert_eq!(run(now).await, None);
    assert_eq!(run(later(7)).await, Some(0));
    let closed = PersonPatch {
        disabled: Some(true),
        ..PersonPatch::default()
    };
    people.update_person(ada.id, closed).unwrap();
    assert_eq!(erasing.expiring(0, 5, later(8)).unwrap().statements, 1);
    assert_eq!(run(later(7)).await, None);
    assert_eq!(run(later(8)).await, Some(1));
    assert_eq!(erasing.expiring(5, 0, later(8)).unwrap().statements, 1);
    people.set_keeping(5, 0, "root", later(8)).unwrap();
    assert_eq!(run(later(9)).await, Some(1));
    let kept = people.keeping().unwrap();
    assert_eq!((kept.last_statements, kept.last), (1, Some(later(9))));
    assert!(kept.next.unwrap() > later(9));
    people.set_keeping(0, 0, "root", later(9)).unwrap();
    assert_eq!(run(later(99)).await, None);
}

#[test]
fn a_name_that_is_nobodys_erases_nobody() {
    let (_, _, erasing, _, _folder) = scene();
    assert!(erasing.whom_typed("adda").is_err());
    assert_eq!(erasing.whom_typed(" Ada ").unwrap().identifiers().len(), 3);
    assert_eq!(
        erasing
            .whom_typed("mailto:x@y.example")
            .unwrap()
            .identifiers()
            .len(),
        2
    );
}
