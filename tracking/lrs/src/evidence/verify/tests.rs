use jiff::SignedDuration;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::evidence::SigningKey;

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap()
}

fn time(sequence: u64) -> Timestamp {
    let start: Timestamp = "2026-11-23T18:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(i64::try_from(sequence).unwrap())
}

/// Sets the links from `from` on, as somebody would who writes the whole chain anew.
fn chain(entries: &mut [Walked], from: usize) {
    for at in from..entries.len() {
        entries[at].previous = at.checked_sub(1).map_or([0; 32], |at| entries[at].link);
        entries[at].link = link(&entries[at]);
    }
}

const AUTHORITY: &str = "{\"mbox\":\"mailto:a@b.invalid\"}";

fn log(count: u64) -> Vec<Walked> {
    let mut entries: Vec<Walked> = (1..=count)
        .map(|sequence| {
            let salt = [u8::try_from(sequence % 256).unwrap(); 16];
            let raw = format!("{{\"n\":{sequence}}}");
            Walked {
                sequence,
                id: Uuid::from_u128(sequence.into()),
                stored: time(sequence),
                credential: "credential:test".to_owned(),
                body_hash: body_hash(&salt, 1, AUTHORITY, &raw),
                previous: [0; 32],
                link: [0; 32],
                body: WalkedBody::Here {
                    salt,
                    flags: 1,
                    authority: AUTHORITY.to_owned(),
                    raw,
                },
            }
        })
        .collect();
    chain(&mut entries, 0);
    entries
}

/// Heads at these entries.
fn heads(key: &SigningKey, entries: &[Walked], at: &[u64]) -> Vec<Head> {
    let mut heads: Vec<Head> = Vec::new();
    for sequence in at {
        let entry = &entries[usize::try_from(*sequence).unwrap() - 1];
        let end = (entry.sequence, entry.link, entry.stored);
        let head = Head::sign(key, heads.last(), None, end, time(*sequence));
        heads.push(head);
    }
    heads
}

fn judge(heads: Vec<Head>, entries: &[Walked], trust: &Trust) -> Result<Report, Broken> {
    let whole = || {
        let mut verifier = Verifier::new(heads, trust)?;
        for entry in entries {
            verifier.entry(entry)?;
        }
        verifier.finish()
    };
    whole().map_err(|unfinished| unfinished.broken)
}

/// Ten entries under heads at 3, 6 and 8.
fn whole() -> (SigningKey, Vec<Head>, Vec<Walked>, Trust) {
    let key = key();
    let entries = log(10);
    let heads = heads(&key, &entries, &[3, 6, 8]);
    let trust = Trust {
        key: Some(key.public()),
        ..Trust::default()
    };
    (key, heads, entries, trust)
}

#[test]
fn what_is_whole_is_found_whole() {
    let (key, heads, mut entries, trust) = whole();
    entries[4].body = WalkedBody::Erased;
    entries[5].body = WalkedBody::LeftOut;
    let report = judge(heads.clone(), &entries, &trust).unwrap();
    let expected = Report {
        entries: 10,
        erased: 1,
        bodies: 8,
        heads: 3,
        last_signed: 8,
        last_signed_day: Some(jiff::civil::date(2026, 11, 23)),
        unsigned: 2,
        last_head: Some(heads[2].hash()),
        key: Some(key.public().fingerprint()),
    };
    assert_eq!(report, expected);
    let nothing = judge(Vec::new(), &[], &Trust::default()).unwrap();
    assert_eq!(nothing, Report::default());
}

#[test]
fn each_damage_is_found_and_named() {
    type Damage = fn(&SigningKey, &mut Vec<Head>, &mut Vec<Walked>, &mut Trust);
    let rows: [(&str, Damage, Broken); 20] = [
        (
            "a statement removed",
            |_, _, entries, _| {
                entries.remove(4);
            },
            Broken::RecordMissing {
                expected: 5,
                found: 6,
            },
        ),
        (
            "a statement removed and the rest renumbered and chained anew",
            |_, _, entries, _| {
                entries.remove(4);
                for (at, entry) in entries.iter_mut().enumerate() {
                    entry.sequence = at as u64 + 1;
                }
                chain(entries, 4);
            },
            Broken::NotAsSigned {
                head: 2,
                sequence: 6,
            },
        ),
        (
            "two swapped",
            |_, _, entries, _| entries.swap(3, 4),
            Broken::RecordMissing {
                expected: 4,
                found: 5,
            },
        ),
        (
            "two swapped with their numbers",
            |_, _, entries, _| {
                entries.swap(3, 4);
                (entries[3].sequence, entries[4].sequence) = (4, 5);
            },
            Broken::RecordBefore(4),
        ),
        (
            "an entry changed",
            |_, _, entries, _| entries[4].credential.push('x'),
            Broken::RecordChanged(5),
        ),
        (
            "an entry changed with its own link",
            |_, _, entries, _| {
                entries[4].id = Uuid::nil();
                entries[4].link = link(&entries[4]);
            },
            Broken::RecordBefore(6),
        ),
        (
            "a signed entry changed and all chained anew",
            |_, _, entries, _| {
                entries[4].id = Uuid::nil();
                chain(entries, 4);
            },
            Broken::NotAsSigned {
                head: 2,
                sequence: 6,
            },
        ),
        (
            "a body changed",
            |_, _, entries, _| {
                let WalkedBody::Here { raw, .. } = &mut entries[6].body else {
                    unreachable!()
                };
                raw.push(' ');
            },
            Broken::Body(7),
        ),
        (
            "an authority changed",
            |_, _, entries, _| {
                let WalkedBody::Here { authority, .. } = &mut entries[6].body else {
                    unreachable!()
                };
                *authority = "{}".to_owned();
            },
            Broken::Body(7),
        ),
        (
            "flags changed",
            |_, _, entries, _| {
                let WalkedBody::Here { flags, .. } = &mut entries[6].body else {
                    unreachable!()
                };
                *flags ^= 2;
            },
            Broken::Body(7),
        ),
        (
            "a salt changed",
            |_, _, entries, _| {
                let WalkedBody::Here { salt, .. } = &mut entries[6].body else {
                    unreachable!()
                };
                salt[3] ^= 1;
            },
            Broken::Body(7),
        ),
        (
            "stored goes back",
            |_, heads, entries, _| {
                heads.clear();
                entries[4].stored = time(1);
                chain(entries, 4);
            },
            Broken::RecordOrder(5),
        ),
        (
            "the tail cut off below a head",
            |_, _, entries, _| entries.truncate(7),
            Broken::CutOff {
                head: 3,
                sequence: 8,
                reaches: 7,
            },
        ),
        (
            "a head removed",
            |_, heads, _, _| {
                heads.remove(1);
            },
            Broken::HeadMissing {
                expected: 2,
                found: 3,
            },
        ),
        (
            "the last head removed where the box says how many there are",
            |_, heads, _, trust| {
                heads.pop();
                trust.heads = Some(3);
            },
            Broken::HeadsEnd {
                expected: 3,
                found: 2,
            },
        ),
        (
            "a head changed",
            |_, heads, _, _| heads[1].sequence = 5,
            Broken::HeadSignature(2),
        ),
        (
            "a head signed with another key under the box's name",
            |_, heads, _, _| {
                heads[1].signature = key().sign(heads[1].text().as_bytes());
            },
            Broken::HeadSignature(2),
        ),
        (
            "a head signed anew with the box's key",
            |key, heads, entries, _| {
                let end = (5, entries[4].link, entries[4].stored);
                heads[1] = Head::sign(key, Some(&heads[0]), None, end, time(5));
            },
            Broken::HeadBefore(3),
        ),
        (
            "a head that signs no more",
            |key, heads, entries, _| {
                let end = (8, entries[7].link, entries[7].stored);
                heads.push(Head::sign(key, heads.last(), None, end, time(9)));
            },
            Broken::HeadOrder(4),
        ),
        (
            "the key taken away",
            |_, _, _, trust| trust.key = None,
            Broken::NoKey,
        ),
    ];
    for (name, damage, expected) in rows {
        let (key, mut heads, mut entries, mut trust) = whole();
        damage(&key, &mut heads, &mut entries, &mut trust);
        assert_eq!(judge(heads, &entries, &trust), Err(expected), "{name}");
    }
}

#[test]
fn another_key_is_found_by_its_name_and_by_the_fingerprint_that_was_kept() {
    let (box_key, mut heads_of_box, entries, mut trust) = whole();
    let forger = key();
    let end = (6, entries[5].link, entries[5].stored);
    heads_of_box[1] = Head::sign(&forger, Some(&heads_of_box[0]), None, end, time(6));
    let (found, expected) = (
        forger.public().fingerprint(),
        box_key.public().fingerprint(),
    );
    let by_name = Broken::HeadKey {
        head: 2,
        found,
        expected,
    };
    assert_eq!(judge(heads_of_box, &entries, &trust), Err(by_name));
    // All made anew: only what somebody kept shows it.
    let forged = heads(&forger, &entries, &[3, 6, 8]);
    trust.key = Some(forger.public());
    assert!(judge(forged.clone(), &entries, &trust).is_ok());
    trust.expected = Some(expected);
    let by_kept = Broken::OtherKey { found, expected };
    assert_eq!(judge(forged, &entries, &trust), Err(by_kept));
    let unsigned = judge(Vec::new(), &entries, &Trust { key: None, ..trust });
    assert_eq!(unsigned, Err(Broken::Unsigned(expected)));
}

#[test]
fn a_head_that_was_kept_must_be_there() {
    let (_, mut heads, entries, mut trust) = whole();
    let kept = heads[2].hash();
    trust.head = Some(kept);
    assert!(judge(heads.clone(), &entries, &trust).is_ok());
    heads.pop();
    let missing = judge(heads, &entries, &trust);
    assert_eq!(missing, Err(Broken::OtherHead(kept)));
}

proptest! {
    #[test]
    fn any_log_with_any_heads_is_whole_and_any_entry_taken_out_under_them_is_missed(
        count in 1_u64..30,
        places in proptest::collection::btree_set(1_u64..30, 0..6),
        out in 0_usize..30,
    ) {
        let key = key();
        let mut entries = log(count);
        let at: Vec<u64> = places.into_iter().filter(|at| *at <= count).collect();
        let heads = heads(&key, &entries, &at);
        let trust = Trust { key: Some(key.public()), ..Trust::default() };
        let report = judge(heads.clone(), &entries, &trust).unwrap();
        prop_assert_eq!(report.unsigned, count - at.last().copied().unwrap_or(0));
        let out = out % entries.len();
        entries.remove(out);
        let is_last = out == entries.len();
        let is_signed = at.last().is_some_and(|last| *last > out as u64);
        prop_assert_eq!(judge(heads, &entries, &trust).is_err(), is_signed || !is_last);
    }
}
