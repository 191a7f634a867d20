//! The table of routes and roles, route by route, through the router.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use axum::body::Body;
use http::{Method, StatusCode};
use lectern_lms::Role;
use lectern_web::roles::{TABLE, Who};
use support::TestBox;

/// A path that the route matches; what it names is not there.
fn concrete(path: &str) -> String {
    let id = uuid::Uuid::nil().to_string();
    path.replace("{id}", &id)
        .replace("{video}", &id)
        .replace("{version}", "1")
        .replace("{day}", "2026-11-26")
        .replace("{language}", "en")
        .replace("{n}", "1")
        .replace("{*path}", "master.m3u8")
}

fn body_of(method: &Method) -> (Option<&'static str>, Body) {
    match *method {
        Method::POST | Method::PUT | Method::PATCH => (Some("application/json"), Body::from("{}")),
        _ => (None, Body::empty()),
    }
}

/// What the guard says: nothing of a role, or that one is missing.
fn is_refused(status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN
}

#[tokio::test]
async fn each_route_admits_the_roles_in_its_row_and_no_others() {
    let it = TestBox::new();
    // Route by route, each role has a person of its own, so that signing out or erasing hits nobody else.
    for (number, rule) in TABLE.iter().enumerate() {
        let path = concrete(rule.path);
        if rule.path.contains("events") {
            continue; // Never ends; `tests/events.rs` opens it.
        }
        for role in Role::ALL {
            let caller = it.caller(&format!("{role}{number}"), &[role]);
            let (kind, body) = body_of(&rule.method);
            let answer = caller.send(rule.method.as_str(), &path, kind, body).await;
            let what = format!(
                "{} {} as {role}: {} {}",
                rule.method,
                rule.path,
                answer.status,
                answer.text()
            );
            match rule.who {
                Who::Any(roles) if !roles.contains(&role) => {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
                    if rule.method != Method::HEAD {
                        assert_eq!(answer.problem(), "role", "{what}");
                    }
                }
                Who::Own => {}
                _ => {
                    let is_missing_route = answer.status == StatusCode::METHOD_NOT_ALLOWED;
                    assert!(!is_missing_route, "{what}");
                    assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
                    let says_role =
                        answer.status == StatusCode::FORBIDDEN && answer.problem() == "role";
                    assert!(!says_role, "{what}");
                }
            }
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{what}");
        }
    }
}

#[tokio::test]
async fn strangers_are_asked_to_sign_in_wherever_somebody_must_be() {
    let it = TestBox::new();
    for rule in TABLE.iter() {
        let (kind, body) = body_of(&rule.method);
        let answer = it
            .nobody()
            .send(rule.method.as_str(), &concrete(rule.path), kind, body)
            .await;
        let what = format!(
            "{} {}: {} {}",
            rule.method,
            rule.path,
            answer.status,
            answer.text()
        );
        match rule.who {
            Who::SignedIn | Who::Any(_) => {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
                assert_eq!(
                    answer.header("www-authenticate"),
                    "Bearer realm=\"lectern\"",
                    "{what}"
                );
            }
            Who::Anyone | Who::Own => {
                assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{what}")
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_names_nobody_is_refused_even_where_anyone_may_ask() {
    let it = TestBox::new();
    for value in ["Bearer nonsense", "Bearer", "Basic YTpi", "nonsense"] {
        let answer = it
            .nobody()
            .header("authorization", value)
            .get("/api/v1/setup")
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{value}");
    }
}

#[test]
fn every_described_route_has_a_row_and_every_row_of_the_api_is_described() {
    let document = serde_json::to_value(lectern_web::openapi()).unwrap();
    let mut described = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let rows = TABLE.iter().filter(|rule| rule.path.starts_with("/api/"));
    let rows: std::collections::BTreeSet<_> = rows
        .map(|rule| format!("{} {}", rule.method, rule.path))
        .collect();
    assert_eq!(
        described.difference(&rows).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "described without a row"
    );
    assert_eq!(
        rows.difference(&described).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "rows without a description"
    );
}

#[tokio::test]
async fn an_administrator_sees_no_individuals_record_by_that_role() {
    let it = TestBox::new();
    let admin = it.caller("admin", &[Role::Admin]);
    for path in ["viewers", "viewers.csv"] {
        let answer = admin
            .get(&concrete(&format!("/api/v1/videos/{{id}}/{path}")))
            .await;
        assert!(is_refused(answer.status), "{path}: {}", answer.status);
    }
}
