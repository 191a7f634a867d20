//! Statements never change: what is the same statement, and what is another one under a used id (Data 2.3.1).

use serde_json::{Value, json};

use crate::ask::{post, put};
use crate::row::{Base, Row, both};
use crate::statements::{apply, base};
use crate::world::{World, id};

pub fn rows() -> Vec<Row> {
    vec![
        both("Comm 2.1.2", "4.1.6.1", "a statement that is sent a second time is acknowledged and changes nothing").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let id = w.keep(&sent).await;
                let served = w.one(&id).await;
                assert_eq!(w.keep(&sent).await, id);
                w.send(put("statements").with("statementId", &id).json(&sent)).await.expect(204);
                assert_eq!(w.one(&id).await, served);
                assert_eq!(w.found(&[("verb", &w.iri("did"))]).await, [id]);
            })
        }),
        both("Comm 2.1.2", "4.1.6.1", "POST of another statement under a used id is a conflict, and the first one stays").proven(|w| {
            Box::pin(async move {
                let first = w.statement();
                let served = w.one(&w.keep(&first).await).await;
                let mut other = first.clone();
                other["verb"]["id"] = json!(w.iri("undid"));
                w.send(post("statements").json(&other)).await.expect(409);
                assert_eq!(w.one(&id(&first)).await, served);
                assert!(w.found(&[("verb", &w.iri("undid"))]).await.is_empty());
            })
        }),
        both("Comm 2.1.1", "4.1.6.1", "PUT of another statement under a used id is a conflict, and the first one stays").proven(|w| {
            Box::pin(async move {
                let first = w.statement();
                let served = w.one(&w.keep(&first).await).await;
                let mut other = first.clone();
                other["actor"] = w.agent("another");
                w.send(put("statements").with("statementId", id(&first)).json(&other)).await.expect(409);
                assert_eq!(w.one(&id(&first)).await, served);
            })
        }),
        both("Comm 2.1.2", "4.1.6.1", "one conflict in a batch keeps the whole batch out").proven(|w| {
            Box::pin(async move {
                let first = w.statement();
                w.keep(&first).await;
                let mut other = first.clone();
                other["object"]["id"] = json!(w.iri("another-thing"));
                let fresh = w.statement();
                w.send(post("statements").json(&json!([fresh, other]))).await.expect(409);
                assert_eq!(w.found(&[("verb", &w.iri("did"))]).await, [id(&first)]);
            })
        }),
        same("what the LRS sets itself does not make it another statement: stored, authority, version").proven(|w| {
            Box::pin(same_after(w, [
                ("/stored", json!("2001-01-01T00:00:00Z")),
                ("/authority", json!({ "mbox": "mailto:x@example.com" })),
                ("/version", json!("1.0.0")),
            ]))
        }),
        same("a statement as it is served is the statement that was sent, and may be sent again").proven(|w| {
            Box::pin(async move {
                let mut sent = base(Base::Full);
                sent["id"] = w.statement()["id"].take();
                let served = w.one(&w.keep(&sent).await).await;
                w.send(put("statements").with("statementId", id(&sent)).json(&served)).await.expect(204);
            })
        }),
        same("another display of its verb does not make it another statement").proven(|w| {
            Box::pin(same_after(w, [("/verb/display", json!({ "fr": "lu" }))]))
        }),
        same("another definition of an Activity does not make it another statement").proven(|w| {
            Box::pin(same_after(w, [
                ("/object/definition", json!({ "name": { "fr": "Livre" } })),
                ("/context/contextActivities/parent/0/definition", json!({ "name": { "fr": "étagère" } })),
            ]))
        }),
        same("its timestamp in another zone does not make it another statement").proven(|w| {
            Box::pin(same_after(w, [("/timestamp", json!("2026-11-23T20:00:00.123+02:00"))]))
        }),
        same("another order of a Group's members does not make it another statement").proven(|w| {
            Box::pin(async move {
                let (a, b) = (w.agent("a"), w.agent("b"));
                let group = |members: [&Value; 2]| json!({ "objectType": "Group", "member": members });
                let mut sent = w.statement_with("actor", group([&a, &b]));
                w.keep(&sent).await;
                sent["actor"] = group([&b, &a]);
                w.keep(&sent).await;
            })
        }),
        same("another case in the domain of a mailbox does not make it another statement").proven(|w| {
            Box::pin(same_after(w, [("/actor/mbox", json!("mailto:ada@Example.COM"))]))
        }),
        same("a context Activity with or without its array does not make it another statement").proven(|w| {
            Box::pin(same_after(w, [("/context/contextActivities/parent", json!({ "id": "http://activities/shelf" }))]))
        }),
        same("another case of a UUID's letters does not make it another statement").proven(|w| {
            Box::pin(same_after(w, [("/context/registration", json!("6E2A2B5E-5A1F-4C1E-9E3E-0A2A2B5E5A1F"))]))
        }),
        both("Data 4.6", "4.2.7", "two durations that differ below a hundredth of a second are the same").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement_with("result", json!({ "duration": "PT0.1237S" }));
                w.keep(&sent).await;
                sent["result"]["duration"] = json!("PT0.12S");
                w.keep(&sent).await;
                sent["result"]["duration"] = json!("PT0.13S");
                w.send(post("statements").json(&sent)).await.expect(409);
            })
        }),
        same("a duration in other units is another statement: a duration is text").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement_with("result", json!({ "duration": "PT1M" }));
                w.keep(&sent).await;
                sent["result"]["duration"] = json!("PT60S");
                w.send(post("statements").json(&sent)).await.expect(409);
            })
        }),
        same("an actor, verb, object, result, context or timestamp that differs is another statement").proven(|w| {
            Box::pin(async move {
                for change in [
                    ("/actor/mbox", json!("mailto:eve@example.com")),
                    ("/actor/name", json!("Eve")),
                    ("/verb/id", json!("http://verbs/skimmed")),
                    ("/object/id", json!("http://activities/film")),
                    ("/result/score/raw", json!(6)),
                    ("/result/extensions", json!({})),
                    ("/context/language", json!("en-US")),
                    ("/context/contextActivities/category", json!([])),
                    ("/timestamp", json!("2026-11-23T18:00:00.124Z")),
                    ("/attachments/0/length", json!(6)),
                ] {
                    let mut sent = base(Base::Full);
                    sent["id"] = w.statement()["id"].take();
                    w.keep(&sent).await;
                    apply(&mut sent, &change);
                    let answer = w.send(post("statements").json(&sent)).await;
                    assert_eq!(answer.status.as_u16(), 409, "{} = {}", change.0, change.1);
                }
            })
        }),
    ]
}

fn same(rule: &'static str) -> Row {
    both("Data 2.3.1", "4.2.4.1", rule)
}

/// The full statement is stored, changed, and taken for the one that is stored.
async fn same_after<const N: usize>(w: &World, changes: [(&'static str, Value); N]) {
    let mut sent = base(Base::Full);
    sent["id"] = w.statement()["id"].take();
    let served = w.one(&w.keep(&sent).await).await;
    for change in &changes {
        apply(&mut sent, change);
    }
    w.keep(&sent).await;
    w.send(put("statements").with("statementId", id(&sent)).json(&sent))
        .await
        .expect(204);
    assert_eq!(w.one(&id(&sent)).await, served);
}
