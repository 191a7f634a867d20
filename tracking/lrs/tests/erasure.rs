//! Erasing somebody: nothing that names them is left, everything else is as it was, the chain holds, and a fold built anew
//! has the same bytes.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{ACTOR, admin, agent, id, reference, statement, voiding};
use jiff::Timestamp;
use lectern_lrs::erasure::{Cutoffs, Erasure, Erasures, identifiers_of_mail};
use lectern_lrs::evidence::{Evidence, SigningKey, verify_export};
use lectern_lrs::{Conditions, DocumentRequest, Error, Lrs, Resource, StatementsBody};
use lectern_store::testing::{CrashDisk, Loss};
use lectern_store::{Key, Options, Store, Table};
use lectern_xapi::{Ifi, Version};
use serde_json::{Value, json};
use uuid::Uuid;

const MAIL: &str = "ada.lovelace@example.edu";

/// Ada by her account here and by mail.
fn ada() -> BTreeSet<String> {
    let mut who = BTreeSet::from(identifiers_of_mail(MAIL));
    who.insert(Ifi::account(ACTOR, "ada").key());
    who
}

fn erasure() -> Erasure {
    Erasure {
        id: Uuid::now_v7(),
        asked: Timestamp::UNIX_EPOCH,
        by: "box".to_owned(),
        of: "somebody".to_owned(),
        who: ada(),
        authorities: vec![Ifi::account(ACTOR, "device:ada").to_value().to_string()],
        statements: 0,
        documents: 0,
        attachments: 0,
        upstreams: vec![],
        overwritten: false,
        finished: None,
    }
}

fn intend(lrs: &Lrs) -> Result<Uuid, Error> {
    let (erasure, account) = (erasure(), Ifi::account(ACTOR, "ada").key());
    let id = erasure.id;
    lrs.store().write(move |tx| {
        Erasures::intend(tx, &erasure, std::slice::from_ref(&account)).map_err(Error::from)
    })?;
    Ok(id)
}

/// The whole of it.
async fn erase(lrs: &Lrs) -> Result<Erasure, Error> {
    let lrs = lrs.clone();
    tokio::task::spawn_blocking(move || {
        let id = intend(&lrs)?;
        carry_out(&lrs, id)
    })
    .await
    .unwrap()
}

fn carry_out(lrs: &Lrs, id: Uuid) -> Result<Erasure, Error> {
    let erasures = lrs.erasures();
    assert!(erasures.carry_out(id, &mut || true)?);
    lrs.store().write(move |tx| Erasures::conceal(tx, id))?;
    assert!(erasures.overwrite(id, &mut || true)?);
    lrs.store()
        .write(move |tx| Erasures::finish(tx, id, Timestamp::UNIX_EPOCH).map(drop))?;
    erasures.get(id)
}

fn by_mail(verb: &str, activity: &str) -> Value {
    let mut said = statement("", verb, activity);
    said["actor"] = json!({ "mbox": format!("mailto:{MAIL}"), "name": "Ada Lovelace" });
    said
}

/// Statements of hers and of others, of every kind: the first list names her.
fn mixture() -> (Vec<Value>, Vec<Value>) {
    let (mut hers, mut others) = (Vec::new(), Vec::new());
    for n in 0..9 {
        let mut own = statement("ada", "read", &format!("book-{}", n % 4));
        own["timestamp"] = json!(format!("2026-11-2{}T03:00:00Z", n % 4));
        own["object"]["definition"] = json!({ "name": { "en": format!("Book {}", n % 2) } });
        let mut other = statement("bob", "read", &format!("book-{}", n % 5));
        other["actor"]["name"] = json!("Bob");
        other["timestamp"] = json!("2026-11-22T03:00:00Z");
        other["object"]["definition"] = json!({ "description": { "en": format!("{n}") } });
        hers.push(own);
        others.push(other);
    }
    hers.push(by_mail("read", "essay-of-ada"));
    let mut taught = statement("bob", "learned", "essay-of-ada-2");
    taught["context"] = json!({ "instructor": agent("ada") });
    taught["object"]["definition"] = json!({ "name": { "en": "Only she speaks of it" } });
    hers.push(taught);
    let mut grouped = statement("", "met", "room");
    grouped["actor"] = json!({ "objectType": "Group", "member": [
        { "mbox_sha1sum": sha1(), "name": "A. L." }, { "mbox": "mailto:carl@example.edu", "name": "Carl" }] });
    hers.push(grouped);
    let mut praised = statement("bob", "praised", "");
    praised["object"] = agent("ada");
    hers.push(praised);
    // Chains of references over hers, in both orders of arrival.
    let early = Uuid::now_v7().to_string();
    let about_early = reference("carl", "answered", &early);
    let mut late = reference("ada", "asked", &id(&others[2]));
    late["id"] = json!(early);
    let about_hers = reference("bob", "saw", &id(&hers[0]));
    let about_about = reference("carl", "saw", &id(&about_hers));
    others.extend([about_early, about_hers, about_about]);
    hers.push(late);
    // She takes back one of Bob's; somebody takes back one of hers, somebody one of Bob's.
    let mut taken_back = voiding(&id(&others[1]));
    taken_back["actor"] = agent("ada");
    hers.push(taken_back);
    others.extend([voiding(&id(&hers[1])), voiding(&id(&others[3]))]);
    let mut twice = voiding(&id(&others[3]));
    twice["actor"] = agent("ada");
    hers.push(twice);
    (hers, others)
}

fn sha1() -> String {
    let [_, sum] = identifiers_of_mail(MAIL);
    sum.strip_prefix("sha1 ").unwrap().to_owned()
}

async fn post_mixed(lrs: &Lrs, hers: &[Value], others: &[Value]) -> Result<(), Error> {
    for n in 0..hers.len().max(others.len()) {
        let batch: Vec<&Value> = [others.get(n), hers.get(n)].into_iter().flatten().collect();
        let text = json!(batch).to_string();
        lrs.post_statements(&admin(), Version::V2_0_0, text).await?;
    }
    Ok(())
}

/// A value as it lies in the file.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl lectern_store::Record for Bytes {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }
    fn decode(bytes: &[u8]) -> Result<Self, lectern_store::Corrupt> {
        Ok(Self(bytes.to_vec()))
    }
}

fn rows<K: Key + std::fmt::Debug>(store: &Store, name: &'static str) -> Vec<String> {
    let table = Table::<K, Bytes>::new(name);
    let rows = store.snapshot().unwrap().range(&table, ..).unwrap();
    rows.map(|row| format!("{name} {:?}", row.unwrap()))
        .collect()
}

/// Every byte of what is derived from the log.
fn derived(lrs: &Lrs) -> Vec<String> {
    lrs.rest();
    let store = lrs.store();
    [
        rows::<((u8, u8), u64, u64, u64)>(store, "lrs.index.chunks"),
        rows::<(u8, u64)>(store, "lrs.index.runs"),
        rows::<(u64, u64)>(store, "lrs.references.postings"),
        rows::<(Uuid, u64)>(store, "lrs.references.referrers"),
        rows::<Uuid>(store, "lrs.references.voided"),
        rows::<String>(store, "lrs.definitions"),
        rows::<(u64, String)>(store, "lrs.names"),
        rows::<(u64, u8)>(store, "lrs.marks"),
        rows::<(String, u64)>(store, "lrs.attachments.held"),
    ]
    .concat()
}

fn assert_anew_is_the_same(lrs: &Lrs) {
    let before = derived(lrs);
    for fold in [
        "lrs.index.3",
        "lrs.references.1",
        "lrs.definitions.1",
        "lrs.punctuality.1",
        "lrs.attachments.1",
    ] {
        lrs.rebuild(fold).unwrap();
    }
    let after = derived(lrs);
    for (was, is) in before.iter().zip(&after) {
        assert_eq!(was, is);
    }
    assert_eq!(before.len(), after.len());
}

#[tokio::test]
async fn whoever_is_erased_is_found_by_no_filter_and_others_are_untouched() {
    let lrs = common::new();
    let (hers, others) = mixture();
    post_mixed(&lrs.lrs, &hers, &others).await.unwrap();
    let read = |lrs: &common::Box| -> Vec<Result<Value, String>> {
        let get = |said: &Value| {
            let id = id(said);
            lrs.get(&[("statementId", &id)])
                .or_else(|_| lrs.get(&[("voidedStatementId", &id)]))
                .map_err(|error| error.to_string())
        };
        others.iter().map(get).collect()
    };
    let (before, bobs) = (read(&lrs), lrs.ids(&[("agent", &agent("bob").to_string())]));
    let done = erase(&lrs.lrs).await.unwrap();
    assert_eq!(done.statements, hers.len() as u64);
    assert!(done.finished.is_some() && done.who.is_empty() && done.authorities.is_empty());
    assert_eq!(read(&lrs), before);
    let her_agents = [
        agent("ada"),
        json!({ "mbox": format!("mailto:{MAIL}") }),
        json!({ "mbox_sha1sum": sha1() }),
    ];
    for who in &her_agents {
        for related in ["false", "true"] {
            let found = lrs.ids(&[("agent", &who.to_string()), ("related_agents", related)]);
            assert_eq!(found, Vec::<String>::new());
        }
        let caller = admin();
        let person = lrs
            .lrs
            .get_person(&caller, &[("agent".to_owned(), who.to_string())])
            .unwrap();
        assert_eq!(person.get("name"), None);
    }
    let gone: BTreeSet<String> = hers.iter().map(id).collect();
    for filter in [
        &[][..],
        &[("verb", "http://verbs/read")],
        &[("activity", "http://activities/book-0")],
        &[
            ("activity", "http://activities/book-0"),
            ("related_activities", "true"),
        ],
        &[("since", "2026-01-01T00:00:00Z")],
        &[("ascending", "true")],
    ] {
        let found = lrs.ids(filter);
        assert!(
            !found.is_empty() && found.iter().all(|id| !gone.contains(id)),
            "{filter:?}"
        );
    }
    for one in &gone {
        assert!(matches!(
            lrs.get(&[("statementId", one)]),
            Err(Error::NotFound(_))
        ));
    }
    // Who referred to his over one of hers is found by him no more: nothing says that it did.
    let over_hers = id(&others[9]);
    let kept = bobs
        .into_iter()
        .filter(|id| !gone.contains(id) && *id != over_hers);
    let kept: Vec<String> = kept.collect();
    assert_eq!(lrs.ids(&[("agent", &agent("bob").to_string())]), kept);
}

#[tokio::test]
async fn what_was_taken_back_stays_so_when_who_took_it_back_is_erased() {
    let lrs = common::new();
    let (hers, others) = mixture();
    post_mixed(&lrs.lrs, &hers, &others).await.unwrap();
    erase(&lrs.lrs).await.unwrap();
    for round in 0..2 {
        for taken_back in [&others[1], &others[3]] {
            let id = id(taken_back);
            assert!(lrs.get(&[("statementId", &id)]).is_err(), "round {round}");
            lrs.get(&[("voidedStatementId", &id)]).unwrap();
        }
        lrs.lrs.rebuild("lrs.references.1").unwrap();
    }
}

#[tokio::test]
async fn a_fold_built_anew_after_an_erasure_has_the_same_bytes() {
    let lrs = common::new();
    let (hers, others) = mixture();
    post_mixed(&lrs.lrs, &hers, &others).await.unwrap();
    lrs.lrs.rest();
    assert_anew_is_the_same(&lrs.lrs);
    let before = derived(&lrs.lrs);
    erase(&lrs.lrs).await.unwrap();
    assert_ne!(derived(&lrs.lrs), before);
    assert_anew_is_the_same(&lrs.lrs);
    // What comes afterwards is told as before.
    let (_, others) = mixture();
    post_mixed(&lrs.lrs, &[], &others).await.unwrap();
    assert_anew_is_the_same(&lrs.lrs);
}

#[tokio::test]
async fn any_statements_can_be_erased_and_folds_built_anew_have_the_same_bytes() {
    for seed in 0..12_u64 {
        let lrs = common::new();
        let (hers, others) = mixture();
        post_mixed(&lrs.lrs, &hers, &others).await.unwrap();
        let head = lrs.lrs.head().unwrap();
        let mut random = seed * 2 + 1;
        for _ in 0..3 {
            let some: BTreeSet<u64> = (1..=head)
                .filter(|_| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    random % 4 == 0
                })
                .collect();
            let inner = lrs.lrs.clone();
            tokio::task::spawn_blocking(move || inner.erase(&some))
                .await
                .unwrap()
                .unwrap();
            assert_anew_is_the_same(&lrs.lrs);
        }
        assert_eq!(lrs.lrs.verify_chain().unwrap().broken, None);
    }
}

#[tokio::test]
async fn chain_heads_and_export_hold_after_an_erasure() {
    let lrs = common::new();
    let (hers, others) = mixture();
    let key = SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap();
    let evidence = Evidence::open(lrs.lrs.clone(), Some(key)).unwrap();
    post_mixed(&lrs.lrs, &hers[..8], &others[..8])
        .await
        .unwrap();
    evidence.sign(Timestamp::now()).unwrap().unwrap();
    post_mixed(&lrs.lrs, &hers[8..], &others[8..])
        .await
        .unwrap();
    evidence.sign(Timestamp::now()).unwrap().unwrap();
    erase(&lrs.lrs).await.unwrap();
    let report = evidence.verify().unwrap();
    assert_eq!((report.erased, report.heads), (hers.len() as u64, 2));
    for bodies in [false, true] {
        let mut export = Vec::new();
        evidence
            .export(ACTOR, bodies, Timestamp::now(), &mut export)
            .unwrap();
        let checked = verify_export(&mut export.as_slice(), None, None, &mut |_| {}).unwrap();
        assert_eq!(checked.erased, hers.len() as u64);
        let text = String::from_utf8(export).unwrap();
        assert!(!text.contains("lovelace") && !text.contains(&agent("ada").to_string()));
    }
}

fn request(resource: Resource, pairs: &[(&str, &str)]) -> DocumentRequest {
    DocumentRequest::parse(resource, &common::parameters(pairs), Version::V2_0_0).unwrap()
}

#[tokio::test]
async fn documents_of_whoever_is_erased_go_and_those_of_others_stay() {
    let lrs = common::new();
    let caller = admin();
    let requests = |who: &str| {
        [
            request(
                Resource::State,
                &[
                    ("activityId", "http://a/1"),
                    ("agent", who),
                    ("stateId", "s"),
                ],
            ),
            request(
                Resource::State,
                &[
                    ("activityId", "http://a/1"),
                    ("agent", who),
                    ("registration", "7d3f2f0e-7a3f-4a9a-9d5c-0e4a4b6f1a11"),
                    ("stateId", "t"),
                ],
            ),
            request(
                Resource::AgentProfile,
                &[("agent", who), ("profileId", "p")],
            ),
        ]
    };
    let (ada, bob) = (agent("ada").to_string(), agent("bob").to_string());
    let put = async |request: &DocumentRequest| {
        let (version, text) = (Version::V2_0_0, b"{}".to_vec());
        let conditions = Conditions::default();
        lrs.lrs
            .put_document(
                &caller,
                version,
                request,
                "application/json",
                text,
                conditions,
            )
            .await
    };
    for who in [&ada, &bob] {
        for request in &requests(who) {
            put(request).await.unwrap();
        }
    }
    let about = {
        let lrs = lrs.lrs.clone();
        lrs.erasures().about(&self::ada()).unwrap()
    };
    assert_eq!(about.documents, 3);
    assert_eq!(erase(&lrs.lrs).await.unwrap().documents, 3);
    for (who, is_there) in [(&ada, false), (&bob, true)] {
        for request in &requests(who) {
            let id = request.id.clone().unwrap();
            let found = lrs.lrs.get_document(&caller, &request.place, &id);
            assert_eq!(found.is_ok(), is_there, "{request:?}");
        }
    }
    // And nothing new about her is taken.
    for request in &requests(&ada) {
        assert!(matches!(put(request).await, Err(Error::Invalid(_))));
    }
}

fn multipart(said: &Value, bytes: &[u8]) -> (Value, StatementsBody) {
    use sha2::{Digest, Sha256};
    let sha2 = hex::encode(Sha256::digest(bytes));
    let mut said = said.clone();
    said["attachments"] = json!([{ "usageType": "http://u/t", "display": { "en": "x" },
        "contentType": "text/plain", "length": bytes.len(), "sha2": sha2 }]);
    let part = lectern_lrs::AttachmentBytes {
        sha2,
        content_type: "text/plain".to_owned(),
        bytes: bytes.to_vec(),
    };
    let (kind, body) = lectern_lrs::join_multipart(said.to_string().as_bytes(), &[part]);
    let boundary = kind.split("boundary=").nth(1).unwrap().to_owned();
    (
        said,
        StatementsBody::Multipart {
            bytes: body,
            boundary,
        },
    )
}

#[tokio::test]
async fn attachments_that_only_erased_statements_hold_go() {
    let lrs = common::new();
    let rows = [
        ("ada", b"her essay".as_slice()),
        ("ada", b"shared"),
        ("bob", b"shared"),
        ("bob", b"his"),
    ];
    for (who, bytes) in rows {
        let (_, body) = multipart(&statement(who, "wrote", "essay"), bytes);
        let (caller, version) = (admin(), Version::V2_0_0);
        let posted = lrs.lrs.post_statements(&caller, version, body);
        posted.await.unwrap();
    }
    let kept = |lrs: &Lrs| self::rows::<String>(lrs.store(), "lrs.attachments").len();
    assert_eq!(kept(&lrs.lrs), 3);
    assert_eq!(erase(&lrs.lrs).await.unwrap().attachments, 1);
    assert_eq!(kept(&lrs.lrs), 2);
    assert_anew_is_the_same(&lrs.lrs);
}

/// Whether any file of the folder has the text in clear.
fn lies_in(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
        {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test]
async fn the_journal_holds_no_text_after_an_erasure() {
    let lrs = common::new();
    let (hers, others) = mixture();
    post_mixed(&lrs.lrs, &hers, &others).await.unwrap();
    let journals = |found: Vec<String>| found.iter().any(|name| name.contains("journal"));
    assert!(journals(lies_in(lrs.folder.path(), MAIL)));
    assert!(erase(&lrs.lrs).await.unwrap().overwritten);
    assert!(!journals(lies_in(lrs.folder.path(), MAIL)));
    // What comes next is as durable as ever.
    let said = statement("bob", "read", "after");
    lrs.post(&said).await.unwrap();
    lrs.get(&[("statementId", &id(&said))]).unwrap();
}

#[tokio::test]
async fn no_page_of_the_file_holds_what_was_erased() {
    let lrs = common::new();
    let place = request(
        Resource::AgentProfile,
        &[("agent", &agent("ada").to_string()), ("profileId", "p")],
    );
    let (_, body) = multipart(
        &statement("ada", "wrote", "essay"),
        b"the very words of her essay",
    );
    let (caller, version) = (admin(), Version::V2_0_0);
    lrs.lrs
        .post_statements(&caller, version, body)
        .await
        .unwrap();
    let put = lrs.lrs.put_document(
        &caller,
        version,
        &place,
        "text/plain",
        b"the very words of her profile".to_vec(),
        Conditions::default(),
    );
    put.await.unwrap();
    post_mixed(&lrs.lrs, &mixture().0, &mixture().1)
        .await
        .unwrap();
    lrs.lrs.rest();
    // What a block holds is compressed: a piece of its bytes stands for the text.
    let pieces: Vec<Vec<u8>> = {
        let table = Table::<u64, Bytes>::new("lrs.blocks");
        let rows = lrs
            .lrs
            .store()
            .snapshot()
            .unwrap()
            .range(&table, ..)
            .unwrap();
        rows.map(|row| row.unwrap().1.0)
            .map(|bytes| bytes[bytes.len() - 64..bytes.len() - 16].to_vec())
            .collect()
    };
    let file = lrs.folder.path().join("records.redb");
    let holds = |piece: &[u8]| {
        let bytes = std::fs::read(&file).unwrap();
        bytes.windows(piece.len()).any(|window| window == piece)
    };
    let words = [
        b"the very words of her essay".as_slice(),
        b"the very words of her profile",
    ];
    assert!(words.iter().all(|words| holds(words)) && pieces.iter().any(|piece| holds(piece)));
    assert!(erase(&lrs.lrs).await.unwrap().overwritten);
    assert!(!words.iter().any(|words| holds(words)));
    assert!(!pieces.iter().any(|piece| holds(piece)));
}

#[tokio::test]
async fn statements_of_whoever_was_erased_are_refused_whole_and_others_taken() {
    let lrs = common::new();
    lrs.post(&statement("ada", "read", "book")).await.unwrap();
    erase(&lrs.lrs).await.unwrap();
    let mut taught = statement("bob", "learned", "book");
    taught["context"] = json!({ "instructor": agent("ada") });
    for late in [statement("ada", "read", "late"), taught] {
        let batch = json!([statement("bob", "read", "with-it"), late]);
        assert!(matches!(lrs.post(&batch).await, Err(Error::Invalid(_))));
    }
    lrs.post(&statement("bob", "read", "alone")).await.unwrap();
    // A mail address is nobody's for ever.
    lrs.post(&by_mail("returned", "book")).await.unwrap();
    assert_eq!(lrs.ids(&[]).len(), 2);
}

#[tokio::test]
async fn an_identifier_whose_hash_collides_erases_nobody_elses() {
    // 48 bits do not collide by chance in a test: the posting of another is put there by a reference, which is found under
    // her hashes without naming her.
    let lrs = common::new();
    let hers = statement("ada", "read", "book");
    let bobs = reference("bob", "saw", &id(&hers));
    lrs.post(&json!([hers, bobs])).await.unwrap();
    assert_eq!(lrs.ids(&[("agent", &agent("ada").to_string())]).len(), 2);
    assert_eq!(erase(&lrs.lrs).await.unwrap().statements, 1);
    lrs.get(&[("statementId", &id(&bobs))]).unwrap();
}

fn open(disk: &CrashDisk) -> Option<Lrs> {
    let options = Options {
        reserve_bytes: 0,
        ..Options::default()
    };
    let store = Store::open_on(Box::new(disk.clone()), options).ok()?;
    let options = lectern_lrs::Options {
        run_statements: 4,
        ..lectern_lrs::Options::default()
    };
    Lrs::open_with(store, vec![], options).ok()
}

#[tokio::test]
async fn an_erasure_that_was_interrupted_at_any_sync_is_finished_by_the_next_start() {
    let (hers, others) = mixture();
    // Filled once; each round begins with this.
    let filled = CrashDisk::new();
    let lrs = open(&filled).unwrap();
    post_mixed(&lrs, &hers, &others).await.unwrap();
    lrs.rest();
    let image = filled.after_power_cut(Loss::Nothing);
    lrs.close();
    drop(lrs);
    let whole = CrashDisk::with_image(image.clone());
    let lrs = open(&whole).unwrap();
    let before = whole.syncs();
    erase(&lrs).await.unwrap();
    let expected = derived(&lrs);
    let syncs = whole.syncs();
    drop(lrs);
    let mut resumed = 0;
    for n in before + 1..=syncs {
        for loss in [Loss::Everything, Loss::Nothing, Loss::Some(n * 7 + 1)] {
            let disk = CrashDisk::with_image(image.clone());
            disk.freeze_at_sync(n);
            if let Some(lrs) = open(&disk) {
                let _ = erase(&lrs).await;
            }
            let after = CrashDisk::with_image(disk.after_power_cut(loss));
            let lrs = open(&after).unwrap();
            assert_eq!(
                lrs.verify_chain().unwrap().broken,
                None,
                "sync {n}, {loss:?}"
            );
            let pending = lrs.erasures().pending().unwrap();
            let resuming = lrs.clone();
            tokio::task::spawn_blocking(move || {
                for one in pending {
                    assert_eq!(carry_out(&resuming, one.id).unwrap().statements, 16);
                }
            })
            .await
            .unwrap();
            let erasures = lrs.erasures().list(None, 10).unwrap();
            if erasures.is_empty() {
                // It was never asked for.
                continue;
            }
            resumed += 1;
            assert_eq!(derived(&lrs), expected, "sync {n}, {loss:?}");
            let found = lrs.verify_chain().unwrap();
            assert_eq!((found.erased, found.broken), (16, None));
            for journal in &after.after_power_cut(Loss::Everything)[1..] {
                assert!(
                    !journal
                        .windows(MAIL.len())
                        .any(|window| window == MAIL.as_bytes())
                );
            }
        }
    }
    assert!(resumed > 10, "{resumed}");
}

#[tokio::test]
async fn an_erasure_yields_and_goes_on_where_it_was() {
    let lrs = common::new();
    let (hers, others) = mixture();
    post_mixed(&lrs.lrs, &hers, &others).await.unwrap();
    let inner = lrs.lrs.clone();
    tokio::task::spawn_blocking(move || {
        let id = intend(&inner).unwrap();
        let (mut asked, mut rounds) = (0, 0);
        let mut goes_on = || {
            asked += 1;
            asked > 6
        };
        let erasures = inner.erasures();
        while !(erasures.carry_out(id, &mut goes_on).unwrap()
            && erasures.overwrite(id, &mut goes_on).unwrap())
        {
            rounds += 1;
        }
        assert!(rounds > 3, "{rounds}");
        assert_eq!(inner.erasures().get(id).unwrap().statements, 16);
    })
    .await
    .unwrap();
    assert_anew_is_the_same(&lrs.lrs);
}

#[tokio::test]
async fn what_is_too_old_goes_in_slices_and_the_rest_stays() {
    let lrs = common::new();
    let (hers, others) = mixture();
    const DAY: i64 = 24 * 3600 * 1_000_000;
    for (said, other) in hers.iter().zip(&others) {
        lrs.post(&json!([other, said])).await.unwrap();
        lrs.clock
            .fetch_add(DAY, std::sync::atomic::Ordering::SeqCst);
    }
    let head = lrs.lrs.head().unwrap();
    let at = |days: i64| Timestamp::from_microsecond(common::START + days * DAY + 9).unwrap();
    // Somebody is erased before: that is not counted twice.
    let first = lrs.lrs.clone();
    let erased = tokio::task::spawn_blocking(move || first.erase(&BTreeSet::from([2, 3])));
    assert_eq!(erased.await.unwrap().unwrap(), 2);
    let inner = lrs.lrs.clone();
    tokio::task::spawn_blocking(move || {
        let erasures = inner.erasures();
        let all = Cutoffs {
            all: Some(at(4)),
            of: None,
        };
        let found = erasures.expiring(&all).unwrap();
        assert_eq!((found.statements, found.oldest < Some(at(0))), (8, true));
        let mut rounds = 0;
        let mut erased = 0;
        loop {
            let (some, is_done) = erasures.expire(&all, &mut || rounds > 0).unwrap();
            erased += some;
            rounds += 1;
            if is_done {
                break;
            }
        }
        assert_eq!((erased, rounds > 1), (8, true));
        assert_eq!(erasures.expiring(&all).unwrap().statements, 0);
        // Of certain people only.
        let of = Cutoffs {
            all: None,
            of: Some((at(6), vec![ada()])),
        };
        let found = erasures.expiring(&of).unwrap();
        assert_eq!((found.statements, found.oldest.is_some()), (2, true));
        assert_eq!(erasures.expire(&of, &mut || true).unwrap(), (2, true));
        assert_eq!(erasures.expiring(&of).unwrap().statements, 0);
    })
    .await
    .unwrap();
    let verified = lrs.lrs.verify_chain().unwrap();
    assert_eq!(
        (verified.entries, verified.erased, verified.broken),
        (head, 12, None)
    );
    assert_anew_is_the_same(&lrs.lrs);
}
