//! A person, what they may be, and which values a person can have.

use crate::Error;
use crate::secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Longest sign-in name, display name.
const MAX_NAME_CHARS: usize = 100;
/// Longest mail address (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;

/// What somebody may be; several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the box; sees no individual's record.
    Admin,
    /// Uploads, and sees who watched.
    Instructor,
    /// Watches.
    Learner,
    /// Reads the audit log and the evidence, changes nothing.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Instructor, Self::Learner, Self::Auditor];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Instructor => "instructor",
            Self::Learner => "learner",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Error::Invalid {
                field: "role",
                message: format!("{text:?} is none of admin, instructor, learner, auditor"),
            })
    }
}

/// A person's id: random, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub Uuid);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PersonId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Uuid::from_str(text)
            .map(Self)
            .map_err(|_| Error::NotFound { what: "person" })
    }
}

impl lectern_store::Key for PersonId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Uuid::read(bytes).map(Self)
    }
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Id, as the API shows it.
    pub id: PersonId,
    /// Sign-in name; compared without regard to case.
    pub name: String,
    /// As others read it.
    pub display_name: String,
    /// Mail address, when known.
    pub email: Option<String>,
    /// What they may be; may be empty.
    pub roles: BTreeSet<Role>,
    /// Account name in statements: random, says nothing about the person.
    pub actor: String,
    /// Closed: cannot sign in, sessions and tokens are void.
    pub disabled: bool,
    /// When they were added.
    pub created: Timestamp,
    /// When they last signed in or watched.
    pub last_seen: Option<Timestamp>,
    /// Whether they have a password.
    #[serde(default)]
    pub has_password: bool,
}

impl Person {
    /// Whether one of their roles is `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    pub(crate) fn new(new: &NewPerson, now: Timestamp) -> Result<Self, Error> {
        let name = checked_name(&new.name)?;
        let display_name = match new.display_name.as_deref().map(str::trim) {
            None | Some("") => name.clone(),
            Some(display) => checked_display_name(display)?,
        };
        Ok(Self {
            id: PersonId(Uuid::new_v4()),
            name,
            display_name,
            email: checked_email(new.email.as_deref())?,
            roles: new.roles.clone(),
            actor: secret::random_id(),
            disabled: false,
            created: now,
            last_seen: None,
            has_password: false,
        })
    }

    pub(crate) fn patched(mut self, patch: &PersonPatch) -> Result<Self, Error> {
        if let Some(name) = &patch.name {
            self.name = checked_name(name)?;
        }
        if let Some(display) = &patch.display_name {
            self.display_name = checked_display_name(display)?;
        }
        if let Some(email) = &patch.email {
            self.email = checked_email(Some(email))?;
        }
        if let Some(roles) = &patch.roles {
            self.roles.clone_from(roles);
        }
        if let Some(disabled) = patch.disabled {
            self.disabled = disabled;
        }
        Ok(self)
    }
}

/// Somebody to add.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// Sign-in name.
    pub name: String,
    /// As others read it; the sign-in name when none is given.
    pub display_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// What they may be.
    pub roles: BTreeSet<Role>,
    /// Without one they cannot sign in until somebody sets it.
    pub password: Option<String>,
}

/// What to change about a person; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersonPatch {
    /// Sign-in name.
    pub name: Option<String>,
    /// As others read it.
    pub display_name: Option<String>,
    /// Mail address; empty removes it.
    pub email: Option<String>,
    /// What they may be, all of it.
    pub roles: Option<BTreeSet<Role>>,
    /// Close or open the account.
    pub disabled: Option<bool>,
}

/// Names that differ in case only are one name.
pub(crate) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let invalid = |message: &str| {
        Err(Error::Invalid {
            field: "name",
            message: message.to_owned(),
        })
    };
    if name.is_empty() {
        return invalid("a sign-in name is needed");
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return invalid("a sign-in name has at most 100 characters");
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return invalid("a sign-in name has no spaces");
    }
    Ok(name.to_owned())
}

fn checked_display_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let is_good = !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARS
        && !name.chars().any(char::is_control);
    if !is_good {
        return Err(Error::Invalid {
            field: "display_name",
            message: "a name to show has 1 to 100 characters on one line".to_owned(),
        });
    }
    Ok(name.to_owned())
}

fn checked_email(email: Option<&str>) -> Result<Option<String>, Error> {
    let Some(email) = email.map(str::trim).filter(|email| !email.is_empty()) else {
        return Ok(None);
    };
    let has_parts = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    let is_plain = !email.chars().any(|c| c.is_control() || c.is_whitespace());
    if !has_parts || !is_plain || email.len() > MAX_EMAIL_BYTES {
        return Err(Error::Invalid {
            field: "email",
            message: format!("{email:?} is no mail address"),
        });
    }
    Ok(Some(email.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_name_is_one_word() {
        for wrong in ["", "  ", "a b", "a\tb", "a\u{0}b", &"x".repeat(101)] {
            assert!(checked_name(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            checked_name(" Ada@example.org ").unwrap(),
            "Ada@example.org"
        );
        assert_eq!(folded(" ÄDA "), folded("äda"));
    }

    #[test]
    fn a_mail_address_has_two_parts() {
        for wrong in ["a", "@b", "a@", "a@b@c", "a b@c", "a@b\n"] {
            assert!(
                checked_email(Some(wrong)).is_err() || wrong.ends_with('\n'),
                "{wrong:?}"
            );
        }
        assert_eq!(checked_email(Some("")).unwrap(), None);
        assert_eq!(
            checked_email(Some("a@b.c")).unwrap().as_deref(),
            Some("a@b.c")
        );
    }
}
