//! Statements as files over the API: out for auditors, in for administrators, each written down.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod support;

use axum::body::Body;
use futures_util::stream;
use http::StatusCode;
use lectern_lms::Role;
use serde_json::{Value, json};
use support::TestBox;

const NDJSON: &str = "application/x-ndjson";

fn statement(n: usize) -> Value {
    json!({
        "id": format!("00000000-0000-4000-8000-{n:012}"),
        "actor": {"mbox": format!("mailto:{n}@example.org")},
        "verb": {"id": "http://example.org/verbs/did"},
        "object": {"id": format!("http://example.org/things/{n}")},
    })
}

fn lines(statements: impl IntoIterator<Item = usize>) -> String {
    statements
        .into_iter()
        .map(|n| format!("{}\n", statement(n)))
        .collect()
}

/// It begins and ends as such a file; what is in it is for `lectern-analytics` and DuckDB to say (`tracking/interop`).
fn is_parquet(bytes: &[u8]) -> bool {
    bytes.len() > 12 && bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1")
}

/// What the audit log says of files, oldest first: who, what, detail.
fn noted(the_box: &TestBox) -> Vec<(String, String, String)> {
    let page = the_box.app.lms.audit_list(None, 500).unwrap();
    let mut found: Vec<_> = page
        .items
        .into_iter()
        .filter(|entry| entry.what.starts_with("statements."))
        .map(|entry| (entry.who, entry.what, entry.detail.unwrap_or_default()))
        .collect();
    found.reverse();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_administrator_sends_is_what_an_auditor_takes_along() {
    let the_box = TestBox::new();
    let admin = the_box.caller("root", &[Role::Admin]);
    let auditor = the_box.caller("ines", &[Role::Auditor]);
    let sent = admin
        .send(
            "POST",
            "/api/v1/statements/import",
            Some("application/x-ndjson; charset=utf-8"),
            Body::from(lines(0..700)),
        )
        .await
        .expect(200);
    assert_eq!(
        sent.json(),
        json!({"lines": 700, "stored": 700, "known": 0, "refused": 0, "problems": []})
    );

    let all = auditor.get("/api/v1/statements/export").await.expect(200);
    assert_eq!(all.header("content-type"), NDJSON);
    assert_eq!(all.header("cache-control"), "no-store");
    let disposition = all.header("content-disposition").to_owned();
    assert!(
        disposition.starts_with("attachment; filename=\"lectern-statements-"),
        "{disposition}"
    );
    let text = all.text();
    let found: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), 700);
    let identity = the_box.app.lms.identity().unwrap();
    for (n, one) in found.iter().enumerate() {
        for (name, value) in statement(n).as_object().unwrap() {
            assert_eq!(&one[name], value, "{name} of {n}");
        }
        // What an LRS sets itself is ours.
        assert_eq!(
            one["authority"]["account"],
            json!({"homePage": identity, "name": "import"})
        );
    }
    let (since, until) = (&found[9]["stored"], &found[19]["stored"]);
    let path = format!(
        "/api/v1/statements/export?since={}&until={}",
        since.as_str().unwrap(),
        until.as_str().unwrap()
    );
    let ten = auditor.get(&path).await.expect(200).text();
    assert_eq!(
        ten.lines().collect::<Vec<_>>(),
        text.lines().skip(10).take(10).collect::<Vec<_>>()
    );

    let days = auditor.get("/api/v1/statements/days").await.expect(200);
    let days = days.json()["items"].as_array().unwrap().clone();
    for day in &days {
        let path = format!("/api/v1/statements/days/{}", day.as_str().unwrap());
        let file = auditor.get(&path).await.expect(200);
        assert_eq!(
            file.header("content-type"),
            "application/vnd.apache.parquet"
        );
        assert!(is_parquet(&file.body));
    }

    let in_ms = |time: &Value| format!("{}Z", &time.as_str().unwrap()[..23]);
    let noted = noted(&the_box);
    let (import, exports) = noted.split_first().unwrap();
    assert_eq!(import.1, "statements.import");
    assert_eq!(import.2, "700 stored, 0 known, 0 refused");
    let mut details = vec![
        "since - until -".to_owned(),
        format!("since {} until {}", in_ms(since), in_ms(until)),
    ];
    details.extend(
        days.iter()
            .map(|day| format!("day {}", day.as_str().unwrap())),
    );
    let found: Vec<&String> = exports.iter().map(|(_, _, detail)| detail).collect();
    assert_eq!(found, details.iter().collect::<Vec<_>>());
    for (who, what, _) in exports {
        assert_eq!(what, "statements.export");
        assert_eq!(who, &exports[0].0);
        assert_ne!(who, &import.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_wrong_is_named_with_path_and_clause_and_the_others_are_taken() {
    let the_box = TestBox::new();
    let admin = the_box.caller("root", &[Role::Admin]);
    let mut wrong = statement(1);
    wrong["result"] = json!({"score": {"scaled": 2}});
    let file = format!("{}{wrong}\n{}", lines([0]), lines([2, 0]));
    let answer = admin
        .send(
            "POST",
            "/api/v1/statements/import?version=2.0.0",
            Some(NDJSON),
            Body::from(file),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&answer["stored"], &answer["known"], &answer["refused"]),
        (&json!(2), &json!(1), &json!(1)),
        "{answer}"
    );
    let problem = &answer["problems"][0];
    assert_eq!(problem["line"], 2);
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("$.result.score.scaled"), "{message}");
    assert!(message.contains("Data 2.4.5.1"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_is_an_error_and_what_came_before_stays() {
    let the_box = TestBox::new();
    let admin = the_box.caller("root", &[Role::Admin]);
    let pieces = [
        Ok(lines(0..3)),
        Ok(statement(3).to_string()),
        Err(std::io::Error::other("the line is dead")),
    ];
    let answer = admin
        .send(
            "POST",
            "/api/v1/statements/import",
            Some(NDJSON),
            Body::from_stream(stream::iter(pieces)),
        )
        .await
        .expect(400);
    assert!(answer.text().contains("line 4"), "{}", answer.text());
    assert_eq!(the_box.app.lrs.head().unwrap(), 3);
    let noted = noted(&the_box);
    assert!(noted[0].2.starts_with("stopped: line 4"), "{noted:?}");
}

#[tokio::test]
async fn what_is_no_file_of_statements_and_no_day_is_refused() {
    let the_box = TestBox::new();
    let admin = the_box.caller("root", &[Role::Admin]);
    let auditor = the_box.caller("ines", &[Role::Auditor]);
    let path = "/api/v1/statements/import";
    for kind in [None, Some("application/json"), Some("text/csv")] {
        let answer = admin.send("POST", path, kind, Body::from("{}")).await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{kind:?}"
        );
    }
    let answer = admin
        .send(
            "POST",
            &format!("{path}?version=3"),
            Some(NDJSON),
            Body::empty(),
        )
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let nothing = admin.send("POST", path, Some(NDJSON), Body::empty()).await;
    assert_eq!(nothing.expect(200).json()["lines"], 0);
    for day in ["2026-13-01", "today", "2026-11-26T00:00:00Z"] {
        let answer = auditor.get(&format!("/api/v1/statements/days/{day}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{day}");
    }
    let empty = auditor.get("/api/v1/statements/days/1999-12-31").await;
    assert!(is_parquet(&empty.expect(200).body));
    let answer = auditor
        .get("/api/v1/statements/export?since=yesterday")
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}
