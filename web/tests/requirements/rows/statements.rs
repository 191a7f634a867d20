//! What a statement is made of, and what the LRS sets itself (Data 2.2, 2.4, 2.4.1, 2.4.7–2.4.10).

use lectern_xapi::{Version, parse_timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::ask::{get, post};
use crate::row::{Row, both, new, old};
use crate::statements::{UUID, gone};

pub fn rows() -> Vec<Row> {
    let member = |name: &str| json!({ "mbox": format!("mailto:{name}@example.com") });
    vec![
        both("Data 2.2", "4.2.2.1", "a statement without an actor is none").refuses("/actor", gone(), "$"),
        both("Data 2.2", "4.2.2.2", "a statement without a verb is none").refuses("/verb", gone(), "$"),
        both("Data 2.2", "4.2.2.3", "a statement without an object is none").refuses("/object", gone(), "$"),
        both("Data 2.4", "4.2.4.1", "actor, verb and object are enough; result, context, timestamp and attachments may be left out")
            .plain()
            .takes_all([])
            .takes("/result", json!({}))
            .takes("/context", json!({}))
            .takes("/attachments", json!([])),
        both("Data 2.4", "4.2.4.1", "actor, verb, object, result and context are objects")
            .refuses("/actor", json!("Ada"), "$.actor")
            .refuses("/verb", json!("http://verbs/read"), "$.verb")
            .refuses("/object", json!(["http://activities/book"]), "$.object")
            .refuses("/result", json!(1), "$.result")
            .refuses("/context", json!(true), "$.context"),
        both("Data 2.2", "suite Data2.2", "null is no value of a statement's own properties")
            .refuses("/actor", json!(null), "$.actor")
            .refuses("/verb", json!(null), "$.verb")
            .refuses("/object", json!(null), "$.object")
            .refuses("/result", json!(null), "$.result")
            .refuses("/context", json!(null), "$.context")
            .refuses("/timestamp", json!(null), "$.timestamp")
            .refuses("/attachments", json!(null), "$.attachments"),
        both("Data 2.2", "suite Data2.2", "null is no value of what a statement alone has: id, stored, authority, version")
            .outer()
            .refuses("/id", json!(null), "$.id")
            .refuses("/stored", json!(null), "$.stored")
            .refuses("/authority", json!(null), "$.authority")
            .refuses("/version", json!(null), "$.version"),
        both("Data 2.2", "suite Data2.2", "null is no value deep inside a statement either, outside of extensions")
            .refuses("/actor/name", json!(null), "$.actor.name")
            .refuses("/verb/display", json!(null), "$.verb.display")
            .refuses("/verb/display/en-GB", json!(null), "$.verb.display[\"en-GB\"]")
            .refuses("/object/definition", json!(null), "$.object.definition")
            .refuses("/object/definition/moreInfo", json!(null), "$.object.definition.moreInfo")
            .refuses("/result/score", json!(null), "$.result.score")
            .refuses("/result/score/raw", json!(null), "$.result.score.raw")
            .refuses("/context/registration", json!(null), "$.context.registration")
            .refuses("/context/contextActivities", json!(null), "$.context.contextActivities")
            .refuses("/attachments/0/description", json!(null), "$.attachments[0].description"),
        both("Data 2.2", "4.2.4.1", "a property that the standard does not know is refused, whatever object it is in")
            .refuses("/dummy", json!(1), "$.dummy")
            .refuses("/actor/dummy", json!(1), "$.actor.dummy")
            .refuses("/verb/dummy", json!(1), "$.verb.dummy")
            .refuses("/object/dummy", json!(1), "$.object.dummy")
            .refuses("/object/definition/dummy", json!(1), "$.object.definition.dummy")
            .refuses("/object/definition/choices/0/dummy", json!(1), "$.object.definition.choices[0].dummy")
            .refuses("/result/dummy", json!(1), "$.result.dummy")
            .refuses("/result/score/dummy", json!(1), "$.result.score.dummy")
            .refuses("/context/dummy", json!(1), "$.context.dummy")
            .refuses("/context/statement/dummy", json!(1), "$.context.statement.dummy")
            .refuses("/context/instructor/account/dummy", json!(1), "$.context.instructor.account.dummy")
            .refuses("/attachments/0/dummy", json!(1), "$.attachments[0].dummy"),
        both("Data 2.2", "suite Data2.2", "the case of a property's name counts")
            .refuses("/Result", json!({}), "$.Result")
            .refuses("/actor/Name", json!("Ada"), "$.actor.Name")
            .refuses("/verb/Display", json!({}), "$.verb.Display")
            .refuses("/object/definition/moreinfo", json!("http://more"), "$.object.definition.moreinfo")
            .refuses("/context/contextactivities", json!({}), "$.context.contextactivities")
            .refuses("/attachments/0/fileURL", json!("http://files/a"), "$.attachments[0].fileURL"),
        both("Data 2.2", "suite Data2.2", "the case of a value from a list of the standard's counts")
            .refuses("/actor/objectType", json!("agent"), "$.actor.objectType")
            .refuses("/object/objectType", json!("activity"), "$.object.objectType")
            .refuses("/context/team/objectType", json!("group"), "$.context.team.objectType")
            .refuses("/context/statement/objectType", json!("statementRef"), "$.context.statement.objectType")
            .refuses("/object/definition/interactionType", json!("Choice"), "$.object.definition.interactionType"),
        both("Data 2.2", "suite Data2.2", "an empty string is refused where a format is asked for")
            .refuses("/actor/mbox", json!(""), "$.actor.mbox")
            .refuses("/verb/id", json!(""), "$.verb.id")
            .refuses("/object/id", json!(""), "$.object.id")
            .refuses("/context/registration", json!(""), "$.context.registration")
            .refuses("/context/language", json!(""), "$.context.language")
            .refuses("/result/duration", json!(""), "$.result.duration")
            .refuses("/timestamp", json!(""), "$.timestamp"),
        both("Data 2.2", "4.2.4.1", "one property twice in an object makes it unclear which is meant, and is refused").proven(|w| {
            Box::pin(async move {
                let sent = w.statement().to_string();
                let twice = sent.replacen("{\"actor\"", "{\"verb\":{\"id\":\"http://verbs/read\"},\"actor\"", 1);
                assert_ne!(sent, twice);
                let ask = post("statements").body("application/json", twice);
                w.send(ask).await.expect(400);
                w.send(post("statements").body("application/json", sent)).await.expect(200);
            })
        }),
        both("Data 2.1", "suite Data2.2", "what is no JSON, or no object, is no statement")
            .answers(post("statements").body("application/json", "{\"actor\":"), 400)
            .answers(post("statements").body("application/json", "actor=Ada"), 400)
            .answers(post("statements").body("application/json", ""), 400)
            .answers(post("statements").body("application/json", "\"read\""), 400)
            .answers(post("statements").body("application/json", "[[]]"), 400)
            .answers(post("statements").body("application/json", "{}"), 400),
        both("Data 2.2", "suite Data2.2", "numbers keep at least the precision of a 32-bit float")
            .takes("/result/score", json!({ "scaled": 0.123_456_7, "raw": 12_345.678, "min": -1.0e-7, "max": 3.0e38 }))
            .takes("/result/extensions", json!({ "http://extensions/part": 0.123_456_789_012_345 })),
        both("Data 2.4.1", "4.2.4.2", "an id is a UUID in its standard form")
            .outer()
            .takes("/id", json!("0a2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f"))
            .refuses("/id", json!("0a2a2b5e"), "$.id")
            .refuses("/id", json!("0a2a2b5e5a1f4c1e9e3e0a2a2b5e5a1f"), "$.id")
            .refuses("/id", json!("{0a2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f}"), "$.id")
            .refuses("/id", json!("zz2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f"), "$.id")
            .refuses("/id", json!(""), "$.id")
            .refuses("/id", json!(7), "$.id")
            .refuses("/id", json!({ "uuid": UUID }), "$.id"),
        both("Data 2.4.1", "4.2.4.2", "a statement without an id gets one, told to the sender, under which it is found").proven(|w| {
            Box::pin(async move {
                let mut sent = w.statement();
                sent.as_object_mut().unwrap().remove("id");
                let id = w.keep(&sent).await;
                assert!(Uuid::parse_str(&id).is_ok(), "{id}");
                assert_eq!(w.one(&id).await["id"], json!(id));
            })
        }),
        both("Data 2.4.7", "4.2.4.2", "a statement without a timestamp gets that of its storing").proven(|w| {
            Box::pin(async move {
                let served = w.one(&w.keep(&w.statement()).await).await;
                assert_eq!(served["timestamp"], served["stored"]);
            })
        }),
        both("Data 2.4.7", "4.2.4.2", "a timestamp that lies ahead of the LRS's clock is no reason to refuse")
            .takes("/timestamp", json!("2199-01-01T00:00:00Z")),
        both("Data 2.4.7", "4.2.4.2", "a timestamp is a timestamp and nothing else")
            .takes("/timestamp", json!("2015-12-18T12:17:00Z"))
            .refuses("/timestamp", json!("yesterday"), "$.timestamp")
            .refuses("/timestamp", json!(1_450_000_000), "$.timestamp")
            .refuses("/timestamp", json!({}), "$.timestamp"),
        both("Data 2.4.8", "4.2.4.2", "stored is when the LRS stored it, whatever the sender says").proven(|w| {
            Box::pin(async move {
                let before = jiff::Timestamp::now();
                let sent = w.statement_with("stored", json!("2001-01-01T00:00:00Z"));
                let served = w.one(&w.keep(&sent).await).await;
                let stored = parse_timestamp(served["stored"].as_str().unwrap(), Version::V2_0_0).unwrap();
                assert!(stored >= before, "{stored} {before}");
            })
        }),
        both("Data 2.4.8", "4.2.4.2", "what a sender says in stored must be a timestamp all the same")
            .outer()
            .takes("/stored", json!("2013-05-18T05:32:34.804Z"))
            .refuses("/stored", json!("yesterday"), "$.stored")
            .refuses("/stored", json!("2013-05-18T05:32:34.804-00:00"), "$.stored")
            .refuses("/stored", json!(5), "$.stored"),
        both("Data 2.4.8", "4.2.4.2", "no two statements share an instant of storing, and later ones have later ones").proven(|w| {
            Box::pin(async move {
                let batch = json!([w.statement(), w.statement(), w.statement()]);
                w.send(post("statements").json(&batch)).await.expect(200);
                let verb = w.iri("did");
                let found = w.many(&[("verb", &verb), ("ascending", "true")]).await;
                let stored = found["statements"].as_array().unwrap().iter();
                let stored: Vec<_> = stored.map(|one| one["stored"].as_str().unwrap()).collect();
                assert_eq!(stored.len(), 3);
                assert!(stored.windows(2).all(|pair| pair[0] < pair[1]), "{stored:?}");
            })
        }),
        both("Data 2.4.9", "4.2.4.2", "every stored statement has an authority: the account of the credential that sent it").proven(|w| {
            Box::pin(async move {
                let served = w.one(&w.keep(&w.statement()).await).await;
                assert_eq!(served["authority"]["objectType"], json!("Agent"));
                assert!(served["authority"]["account"]["name"].is_string(), "{served}");
            })
        }),
        both("Data 2.4.9", "4.2.4.2", "an authority that a sender claims is checked, and replaced by its own").proven(|w| {
            Box::pin(async move {
                let claimed = w.agent("someone-else");
                let served = w.one(&w.keep(&w.statement_with("authority", claimed.clone())).await).await;
                assert_ne!(served["authority"], claimed);
                assert_eq!(served["authority"], w.one(&w.keep(&w.statement()).await).await["authority"]);
            })
        }),
        both("Data 2.4.9", "4.2.4.2", "an authority is an Agent, or an anonymous Group of two: the application and its user")
            .outer()
            .takes("/authority", member("a"))
            .takes("/authority", json!({ "objectType": "Group", "member": [member("a"), member("b")] }))
            .refuses("/authority", json!({ "objectType": "Group", "member": [member("a")] }), "$.authority")
            .refuses("/authority", json!({ "objectType": "Group", "member": [member("a"), member("b"), member("c")] }), "$.authority")
            .refuses("/authority", json!({ "objectType": "Group", "mbox": "mailto:g@example.com", "member": [member("a"), member("b")] }), "$.authority")
            .refuses("/authority", json!({ "objectType": "Activity", "id": "http://a/b" }), "$.authority.objectType")
            .refuses("/authority", json!({}), "$.authority"),
        both("Data 2.4.10", "4.2.4.3", "a statement may call itself 1.0 or any 1.0.x, and keeps what it said")
            .outer()
            .takes("/version", json!("1.0"))
            .takes("/version", json!("1.0.0"))
            .takes("/version", json!("1.0.9"))
            .proven(|w| {
                Box::pin(async move {
                    let served = w.one(&w.keep(&w.statement_with("version", json!("1.0.9"))).await).await;
                    assert_eq!(served["version"], json!("1.0.9"));
                })
            }),
        both("Data 2.4.10", "4.2.4.3", "versions before 1.0 and between 1.0 and 2.0 are refused, and what is no version")
            .outer()
            .refuses("/version", json!("0.9.9"), "$.version")
            .refuses("/version", json!("0.95"), "$.version")
            .refuses("/version", json!("1.1.0"), "$.version")
            .refuses("/version", json!("1"), "$.version")
            .refuses("/version", json!("3.0.0"), "$.version")
            .refuses("/version", json!("latest"), "$.version")
            .refuses("/version", json!(""), "$.version")
            .refuses("/version", json!(1.0), "$.version"),
        old("Data 2.4.10", "a statement that calls itself 2.0.0 is not one of 1.0.x")
            .outer()
            .takes("/version", json!("1.0.3"))
            .refuses("/version", json!("2.0.0"), "$.version"),
        new("4.2.4.3", "a statement may call itself 2.0 or any 2.0.x, and keeps what it said")
            .outer()
            .takes("/version", json!("2.0"))
            .takes("/version", json!("2.0.0"))
            .takes("/version", json!("2.0.7"))
            .refuses("/version", json!("2.1.0"), "$.version"),
        old("Data 2.4.10", "a statement that names no version is one of 1.0.0").proven(|w| {
            Box::pin(async move {
                let served = w.one(&w.keep(&w.statement()).await).await;
                assert_eq!(served["version"], json!("1.0.0"));
            })
        }),
        new("4.2.4.3", "a statement that names no version is one of 2.0.0").proven(|w| {
            Box::pin(async move {
                let served = w.one(&w.keep(&w.statement()).await).await;
                assert_eq!(served["version"], json!("2.0.0"));
            })
        }),
        both("Data 2.4", "4.2.4.1", "the order of a statement's properties means nothing").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let text = format!(
                    "{{\"object\":{},\"verb\":{},\"id\":{},\"actor\":{}}}",
                    sent["object"], sent["verb"], sent["id"], sent["actor"]
                );
                w.send(post("statements").body("application/json", text)).await.expect(200);
                w.send(post("statements").json(&sent)).await.expect(200);
                w.send(get("statements").with("statementId", sent["id"].as_str().unwrap())).await.expect(200);
            })
        }),
    ]
}
