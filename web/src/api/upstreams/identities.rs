//! Whom an upstream sees in the statements, as the API takes and shows it. The table itself is written, never read back:
//! it says who is who.

use lectern_lms::Lms;
use lectern_lrs::forward::{Identities, Unlisted};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What becomes of whom a statement names
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IdentitiesHow)]
enum How {
    /// Goes as it is
    Keep,
    /// Goes as the table says
    Map,
    /// Goes as a pseudonym that only this box can make: the same for the same person, other ones at other upstreams;
    /// names for people are left out
    Pseudonymise,
}

/// What becomes of a statement that names somebody who has no row
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IdentitiesUnlisted)]
enum UnlistedName {
    /// Set aside, as a dead letter
    #[default]
    HoldBack,
    /// Goes as it is
    Keep,
}

/// Who is known as whom
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentitiesRow)]
struct Row {
    /// Here: a sign-in name, or an identifier as in `Filter.people`
    from: String,
    /// There: `mailto:…`, an OpenID, or `homePage name` of an account
    to: String,
}

/// Whom an upstream is to see; signed statements are set aside unless it is `keep`, for they cannot be changed
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIdentities)]
pub(super) struct IdentitiesIn {
    how: How,
    /// With `map`; when left out in a change, the table stays
    #[serde(default)]
    table: Vec<Row>,
    /// With `map`
    #[serde(default)]
    unlisted: UnlistedName,
}

/// Whom an upstream sees
#[derive(Serialize, ToSchema)]
#[schema(as = Identities)]
pub(super) struct IdentitiesOut {
    how: How,
    /// Rows of its table
    rows: u64,
    unlisted: UnlistedName,
}

impl IdentitiesIn {
    /// For the audit log.
    pub(super) fn detail(&self) -> &'static str {
        match self.how {
            How::Keep => "identities: keep",
            How::Map => "identities: map",
            How::Pseudonymise => "identities: pseudonymise",
        }
    }

    pub(super) fn read(self, lms: &Lms) -> Result<Identities, Problem> {
        if self.how != How::Map && !self.table.is_empty() {
            return Err(Problem::bad_request("A table goes with `map` only."));
        }
        Ok(match self.how {
            How::Keep => Identities::Keep,
            How::Pseudonymise => Identities::Pseudonymise {
                home_page: lms.identity()?,
            },
            How::Map => Identities::Map {
                table: lms.read_identities(
                    self.table
                        .iter()
                        .map(|row| (row.from.as_str(), row.to.as_str())),
                )?,
                unlisted: match self.unlisted {
                    UnlistedName::HoldBack => Unlisted::HoldBack,
                    UnlistedName::Keep => Unlisted::Keep,
                },
            },
        })
    }
}

impl From<Identities> for IdentitiesOut {
    fn from(identities: Identities) -> Self {
        let (how, rows, unlisted) = match identities {
            Identities::Keep => (How::Keep, 0, UnlistedName::default()),
            Identities::Pseudonymise { .. } => (How::Pseudonymise, 0, UnlistedName::default()),
            Identities::Map { table, unlisted } => (
                How::Map,
                table.len() as u64,
                match unlisted {
                    Unlisted::HoldBack => UnlistedName::HoldBack,
                    Unlisted::Keep => UnlistedName::Keep,
                },
            ),
        };
        Self {
            how,
            rows,
            unlisted,
        }
    }
}
