//! How statements are sent: PUT and POST (Comm 2.1.1, 2.1.2).

use serde_json::json;
use uuid::Uuid;

use crate::ask::{delete, get, post, put};
use crate::row::{Row, both};
use crate::world::id;

pub fn rows() -> Vec<Row> {
    vec![
        both("Comm 2.1.1", "4.1.6.1", "PUT stores one statement and answers 204 with an empty body").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let answer = w.send(put("statements").with("statementId", id(&sent)).json(&sent)).await.expect(204);
                assert!(answer.body.is_empty());
                w.one(&id(&sent)).await;
            })
        }),
        both("Comm 2.1.1", "4.1.6.1", "PUT without statementId is refused").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                w.send(put("statements").json(&sent)).await.expect(400);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Comm 2.1.1", "4.1.6.1", "PUT gives a statement without an id that of the parameter").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement();
                let id = id(&sent);
                sent.as_object_mut().unwrap().remove("id");
                w.send(put("statements").with("statementId", &id).json(&sent)).await.expect(204);
                assert_eq!(w.one(&id).await["id"], json!(id));
            })
        }),
        both("Comm 2.1.1", "4.1.6.1", "PUT of a statement under another id than its own is refused").proven(|w| {
            Box::pin(async move {
                let (sent, other) = (w.statement(), Uuid::now_v7());
                w.send(put("statements").with("statementId", other).json(&sent)).await.expect(400);
                w.send(get("statements").with("statementId", other)).await.expect(404);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Data 2.2", "suite Data2.2", "PUT wants a UUID for statementId, as a statement does for its id").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement();
                sent.as_object_mut().unwrap().remove("id");
                for wrong in ["1", "", "0a2a2b5e5a1f4c1e9e3e0a2a2b5e5a1f", "http://statements/1"] {
                    w.send(put("statements").with("statementId", wrong).json(&sent)).await.expect(400);
                }
            })
        }),
        both("Comm 2.1.1", "4.1.6.1", "PUT takes one statement, not an array of them").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                w.send(put("statements").with("statementId", id(&sent)).json(&json!([sent]))).await.expect(400);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Comm 3.2", "suite Communication3.2", "PUT refuses parameters besides statementId, and other spellings of it").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                w.send(put("statements").with("StatementId", id(&sent)).json(&sent)).await.expect(400);
                w.send(put("statements").with("statementid", id(&sent)).json(&sent)).await.expect(400);
                w.send(put("statements").with("statementId", id(&sent)).with("foo", "bar").json(&sent)).await.expect(400);
                w.send(put("statements").with("statementId", id(&sent)).json(&sent)).await.expect(204);
            })
        }),
        both("Comm 2.1.2", "4.1.6.1", "POST of one statement answers 200 with an array of its id").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let answer = w.send(post("statements").json(&sent)).await.expect(200);
                assert_eq!(answer.json(), json!([sent["id"]]));
                assert_eq!(answer.header("content-type"), "application/json");
            })
        }),
        both("Comm 2.1.2", "4.1.6.1", "POST of a batch answers 200 with the ids in the order of the batch").proven(|w| {
            Box::pin(async move {
                let mut batch = vec![w.statement(), w.statement(), w.statement()];
                batch.reverse();
                batch[1].as_object_mut().unwrap().remove("id");
                let ids = w.send(post("statements").json(&json!(batch))).await.expect(200).json();
                assert_eq!((&ids[0], &ids[2]), (&batch[0]["id"], &batch[2]["id"]));
                assert_eq!(ids.as_array().unwrap().len(), 3);
                w.one(ids[1].as_str().unwrap()).await;
            })
        }),
        both("Comm 2.1.2", "4.1.6.1", "an id twice in a batch is refused, even when both statements are the same").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let answer = w.send(post("statements").json(&json!([sent, sent]))).await.expect(400);
                assert!(answer.text().contains("$[1].id"), "{}", answer.text());
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Comm 3.2", "suite Communication3.2", "one bad statement keeps its whole batch out, wherever it stands").proven(|w| {
            Box::pin(async move {
                for bad in 0..3 {
                    let mut batch = [w.statement(), w.statement(), w.statement()];
                    batch[bad]["actor"] = json!({ "name": "nobody" });
                    let answer = w.send(post("statements").json(&json!(batch))).await.expect(400);
                    assert!(answer.text().contains(&format!("$[{bad}].actor")), "{}", answer.text());
                }
                assert!(w.found(&[("verb", &w.iri("did"))]).await.is_empty());
            })
        }),
        both("Comm 3.2", "suite Communication3.2", "POST of statements takes no parameters").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                w.send(post("statements").with("statementId", id(&sent)).json(&sent)).await.expect(400);
                w.send(post("statements").with("foo", "bar").json(&sent)).await.expect(400);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Comm 3.2", "4.1.3", "statements come as application/json or multipart/mixed, and as nothing else").proven(|w| {
            Box::pin(async move {
                for kind in ["text/plain", "text/html", "application/xml", "application/octet-stream", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
                    let ask = post("statements").body(kind, w.statement().to_string());
                    w.send(ask).await.expect(400);
                }
                for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
                    let ask = post("statements").body(kind, w.statement().to_string());
                    w.send(ask).await.expect(200);
                }
            })
        }),
        both("Comm 3.2", "4.1.3", "a body whose type is not said is not guessed at").proven(|w| {
            Box::pin(async move {
                let mut ask = post("statements").json(&w.statement());
                ask.kind = None;
                w.send(ask).await.expect(400);
            })
        }),
        both("Comm 1.4", "suite Communication1.4", "statements are UTF-8, and every letter of it comes back").proven(|w| {
            Box::pin(async move {
                let name = "Ada Ünïcödé 愛達 \u{1f600} \u{0000}\u{001f} \"\\/ \u{2028}";
                let mut sent = w.statement();
                sent["actor"]["name"] = json!(name);
                assert_eq!(w.one(&w.keep(&sent).await).await["actor"]["name"], json!(name));
                let mut broken = w.statement().to_string().into_bytes();
                let at = broken.windows(3).position(|bytes| bytes == b"did").unwrap();
                broken[at] = 0xff;
                w.send(post("statements").body("application/json", broken)).await.expect(400);
            })
        }),
        both("Comm 3.2", "4.1.6.1", "statements cannot be deleted or patched, and the answer says so").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                w.send(delete("statements").with("statementId", &id)).await.expect(405);
                w.send(crate::ask::ask("PATCH", "statements").with("statementId", &id)).await.expect(405);
                w.one(&id).await;
            })
        }),
        both("Comm 3.2", "suite Communication3.2", "a statement larger than the LRS takes is answered with 413, and a smaller one is taken").proven(|w| {
            Box::pin(async move {
                let long = |bytes: usize| w.statement_with("result", json!({ "response": "x".repeat(bytes) }));
                w.keep(&long(900 * 1024)).await;
                let answer = w.send(post("statements").json(&long(1100 * 1024))).await;
                assert_eq!(answer.status.as_u16(), 413, "{}", answer.text());
            })
        }),
    ]
}
