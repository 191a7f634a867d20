//! The alternate request syntax of 1.0.3 (Comm 1.3), which 2.0 took away.

use lectern_lrs::Scope;
use serde_json::json;

use crate::ask::{Ask, form, get, post, put};
use crate::row::{Row, new, old};
use crate::state::{STATE, with_all};
use crate::world::{VERSION, id, text};

const FORM: &str = "application/x-www-form-urlencoded";

pub fn rows() -> Vec<Row> {
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

/// A request in the alternate syntax.
fn formed(path: &str, method: &str, fields: &[(&str, String)]) -> Ask {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    post(path).with("method", method).body(FORM, form(&fields))
}
