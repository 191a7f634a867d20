//! Forwarding into a real HTTP server that refuses, fails, is away and comes back.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{id, statement};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use lectern_egress::Egress;
use lectern_lrs::forward::{
    Filter, Identities, NewUpstream, Unlisted, UpstreamChange, read_identifier,
};
use lectern_xapi::{Ifi, Version};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A record store of few words.
#[derive(Default)]
struct Peer {
    has: BTreeMap<String, Value>,
    order: Vec<String>,
    /// Answered before anything else, in turn.
    moods: VecDeque<u16>,
    /// Named as `Retry-After` with each 503.
    come_again_seconds: Option<u32>,
    /// Answered to who asks for a statement, in turn.
    reading_moods: VecDeque<u16>,
    /// Ids that it answers 400 to.
    refuses: Vec<String>,
    /// Answers 409 to ids that it has.
    strict: bool,
    posts: usize,
    /// How long it takes over each answer.
    slow: Duration,
    versions: Vec<String>,
}

type Shared = Arc<Mutex<Peer>>;

async fn serve(peer: Shared, port: u16) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        loop {
            let socket = tokio::select! {
                () = stopped.cancelled() => break,
                accepted = listener.accept() => accepted.unwrap().0,
            };
            let (peer, stopped) = (Arc::clone(&peer), stopped.clone());
            tokio::spawn(async move {
                let service =
                    hyper::service::service_fn(|request| answer(Arc::clone(&peer), request));
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let connection = builder.serve_connection(TokioIo::new(socket), service);
                tokio::select! {
                    () = stopped.cancelled() => {}
                    _ = connection => {}
                }
            });
        }
    });
    (address, stop)
}

async fn answer(
    peer: Shared,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let slow = peer.lock().unwrap().slow;
    tokio::time::sleep(slow).await;
    let (status, body) = react(&mut peer.lock().unwrap(), &head, &body);
    let mut response = Response::builder().status(status);
    if let (503, Some(seconds)) = (status, peer.lock().unwrap().come_again_seconds) {
        response = response.header("retry-after", seconds);
    }
    Ok(response.body(Full::new(Bytes::from(body))).unwrap())
}

fn react(peer: &mut Peer, head: &http::request::Parts, body: &[u8]) -> (u16, String) {
    let header = |name: &str| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    // ada:lovelace
    if header("authorization") != "Basic YWRhOmxvdmVsYWNl" {
        return (401, String::new());
    }
    if head.method == "GET" {
        return match head
            .uri
            .query()
            .and_then(|query| query.strip_prefix("statementId="))
        {
            None if head.uri.path().ends_with("/about") => {
                (200, json!({ "version": ["1.0.3"] }).to_string())
            }
            None => (200, json!({ "statements": [] }).to_string()),
            Some(id) => match (peer.reading_moods.pop_front(), peer.has.get(id)) {
                (Some(status), _) => (status, String::new()),
                (None, Some(found)) => (200, found.to_string()),
                (None, None) => (404, String::new()),
            },
        };
    }
    peer.posts += 1;
    peer.versions.push(header("x-experience-api-version"));
    if let Some(status) = peer.moods.pop_front() {
        return (status, String::new());
    }
    let batch: Vec<Value> = serde_json::from_slice(body).unwrap();
    if batch
        .iter()
        .any(|statement| peer.refuses.contains(&id(statement)))
    {
        return (400, "I do not like it".to_owned());
    }
    if peer.strict
        && batch
            .iter()
            .any(|statement| peer.has.contains_key(&id(statement)))
    {
        return (409, String::new());
    }
    for statement in &batch {
        if peer.has.insert(id(statement), statement.clone()).is_none() {
            peer.order.push(id(statement));
        }
    }
    (
        200,
        json!(batch.iter().map(id).collect::<Vec<_>>()).to_string(),
    )
}

fn upstream(address: SocketAddr) -> NewUpstream {
    NewUpstream {
        name: "campus".to_owned(),
        url: format!("http://{address}/xapi/"),
        key: "ada".to_owned(),
        secret: "lovelace".to_owned(),
        version: Version::V1_0_3,
        filter: Filter::default(),
        identities: Identities::Keep,
        since: None,
        allow_private: true,
    }
}

struct Running {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(lrs: &common::Box) -> Self {
        let stop = CancellationToken::new();
        let egress = Egress::new(&lectern_egress::Options::default()).unwrap();
        let task = tokio::spawn(lectern_lrs::forward::run(
            lrs.lrs.clone(),
            egress,
            stop.clone(),
        ));
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Waits until it holds; fails the test when that takes too long.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

fn made(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| statement("ada", "read", &n.to_string()))
        .collect()
}

fn ids(statements: &[Value]) -> Vec<String> {
    statements.iter().map(id).collect()
}

#[tokio::test]
async fn everything_arrives_once_and_in_order_over_failures_and_restarts_of_both_sides() {
    let lrs = common::new();
    let peer = Shared::default();
    peer.lock().unwrap().moods = VecDeque::from([503, 500, 429]);
    let (address, away) = serve(Arc::clone(&peer), 0).await;
    let sent = made(250);
    lrs.post(&json!(sent[..120])).await.unwrap();
    let id = lrs.lrs.upstreams().add(upstream(address)).unwrap();
    let running = Running::start(&lrs);
    until("the first 120", || peer.lock().unwrap().order.len() == 120).await;
    away.cancel();
    lrs.post(&json!(sent[120..200])).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    until("an error that people can see", || {
        upstreams.get(id).unwrap().last_error.is_some()
    })
    .await;
    assert_eq!(upstreams.get(id).unwrap().lag, 80);
    running.stop().await;
    lrs.post(&json!(sent[200..])).await.unwrap();
    let _peer = serve(Arc::clone(&peer), address.port()).await;
    let running = Running::start(&lrs);
    until("all of them", || peer.lock().unwrap().order.len() == 250).await;
    assert_eq!(peer.lock().unwrap().order, ids(&sent));
    until("no lag", || upstreams.get(id).unwrap().lag == 0).await;
    let shown = upstreams.get(id).unwrap();
    assert!(shown.last_error.is_none() && shown.last_success.is_some() && shown.dead == 0);
    assert_eq!(shown.delivered, 250);
    assert!(
        peer.lock()
            .unwrap()
            .versions
            .iter()
            .all(|version| version == "1.0.3")
    );
    running.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_set_aside_for_a_person_and_the_rest_goes_on() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let sent = made(30);
    peer.lock().unwrap().refuses = vec![id(&sent[3]), id(&sent[17])];
    lrs.post(&json!(sent)).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams.add(upstream(address)).unwrap();
    let running = Running::start(&lrs);
    until("the other 28", || peer.lock().unwrap().order.len() == 28).await;
    until("two dead letters", || {
        upstreams.get(upstream).unwrap().dead == 2
    })
    .await;
    let dead = upstreams.dead(upstream, 0, 10).unwrap();
    assert_eq!(
        dead.iter()
            .map(|letter| letter.statement_id.to_string())
            .collect::<Vec<_>>(),
        [id(&sent[3]), id(&sent[17])]
    );
    assert!(
        dead[0].reason.contains("I do not like it"),
        "{}",
        dead[0].reason
    );
    assert_eq!(dead[0].statement.as_ref().unwrap()["id"], sent[3]["id"]);
    peer.lock().unwrap().refuses.clear();
    upstreams.retry(upstream, dead[0].n).unwrap();
    upstreams.discard(upstream, dead[1].n).unwrap();
    until("the one sent again", || {
        peer.lock().unwrap().has.contains_key(&id(&sent[3]))
    })
    .await;
    until("no dead letter", || {
        upstreams.get(upstream).unwrap().dead == 0
    })
    .await;
    assert!(!peer.lock().unwrap().has.contains_key(&id(&sent[17])));
    running.stop().await;
}

#[tokio::test]
async fn a_strict_peer_that_has_some_already_gets_the_rest_and_a_false_one_is_set_aside() {
    let lrs = common::new();
    let peer = Shared::default();
    let sent = made(9);
    {
        let mut peer = peer.lock().unwrap();
        peer.strict = true;
        peer.has.insert(id(&sent[2]), sent[2].clone());
        let mut other = sent[5].clone();
        other["verb"]["id"] = json!("http://verbs/other");
        peer.has.insert(id(&sent[5]), other);
    }
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    lrs.post(&json!(sent)).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams.add(upstream(address)).unwrap();
    let running = Running::start(&lrs);
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order.len(), 7);
    let dead = upstreams.dead(upstream, 0, 10).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].statement_id.to_string(), id(&sent[5]));
    running.stop().await;
}

#[tokio::test]
async fn a_conflict_that_cannot_be_compared_now_delivers_nothing() {
    for reading_mood in [503, 404] {
        let lrs = common::new();
        let peer = Shared::default();
        {
            let mut peer = peer.lock().unwrap();
            peer.moods = VecDeque::from([409]);
            peer.reading_moods = VecDeque::from([reading_mood]);
        }
        let (address, _away) = serve(Arc::clone(&peer), 0).await;
        let sent = made(1);
        lrs.post(&json!(sent)).await.unwrap();
        let upstreams = lrs.lrs.upstreams();
        let upstream = upstreams.add(upstream(address)).unwrap();
        let running = Running::start(&lrs);
        until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
        assert_eq!(peer.lock().unwrap().order, ids(&sent), "{reading_mood}");
        assert_eq!(upstreams.get(upstream).unwrap().dead, 0);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_refusal_is_said_until_something_gets_through() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let sent = made(2);
    peer.lock().unwrap().refuses = vec![id(&sent[0])];
    peer.lock().unwrap().moods = VecDeque::from([503]);
    lrs.post(&sent[0]).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams.add(upstream(address)).unwrap();
    let running = Running::start(&lrs);
    until("a dead letter", || {
        upstreams.get(upstream).unwrap().dead == 1
    })
    .await;
    let error = upstreams.get(upstream).unwrap().last_error.unwrap();
    assert!(error.message.contains("I do not like it"), "{error:?}");
    assert_eq!(error.retry_at, None);
    lrs.post(&sent[1]).await.unwrap();
    until("no error", || {
        upstreams.get(upstream).unwrap().last_error.is_none()
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_letter_sent_again_waits_out_what_passes_and_holds_up_nothing() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let sent = made(2);
    peer.lock().unwrap().refuses = vec![id(&sent[0])];
    lrs.post(&sent[0]).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams.add(upstream(address)).unwrap();
    let running = Running::start(&lrs);
    until("a dead letter", || {
        upstreams.get(upstream).unwrap().dead == 1
    })
    .await;
    {
        let mut peer = peer.lock().unwrap();
        peer.refuses.clear();
        peer.moods = VecDeque::from([503]);
        peer.come_again_seconds = Some(3600);
    }
    let letter = || upstreams.dead(upstream, 0, 1).unwrap().remove(0);
    upstreams.retry(upstream, letter().n).unwrap();
    until("it is asked to come again", || {
        let error = upstreams.get(upstream).unwrap().last_error;
        error.is_some_and(|error| error.retry_at.is_some())
    })
    .await;
    assert_eq!((letter().waiting, letter().tries), (true, 1));
    lrs.post(&sent[1]).await.unwrap();
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order, ids(&sent[1..]));
    assert!(letter().waiting);
    // Whoever begins anew does not know of the wait.
    running.stop().await;
    let running = Running::start(&lrs);
    until("no dead letter", || {
        upstreams.get(upstream).unwrap().dead == 0
    })
    .await;
    assert_eq!(peer.lock().unwrap().order.len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn what_was_stored_before_a_beginning_that_lies_ahead_stays_here() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    const HOUR: i64 = 3_600_000_000;
    let since = jiff::Timestamp::from_microsecond(common::START + HOUR).unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams
        .add(NewUpstream {
            since: Some(since),
            ..upstream(address)
        })
        .unwrap();
    let running = Running::start(&lrs);
    lrs.post(&json!(made(2))).await.unwrap();
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    lrs.clock
        .fetch_add(2 * HOUR, std::sync::atomic::Ordering::SeqCst);
    let later = made(2);
    lrs.post(&json!(later)).await.unwrap();
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order, ids(&later));
    running.stop().await;
}

#[tokio::test]
async fn a_slow_peer_holds_up_nobody_and_gets_larger_batches() {
    let lrs = common::new();
    let peer = Shared::default();
    peer.lock().unwrap().slow = Duration::from_millis(150);
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams.add(upstream(address)).unwrap();
    let running = Running::start(&lrs);
    let sent = made(60);
    for statement in &sent {
        lrs.post(statement).await.unwrap();
    }
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order, ids(&sent));
    let posts = peer.lock().unwrap().posts;
    assert!(posts < sent.len(), "{posts} posts");
    running.stop().await;
}

#[tokio::test]
async fn pause_since_and_filter_decide_what_goes() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let (old, new) = (made(3), made(3));
    lrs.post(&json!(old)).await.unwrap();
    let since = lrs.lrs.statement(3).unwrap().unwrap().0.stored;
    lrs.post(&json!(new)).await.unwrap();
    let other = [
        statement("ada", "wrote", "x"),
        statement("bob", "read", "x"),
    ];
    lrs.post(&json!(other)).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams
        .add(NewUpstream {
            since: Some(since),
            filter: Filter {
                verbs: vec!["http://verbs/read".to_owned()],
                activities: vec!["http://activities/".to_owned()],
                people: [read_identifier(&format!("{} ada", common::ACTOR))
                    .unwrap()
                    .key()]
                .into(),
            },
            ..upstream(address)
        })
        .unwrap();
    let running = Running::start(&lrs);
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order, ids(&new));
    upstreams
        .update(
            upstream,
            UpstreamChange {
                paused: Some(true),
                ..UpstreamChange::default()
            },
        )
        .unwrap();
    let later = made(2);
    lrs.post(&json!(later)).await.unwrap();
    assert_eq!(upstreams.get(upstream).unwrap().lag, 2);
    upstreams
        .update(
            upstream,
            UpstreamChange {
                paused: Some(false),
                ..UpstreamChange::default()
            },
        )
        .unwrap();
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order.len(), 5);
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_and_a_forbidden_address_are_said_in_words() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let egress = Egress::new(&lectern_egress::Options::default()).unwrap();
    let upstreams = lrs.lrs.upstreams();
    let id = upstreams.add(upstream(address)).unwrap();
    let trial = upstreams.test(id, &egress).await.unwrap();
    assert!(trial.ok, "{trial:?}");
    assert_eq!(trial.versions, ["1.0.3"]);
    upstreams
        .update(
            id,
            UpstreamChange {
                secret: Some("wrong".to_owned()),
                ..UpstreamChange::default()
            },
        )
        .unwrap();
    let trial = upstreams.test(id, &egress).await.unwrap();
    assert!(
        !trial.ok && trial.message.contains("secret is wrong"),
        "{trial:?}"
    );
    let inside = NewUpstream {
        allow_private: false,
        ..upstream(address)
    };
    assert!(matches!(
        upstreams.add(inside),
        Err(lectern_lrs::Error::Invalid(_))
    ));
    upstreams.remove(id).unwrap();
    assert!(upstreams.list().unwrap().is_empty());
}

#[tokio::test]
async fn people_go_by_their_names_there_and_who_has_none_waits_for_a_person() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let read = |text: String| read_identifier(&text).unwrap();
    let ada = read(format!("{} ada", common::ACTOR));
    let bob = read(format!("{} bob", common::ACTOR));
    let table = |rows: &[(&Ifi, &str)]| Identities::Map {
        table: rows
            .iter()
            .map(|(from, to)| (from.key(), read((*to).to_owned())))
            .collect(),
        unlisted: Unlisted::HoldBack,
    };
    let sent = [
        statement("ada", "read", "1"),
        statement("bob", "read", "2"),
        statement("ada", "read", "3"),
    ];
    // It has the first already, as it was sent before.
    let mut there = sent[0].clone();
    there["actor"] = json!({ "objectType": "Agent", "mbox": "mailto:ada@uni.example" });
    {
        let mut peer = peer.lock().unwrap();
        peer.strict = true;
        peer.has.insert(id(&there), there);
    }
    lrs.post(&json!(sent)).await.unwrap();
    let upstreams = lrs.lrs.upstreams();
    let upstream = upstreams
        .add(NewUpstream {
            identities: table(&[(&ada, "mailto:ada@uni.example")]),
            ..upstream(address)
        })
        .unwrap();
    let running = Running::start(&lrs);
    until("no lag", || upstreams.get(upstream).unwrap().lag == 0).await;
    assert_eq!(peer.lock().unwrap().order, ids(&sent[2..]));
    let actor = |n: usize| peer.lock().unwrap().has[&id(&sent[n])]["actor"].clone();
    assert_eq!(actor(2)["mbox"], "mailto:ada@uni.example");
    let dead = upstreams.dead(upstream, 0, 10).unwrap();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(dead[0].statement_id.to_string(), id(&sent[1]));
    assert!(
        dead[0].reason.contains("table of identities"),
        "{}",
        dead[0].reason
    );
    upstreams
        .update(
            upstream,
            UpstreamChange {
                identities: Some(table(&[(&bob, "https://uni.example 4711")])),
                ..UpstreamChange::default()
            },
        )
        .unwrap();
    upstreams.retry(upstream, dead[0].n).unwrap();
    until("no dead letter", || {
        upstreams.get(upstream).unwrap().dead == 0
    })
    .await;
    assert_eq!(
        actor(1)["account"],
        json!({ "homePage": "https://uni.example", "name": "4711" })
    );
    running.stop().await;
}

#[tokio::test]
async fn pseudonyms_are_the_same_after_a_restart_and_others_at_another_upstream() {
    let lrs = common::new();
    let peers = [Shared::default(), Shared::default()];
    let pseudonymise = || Identities::Pseudonymise {
        home_page: common::ACTOR.to_owned(),
    };
    let upstreams = lrs.lrs.upstreams();
    let mut added = Vec::new();
    let mut stops = Vec::new();
    for peer in &peers {
        let (address, away) = serve(Arc::clone(peer), 0).await;
        stops.push(away);
        let new = NewUpstream {
            identities: pseudonymise(),
            ..upstream(address)
        };
        added.push(upstreams.add(new).unwrap());
    }
    let sent = made(2);
    for statement in &sent {
        lrs.post(statement).await.unwrap();
        let running = Running::start(&lrs);
        until("no lag", || {
            added.iter().all(|id| upstreams.get(*id).unwrap().lag == 0)
        })
        .await;
        running.stop().await;
        // Entered again, it keeps its key.
        for id in &added {
            let change = UpstreamChange {
                identities: Some(pseudonymise()),
                ..UpstreamChange::default()
            };
            upstreams.update(*id, change).unwrap();
        }
    }
    let name = |peer: usize, n: usize| {
        let peer = peers[peer].lock().unwrap();
        let account = &peer.has[&id(&sent[n])]["actor"]["account"];
        assert_eq!(account["homePage"], common::ACTOR);
        account["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(0, 0).len(), 64);
    assert_eq!(name(0, 0), name(0, 1));
    assert_ne!(name(0, 0), name(1, 0));
}

#[tokio::test]
async fn what_was_stored_after_a_time_is_sent_again_and_arrives_once() {
    let lrs = common::new();
    let peer = Shared::default();
    let (address, _away) = serve(Arc::clone(&peer), 0).await;
    let sent = made(250);
    for batch in sent.chunks(50) {
        lrs.post(&json!(batch)).await.unwrap();
        lrs.clock
            .fetch_add(1_000_000, std::sync::atomic::Ordering::SeqCst);
    }
    peer.lock().unwrap().refuses = vec![id(&sent[120])];
    let upstreams = lrs.lrs.upstreams();
    let since = |n: u64| lrs.lrs.statement(n).unwrap().unwrap().0.stored;
    // It begins late: only the last 150.
    let upstream = upstreams
        .add(NewUpstream {
            since: Some(since(100)),
            ..upstream(address)
        })
        .unwrap();
    let running = Running::start(&lrs);
    let is_done = || upstreams.get(upstream).unwrap().lag == 0;
    until("no lag", is_done).await;
    let there = || peer.lock().unwrap().order.len();
    assert_eq!((there(), upstreams.get(upstream).unwrap().dead), (149, 1));
    // It lost some, and has learnt to like what it refused.
    {
        let mut peer = peer.lock().unwrap();
        peer.refuses.clear();
        peer.strict = true;
        for lost in &sent[200..210] {
            peer.has.remove(&id(lost));
        }
    }
    assert_eq!(upstreams.replay(upstream, since(250)).unwrap(), 0);
    assert_eq!(upstreams.replay(upstream, since(50)).unwrap(), 200);
    until("no lag", is_done).await;
    let has = |statement: &Value| peer.lock().unwrap().has.contains_key(&id(statement));
    assert!(sent[50..].iter().all(has));
    assert!(!sent[..50].iter().any(has));
    assert_eq!(upstreams.get(upstream).unwrap().dead, 0);
    assert_eq!(upstreams.get(upstream).unwrap().since, Some(since(50)));
    assert!(upstreams.replay(uuid::Uuid::nil(), since(1)).is_err());
    // Once more while it is under way: what began before does not move the cursor.
    peer.lock().unwrap().slow = Duration::from_millis(50);
    let before = upstreams.get(upstream).unwrap().delivered;
    for _ in 0..5 {
        upstreams.replay(upstream, since(50)).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    peer.lock().unwrap().slow = Duration::ZERO;
    until("no lag", is_done).await;
    assert!(upstreams.get(upstream).unwrap().delivered >= before + 200);
    running.stop().await;
}
