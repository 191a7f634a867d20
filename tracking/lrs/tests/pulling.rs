//! Reading from a real HTTP server that fails, lies, is away and comes back.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{id, statement, voiding};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use lectern_egress::Egress;
use lectern_lrs::erasure::{Erasure, Erasures};
use lectern_lrs::pull::{NewSource, Source, SourceAddress, SourceChange, SourceState};
use lectern_lrs::{AttachmentBytes, join_multipart};
use lectern_xapi::{Ifi, Version};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What a peer does instead of what it is asked, once.
#[derive(Debug, Clone)]
enum Mood {
    Status(u16),
    Body(&'static str, Vec<u8>),
    /// Its list goes on there.
    More(String),
    /// It speaks this version.
    Speaks(&'static str),
}

/// A record store of few words: `ada:lovelace` may read it.
#[derive(Default)]
struct Peer {
    /// In the order in which it stored them.
    list: Vec<Value>,
    voided: BTreeMap<String, Value>,
    attachments: BTreeMap<String, Vec<u8>>,
    /// Statements on a page.
    page: usize,
    /// In turn, to whoever asks for a list.
    moods: VecDeque<Mood>,
    /// Whether the list's pages come without attachments, whatever is asked for.
    is_bare: bool,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Peer>>;

fn peer(list: Vec<Value>) -> Shared {
    Arc::new(Mutex::new(Peer {
        list,
        page: 40,
        ..Peer::default()
    }))
}

async fn serve(peer: Shared) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let socket = listener.accept().await.unwrap().0;
            let peer = Arc::clone(&peer);
            tokio::spawn(async move {
                let service = hyper::service::service_fn(|request: Request<Incoming>| {
                    let answer = answer(&mut peer.lock().unwrap(), &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    address
}

fn answer(peer: &mut Peer, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let reply = |status: u16, kind: &str, version: &str, body: Vec<u8>| {
        Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("x-experience-api-version", version)
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    };
    let json = |status: u16, body: &Value| {
        reply(
            status,
            "application/json",
            "1.0.3",
            body.to_string().into_bytes(),
        )
    };
    let uri = request.uri();
    if uri.path().ends_with("/about") {
        return json(200, &json!({ "version": ["1.0.3"] }));
    }
    let authorization = request.headers().get("authorization");
    if authorization.is_none_or(|given| given != "Basic YWRhOmxvdmVsYWNl") {
        return reply(401, "text/plain", "1.0.3", b"who are you".to_vec());
    }
    let query: BTreeMap<&str, &str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    peer.asked.push(uri.to_string());
    let one = |found: Option<&Value>, attachments| match found {
        Some(found) => with(found, std::slice::from_ref(found), attachments),
        None => (404, "text/plain".to_owned(), Vec::new()),
    };
    if let Some(id) = query.get("voidedStatementId") {
        let (status, kind, body) = one(peer.voided.get(*id), &peer.attachments);
        return reply(status, &kind, "1.0.3", body);
    }
    if let Some(wanted) = query.get("statementId") {
        let found = peer.list.iter().find(|one| id(one) == *wanted);
        let (status, kind, body) = one(found, &peer.attachments);
        return reply(status, &kind, "1.0.3", body);
    }
    let mut more_to = None;
    let mut version = "1.0.3";
    match peer.moods.pop_front() {
        None => {}
        Some(Mood::Status(status)) => return reply(status, "text/plain", "1.0.3", b"no".to_vec()),
        Some(Mood::Body(kind, body)) => return reply(200, kind, "1.0.3", body),
        Some(Mood::More(more)) => more_to = Some(more),
        Some(Mood::Speaks(other)) => version = other,
    }
    let from = match query.get("from") {
        Some(from) => from.parse().unwrap(),
        None => {
            let since = query.get("since").copied().unwrap_or_default();
            let is_after = |one: &Value| one["stored"].as_str().unwrap() > since;
            peer.list
                .iter()
                .position(is_after)
                .unwrap_or(peer.list.len())
        }
    };
    let to = (from + peer.page).min(peer.list.len());
    let more = match more_to {
        Some(more) => more,
        None if to < peer.list.len() => format!("/xapi/statements?from={to}&attachments=true"),
        None => String::new(),
    };
    let page = &peer.list[from..to];
    let body = json!({ "statements": page, "more": more });
    let none = BTreeMap::new();
    let wants = query.get("attachments") == Some(&"true") && !peer.is_bare;
    let (status, kind, body) = with(&body, page, if wants { &peer.attachments } else { &none });
    reply(status, &kind, version, body)
}

/// JSON with the attachments of these statements.
fn with(
    json: &Value,
    of: &[Value],
    attachments: &BTreeMap<String, Vec<u8>>,
) -> (u16, String, Vec<u8>) {
    let named = of.iter().flat_map(|one| one["attachments"].as_array());
    let named: BTreeSet<&str> = named
        .flatten()
        .filter_map(|attachment| attachment["sha2"].as_str())
        .collect();
    let parts: Vec<AttachmentBytes> = named
        .into_iter()
        .filter_map(|sha2| {
            Some(AttachmentBytes {
                sha2: sha2.to_owned(),
                content_type: "text/plain".to_owned(),
                bytes: attachments.get(sha2)?.clone(),
            })
        })
        .collect();
    let json = json.to_string().into_bytes();
    if parts.is_empty() {
        return (200, "application/json".to_owned(), json);
    }
    let (kind, body) = join_multipart(&json, &parts);
    (200, kind, body)
}

/// As that record store kept it: with its `stored`, authority and version.
fn kept(mut statement: Value, n: usize) -> Value {
    statement["stored"] = json!(format!("2026-05-01T10:{:02}:{:02}.000Z", n / 60, n % 60));
    statement["authority"] = json!({ "mbox": "mailto:lrs@peer.example" });
    statement["version"] = json!("1.0.0");
    statement["timestamp"] = statement["stored"].clone();
    statement
}

fn made(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| kept(statement("ada", "read", &n.to_string()), n))
        .collect()
}

fn ids(statements: &[Value]) -> Vec<String> {
    statements.iter().map(id).collect()
}

fn source(address: SocketAddr, once: bool) -> NewSource {
    NewSource {
        name: "campus".to_owned(),
        address: SourceAddress {
            url: format!("http://{address}/xapi/"),
            key: "ada".to_owned(),
            secret: "lovelace".to_owned(),
            version: Version::V1_0_3,
            allow_private: true,
        },
        since: None,
        follow: !once,
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
        let identity = Arc::new(|| common::ACTOR.to_owned());
        let run = lectern_lrs::pull::run(lrs.lrs.clone(), egress, identity, stop.clone());
        Self {
            stop,
            task: tokio::spawn(run),
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Waits until it holds; fails the test when that takes too long.
async fn until(lrs: &common::Box, id: Uuid, what: &str, holds: impl Fn(&Source) -> bool) -> Source {
    let sources = lrs.lrs.sources();
    let waited = tokio::time::timeout(Duration::from_secs(40), async {
        loop {
            let source = sources.get(id).unwrap();
            if holds(&source) {
                return source;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    match waited.await {
        Ok(source) => source,
        Err(_) => panic!("in vain: {what}: {:?}", sources.get(id)),
    }
}

async fn done(lrs: &common::Box, id: Uuid) -> Source {
    until(lrs, id, "done", |source| source.state == SourceState::Done).await
}

fn counts(source: &Source) -> (u64, u64, u64) {
    (source.stored, source.known, source.refused)
}

#[tokio::test]
async fn everything_comes_once_and_in_order_over_failures_and_restarts() {
    let lrs = common::new();
    let list = made(250);
    let peer = peer(list.clone());
    peer.lock().unwrap().moods = [503, 500].map(Mood::Status).into();
    let address = serve(Arc::clone(&peer)).await;
    let id = lrs.lrs.sources().add(source(address, true)).unwrap();
    let mut stops = 0;
    let mut running = Running::start(&lrs);
    until(&lrs, id, "an error to see", |source| {
        source.state == SourceState::Waiting && source.last_error.is_some()
    })
    .await;
    while lrs.lrs.sources().get(id).unwrap().state != SourceState::Done {
        let before = lrs.lrs.sources().get(id).unwrap().stored;
        until(&lrs, id, "more", |source| {
            source.stored > before || source.state == SourceState::Done
        })
        .await;
        running.stop().await;
        stops += 1;
        running = Running::start(&lrs);
    }
    running.stop().await;
    assert!(stops > 1, "{stops}");
    let source = lrs.lrs.sources().get(id).unwrap();
    assert_eq!(counts(&source), (250, 0, 0));
    assert!(source.last_error.is_none() && source.rate > 0.0);
    let last = list[249]["stored"].as_str().unwrap();
    assert_eq!(source.read_to, last.parse().ok());
    assert_eq!(lrs.ids(&[("ascending", "true")]), ids(&list));
    // Ours to set: when it was stored here, and who vouches for it.
    let here = lrs.get(&[("statementId", &ids(&list)[7])]).unwrap();
    assert_eq!(here["authority"]["account"]["name"], format!("source:{id}"));
    assert_ne!(here["stored"], list[7]["stored"]);
    assert_eq!(here["timestamp"], list[7]["timestamp"]);
    let verified = lrs.lrs.verify_chain().unwrap();
    assert_eq!((verified.entries, verified.broken), (250, None));
}

#[tokio::test]
async fn what_is_here_is_counted_and_what_cannot_be_taken_is_listed_and_holds_up_nothing() {
    let lrs = common::new();
    let mut list = made(30);
    lrs.post(&json!([list[3], list[4]])).await.unwrap();
    let before = list[11].clone();
    lrs.post(&before).await.unwrap();
    list[11]["verb"]["id"] = json!("http://verbs/other");
    list[17]["actor"] = json!({ "mbox": "ada" });
    list[18]["context"] = json!({ "revision": "1" });
    list[18]["object"] = common::agent("bob");
    let peer = peer(list.clone());
    let address = serve(Arc::clone(&peer)).await;
    let id = lrs.lrs.sources().add(source(address, true)).unwrap();
    let running = Running::start(&lrs);
    let source = done(&lrs, id).await;
    running.stop().await;
    assert_eq!(counts(&source), (25, 2, 3));
    let refused = lrs.lrs.sources().refused(id, 0, 10).unwrap();
    let reasons: BTreeMap<_, _> = refused
        .iter()
        .map(|one| (one.statement_id.unwrap().to_string(), one.reason.as_str()))
        .collect();
    let reason = |n: usize| reasons[&common::id(&list[n])];
    assert!(reason(11).contains("another statement"), "{reasons:?}");
    assert!(reason(17).contains("$.actor.mbox"), "{reasons:?}");
    assert!(reason(18).contains("revision"), "{reasons:?}");
    let text = refused.iter().find(|one| one.reason == reason(17)).unwrap();
    assert_eq!(text.statement, Some(list[17].clone()));
    assert_eq!(
        text.stored,
        list[17]["stored"].as_str().unwrap().parse().ok()
    );
    // What was here is as it was.
    let here = lrs.get(&[("statementId", &common::id(&before))]).unwrap();
    assert_eq!(here["verb"], before["verb"]);
    assert_eq!(lrs.ids(&[]).len(), 28);
    // Another one for the same address finds all of it here; the list goes with the source.
    let again = lrs.lrs.sources().add(self::source(address, true)).unwrap();
    let running = Running::start(&lrs);
    assert_eq!(counts(&done(&lrs, again).await), (0, 27, 3));
    running.stop().await;
    lrs.lrs.sources().remove(id).unwrap();
    assert!(lrs.lrs.sources().refused(id, 0, 10).is_err());
    assert_eq!(lrs.lrs.sources().refused(again, 0, 10).unwrap().len(), 3);
}

fn sha2(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn attached(n: usize, bytes: &[u8]) -> Value {
    let mut statement = kept(statement("ada", "attached", &n.to_string()), n);
    statement["attachments"] = json!([{
        "usageType": "http://usage/one",
        "display": { "en": "one" },
        "contentType": "text/plain",
        "length": bytes.len(),
        "sha2": sha2(bytes),
    }]);
    statement
}

#[tokio::test]
async fn attachments_come_with_the_list_or_one_by_one_and_false_ones_are_refused() {
    for is_bare in [false, true] {
        let lrs = common::new();
        let texts: Vec<Vec<u8>> = (0..6).map(|n| format!("file {n}").into_bytes()).collect();
        let list: Vec<Value> = (0..6).map(|n| attached(n, &texts[n])).collect();
        let peer = peer(list.clone());
        {
            let mut peer = peer.lock().unwrap();
            peer.is_bare = is_bare;
            let whole = texts.iter().map(|text| (sha2(text), text.clone()));
            peer.attachments = whole.collect();
            peer.attachments
                .insert(sha2(&texts[2]), b"something else".to_vec());
            peer.attachments.remove(&sha2(&texts[4]));
        }
        let address = serve(Arc::clone(&peer)).await;
        let id = lrs.lrs.sources().add(source(address, true)).unwrap();
        let running = Running::start(&lrs);
        let source = done(&lrs, id).await;
        running.stop().await;
        assert_eq!(counts(&source), (4, 0, 2));
        let refused = lrs.lrs.sources().refused(id, 0, 10).unwrap();
        assert!(
            refused[0].reason.contains("do not have its hash"),
            "{refused:?}"
        );
        assert!(
            refused[1].reason.contains("did not give the bytes"),
            "{refused:?}"
        );
        let answer = lrs
            .lrs
            .get_statements(
                &common::admin(),
                Version::V1_0_3,
                &common::parameters(&[("attachments", "true")]),
                None,
            )
            .unwrap();
        let mut here: Vec<Vec<u8>> = answer
            .attachments
            .unwrap()
            .into_iter()
            .map(|attachment| attachment.bytes)
            .collect();
        here.sort();
        let good = [0, 1, 3, 5].map(|n| texts[n].clone());
        assert_eq!(here, good);
    }
}

#[tokio::test]
async fn a_voided_statement_comes_with_the_one_that_voids_it_though_no_list_has_it() {
    let lrs = common::new();
    let mut list = made(10);
    let target = list.remove(4);
    list.push(kept(voiding(&id(&target)), 20));
    list.push(kept(voiding(&Uuid::now_v7().to_string()), 21));
    let peer = peer(list.clone());
    peer.lock()
        .unwrap()
        .voided
        .insert(id(&target), target.clone());
    let address = serve(Arc::clone(&peer)).await;
    let source_id = lrs.lrs.sources().add(source(address, true)).unwrap();
    let running = Running::start(&lrs);
    let source = done(&lrs, source_id).await;
    running.stop().await;
    assert_eq!(counts(&source), (12, 0, 0));
    let voided = lrs.get(&[("voidedStatementId", &id(&target))]).unwrap();
    assert_eq!(voided["id"], target["id"]);
    assert!(lrs.get(&[("statementId", &id(&target))]).is_err());
    // One who wants newer ones only does not get it by this door.
    let lrs = common::new();
    let mut newer = self::source(address, true);
    newer.since = target["stored"].as_str().unwrap().parse().ok();
    let source_id = lrs.lrs.sources().add(newer).unwrap();
    let running = Running::start(&lrs);
    let source = done(&lrs, source_id).await;
    running.stop().await;
    assert_eq!(counts(&source), (7, 0, 0));
    assert!(lrs.get(&[("voidedStatementId", &id(&target))]).is_err());
}

#[tokio::test]
async fn whatever_a_source_answers_has_a_sentence_and_loses_nothing() {
    let trap = peer(made(1));
    let elsewhere = serve(Arc::clone(&trap)).await;
    let mut unordered = made(3);
    unordered.reverse();
    let unordered = json!({ "statements": unordered, "more": "" });
    let timeless = json!({ "statements": [statement("ada", "read", "x")], "more": "" });
    let json_body = |body: &Value| Mood::Body("application/json", body.to_string().into_bytes());
    let moods = [
        (
            Mood::More(format!("http://{elsewhere}/xapi/statements?from=40")),
            "",
        ),
        (
            Mood::More("//evil.example/xapi/statements?from=40".to_owned()),
            "",
        ),
        (Mood::More("http://[".to_owned()), "is no link"),
        (Mood::More("x".repeat(20_000)), "too long"),
        (
            Mood::Body("text/html", b"<html>sign in</html>".to_vec()),
            "check the address",
        ),
        (Mood::Body("application/json", vec![b' '; 17 << 20]), ""),
        (
            Mood::Body("multipart/mixed; boundary=b", b"--b\r\nno end".to_vec()),
            "cannot be read",
        ),
        (Mood::Body("multipart/mixed", b"--b--".to_vec()), "boundary"),
        (json_body(&unordered), "in the order"),
        (json_body(&timeless), "when they were stored"),
        (json_body(&json!([])), "check the address"),
        (Mood::Speaks("0.95"), "does not speak"),
        (Mood::Status(302), "302"),
        (Mood::Status(400), "check the address and the version"),
        (Mood::Status(401), "the key or the secret is wrong"),
        (Mood::Status(403), "may not read all statements"),
        (Mood::Status(404), "check the address"),
        (Mood::Status(429), "429"),
        (Mood::Status(500), "500"),
        (Mood::Status(204), "check the address"),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (mood, says) in moods {
        all.spawn(async move {
            let lrs = common::new();
            let list = made(90);
            let peer = peer(list.clone());
            peer.lock().unwrap().moods.push_back(mood.clone());
            let address = serve(Arc::clone(&peer)).await;
            let id = lrs.lrs.sources().add(source(address, true)).unwrap();
            let running = Running::start(&lrs);
            // What is too long for one answer is asked for in pieces, at once.
            if !says.is_empty() {
                let failed = until(&lrs, id, says, |source| source.last_error.is_some()).await;
                assert_eq!(failed.state, SourceState::Waiting);
                let error = failed.last_error.unwrap();
                assert!(error.message.contains(says), "{says}: {}", error.message);
                assert!(error.retry_at.is_some());
            }
            let source = done(&lrs, id).await;
            running.stop().await;
            assert_eq!(counts(&source), (90, 0, 0), "{says}");
            assert_eq!(lrs.ids(&[("ascending", "true")]), ids(&list), "{says}");
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
    assert_eq!(trap.lock().unwrap().asked, Vec::<String>::new());
}

#[tokio::test]
async fn a_next_page_that_expired_is_no_failure_and_brings_nothing_twice() {
    let lrs = common::new();
    let list = made(120);
    let peer = peer(list.clone());
    let expired = "/xapi/statements?from=80&expired".to_owned();
    peer.lock().unwrap().moods = [Mood::More(expired), Mood::Status(404)].into();
    let address = serve(Arc::clone(&peer)).await;
    let id = lrs.lrs.sources().add(source(address, true)).unwrap();
    let running = Running::start(&lrs);
    assert_eq!(counts(&done(&lrs, id).await), (120, 0, 0));
    running.stop().await;
    assert_eq!(lrs.ids(&[("ascending", "true")]), ids(&list));
}

#[tokio::test]
async fn one_who_follows_gets_what_comes_later_and_counts_nothing_twice() {
    let lrs = common::new();
    let mut list = made(5);
    list[4]["actor"] = json!(7);
    lrs.post(&list[3]).await.unwrap();
    let peer = peer(list);
    let address = serve(Arc::clone(&peer)).await;
    let id = lrs.lrs.sources().add(source(address, false)).unwrap();
    let running = Running::start(&lrs);
    let is_following = |source: &Source| source.state == SourceState::Following;
    let source = until(&lrs, id, "following", is_following).await;
    assert_eq!(counts(&source), (3, 1, 1));
    assert!(source.next.is_some() && source.caught_up.is_some());
    // One that shares its `stored` with the last, and one that was stored before it and could not be seen then.
    let late = kept(statement("bob", "read", "late"), 3);
    let newer = kept(statement("bob", "read", "newer"), 4);
    peer.lock().unwrap().list.insert(4, late);
    peer.lock().unwrap().list.push(newer);
    let source = until(&lrs, id, "the later ones", |source| source.stored == 5).await;
    assert_eq!(counts(&source), (5, 1, 1));
    lrs.lrs
        .sources()
        .update(
            id,
            SourceChange {
                paused: Some(true),
                ..SourceChange::default()
            },
        )
        .unwrap();
    let paused = lrs.lrs.sources().get(id).unwrap();
    assert_eq!(paused.state, SourceState::Paused);
    running.stop().await;
}

#[tokio::test]
async fn a_trial_says_whether_statements_can_be_read_there() {
    let lrs = common::new();
    let peer = peer(made(1));
    let address = serve(Arc::clone(&peer)).await;
    let egress = Egress::new(&lectern_egress::Options::default()).unwrap();
    let sources = lrs.lrs.sources();
    let good = sources
        .try_out(source(address, true).address, &egress)
        .await;
    let good = good.unwrap();
    assert!(good.ok && good.versions == ["1.0.3"], "{good:?}");
    let mut wrong = source(address, true).address;
    wrong.secret = "babbage".to_owned();
    let wrong = sources.try_out(wrong, &egress).await.unwrap();
    assert!(!wrong.ok && wrong.message.contains("secret"), "{wrong:?}");
    let mut inside = source(address, true).address;
    inside.allow_private = false;
    assert!(sources.try_out(inside, &egress).await.is_err());
    assert_eq!(sources.list().unwrap(), []);
}

async fn erase(lrs: &common::Box, name: &str) {
    let (lrs, account) = (lrs.lrs.clone(), Ifi::account(common::ACTOR, name).key());
    let work = move || {
        let erasure = Erasure {
            id: Uuid::now_v7(),
            asked: jiff::Timestamp::UNIX_EPOCH,
            by: "box".to_owned(),
            of: "somebody".to_owned(),
            who: BTreeSet::from([account.clone()]),
            authorities: Vec::new(),
            statements: 0,
            documents: 0,
            attachments: 0,
            upstreams: Vec::new(),
            overwritten: false,
            finished: None,
        };
        let id = erasure.id;
        let refused = [account];
        let intend = move |tx: &lectern_store::Tx<'_>| {
            Erasures::intend(tx, &erasure, &refused).map_err(lectern_lrs::Error::from)
        };
        lrs.store().write(intend).unwrap();
        assert!(lrs.erasures().carry_out(id, &mut || true).unwrap());
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[tokio::test]
async fn of_somebody_who_was_erased_nothing_comes_back_and_nothing_is_kept() {
    let lrs = common::new();
    let mut list = made(6);
    list[1] = kept(statement("eve", "read", "x"), 1);
    // Refused before the erasure, with its text.
    list[3]["actor"] = common::agent("eve");
    list[3]["unknown"] = json!(1);
    let peer = peer(list.clone());
    peer.lock().unwrap().list.truncate(5);
    let address = serve(Arc::clone(&peer)).await;
    let id = lrs.lrs.sources().add(source(address, true)).unwrap();
    let running = Running::start(&lrs);
    assert_eq!(counts(&done(&lrs, id).await), (4, 0, 1));
    let text = |id| {
        let refused = lrs.lrs.sources().refused(id, 0, 10).unwrap();
        refused.last().unwrap().statement.clone()
    };
    assert!(text(id).is_some());
    erase(&lrs, "eve").await;
    assert_eq!(text(id), None);
    let refused = lrs.lrs.sources().refused(id, 0, 10).unwrap();
    assert!(refused[0].reason.contains("erased") && refused[0].statement_id.is_none());
    // Another one, later: what was erased here, and what is new about her.
    let new = kept(statement("eve", "read", "y"), 5);
    peer.lock().unwrap().list =
        [list[1].clone(), new, kept(statement("bob", "read", "z"), 6)].into();
    let id = lrs.lrs.sources().add(source(address, true)).unwrap();
    assert_eq!(counts(&done(&lrs, id).await), (1, 0, 2));
    running.stop().await;
    for one in lrs.lrs.sources().refused(id, 0, 10).unwrap() {
        assert!(
            one.reason.contains("erased") && one.statement.is_none(),
            "{one:?}"
        );
    }
    assert_eq!(lrs.ids(&[]).len(), 4);
}
