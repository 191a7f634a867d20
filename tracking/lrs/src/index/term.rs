//! What a statement can be found by, and the hashes under which the index keeps it.
//!
//! Hashes may collide, so an index only proposes; the query looks at the statement itself before it serves it.

use std::borrow::Cow;

use lectern_xapi::{Activity, Actor, Context, Ifi, Object, Statement};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

/// What one can filter by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term<'s> {
    /// Actor or object, or a member of either, by [`Ifi::key`].
    Agent(Cow<'s, str>),
    /// Anywhere else: authority, instructor, team, context Agents and Groups, inside a SubStatement.
    RelatedAgent(Cow<'s, str>),
    Verb(&'s str),
    /// The object.
    Activity(&'s str),
    /// Anywhere else: context Activities, inside a SubStatement.
    RelatedActivity(&'s str),
    Registration(Uuid),
    /// Who wrote it.
    Credential(&'s str),
}

impl Term<'_> {
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

/// Everything that a statement itself can be found by, but not by its credential; some perhaps more than once.
pub(crate) fn terms(statement: &Statement) -> Vec<Term<'_>> {
    let mut terms = Vec::with_capacity(16);
    terms.push(Term::Verb(&statement.verb.id));
    terms.extend(statement.actor.ifis().map(agent));
    match &statement.object {
        Object::SubStatement(sub) => {
            terms.extend(sub.actor.ifis().map(related_agent));
            match &sub.object {
                Object::Activity(found) => terms.push(Term::RelatedActivity(&found.id)),
                object => terms.extend(people(object).map(related_agent)),
            }
            if let Some(context) = &sub.context {
                related(context, &mut terms);
            }
        }
        Object::Activity(found) => terms.push(Term::Activity(&found.id)),
        object => terms.extend(people(object).map(agent)),
    }
    if let Some(context) = &statement.context {
        terms.extend(context.registration.map(Term::Registration));
        related(context, &mut terms);
    }
    if let Some(authority) = &statement.authority {
        terms.extend(authority.ifis().map(related_agent));
    }
    terms
}

fn agent(ifi: &Ifi) -> Term<'_> {
    Term::Agent(Cow::Owned(ifi.key()))
}

fn related_agent(ifi: &Ifi) -> Term<'_> {
    Term::RelatedAgent(Cow::Owned(ifi.key()))
}

/// Whom an object that is an Agent or a Group stands for.
fn people(object: &Object) -> impl Iterator<Item = &Ifi> {
    let (own, members) = match object {
        Object::Agent(found) => (Some(&found.ifi), [].as_slice()),
        Object::Group(group) => (group.ifi.as_ref(), group.members.as_slice()),
        Object::Activity(_) | Object::StatementRef(_) | Object::SubStatement(_) => {
            (None, [].as_slice())
        }
    };
    own.into_iter()
        .chain(members.iter().map(|member| &member.ifi))
}

fn related<'s>(context: &'s Context, terms: &mut Vec<Term<'s>>) {
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
    terms.extend(actors.chain(agents).chain(groups).map(related_agent));
    terms.extend(
        context
            .activities
            .all()
            .map(|activity: &Activity| Term::RelatedActivity(&activity.id)),
    );
}

/// The statement that this one's object refers to.
pub(crate) fn reference(statement: &Statement) -> Option<Uuid> {
    match statement.object {
        Object::StatementRef(target) => Some(target),
        _ => None,
    }
}
