//! Agents, Groups, and what identifies them (Data 2.4.2).

use serde_json::json;

use crate::row::{Row, both};
use crate::statements::gone;

const SUM: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

pub fn rows() -> Vec<Row> {
    let account = || json!({ "homePage": "http://home", "name": "ada" });
    let member = || json!([{ "mbox": "mailto:a@example.com" }]);
    vec![
        both("Data 2.4.2.1", "4.2.2.1", "an Agent has one of the four identifiers: mbox, mbox_sha1sum, openid, account")
            .takes("/actor", json!({ "mbox": "mailto:a@example.com" }))
            .takes("/actor", json!({ "mbox_sha1sum": SUM }))
            .takes("/actor", json!({ "openid": "http://openid.example.com/a" }))
            .takes("/actor", json!({ "account": account() })),
        both("Data 2.4.2.1", "4.2.2.1", "an Agent without any identifier is nobody")
            .refuses("/actor/mbox", gone(), "$.actor")
            .refuses("/actor", json!({}), "$.actor")
            .refuses("/actor", json!({ "objectType": "Agent", "name": "Ada" }), "$.actor"),
        both("Data 2.4.2.1", "4.2.2.1", "an Agent with two identifiers is two people")
            .refuses("/actor/mbox_sha1sum", json!(SUM), "$.actor")
            .refuses("/actor/openid", json!("http://openid/a"), "$.actor")
            .refuses("/actor/account", account(), "$.actor")
            .refuses("/actor", json!({ "mbox_sha1sum": SUM, "openid": "http://openid/a" }), "$.actor")
            .refuses("/actor", json!({ "account": account(), "openid": "http://openid/a" }), "$.actor")
            .refuses("/actor", json!({ "account": account(), "mbox_sha1sum": SUM }), "$.actor"),
        both("Data 2.4.2.1", "4.2.2.1", "an actor's objectType is Agent or Group, and Agent when it is left out")
            .takes("/actor/objectType", gone())
            .takes("/actor/objectType", json!("Agent"))
            .refuses("/actor/objectType", json!("Activity"), "$.actor.objectType")
            .refuses("/actor/objectType", json!("Person"), "$.actor.objectType")
            .refuses("/actor/objectType", json!(""), "$.actor.objectType")
            .refuses("/actor/objectType", json!(1), "$.actor.objectType")
            .refuses("/actor/objectType", json!({}), "$.actor.objectType"),
        both("Data 2.4.2.1", "4.2.2.1", "an Agent's name is a string, any string, and may be left out")
            .takes("/actor/name", json!("Ada Lovelace, née Byron – 愛達"))
            .takes("/actor/name", json!(""))
            .takes("/actor/name", gone())
            .refuses("/actor/name", json!(1), "$.actor.name")
            .refuses("/actor/name", json!({}), "$.actor.name")
            .refuses("/actor/name", json!(["Ada"]), "$.actor.name"),
        both("Data 2.4.2.3", "4.2.2.1", "mbox is a mailto IRI with a mailbox, nothing less and nothing more")
            .takes("/actor/mbox", json!("mailto:ada.lovelace+x@mail.example.com"))
            .refuses("/actor/mbox", json!("ada@example.com"), "$.actor.mbox")
            .refuses("/actor/mbox", json!("mailto:ada"), "$.actor.mbox")
            .refuses("/actor/mbox", json!("mailto:@example.com"), "$.actor.mbox")
            .refuses("/actor/mbox", json!("mailto:ada@"), "$.actor.mbox")
            .refuses("/actor/mbox", json!("http://example.com/ada"), "$.actor.mbox")
            .refuses("/actor/mbox", json!("mailto:ada lovelace@example.com"), "$.actor.mbox")
            .refuses("/actor/mbox", json!(["mailto:ada@example.com"]), "$.actor.mbox")
            .refuses("/actor/mbox", json!({}), "$.actor.mbox"),
        both("Data 2.4.2.3", "4.2.2.1", "mbox_sha1sum is a SHA-1 in hexadecimal digits of either case")
            .takes("/actor", json!({ "mbox_sha1sum": SUM.to_uppercase() }))
            .refuses("/actor", json!({ "mbox_sha1sum": "ada@example.com" }), "$.actor.mbox_sha1sum")
            .refuses("/actor", json!({ "mbox_sha1sum": SUM.get(1..).unwrap() }), "$.actor.mbox_sha1sum")
            .refuses("/actor", json!({ "mbox_sha1sum": SUM.replace('d', "g") }), "$.actor.mbox_sha1sum")
            .refuses("/actor", json!({ "mbox_sha1sum": 7 }), "$.actor.mbox_sha1sum"),
        both("Data 2.4.2.3", "4.2.2.1", "openid is a URI that has a scheme")
            .takes("/actor", json!({ "openid": "https://openid.example.com/ada" }))
            .refuses("/actor", json!({ "openid": "openid.example.com/ada" }), "$.actor.openid")
            .refuses("/actor", json!({ "openid": "" }), "$.actor.openid")
            .refuses("/actor", json!({ "openid": 5 }), "$.actor.openid"),
        both("Data 2.4.2.4", "4.2.2.1", "an account is an object")
            .refuses("/actor", json!({ "account": "ada" }), "$.actor.account")
            .refuses("/actor", json!({ "account": [account()] }), "$.actor.account"),
        both("Data 2.4.2.4", "4.2.2.1", "an account has the homePage of its system, an IRL with a scheme")
            .takes("/actor", json!({ "account": account() }))
            .refuses("/actor", json!({ "account": { "name": "ada" } }), "$.actor.account")
            .refuses("/actor", json!({ "account": { "homePage": "home", "name": "ada" } }), "$.actor.account.homePage")
            .refuses("/actor", json!({ "account": { "homePage": 1, "name": "ada" } }), "$.actor.account.homePage"),
        both("Data 2.4.2.4", "4.2.2.1", "an account has the name it goes by on its system, a string")
            .takes("/actor", json!({ "account": { "homePage": "http://home", "name": "4711" } }))
            .refuses("/actor", json!({ "account": { "homePage": "http://home" } }), "$.actor.account")
            .refuses("/actor", json!({ "account": { "homePage": "http://home", "name": 4711 } }), "$.actor.account.name")
            .refuses("/actor", json!({ "account": { "homePage": "http://home", "name": {} } }), "$.actor.account.name"),
        both("Data 2.4.2.4", "4.2.2.1", "an account's properties are homePage and name alone, in that spelling")
            .refuses("/actor", json!({ "account": { "homePage": "http://home", "name": "ada", "id": 1 } }), "$.actor.account.id")
            .refuses("/actor", json!({ "account": { "homepage": "http://home", "name": "ada" } }), "$.actor.account.homepage"),
        both("Data 2.4.2.1", "4.2.2.1", "an Agent has no members")
            .refuses("/actor/member", member(), "$.actor.member")
            .refuses("/actor", json!({ "objectType": "Agent", "mbox": "mailto:a@example.com", "member": [] }), "$.actor.member"),
        both("Data 2.4.2.2", "4.2.2.1", "a Group says so: without objectType its members are not looked for")
            .takes("/actor", json!({ "objectType": "Group", "member": member() }))
            .refuses("/actor", json!({ "member": member() }), "$.actor.member"),
        both("Data 2.4.2.2", "4.2.2.1", "a Group without an identifier needs members")
            .takes("/actor", json!({ "objectType": "Group", "name": "class", "member": member() }))
            .refuses("/actor", json!({ "objectType": "Group" }), "$.actor")
            .refuses("/actor", json!({ "objectType": "Group", "name": "class" }), "$.actor")
            .refuses("/actor", json!({ "objectType": "Group", "member": [] }), "$.actor"),
        both("Data 2.4.2.2", "4.2.2.1", "a Group with an identifier may leave its members out, whatever the identifier")
            .takes("/actor", json!({ "objectType": "Group", "mbox": "mailto:class@example.com" }))
            .takes("/actor", json!({ "objectType": "Group", "mbox_sha1sum": SUM }))
            .takes("/actor", json!({ "objectType": "Group", "openid": "http://openid/class" }))
            .takes("/actor", json!({ "objectType": "Group", "account": account() }))
            .takes("/actor", json!({ "objectType": "Group", "account": account(), "member": member() })),
        both("Data 2.4.2.2", "4.2.2.1", "a Group has one identifier at most")
            .refuses("/actor", json!({ "objectType": "Group", "mbox": "mailto:a@example.com", "openid": "http://o/a" }), "$.actor")
            .refuses("/actor", json!({ "objectType": "Group", "account": account(), "mbox_sha1sum": SUM, "member": member() }), "$.actor"),
        both("Data 2.4.2.2", "4.2.2.1", "a Group's identifier has the form of an Agent's")
            .refuses("/actor", json!({ "objectType": "Group", "mbox": "class@example.com" }), "$.actor.mbox")
            .refuses("/actor", json!({ "objectType": "Group", "mbox_sha1sum": "x" }), "$.actor.mbox_sha1sum")
            .refuses("/actor", json!({ "objectType": "Group", "openid": "class" }), "$.actor.openid")
            .refuses("/actor", json!({ "objectType": "Group", "account": { "name": "class" } }), "$.actor.account"),
        both("Data 2.4.2.2", "4.2.2.1", "members are given in an array")
            .refuses("/actor", json!({ "objectType": "Group", "member": { "mbox": "mailto:a@example.com" } }), "$.actor.member")
            .refuses("/actor", json!({ "objectType": "Group", "mbox": "mailto:g@example.com", "member": "Ada" }), "$.actor.member"),
        both("Data 2.4.2.2", "4.2.2.1", "every member is a valid Agent")
            .refuses("/actor", json!({ "objectType": "Group", "member": [{ "name": "Ada" }] }), "$.actor.member[0]")
            .refuses("/actor", json!({ "objectType": "Group", "member": [{ "mbox": "mailto:a@a" }, { "mbox": "b" }] }), "$.actor.member[1].mbox")
            .refuses("/actor", json!({ "objectType": "Group", "member": ["Ada"] }), "$.actor.member[0]"),
        both("Data 2.4.2.2", "4.2.2.1", "an anonymous Group holds no Group")
            .refuses("/actor", json!({ "objectType": "Group", "member": [{ "objectType": "Group", "mbox": "mailto:g@a" }] }), "$.actor.member[0].objectType"),
        both("Data 2.4.2.2", "4.2.2.1", "an identified Group holds no Group")
            .refuses("/actor", json!({ "objectType": "Group", "mbox": "mailto:h@a", "member": [{ "objectType": "Group", "mbox": "mailto:g@a" }] }), "$.actor.member[0].objectType"),
        both("Data 2.4.2.2", "4.2.2.1", "a Group's name is a string and may be left out")
            .takes("/actor", json!({ "objectType": "Group", "name": "class of 1833", "member": member() }))
            .refuses("/actor", json!({ "objectType": "Group", "name": ["class"], "member": member() }), "$.actor.name"),
    ]
}
