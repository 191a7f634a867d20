//! Objects that are no Activities: Agents, Groups, references to statements, SubStatements (Data 2.4.4.2, 2.4.4.3).

use serde_json::{Value, json};

use crate::row::{Row, both};
use crate::statements::UUID;

pub fn rows() -> Vec<Row> {
    let sub = |property: &str, value: Value| {
        let mut sub = json!({
            "objectType": "SubStatement",
            "actor": { "mbox": "mailto:a@example.com" },
            "verb": { "id": "http://verbs/read" },
            "object": { "id": "http://activities/book" },
        });
        sub[property] = value;
        sub
    };
    let without = |property: &str| {
        let mut sub = sub("context", json!({}));
        sub.as_object_mut().unwrap().remove(property);
        sub
    };
    vec![
        both("Data 2.4.4.2", "4.2.2.3", "an Agent as object says that it is one")
            .plain()
            .takes("/object", json!({ "objectType": "Agent", "mbox": "mailto:a@example.com" }))
            .refuses("/object", json!({ "mbox": "mailto:a@example.com" }), "$.object.mbox")
            .refuses("/object", json!({ "account": { "homePage": "http://home", "name": "a" } }), "$.object.account"),
        both("Data 2.4.4.2", "4.2.2.3", "a Group as object says that it is one")
            .plain()
            .takes("/object", json!({ "objectType": "Group", "member": [{ "mbox": "mailto:a@example.com" }] }))
            .takes("/object", json!({ "objectType": "Group", "mbox": "mailto:g@example.com" }))
            .refuses("/object", json!({ "member": [{ "mbox": "mailto:a@example.com" }] }), "$.object.member"),
        both("Data 2.4.4.2", "4.2.2.3", "an Agent or Group as object follows the rules of actors")
            .plain()
            .refuses("/object", json!({ "objectType": "Agent", "name": "Ada" }), "$.object")
            .refuses("/object", json!({ "objectType": "Agent", "mbox": "a@example.com" }), "$.object.mbox")
            .refuses("/object", json!({ "objectType": "Agent", "mbox": "mailto:a@a", "openid": "http://o/a" }), "$.object")
            .refuses("/object", json!({ "objectType": "Group" }), "$.object")
            .refuses("/object", json!({ "objectType": "Group", "member": [{ "objectType": "Group", "mbox": "mailto:g@a" }] }), "$.object.member[0].objectType"),
        both("Data 2.4.4.3", "4.2.2.3", "a reference to a statement has the objectType StatementRef")
            .plain()
            .takes("/object", json!({ "objectType": "StatementRef", "id": UUID }))
            .refuses("/object", json!({ "objectType": "statementref", "id": UUID }), "$.object.objectType")
            .refuses("/object", json!({ "id": UUID }), "$.object.id"),
        both("Data 2.4.4.3", "4.2.2.3", "a reference to a statement has its id, a UUID")
            .plain()
            .refuses("/object", json!({ "objectType": "StatementRef" }), "$.object")
            .refuses("/object", json!({ "objectType": "StatementRef", "id": "1" }), "$.object.id")
            .refuses("/object", json!({ "objectType": "StatementRef", "id": "http://statements/1" }), "$.object.id")
            .refuses("/object", json!({ "objectType": "StatementRef", "id": 1 }), "$.object.id"),
        both("Data 2.4.4.3", "4.2.2.3", "a reference to a statement has nothing else")
            .plain()
            .refuses("/object", json!({ "objectType": "StatementRef", "id": UUID, "definition": {} }), "$.object.definition"),
        both("Data 2.4.4.3", "4.2.4.1", "a statement that is referred to need not be here")
            .plain()
            .takes("/object", json!({ "objectType": "StatementRef", "id": "00000000-0000-4000-8000-000000000000" })),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement says that it is one")
            .plain()
            .outer()
            .takes("/object", sub("context", json!({})))
            .refuses("/object", sub("objectType", json!("substatement")), "$.object.objectType")
            .refuses("/object", without("objectType"), "$.object.actor"),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement has an actor, a verb and an object as a statement has")
            .plain()
            .outer()
            .refuses("/object", without("actor"), "$.object")
            .refuses("/object", without("verb"), "$.object")
            .refuses("/object", without("object"), "$.object"),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement has no id of its own").plain().outer()
            .refuses("/object", sub("id", json!(UUID)), "$.object.id"),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement was not stored by itself").plain().outer()
            .refuses("/object", sub("stored", json!("2026-01-01T00:00:00Z")), "$.object.stored"),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement has no version of its own").plain().outer()
            .refuses("/object", sub("version", json!("1.0.0")), "$.object.version"),
        both("Data 2.4.4.3", "4.2.2.3", "nobody vouches for a SubStatement").plain().outer()
            .refuses("/object", sub("authority", json!({ "mbox": "mailto:a@example.com" })), "$.object.authority"),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement holds no other SubStatement").plain().outer()
            .refuses("/object", sub("object", sub("context", json!({}))), "$.object.object"),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement's object may be an Agent, a Group or a reference").plain().outer()
            .takes("/object", sub("object", json!({ "objectType": "Agent", "mbox": "mailto:b@example.com" })))
            .takes("/object", sub("object", json!({ "objectType": "Group", "mbox": "mailto:g@example.com" })))
            .takes("/object", sub("object", json!({ "objectType": "StatementRef", "id": UUID }))),
        both("Data 2.4.4.3", "4.2.2.3", "a SubStatement may tell of what is still to come").plain().outer()
            .takes("/object", sub("timestamp", json!("2199-01-01T00:00:00Z"))),
    ]
}
