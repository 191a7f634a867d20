//! Hands the library's jobs to workers, one at a time, and writes down what they say; where no video waits to be
//! prepared, what is said in one is written down ([`speech`]).
//!
//! The queue, its leases and its retries are the library's; what a worker does is `lectern_vod`'s. This is the pump
//! between them: it never decodes anything and believes a worker only what [`lectern_vod::protocol`] can say.

mod job;
mod restraint;
mod running;
mod speech;

use std::time::Duration;

use jiff::Timestamp;
use lectern_library::{Change, ChangeKind};
use tokio_util::sync::CancellationToken;

use crate::services::Services;

/// Looks for work at least so often: leases run out and retries fall due without an event.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Where workers' scratch lies in the state folder; empty at each start.
const CACHE: &str = "cache";
/// Uploads that expired and files that nothing refers to are removed so often.
const TIDY_EVERY: Duration = Duration::from_secs(3600);

/// Runs jobs until cancelled; the job under way is put back and goes on at the next start.
pub async fn run(services: Services, stop: CancellationToken) -> anyhow::Result<()> {
    let mut changes = services.library.changes();
    // What a worker was at when the box was switched off.
    let _ = tokio::fs::remove_dir_all(services.state.join(CACHE)).await;
    restraint::look(&services).await;
    tidy(&services).await;
    let tidying = {
        let (services, stop) = (services.clone(), stop.clone());
        let mut changes = services.library.changes();
        async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(TIDY_EVERY) => {}
                    // Whoever deletes a video wants its room now.
                    () = heard(&mut changes, ChangeKind::Removed) => {}
                }
                tidy(&services).await;
            }
        }
    };
    let working = async {
        while !stop.is_cancelled() {
            match next(&services).await {
                Ok(Some(Work::Video(job))) => job::run(&services, job, &stop).await,
                Ok(Some(Work::Speech(job))) => speech::run(&services, job, &stop).await,
                Ok(None) => wait(&mut changes, &stop).await,
                Err(error) => {
                    tracing::error!(event = "scheduler.queue", "{error:#}");
                    wait(&mut changes, &stop).await;
                }
            }
        }
    };
    let watching = restraint::watch(services.clone(), stop.clone());
    tokio::join!(tidying, watching, working);
    Ok(())
}

enum Work {
    Video(lectern_library::Job),
    Speech(lectern_library::SpeechJob),
}

/// What is to be done now; speech where there is nothing else.
async fn next(services: &Services) -> anyhow::Result<Option<Work>> {
    let library = services.library.clone();
    let next = move || {
        let now = Timestamp::now();
        if let Some(job) = library.next_job(now)? {
            return Ok::<_, lectern_library::Error>(Some(Work::Video(job)));
        }
        Ok(library.next_speech(now)?.map(Work::Speech))
    };
    Ok(tokio::task::spawn_blocking(next).await??)
}

/// Until something changed in the library, a time has passed, or the end.
async fn wait(changes: &mut tokio::sync::broadcast::Receiver<Change>, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(LOOK_EVERY) => {}
        () = heard(changes, ChangeKind::JobQueued) => {}
    }
}

/// Until a change of this kind; one that was missed counts as one.
async fn heard(changes: &mut tokio::sync::broadcast::Receiver<Change>, kind: ChangeKind) {
    loop {
        match changes.recv().await {
            Ok(change) if change.kind != kind => {}
            _ => return,
        }
    }
}

/// Removes what nobody needs any more.
async fn tidy(services: &Services) {
    let library = services.library.clone();
    let tidied = tokio::task::spawn_blocking(move || {
        let expired = library.expire_uploads(Timestamp::now())?;
        Ok::<_, lectern_library::Error>((expired, library.collect_garbage()?))
    });
    match tidied.await {
        Ok(Ok((expired, swept))) if expired > 0 || swept.bytes > 0 => {
            tracing::info!(event = "library.tidied", expired, bytes = swept.bytes);
        }
        // Busy: files are being placed or copied; the next round sweeps.
        Ok(Ok(_) | Err(lectern_library::Error::Busy)) => {}
        Ok(Err(error)) => tracing::warn!(event = "library.tidy", %error),
        Err(error) => tracing::warn!(event = "library.tidy", %error),
    }
}
