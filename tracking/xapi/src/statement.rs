//! Statements and SubStatements (Data 2.4, 2.4.4.3). Built only by parsing, so one that exists is valid.

use jiff::Timestamp;
use uuid::Uuid;

use crate::activity::{Activity, activity};
use crate::actor::{self, Actor, Agent, Group, Ifi};
use crate::attachment::{Attachment, attachment};
use crate::context::{Context, context};
use crate::invalid::{Invalid, Path};
use crate::json::Json;
use crate::result::{Outcome, outcome};
use crate::timestamp::timestamp;
use crate::verb::{Verb, verb};
use crate::version::Version;
use crate::video::iri::verb::VOIDED;

const CLAUSE: &str = "Data 2.4";
const SUB: &str = "Data 2.4.4.3";
const REF: &str = "Data 2.4.4.3";
const AUTHORITY: &str = "Data 2.4.9";

/// A statement, as one reads it; what is served is made from the text that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its id; `None` only before it is accepted.
    pub id: Option<Uuid>,
    /// Who.
    pub actor: Actor,
    /// Did what.
    pub verb: Verb,
    /// With what.
    pub object: Object,
    /// How it went.
    pub result: Option<Outcome>,
    /// Where and with whom.
    pub context: Option<Context>,
    /// When it happened; set to `stored` on acceptance when the sender did not say.
    pub timestamp: Option<Timestamp>,
    /// When it was accepted; what a sender says is checked and replaced.
    pub stored: Option<Timestamp>,
    /// Who vouches for it; what a sender says is checked and replaced.
    pub authority: Option<Actor>,
    /// Which version of xAPI it calls itself.
    pub version: Option<String>,
    /// Files that belong to it.
    pub attachments: Vec<Attachment>,
}

/// With what it was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// An Activity.
    Activity(Activity),
    /// A person or system.
    Agent(Agent),
    /// Several.
    Group(Group),
    /// Another statement, by id.
    StatementRef(Uuid),
    /// A statement inside this one, that nobody vouches for.
    SubStatement(Box<SubStatement>),
}

/// A statement inside another.
#[derive(Debug, Clone, PartialEq)]
pub struct SubStatement {
    /// Who.
    pub actor: Actor,
    /// Did what.
    pub verb: Verb,
    /// With what; never a SubStatement.
    pub object: Object,
    /// How it went.
    pub result: Option<Outcome>,
    /// Where and with whom.
    pub context: Option<Context>,
    /// When; may lie ahead.
    pub timestamp: Option<Timestamp>,
    /// Files that belong to it.
    pub attachments: Vec<Attachment>,
}

impl Statement {
    /// The statement that this one voids (Data 2.3.2).
    pub fn voids(&self) -> Option<Uuid> {
        match self.object {
            Object::StatementRef(target) if self.verb.id == VOIDED => Some(target),
            _ => None,
        }
    }

    /// `object.id`, when the object is an Activity.
    pub fn activity_id(&self) -> Option<&str> {
        match &self.object {
            Object::Activity(activity) => Some(&activity.id),
            _ => None,
        }
    }

    /// `context.registration`.
    pub fn registration(&self) -> Option<Uuid> {
        self.context.as_ref()?.registration
    }

    /// `context.revision`: for our videos, the version.
    pub fn revision(&self) -> Option<&str> {
        self.context.as_ref()?.revision.as_deref()
    }

    /// The actor's own identifier.
    pub fn actor_ifi(&self) -> Option<&Ifi> {
        self.actor.ifi()
    }

    /// A result extension.
    pub fn result_extension(&self, iri: &str) -> Option<&serde_json::Value> {
        self.result.as_ref()?.extensions.get(iri)
    }

    /// A context extension.
    pub fn context_extension(&self, iri: &str) -> Option<&serde_json::Value> {
        self.context.as_ref()?.extensions.get(iri)
    }

    /// The files of the statement and of its SubStatement.
    pub fn all_attachments(&self) -> impl Iterator<Item = &Attachment> {
        let inner = match &self.object {
            Object::SubStatement(sub) => sub.attachments.as_slice(),
            _ => &[],
        };
        self.attachments.iter().chain(inner)
    }
}

/// What statements and SubStatements share.
struct Core {
    actor: Actor,
    verb: Verb,
    object: Object,
    result: Option<Outcome>,
    context: Option<Context>,
    timestamp: Option<Timestamp>,
    attachments: Vec<Attachment>,
}

pub(crate) fn statement(
    value: &Json<'_>,
    at: &Path<'_>,
    version: Version,
) -> Result<Statement, Invalid> {
    let (mut id, mut stored, mut authority, mut named) = (None, None, None, None);
    let core = core(value, at, version, CLAUSE, |key, value, here| {
        match key {
            "id" => id = Some(actor::uuid(value, here, "Data 2.4.1")?),
            "stored" => stored = Some(timestamp(value, here, version)?),
            "authority" => authority = Some(authority_of(value, here)?),
            "version" => {
                let text = value.text(here, "Data 2.4.10")?;
                if !version.admits(text) {
                    return Err(here.invalid(
                        "Data 2.4.10",
                        format!("{text:?} is no version that a request of {version} may carry"),
                    ));
                }
                named = Some(text.to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Statement {
        id,
        actor: core.actor,
        verb: core.verb,
        object: core.object,
        result: core.result,
        context: core.context,
        timestamp: core.timestamp,
        stored,
        authority,
        version: named,
        attachments: core.attachments,
    })
}

/// The id in a StatementRef (Data 2.4.4.3).
pub(crate) fn statement_ref(value: &Json<'_>, at: &Path<'_>) -> Result<Uuid, Invalid> {
    let (mut id, mut typed) = (None, false);
    for (key, value) in value.object(at, REF)? {
        let here = at.key(key);
        match key.as_ref() {
            "objectType" if value.as_str() == Some("StatementRef") => typed = true,
            "objectType" => return Err(here.invalid(REF, "must be \"StatementRef\"")),
            "id" => id = Some(actor::uuid(value, &here, REF)?),
            _ => return Err(here.unknown(REF)),
        }
    }
    if !typed {
        return Err(at.missing(REF, "objectType"));
    }
    id.ok_or_else(|| at.missing(REF, "id"))
}

fn core(
    value: &Json<'_>,
    at: &Path<'_>,
    version: Version,
    clause: &'static str,
    mut own: impl FnMut(&str, &Json<'_>, &Path<'_>) -> Result<bool, Invalid>,
) -> Result<Core, Invalid> {
    let (mut who, mut did, mut what) = (None, None, None);
    let (mut result, mut around, mut when) = (None, None, None);
    let mut attachments = Vec::new();
    for (key, value) in value.object(at, clause)? {
        let here = at.key(key);
        match key.as_ref() {
            "actor" => who = Some(actor::actor(value, &here)?),
            "verb" => did = Some(verb(value, &here)?),
            "object" => what = Some(object(value, &here, version, clause == SUB)?),
            "result" => result = Some(outcome(value, &here)?),
            "context" => around = Some(context(value, &here, version)?),
            "timestamp" => when = Some(timestamp(value, &here, version)?),
            "attachments" => {
                for (index, value) in value.array(&here, "Data 2.4.11")?.iter().enumerate() {
                    attachments.push(attachment(value, &here.index(index))?);
                }
            }
            // A SubStatement's own objectType was read by `object`.
            "objectType" if clause == SUB => {}
            _ if own(key, value, &here)? => {}
            _ => return Err(here.unknown(clause)),
        }
    }
    let core = Core {
        actor: who.ok_or_else(|| at.missing(clause, "actor"))?,
        verb: did.ok_or_else(|| at.missing(clause, "verb"))?,
        object: what.ok_or_else(|| at.missing(clause, "object"))?,
        result,
        context: around,
        timestamp: when,
        attachments,
    };
    if core.verb.id == VOIDED && !matches!(core.object, Object::StatementRef(_)) {
        return Err(at.key("object").invalid(
            "Data 2.3.2",
            "must be a StatementRef, because the verb is voided",
        ));
    }
    if let Some(context) = &core.context {
        let is_activity = matches!(core.object, Object::Activity(_));
        for (property, given) in [
            ("revision", &context.revision),
            ("platform", &context.platform),
        ] {
            if given.is_some() && !is_activity {
                return Err(at.key("context").key(property).invalid(
                    "Data 2.4.6",
                    "may be given only when the object is an Activity",
                ));
            }
        }
    }
    Ok(core)
}

fn object(
    value: &Json<'_>,
    at: &Path<'_>,
    version: Version,
    inside: bool,
) -> Result<Object, Invalid> {
    value.object(at, "Data 2.4.4")?;
    match value.get("objectType").map(Json::as_str) {
        None | Some(Some("Activity")) => activity(value, at).map(Object::Activity),
        Some(Some("Agent")) => actor::agent(value, at).map(Object::Agent),
        Some(Some("Group")) => actor::group(value, at).map(Object::Group),
        Some(Some("StatementRef")) => statement_ref(value, at).map(Object::StatementRef),
        Some(Some("SubStatement")) if inside => {
            Err(at.invalid(SUB, "a SubStatement may not hold another"))
        }
        Some(Some("SubStatement")) => {
            let core = core(value, at, version, SUB, |_, _, _| Ok(false))?;
            Ok(Object::SubStatement(Box::new(SubStatement {
                actor: core.actor,
                verb: core.verb,
                object: core.object,
                result: core.result,
                context: core.context,
                timestamp: core.timestamp,
                attachments: core.attachments,
            })))
        }
        Some(_) => Err(at.key("objectType").invalid(
            "Data 2.4.4",
            "must be Activity, Agent, Group, StatementRef or SubStatement",
        )),
    }
}

/// An Agent, or the pair of application and user that three-legged OAuth makes: an anonymous Group of two.
fn authority_of(value: &Json<'_>, at: &Path<'_>) -> Result<Actor, Invalid> {
    let authority = actor::actor(value, at)?;
    if let Actor::Group(group) = &authority
        && (group.ifi.is_some() || group.members.len() != 2)
    {
        return Err(at.invalid(
            AUTHORITY,
            "as a Group must be anonymous and have two members",
        ));
    }
    Ok(authority)
}
