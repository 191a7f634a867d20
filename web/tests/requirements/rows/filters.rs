//! What GET finds, by each of its parameters (Comm 2.1.3), and pages of it (Data 2.5).

use serde_json::{Value, json};

use crate::ask::{Ask, get};
use crate::row::{Row, both, new};
use crate::statements::UUID;
use crate::world::{CONSISTENT, World, id, ids, text};

const OTHERS: [(&str, &str); 10] = [
    ("agent", "{\"mbox\":\"mailto:a@example.com\"}"),
    ("verb", "http://verbs/read"),
    ("activity", "http://activities/book"),
    ("registration", UUID),
    ("related_activities", "true"),
    ("related_agents", "true"),
    ("since", "2026-01-01T00:00:00Z"),
    ("until", "2026-01-01T00:00:00Z"),
    ("limit", "1"),
    ("ascending", "true"),
];

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        get_rule("statementId finds the one statement with that id, and 404 says that there is none").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                assert_eq!(w.one(&id).await["id"], json!(id));
                w.send(get("statements").with("statementId", UUID.replace('6', "7"))).await.expect(404);
            })
        }),
        get_rule("statementId and voidedStatementId together are refused")
            .answers(get("statements").with("statementId", UUID).with("voidedStatementId", UUID), 400),
        get_rule("statementId goes with attachments and format").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                let one = || get("statements").with("statementId", &id);
                w.send(one().with("format", "ids")).await.expect(200);
                w.send(one().with("attachments", "false")).await.expect(200);
                w.send(one().with("attachments", "true").with("format", "exact")).await.expect(200);
            })
        }),
        get_rule("without an id the answer is a StatementResult: an array of statements").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let result = w.many(&[]).await;
                assert!(ids(&result).contains(&kept));
            })
        }),
        get_rule("nothing found is 200 with an empty array, not 404").proven(|w| {
            Box::pin(async move {
                let result = w.many(&[("activity", &w.iri("never-heard-of"))]).await;
                assert_eq!(result["statements"], json!([]));
                assert!(result.get("more").is_none_or(|more| more == ""), "{result}");
            })
        }),
        get_rule("agent finds by the identifier of actor or object, whatever else is said of the Agent").proven(|w| {
            Box::pin(async move {
                let actor = w.keep(&w.statement_with("actor", w.agent("ada"))).await;
                let object = w.keep(&w.statement_with("object", w.agent("ada"))).await;
                w.keep(&w.statement_with("actor", w.agent("bob"))).await;
                let mut asked = w.agent("ada");
                asked["name"] = json!("Countess");
                asked.as_object_mut().unwrap().remove("objectType");
                assert_eq!(w.found(&[("agent", &text(&asked))]).await, [object, actor]);
            })
        }),
        get_rule("agent finds by each of the four identifiers").proven(|w| {
            Box::pin(async move {
                for identifier in [
                    json!({ "mbox": format!("mailto:four.{}@example.com", w.row.get()) }),
                    json!({ "mbox_sha1sum": format!("{:040x}", w.row.get() + 99) }),
                    json!({ "openid": w.iri("openid") }),
                    json!({ "account": { "homePage": w.iri("home"), "name": "ada" } }),
                ] {
                    let kept = w.keep(&w.statement_with("actor", identifier.clone())).await;
                    assert_eq!(w.found(&[("agent", &text(&identifier))]).await, [kept], "{identifier}");
                }
                let near = json!({ "account": { "homePage": w.iri("home"), "name": "Ada" } });
                assert!(w.found(&[("agent", &text(&near))]).await.is_empty());
            })
        }),
        get_rule("agent finds Groups by their identifier").proven(|w| {
            Box::pin(async move {
                let mut group = w.agent("class");
                group["objectType"] = json!("Group");
                let kept = w.keep(&w.statement_with("actor", group.clone())).await;
                assert_eq!(w.found(&[("agent", &text(&group))]).await, [kept]);
            })
        }),
        get_rule("agent finds Groups that have the Agent among their members").proven(|w| {
            Box::pin(async move {
                let group = json!({ "objectType": "Group", "member": [w.agent("bob"), w.agent("ada")] });
                let actor = w.keep(&w.statement_with("actor", group.clone())).await;
                let object = w.keep(&w.statement_with("object", group)).await;
                assert_eq!(w.found(&[("agent", &text(&w.agent("ada")))]).await, [object, actor]);
            })
        }),
        get_rule("agent is a valid Agent or identified Group as JSON")
            .names(get("statements").with("agent", "ada"), 400, "agent")
            .names(get("statements").with("agent", "{\"name\":\"Ada\"}"), 400, "agent")
            .names(get("statements").with("agent", "{\"mbox\":\"ada@example.com\"}"), 400, "agent.mbox")
            .names(get("statements").with("agent", "{\"mbox\":\"mailto:a@a\",\"openid\":\"http://o/a\"}"), 400, "agent")
            .answers(get("statements").with("agent", "{\"mbox\":\"mailto:nobody@example.com\"}"), 200),
        get_rule("an anonymous Group is nobody to ask for")
            .names(get("statements").with("agent", "{\"objectType\":\"Group\",\"member\":[{\"mbox\":\"mailto:a@a\"}]}"), 400, "agent"),
        get_rule("without related_agents neither authority nor instructor, team or a SubStatement's actor counts").proven(|w| {
            Box::pin(async move {
                w.keep(&w.statement_with("context", json!({ "instructor": w.agent("ada") }))).await;
                w.keep(&w.statement_with("context", json!({ "team": { "objectType": "Group", "member": [w.agent("ada")] } }))).await;
                w.keep(&w.statement_with("object", sub(w, "actor", w.agent("ada")))).await;
                assert!(w.found(&[("agent", &text(&w.agent("ada")))]).await.is_empty());
                assert!(w.found(&[("agent", &text(&w.agent("ada"))), ("related_agents", "false")]).await.is_empty());
            })
        }),
        get_rule("related_agents finds by instructor").proven(|w| {
            Box::pin(related_agent(w, "context", json!({ "instructor": w.agent("ada") })))
        }),
        get_rule("related_agents finds by team and its members").proven(|w| {
            Box::pin(related_agent(w, "context", json!({ "team": { "objectType": "Group", "member": [w.agent("ada")] } })))
        }),
        get_rule("related_agents finds by the actor of a SubStatement").proven(|w| {
            Box::pin(related_agent(w, "object", sub(w, "actor", w.agent("ada"))))
        }),
        get_rule("related_agents finds by the object of a SubStatement").proven(|w| {
            Box::pin(related_agent(w, "object", sub(w, "object", w.agent("ada"))))
        }),
        get_rule("related_agents finds by the instructor in a SubStatement").proven(|w| {
            Box::pin(related_agent(w, "object", sub(w, "context", json!({ "instructor": w.agent("ada") }))))
        }),
        get_rule("related_agents finds by authority").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let authority = text(&w.one(&kept).await["authority"]);
                assert!(w.found(&[("agent", &authority)]).await.is_empty());
                assert!(w.found(&[("agent", &authority), ("related_agents", "true")]).await.contains(&kept));
            })
        }),
        new("4.1.6.1", "related_agents finds by contextAgents").proven(|w| {
            let part = json!({ "objectType": "contextAgent", "agent": w.agent("ada") });
            Box::pin(related_agent(w, "context", json!({ "contextAgents": [part] })))
        }),
        new("4.1.6.1", "related_agents finds by contextGroups and their members").proven(|w| {
            let group = json!({ "objectType": "Group", "member": [w.agent("ada")] });
            let part = json!({ "objectType": "contextGroup", "group": group });
            Box::pin(related_agent(w, "context", json!({ "contextGroups": [part] })))
        }),
        get_rule("verb finds by the verb's id").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                w.keep(&w.statement_with("verb", json!({ "id": w.iri("undid") }))).await;
                assert_eq!(w.found(&[("verb", &w.iri("did"))]).await, [kept]);
            })
        }),
        get_rule("verb and activity are IRIs with a scheme")
            .names(get("statements").with("verb", "read"), 400, "verb")
            .names(get("statements").with("verb", ""), 400, "verb")
            .names(get("statements").with("activity", "book"), 400, "activity")
            .answers(get("statements").with("verb", "urn:x").with("activity", "act:x"), 200),
        get_rule("activity finds by an object that is an Activity with that id, and by nothing around it").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let around = json!({ "contextActivities": { "parent": [{ "id": w.iri("thing") }] } });
                let mut other = w.statement_with("context", around);
                other["object"]["id"] = json!(w.iri("other"));
                w.keep(&other).await;
                w.keep(&w.statement_with("object", sub(w, "object", json!({ "id": w.iri("thing") })))).await;
                assert_eq!(w.found(&[("activity", &w.iri("thing"))]).await, [kept]);
            })
        }),
        get_rule("related_activities finds by each list of contextActivities").proven(|w| {
            Box::pin(async move {
                for list in ["parent", "grouping", "category", "other"] {
                    let course = w.iri(&format!("course-{list}"));
                    let context = json!({ "contextActivities": { list: [{ "id": course }] } });
                    let kept = w.keep(&w.statement_with("context", context)).await;
                    assert_eq!(w.found(&[("activity", &course), ("related_activities", "true")]).await, [kept], "{list}");
                }
            })
        }),
        get_rule("related_activities finds by the object and context of a SubStatement").proven(|w| {
            Box::pin(async move {
                let object = sub(w, "object", json!({ "id": w.iri("course") }));
                let context = sub(w, "context", json!({ "contextActivities": { "other": [{ "id": w.iri("course") }] } }));
                let first = w.keep(&w.statement_with("object", object)).await;
                let second = w.keep(&w.statement_with("object", context)).await;
                assert_eq!(w.found(&[("activity", &w.iri("course")), ("related_activities", "true")]).await, [second, first]);
                assert!(w.found(&[("activity", &w.iri("course"))]).await.is_empty());
            })
        }),
        get_rule("registration finds by the context's registration, in letters of either case").proven(|w| {
            Box::pin(async move {
                let registration = id(&w.statement());
                let kept = w.keep(&w.statement_with("context", json!({ "registration": registration }))).await;
                w.keep(&w.statement_with("context", json!({ "registration": UUID }))).await;
                assert_eq!(w.found(&[("registration", &registration)]).await, std::slice::from_ref(&kept));
                assert_eq!(w.found(&[("registration", &registration.to_uppercase())]).await, [kept]);
            })
        }),
        get_rule("registration and the two ids are UUIDs in their standard form")
            .names(get("statements").with("registration", "first"), 400, "registration")
            .names(get("statements").with("statementId", "first"), 400, "statementId")
            .names(get("statements").with("voidedStatementId", "6e2a2b5e5a1f4c1e9e3e0a2a2b5e5a1f"), 400, "voidedStatementId")
            .answers(get("statements").with("registration", UUID), 200),
        get_rule("related_agents, related_activities, ascending and attachments are true or false, as JSON writes them")
            .names(get("statements").with("related_agents", "1"), 400, "related_agents")
            .names(get("statements").with("related_activities", "True"), 400, "related_activities")
            .names(get("statements").with("ascending", "yes"), 400, "ascending")
            .names(get("statements").with("ascending", ""), 400, "ascending")
            .names(get("statements").with("attachments", "0"), 400, "attachments")
            .answers(get("statements").with("related_agents", "true").with("related_activities", "false").with("limit", 1), 200),
        get_rule("since leaves out what was stored at that instant, until leaves it in").proven(|w| {
            Box::pin(async move {
                let three = three(w).await;
                let middle = w.one(&three[1]).await["stored"].as_str().unwrap().to_owned();
                let verb = w.iri("did");
                assert_eq!(w.found(&[("verb", &verb), ("since", &middle)]).await, [three[2].clone()]);
                assert_eq!(w.found(&[("verb", &verb), ("until", &middle)]).await, [three[1].clone(), three[0].clone()]);
                assert!(w.found(&[("verb", &verb), ("since", &middle), ("until", &middle)]).await.is_empty());
            })
        }),
        get_rule("since and until look at when a statement was stored, not at its timestamp").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement_with("timestamp", json!("1999-12-31T00:00:00Z"))).await;
                assert_eq!(w.found(&[("verb", &w.iri("did")), ("since", "2000-01-01T00:00:00Z")]).await, [kept]);
                assert!(w.found(&[("verb", &w.iri("did")), ("until", "2000-01-01T00:00:00Z")]).await.is_empty());
            })
        }),
        get_rule("since and until are instants, in whatever zone they are written").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let (past, ahead) = ("2000-01-01T00:00:00+02:00", "2999-01-01T00:00:00-08:00");
                assert_eq!(w.found(&[("verb", &w.iri("did")), ("since", past), ("until", ahead)]).await, [kept]);
            })
        }),
        get_rule("since and until are timestamps")
            .names(get("statements").with("since", "yesterday"), 400, "since")
            .names(get("statements").with("until", "2026-13-01T00:00:00Z"), 400, "until")
            .names(get("statements").with("since", "2026-01-01T00:00:00-00:00"), 400, "since")
            .answers(get("statements").with("since", "2026-01-01T00:00:00Z").with("until", "2026-01-02T00:00:00+01:00"), 200),
        get_rule("limit is how many statements come at most, the latest ones").proven(|w| {
            Box::pin(async move {
                let three = three(w).await;
                let found = w.found(&[("verb", &w.iri("did")), ("limit", "2")]).await;
                assert_eq!(found, [three[2].clone(), three[1].clone()]);
            })
        }),
        get_rule("limit 0 means as many as the LRS gives").proven(|w| {
            Box::pin(async move {
                three(w).await;
                assert_eq!(w.found(&[("verb", &w.iri("did")), ("limit", "0")]).await.len(), 3);
            })
        }),
        get_rule("limit is a whole number from 0")
            .names(get("statements").with("limit", "-1"), 400, "limit")
            .names(get("statements").with("limit", "1.5"), 400, "limit")
            .names(get("statements").with("limit", "ten"), 400, "limit")
            .names(get("statements").with("limit", ""), 400, "limit")
            .answers(get("statements").with("limit", "1"), 200),
        get_rule("the latest stored comes first, and with ascending the earliest").proven(|w| {
            Box::pin(async move {
                let mut three = three(w).await;
                let verb = w.iri("did");
                assert_eq!(w.found(&[("verb", &verb), ("ascending", "true")]).await, three);
                three.reverse();
                assert_eq!(w.found(&[("verb", &verb)]).await, three);
                assert_eq!(w.found(&[("verb", &verb), ("ascending", "false")]).await, three);
            })
        }),
        get_rule("filters together find what passes all of them").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                w.keep(&w.statement_with("actor", w.agent("bob"))).await;
                w.keep(&w.statement_with("verb", json!({ "id": w.iri("undid") }))).await;
                let someone = text(&w.agent("someone"));
                let found = w.found(&[("agent", &someone), ("verb", &w.iri("did")), ("activity", &w.iri("thing"))]).await;
                assert_eq!(found, [kept]);
            })
        }),
        get_rule("a statement about another statement is found by what passes for the other").proven(|w| {
            Box::pin(async move {
                let target = w.keep(&w.statement()).await;
                let refers = w.keep(&refers_to(w, &target)).await;
                assert_eq!(w.found(&[("verb", &w.iri("did"))]).await, [refers.clone(), target.clone()]);
                assert_eq!(w.found(&[("activity", &w.iri("thing"))]).await, [refers, target]);
            })
        }),
        get_rule("a chain of statements about statements is followed to its end").proven(|w| {
            Box::pin(async move {
                let target = w.keep(&w.statement()).await;
                let first = w.keep(&refers_to(w, &target)).await;
                let second = w.keep(&refers_to(w, &first)).await;
                assert_eq!(w.found(&[("activity", &w.iri("thing"))]).await, [second, first, target]);
            })
        }),
        get_rule("since, until and limit are applied to the statement itself, not to the one that it is about").proven(|w| {
            Box::pin(async move {
                let target = w.keep(&w.statement()).await;
                let stored = w.one(&target).await["stored"].as_str().unwrap().to_owned();
                let refers = w.keep(&refers_to(w, &target)).await;
                let verb = w.iri("did");
                assert_eq!(w.found(&[("verb", &verb), ("since", &stored)]).await, std::slice::from_ref(&refers));
                assert_eq!(w.found(&[("verb", &verb), ("until", &stored)]).await, [target]);
                assert_eq!(w.found(&[("verb", &verb), ("limit", "1")]).await, [refers]);
            })
        }),
        get_rule("a reference in the context is no statement about it").proven(|w| {
            Box::pin(async move {
                let target = w.keep(&w.statement()).await;
                let mut other = refers_to(w, &target);
                other["context"] = json!({ "statement": other["object"] });
                other["object"] = json!({ "id": w.iri("elsewhere") });
                w.keep(&other).await;
                assert_eq!(w.found(&[("activity", &w.iri("thing"))]).await, [target]);
            })
        }),
        both("Comm 3.2", "suite Communication3.2", "GET of statements refuses a parameter that it does not know")
            .names(get("statements").with("foo", "bar"), 400, "foo")
            .names(get("statements").with("actor", "ada"), 400, "actor"),
        both("Comm 3.2", "suite Communication3.2", "GET of statements refuses a parameter in another case")
            .names(get("statements").with("StatementId", UUID), 400, "StatementId")
            .names(get("statements").with("VoidedStatementId", UUID), 400, "VoidedStatementId")
            .names(get("statements").with("Agent", "{\"mbox\":\"mailto:a@a\"}"), 400, "Agent")
            .names(get("statements").with("Verb", "http://verbs/read"), 400, "Verb")
            .names(get("statements").with("Activity", "http://activities/book"), 400, "Activity")
            .names(get("statements").with("Registration", UUID), 400, "Registration")
            .names(get("statements").with("Related_Activities", "true"), 400, "Related_Activities")
            .names(get("statements").with("Related_Agents", "true"), 400, "Related_Agents")
            .names(get("statements").with("Since", "2026-01-01T00:00:00Z"), 400, "Since")
            .names(get("statements").with("Until", "2026-01-01T00:00:00Z"), 400, "Until")
            .names(get("statements").with("Limit", "1"), 400, "Limit")
            .names(get("statements").with("Format", "ids"), 400, "Format")
            .names(get("statements").with("Attachments", "true"), 400, "Attachments")
            .names(get("statements").with("Ascending", "true"), 400, "Ascending"),
        get_rule("every answer of the resource says through when it is complete, refusals included").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                let asks: [Ask; 5] = [
                    get("statements").with("statementId", &id),
                    get("statements").with("limit", 1),
                    get("statements").with("limit", "x"),
                    get("statements").with("statementId", UUID.replace('6', "8")),
                    crate::ask::post("statements").json(&w.statement()),
                ];
                for ask in asks {
                    let address = ask.address();
                    let answer = w.send(ask).await;
                    assert!(answer.header(CONSISTENT).parse::<jiff::Timestamp>().is_ok(), "{address}");
                }
            })
        }),
        get_rule("what was stored up to the instant of that header is in the answer, and the instant moves on").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                let stored: jiff::Timestamp = w.one(&id).await["stored"].as_str().unwrap().parse().unwrap();
                let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
                loop {
                    let answer = w.send(get("statements").with("verb", w.iri("did"))).await;
                    assert_eq!(ids(&answer.json()), std::slice::from_ref(&id));
                    if answer.header(CONSISTENT).parse::<jiff::Timestamp>().unwrap() >= stored {
                        break;
                    }
                    assert!(std::time::Instant::now() < deadline, "{}", answer.header(CONSISTENT));
                    tokio::task::yield_now().await;
                }
            })
        }),
        get_rule("Last-Modified of a single statement is when it was stored").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                let answer = w.send(get("statements").with("statementId", &id)).await;
                let modified = httpdate::parse_http_date(answer.header("last-modified")).unwrap();
                let stored: jiff::Timestamp = answer.json()["stored"].as_str().unwrap().parse().unwrap();
                let modified = jiff::Timestamp::try_from(modified).unwrap();
                assert_eq!(modified.as_second(), stored.as_second());
            })
        }),
        get_rule("the answer says that it is JSON").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                for ask in [get("statements").with("statementId", id), get("statements").with("limit", 1)] {
                    assert_eq!(w.send(ask).await.expect(200).header("content-type"), "application/json");
                }
            })
        }),
        both("Data 2.5", "suite Data2.5", "more is where the rest is, and following it brings each statement once").proven(|w| {
            Box::pin(async move {
                let mut three = three(w).await;
                three.reverse();
                let mut result = w.many(&[("verb", &w.iri("did")), ("limit", "1")]).await;
                let mut seen = ids(&result);
                while let Some(more) = result["more"].as_str().filter(|more| !more.is_empty()) {
                    result = w.send(get(more)).await.expect(200).json();
                    assert_eq!(ids(&result).len(), 1);
                    seen.extend(ids(&result));
                }
                assert_eq!(seen, three);
            })
        }),
        both("Data 2.5", "suite Data2.5", "more is empty or missing when everything was given").proven(|w| {
            Box::pin(async move {
                three(w).await;
                for limit in ["0", "3", "4"] {
                    let result = w.many(&[("verb", &w.iri("did")), ("limit", limit)]).await;
                    assert!(result.get("more").is_none_or(|more| more == ""), "{limit}: {result}");
                }
                let result = w.many(&[("verb", &w.iri("did")), ("limit", "2")]).await;
                assert!(result["more"].as_str().is_some_and(|more| !more.trim().is_empty()));
            })
        }),
        both("Data 2.5", "suite Data2.5", "more keeps the order, the form and the filters of its first page").proven(|w| {
            Box::pin(async move {
                let three = three(w).await;
                w.keep(&w.statement_with("verb", json!({ "id": w.iri("undid"), "display": { "en": "undid" } }))).await;
                let first = w.many(&[("verb", &w.iri("did")), ("limit", "1"), ("ascending", "true"), ("format", "ids")]).await;
                let next = w.send(get(first["more"].as_str().unwrap())).await.expect(200).json();
                assert_eq!(ids(&next), [three[1].clone()]);
                assert_eq!(next["statements"][0]["actor"].as_object().unwrap().len(), 2);
            })
        }),
        both("Data 2.5", "suite Data2.5", "what comes after the first page was asked for does not shift the next").proven(|w| {
            Box::pin(async move {
                let three = three(w).await;
                let first = w.many(&[("verb", &w.iri("did")), ("limit", "2")]).await;
                w.keep(&w.statement()).await;
                let next = w.send(get(first["more"].as_str().unwrap())).await.expect(200).json();
                assert_eq!(ids(&next), [three[0].clone()]);
            })
        }),
        both("Comm 2.1.4", "4.1.6.1", "a statement that was voided between two pages is not on the second").proven(|w| {
            Box::pin(async move {
                let three = three(w).await;
                let first = w.many(&[("verb", &w.iri("did")), ("limit", "2")]).await;
                let mut voids = refers_to(w, &three[0]);
                voids["verb"]["id"] = json!("http://adlnet.gov/expapi/verbs/voided");
                w.keep(&voids).await;
                let next = w.send(get(first["more"].as_str().unwrap())).await.expect(200).json();
                assert!(!ids(&next).contains(&three[0]));
            })
        }),
        both("Data 2.5", "suite Data2.5", "a more that this LRS did not give is refused")
            .names(get("statements").with("more", "2"), 400, "more")
            .names(get("statements").with("more", ""), 400, "more"),
    ];
    for (one, other) in [
        ("statementId", "voidedStatementId"),
        ("voidedStatementId", "statementId"),
    ] {
        for (name, value) in OTHERS {
            let rule = format!("{one} does not go with {name}");
            let ask = get("statements").with(one, UUID).with(name, value);
            rows.push(get_rule(rule.leak()).answers(ask, 400));
        }
        let rule = format!("{one} goes with nothing unknown, and not with itself in another case");
        rows.push(
            get_rule(rule.leak())
                .answers(get("statements").with(one, UUID).with("foo", "bar"), 400)
                .answers(
                    get("statements")
                        .with(one, UUID)
                        .with(&one.to_lowercase(), UUID),
                    400,
                )
                .answers(
                    get("statements")
                        .with(one, UUID)
                        .with(&other.to_uppercase(), UUID),
                    400,
                )
                .answers(
                    get("statements")
                        .with(one, UUID)
                        .with("format", "ids")
                        .with("attachments", "false"),
                    404,
                ),
        );
    }
    rows
}

fn get_rule(rule: &'static str) -> Row {
    both("Comm 2.1.3", "4.1.6.1", rule)
}

/// A SubStatement with this property.
fn sub(w: &World, property: &str, value: Value) -> Value {
    let mut sub = json!({
        "objectType": "SubStatement", "actor": w.agent("planner"), "verb": { "id": w.iri("planned") },
        "object": { "id": w.iri("plan") },
    });
    sub[property] = value;
    sub
}

/// A statement about another.
fn refers_to(w: &World, target: &str) -> Value {
    let mut refers = w.statement_with(
        "object",
        json!({ "objectType": "StatementRef", "id": target }),
    );
    refers["verb"] = json!({ "id": w.iri("confirmed") });
    refers["actor"] = w.agent("confirmer");
    refers
}

/// The ids of three statements, as they were stored.
async fn three(w: &World) -> Vec<String> {
    let mut three = Vec::new();
    for _ in 0..3 {
        three.push(w.keep(&w.statement()).await);
    }
    three
}

/// A statement with this is found by Ada with `related_agents`, and not without.
async fn related_agent(w: &World, property: &str, value: Value) {
    let kept = w.keep(&w.statement_with(property, value)).await;
    let ada = text(&w.agent("ada"));
    assert_eq!(
        w.found(&[("agent", &ada), ("related_agents", "true")])
            .await,
        [kept]
    );
    assert!(w.found(&[("agent", &ada)]).await.is_empty());
}
