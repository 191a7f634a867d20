//! State and Profile documents.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use common::{admin, agent, parameters};
use lectern_lrs::{Bound, Caller, Conditions, DocumentRequest, Error, Lrs, Resource};
use lectern_xapi::{Ifi, Version};

fn state(pairs: &[(&str, &str)]) -> DocumentRequest {
    let ada = agent("ada").to_string();
    let mut all = vec![
        ("activityId", "http://activities/film"),
        ("agent", ada.as_str()),
    ];
    all.extend_from_slice(pairs);
    DocumentRequest::parse(Resource::State, &parameters(&all), Version::V2_0_0).unwrap()
}

async fn put(
    lrs: &Lrs,
    version: Version,
    request: &DocumentRequest,
    body: &str,
    conditions: Conditions,
) -> Result<(), Error> {
    lrs.put_document(
        &admin(),
        version,
        request,
        "application/json",
        body.into(),
        conditions,
    )
    .await
}

#[tokio::test]
async fn an_etag_is_the_sha_1_of_the_body() {
    let keep = common::new();
    let lrs = keep.lrs.clone();
    let request = state(&[("stateId", "s")]);
    put(
        &lrs,
        Version::V2_0_0,
        &request,
        "abc",
        Conditions::default(),
    )
    .await
    .unwrap();
    let document = lrs.get_document(&admin(), &request.place, "s").unwrap();
    assert_eq!(document.etag, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(document.bytes, b"abc");
}

#[tokio::test]
async fn a_blind_put_over_a_document_is_a_conflict_but_for_state_under_1_0_3() {
    let keep = common::new();
    let lrs = keep.lrs.clone();
    let request = state(&[("stateId", "s")]);
    put(&lrs, Version::V2_0_0, &request, "1", Conditions::default())
        .await
        .unwrap();
    assert!(matches!(
        put(&lrs, Version::V2_0_0, &request, "2", Conditions::default()).await,
        Err(Error::Conflict(_))
    ));
    put(&lrs, Version::V1_0_3, &request, "3", Conditions::default())
        .await
        .unwrap();
    let profile = DocumentRequest::parse(
        Resource::ActivityProfile,
        &parameters(&[("activityId", "http://a/b"), ("profileId", "p")]),
        Version::V1_0_3,
    )
    .unwrap();
    let (blind, fresh) = (Conditions::default(), Conditions::parse(None, Some("*")));
    let refused = put(&lrs, Version::V1_0_3, &profile, "1", blind.clone()).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    put(&lrs, Version::V1_0_3, &profile, "1", fresh)
        .await
        .unwrap();
    let refused = put(&lrs, Version::V1_0_3, &profile, "2", blind).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn conditions_hold_or_nothing_changes() {
    let keep = common::new();
    let lrs = keep.lrs.clone();
    let request = state(&[("stateId", "s")]);
    let never = Conditions::parse(Some("\"0000\""), None);
    let fresh = Conditions::parse(None, Some("*"));
    assert!(matches!(
        put(&lrs, Version::V2_0_0, &request, "1", never.clone()).await,
        Err(Error::PreconditionFailed(_))
    ));
    put(&lrs, Version::V2_0_0, &request, "1", fresh.clone())
        .await
        .unwrap();
    assert!(matches!(
        put(&lrs, Version::V2_0_0, &request, "2", fresh).await,
        Err(Error::PreconditionFailed(_))
    ));
    let tag = lrs
        .get_document(&admin(), &request.place, "s")
        .unwrap()
        .etag;
    let own = Conditions::parse(Some(&format!("\"{tag}\"")), None);
    put(&lrs, Version::V2_0_0, &request, "2", own.clone())
        .await
        .unwrap();
    assert!(matches!(
        lrs.delete_document(&admin(), &request, own).await,
        Err(Error::PreconditionFailed(_))
    ));
    lrs.delete_document(&admin(), &request, Conditions::default())
        .await
        .unwrap();
    assert!(matches!(
        lrs.get_document(&admin(), &request.place, "s"),
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn post_merges_the_top_level_of_json_objects_and_nothing_else() {
    let keep = common::new();
    let lrs = keep.lrs.clone();
    let request = state(&[("stateId", "s")]);
    let post = |kind: &'static str, body: &'static str| {
        let (lrs, request) = (lrs.clone(), request.clone());
        async move {
            lrs.post_document(&admin(), &request, kind, body.into(), Conditions::default())
                .await
        }
    };
    post("application/json", r#"{"a":{"x":1},"b":2.0}"#)
        .await
        .unwrap();
    post("application/json;charset=utf-8", r#"{"a":{"y":1},"c":3}"#)
        .await
        .unwrap();
    let merged = lrs.get_document(&admin(), &request.place, "s").unwrap();
    assert_eq!(merged.bytes, br#"{"a":{"y":1},"b":2.0,"c":3}"#);
    for (kind, body) in [
        ("text/plain", "{}"),
        ("application/json", "[]"),
        ("application/json", "nonsense"),
    ] {
        assert!(
            matches!(post(kind, body).await, Err(Error::Invalid(_))),
            "{kind} {body}"
        );
    }
    assert_eq!(
        lrs.get_document(&admin(), &request.place, "s").unwrap(),
        merged
    );
}

#[tokio::test]
async fn a_registration_is_part_of_the_place_and_since_filters_the_list() {
    let lrs = common::new();
    let registration = uuid::Uuid::now_v7().to_string();
    let with = state(&[("stateId", "a"), ("registration", &registration)]);
    let without = state(&[("stateId", "b")]);
    put(&lrs.lrs, Version::V2_0_0, &with, "1", Conditions::default())
        .await
        .unwrap();
    put(
        &lrs.lrs,
        Version::V2_0_0,
        &without,
        "1",
        Conditions::default(),
    )
    .await
    .unwrap();
    assert_eq!(
        lrs.lrs
            .list_documents(&admin(), &with.place, None)
            .unwrap()
            .ids,
        ["a"]
    );
    let found = lrs
        .lrs
        .list_documents(&admin(), &without.place, None)
        .unwrap();
    assert_eq!(found.ids, ["b"]);
    assert!(
        lrs.lrs
            .list_documents(&admin(), &without.place, found.last_modified)
            .unwrap()
            .ids
            .is_empty()
    );
    lrs.lrs
        .delete_documents(&admin(), &without.place)
        .await
        .unwrap();
    assert!(
        lrs.lrs
            .list_documents(&admin(), &without.place, None)
            .unwrap()
            .ids
            .is_empty()
    );
    assert_eq!(
        lrs.lrs
            .list_documents(&admin(), &with.place, None)
            .unwrap()
            .ids,
        ["a"]
    );
}

#[tokio::test]
async fn a_viewing_token_reaches_the_state_of_its_viewing_only() {
    let keep = common::new();
    let lrs = keep.lrs.clone();
    let registration = uuid::Uuid::now_v7();
    let caller = Caller::device(Bound {
        actor: Ifi::account(common::ACTOR, "ada"),
        registration: Some(registration),
        activity: Some("http://activities/film".to_owned()),
    });
    let write = |request: DocumentRequest| {
        let (lrs, caller) = (lrs.clone(), caller.clone());
        async move {
            lrs.put_document(
                &caller,
                Version::V2_0_0,
                &request,
                "text/plain",
                vec![1],
                Conditions::default(),
            )
            .await
        }
    };
    write(state(&[
        ("stateId", "s"),
        ("registration", &registration.to_string()),
    ]))
    .await
    .unwrap();
    assert!(matches!(
        write(state(&[("stateId", "s")])).await,
        Err(Error::Forbidden(_))
    ));
    let bob = agent("bob").to_string();
    for (activity, agent) in [
        ("http://activities/film", bob.as_str()),
        ("http://activities/other", &agent("ada").to_string()),
    ] {
        let request = parameters(&[
            ("activityId", activity),
            ("agent", agent),
            ("stateId", "s"),
            ("registration", &registration.to_string()),
        ]);
        let request = DocumentRequest::parse(Resource::State, &request, Version::V2_0_0).unwrap();
        assert!(
            matches!(write(request).await, Err(Error::Forbidden(_))),
            "{activity}"
        );
    }
}

#[test]
fn parameters_are_read_strictly() {
    let ada = agent("ada").to_string();
    for bad in [
        &[("agent", ada.as_str())][..],
        &[("activityId", "http://a/b")],
        &[("activityId", "x"), ("agent", &ada)],
        &[("activityId", "http://a/b"), ("agent", "x")],
        &[
            ("activityId", "http://a/b"),
            ("agent", &ada),
            ("stateid", "s"),
        ],
        &[
            ("activityId", "http://a/b"),
            ("agent", &ada),
            ("registration", "x"),
        ],
        &[
            ("activityId", "http://a/b"),
            ("agent", &ada),
            ("since", "x"),
        ],
        &[
            ("activityId", "http://a/b"),
            ("agent", &ada),
            ("profileId", "x"),
        ],
    ] {
        assert!(
            DocumentRequest::parse(Resource::State, &parameters(bad), Version::V2_0_0).is_err(),
            "{bad:?}"
        );
    }
}
