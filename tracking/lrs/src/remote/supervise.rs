//! One task for each entry that does not rest, started and stopped as IT changes things.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Error;

/// After a failure of our own store.
pub(crate) const STORE_WAIT: Duration = Duration::from_secs(5);

/// Runs a task for each of `entries` until `stop` is cancelled; reads them anew with each tick of `changes`. A task whose
/// entry changed is stopped, and begun with the new one.
pub(crate) async fn supervise<E, T>(
    mut changes: watch::Receiver<u64>,
    stop: CancellationToken,
    entries: impl Fn() -> Result<BTreeMap<Uuid, E>, Error>,
    task: impl Fn(Uuid, E, CancellationToken) -> T,
) where
    E: Clone + PartialEq,
    T: Future<Output = ()> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Uuid, Running<E>> = BTreeMap::new();
    loop {
        changes.mark_unchanged();
        match entries() {
            Ok(wanted) => {
                // A task only ends by itself when it panicked; then it is begun anew. One that is stopped has ended before
                // the next one begins: nobody does the same thing twice at once.
                running.retain(|_, running| !running.task.is_finished());
                for (id, running) in &running {
                    if wanted.get(id) != Some(&running.entry) {
                        running.stop.cancel();
                    }
                }
                for (id, entry) in wanted {
                    running.entry(id).or_insert_with(|| {
                        let stop = stop.child_token();
                        let task = tasks.spawn(task(id, entry.clone(), stop.clone()));
                        Running { entry, stop, task }
                    });
                }
            }
            Err(error) => tracing::error!(event = "lrs.remotes_unreadable", %error),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = changes.changed() => if changed.is_err() { break },
            Some(ended) = tasks.join_next() => if let Err(error) = ended {
                tracing::error!(event = "lrs.federation_panicked", %error);
                tokio::time::sleep(STORE_WAIT).await;
            }
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// A task and what it was begun with.
struct Running<E> {
    entry: E,
    stop: CancellationToken,
    task: AbortHandle,
}
