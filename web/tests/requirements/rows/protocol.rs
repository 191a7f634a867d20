//! Requests as such: HEAD, errors, pages from elsewhere (Comm 1.1, 1.2, 3.2).

use serde_json::json;

use crate::ask::{ask, get, head, post, put};
use crate::row::{Row, both};
use crate::state::with_all;
use crate::statements::UUID;
use crate::world::{CONSISTENT, VERSION, text};

pub fn rows() -> Vec<Row> {
    let mut rows = heads();
    rows.extend(errors());
    rows
}

fn heads() -> Vec<Row> {
    vec![
        both(
            "Comm 1.1",
            "suite Communication1.1",
            "HEAD answers as GET would, without a body, at every resource that can be read",
        )
        .proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                for ask in [
                    head("about"),
                    head("statements").with("verb", w.iri("did")),
                    head("statements").with("statementId", kept),
                    head("activities").with("activityId", w.iri("thing")),
                    head("agents").with("agent", text(&w.agent("someone"))),
                ] {
                    let address = ask.address();
                    let short = w.send(ask.clone()).await.expect(200);
                    let mut full = ask;
                    full.method = "GET";
                    let full = w.send(full).await.expect(200);
                    assert!(short.body.is_empty(), "{address}");
                    for name in ["content-type", "last-modified", VERSION] {
                        assert_eq!(short.header(name), full.header(name), "{address} {name}");
                    }
                    assert_eq!(
                        short.header("content-length"),
                        full.body.len().to_string(),
                        "{address}"
                    );
                }
            })
        }),
        both(
            "Comm 1.1",
            "suite Communication1.1",
            "HEAD is refused where GET is, with the same status and without a body",
        )
        .proven(|w| {
            Box::pin(async move {
                for (ask, status) in [
                    (head("statements").with("foo", "bar"), 400),
                    (
                        head("statements").with("statementId", UUID.replace('6', "9")),
                        404,
                    ),
                    (head("activities"), 400),
                    (
                        head("agents")
                            .without("authorization")
                            .with("agent", text(&w.agent("a"))),
                        401,
                    ),
                ] {
                    assert!(w.send(ask).await.expect(status).body.is_empty());
                }
            })
        }),
        both(
            "Comm 1.2",
            "suite Communication1.2",
            "GET and HEAD need no Content-Length and no Content-Type",
        )
        .answers(get("statements").with("limit", 1), 200)
        .answers(head("statements").with("limit", 1), 200),
    ]
}

fn errors() -> Vec<Row> {
    vec![
        both(
            "Comm 3.2",
            "suite Communication3.2",
            "a refusal says in words what was wrong and where",
        )
        .proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement();
                sent["actor"]["mbox"] = json!("ada");
                let answer = w
                    .send(post("statements").json(&json!([w.statement(), sent])))
                    .await
                    .expect(400);
                assert_eq!(answer.header("content-type"), "application/problem+json");
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                assert!(
                    detail.starts_with("$[1].actor.mbox: ") && detail.contains("Data 2.4.2.3"),
                    "{detail}"
                );
            })
        }),
        both(
            "Comm 3.2",
            "suite Communication3.2",
            "a document larger than the LRS takes is answered with 413",
        )
        .proven(|w| {
            Box::pin(async move {
                let ask = with_all(put("activities/state"))
                    .body("text/plain", vec![b'x'; 9 * 1024 * 1024]);
                assert_eq!(w.send(ask).await.status.as_u16(), 413);
                w.send(with_all(get("activities/state"))).await.expect(404);
            })
        }),
        both(
            "Comm 3.2",
            "suite Communication3.2",
            "more statements in a batch than the LRS takes are answered with 413",
        )
        .proven(|w| {
            Box::pin(async move {
                let mut one = w.statement();
                one.as_object_mut().unwrap().remove("id");
                let batch = format!("[{}]", vec![one.to_string(); 10_001].join(","));
                let answer = w
                    .send(post("statements").body("application/json", batch))
                    .await;
                assert_eq!(answer.status.as_u16(), 413, "{}", answer.text());
                assert!(w.found(&[("verb", &w.iri("did"))]).await.is_empty());
            })
        }),
        both(
            "Comm 3.2",
            "suite Communication3.2",
            "an address that is no resource is 404",
        )
        .answers(get("nothing"), 404)
        .answers(get("statements/more"), 404)
        .answers(get("Statements"), 404),
        both(
            "Comm 3.2",
            "suite Communication3.2",
            "every method is answered: those that a resource does not take with 405",
        )
        .answers(ask("PATCH", "statements"), 405)
        .answers(post("activities"), 405)
        .answers(put("agents"), 405)
        .answers(put("about"), 405),
        both(
            "Comm 1.2",
            "suite Communication1.2",
            "a page from elsewhere may send what the standard needs, and is told so before it does",
        )
        .proven(|w| {
            Box::pin(async move {
                for path in [
                    "statements",
                    "activities/state",
                    "activities/profile",
                    "agents/profile",
                    "activities",
                    "agents",
                    "about",
                ] {
                    let preflight = ask("OPTIONS", path)
                        .without("authorization")
                        .without(VERSION)
                        .header("origin", "https://content.example.com")
                        .header("access-control-request-method", "PUT");
                    let answer = w.send(preflight).await.expect(204);
                    let allowed = answer.header("access-control-allow-headers").to_lowercase();
                    for header in [
                        "authorization",
                        "content-type",
                        VERSION,
                        "if-match",
                        "if-none-match",
                    ] {
                        assert!(allowed.contains(header), "{path}: {allowed}");
                    }
                    assert_eq!(answer.header("access-control-allow-origin"), "*");
                    assert!(
                        answer
                            .header("access-control-allow-methods")
                            .contains("GET"),
                        "{path}"
                    );
                }
            })
        }),
        both(
            "Comm 1.2",
            "suite Communication1.2",
            "a page from elsewhere may read the headers of every answer",
        )
        .proven(|w| {
            Box::pin(async move {
                for ask in [
                    get("statements").with("limit", 1),
                    get("statements").with("foo", "bar"),
                    get("about"),
                ] {
                    let answer = w
                        .send(ask.header("origin", "https://content.example.com"))
                        .await;
                    assert_eq!(answer.header("access-control-allow-origin"), "*");
                    let exposed = answer
                        .header("access-control-expose-headers")
                        .to_lowercase();
                    for header in ["etag", "last-modified", VERSION, CONSISTENT] {
                        assert!(exposed.contains(header), "{exposed}");
                    }
                }
            })
        }),
    ]
}
