//! `import`: a film from a file or a pipe becomes a video, and the command waits for its renditions when asked to.

use std::io::Read;

use jiff::Timestamp;
use lectern_library::{Library, NewUpload, NewVideo, VersionState, VideoId, Visibility};
use serde_json::{Value, json};
use tokio::io::AsyncRead;
use tokio_util::io::SyncIoBridge;

use super::execute::{audit, blocking};
use super::request::Import;
use crate::services::Services;

/// Who owns a video that no person uploaded.
const OWNER_OF_IMPORTS: &str = "";

/// Adds the film; the answer's `error` says why a film that was waited for has failed.
pub async fn import_film<R>(
    services: &Services,
    import: Import,
    mut input: R,
) -> anyhow::Result<Value>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    let mut changes = services.library.changes();
    let (adding, wait) = (services.clone(), import.wait);
    let video = match import.bytes {
        Some(bytes) => {
            // Reading bridges into the runtime, so it may not happen on one of its own threads.
            let mut reader = SyncIoBridge::new(input);
            blocking(move || add_film(&adding, import, bytes, &mut reader)).await?
        }
        None => {
            // The bytes of a pipe are counted before the library is asked for room.
            let mut scratch = tempfile::tempfile_in(&services.state)?;
            let mut file = tokio::fs::File::from_std(scratch.try_clone()?);
            let bytes = tokio::io::copy(&mut input, &mut file).await?;
            tokio::io::AsyncWriteExt::flush(&mut file).await?;
            blocking(move || {
                std::io::Seek::rewind(&mut scratch)?;
                add_film(&adding, import, bytes, &mut scratch)
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
    services: &Services,
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
    let upload = services.library.import(new, reader, now)?.id;
    let new = NewVideo {
        title: import.title,
        language: import.language.unwrap_or_default(),
        visibility: Visibility::default(),
        owner: OWNER_OF_IMPORTS.to_owned(),
        upload,
    };
    let video = services.library.create_video(new, now)?;
    audit(services, "video.add", Some(video.to_string()), None, now)?;
    Ok(video)
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
