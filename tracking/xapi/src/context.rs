//! Contexts (Data 2.4.6), with 2.0's contextAgents and contextGroups (2.0 4.2.2.5).

use uuid::Uuid;

use crate::Extensions;
use crate::activity::{Activity, activity, extensions};
use crate::actor::{self, Actor, Agent, Group};
use crate::invalid::{Invalid, Path};
use crate::iri;
use crate::json::{Json, Kind};
use crate::language::language_tag;
use crate::statement::statement_ref;
use crate::version::Version;

const CLAUSE: &str = "Data 2.4.6";
const ACTIVITIES: &str = "Data 2.4.6.2";
const AGENTS: &str = "2.0 4.2.2.5";

/// Where and with whom it happened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    /// Groups the statements of one attempt.
    pub registration: Option<Uuid>,
    /// Who taught.
    pub instructor: Option<Actor>,
    /// Who worked together.
    pub team: Option<Actor>,
    /// Activities around this one.
    pub activities: ContextActivities,
    /// Revision of the object, which then is an Activity.
    pub revision: Option<String>,
    /// Platform, when the object is an Activity.
    pub platform: Option<String>,
    /// Language of the experience.
    pub language: Option<String>,
    /// A statement that is the context of this one.
    pub statement: Option<Uuid>,
    /// 2.0: people with a part in it.
    pub agents: Vec<ContextAgent>,
    /// 2.0: groups with a part in it.
    pub groups: Vec<ContextGroup>,
    /// What others add.
    pub extensions: Extensions,
}

/// Activities around the object's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContextActivities {
    /// Direct parents.
    pub parent: Vec<Activity>,
    /// Further up.
    pub grouping: Vec<Activity>,
    /// Tags and profiles.
    pub category: Vec<Activity>,
    /// Anything else.
    pub other: Vec<Activity>,
}

impl ContextActivities {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Activity> {
        [&self.parent, &self.grouping, &self.category, &self.other]
            .into_iter()
            .flatten()
    }
}

/// An Agent with a part in the experience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextAgent {
    /// Who.
    pub agent: Agent,
    /// Which parts, as IRIs.
    pub relevant_types: Vec<String>,
}

/// A Group with a part in the experience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextGroup {
    /// Who.
    pub group: Group,
    /// Which parts, as IRIs.
    pub relevant_types: Vec<String>,
}

pub(crate) fn context(
    value: &Json<'_>,
    at: &Path<'_>,
    version: Version,
) -> Result<Context, Invalid> {
    let mut context = Context::default();
    for (key, value) in value.object(at, CLAUSE)? {
        let here = at.key(key);
        match key.as_ref() {
            "registration" => context.registration = Some(actor::uuid(value, &here, CLAUSE)?),
            "instructor" => context.instructor = Some(actor::actor(value, &here)?),
            "team" => context.team = Some(Actor::Group(actor::group(value, &here)?)),
            "revision" => context.revision = Some(value.text(&here, CLAUSE)?.to_owned()),
            "platform" => context.platform = Some(value.text(&here, CLAUSE)?.to_owned()),
            "language" => context.language = Some(language_tag(value, &here, CLAUSE)?),
            "statement" => context.statement = Some(statement_ref(value, &here)?),
            "contextActivities" => context.activities = context_activities(value, &here)?,
            "extensions" => context.extensions = extensions(value, &here)?,
            "contextAgents" if version == Version::V2_0_0 => {
                for (index, value) in value.array(&here, AGENTS)?.iter().enumerate() {
                    context
                        .agents
                        .push(context_agent(value, &here.index(index))?);
                }
            }
            "contextGroups" if version == Version::V2_0_0 => {
                for (index, value) in value.array(&here, AGENTS)?.iter().enumerate() {
                    context
                        .groups
                        .push(context_group(value, &here.index(index))?);
                }
            }
            _ => return Err(here.unknown(CLAUSE)),
        }
    }
    Ok(context)
}

fn context_activities(value: &Json<'_>, at: &Path<'_>) -> Result<ContextActivities, Invalid> {
    let mut activities = ContextActivities::default();
    for (key, value) in value.object(at, ACTIVITIES)? {
        let here = at.key(key);
        let list = match key.as_ref() {
            "parent" => &mut activities.parent,
            "grouping" => &mut activities.grouping,
            "category" => &mut activities.category,
            "other" => &mut activities.other,
            _ => return Err(here.unknown(ACTIVITIES)),
        };
        // One Activity without its array is what 0.95 sent; it is taken, and given back as an array.
        if let Kind::Array(items) = &value.kind {
            for (index, item) in items.iter().enumerate() {
                list.push(activity(item, &here.index(index))?);
            }
        } else {
            list.push(activity(value, &here)?);
        }
    }
    Ok(activities)
}

fn context_agent(value: &Json<'_>, at: &Path<'_>) -> Result<ContextAgent, Invalid> {
    let part = part(value, at, "contextAgent", "agent")?;
    Ok(ContextAgent {
        agent: actor::agent(part.who, &at.key("agent"))?,
        relevant_types: part.relevant_types,
    })
}

fn context_group(value: &Json<'_>, at: &Path<'_>) -> Result<ContextGroup, Invalid> {
    let part = part(value, at, "contextGroup", "group")?;
    Ok(ContextGroup {
        group: actor::group(part.who, &at.key("group"))?,
        relevant_types: part.relevant_types,
    })
}

struct Part<'j, 'a> {
    who: &'j Json<'a>,
    relevant_types: Vec<String>,
}

fn part<'j, 'a>(
    value: &'j Json<'a>,
    at: &Path<'_>,
    object_type: &str,
    property: &str,
) -> Result<Part<'j, 'a>, Invalid> {
    let (mut who, mut typed, mut relevant_types) = (None, false, Vec::new());
    for (key, value) in value.object(at, AGENTS)? {
        let here = at.key(key);
        match key.as_ref() {
            "objectType" if value.as_str() == Some(object_type) => typed = true,
            "objectType" => {
                return Err(here.invalid(AGENTS, format!("must be {object_type:?}")));
            }
            "relevantTypes" => {
                let items = value.array(&here, AGENTS)?;
                if items.is_empty() {
                    return Err(here.invalid(AGENTS, "must not be empty when it is given"));
                }
                for (index, item) in items.iter().enumerate() {
                    relevant_types.push(iri::iri(item, &here.index(index), AGENTS)?);
                }
            }
            key if key == property => who = Some(value),
            _ => return Err(here.unknown(AGENTS)),
        }
    }
    if !typed {
        return Err(at.missing(AGENTS, "objectType"));
    }
    Ok(Part {
        who: who.ok_or_else(|| at.missing(AGENTS, property))?,
        relevant_types,
    })
}
