//! One task for each source that does not rest. The daemon owns it and awaits it.

use std::collections::BTreeMap;
use std::sync::Arc;

use lectern_egress::Egress;
use lectern_store::Json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::source::{Entered, SOURCES};
use super::task::Task;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::supervise::supervise;

/// Reads all sources until `stop` is cancelled; a page under way is read again later. `identity` says the box's IRI, which
/// vouches for what comes.
pub async fn run(
    lrs: Lrs,
    egress: Egress,
    identity: Arc<dyn Fn() -> String + Send + Sync>,
    stop: CancellationToken,
) {
    let begin = |id, entered, stop| {
        let task = Task {
            lrs: lrs.clone(),
            egress: egress.clone(),
            identity: identity(),
            id,
            entered,
        };
        task.run(stop)
    };
    supervise(lrs.source_changes(), stop, || entered(&lrs), begin).await;
}

/// Those that do not rest.
fn entered(lrs: &Lrs) -> Result<BTreeMap<Uuid, Entered>, Error> {
    let mut all = BTreeMap::new();
    for row in lrs.store().snapshot()?.range(&SOURCES, ..)? {
        let (id, Json(entered)) = row?;
        if !entered.paused {
            all.insert(id, entered);
        }
    }
    Ok(all)
}
