//! What a request does to the open stores; the same on the daemon's side of the control socket and without a daemon.

use std::io::Read;

use jiff::Timestamp;
use lectern_library::{Library, NewUpload, NewVideo, VersionState, VideoId, Visibility};
use lectern_lms::{NewPerson, Role};
use lectern_lrs::forward::{Filter, NewUpstream, Upstream};
use lectern_lrs::{Scope, Scopes};
use lectern_xapi::Version;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::SyncIoBridge;

use super::request::{Import, Request, UpstreamAdd};
use crate::control::Reply;
use crate::services::Services;
use crate::{backup, doctor};

/// Who owns a video that no person uploaded.
const OWNER_OF_IMPORTS: &str = "";

/// Carries a request out. `input` is what the command reads (a film), `output` what it writes (a backup).
pub async fn execute<R, W>(services: &Services, request: Request, input: R, output: W) -> Reply
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin,
{
    let result = match request {
        Request::Import(import) => import_film(services, import, input).await,
        Request::Backup => write_backup(services, output).await,
        other => {
            let services = services.clone();
            blocking(move || at_once(&services, other)).await
        }
    };
    result.map_err(|error| format!("{error:#}"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
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
            json!({ "id": services.lms.add_person(&new, now)?.id })
        }
        Request::TokenAdd { user } => json!({ "token": services.lms.add_api_token(&user, now)? }),
        Request::CredentialAdd { name, scopes } => {
            let scopes = match scopes.is_empty() {
                true => Scopes::default(),
                false => scopes
                    .iter()
                    .map(|scope| scope.parse::<Scope>().map_err(anyhow::Error::msg))
                    .collect::<anyhow::Result<Scopes>>()?,
            };
            let new = services
                .lrs
                .credentials()
                .add(&name, scopes, &services.lms.identity()?)?;
            json!({ "id": new.id, "key": new.key, "secret": new.secret })
        }
        Request::UpstreamAdd(add) => add_upstream(services, add)?,
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
        Request::Doctor => doctor::examine(services)?,
        Request::Import(_) | Request::Backup => {
            anyhow::bail!("this command needs its input")
        }
    })
}

fn add_upstream(services: &Services, add: UpstreamAdd) -> anyhow::Result<Value> {
    let version = add.version.map_or(Version::V1_0_3, Version::from);
    let id = services.lrs.upstreams().add(NewUpstream {
        name: add.name,
        url: add.url,
        key: add.key,
        secret: add.secret,
        version,
        filter: Filter::default(),
        since: add.since,
        allow_private: add.allow_private,
    })?;
    Ok(json!({ "id": id }))
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

async fn import_film<R>(services: &Services, import: Import, mut input: R) -> anyhow::Result<Value>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    let mut changes = services.library.changes();
    let (library, wait) = (services.library.clone(), import.wait);
    let video = match import.bytes {
        Some(bytes) => {
            // Reading bridges into the runtime, so it may not happen on one of its own threads.
            let mut reader = SyncIoBridge::new(input);
            blocking(move || add_film(&library, import, bytes, &mut reader)).await?
        }
        None => {
            // The bytes of a pipe are counted before the library is asked for room.
            let mut scratch = tempfile::tempfile_in(&services.state)?;
            let mut file = tokio::fs::File::from_std(scratch.try_clone()?);
            let bytes = tokio::io::copy(&mut input, &mut file).await?;
            tokio::io::AsyncWriteExt::flush(&mut file).await?;
            blocking(move || {
                std::io::Seek::rewind(&mut scratch)?;
                add_film(&library, import, bytes, &mut scratch)
            })
            .await?
        }
    };
    let error = match wait {
        true => end_of_job(services.library.clone(), &mut changes, video).await?,
        false => None,
    };
    Ok(match error {
        Some(error) => json!({ "id": video, "version": 1, "error": error }),
        None => json!({ "id": video, "version": 1 }),
    })
}

/// Waits until the first version is ready or has failed; then why.
async fn end_of_job(
    library: Library,
    changes: &mut tokio::sync::broadcast::Receiver<lectern_library::Change>,
    video: VideoId,
) -> anyhow::Result<Option<String>> {
    loop {
        let look = library.clone();
        let version = blocking(move || Ok(look.version(video, 1)?)).await?;
        match version.state {
            VersionState::Ready => return Ok(None),
            VersionState::Failed => return Ok(Some(version.error.unwrap_or_default())),
            _ => until_changed(changes, video).await,
        }
    }
}

fn add_film(
    library: &Library,
    import: Import,
    length: u64,
    reader: &mut dyn Read,
) -> anyhow::Result<VideoId> {
    let now = Timestamp::now();
    let new = NewUpload {
        length,
        name: import.file_name,
        owner: OWNER_OF_IMPORTS.to_owned(),
        metadata: String::new(),
    };
    let upload = library.import(new, reader, now)?.id;
    let new = NewVideo {
        title: import.title,
        language: import.language.unwrap_or_default(),
        visibility: Visibility::default(),
        owner: OWNER_OF_IMPORTS.to_owned(),
        upload,
    };
    Ok(library.create_video(new, now)?)
}

async fn until_changed(
    changes: &mut tokio::sync::broadcast::Receiver<lectern_library::Change>,
    video: VideoId,
) {
    loop {
        match changes.recv().await {
            Ok(change) if change.video != video => {}
            _ => return,
        }
    }
}

async fn write_backup<W: AsyncWrite + Send + Unpin>(
    services: &Services,
    mut output: W,
) -> anyhow::Result<Value> {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let services = services.clone();
    let writing =
        tokio::task::spawn_blocking(move || backup::write(&services, SyncIoBridge::new(near)));
    tokio::io::copy(&mut far, &mut output).await?;
    tokio::io::AsyncWriteExt::flush(&mut output).await?;
    let summary = writing.await??;
    Ok(json!({ "files": summary.files, "bytes": summary.bytes }))
}
