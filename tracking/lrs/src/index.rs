//! The index fold: which statements may match a filter of `GET /statements`, who refers to whom, what is voided, what
//! Activities are, by which names Agents go.
//!
//! A posting is (hash of what is filtered by, sequence) → nothing: sixteen bytes. Hashes may collide, so an index only
//! proposes; the query looks at the statement itself before it serves it. Filters reach through StatementRefs (Comm
//! 2.1.3), so a statement also gets the postings of what it refers to, in whichever order the two arrive.

use std::collections::BTreeSet;

use lectern_store::{Error, Table, Tx};
use lectern_xapi::{Activity, Actor, Context, Ifi, Object, Statement};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::body::Read;
use crate::definitions;
use crate::entry::{Entry, IDS};
use crate::fold::Fold;

/// (What, sequence number).
pub(crate) const POSTINGS: Table<(u64, u64), ()> = Table::new("lrs.postings");
/// (Id referred to by an object, sequence number of the referrer).
pub(crate) const REFERRERS: Table<(Uuid, u64), ()> = Table::new("lrs.referrers");
/// Id of a statement that is to be taken back, arrived or not, to the sequence number of the first voiding one.
pub(crate) const VOIDED: Table<Uuid, u64> = Table::new("lrs.voided");

/// How far a chain of StatementRefs is followed.
pub(crate) const MAX_REFERENCES: usize = 32;

/// What one can filter by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// Actor or object, or a member of either.
    Agent(String),
    /// Anywhere else: authority, instructor, team, context Agents and Groups, inside a SubStatement.
    RelatedAgent(String),
    Verb(String),
    /// The object.
    Activity(String),
    /// Anywhere else: context Activities, inside a SubStatement.
    RelatedActivity(String),
    Registration(Uuid),
    /// Who wrote it.
    Credential(String),
}

impl Term {
    pub fn hash(&self) -> u64 {
        let mut hash = Sha256::new();
        match self {
            Self::Agent(key) => hash.update([&b"a"[..], key.as_bytes()].concat()),
            Self::RelatedAgent(key) => hash.update([&b"b"[..], key.as_bytes()].concat()),
            Self::Verb(id) => hash.update([&b"v"[..], id.as_bytes()].concat()),
            Self::Activity(id) => hash.update([&b"o"[..], id.as_bytes()].concat()),
            Self::RelatedActivity(id) => hash.update([&b"p"[..], id.as_bytes()].concat()),
            Self::Registration(id) => hash.update([&b"r"[..], id.as_bytes()].concat()),
            Self::Credential(id) => hash.update([&b"c"[..], id.as_bytes()].concat()),
        }
        let hash: [u8; 32] = hash.finalize().into();
        hash.first_chunk()
            .map_or(0, |head| u64::from_be_bytes(*head))
    }
}

/// Everything that a statement itself can be found by, but not by its credential.
pub(crate) fn terms(statement: &Statement) -> BTreeSet<Term> {
    let mut terms = BTreeSet::new();
    terms.insert(Term::Verb(statement.verb.id.clone()));
    for ifi in statement.actor.ifis() {
        terms.insert(Term::Agent(ifi.key()));
    }
    match &statement.object {
        Object::Activity(activity) => {
            terms.insert(Term::Activity(activity.id.clone()));
        }
        Object::Agent(agent) => {
            terms.insert(Term::Agent(agent.ifi.key()));
        }
        Object::Group(group) => {
            let members = group.members.iter().map(|agent| &agent.ifi);
            terms.extend(
                group
                    .ifi
                    .iter()
                    .chain(members)
                    .map(|ifi| Term::Agent(ifi.key())),
            );
        }
        Object::StatementRef(_) => {}
        Object::SubStatement(sub) => {
            terms.extend(sub.actor.ifis().map(|ifi| Term::RelatedAgent(ifi.key())));
            match &sub.object {
                Object::Activity(activity) => {
                    terms.insert(Term::RelatedActivity(activity.id.clone()));
                }
                Object::Agent(agent) => {
                    terms.insert(Term::RelatedAgent(agent.ifi.key()));
                }
                Object::Group(group) => {
                    let members = group.members.iter().map(|agent| &agent.ifi);
                    terms.extend(
                        group
                            .ifi
                            .iter()
                            .chain(members)
                            .map(|ifi| Term::RelatedAgent(ifi.key())),
                    );
                }
                Object::StatementRef(_) | Object::SubStatement(_) => {}
            }
            if let Some(context) = &sub.context {
                related(context, &mut terms);
            }
        }
    }
    if let Some(context) = &statement.context {
        terms.extend(context.registration.map(Term::Registration));
        related(context, &mut terms);
    }
    if let Some(authority) = &statement.authority {
        terms.extend(authority.ifis().map(|ifi| Term::RelatedAgent(ifi.key())));
    }
    terms
}

fn related(context: &Context, terms: &mut BTreeSet<Term>) {
    let actors = context
        .instructor
        .iter()
        .chain(&context.team)
        .flat_map(Actor::ifis);
    let agents = context.agents.iter().map(|part| &part.agent.ifi);
    let groups = context.groups.iter().flat_map(|part| {
        part.group
            .ifi
            .iter()
            .chain(part.group.members.iter().map(|agent| &agent.ifi))
    });
    terms.extend(
        actors
            .chain(agents)
            .chain(groups)
            .map(|ifi: &Ifi| Term::RelatedAgent(ifi.key())),
    );
    terms.extend(
        context
            .activities
            .all()
            .map(|activity: &Activity| Term::RelatedActivity(activity.id.clone())),
    );
}

/// The statement that this one's object refers to.
pub(crate) fn reference(statement: &Statement) -> Option<Uuid> {
    match statement.object {
        Object::StatementRef(target) => Some(target),
        _ => None,
    }
}

/// The fold.
pub(crate) struct Index;

impl Fold for Index {
    fn name(&self) -> &'static str {
        "lrs.index.1"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        let mut found_by = terms(statement);
        let by_credential = Term::Credential(entry.credential.clone()).hash();
        tx.insert(&POSTINGS, &(by_credential, entry.sequence), &())?;
        if let Some(target) = reference(statement) {
            tx.insert(&REFERRERS, &(target, entry.sequence), &())?;
            if statement.voids().is_some() && !tx.contains(&VOIDED, &target)? {
                tx.insert(&VOIDED, &target, &entry.sequence)?;
            }
            found_by.extend(inherited(tx, target, entry.sequence)?);
        }
        let hashes: BTreeSet<u64> = found_by.iter().map(Term::hash).collect();
        post(tx, &hashes, entry.sequence)?;
        pass_on(tx, entry, &hashes)?;
        definitions::take_in(tx, entry, statement)
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.clear(&POSTINGS)?;
        tx.clear(&REFERRERS)?;
        tx.clear(&VOIDED)?;
        definitions::clear(tx)
    }
}

fn post(tx: &Tx<'_>, hashes: &BTreeSet<u64>, sequence: u64) -> Result<(), Error> {
    for hash in hashes {
        tx.insert(&POSTINGS, &(*hash, sequence), &())?;
    }
    Ok(())
}

/// What a chain of references, beginning with `target`, can be found by. Only what lies before `sequence` in the log:
/// what comes later passes its terms on itself, so a rebuilt index is the same to the byte.
fn inherited(tx: &Tx<'_>, target: Uuid, sequence: u64) -> Result<BTreeSet<Term>, Error> {
    let mut found_by = BTreeSet::new();
    let mut next = Some(target);
    for _ in 0..MAX_REFERENCES {
        let Some(id) = next.take() else { break };
        let Some(earlier) = tx.get(&IDS, &id)?.filter(|earlier| *earlier < sequence) else {
            break;
        };
        let Some(statement) = Read::statement(tx, earlier)? else {
            break;
        };
        found_by.extend(terms(&statement));
        next = reference(&statement);
    }
    Ok(found_by)
}

/// Gives the postings of a new statement to those that referred to it before it came, and to those that refer to them.
fn pass_on(tx: &Tx<'_>, entry: &Entry, hashes: &BTreeSet<u64>) -> Result<(), Error> {
    let mut ids = vec![entry.id];
    let mut seen = BTreeSet::from([entry.sequence]);
    for _ in 0..MAX_REFERENCES {
        let mut above = Vec::new();
        for id in ids {
            for row in tx.prefix(&REFERRERS, &id)? {
                let ((_, referrer), ()) = row?;
                if referrer < entry.sequence && seen.insert(referrer) {
                    above.push(referrer);
                }
            }
        }
        if above.is_empty() {
            break;
        }
        ids = Vec::with_capacity(above.len());
        for referrer in above {
            post(tx, hashes, referrer)?;
            ids.extend(tx.entry(referrer)?.map(|entry| entry.id));
        }
    }
    Ok(())
}
