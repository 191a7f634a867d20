//! Voiding (Data 2.3.2; Comm 2.1.4; 2.0 4.2.5).

use serde_json::{Value, json};

use crate::ask::{get, post};
use crate::row::{Row, both};
use crate::statements::{UUID, gone};
use crate::world::{World, id};

const VOIDED: &str = "http://adlnet.gov/expapi/verbs/voided";

pub fn rows() -> Vec<Row> {
    vec![
        both(
            "Data 2.3.2",
            "4.2.5",
            "a statement that voids has a reference to a statement as its object",
        )
        .plain()
        .takes_all([
            ("/verb/id", json!(VOIDED)),
            (
                "/object",
                json!({ "objectType": "StatementRef", "id": UUID }),
            ),
        ])
        .refuses("/verb/id", json!(VOIDED), "$.object")
        .refuses_all(
            [
                ("/verb/id", json!(VOIDED)),
                (
                    "/object",
                    json!({ "objectType": "Agent", "mbox": "mailto:a@a" }),
                ),
            ],
            "$.object",
        )
        .refuses_all(
            [
                ("/verb/id", json!(VOIDED)),
                ("/object", json!({ "objectType": "StatementRef" })),
            ],
            "$.object",
        )
        .refuses_all(
            [
                ("/verb/id", json!(VOIDED)),
                ("/object/objectType", json!("StatementRef")),
                ("/object/id", gone()),
            ],
            "$.object",
        ),
        both(
            "Data 2.3.2",
            "4.2.5",
            "a verb that only resembles the reserved one voids nothing",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                w.keep(&one).await;
                let mut voids = voiding(w, &id(&one));
                voids["verb"]["id"] = json!("http://example.com/verbs/voided");
                w.keep(&voids).await;
                w.one(&id(&one)).await;
            })
        }),
        both(
            "Comm 2.1.4",
            "4.2.5",
            "a voided statement is gone from where its id is asked for",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = voided(w).await;
                w.send(get("statements").with("statementId", one))
                    .await
                    .expect(404);
            })
        }),
        both(
            "Comm 2.1.4",
            "4.2.5",
            "a voided statement is found as such, whole",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                let served = w.one(&w.keep(&one).await).await;
                w.keep(&voiding(w, &id(&one))).await;
                let ask = get("statements").with("voidedStatementId", id(&one));
                assert_eq!(w.send(ask).await.expect(200).json(), served);
            })
        }),
        both(
            "Comm 2.1.4",
            "4.2.5",
            "a statement that is not voided is not found as such",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.keep(&w.statement()).await;
                w.send(get("statements").with("voidedStatementId", one))
                    .await
                    .expect(404);
            })
        }),
        both("Comm 2.1.4", "4.2.5", "queries leave voided statements out").proven(|w| {
            Box::pin(async move {
                let one = voided(w).await;
                let kept = w.keep(&w.statement()).await;
                let found = w.found(&[("activity", &w.iri("thing"))]).await;
                assert!(found.contains(&kept) && !found.contains(&one), "{found:?}");
            })
        }),
        both(
            "Comm 2.1.4",
            "4.1.6.1",
            "statements that refer to a voided one are found by what the voided one was about",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                w.keep(&one).await;
                let mut refers = w.statement_with(
                    "object",
                    json!({ "objectType": "StatementRef", "id": id(&one) }),
                );
                refers["verb"]["id"] = json!(w.iri("doubted"));
                let refers = w.keep(&refers).await;
                let voids = w.keep(&voiding(w, &id(&one))).await;
                assert_eq!(w.found(&[("verb", &w.iri("did"))]).await, [voids, refers]);
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "a statement that voids what is not here is taken, and voids it once it comes",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                w.keep(&voiding(w, &id(&one))).await;
                w.keep(&one).await;
                w.send(get("statements").with("statementId", id(&one)))
                    .await
                    .expect(404);
                w.send(get("statements").with("voidedStatementId", id(&one)))
                    .await
                    .expect(200);
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "a statement that voids and its target may come in one batch",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                let batch = json!([voiding(w, &id(&one)), one]);
                w.send(post("statements").json(&batch)).await.expect(200);
                w.send(get("statements").with("statementId", id(&one)))
                    .await
                    .expect(404);
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "a statement that voids cannot be voided",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                w.keep(&one).await;
                let voids = w.keep(&voiding(w, &id(&one))).await;
                w.send(post("statements").json(&voiding(w, &voids))).await;
                w.one(&voids).await;
                w.send(get("statements").with("voidedStatementId", voids))
                    .await
                    .expect(404);
                w.send(get("statements").with("voidedStatementId", id(&one)))
                    .await
                    .expect(200);
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "to void a statement twice changes nothing",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = voided(w).await;
                w.send(post("statements").json(&voiding(w, &one))).await;
                w.send(get("statements").with("voidedStatementId", one))
                    .await
                    .expect(200);
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "a voided statement that is sent again under its id stays voided",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                w.keep(&one).await;
                w.keep(&voiding(w, &id(&one))).await;
                w.keep(&one).await;
                w.send(get("statements").with("statementId", id(&one)))
                    .await
                    .expect(404);
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "what was voided may be said again under a new id",
        )
        .proven(|w| {
            Box::pin(async move {
                let mut one = w.statement();
                w.keep(&one).await;
                w.keep(&voiding(w, &id(&one))).await;
                one["id"] = w.statement()["id"].take();
                w.keep(&one).await;
                w.one(&id(&one)).await;
            })
        }),
        both(
            "Data 2.3.2",
            "4.2.5",
            "voiding inside a SubStatement voids nothing",
        )
        .proven(|w| {
            Box::pin(async move {
                let one = w.statement();
                w.keep(&one).await;
                let mut inner = voiding(w, &id(&one));
                inner.as_object_mut().unwrap().remove("id");
                inner["objectType"] = json!("SubStatement");
                w.keep(&w.statement_with("object", inner)).await;
                w.one(&id(&one)).await;
            })
        }),
    ]
}

fn voiding(w: &World, target: &str) -> Value {
    let mut voids = w.statement_with(
        "object",
        json!({ "objectType": "StatementRef", "id": target }),
    );
    voids["verb"]["id"] = json!(VOIDED);
    voids
}

/// The id of a statement that was voided.
async fn voided(w: &World) -> String {
    let one = w.keep(&w.statement()).await;
    w.keep(&voiding(w, &one)).await;
    one
}
