//! Documents: State, Agent Profiles, Activity Profiles (Comm 2.2, 2.3, 2.6, 2.7), and the conditions under which they
//! may be overwritten (Comm 3.1; 2.0 4.1.4). What holds of all three is one function a rule, one row a resource.

mod proofs;

use serde_json::json;

use crate::ask::{Ask, ask, delete, get, post, put};
use crate::row::{Proof, Row, both, new, old};
use crate::statements::UUID;
use crate::world::text;
use proofs::{at, place, read};

const AGENT: &str = "{\"mbox\":\"mailto:a@example.com\"}";
const ACTIVITY: &str = "http://activities/book";

pub fn rows() -> Vec<Row> {
    let mut rows = state();
    rows.extend(of(&STATE));
    rows.extend(of(&AGENT_PROFILE));
    rows.extend(of(&ACTIVITY_PROFILE));
    rows
}

/// One of the three resources.
struct Kind {
    path: &'static str,
    name: &'static str,
    old: &'static str,
    new: &'static str,
    /// The parameter that names a document.
    id: &'static str,
    /// Those that say where it lies.
    place: &'static [&'static str],
    proofs: Proofs,
}

/// A fn pointer catches nothing, so each resource has its own.
struct Proofs {
    kept: Proof,
    absent: Proof,
    deleted: Proof,
    listed: Proof,
    since: Proof,
    created: Proof,
    merged: Proof,
    one_level: Proof,
    no_merge: Proof,
    bytes: Proof,
    names: Proof,
    tag: Proof,
    unchanged: Proof,
    matches: Proof,
    differs: Proof,
    none_match: Proof,
    conflict: Proof,
    modified: Proof,
    head: Proof,
    spelling: Proof,
}

macro_rules! proofs {
    ($kind:ident) => {
        Proofs {
            kept: |w| Box::pin(proofs::kept(w, &$kind)),
            absent: |w| Box::pin(proofs::absent(w, &$kind)),
            deleted: |w| Box::pin(proofs::deleted(w, &$kind)),
            listed: |w| Box::pin(proofs::listed(w, &$kind)),
            since: |w| Box::pin(proofs::since(w, &$kind)),
            created: |w| Box::pin(proofs::created(w, &$kind)),
            merged: |w| Box::pin(proofs::merged(w, &$kind)),
            one_level: |w| Box::pin(proofs::one_level(w, &$kind)),
            no_merge: |w| Box::pin(proofs::no_merge(w, &$kind)),
            bytes: |w| Box::pin(proofs::bytes(w, &$kind)),
            names: |w| Box::pin(proofs::names(w, &$kind)),
            tag: |w| Box::pin(proofs::tag(w, &$kind)),
            unchanged: |w| Box::pin(proofs::unchanged(w, &$kind)),
            matches: |w| Box::pin(proofs::matches(w, &$kind)),
            differs: |w| Box::pin(proofs::differs(w, &$kind)),
            none_match: |w| Box::pin(proofs::none_match(w, &$kind)),
            conflict: |w| Box::pin(proofs::conflict(w, &$kind)),
            modified: |w| Box::pin(proofs::modified(w, &$kind)),
            head: |w| Box::pin(proofs::headed(w, &$kind)),
            spelling: |w| Box::pin(proofs::spelling(w, &$kind)),
        }
    };
}

static STATE: Kind = Kind {
    path: "activities/state",
    name: "State",
    old: "Comm 2.3",
    new: "4.1.6.2",
    id: "stateId",
    place: &["activityId", "agent"],
    proofs: proofs!(STATE),
};

static AGENT_PROFILE: Kind = Kind {
    path: "agents/profile",
    name: "Agent Profile",
    old: "Comm 2.6",
    new: "4.1.6.5",
    id: "profileId",
    place: &["agent"],
    proofs: proofs!(AGENT_PROFILE),
};

static ACTIVITY_PROFILE: Kind = Kind {
    path: "activities/profile",
    name: "Activity Profile",
    old: "Comm 2.7",
    new: "4.1.6.6",
    id: "profileId",
    place: &["activityId"],
    proofs: proofs!(ACTIVITY_PROFILE),
};

/// What holds of each of the three.
fn of(kind: &'static Kind) -> Vec<Row> {
    let words = |text: &str| -> &'static str {
        let text = text.replace("{id}", kind.id).replace("{}", kind.name);
        text.leak()
    };
    let own = |text: &str| both(kind.old, kind.new, words(text));
    let shared = |text: &str| both("Comm 2.2", "suite Communication2.2", words(text));
    let concurrent = |text: &str| both("Comm 3.1", "4.1.4", words(text));
    let proofs = &kind.proofs;
    let methods: [fn(&str) -> Ask; 4] = [get, put, post, delete];
    let whole = |ask: Ask| fixed(kind, ask, &[]).with(kind.id, "x");
    let mut rows = vec![
        own("{}: PUT keeps a document and answers 204, GET gives it back with its type").proven(proofs.kept),
        own("{}: GET of a document that is not there is 404").proven(proofs.absent),
        own("{}: DELETE takes a document away and answers 204").proven(proofs.deleted),
        own("{}: GET without {id} lists the ids of what is there").proven(proofs.listed),
        own("{}: since lists what was written after that instant").proven(proofs.since),
        shared("{}: POST of what is not there yet creates it").proven(proofs.created),
        shared("{}: POST of JSON sets the properties that it has in the document that is there").proven(proofs.merged),
        shared("{}: a merge replaces a property whole and does not look inside").proven(proofs.one_level),
        shared("{}: what is not application/json, or no object, is not merged, and nothing changes").proven(proofs.no_merge),
        shared("{}: a document may be of any type, and its bytes come back as they were").proven(proofs.bytes),
        shared("{}: an Activity or Agent never heard of may have documents").proven(proofs.names),
        concurrent("{}: GET says an ETag in quotes, which changes with the bytes").proven(proofs.tag),
        concurrent("{}: a reader who has the document already is told so").proven(proofs.unchanged),
        concurrent("{}: PUT, POST and DELETE with the ETag in If-Match are done").proven(proofs.matches),
        concurrent("{}: PUT, POST and DELETE with another ETag in If-Match are 412 and change nothing").proven(proofs.differs),
        concurrent("{}: PUT and POST with If-None-Match: * over a document are 412, and create where there is none").proven(proofs.none_match),
        shared("{}: Last-Modified is when the document was written last, and that of a list the latest").proven(proofs.modified),
        both("Comm 1.1", "suite Communication1.1", words("{}: HEAD answers as GET without a body, for a document and a list")).proven(proofs.head),
        both("Comm 3.2", "suite Communication3.2", words("{}: parameters in another case, given twice or unknown are refused")).proven(proofs.spelling),
        own("{}: since must be a timestamp")
            .names(fixed(kind, get(kind.path), &[]).with("since", "yesterday"), 400, "since")
            .answers(fixed(kind, get(kind.path), &[]).with("since", "2026-01-01T00:00:00Z"), 200),
        own("{}: other methods than GET, HEAD, PUT, POST and DELETE are refused")
            .answers(whole(ask("PATCH", kind.path)), 405),
    ];
    for parameter in kind.place {
        let mut row = own(&format!(
            "{{}}: {parameter} must be given, whatever the method"
        ));
        for method in methods {
            let ask = fixed(kind, method(kind.path), &[parameter]).with(kind.id, "x");
            row = row.names(ask.json(&json!({})), 400, parameter);
        }
        rows.push(row);
        let wrong: &[&str] = match *parameter {
            "agent" => &[
                "ada",
                "{}",
                "{\"mbox\":\"a@example.com\"}",
                "{\"objectType\":\"Group\",\"member\":[{\"mbox\":\"mailto:a@a\"}]}",
            ],
            _ => &["book", "", "//book"],
        };
        let mut row = own(&format!(
            "{{}}: {parameter} must be what its name says, whatever the method"
        ));
        for method in methods {
            for value in wrong {
                let ask = fixed(kind, method(kind.path), &[parameter]);
                row = row.names(
                    ask.with(parameter, value)
                        .with(kind.id, "x")
                        .json(&json!({})),
                    400,
                    parameter,
                );
            }
        }
        rows.push(row);
    }
    let methods_with_id: [fn(&str) -> Ask; 2] = [put, post];
    let mut row = own("{}: PUT and POST must name the document with {id}");
    for method in methods_with_id {
        row = row.names(
            fixed(kind, method(kind.path), &[]).json(&json!({})),
            400,
            kind.id,
        );
    }
    rows.push(row);
    let conflict = kind.proofs.conflict;
    if kind.id == "stateId" {
        rows.push(new("4.1.4", words("{}: PUT over a document without a condition is 409 that says what to do, and changes nothing")).proven(conflict));
        rows.push(
            old(
                "Comm 2.3",
                words("{}: PUT over a document needs no condition under 1.0.3"),
            )
            .proven(|w| {
                Box::pin(async move {
                    let kind = &STATE;
                    w.send(at(w, kind, put(kind.path)).json(&json!({ "a": 1 })))
                        .await
                        .expect(204);
                    w.send(at(w, kind, put(kind.path)).json(&json!({ "a": 2 })))
                        .await
                        .expect(204);
                    assert_eq!(read(w, kind).await.json(), json!({ "a": 2 }));
                })
            }),
        );
    } else {
        rows.push(concurrent("{}: PUT over a document without a condition is 409 that says what to do, and changes nothing").proven(conflict));
        let ask = whole(put(kind.path)).json(&json!({}));
        rows.push(
            old(
                "Comm 3.1",
                words("{}: PUT carries a condition also where there is no document yet"),
            )
            .answers(ask.clone(), 400)
            .answers(ask.header("if-none-match", "*"), 204),
        );
        rows.push(
            own("{}: DELETE must name one document")
                .answers(fixed(kind, delete(kind.path), &[]), 400),
        );
    }
    rows
}

/// What holds of State alone.
fn state() -> Vec<Row> {
    let rule = |rule: &'static str| both("Comm 2.3", "4.1.6.2", rule);
    vec![
        rule("State: registration must be a UUID, whatever the method")
            .names(
                fixed(&STATE, get(STATE.path), &[])
                    .with("stateId", "x")
                    .with("registration", "first"),
                400,
                "registration",
            )
            .names(
                fixed(&STATE, put(STATE.path), &[])
                    .with("stateId", "x")
                    .with("registration", "first")
                    .json(&json!({})),
                400,
                "registration",
            )
            .names(
                fixed(&STATE, post(STATE.path), &[])
                    .with("stateId", "x")
                    .with("registration", "")
                    .json(&json!({})),
                400,
                "registration",
            )
            .names(
                fixed(&STATE, delete(STATE.path), &[])
                    .with("stateId", "x")
                    .with("registration", "1"),
                400,
                "registration",
            )
            .answers(
                fixed(&STATE, get(STATE.path), &[]).with("registration", UUID),
                200,
            ),
        rule("State: a document of a registration is another than one of none, or of another")
            .proven(|w| {
                Box::pin(async move {
                    let other = UUID.replace('6', "7");
                    let one = |ask: Ask, registration: &str| {
                        at(w, &STATE, ask).with("registration", registration)
                    };
                    w.send(at(w, &STATE, put(STATE.path)).json(&json!({ "of": "none" })))
                        .await
                        .expect(204);
                    w.send(one(put(STATE.path), UUID).json(&json!({ "of": "one" })))
                        .await
                        .expect(204);
                    assert_eq!(
                        w.send(one(get(STATE.path), UUID)).await.expect(200).json(),
                        json!({ "of": "one" })
                    );
                    assert_eq!(read(w, &STATE).await.json(), json!({ "of": "none" }));
                    w.send(one(get(STATE.path), &other)).await.expect(404);
                })
            }),
        rule("State: DELETE without stateId takes away all of an Agent in an Activity").proven(
            |w| {
                Box::pin(async move {
                    for name in ["a", "b"] {
                        w.send(
                            place(w, &STATE, put(STATE.path))
                                .with("stateId", name)
                                .json(&json!({})),
                        )
                        .await
                        .expect(204);
                    }
                    let other = || {
                        get(STATE.path)
                            .with("activityId", w.iri("other"))
                            .with("agent", text(&w.agent("ada")))
                    };
                    let mut kept = other().with("stateId", "c").json(&json!({}));
                    kept.method = "PUT";
                    w.send(kept).await.expect(204);
                    w.send(place(w, &STATE, delete(STATE.path)))
                        .await
                        .expect(204);
                    assert_eq!(
                        w.send(place(w, &STATE, get(STATE.path)))
                            .await
                            .expect(200)
                            .json(),
                        json!([])
                    );
                    assert_eq!(w.send(other()).await.expect(200).json(), json!(["c"]));
                })
            },
        ),
        rule(
            "State: DELETE without stateId but with a registration takes away that registration's",
        )
        .proven(|w| {
            Box::pin(async move {
                w.send(at(w, &STATE, put(STATE.path)).json(&json!({})))
                    .await
                    .expect(204);
                w.send(
                    at(w, &STATE, put(STATE.path))
                        .with("registration", UUID)
                        .json(&json!({})),
                )
                .await
                .expect(204);
                w.send(place(w, &STATE, delete(STATE.path)).with("registration", UUID))
                    .await
                    .expect(204);
                w.send(at(w, &STATE, get(STATE.path)).with("registration", UUID))
                    .await
                    .expect(404);
                read(w, &STATE).await.expect(200);
            })
        }),
        rule("State: an Agent is known by the identifier alone, whatever else the parameter says")
            .proven(|w| {
                Box::pin(async move {
                    w.send(at(w, &STATE, put(STATE.path)).json(&json!({})))
                        .await
                        .expect(204);
                    let mut ada = w.agent("ada");
                    ada["name"] = json!("Ada");
                    ada.as_object_mut().unwrap().remove("objectType");
                    let ask = get(STATE.path)
                        .with("activityId", w.iri("book"))
                        .with("agent", text(&ada))
                        .with("stateId", "x");
                    w.send(ask).await.expect(200);
                })
            }),
    ]
}

/// With constants for what says where a document lies, but for those left out.
fn fixed(kind: &Kind, mut ask: Ask, left_out: &[&str]) -> Ask {
    for parameter in kind.place.iter().filter(|name| !left_out.contains(name)) {
        ask = ask.with(
            parameter,
            if *parameter == "agent" {
                AGENT
            } else {
                ACTIVITY
            },
        );
    }
    ask
}
