//! What a request does to the open stores; the same on the daemon's side of the control socket and without a daemon.

use jiff::Timestamp;
use lectern_lms::{AuditEvent, NewPerson, Person, Role};
use lectern_lrs::Scopes;
use lectern_lrs::forward::{Filter, Identities, NewUpstream, Unlisted, Upstream};
use lectern_xapi::Version;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::SyncIoBridge;

use super::BOX;
use super::import::import_film;
use super::request::{Request, UpstreamAdd};
use super::{sources, statements};
use crate::cli::{IdentitiesName, UnlistedName};
use crate::control::Reply;
use crate::services::Services;
use crate::{backup, doctor, erasing};

/// Carries a request out. `input` is what the command reads (a film), `output` what it writes (a backup).
pub async fn execute<R, W>(services: &Services, request: Request, input: R, output: W) -> Reply
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin,
{
    let result = match request {
        Request::Import(import) => import_film(services, import, input).await,
        Request::Backup => write_backup(services, output).await,
        Request::Evidence { bodies } => write_evidence(services, bodies, output).await,
        Request::StatementsExport { which, attachments } => {
            statements::export(services, which, attachments, output).await
        }
        Request::StatementsDay { day } => statements::day(services, day, output).await,
        Request::StatementsImport { version, file_name } => {
            statements::import(services, version.into(), file_name, input).await
        }
        other => {
            let services = services.clone();
            blocking(move || at_once(&services, other)).await
        }
    };
    result.map_err(|error| format!("{error:#}"))
}

/// Runs what waits for the disk off the runtime's threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
}

/// Writes down that a command did this, as the pages write down what people do.
///
/// # Errors
/// The store fails; then the command has failed.
pub fn audit(
    services: &Services,
    what: &str,
    on: Option<String>,
    detail: Option<String>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let event = AuditEvent {
        who: BOX.to_owned(),
        what: what.to_owned(),
        on,
        detail,
    };
    Ok(services.lms.audit(event, now)?)
}

/// Commands that neither read nor write anything but the stores.
fn at_once(services: &Services, request: Request) -> anyhow::Result<Value> {
    let now = Timestamp::now();
    Ok(match request {
        Request::UserAdd {
            name,
            roles,
            password,
        } => {
            let detail = roles.join(" ");
            let roles = roles
                .iter()
                .map(|role| role.parse::<Role>())
                .collect::<Result<_, _>>()?;
            let new = NewPerson {
                display_name: None,
                name,
                email: None,
                roles,
                password: Some(password),
            };
            let id = services.lms.add_person(&new, now)?.id;
            let on = Some(id.to_string());
            audit(services, "person.add", on, Some(detail), now)?;
            json!({ "id": id })
        }
        Request::PersonErase { name, yes } => erasing::erase(services, &name, yes)?,
        Request::TokenAdd { user } => {
            let on = Some(named(services, &user)?.id.to_string());
            let token = services.lms.add_api_token(&user, now)?;
            audit(services, "token.add", on, None, now)?;
            json!({ "token": token })
        }
        Request::TokenRevoke { user } => {
            let id = named(services, &user)?.id;
            let revoked = services.lms.revoke_api_tokens(id)?;
            let (on, detail) = (Some(id.to_string()), Some(revoked.to_string()));
            audit(services, "token.revoke", on, detail, now)?;
            json!({ "revoked": revoked })
        }
        Request::CredentialAdd { name, scopes } => {
            let scopes = match scopes.is_empty() {
                true => Scopes::default(),
                false => Scopes::from_iter(scopes),
            };
            let identity = services.lms.identity()?;
            let new = services.lrs.credentials().add(&name, scopes, &identity)?;
            let on = Some(format!("credential:{}", new.id));
            audit(services, "credential.add", on, Some(name), now)?;
            json!({ "id": new.id, "key": new.key, "secret": new.secret })
        }
        Request::UpstreamAdd(add) => add_upstream(services, add, now)?,
        Request::UpstreamReplay { name, since } => replay(services, &name, since, now)?,
        Request::UpstreamList => {
            let items: Vec<Value> = services
                .lrs
                .upstreams()
                .list()?
                .into_iter()
                .map(listed)
                .collect();
            json!({ "items": items })
        }
        Request::SourceAdd(add) => sources::add(services, add, now)?,
        Request::SourceList => sources::list(services)?,
        Request::SourceRefused { name } => sources::refused(services, &name, now)?,
        Request::SourceRemove { name } => sources::remove(services, &name, now)?,
        Request::BackupKept { made } => {
            services.lms.note_backup(made)?;
            json!({ "made": made })
        }
        Request::Doctor => doctor::examine(services, now)?,
        Request::StatementsDays { which } => statements::days(services, which)?,
        Request::Import(_)
        | Request::Backup
        | Request::Evidence { .. }
        | Request::StatementsExport { .. }
        | Request::StatementsDay { .. }
        | Request::StatementsImport { .. } => {
            anyhow::bail!("this command needs its input")
        }
    })
}

fn named(services: &Services, name: &str) -> anyhow::Result<Person> {
    let person = services.lms.person_by_name(name)?;
    Ok(person.ok_or(lectern_lms::Error::NotFound { what: "person" })?)
}

fn add_upstream(services: &Services, add: UpstreamAdd, now: Timestamp) -> anyhow::Result<Value> {
    let version = add.version.map_or(Version::V1_0_3, Version::from);
    let detail = format!("{} {}", add.name, add.url);
    let people = add.people.iter();
    let people = people
        .map(|typed| Ok(services.lms.read_identifier(typed)?.key()))
        .collect::<anyhow::Result<_>>()?;
    let table = add.table.iter();
    let table = table.map(|(from, to)| (from.as_str(), to.as_str()));
    let identities = match add.identities {
        None | Some(IdentitiesName::Keep) => Identities::Keep,
        Some(IdentitiesName::Pseudonymise) => Identities::Pseudonymise {
            home_page: services.lms.identity()?,
        },
        Some(IdentitiesName::Map) => Identities::Map {
            table: services.lms.read_identities(table)?,
            unlisted: match add.unlisted {
                None | Some(UnlistedName::HoldBack) => Unlisted::HoldBack,
                Some(UnlistedName::Keep) => Unlisted::Keep,
            },
        },
    };
    let id = services.lrs.upstreams().add(NewUpstream {
        name: add.name,
        url: add.url,
        key: add.key,
        secret: add.secret,
        version,
        filter: Filter {
            verbs: add.verbs,
            activities: add.activities,
            people,
        },
        identities,
        since: add.since,
        allow_private: add.allow_private,
    })?;
    let on = Some(format!("upstream:{id}"));
    audit(services, "upstream.add", on, Some(detail), now)?;
    Ok(json!({ "id": id }))
}

fn replay(
    services: &Services,
    name: &str,
    since: Timestamp,
    now: Timestamp,
) -> anyhow::Result<Value> {
    let upstreams = services.lrs.upstreams();
    let all = upstreams.list()?;
    let mut named = all.iter().filter(|upstream| upstream.name == name);
    let id = match (named.next(), named.next()) {
        (Some(upstream), None) => upstream.id,
        (None, _) => anyhow::bail!("there is no upstream {name}: `upstream list` names them"),
        (Some(_), Some(_)) => {
            anyhow::bail!("several upstreams are called {name}: give one another name on its page")
        }
    };
    let statements = upstreams.replay(id, since)?;
    let on = Some(format!("upstream:{id}"));
    let detail = Some(format!("since {since}: {statements}"));
    audit(services, "upstream.replay", on, detail, now)?;
    Ok(json!({ "id": id, "statements": statements }))
}

/// An upstream as the contract lists it; the last error as its sentence.
fn listed(upstream: Upstream) -> Value {
    json!({
        "id": upstream.id,
        "name": upstream.name,
        "url": upstream.url,
        "paused": upstream.paused,
        "lag": upstream.lag,
        "last_error": upstream.last_error.map(|error| error.message),
        "dead": upstream.dead,
    })
}

async fn write_evidence<W: AsyncWrite + Send + Unpin>(
    services: &Services,
    bodies: bool,
    output: W,
) -> anyhow::Result<Value> {
    let detail = Some(
        if bodies {
            "with statements"
        } else {
            "without statements"
        }
        .to_owned(),
    );
    let (audited, writing) = (services.clone(), services.clone());
    let now = Timestamp::now();
    blocking(move || audit(&audited, "evidence.export", None, detail, now)).await?;
    let exported = piped(output, move |to| {
        let identity = writing.lms.identity()?;
        let mut to = std::io::BufWriter::with_capacity(PIECE_BYTES, to);
        Ok(writing.evidence.export(&identity, bodies, now, &mut to)?)
    });
    Ok(serde_json::to_value(exported.await?)?)
}

/// Bytes on the way from what writes, on a thread of its own, to the command's output.
pub const PIECE_BYTES: usize = 1 << 20;

/// Runs blocking work that writes, and hands on what it writes.
///
/// # Errors
/// Those of the work, and of `output`.
pub async fn piped<T: Send + 'static, W: AsyncWrite + Send + Unpin>(
    mut output: W,
    work: impl FnOnce(SyncIoBridge<tokio::io::DuplexStream>) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let (near, mut far) = tokio::io::duplex(PIECE_BYTES);
    let working = tokio::task::spawn_blocking(move || work(SyncIoBridge::new(near)));
    tokio::io::copy(&mut far, &mut output).await?;
    tokio::io::AsyncWriteExt::flush(&mut output).await?;
    working.await?
}

async fn write_backup<W: AsyncWrite + Send + Unpin>(
    services: &Services,
    output: W,
) -> anyhow::Result<Value> {
    let services = services.clone();
    let audited = services.clone();
    blocking(move || audit(&audited, "backup.make", None, None, Timestamp::now())).await?;
    let written = piped(output, move |to| backup::write(&services, to)).await?;
    Ok(json!({
        "files": written.summary.files,
        "bytes": written.summary.bytes,
        "made": written.made,
    }))
}
