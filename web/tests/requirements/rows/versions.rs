//! The header that names a version, and what it changes (Comm 3.3).

use serde_json::json;

use crate::ask::{delete, get, post, put};
use crate::row::{Row, both};
use crate::state::with_all;
use crate::statements::UUID;
use crate::world::{VERSION, id, text};

pub fn rows() -> Vec<Row> {
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
