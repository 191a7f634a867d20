//! What a statement can be found by, and the hashes under which the index keeps it.
//!
//! Hashes may collide, so an index only proposes; the query looks at the statement itself before it serves it.

use std::collections::BTreeSet;

use lectern_xapi::{Activity, Actor, Context, Ifi, Object, Statement};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

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
    /// Its hash in the index, [`HASH_BITS`] long.
    pub fn hash(&self) -> u64 {
        match self {
            Self::Agent(key) => tagged(b'a', key.as_bytes()),
            Self::RelatedAgent(key) => tagged(b'b', key.as_bytes()),
            Self::Verb(id) => tagged(b'v', id.as_bytes()),
            Self::Activity(id) => tagged(b'o', id.as_bytes()),
            Self::RelatedActivity(id) => tagged(b'p', id.as_bytes()),
            Self::Registration(id) => tagged(b'r', id.as_bytes()),
            Self::Credential(id) => tagged(b'c', id.as_bytes()),
        }
    }
}

/// So many bits of a hash are kept: more would be longer, fewer would propose too much.
pub(crate) const HASH_BITS: u32 = 48;

/// The hash of a statement's id in the index.
pub(crate) fn id_hash(id: Uuid) -> u64 {
    xxh3_64(id.as_bytes()) >> (64 - HASH_BITS)
}

fn tagged(tag: u8, bytes: &[u8]) -> u64 {
    let mut hash = xxhash_rust::xxh3::Xxh3Default::new();
    hash.update(&[tag]);
    hash.update(bytes);
    hash.digest() >> (64 - HASH_BITS)
}

/// Everything that a statement itself can be found by, but not by its credential.
pub(crate) fn terms(statement: &Statement) -> BTreeSet<Term> {
    let mut terms = BTreeSet::new();
    terms.insert(Term::Verb(statement.verb.id.clone()));
    for ifi in statement.actor.ifis() {
        terms.insert(Term::Agent(ifi.key()));
    }
    of_object(&statement.object, Term::Activity, Term::Agent, &mut terms);
    if let Object::SubStatement(sub) = &statement.object {
        terms.extend(sub.actor.ifis().map(|ifi| Term::RelatedAgent(ifi.key())));
        of_object(
            &sub.object,
            Term::RelatedActivity,
            Term::RelatedAgent,
            &mut terms,
        );
        if let Some(context) = &sub.context {
            related(context, &mut terms);
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

/// What an object that is an Activity, an Agent or a Group is found by.
fn of_object(
    object: &Object,
    activity: fn(String) -> Term,
    agent: fn(String) -> Term,
    terms: &mut BTreeSet<Term>,
) {
    match object {
        Object::Activity(found) => {
            terms.insert(activity(found.id.clone()));
        }
        Object::Agent(found) => {
            terms.insert(agent(found.ifi.key()));
        }
        Object::Group(group) => {
            let members = group.members.iter().map(|member| &member.ifi);
            let all = group.ifi.iter().chain(members);
            terms.extend(all.map(|ifi| agent(ifi.key())));
        }
        Object::StatementRef(_) | Object::SubStatement(_) => {}
    }
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
