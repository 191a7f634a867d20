//! Who may what: credentials and their scopes (Comm 4.0).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lectern_lrs::Scope;
use serde_json::json;

use crate::ask::{get, post, put};
use crate::row::{Row, both};
use crate::state::with_all;
use crate::world::{id, text};

pub fn rows() -> Vec<Row> {
    vec![
        both("Comm 4.0", "suite Communication4.0", "HTTP Basic with a key and a secret opens what they are for").proven(|w| {
            Box::pin(async move {
                let credential = w.credential(&[Scope::All]);
                w.send(get("statements").with("limit", 1).header("authorization", &credential)).await.expect(200);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "a request without or with wrong or malformed credentials is 401, which says what is wanted").proven(|w| {
            Box::pin(async move {
                let sent = w.statement();
                let good = w.credential(&[Scope::All]);
                let wrong = format!("Basic {}", STANDARD.encode("nobody:nothing"));
                for header in [&wrong, "Basic", "Basic !", "Basic bm9ib2R5", &good.replace("Basic", "Digest"), &good[..good.len() - 6]] {
                    let answer = w.send(post("statements").json(&sent).header("authorization", header)).await.expect(401);
                    let mut wanted = answer.headers.get_all("www-authenticate").iter();
                    assert!(wanted.any(|one| one.as_bytes().starts_with(b"Basic")), "{header}");
                }
                w.send(post("statements").json(&sent).without("authorization")).await.expect(401);
                w.send(get("statements").with("statementId", id(&sent))).await.expect(404);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "whoever may only write reads nothing").proven(|w| {
            Box::pin(async move {
                let writer = w.credential(&[Scope::StatementsWrite]);
                w.send(post("statements").json(&w.statement()).header("authorization", &writer)).await.expect(200);
                w.send(get("statements").header("authorization", &writer)).await.expect(403);
                w.send(get("agents").with("agent", text(&w.agent("a"))).header("authorization", &writer)).await.expect(403);
                w.send(with_all(get("activities/state")).header("authorization", &writer)).await.expect(403);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "whoever may only read writes nothing, and reads what all wrote").proven(|w| {
            Box::pin(async move {
                let kept = w.keep(&w.statement()).await;
                let reader = w.credential(&[Scope::StatementsRead]);
                w.send(post("statements").json(&w.statement()).header("authorization", &reader)).await.expect(403);
                w.send(get("statements").with("statementId", kept).header("authorization", &reader)).await.expect(200);
                w.send(with_all(put("activities/state")).json(&json!({})).header("authorization", &reader)).await.expect(403);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "whoever may read its own finds nothing of others").proven(|w| {
            Box::pin(async move {
                let others = w.keep(&w.statement()).await;
                let mine = w.credential(&[Scope::StatementsWrite, Scope::StatementsReadMine]);
                let own = w.statement();
                w.send(post("statements").json(&own).header("authorization", &mine)).await.expect(200);
                let found = w.send(get("statements").header("authorization", &mine)).await.expect(200).json();
                assert_eq!(crate::world::ids(&found), [id(&own)]);
                w.send(get("statements").with("statementId", others).header("authorization", &mine)).await.expect(404);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "all/read reads everything and writes nothing").proven(|w| {
            Box::pin(async move {
                let reader = w.credential(&[Scope::AllRead]);
                let kept = w.keep(&w.statement()).await;
                w.send(get("statements").with("statementId", kept).header("authorization", &reader)).await.expect(200);
                w.send(get("activities/state").with("activityId", w.iri("a")).with("agent", text(&w.agent("a"))).header("authorization", &reader)).await.expect(200);
                w.send(get("agents/profile").with("agent", text(&w.agent("a"))).header("authorization", &reader)).await.expect(200);
                w.send(post("statements").json(&w.statement()).header("authorization", &reader)).await.expect(403);
                let ask = put("agents/profile").with("agent", text(&w.agent("a"))).with("profileId", "x").json(&json!({}));
                w.send(ask.header("if-none-match", "*").header("authorization", &reader)).await.expect(403);
            })
        }),
        both("Comm 4.0", "suite Communication4.0", "the scope state is for State, the scope profile for profiles, and neither for the other").proven(|w| {
            Box::pin(async move {
                let (state, profile) = (w.credential(&[Scope::State]), w.credential(&[Scope::Profile]));
                let state_ask = || put("activities/state").with("activityId", w.iri("a")).with("agent", text(&w.agent("a"))).with("stateId", "x").json(&json!({}));
                let profile_ask = || put("activities/profile").with("activityId", w.iri("a")).with("profileId", "x").json(&json!({})).header("if-none-match", "*");
                w.send(state_ask().header("authorization", &profile)).await.expect(403);
                w.send(state_ask().header("authorization", &state)).await.expect(204);
                w.send(profile_ask().header("authorization", &state)).await.expect(403);
                w.send(profile_ask().header("authorization", &profile)).await.expect(204);
            })
        }),
        both("Data 2.4.9", "4.2.4.2", "statements of two credentials have two authorities").proven(|w| {
            Box::pin(async move {
                let other = w.credential(&[Scope::All]);
                let (first, second) = (w.statement(), w.statement());
                w.keep(&first).await;
                w.send(post("statements").json(&second).header("authorization", &other)).await.expect(200);
                assert_ne!(w.one(&id(&first)).await["authority"], w.one(&id(&second)).await["authority"]);
            })
        }),
    ]
}
