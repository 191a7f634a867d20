//! Agents and Groups (Data 2.4.2) and what identifies them (Data 2.4.2.3).

use uuid::Uuid;

use crate::invalid::{Invalid, Path};
use crate::iri;
use crate::json::Json;

const AGENT: &str = "Data 2.4.2.1";
const GROUP: &str = "Data 2.4.2.2";
const IFI: &str = "Data 2.4.2.3";
const ACCOUNT: &str = "Data 2.4.2.4";

/// An inverse functional identifier: the one thing by which an Agent or Group is known and compared.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Ifi {
    /// `mailto:` IRI.
    Mbox(String),
    /// Hex SHA-1 of a `mailto:` IRI, in lower case.
    MboxSha1(String),
    /// An OpenID URI.
    OpenId(String),
    /// An account on some system.
    Account {
        /// The system.
        home_page: String,
        /// The name there.
        name: String,
    },
}

impl Ifi {
    /// An account, the form that the box gives its own people.
    pub fn account(home_page: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Account {
            home_page: home_page.into(),
            name: name.into(),
        }
    }

    /// One text for one identity, for keys: equal exactly when the identifiers are. The domain of a mailbox is
    /// compared without case (Data 2.3.1), so it is lowered here.
    pub fn key(&self) -> String {
        match self {
            Self::Mbox(mbox) => match mbox.rsplit_once('@') {
                Some((local, domain)) => format!("mbox {local}@{}", domain.to_ascii_lowercase()),
                None => format!("mbox {mbox}"),
            },
            Self::MboxSha1(sum) => format!("sha1 {}", sum.to_ascii_lowercase()),
            Self::OpenId(id) => format!("openid {id}"),
            // An IRI holds no space, so the first one after the word ends it.
            Self::Account { home_page, name } => format!("account {home_page} {name}"),
        }
    }

    /// It as the property of an Agent.
    pub fn to_value(&self) -> serde_json::Value {
        match self {
            Self::Mbox(mbox) => serde_json::json!({ "objectType": "Agent", "mbox": mbox }),
            Self::MboxSha1(sum) => {
                serde_json::json!({ "objectType": "Agent", "mbox_sha1sum": sum })
            }
            Self::OpenId(id) => serde_json::json!({ "objectType": "Agent", "openid": id }),
            Self::Account { home_page, name } => serde_json::json!({
                "objectType": "Agent",
                "account": { "homePage": home_page, "name": name },
            }),
        }
    }
}

/// One person or system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// A name for people.
    pub name: Option<String>,
    /// Who it is.
    pub ifi: Ifi,
}

/// Several Agents; anonymous when it has no identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// A name for people.
    pub name: Option<String>,
    /// Who it is, unless anonymous.
    pub ifi: Option<Ifi>,
    /// Its members; never Groups.
    pub members: Vec<Agent>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// One.
    Agent(Agent),
    /// Several.
    Group(Group),
}

impl Actor {
    /// Its own identifier; none for an anonymous Group.
    pub fn ifi(&self) -> Option<&Ifi> {
        match self {
            Self::Agent(agent) => Some(&agent.ifi),
            Self::Group(group) => group.ifi.as_ref(),
        }
    }

    /// Its own identifier and those of its members.
    pub fn ifis(&self) -> impl Iterator<Item = &Ifi> {
        let members = match self {
            Self::Agent(_) => [].as_slice(),
            Self::Group(group) => group.members.as_slice(),
        };
        self.ifi()
            .into_iter()
            .chain(members.iter().map(|agent| &agent.ifi))
    }

    /// The name for people.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Agent(agent) => agent.name.as_deref(),
            Self::Group(group) => group.name.as_deref(),
        }
    }
}

/// An Agent or a Group, by its `objectType`, which may be left out for an Agent.
pub(crate) fn actor(value: &Json<'_>, at: &Path<'_>) -> Result<Actor, Invalid> {
    value.object(at, AGENT)?;
    match value.get("objectType").map(Json::as_str) {
        None | Some(Some("Agent")) => agent(value, at).map(Actor::Agent),
        Some(Some("Group")) => group(value, at).map(Actor::Group),
        Some(_) => Err(at
            .key("objectType")
            .invalid(AGENT, "must be \"Agent\" or \"Group\"")),
    }
}

pub(crate) fn agent(value: &Json<'_>, at: &Path<'_>) -> Result<Agent, Invalid> {
    let mut who = Identity::default();
    for (key, value) in value.object(at, AGENT)? {
        let here = at.key(key);
        match key.as_ref() {
            "objectType" if value.as_str() == Some("Agent") => {}
            "objectType" => return Err(here.invalid(AGENT, "must be \"Agent\"")),
            _ if who.take(key, value, &here, at)? => {}
            _ => return Err(here.unknown(AGENT)),
        }
    }
    let Some(ifi) = who.ifi else {
        return Err(at.invalid(
            IFI,
            "must have one of mbox, mbox_sha1sum, openid and account",
        ));
    };
    Ok(Agent {
        name: who.name,
        ifi,
    })
}

pub(crate) fn group(value: &Json<'_>, at: &Path<'_>) -> Result<Group, Invalid> {
    let mut who = Identity::default();
    let mut members = None;
    let mut typed = false;
    for (key, value) in value.object(at, GROUP)? {
        let here = at.key(key);
        match key.as_ref() {
            "objectType" if value.as_str() == Some("Group") => typed = true,
            "objectType" => return Err(here.invalid(GROUP, "must be \"Group\"")),
            "member" => {
                let mut agents = Vec::new();
                for (index, member) in value.array(&here, GROUP)?.iter().enumerate() {
                    agents.push(agent(member, &here.index(index))?);
                }
                members = Some(agents);
            }
            _ if who.take(key, value, &here, at)? => {}
            _ => return Err(here.unknown(GROUP)),
        }
    }
    if !typed {
        return Err(at.missing(GROUP, "objectType"));
    }
    if who.ifi.is_none() && members.as_ref().is_none_or(Vec::is_empty) {
        return Err(at.invalid(GROUP, "must have members, because it has no identifier"));
    }
    Ok(Group {
        name: who.name,
        ifi: who.ifi,
        members: members.unwrap_or_default(),
    })
}

/// A UUID in the standard string form (Data 4.4); letters of either case.
pub(crate) fn uuid(value: &Json<'_>, at: &Path<'_>, clause: &'static str) -> Result<Uuid, Invalid> {
    parse_uuid(value.text(at, clause)?)
        .ok_or_else(|| at.invalid(clause, "is no UUID in the standard form with hyphens"))
}

/// Reads a UUID in the standard form and no other (the `uuid` crate takes four).
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok())?
}

#[derive(Default)]
struct Identity {
    name: Option<String>,
    ifi: Option<Ifi>,
}

impl Identity {
    /// Takes the property if it is one of those that Agents and Groups share.
    fn take(
        &mut self,
        key: &str,
        value: &Json<'_>,
        at: &Path<'_>,
        whole: &Path<'_>,
    ) -> Result<bool, Invalid> {
        let ifi = match key {
            "name" => {
                self.name = Some(value.text(at, AGENT)?.to_owned());
                return Ok(true);
            }
            "mbox" => Ifi::Mbox(mbox(value, at)?),
            "mbox_sha1sum" => Ifi::MboxSha1(sha1(value, at)?),
            "openid" => Ifi::OpenId(iri::iri(value, at, IFI)?),
            "account" => account(value, at)?,
            _ => return Ok(false),
        };
        if self.ifi.replace(ifi).is_some() {
            return Err(whole.invalid(
                IFI,
                "must have only one of mbox, mbox_sha1sum, openid and account",
            ));
        }
        Ok(true)
    }
}

fn mbox(value: &Json<'_>, at: &Path<'_>) -> Result<String, Invalid> {
    let text = value.text(at, IFI)?;
    let good = text
        .strip_prefix("mailto:")
        .and_then(|address| address.rsplit_once('@'))
        .is_some_and(|(local, domain)| {
            let domain_is_good = domain
                .chars()
                .all(|letter| letter.is_alphanumeric() || ".-[]:_".contains(letter));
            !local.is_empty()
                && !domain.is_empty()
                && domain_is_good
                && text.len() <= iri::MAX_BYTES
                && !local.chars().any(|letter| {
                    letter.is_whitespace() || letter.is_control() || "<>,;@".contains(letter)
                })
        });
    if !good {
        return Err(at.invalid(IFI, "must be of the form mailto:name@example.com"));
    }
    Ok(text.to_owned())
}

fn sha1(value: &Json<'_>, at: &Path<'_>) -> Result<String, Invalid> {
    let text = value.text(at, IFI)?;
    if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(at.invalid(IFI, "must be 40 hexadecimal digits"));
    }
    Ok(text.to_ascii_lowercase())
}

fn account(value: &Json<'_>, at: &Path<'_>) -> Result<Ifi, Invalid> {
    let (mut home_page, mut name) = (None, None);
    for (key, value) in value.object(at, ACCOUNT)? {
        let here = at.key(key);
        match key.as_ref() {
            "homePage" => home_page = Some(iri::iri(value, &here, ACCOUNT)?),
            "name" => {
                let text = value.text(&here, ACCOUNT)?;
                if text.len() > iri::MAX_BYTES {
                    return Err(here.invalid(crate::invalid::LIMIT, "is longer than 2000 bytes"));
                }
                name = Some(text.to_owned());
            }
            _ => return Err(here.unknown(ACCOUNT)),
        }
    }
    Ok(Ifi::Account {
        home_page: home_page.ok_or_else(|| at.missing(ACCOUNT, "homePage"))?,
        name: name.ok_or_else(|| at.missing(ACCOUNT, "name"))?,
    })
}
