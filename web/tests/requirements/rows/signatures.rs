//! Signed statements (Data 2.6): a JWS over the statement as an attachment of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lectern_lrs::{AttachmentBytes, join_multipart};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ask::{get, post};
use crate::row::{Row, both};
use crate::world::{World, id};

const KIND: &str = "application/octet-stream";

pub fn rows() -> Vec<Row> {
    vec![
        rule("a statement that carries a JWS over itself is taken, by each of the three algorithms").proven(|w| {
            Box::pin(async move {
                for algorithm in ["RS256", "RS384", "RS512"] {
                    let sent = w.statement();
                    try_signed(w, &sent, KIND, &jws(&json!({ "alg": algorithm }), &sent.to_string()), 200).await;
                }
            })
        }),
        rule("a JWS by another algorithm, or by none, is refused").proven(|w| {
            Box::pin(async move {
                for header in [json!({ "alg": "HS256" }), json!({ "alg": "none" }), json!({ "alg": "rs256" }), json!({ "alg": 256 }), json!({})] {
                    let sent = w.statement();
                    try_signed(w, &sent, KIND, &jws(&header, &sent.to_string()), 400).await;
                }
            })
        }),
        rule("a signature has the contentType application/octet-stream").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                try_signed(w, &sent, "application/json", &jws(&json!({ "alg": "RS256" }), &sent.to_string()), 400).await;
            })
        }),
        rule("a signature that is no JWS in its compact form is refused").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let good = jws(&json!({ "alg": "RS256" }), &sent.to_string());
                for bad in ["signed", "a.b", &format!("{good}.x"), &good.replace('.', ","), &format!("?{good}")] {
                    try_signed(w, &sent, KIND, bad, 400).await;
                }
                try_signed(w, &sent, KIND, &good, 200).await;
            })
        }),
        rule("the payload of a signature is JSON").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                for payload in ["", "signed", "[]", "{\"actor\":"] {
                    try_signed(w, &sent, KIND, &jws(&json!({ "alg": "RS256" }), payload), 400).await;
                }
            })
        }),
        rule("the payload of a signature is the statement, and another statement is refused").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let mut other = sent.clone();
                other["verb"]["id"] = json!(w.iri("undid"));
                try_signed(w, &sent, KIND, &jws(&json!({ "alg": "RS256" }), &other.to_string()), 400).await;
                try_signed(w, &sent, KIND, &jws(&json!({ "alg": "RS256" }), "{}"), 400).await;
            })
        }),
        rule("the payload may be written otherwise than the statement that came, as long as it says the same").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement_with("result", json!({ "duration": "PT0.1237S" }));
                sent["verb"]["display"] = json!({ "en": "did" });
                let mut payload = sent.clone();
                payload["result"]["duration"] = json!("PT0.12S");
                payload["verb"].as_object_mut().unwrap().remove("display");
                let payload = serde_json::to_string_pretty(&payload).unwrap();
                try_signed(w, &sent, KIND, &jws(&json!({ "alg": "RS256" }), &payload), 200).await;
            })
        }),
        rule("a signature comes with the statement when attachments are asked for").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let signature = jws(&json!({ "alg": "RS256" }), &sent.to_string());
                try_signed(w, &sent, KIND, &signature, 200).await;
                let ask = get("statements").with("statementId", id(&sent)).with("attachments", "true");
                assert!(w.send(ask).await.expect(200).text().contains(&signature));
            })
        }),
    ]
}

fn rule(rule: &'static str) -> Row {
    both("Data 2.6", "suite Data2.6", rule)
}

/// A JWS whose signature nobody can check here: its key is not ours.
fn jws(header: &Value, payload: &str) -> String {
    let parts = [
        header.to_string(),
        payload.to_owned(),
        "signature".to_owned(),
    ];
    parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

/// Sends a statement with this as its signature; when it is refused, it is not kept.
async fn try_signed(w: &World, statement: &Value, content_type: &str, jws: &str, status: u16) {
    let sha2 = hex::encode(Sha256::digest(jws));
    let mut sent = statement.clone();
    sent["attachments"] = json!([{
        "usageType": "http://adlnet.gov/expapi/attachments/signature", "display": { "en": "Signature" },
        "contentType": content_type, "length": jws.len(), "sha2": sha2,
    }]);
    let bytes = AttachmentBytes {
        sha2,
        content_type: content_type.to_owned(),
        bytes: jws.as_bytes().to_vec(),
    };
    let (kind, body) = join_multipart(sent.to_string().as_bytes(), &[bytes]);
    w.send(post("statements").body(&kind, body))
        .await
        .expect(status);
    let kept = w
        .send(get("statements").with("statementId", id(&sent)))
        .await;
    kept.expect(if status == 200 { 200 } else { 404 });
}
