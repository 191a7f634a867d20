//! Signing in: cookies, CSRF, throttling, plain HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use lectern_lms::{PlainHttp, Role, SettingsPatch};
use serde_json::json;
use support::{ELSEWHERE, PASSWORD, TestBox};

const SESSION: &str = "/api/v1/session";

#[tokio::test]
async fn signing_in_gives_a_cookie_and_says_who_it_is() {
    let it = TestBox::new();
    let ada = it.person("ada", &[Role::Instructor]);
    let answer = it
        .nobody()
        .json(
            "POST",
            SESSION,
            &json!({"name": "Ada", "password": PASSWORD}),
        )
        .await
        .expect(200);
    let body = answer.json();
    assert_eq!(body["id"], ada.id.to_string());
    assert_eq!(body["roles"], json!(["instructor"]));
    assert_eq!(body["site_name"], "Lectern");
    assert!(answer.header("set-cookie").starts_with("lectern="));
    let asking = it.signed_in("ada").await;
    assert_eq!(asking.get(SESSION).await.expect(200).json()["name"], "ada");
    asking
        .send("DELETE", SESSION, None, axum::body::Body::empty())
        .await
        .expect(204);
    asking.get(SESSION).await.expect(401);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let it = TestBox::with_https();
    it.person("ada", &[Role::Admin]);
    let there = it.nobody().from(ELSEWHERE).over_https();
    let answer = there
        .json(
            "POST",
            SESSION,
            &json!({"name": "ada", "password": PASSWORD}),
        )
        .await
        .expect(200);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("__Host-lectern=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    there.sign_in("ada").await.get(SESSION).await.expect(200);
}

#[tokio::test]
async fn unsafe_requests_with_the_cookie_need_the_csrf_token() {
    let it = TestBox::new();
    it.person("root", &[Role::Admin]);
    let root = it.signed_in("root").await;
    let change = json!({"site_name": "Campus"});
    let answer = root
        .clone()
        .without("x-csrf-token")
        .json("PATCH", "/api/v1/settings", &change)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().as_str()),
        (403, "csrf")
    );
    let answer = root
        .clone()
        .header("x-csrf-token", "wrong")
        .json("PATCH", "/api/v1/settings", &change)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().as_str()),
        (403, "csrf")
    );
    let answer = root
        .clone()
        .header("sec-fetch-site", "same-site")
        .json("PATCH", "/api/v1/settings", &change)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().as_str()),
        (403, "cross-site")
    );
    root.json("PATCH", "/api/v1/settings", &change)
        .await
        .expect(200);
    let token = it.app.lms.add_api_token("root", it.app.now()).unwrap();
    let bearer = it
        .nobody()
        .header("authorization", &format!("Bearer {token}"));
    bearer
        .json("PATCH", "/api/v1/settings", &change)
        .await
        .expect(200);
}

#[tokio::test]
async fn another_sites_page_cannot_sign_anybody_in() {
    let it = TestBox::new();
    it.person("ada", &[Role::Learner]);
    let credentials = json!({"name": "ada", "password": PASSWORD});
    let there = it.nobody().header("sec-fetch-site", "cross-site");
    assert_eq!(
        there
            .json("POST", SESSION, &credentials)
            .await
            .expect(403)
            .problem(),
        "cross-site"
    );
    let form = axum::body::Body::from(credentials.to_string());
    it.nobody()
        .send("POST", SESSION, Some("text/plain"), form)
        .await
        .expect(415);
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down_and_told_when_to_come_again() {
    let it = TestBox::new();
    it.person("ada", &[Role::Learner]);
    let wrong = json!({"name": "ada", "password": "not that"});
    // The waits double, so that even the slowest machine meets one.
    let mut tries = 0;
    let refused = loop {
        let answer = it.nobody().json("POST", SESSION, &wrong).await;
        if answer.status.as_u16() == 429 {
            break answer;
        }
        assert_eq!(answer.expect(401).problem(), "sign-in");
        tries += 1;
        assert!(tries < 30, "nobody slowed it down");
    };
    assert!(tries >= 5, "slowed down after {tries}");
    assert_eq!(refused.problem(), "throttled");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    let right = json!({"name": "ada", "password": PASSWORD});
    it.nobody()
        .from(ELSEWHERE)
        .json("POST", SESSION, &right)
        .await
        .expect(200);
}

#[tokio::test]
async fn over_plain_http_from_elsewhere_only_learners_sign_in() {
    let it = TestBox::with_https();
    it.person("ada", &[Role::Learner]);
    it.person("teacher", &[Role::Learner, Role::Instructor]);
    let there = it
        .nobody()
        .from(ELSEWHERE)
        .header("host", "box.example:8080");
    there
        .clone()
        .sign_in("ada")
        .await
        .get(SESSION)
        .await
        .expect(200);
    let answer = there
        .json(
            "POST",
            SESSION,
            &json!({"name": "teacher", "password": PASSWORD}),
        )
        .await
        .expect(403);
    assert_eq!(answer.problem(), "https-required");
    assert_eq!(answer.json()["https_url"], "https://box.example:8443");
    assert!(answer.header("set-cookie").is_empty());
    it.nobody()
        .sign_in("teacher")
        .await
        .get(SESSION)
        .await
        .expect(200);
    let token = it.app.lms.add_api_token("teacher", it.app.now()).unwrap();
    let bearer = there
        .clone()
        .header("authorization", &format!("Bearer {token}"));
    assert_eq!(
        bearer.get(SESSION).await.expect(403).problem(),
        "https-required"
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_https_that_they_cannot_reach() {
    let it = TestBox::with(|config| config.https = Some("127.0.0.1:8443".parse().unwrap()));
    it.person("teacher", &[Role::Instructor]);
    let credentials = json!({"name": "teacher", "password": PASSWORD});
    let elsewhere = it.nobody().from(ELSEWHERE).header("host", "box.example");
    let answer = elsewhere
        .json("POST", SESSION, &credentials)
        .await
        .expect(403);
    assert_eq!(answer.problem(), "https-required");
    assert!(answer.json()["https_url"].is_null(), "{}", answer.text());
    let page = elsewhere.get("/system").await.expect(403).text();
    assert!(!page.contains("https://"), "{page}");
    it.nobody()
        .json("POST", SESSION, &credentials)
        .await
        .expect(200);
}

#[tokio::test]
async fn the_setting_plain_http_opens_it_to_all_or_to_none() {
    let it = TestBox::with_https();
    it.person("ada", &[Role::Learner]);
    it.person("root", &[Role::Admin]);
    let there = it.nobody().from(ELSEWHERE);
    let status = async |plain_http, name: &str| {
        let patch = SettingsPatch {
            plain_http: Some(plain_http),
            ..SettingsPatch::default()
        };
        it.app.lms.update_settings(patch).unwrap();
        it.app.refresh_settings().unwrap();
        there
            .json(
                "POST",
                SESSION,
                &json!({"name": name, "password": PASSWORD}),
            )
            .await
            .status
            .as_u16()
    };
    assert_eq!(status(PlainHttp::All, "root").await, 200);
    assert_eq!(status(PlainHttp::None, "ada").await, 403);
    assert_eq!(status(PlainHttp::Learners, "ada").await, 200);
    assert_eq!(status(PlainHttp::Learners, "root").await, 403);
}

#[tokio::test]
async fn a_forwarding_header_makes_loopback_elsewhere() {
    let it = TestBox::with_https();
    it.person("root", &[Role::Admin]);
    let proxied = it.nobody().header("x-forwarded-for", "127.0.0.1");
    proxied
        .json(
            "POST",
            SESSION,
            &json!({"name": "root", "password": PASSWORD}),
        )
        .await
        .expect(403);
    let patch = SettingsPatch {
        trusted_proxies: Some(vec!["127.0.0.1".into()]),
        ..SettingsPatch::default()
    };
    it.app.lms.update_settings(patch).unwrap();
    it.app.refresh_settings().unwrap();
    let proxied = proxied
        .header("x-forwarded-for", "192.0.2.9")
        .header("x-forwarded-proto", "https");
    let answer = proxied
        .json(
            "POST",
            SESSION,
            &json!({"name": "root", "password": PASSWORD}),
        )
        .await
        .expect(200);
    assert!(answer.header("set-cookie").starts_with("__Host-lectern="));
}

#[tokio::test]
async fn changing_ones_password_ends_every_other_session() {
    let it = TestBox::new();
    it.person("ada", &[Role::Learner]);
    let (here, other) = (it.signed_in("ada").await, it.signed_in("ada").await);
    let wrong = json!({"current": "not that", "password": "another good one"});
    here.json("POST", "/api/v1/session/password", &wrong)
        .await
        .expect(401);
    let right = json!({"current": PASSWORD, "password": "another good one"});
    let answer = here
        .json("POST", "/api/v1/session/password", &right)
        .await
        .expect(200);
    assert!(answer.header("set-cookie").starts_with("lectern="));
    other.get(SESSION).await.expect(401);
    it.nobody()
        .json(
            "POST",
            SESSION,
            &json!({"name": "ada", "password": PASSWORD}),
        )
        .await
        .expect(401);
}

#[tokio::test]
async fn a_closed_account_is_out_at_once() {
    let it = TestBox::new();
    let ada = it.person("ada", &[Role::Learner]);
    let asking = it.signed_in("ada").await;
    let root = it.caller("root", &[Role::Admin]);
    root.json(
        "PATCH",
        &format!("/api/v1/people/{}", ada.id),
        &json!({"disabled": true}),
    )
    .await
    .expect(200);
    asking.get(SESSION).await.expect(401);
    let answer = it
        .nobody()
        .json(
            "POST",
            SESSION,
            &json!({"name": "ada", "password": PASSWORD}),
        )
        .await
        .expect(403);
    assert_eq!(answer.problem(), "account-closed");
}
