//! The shell around [`super::machine`]: one task for each upstream that does not rest, and this one, which starts and
//! stops them as IT changes things. The daemon owns it and awaits it.

use std::collections::BTreeMap;

use lectern_egress::Egress;
use lectern_store::Json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::task::{STORE_WAIT, Task};
use super::upstream::{Entered, UPSTREAMS};
use crate::error::Error;
use crate::lrs::Lrs;

/// Forwards to all upstreams until `stop` is cancelled; a request under way is given up then, and sent again later.
pub async fn run(lrs: Lrs, egress: Egress, stop: CancellationToken) {
    let mut changes = lrs.upstream_changes();
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Uuid, Running> = BTreeMap::new();
    loop {
        changes.mark_unchanged();
        match entered(&lrs) {
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
                        let task = Task {
                            lrs: lrs.clone(),
                            egress: egress.clone(),
                            id,
                            entered: entered.clone(),
                        };
                        let task = tasks.spawn(task.run(stop.clone()));
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
                tokio::time::sleep(STORE_WAIT).await;
            }
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// An upstream's task and what it was begun with.
struct Running {
    entered: Entered,
    stop: CancellationToken,
    task: tokio::task::AbortHandle,
}

/// Those that do not rest.
fn entered(lrs: &Lrs) -> Result<BTreeMap<Uuid, Entered>, Error> {
    let mut all = BTreeMap::new();
    for row in lrs.store().snapshot()?.range(&UPSTREAMS, ..)? {
        let (id, Json(entered)) = row?;
        if !entered.paused {
            all.insert(id, entered);
        }
    }
    Ok(all)
}
