//! Filters of `GET /statements`, against a plain reading of the standard.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use common::{agent, id, reference, statement};
use proptest::prelude::*;
use serde_json::{Value, json};

#[tokio::test]
async fn every_page_together_holds_each_statement_once_in_order() {
    let lrs = common::new();
    let sent: Vec<Value> = (0..25)
        .map(|n| statement("ada", "read", &n.to_string()))
        .collect();
    lrs.post(&json!(sent)).await.unwrap();
    let oldest_first: Vec<String> = sent.iter().map(id).collect();
    let newest_first: Vec<String> = sent.iter().rev().map(id).collect();
    assert_eq!(lrs.ids(&[("limit", "4")]), newest_first);
    assert_eq!(
        lrs.ids(&[("limit", "4"), ("ascending", "true")]),
        oldest_first
    );
    assert_eq!(
        lrs.ids(&[("limit", "7"), ("verb", "http://verbs/read")]),
        newest_first
    );
    assert_eq!(lrs.ids(&[]), newest_first);
    assert_eq!(lrs.ids(&[("limit", "0")]), newest_first);
}

#[tokio::test]
async fn since_is_exclusive_and_until_inclusive() {
    let lrs = common::new();
    let sent: Vec<Value> = (0..9).map(|_| statement("ada", "read", "book")).collect();
    lrs.post(&json!(sent)).await.unwrap();
    let all = lrs.get(&[("ascending", "true")]).unwrap();
    let stored = |n: usize| all["statements"][n]["stored"].as_str().unwrap().to_owned();
    let ids = lrs.ids(&[
        ("since", &stored(2)),
        ("until", &stored(5)),
        ("ascending", "true"),
    ]);
    assert_eq!(ids, [id(&sent[3]), id(&sent[4]), id(&sent[5])]);
    assert!(lrs.ids(&[("since", &stored(8))]).is_empty());
    assert!(lrs.ids(&[("until", "2020-01-01T00:00:00Z")]).is_empty());
}

#[tokio::test]
async fn an_agent_is_found_as_actor_object_or_member_and_elsewhere_when_related() {
    let lrs = common::new();
    let ada = agent("ada").to_string();
    let group = json!({ "objectType": "Group", "member": [agent("ada"), agent("bob")] });
    let mut as_object = statement("bob", "met", "x");
    as_object["object"] = agent("ada");
    let mut as_member = statement("bob", "read", "x");
    as_member["actor"] = group.clone();
    let mut as_instructor = statement("bob", "read", "x");
    as_instructor["context"] = json!({ "instructor": agent("ada") });
    let mut as_team = statement("bob", "read", "x");
    as_team["context"] = json!({ "team": group });
    let mut as_context_agent = statement("bob", "read", "x");
    as_context_agent["context"] =
        json!({ "contextAgents": [{ "objectType": "contextAgent", "agent": agent("ada") }] });
    let mut inside = statement("bob", "planned", "x");
    let mut sub = statement("ada", "read", "x");
    sub.as_object_mut().unwrap().remove("id");
    sub["objectType"] = json!("SubStatement");
    inside["object"] = sub;
    let direct = [statement("ada", "read", "x"), as_object, as_member];
    let related = [as_instructor, as_team, as_context_agent, inside];
    lrs.post(&json!(direct.iter().chain(&related).collect::<Vec<_>>()))
        .await
        .unwrap();
    let newest_first = |list: &[&Value]| list.iter().rev().map(|s| id(s)).collect::<Vec<_>>();
    assert_eq!(
        lrs.ids(&[("agent", &ada)]),
        newest_first(&direct.iter().collect::<Vec<_>>())
    );
    assert_eq!(
        lrs.ids(&[("agent", &ada), ("related_agents", "true")]),
        newest_first(&direct.iter().chain(&related).collect::<Vec<_>>())
    );
    let authority = agent("credential:test").to_string();
    assert!(lrs.ids(&[("agent", &authority)]).is_empty());
    assert_eq!(
        lrs.ids(&[("agent", &authority), ("related_agents", "true")])
            .len(),
        7
    );
}

#[tokio::test]
async fn a_filter_reaches_through_references_in_whichever_order_they_come() {
    let lrs = common::new();
    let target = statement("ada", "read", "book");
    let first = reference("bob", "confirmed", &id(&target));
    let second = reference("eve", "audited", &id(&first));
    lrs.post(&second).await.unwrap();
    lrs.post(&first).await.unwrap();
    lrs.post(&target).await.unwrap();
    let late = reference("bob", "confirmed", &id(&second));
    lrs.post(&late).await.unwrap();
    lrs.lrs.settle();
    let all = [id(&late), id(&target), id(&first), id(&second)];
    assert_eq!(lrs.ids(&[("verb", "http://verbs/read")]), all);
    // All filters must hold in one and the same statement of the chain.
    assert_eq!(
        lrs.ids(&[
            ("verb", "http://verbs/read"),
            ("agent", &agent("ada").to_string())
        ]),
        all
    );
    assert!(
        lrs.ids(&[
            ("verb", "http://verbs/read"),
            ("agent", &agent("bob").to_string())
        ])
        .is_empty()
    );
    let ring = [
        uuid::Uuid::now_v7().to_string(),
        uuid::Uuid::now_v7().to_string(),
    ];
    let mut a = reference("ada", "a", &ring[1]);
    a["id"] = json!(ring[0]);
    let mut b = reference("ada", "b", &ring[0]);
    b["id"] = json!(ring[1]);
    lrs.post(&json!([a, b])).await.unwrap();
    assert_eq!(lrs.ids(&[("verb", "http://verbs/a")]).len(), 2);
}

#[tokio::test]
async fn parameters_are_read_strictly() {
    let lrs = common::new();
    let some = uuid::Uuid::now_v7().to_string();
    for bad in [
        &[("StatementId", some.as_str())][..],
        &[("statementId", "x")],
        &[("statementId", &some), ("voidedStatementId", &some)],
        &[("statementId", &some), ("verb", "http://a/b")],
        &[("related_agents", "1")],
        &[("limit", "-1")],
        &[("limit", "x")],
        &[("ascending", "yes")],
        &[("since", "yesterday")],
        &[("verb", "read")],
        &[("activity", "book")],
        &[("agent", "{}")],
        &[(
            "agent",
            "{\"objectType\":\"Group\",\"member\":[{\"mbox\":\"mailto:a@a\"}]}",
        )],
        &[("format", "pretty")],
        &[("verb", "http://a/b"), ("verb", "http://a/b")],
        &[("more", "x")],
    ] {
        assert!(
            matches!(lrs.get(bad), Err(lectern_lrs::Error::Invalid(_))),
            "{bad:?}"
        );
    }
    assert_eq!(
        lrs.get(&[]).unwrap(),
        json!({ "statements": [], "more": "" })
    );
}

#[tokio::test]
async fn canonical_shows_what_all_statements_say_of_an_activity_in_the_callers_language() {
    let lrs = common::new();
    let mut first = statement("ada", "read", "book");
    first["object"]["definition"] = json!({ "name": { "en": "Book", "de": "Buch" } });
    let mut second = statement("ada", "read", "book");
    second["object"]["definition"] =
        json!({ "name": { "fr": "Livre" }, "moreInfo": "http://more" });
    lrs.post(&json!([first, second])).await.unwrap();
    let query = common::parameters(&[("format", "canonical"), ("statementId", &id(&first))]);
    let version = lectern_xapi::Version::V2_0_0;
    let answer = lrs
        .lrs
        .get_statements(&common::admin(), version, &query, Some("fr, en;q=0.5"))
        .unwrap();
    let got: Value = serde_json::from_str(&answer.json).unwrap();
    assert_eq!(
        got["object"]["definition"],
        json!({ "name": { "fr": "Livre" }, "moreInfo": "http://more" })
    );
}

/// One of a few actors, verbs and activities, so that filters meet.
fn any_statements() -> impl Strategy<Value = Vec<(u8, u8, u8, Option<prop::sample::Index>)>> {
    prop::collection::vec(
        (
            0_u8..3,
            0_u8..3,
            0_u8..3,
            prop::option::weighted(0.3, any::<prop::sample::Index>()),
        ),
        1..30,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_indices_find_what_a_scan_finds(made in any_statements(), actor in 0_u8..3, verb in 0_u8..3, limit in 1_usize..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lrs = common::new();
        let ids: Vec<String> = made.iter().map(|_| uuid::Uuid::now_v7().to_string()).collect();
        let sent: Vec<Value> = made.iter().zip(&ids).map(|((actor, verb, activity, target), id)| {
            let mut statement = statement(&actor.to_string(), &verb.to_string(), &activity.to_string());
            statement["id"] = json!(id);
            if let Some(target) = target {
                statement["object"] = json!({ "objectType": "StatementRef", "id": target.get(&ids) });
            }
            statement
        }).collect();
        runtime.block_on(lrs.post(&json!(sent))).unwrap();
        let by_id = |id: &str| ids.iter().position(|other| other == id).unwrap();
        let meets = |statement: &Value| {
            let mut at = statement;
            for _ in 0..32 {
                if at["actor"] == agent(&actor.to_string()) && at["verb"]["id"] == format!("http://verbs/{verb}") {
                    return true;
                }
                match at["object"]["objectType"].as_str() {
                    Some("StatementRef") => at = &sent[by_id(at["object"]["id"].as_str().unwrap())],
                    _ => return false,
                }
            }
            false
        };
        let wanted: Vec<String> = sent.iter().rev().filter(|s| meets(s)).map(id).collect();
        let (agent, verb, limit) = (agent(&actor.to_string()).to_string(), format!("http://verbs/{verb}"), limit.to_string());
        prop_assert_eq!(lrs.ids(&[("agent", &agent), ("verb", &verb), ("limit", &limit)]), wanted.clone());
        let mut oldest_first = lrs.ids(&[("agent", &agent), ("verb", &verb), ("limit", &limit), ("ascending", "true")]);
        oldest_first.reverse();
        prop_assert_eq!(oldest_first, wanted);
    }
}
