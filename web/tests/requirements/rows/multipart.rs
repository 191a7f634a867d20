//! How the bytes of attachments travel: multipart/mixed (Comm 1.5), both ways.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ask::{Ask, get, post, put};
use crate::row::{Row, both};
use crate::world::{World, id};

const BOUNDARY: &str = "-------314159265358979323846";

pub fn rows() -> Vec<Row> {
    vec![
        both(
            "Comm 1.5.1",
            "4.1.3",
            "as application/json, statements come whose attachments all have a fileUrl",
        )
        .proven(|w| {
            Box::pin(async move {
                w.keep(&with_file(w, "hello", Some("http://files/a"))).await;
                let sent = with_file(w, "hello", None);
                w.send(post("statements").json(&sent)).await.expect(400);
                w.send(get("statements").with("statementId", id(&sent)))
                    .await
                    .expect(404);
            })
        }),
        mixed_rule(
            "bytes come in a part of multipart/mixed behind the statements, by PUT and by POST",
        )
        .proven(|w| {
            Box::pin(async move {
                let sent = with_file(w, "hello", None);
                w.send(mixed(
                    post("statements"),
                    &[statements(&sent), file("hello")],
                ))
                .await
                .expect(200);
                let sent = with_file(w, "hello", None);
                let ask = put("statements").with("statementId", id(&sent));
                w.send(mixed(ask, &[statements(&sent), file("hello")]))
                    .await
                    .expect(204);
            })
        }),
        mixed_rule("multipart/mixed without any attachment is taken").proven(|w| {
            Box::pin(async move {
                w.send(mixed(post("statements"), &[statements(&w.statement())]))
                    .await
                    .expect(200);
            })
        }),
        mixed_rule("multipart/mixed is taken without bytes for attachments that have a fileUrl")
            .proven(|w| {
                Box::pin(async move {
                    let sent = with_file(w, "hello", Some("http://files/a"));
                    w.send(mixed(post("statements"), &[statements(&sent)]))
                        .await
                        .expect(200);
                })
            }),
        mixed_rule(
            "an attachment with neither fileUrl nor bytes is refused, and the batch with it",
        )
        .proven(|w| {
            Box::pin(async move {
                let batch = json!([w.statement(), with_file(w, "hello", None)]);
                w.send(mixed(post("statements"), &[statements(&batch)]))
                    .await
                    .expect(400);
                assert!(w.found(&[("verb", &w.iri("did"))]).await.is_empty());
            })
        }),
        mixed_rule("bytes that no attachment asks for are refused").proven(|w| {
            Box::pin(refused(w, |sent| {
                vec![statements(sent), file("hello"), file("surplus")]
            }))
        }),
        mixed_rule("the first part holds the statements as application/json").proven(|w| {
            Box::pin(async move {
                let plain =
                    |sent: &Value| statements(sent).replace("application/json", "text/plain");
                refused(w, |sent| vec![plain(sent), file("hello")]).await;
                refused(w, |sent| vec![file("hello"), statements(sent)]).await;
            })
        }),
        mixed_rule("all statements stand in the first part").proven(|w| {
            Box::pin(refused(w, |sent| {
                vec![statements(sent), statements(sent), file("hello")]
            }))
        }),
        mixed_rule("a part without X-Experience-API-Hash is refused").proven(|w| {
            Box::pin(refused(w, |sent| {
                vec![
                    statements(sent),
                    without(&file("hello"), "X-Experience-API-Hash"),
                ]
            }))
        }),
        mixed_rule("a part whose X-Experience-API-Hash is of no attachment is refused").proven(
            |w| {
                Box::pin(refused(w, |sent| {
                    vec![
                        statements(sent),
                        file("hello").replace(&hash("hello"), &hash("other")),
                    ]
                }))
            },
        ),
        mixed_rule("a part whose bytes do not have the hash that it names is refused").proven(
            |w| {
                Box::pin(refused(w, |sent| {
                    vec![
                        statements(sent),
                        file("hello").replace("\r\n\r\nhello", "\r\n\r\njello"),
                    ]
                }))
            },
        ),
        mixed_rule(
            "a part without Content-Transfer-Encoding, or with another than binary, is refused",
        )
        .proven(|w| {
            Box::pin(async move {
                refused(w, |sent| {
                    vec![
                        statements(sent),
                        without(&file("hello"), "Content-Transfer-Encoding"),
                    ]
                })
                .await;
                refused(w, |sent| {
                    vec![statements(sent), file("hello").replace("binary", "base64")]
                })
                .await;
            })
        }),
        mixed_rule("parts are matched by their hash, in whatever order they come").proven(|w| {
            Box::pin(async move {
                let mut sent = with_file(w, "one", None);
                let second = with_file(w, "two", None)["attachments"][0].take();
                sent["attachments"].as_array_mut().unwrap().push(second);
                w.send(mixed(
                    post("statements"),
                    &[statements(&sent), file("two"), file("one")],
                ))
                .await
                .expect(200);
            })
        }),
        mixed_rule("one part serves every statement that names its hash").proven(|w| {
            Box::pin(async move {
                let batch = json!([with_file(w, "hello", None), with_file(w, "hello", None)]);
                w.send(mixed(
                    post("statements"),
                    &[statements(&batch), file("hello")],
                ))
                .await
                .expect(200);
            })
        }),
        mixed_rule("the attachment of a SubStatement has its bytes in a part, too").proven(|w| {
            Box::pin(async move {
                let mut inner = with_file(w, "hello", None);
                inner.as_object_mut().unwrap().remove("id");
                inner["objectType"] = json!("SubStatement");
                let sent = w.statement_with("object", inner);
                w.send(post("statements").json(&sent)).await.expect(400);
                w.send(mixed(
                    post("statements"),
                    &[statements(&sent), file("hello")],
                ))
                .await
                .expect(200);
            })
        }),
        mixed_rule("multipart/mixed without a boundary in its header is refused").proven(|w| {
            Box::pin(async move {
                let mut ask = mixed(
                    post("statements"),
                    &[statements(&with_file(w, "hello", None)), file("hello")],
                );
                ask.kind = Some("multipart/mixed".to_owned());
                w.send(ask).await.expect(400);
            })
        }),
        mixed_rule(
            "a body without the boundary of its header is refused, and one that ends before it",
        )
        .proven(|w| {
            Box::pin(async move {
                let good = mixed(
                    post("statements"),
                    &[statements(&with_file(w, "hello", None)), file("hello")],
                );
                let mut other = good.clone();
                other.kind = Some("multipart/mixed; boundary=other".to_owned());
                w.send(other).await.expect(400);
                let mut cut = good.clone();
                cut.body.truncate(good.body.len() - BOUNDARY.len());
                w.send(cut).await.expect(400);
                w.send(good).await.expect(200);
            })
        }),
        both(
            "Comm 1.5.2",
            "4.1.3",
            "multipart/form-data is no way to send attachments",
        )
        .proven(|w| {
            Box::pin(async move {
                let mut ask = mixed(
                    post("statements"),
                    &[statements(&with_file(w, "hello", None)), file("hello")],
                );
                ask.kind = Some(format!("multipart/form-data; boundary={BOUNDARY}"));
                w.send(ask).await.expect(400);
            })
        }),
        both(
            "Comm 2.1.3",
            "4.1.6.1",
            "attachments=true answers with multipart/mixed that holds the bytes",
        )
        .proven(|w| {
            Box::pin(async move {
                let id = with_bytes(w, "hello").await;
                let answer = w
                    .send(
                        get("statements")
                            .with("statementId", id)
                            .with("attachments", "true"),
                    )
                    .await
                    .expect(200);
                assert!(
                    answer
                        .header("content-type")
                        .starts_with("multipart/mixed; boundary=")
                );
                let text = answer.text();
                let part = text
                    .split("\r\n--")
                    .find(|part| part.ends_with("\r\n\r\nhello"))
                    .unwrap()
                    .to_lowercase();
                assert!(
                    part.contains(&format!("x-experience-api-hash: {}", hash("hello"))),
                    "{part}"
                );
                assert!(part.contains("content-transfer-encoding: binary"), "{part}");
                assert!(part.contains("content-type: text/plain"), "{part}");
            })
        }),
        both(
            "Comm 2.1.3",
            "4.1.6.1",
            "attachments=true answers with multipart/mixed also when there are none",
        )
        .proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                let answer = w
                    .send(
                        get("statements")
                            .with("statementId", id)
                            .with("attachments", "true"),
                    )
                    .await
                    .expect(200);
                assert!(
                    answer
                        .header("content-type")
                        .starts_with("multipart/mixed; boundary=")
                );
            })
        }),
        both(
            "Comm 2.1.3",
            "4.1.6.1",
            "attachments=false, or nothing, answers with application/json and no bytes",
        )
        .proven(|w| {
            Box::pin(async move {
                let id = with_bytes(w, "hello there").await;
                for ask in [
                    get("statements"),
                    get("statements").with("attachments", "false"),
                ] {
                    let answer = w.send(ask.with("statementId", &id)).await.expect(200);
                    assert_eq!(answer.header("content-type"), "application/json");
                    assert!(!answer.text().contains("hello there"));
                }
            })
        }),
        both(
            "Comm 2.1.3",
            "4.1.6.1",
            "bytes that several found statements share come once",
        )
        .proven(|w| {
            Box::pin(async move {
                with_bytes(w, "shared").await;
                with_bytes(w, "shared").await;
                let ask = get("statements")
                    .with("verb", w.iri("did"))
                    .with("attachments", "true");
                let text = w.send(ask).await.expect(200).text();
                assert_eq!(text.matches("\r\n\r\nshared\r\n").count(), 1, "{text}");
            })
        }),
    ]
}

fn mixed_rule(rule: &'static str) -> Row {
    both("Comm 1.5.2", "4.1.3", rule)
}

fn hash(bytes: &str) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn with_file(w: &World, bytes: &str, url: Option<&str>) -> Value {
    let mut attachment = json!({
        "usageType": "http://usage", "display": { "en": "File" }, "contentType": "text/plain",
        "length": bytes.len(), "sha2": hash(bytes),
    });
    if let Some(url) = url {
        attachment["fileUrl"] = json!(url);
    }
    w.statement_with("attachments", json!([attachment]))
}

/// The id of a stored statement whose attachment has these bytes.
async fn with_bytes(w: &World, bytes: &str) -> String {
    let sent = with_file(w, bytes, None);
    w.send(mixed(post("statements"), &[statements(&sent), file(bytes)]))
        .await
        .expect(200);
    id(&sent)
}

fn statements(statements: &Value) -> String {
    format!("Content-Type: application/json\r\n\r\n{statements}")
}

fn file(bytes: &str) -> String {
    format!(
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {}\r\n\r\n{bytes}",
        hash(bytes)
    )
}

/// A part without one of its headers.
fn without(part: &str, header: &str) -> String {
    let lines: Vec<&str> = part
        .split("\r\n")
        .filter(|line| !line.starts_with(header))
        .collect();
    lines.join("\r\n")
}

fn mixed(ask: Ask, parts: &[String]) -> Ask {
    let mut body = String::new();
    for part in parts {
        body += &format!("--{BOUNDARY}\r\n{part}\r\n");
    }
    body += &format!("--{BOUNDARY}--\r\n");
    ask.body(&format!("multipart/mixed; boundary={BOUNDARY}"), body)
}

/// A statement with one attachment in these parts is refused, and not kept.
async fn refused(w: &World, parts: impl Fn(&Value) -> Vec<String>) {
    let sent = with_file(w, "hello", None);
    w.send(mixed(post("statements"), &parts(&sent)))
        .await
        .expect(400);
    w.send(get("statements").with("statementId", id(&sent)))
        .await
        .expect(404);
}
