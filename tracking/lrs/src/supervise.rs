//! One task for each thing that IT entered, begun, ended and begun anew as that changes.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Error;

/// Before a task that panicked is begun anew.
const WAIT: Duration = Duration::from_secs(5);

/// A task and what it was begun with.
struct Running<E> {
    entered: E,
    stop: CancellationToken,
    task: tokio::task::AbortHandle,
}

/// Keeps a task running for each of `wanted`, asked for at each change, until `stop` is cancelled; then all have ended.
pub(crate) async fn supervise<E, F>(
    mut changes: watch::Receiver<u64>,
    stop: CancellationToken,
    wanted: impl Fn() -> Result<BTreeMap<Uuid, E>, Error>,
    begin: impl Fn(Uuid, E, CancellationToken) -> F,
) where
    E: PartialEq + Clone,
    F: Future<Output = ()> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Uuid, Running<E>> = BTreeMap::new();
    loop {
        changes.mark_unchanged();
        match wanted() {
            Ok(wanted) => {
                running.retain(|id, running| {
                    // A task only ends by itself when it panicked; then it is begun anew.
                    let stays =
                        wanted.get(id) == Some(&running.entered) && !running.task.is_finished();
                    if !stays {
                        running.stop.cancel();
                    }
                    stays
                });
                for (id, entered) in wanted {
                    running.entry(id).or_insert_with(|| {
                        let stop = stop.child_token();
                        let task = tasks.spawn(begin(id, entered.clone(), stop.clone()));
                        Running {
                            entered,
                            stop,
                            task,
                        }
                    });
                }
            }
            Err(error) => tracing::error!(event = "lrs.upstreams_unreadable", %error),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = changes.changed() => if changed.is_err() { break },
            Some(ended) = tasks.join_next() => if let Err(error) = ended {
                tracing::error!(event = "lrs.forwarding_panicked", %error);
                tokio::time::sleep(WAIT).await;
            }
        }
    }
    while tasks.join_next().await.is_some() {}
}
