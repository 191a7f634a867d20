//! Requests as such: HEAD, versions, the alternate syntax, who may, errors, pages from elsewhere (Comm 1, 3, 4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lectern_lrs::Scope;
use serde_json::json;

use crate::ask::{Ask, ask, delete, form, get, head, post, put};
use crate::row::{Row, both, new, old};
use crate::statements::UUID;
use crate::world::{CONSISTENT, VERSION, id, text};

const FORM: &str = "application/x-www-form-urlencoded";
const STATE: [(&str, &str); 3] = [
    ("activityId", "http://activities/book"),
    ("agent", "{\"mbox\":\"mailto:a@example.com\"}"),
    ("stateId", "x"),
];

pub fn rows() -> Vec<Row> {
    let mut rows = heads();
    rows.extend(versions());
    rows.extend(alternate());
    rows.extend(rights());
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

fn versions() -> Vec<Row> {
    vec![
        both(
            "Comm 3.3",
            "suite Communication3.3",
            "every answer says the version by whose rules it was made, refusals included",
        )
        .proven(|w| {
            Box::pin(async move {
                let answers = [
                    (get("statements").with("limit", 1), 200),
                    (post("statements").json(&json!({})), 400),
                    (
                        get("statements").with("statementId", UUID.replace('6', "9")),
                        404,
                    ),
                    (delete("statements"), 405),
                    (get("statements").without("authorization"), 401),
                    (get("nothing"), 404),
                    (get("about"), 200),
                ];
                for (ask, status) in answers {
                    let address = ask.address();
                    assert_eq!(
                        w.send(ask).await.expect(status).header(VERSION),
                        w.version.header(),
                        "{address}"
                    );
                }
            })
        }),
        both(
            "Comm 3.3",
            "suite Communication3.3",
            "a request without a version is refused with words on it, at every resource but About",
        )
        .proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                for ask in [
                    get("statements"),
                    post("statements").json(&sent),
                    put("statements").with("statementId", id(&sent)).json(&sent),
                    get("activities").with("activityId", "http://a/b"),
                    get("agents").with("agent", text(&w.agent("a"))),
                    with_all(get("activities/state")),
                    get("activities/profile").with("activityId", "http://a/b"),
                    get("agents/profile").with("agent", text(&w.agent("a"))),
                ] {
                    let answer = w.send(ask.without(VERSION)).await.expect(400);
                    assert!(
                        answer.text().contains("X-Experience-API-Version"),
                        "{}",
                        answer.text()
                    );
                }
                w.send(get("statements").with("statementId", id(&sent)))
                    .await
                    .expect(404);
            })
        }),
        both(
            "Comm 3.3",
            "suite Communication3.3",
            "versions before 1.0.0 and between the two are refused with words on it",
        )
        .proven(|w| {
            Box::pin(async move {
                for version in [
                    "0.9", "0.95", "1.1.0", "1.1", "3.0.0", "1", "", "latest", "1.0.x",
                ] {
                    let answer = w
                        .send(get("statements").header(VERSION, version))
                        .await
                        .expect(400);
                    assert!(answer.text().contains("1.0"), "{}", answer.text());
                }
            })
        }),
        both(
            "Comm 3.3",
            "suite Communication3.3",
            "1.0 and every 1.0.x are taken, and answered as the latest patch",
        )
        .proven(|w| {
            Box::pin(async move {
                for version in ["1.0", "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.9"] {
                    let answer = w
                        .send(get("statements").with("limit", 1).header(VERSION, version))
                        .await
                        .expect(200);
                    assert_eq!(answer.header(VERSION), "1.0.3", "{version}");
                }
            })
        }),
        both(
            "Comm 3.3",
            "suite Communication3.3",
            "2.0 and every 2.0.x are taken, and answered as 2.0.0",
        )
        .proven(|w| {
            Box::pin(async move {
                for version in ["2.0", "2.0.0", "2.0.1"] {
                    let answer = w
                        .send(get("statements").with("limit", 1).header(VERSION, version))
                        .await
                        .expect(200);
                    assert_eq!(answer.header(VERSION), "2.0.0", "{version}");
                }
            })
        }),
        both(
            "Comm 3.3",
            "suite Communication3.3",
            "a statement of one version is served to the other as it is, never converted",
        )
        .proven(|w| {
            Box::pin(async move {
                let part = json!({ "objectType": "contextAgent", "agent": w.agent("coach") });
                let sent = w.statement_with("context", json!({ "contextAgents": [part] }));
                w.send(post("statements").json(&sent).header(VERSION, "2.0.0"))
                    .await
                    .expect(200);
                let served = w.one(&id(&sent)).await;
                assert_eq!(
                    (&served["version"], &served["context"]),
                    (&json!("2.0.0"), &sent["context"])
                );
                let sent = w.statement();
                w.send(post("statements").json(&sent).header(VERSION, "1.0.3"))
                    .await
                    .expect(200);
                assert_eq!(w.one(&id(&sent)).await["version"], json!("1.0.0"));
            })
        }),
    ]
}

fn alternate() -> Vec<Row> {
    let alternate = |rule: &'static str| old("Comm 1.3", rule);
    vec![
        alternate("a form that POSTs with method=PUT stores a statement, its headers and parameters being fields").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let fields = [("statementId", id(&sent)), ("content", sent.to_string())];
                w.send(formed("statements", "PUT", &fields)).await.expect(204);
                w.one(&id(&sent)).await;
            })
        }),
        alternate("a form that POSTs with method=POST stores a statement").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                w.send(formed("statements", "POST", &[("content", sent.to_string())])).await.expect(200);
                w.one(&id(&sent)).await;
            })
        }),
        alternate("a form that POSTs with method=GET reads, filters being fields").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let answer = w.send(formed("statements", "GET", &[("verb", w.iri("did")), ("limit", "1".to_owned())])).await.expect(200);
                assert_eq!(crate::world::ids(&answer.json()), [kept]);
            })
        }),
        alternate("a form that POSTs with method=DELETE takes a document away").proven(|w| {
            Box::pin(async move {
                w.send(with_all(put("activities/state")).json(&json!({}))).await.expect(204);
                let fields = STATE.map(|(name, value)| (name, value.to_owned()));
                w.send(formed("activities/state", "DELETE", &fields)).await.expect(204);
                w.send(with_all(get("activities/state"))).await.expect(404);
            })
        }),
        alternate("Authorization and the version may be fields of the form").proven(|w| {
            Box::pin(async move {
                let credential = w.credential(&[Scope::All]);
                let fields = [("Authorization", credential), ("X-Experience-API-Version", "1.0.3".to_owned()), ("limit", "1".to_owned())];
                let ask = formed("statements", "GET", &fields);
                w.send(ask.without("authorization").without(VERSION)).await.expect(200);
            })
        }),
        alternate("If-Match, If-None-Match and Content-Type may be fields of the form").proven(|w| {
            Box::pin(async move {
                let document = |fields: &[(&'static str, &str)]| {
                    let mut all = vec![("activityId", w.iri("book")), ("profileId", "x".to_owned())];
                    all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
                    formed("activities/profile", "PUT", &all)
                };
                w.send(document(&[("If-None-Match", "*"), ("Content-Type", "text/plain"), ("content", "a b")])).await.expect(204);
                w.send(document(&[("If-None-Match", "*"), ("content", "c")])).await.expect(412);
                w.send(document(&[("If-Match", "\"x\""), ("content", "c")])).await.expect(412);
                let kept = w.send(get("activities/profile").with("activityId", w.iri("book")).with("profileId", "x")).await;
                assert_eq!((kept.text().as_str(), kept.header("content-type")), ("a b", "text/plain"));
            })
        }),
        alternate("content is UTF-8 behind its encoding for forms").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement();
                sent["actor"]["name"] = json!("Ünïcödé + & = % 愛達");
                w.send(formed("statements", "POST", &[("content", sent.to_string())])).await.expect(200);
                assert_eq!(w.one(&id(&sent)).await["actor"]["name"], sent["actor"]["name"]);
            })
        }),
        alternate("with method in the query, any other parameter beside it is refused").proven(|w| {
            Box::pin(async move {
                let ask = formed("statements", "GET", &[("verb", w.iri("did"))]).with("limit", 1);
                w.send(ask).await.expect(400);
                let sent = w.statement();
                let ask = formed("statements", "PUT", &[("content", sent.to_string())]).with("statementId", id(&sent));
                w.send(ask).await.expect(400);
            })
        }),
        alternate("a method that is none, or in another case, is refused").proven(|w| {
            Box::pin(async move {
                for method in ["PATCH", "put", "", "OPTIONS"] {
                    w.send(formed("statements", method, &[("content", w.statement().to_string())])).await.expect(400);
                }
            })
        }),
        alternate("only POST may carry another method in the query").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let ask = put("statements").with("method", "PUT").body(FORM, form(&[("content", &sent.to_string()), ("statementId", &id(&sent))]));
                w.send(ask).await.expect(400);
                w.send(get("statements").with("method", "GET")).await.expect(400);
            })
        }),
        alternate("a form that stores without a field content has nothing to store").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                w.send(formed("statements", "PUT", &[("statementId", id(&sent))])).await.expect(400);
                let ask = post("statements").with("method", "PUT").json(&sent);
                w.send(ask).await.expect(400);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        new("suite Communication1.3", "the alternate request syntax is gone, and is refused whatever it asks for").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let content = ("content", sent.to_string());
                for ask in [
                    formed("statements", "PUT", &[("statementId", id(&sent)), content.clone()]),
                    formed("statements", "POST", std::slice::from_ref(&content)),
                    formed("statements", "GET", &[("limit", "1".to_owned())]),
                    formed("activities/state", "DELETE", &STATE.map(|(name, value)| (name, value.to_owned()))),
                    formed("activities", "GET", &[("activityId", w.iri("thing"))]),
                    formed("agents", "GET", &[("agent", text(&w.agent("a")))]),
                ] {
                    let answer = w.send(ask).await;
                    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
                }
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        new("suite Communication1.3", "a form that names its version 2.0 in a field is refused as well").proven(|w| {
            Box::pin(async move {
                let fields = [("X-Experience-API-Version", "2.0.0".to_owned()), ("limit", "1".to_owned())];
                w.send(formed("statements", "GET", &fields).without(VERSION)).await.expect(400);
            })
        }),
    ]
}

fn rights() -> Vec<Row> {
    vec![
        both("Comm 4.0", "suite Communication4.0", "HTTP Basic with a key and a secret opens what they are for").proven(|w| {
            Box::pin(async move {
                let credential = w.credential(&[Scope::All]);
                w.send(get("statements").with("limit", 1).header("authorization", &credential)).await.expect(200);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "a request without or with wrong or malformed credentials is 401, which says what is wanted").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let good = w.credential(&[Scope::All]);
                let wrong = format!("Basic {}", STANDARD.encode("nobody:nothing"));
                for header in [&wrong, "Basic", "Basic !", "Basic bm9ib2R5", &good.replace("Basic", "Digest"), &good[..good.len() - 6]] {
                    let answer = w.send(post("statements").json(&sent).header("authorization", header)).await.expect(401);
                    let mut wanted = answer.headers.get_all("www-authenticate").iter();
                    assert!(wanted.any(|one| one.as_bytes().starts_with(b"Basic")), "{header}");
                }
                w.send(post("statements").json(&sent).without("authorization")).await.expect(401);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "whoever may only write reads nothing").proven(|w| {
            Box::pin(async move {
                let writer = w.credential(&[Scope::StatementsWrite]);
                w.send(post("statements").json(&w.statement()).header("authorization", &writer)).await.expect(200);
                w.send(get("statements").header("authorization", &writer)).await.expect(403);
                w.send(get("agents").with("agent", text(&w.agent("a"))).header("authorization", &writer)).await.expect(403);
                w.send(with_all(get("activities/state")).header("authorization", &writer)).await.expect(403);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "whoever may only read writes nothing, and reads what all wrote").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let reader = w.credential(&[Scope::StatementsRead]);
                w.send(post("statements").json(&w.statement()).header("authorization", &reader)).await.expect(403);
                w.send(get("statements").with("statementId", kept).header("authorization", &reader)).await.expect(200);
                w.send(with_all(put("activities/state")).json(&json!({})).header("authorization", &reader)).await.expect(403);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "whoever may read its own finds nothing of others").proven(|w| {
            Box::pin(async move {
                let others = w.keep(&w.statement()).await;
                let mine = w.credential(&[Scope::StatementsWrite, Scope::StatementsReadMine]);
                let own = w.statement();
                w.send(post("statements").json(&own).header("authorization", &mine)).await.expect(200);
                let found = w.send(get("statements").header("authorization", &mine)).await.expect(200).json();
                assert_eq!(crate::world::ids(&found), [id(&own)]);
                w.send(get("statements").with("statementId", others).header("authorization", &mine)).await.expect(404);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "all/read reads everything and writes nothing").proven(|w| {
            Box::pin(async move {
                let reader = w.credential(&[Scope::AllRead]);
                let kept = w.keep(&w.statement()).await;
                w.send(get("statements").with("statementId", kept).header("authorization", &reader)).await.expect(200);
                w.send(get("activities/state").with("activityId", w.iri("a")).with("agent", text(&w.agent("a"))).header("authorization", &reader)).await.expect(200);
                w.send(get("agents/profile").with("agent", text(&w.agent("a"))).header("authorization", &reader)).await.expect(200);
                w.send(post("statements").json(&w.statement()).header("authorization", &reader)).await.expect(403);
                let ask = put("agents/profile").with("agent", text(&w.agent("a"))).with("profileId", "x").json(&json!({}));
                w.send(ask.header("if-none-match", "*").header("authorization", &reader)).await.expect(403);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "the scope state is for State, the scope profile for profiles, and neither for the other").proven(|w| {
            Box::pin(async move {
                let (state, profile) = (w.credential(&[Scope::State]), w.credential(&[Scope::Profile]));
                let state_ask = || put("activities/state").with("activityId", w.iri("a")).with("agent", text(&w.agent("a"))).with("stateId", "x").json(&json!({}));
                let profile_ask = || put("activities/profile").with("activityId", w.iri("a")).with("profileId", "x").json(&json!({})).header("if-none-match", "*");
                w.send(state_ask().header("authorization", &profile)).await.expect(403);
                w.send(state_ask().header("authorization", &state)).await.expect(204);
                w.send(profile_ask().header("authorization", &state)).await.expect(403);
                w.send(profile_ask().header("authorization", &profile)).await.expect(204);
            })
        }),
        both("Data 2.4.9", "4.2.4.2", "statements of two credentials have two authorities").proven(|w| {
            Box::pin(async move {
                let other = w.credential(&[Scope::All]);
                let (first, second) = (w.statement(), w.statement());
                w.keep(&first).await;
                w.send(post("statements").json(&second).header("authorization", &other)).await.expect(200);
                assert_ne!(w.one(&id(&first)).await["authority"], w.one(&id(&second)).await["authority"]);
            })
        }),
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

/// A request in the alternate syntax.
fn formed(path: &str, method: &str, fields: &[(&str, String)]) -> Ask {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    post(path).with("method", method).body(FORM, form(&fields))
}

/// With all parameters of a State document.
fn with_all(mut ask: Ask) -> Ask {
    for (name, value) in STATE {
        ask = ask.with(name, value);
    }
    ask
}
