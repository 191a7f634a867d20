//! The first-boot wizard.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use lectern_lms::Role;
use serde_json::json;
use support::{ELSEWHERE, PASSWORD, TestBox};

const SETUP: &str = "/api/v1/setup";

fn answers(it: &TestBox) -> serde_json::Value {
    let token = it.app.lms.setup_token().unwrap().unwrap_or_default();
    json!({"token": token, "name": "root", "password": PASSWORD, "site_name": "Campus", "instructor": true})
}

#[tokio::test]
async fn the_wizard_makes_the_first_administrator_once() {
    let it = TestBox::new();
    let state = it.nobody().get(SETUP).await.expect(200).json();
    assert_eq!(state["needed"], true);
    assert!(
        state["identity_default"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
    let given = answers(&it);
    let answer = it.nobody().json("POST", SETUP, &given).await.expect(200);
    assert_eq!(answer.json()["roles"], json!(["admin", "instructor"]));
    assert_eq!(answer.json()["site_name"], "Campus");
    assert!(answer.header("set-cookie").starts_with("lectern="));
    assert_eq!(it.nobody().get(SETUP).await.json()["needed"], false);
    it.nobody().json("POST", SETUP, &given).await.expect(409);
}

#[tokio::test]
async fn without_the_links_token_nobody_sets_the_box_up() {
    let it = TestBox::new();
    let mut given = answers(&it);
    given["token"] = json!("guessed");
    assert_eq!(
        it.nobody()
            .json("POST", SETUP, &given)
            .await
            .expect(403)
            .problem(),
        "setup-token"
    );
    assert!(it.app.lms.needs_setup().unwrap());
}

#[tokio::test]
async fn over_plain_http_from_elsewhere_the_wizard_works_until_there_is_a_certificate() {
    let open = TestBox::new();
    open.nobody()
        .from(ELSEWHERE)
        .json("POST", SETUP, &answers(&open))
        .await
        .expect(200);
    let private = TestBox::with_https();
    let there = private.nobody().from(ELSEWHERE);
    assert_eq!(
        there
            .json("POST", SETUP, &answers(&private))
            .await
            .expect(403)
            .problem(),
        "https-required"
    );
    there
        .over_https()
        .json("POST", SETUP, &answers(&private))
        .await
        .expect(200);
}

#[tokio::test]
async fn pages_that_are_not_for_learners_say_how_to_get_a_private_connection() {
    let it = TestBox::with_https();
    it.person("root", &[Role::Admin]);
    let there = it
        .nobody()
        .from(ELSEWHERE)
        .header("host", "box.example:8080");
    for path in [
        "/people",
        "/system/upstreams",
        "/upload",
        "/setup",
        "/videos/x/edit",
    ] {
        let answer = there.get(path).await.expect(403);
        let text = answer.text();
        assert!(
            text.contains(&format!("https://box.example:8443{path}")) && text.contains("/ca.crt"),
            "{path}: {text}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'self'")
        );
    }
    for path in ["/", "/signin", "/watch/x", "/trust"] {
        assert_ne!(there.get(path).await.status.as_u16(), 403, "{path}");
    }
    let ca = there.get("/ca.crt").await.expect(200);
    assert!(ca.text().starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(ca.header("content-type"), "application/x-x509-ca-cert");
    assert_ne!(it.nobody().get("/people").await.status.as_u16(), 403);
}
