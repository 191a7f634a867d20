//! Attachments: bytes by their SHA-2, each kept once however many statements hold it (Data 2.4.11; Comm 1.5.2).

use std::collections::{BTreeMap, BTreeSet};

use lectern_store::wire::{Reader, Writer};
use lectern_store::{Corrupt, Error as StoreError, Record, Snapshot, Table, Tx};
use lectern_xapi::{Invalid, Parsed, SIGNATURE_USAGE, Statement, check_signature, multipart};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::entry::Entry;
use crate::erasure::Erased;
use crate::error::Error;
use crate::fold::Fold;

/// Whether these bytes have that hash.
pub(crate) fn is_sha2_of(sha2: &str, bytes: &[u8]) -> bool {
    sha2_of(bytes, sha2.len()).as_deref() == Some(sha2)
}

/// Hex SHA-2 in lower case to bytes.
const ATTACHMENTS: Table<String, Kept> = Table::new("lrs.attachments");
const CLAUSE: &str = "Data 2.4.11";
const MULTIPART: &str = "Comm 1.5.2";

/// The bytes of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentBytes {
    /// Hex SHA-2, in lower case.
    pub sha2: String,
    /// Media type, as the part or the statement said.
    pub content_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Kept {
    content_type: String,
    bytes: Vec<u8>,
}

/// Splits a `multipart/mixed` body into the JSON and the attachments, each checked against its hash.
pub(crate) fn split(
    body: &[u8],
    boundary: &str,
) -> Result<(Vec<u8>, Vec<AttachmentBytes>), Invalid> {
    let refuse = |message: &str| Invalid {
        path: "body".to_owned(),
        clause: MULTIPART,
        message: message.to_owned(),
    };
    let mut parts = multipart::read(body, boundary)?.into_iter();
    let first = parts
        .next()
        .ok_or_else(|| refuse("has no part with the statements"))?;
    let kind = first.header("content-type").unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(refuse("must begin with a part of application/json"));
    }
    let mut attachments = Vec::new();
    for part in parts {
        let sha2 = part
            .header("x-experience-api-hash")
            .ok_or_else(|| refuse("has a part without X-Experience-API-Hash"))?
            .to_ascii_lowercase();
        if !part
            .header("content-transfer-encoding")
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("binary"))
        {
            return Err(refuse(
                "has a part without Content-Transfer-Encoding: binary",
            ));
        }
        if sha2_of(part.bytes, sha2.len()) != Some(sha2.clone()) {
            return Err(refuse(
                "has a part whose bytes do not have its X-Experience-API-Hash",
            ));
        }
        attachments.push(AttachmentBytes {
            sha2,
            content_type: part
                .header("content-type")
                .unwrap_or("application/octet-stream")
                .to_owned(),
            bytes: part.bytes.to_vec(),
        });
    }
    Ok((first.bytes.to_vec(), attachments))
}

fn sha2_of(bytes: &[u8], hex_digits: usize) -> Option<String> {
    Some(match hex_digits {
        56 => hex::encode(Sha224::digest(bytes)),
        64 => hex::encode(Sha256::digest(bytes)),
        96 => hex::encode(Sha384::digest(bytes)),
        128 => hex::encode(Sha512::digest(bytes)),
        _ => return None,
    })
}

/// Every attachment has its bytes here or elsewhere, every signature is one, and no bytes came for nothing.
pub(crate) fn match_up(parsed: &[Parsed], came: &[AttachmentBytes]) -> Result<(), Error> {
    let mut wanted = BTreeSet::new();
    for one in parsed {
        for attachment in one.statement.all_attachments() {
            let here = came.iter().find(|bytes| bytes.sha2 == attachment.sha2);
            match here {
                Some(bytes) if attachment.usage_type == SIGNATURE_USAGE => {
                    check_signature(attachment, &bytes.bytes, &one.raw)?;
                }
                None if attachment.file_url.is_none() => {
                    return Err(Error::parameter(
                        "$.attachments",
                        CLAUSE,
                        format!(
                            "the attachment {} has no fileUrl, so its bytes must come in a part of multipart/mixed",
                            attachment.sha2
                        ),
                    ));
                }
                Some(_) | None => {}
            }
            wanted.insert(attachment.sha2.as_str());
        }
    }
    match came
        .iter()
        .find(|bytes| !wanted.contains(bytes.sha2.as_str()))
    {
        None => Ok(()),
        Some(bytes) => Err(Error::parameter(
            "body",
            MULTIPART,
            format!("no statement names the part {}", bytes.sha2),
        )),
    }
}

/// Adds what a statement names and is kept here already.
pub(crate) fn fill_up(
    snapshot: &Snapshot,
    one: &Parsed,
    came: &mut Vec<AttachmentBytes>,
) -> Result<(), StoreError> {
    for attachment in one.statement.all_attachments() {
        let has_come = came.iter().any(|bytes| bytes.sha2 == attachment.sha2);
        if !has_come && let Some(kept) = snapshot.get(&ATTACHMENTS, &attachment.sha2)? {
            came.push(AttachmentBytes {
                sha2: attachment.sha2.clone(),
                content_type: kept.content_type,
                bytes: kept.bytes,
            });
        }
    }
    Ok(())
}

/// Keeps what is not kept yet.
pub(crate) fn keep(tx: &Tx<'_>, came: &[AttachmentBytes]) -> Result<(), StoreError> {
    for attachment in came {
        if !tx.contains(&ATTACHMENTS, &attachment.sha2)? {
            let kept = Kept {
                content_type: attachment.content_type.clone(),
                bytes: attachment.bytes.clone(),
            };
            tx.insert(&ATTACHMENTS, &attachment.sha2, &kept)?;
        }
    }
    Ok(())
}

/// Which statements hold an attachment, so that one that no statement holds any more goes with the last. A fold.
pub(crate) struct Held;

/// (Hex SHA-2, sequence number).
const HELD: Table<(String, u64), ()> = Table::new("lrs.attachments.held");
/// Attachments that an erased statement held, until it was looked whether another does. No part of the fold.
const LOOSE: Table<String, ()> = Table::new("lrs.attachments.loose");

impl Fold for Held {
    fn name(&self) -> &'static str {
        "lrs.attachments.1"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), StoreError> {
        for attachment in statement.all_attachments() {
            tx.insert(&HELD, &(attachment.sha2.clone(), entry.sequence), &())?;
        }
        Ok(())
    }

    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), StoreError> {
        for (entry, statement) in erased.statements() {
            for attachment in statement.all_attachments() {
                tx.remove(&HELD, &(attachment.sha2.clone(), entry.sequence))?;
                tx.insert(&LOOSE, &attachment.sha2, &())?;
            }
        }
        Ok(())
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        tx.clear(&HELD)
    }
}

/// Removes those that no statement holds any more; how many. Everything that was stored must be in the tables, and
/// nobody may be between keeping bytes and storing the statement that holds them.
pub(crate) fn remove_loose(tx: &Tx<'_>) -> Result<u64, StoreError> {
    let loose = tx.range(&LOOSE, ..)?;
    let loose: Vec<String> = loose
        .map(|row| row.map(|(sha2, ())| sha2))
        .collect::<Result<_, _>>()?;
    let mut removed = 0;
    for sha2 in loose {
        if tx.prefix(&HELD, &sha2)?.next().is_none() && tx.remove(&ATTACHMENTS, &sha2)? {
            removed += 1;
        }
        tx.remove(&LOOSE, &sha2)?;
    }
    Ok(removed)
}

/// The attachments of an answer, each once.
#[derive(Default)]
pub(crate) struct Gathered {
    found: BTreeMap<String, AttachmentBytes>,
    bytes: usize,
}

impl Gathered {
    /// Adds those of a statement that are kept here.
    pub fn add(&mut self, snapshot: &Snapshot, statement: &Statement) -> Result<(), StoreError> {
        for attachment in statement.all_attachments() {
            if self.found.contains_key(&attachment.sha2) {
                continue;
            }
            if let Some(kept) = snapshot.get(&ATTACHMENTS, &attachment.sha2)? {
                self.bytes += kept.bytes.len();
                let found = AttachmentBytes {
                    sha2: attachment.sha2.clone(),
                    content_type: kept.content_type,
                    bytes: kept.bytes,
                };
                self.found.insert(attachment.sha2.clone(), found);
            }
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn into_vec(self) -> Vec<AttachmentBytes> {
        self.found.into_values().collect()
    }
}

/// The attachments that the statements of an answer name, each once, before they are read.
#[derive(Default)]
pub(crate) struct Named {
    shas: BTreeSet<String>,
    bytes: usize,
}

impl Named {
    pub fn add(&mut self, statement: &Statement) {
        for attachment in statement.all_attachments() {
            if self.shas.insert(attachment.sha2.clone()) {
                let length = usize::try_from(attachment.length).unwrap_or(usize::MAX);
                self.bytes = self.bytes.saturating_add(length);
            }
        }
    }

    /// As the statements say.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Leaves out those that are not wanted, by their SHA-2.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&str) -> bool) {
        self.shas.retain(|sha2| is_wanted(sha2));
    }

    /// Those that are kept here.
    pub fn read<'s>(
        &'s self,
        snapshot: &'s Snapshot,
    ) -> impl Iterator<Item = Result<AttachmentBytes, Error>> + use<'s> {
        self.shas.iter().filter_map(|sha2| {
            let kept = snapshot.get(&ATTACHMENTS, sha2).transpose()?;
            Some(kept.map_err(Error::from).map(|kept| AttachmentBytes {
                sha2: sha2.clone(),
                content_type: kept.content_type,
                bytes: kept.bytes,
            }))
        })
    }
}

/// What separates the parts of a body; nobody can have put it into one.
pub(crate) fn new_boundary() -> String {
    format!("lectern-{}", uuid::Uuid::new_v4().simple())
}

/// A body of `multipart/mixed` and its `Content-Type`.
pub fn join(json: &[u8], attachments: &[AttachmentBytes]) -> (String, Vec<u8>) {
    let boundary = new_boundary();
    let mut body = Vec::new();
    multipart::write(
        &mut body,
        &boundary,
        &[("Content-Type", "application/json")],
        json,
    );
    for attachment in attachments {
        write_part(&mut body, &boundary, attachment);
    }
    multipart::end(&mut body, &boundary);
    (format!("multipart/mixed; boundary={boundary}"), body)
}

/// Writes the part of one attachment.
pub(crate) fn write_part(out: &mut Vec<u8>, boundary: &str, attachment: &AttachmentBytes) {
    let headers = [
        ("Content-Type", attachment.content_type.as_str()),
        ("Content-Transfer-Encoding", "binary"),
        ("X-Experience-API-Hash", attachment.sha2.as_str()),
    ];
    multipart::write(out, boundary, &headers, &attachment.bytes);
}

impl Record for Kept {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.text(&self.content_type);
        out.bytes(&self.bytes);
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut from = Reader::new(bytes)?;
        Ok(Self {
            content_type: from.text()?.to_owned(),
            bytes: from.rest().to_vec(),
        })
    }
}
