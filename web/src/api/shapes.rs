//! Shapes that several parts of the API share, as its description names them.
//!
//! The rooms know nothing of OpenAPI, so their enums are named here once more for the description
//! only; tests hold both together.

use std::collections::BTreeSet;

use lectern_lms::{Person, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time;

/// What somebody may be
#[derive(Debug, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
pub enum RoleName {
    /// Runs the box; sees no individual's record
    Admin,
    /// Uploads, and sees who watched
    Instructor,
    /// Watches
    Learner,
    /// Reads the audit log and the evidence, changes nothing
    Auditor,
}

/// Who may sign in over plain HTTP from elsewhere than the box itself
#[derive(Debug, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = PlainHttp)]
pub enum PlainHttpName {
    /// Those who are learners and nothing more
    Learners,
    /// Everybody
    All,
    /// Nobody
    None,
}

/// When a learner has completed a video
#[derive(Debug, ToSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schema(as = CompletionRule)]
pub enum CompletionRuleShape {
    /// Watched so many percent of the distinct runtime while visible
    Watched {
        /// 1 to 100
        #[schema(minimum = 1, maximum = 100)]
        percent: u8,
    },
    /// Reached the end
    End,
}

/// When the box prepares videos, by its own clock
#[derive(Debug, ToSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schema(as = PrepareHours)]
pub enum PrepareHoursShape {
    /// Whenever there are some
    Always,
    /// Every day between two times; over midnight when the second is the earlier one
    Between {
        /// It begins, `HH:MM`
        #[schema(example = "22:00")]
        from: String,
        /// It ends, `HH:MM`
        #[schema(example = "06:00")]
        to: String,
    },
}

/// What a gigabyte (10^9 bytes) costs that leaves a cloud for the internet
#[derive(Debug, ToSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schema(as = EgressPrice)]
pub struct EgressPriceShape {
    /// A decimal number
    #[schema(example = "0.09")]
    pub per_gb: String,
    /// ISO 4217
    #[schema(example = "EUR")]
    pub currency: String,
}

/// Somebody who can sign in
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonOut {
    /// Id
    #[schema(value_type = uuid::Uuid)]
    pub id: String,
    /// Sign-in name
    pub name: String,
    /// As others read it
    pub display_name: String,
    /// Mail address; only administrators see it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What they may be
    #[schema(value_type = Vec<RoleName>)]
    pub roles: BTreeSet<Role>,
    /// Closed: cannot sign in
    pub disabled: bool,
    /// When they were added
    #[schema(format = DateTime)]
    pub created: String,
    /// When they last signed in or watched; only administrators see it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_seen: Option<String>,
    /// Whether they have a password
    pub has_password: bool,
}

impl PersonOut {
    /// For those who name people but do not look after them.
    #[must_use]
    pub fn without_private(self) -> Self {
        Self {
            email: None,
            last_seen: None,
            ..self
        }
    }
}

impl From<Person> for PersonOut {
    fn from(person: Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name,
            display_name: person.display_name,
            email: person.email,
            roles: person.roles,
            disabled: person.disabled,
            created: time::text(person.created),
            last_seen: person.last_seen.map(time::text),
            has_password: person.has_password,
        }
    }
}

#[cfg(test)]
mod tests {
    use lectern_lms::{CompletionRule, PlainHttp, PrepareHours};

    use super::*;

    #[test]
    fn the_description_names_every_role_rule_and_setting_as_the_rooms_print_them() {
        for role in Role::ALL {
            serde_json::from_value::<RoleName>(serde_json::to_value(role).unwrap()).unwrap();
        }
        for plain_http in [PlainHttp::Learners, PlainHttp::All, PlainHttp::None] {
            serde_json::from_value::<PlainHttpName>(serde_json::to_value(plain_http).unwrap())
                .unwrap();
        }
        for rule in [CompletionRule::Watched { percent: 90 }, CompletionRule::End] {
            serde_json::from_value::<CompletionRuleShape>(serde_json::to_value(rule).unwrap())
                .unwrap();
        }
        let (from, to) = ("22:00".parse().unwrap(), "06:00".parse().unwrap());
        for hours in [PrepareHours::Always, PrepareHours::Between { from, to }] {
            serde_json::from_value::<PrepareHoursShape>(serde_json::to_value(hours).unwrap())
                .unwrap();
        }
    }
}
