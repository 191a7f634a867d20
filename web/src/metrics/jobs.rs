//! Counts encoding jobs as they end. The library keeps no count: a job's row goes with it, so what was there at the last
//! look and is no more has ended, and its version says how.

use std::collections::BTreeSet;

use lectern_library::{Change, ChangeKind, Error, VersionState, VideoId};
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;
use crate::extract::blocking;
use crate::problem::Problem;

/// How a job can end, as the label says.
pub(super) const RESULTS: [&str; 3] = ["ready", "failed", "removed"];

/// Counts until the server stops.
pub(crate) async fn count(app: App) {
    let mut changes = app.library.changes();
    let mut before = BTreeSet::new();
    loop {
        before = look(&app, before).await;
        let is_over = app.shutdown.run_until_cancelled(async {
            loop {
                match changes.recv().await {
                    Ok(Change {
                        kind: ChangeKind::Progress | ChangeKind::Captions,
                        ..
                    }) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return false,
                    Err(RecvError::Closed) => return true,
                }
            }
        });
        if is_over.await.unwrap_or(true) {
            return;
        }
    }
}

type Jobs = BTreeSet<(VideoId, u32)>;

/// The jobs that there are now; those of `before` that have ended are counted.
async fn look(app: &App, before: Jobs) -> Jobs {
    let (library, kept) = (app.library.clone(), before.clone());
    let read = move || {
        let jobs = library.jobs()?;
        let now: Jobs = jobs.iter().map(|job| (job.video, job.version)).collect();
        let ended = before.difference(&now).map(|(video, version)| {
            match library.version(*video, *version) {
                Ok(version) if version.state == VersionState::Ready => Ok("ready"),
                Ok(_) => Ok("failed"),
                Err(Error::NotFound(_)) => Ok("removed"),
                Err(error) => Err(error),
            }
        });
        let ended = ended.collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Problem>((now, ended))
    };
    match blocking(read).await {
        Ok((now, ended)) => {
            for result in ended {
                app.metrics.jobs_ended.with_label_values(&[result]).inc();
            }
            now
        }
        Err(problem) => {
            problem.log();
            kept
        }
    }
}
