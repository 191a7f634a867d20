//! `source …`: record stores that statements are pulled from.

use jiff::Timestamp;
use lectern_lrs::pull::{NewSource, Source, SourceAddress};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::execute::audit;
use crate::cli::XapiVersion;
use crate::services::Services;

/// Facts of `source add`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceAdd {
    /// Name on the pages
    pub name: String,
    /// xAPI endpoint
    pub url: String,
    /// Basic credential's key
    pub key: String,
    /// Basic credential's secret
    pub secret: String,
    /// Version it speaks
    pub version: Option<XapiVersion>,
    /// Only what was stored there after this
    pub since: Option<Timestamp>,
    /// Read it to its end, and no more
    pub once: bool,
    /// May lie on a private address
    pub allow_private: bool,
}

/// `source add`
pub fn add(services: &Services, add: SourceAdd, now: Timestamp) -> anyhow::Result<Value> {
    let detail = format!("{} {}", add.name, add.url);
    let id = services.lrs.sources().add(NewSource {
        name: add.name,
        address: SourceAddress {
            url: add.url,
            key: add.key,
            secret: add.secret,
            version: add.version.map_or(Version::V1_0_3, Version::from),
            allow_private: add.allow_private,
        },
        since: add.since,
        follow: !add.once,
    })?;
    let on = Some(format!("source:{id}"));
    audit(services, "source.add", on, Some(detail), now)?;
    Ok(json!({ "id": id }))
}

/// `source list`
pub fn list(services: &Services) -> anyhow::Result<Value> {
    let all = services.lrs.sources().list()?;
    let items: Vec<Value> = all.into_iter().map(listed).collect();
    Ok(json!({ "items": items }))
}

/// `source refused`
pub fn refused(services: &Services, name: &str, now: Timestamp) -> anyhow::Result<Value> {
    let sources = services.lrs.sources();
    let id = named(&sources.list()?, name)?;
    let refused = sources.refused(id, 0, usize::MAX)?;
    if !refused.is_empty() {
        let on = Some(format!("source:{id}"));
        let detail = Some(format!("{} statements", refused.len()));
        audit(services, "refused.read", on, detail, now)?;
    }
    Ok(json!({ "items": refused }))
}

/// `source remove`
pub fn remove(services: &Services, name: &str, now: Timestamp) -> anyhow::Result<Value> {
    let sources = services.lrs.sources();
    let id = named(&sources.list()?, name)?;
    sources.remove(id)?;
    let on = Some(format!("source:{id}"));
    audit(services, "source.remove", on, None, now)?;
    Ok(json!({ "id": id }))
}

fn named(all: &[Source], name: &str) -> anyhow::Result<uuid::Uuid> {
    let mut named = all.iter().filter(|source| source.name == name);
    match (named.next(), named.next()) {
        (Some(source), None) => Ok(source.id),
        (None, _) => anyhow::bail!("there is no source {name}: `source list` names them"),
        (Some(_), Some(_)) => anyhow::bail!("several sources are called {name}: use their page"),
    }
}

/// A source as the contract lists it; the last error as its sentence.
fn listed(source: Source) -> Value {
    let (last_error, retry_at) = match source.last_error {
        Some(error) => (Some(error.message), error.retry_at),
        None => (None, None),
    };
    json!({
        "id": source.id,
        "name": source.name,
        "url": source.url,
        "state": source.state,
        "read_to": source.read_to,
        "stored": source.stored,
        "known": source.known,
        "refused": source.refused,
        "rate": source.rate,
        "next": source.next,
        "last_error": last_error,
        "retry_at": retry_at,
    })
}
