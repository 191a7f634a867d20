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
async fn names_that_only_hold_the_name_stay_in_the_audit_log() {
    let (people, _lrs, erasing, _ada, _folder) = scene();
    let on = |name: &str| AuditEvent {
        who: "somebody".into(),
        what: "record.read".into(),
        on: Some(name.to_owned()),
        detail: Some(format!("of {name}, agent=\"{name}\"")),
    };
    for name in ["mailto:bada@example.edu", "mailto:ada@example.edu.au"] {
        people.audit(on(name), at(50)).unwrap();
    }
    people.audit(on(&format!("mailto:{MAIL}")), at(51)).unwrap();
    let whom = erasing.whom_typed("ada").unwrap();
    let begun = erasing.begin(&whom, "box", at(100)).unwrap();
    finish(&erasing).await;
    let entries = people.audit_list(None, 10).unwrap().items;
    let said = |index: usize| {
        let entry = &entries[index];
        (entry.on.clone().unwrap(), entry.detail.clone().unwrap())
    };
    let as_it_was = |name: &str| (name.to_owned(), format!("of {name}, agent=\"{name}\""));
    assert_eq!(said(4), as_it_was("mailto:bada@example.edu"));
    assert_eq!(said(3), as_it_was("mailto:ada@example.edu.au"));
    assert_eq!(said(2), as_it_was(&format!("erasure:{}", begun.id)));
}

#[tokio::test]
async fn no_file_has_the_address_of_whoever_was_erased() {
    let (people, lrs, erasing, _ada, folder) = scene();
    post(&lrs, json!({"mbox": format!("mailto:{MAIL}")})).await;
    let reading = lectern_lms::Reading {
        on: format!("mailto:{MAIL}"),
        resource: "xapi/statements".into(),
        filters: String::new(),
    };
    people
        .audit_readings("credential:a", vec![reading], at(50))
        .unwrap();
    let holding = || -> Vec<String> {
        let files = std::fs::read_dir(folder.path()).unwrap();
        let holds = |bytes: &[u8]| bytes.windows(MAIL.len()).any(|at| at == MAIL.as_bytes());
        files
            .map(|file| file.unwrap().path())
            .filter(|path| holds(&std::fs::read(path).unwrap()))
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(holding().len(), 3, "{:?}", holding());
    let whom = erasing.whom_typed("ada").unwrap();
    erasing.begin(&whom, "box", at(100)).unwrap();
    let done = finish(&erasing).await;
    assert!(done[0].overwritten && done[0].who.is_empty());
    assert_eq!(holding(), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_that_two_people_have_is_neithers() {
    let (people, lrs, erasing, ada, _folder) = scene();
    let bob = learner(&people, "bob");
    let mail = PersonPatch {
        email: Some(MAIL.to_uppercase()),
        ..PersonPatch::default()
    };
    people.update_person(bob.id, mail).unwrap();
    post(&lrs, json!({"mbox": format!("mailto:{MAIL}")})).await;
    let whom = erasing.whom(ada.id).unwrap();
    assert_eq!(whom.shared.as_deref(), Some(MAIL));
    assert_eq!(erasing.preview(&whom).unwrap().statements, 0);
    erasing.begin(&whom, "box", at(100)).unwrap();
    finish(&erasing).await;
    assert_eq!(lrs.verify_chain().unwrap().erased, 0);
    // It is the other's alone now.
    let whom = erasing.whom(bob.id).unwrap();
    assert_eq!(whom.shared, None);
    assert_eq!(erasing.preview(&whom).unwrap().statements, 1);
}

#[tokio::test]
async fn of_people_whose_account_is_closed_only_what_they_did_is_too_old() {
    let (people, lrs, erasing, ada, _folder) = scene();
    let hers = json!({"mbox": format!("mailto:{MAIL}")});
    post(&lrs, hers.clone()).await;
    let caller = Caller {
        credential: "credential:test".into(),
        authority: Ifi::account("https://a.example", "credential:test").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    };
    let said = json!({
        "actor": {"mbox": "mailto:bob@example.edu"}, "verb": {"id": "http://v/v"},
        "object": {"id": "http://a/a"}, "context": {"instructor": hers},
    });
    lrs.post_statements(&caller, Version::V2_0_0, said.to_string())
        .await
        .unwrap();
    let closed = PersonPatch {
        disabled: Some(true),
        ..PersonPatch::default()
    };
    people.update_person(ada.id, closed).unwrap();
    let now = jiff::Timestamp::now();
    let later = now + jiff::SignedDuration::from_hours(24 * 9);
    people.set_keeping(0, 5, "root", now).unwrap();
    assert_eq!(erasing.expiring(0, 5, later).unwrap().statements, 1);
    let run = {
        let erasing = erasing.clone();
        tokio::task::spawn_blocking(move || erasing.expire_when_due(&|| later, &mut || true))
    };
    assert_eq!(run.await.unwrap().unwrap(), Some(1));
    assert!(lrs.statement(1).unwrap().is_none() && lrs.statement(2).unwrap().is_some());
}

#[tokio::test]
async fn a_rule_that_is_taken_back_ends_its_run() {
    let (people, lrs, erasing, _ada, _folder) = scene();
    for _ in 0..1_100 {
        post(&lrs, json!({"mbox": "mailto:bob@example.edu"})).await;
    }
    let now = jiff::Timestamp::now();
    let later = now + jiff::SignedDuration::from_hours(24 * 9);
    people.set_keeping(5, 0, "root", now).unwrap();
    let (taking_back, run) = (people.clone(), erasing.clone());
    let ran = tokio::task::spawn_blocking(move || {
        run.expire_when_due(&|| later, &mut || {
            taking_back.set_keeping(0, 0, "root", later).unwrap();
            true
        })
    });
    let erased = ran.await.unwrap().unwrap().unwrap();
    assert!((1..1_100).contains(&erased), "{erased}");
    let kept = people.keeping().unwrap();
    assert_eq!((kept.last_statements, kept.next), (erased, None));
    assert_eq!(lrs.verify_chain().unwrap().erased, erased);
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
        let ran =
            tokio::task::spawn_blocking(move || erasing.expire_when_due(&|| time, &mut || true));
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
    let (people, _, erasing, _, _folder) = scene();
    assert!(erasing.whom_typed("adda").is_err());
    let identity = people.identity().unwrap();
    for name in ["credential:1", "device:2", "token:3"] {
        let refused = erasing.whom_typed(&format!("{identity} {name}"));
        assert!(refused.unwrap_err().to_string().contains("is no person"));
    }
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
