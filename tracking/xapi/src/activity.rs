//! Activities, their definitions and interactions (Data 2.4.4.1).

use std::collections::HashSet;

use crate::Extensions;
use crate::invalid::{Invalid, Path};
use crate::iri;
use crate::json::Json;
use crate::language::{LanguageMap, language_map};

const CLAUSE: &str = "Data 2.4.4.1";
const EXTENSIONS: &str = "Data 4.1";

/// Something with which an actor interacted.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its IRI.
    pub id: String,
    /// What the sender said about it.
    pub definition: Option<Definition>,
}

/// What a statement says about an Activity.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Definition {
    /// Name by language.
    pub name: LanguageMap,
    /// Description by language.
    pub description: LanguageMap,
    /// `type`, an IRI.
    pub kind: Option<String>,
    /// Where to read more.
    pub more_info: Option<String>,
    /// Present when the Activity is a question.
    pub interaction: Option<Interaction>,
    /// What others add.
    pub extensions: Extensions,
}

impl Definition {
    /// It as JSON, with nothing lost.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::{Map, Value, json};
        let mut map = Map::new();
        for (key, words) in [("name", &self.name), ("description", &self.description)] {
            if !words.is_empty() {
                map.insert(key.to_owned(), json!(words));
            }
        }
        for (key, iri) in [("type", &self.kind), ("moreInfo", &self.more_info)] {
            if let Some(iri) = iri {
                map.insert(key.to_owned(), json!(iri));
            }
        }
        if let Some(interaction) = &self.interaction {
            map.insert("interactionType".to_owned(), json!(interaction.kind.name()));
            if let Some(patterns) = &interaction.correct_responses {
                map.insert("correctResponsesPattern".to_owned(), json!(patterns));
            }
            for (list, components) in &interaction.components {
                let components: Vec<Value> = components.iter().map(Component::to_value).collect();
                map.insert((*list).to_owned(), Value::Array(components));
            }
        }
        if !self.extensions.is_empty() {
            map.insert("extensions".to_owned(), json!(self.extensions));
        }
        Value::Object(map)
    }
}

impl Component {
    fn to_value(&self) -> serde_json::Value {
        if self.description.is_empty() {
            serde_json::json!({ "id": self.id })
        } else {
            serde_json::json!({ "id": self.id, "description": self.description })
        }
    }
}

/// A question of the SCORM kinds.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Interaction {
    /// Which kind.
    pub kind: InteractionKind,
    /// Patterns of right answers; `None` when not given, which is not the same as empty.
    pub correct_responses: Option<Vec<String>>,
    /// The lists of components by their property: `choices`, `scale`, `source`, `target`, `steps`.
    pub components: Vec<(&'static str, Vec<Component>)>,
}

/// The kinds of [`Interaction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InteractionKind {
    /// `true-false`
    TrueFalse,
    /// `choice`
    Choice,
    /// `fill-in`
    FillIn,
    /// `long-fill-in`
    LongFillIn,
    /// `matching`
    Matching,
    /// `performance`
    Performance,
    /// `sequencing`
    Sequencing,
    /// `likert`
    Likert,
    /// `numeric`
    Numeric,
    /// `other`
    Other,
}

impl InteractionKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::TrueFalse,
        Self::Choice,
        Self::FillIn,
        Self::LongFillIn,
        Self::Matching,
        Self::Performance,
        Self::Sequencing,
        Self::Likert,
        Self::Numeric,
        Self::Other,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrueFalse => "true-false",
            Self::Choice => "choice",
            Self::FillIn => "fill-in",
            Self::LongFillIn => "long-fill-in",
            Self::Matching => "matching",
            Self::Performance => "performance",
            Self::Sequencing => "sequencing",
            Self::Likert => "likert",
            Self::Numeric => "numeric",
            Self::Other => "other",
        }
    }
}

/// One choice, step, source …
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Component {
    /// Its name in patterns; no two alike in a list.
    pub id: String,
    /// Text by language.
    pub description: LanguageMap,
}

pub(crate) fn activity(value: &Json<'_>, at: &Path<'_>) -> Result<Activity, Invalid> {
    let mut id = None;
    let mut about = None;
    for (key, value) in value.object(at, CLAUSE)? {
        let here = at.key(key);
        match key.as_ref() {
            "objectType" if value.as_str() == Some("Activity") => {}
            "objectType" => return Err(here.invalid(CLAUSE, "must be \"Activity\"")),
            "id" => id = Some(iri::iri(value, &here, CLAUSE)?),
            "definition" => about = Some(definition(value, &here)?),
            _ => return Err(here.unknown(CLAUSE)),
        }
    }
    Ok(Activity {
        id: id.ok_or_else(|| at.missing(CLAUSE, "id"))?,
        definition: about,
    })
}

pub(crate) fn extensions(value: &Json<'_>, at: &Path<'_>) -> Result<Extensions, Invalid> {
    let mut extensions = Extensions::new();
    for (key, value) in value.object(at, EXTENSIONS)? {
        iri::check(key, &at.key(key), EXTENSIONS)?;
        extensions.insert(key.to_string(), value.to_value());
    }
    Ok(extensions)
}

fn definition(value: &Json<'_>, at: &Path<'_>) -> Result<Definition, Invalid> {
    let mut about = Definition::default();
    let mut kind = None;
    let mut correct_responses = None;
    let mut lists = Vec::new();
    for (key, value) in value.object(at, CLAUSE)? {
        let here = at.key(key);
        match key.as_ref() {
            "name" => about.name = language_map(value, &here)?,
            "description" => about.description = language_map(value, &here)?,
            "type" => about.kind = Some(iri::iri(value, &here, CLAUSE)?),
            "moreInfo" => about.more_info = Some(iri::iri(value, &here, CLAUSE)?),
            "extensions" => about.extensions = extensions(value, &here)?,
            "interactionType" => kind = Some(interaction_kind(value, &here)?),
            "correctResponsesPattern" => {
                let mut patterns = Vec::new();
                for (index, pattern) in value.array(&here, CLAUSE)?.iter().enumerate() {
                    patterns.push(pattern.text(&here.index(index), CLAUSE)?.to_owned());
                }
                correct_responses = Some(patterns);
            }
            "choices" => lists.push(("choices", components(value, &here)?)),
            "scale" => lists.push(("scale", components(value, &here)?)),
            "source" => lists.push(("source", components(value, &here)?)),
            "target" => lists.push(("target", components(value, &here)?)),
            "steps" => lists.push(("steps", components(value, &here)?)),
            _ => return Err(here.unknown(CLAUSE)),
        }
    }
    match kind {
        Some(kind) => {
            about.interaction = Some(Interaction {
                kind,
                correct_responses,
                components: lists,
            });
        }
        None if correct_responses.is_some() || !lists.is_empty() => {
            return Err(at.missing(CLAUSE, "interactionType"));
        }
        None => {}
    }
    Ok(about)
}

fn interaction_kind(value: &Json<'_>, at: &Path<'_>) -> Result<InteractionKind, Invalid> {
    let name = value.text(at, CLAUSE)?;
    let found = InteractionKind::ALL.iter().find(|kind| kind.name() == name);
    found
        .copied()
        .ok_or_else(|| at.invalid(CLAUSE, "is no kind of interaction"))
}

fn components(value: &Json<'_>, at: &Path<'_>) -> Result<Vec<Component>, Invalid> {
    let mut list = Vec::new();
    let mut ids = HashSet::new();
    for (index, value) in value.array(at, CLAUSE)?.iter().enumerate() {
        let whole = at.index(index);
        let mut id = None;
        let mut description = LanguageMap::new();
        for (key, value) in value.object(&whole, CLAUSE)? {
            let here = whole.key(key);
            match key.as_ref() {
                "id" => id = Some(value.text(&here, CLAUSE)?.to_owned()),
                "description" => description = language_map(value, &here)?,
                _ => return Err(here.unknown(CLAUSE)),
            }
        }
        let id = id.ok_or_else(|| whole.missing(CLAUSE, "id"))?;
        if !ids.insert(id.clone()) {
            return Err(whole.invalid(CLAUSE, "has the id of another in the same list"));
        }
        list.push(Component { id, description });
    }
    Ok(list)
}
