//! The shell around [`super::machine`]: one task for each upstream that does not rest. The daemon owns it and awaits it.

use std::collections::BTreeMap;

use lectern_egress::Egress;
use lectern_store::Json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::task::Task;
use super::upstream::{Entered, UPSTREAMS};
use crate::error::Error;
use crate::lrs::Lrs;
use crate::remote::supervise;

/// Forwards to all upstreams until `stop` is cancelled; a request under way is given up then, and sent again later.
pub async fn run(lrs: Lrs, egress: Egress, stop: CancellationToken) {
    let changes = lrs.upstream_changes();
    let begin = |id, entered, stop| {
        let task = Task {
            lrs: lrs.clone(),
            egress: egress.clone(),
            id,
            entered,
        };
        task.run(stop)
    };
    supervise(changes, stop, || entered(&lrs), begin).await;
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
