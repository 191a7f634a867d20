//! The shell of erasures: does what a command asks for, and finishes what pages and earlier processes left.

use std::time::Duration;

use jiff::Timestamp;
use lectern_lms::Erasing;
use lectern_lrs::erasure::Received;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::commands::BOX;
use crate::services::Services;

/// After a failure the next try waits this long.
const RETRY: Duration = Duration::from_secs(60);
/// After a commit it is looked this soon whether that asked for an erasure.
const LOOK: Duration = Duration::from_millis(500);
/// Between two slices, so that others get at the store.
const BREATH: Duration = Duration::from_millis(5);

/// Finishes erasures, and erases what is too old once a day, until cancelled.
pub async fn run(services: Services, stop: CancellationToken) {
    let mut commits = services.records.commits();
    loop {
        commits.mark_unchanged();
        let (erasing, stopping) = (erasing(&services), stop.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut goes_on = || breathe(&stopping);
            let finished = erasing.carry_out(&Timestamp::now, &mut goes_on);
            // Also when somebody's erasure fails.
            let expired = erasing.expire_when_due(&Timestamp::now, &mut goes_on)?;
            Ok::<_, lectern_lms::Error>((finished?, expired))
        });
        let failure = match done.await {
            Ok(Ok((finished, expired))) => {
                for erasure in finished {
                    let statements = erasure.statements;
                    tracing::info!(event = "person.erased", erasure = %erasure.id, statements);
                }
                if let Some(statements) = expired {
                    tracing::info!(event = "keeping.run", statements);
                }
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        let wait = match &failure {
            Some(error) => {
                tracing::error!(event = "erasure.stopped", error);
                RETRY
            }
            None => LOOK,
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        if failure.is_some() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            // The day may end while nobody does anything.
            () = tokio::time::sleep(RETRY) => {}
            changed = commits.changed() => if changed.is_err() { return },
        }
    }
}

/// `person erase`: what there is, or with `for_good` all of it gone when it returns. Blocking.
///
/// # Errors
/// Nobody has that name or identifier, nobody would run the box, the store fails.
pub fn erase(services: &Services, typed: &str, for_good: bool) -> anyhow::Result<Value> {
    let erasing = erasing(services);
    let whom = erasing.whom_typed(typed)?;
    let person = whom.person.as_ref().map(|person| person.id);
    if !for_good {
        let about = erasing.preview(&whom)?;
        return Ok(json!({
            "erased": false,
            "person": person,
            "identifiers": whom.identifiers(),
            "kept": whom.shared,
            "statements": about.statements,
            "oldest": about.oldest,
            "newest": about.newest,
            "documents": about.documents,
            "upstreams": upstreams(&about.upstreams),
            "next": "Nothing was erased. The same with --yes erases all of it, for good.",
        }));
    }
    let begun = erasing.begin(&whom, BOX, Timestamp::now())?;
    let never = CancellationToken::new();
    erasing.carry_out(&Timestamp::now, &mut || breathe(&never))?;
    let erasure = services.lrs.erasures().get(begun.id)?;
    Ok(json!({
        "erased": erasure.finished.is_some(),
        "id": erasure.id,
        "person": person,
        "statements": erasure.statements,
        "documents": erasure.documents,
        "attachments": erasure.attachments,
        "overwritten": erasure.overwritten,
        "upstreams": upstreams(&erasure.upstreams),
    }))
}

/// Lets others get at the store, on a blocking thread of the runtime; `false` once it stops.
fn breathe(stop: &CancellationToken) -> bool {
    let breath = stop.run_until_cancelled(tokio::time::sleep(BREATH));
    Handle::current().block_on(breath).is_some()
}

fn erasing(services: &Services) -> Erasing {
    Erasing::new(services.lms.clone(), services.lrs.clone())
}

fn upstreams(received: &[Received]) -> Vec<Value> {
    let one = |one: &Received| json!({ "id": one.id, "name": one.name, "url": one.url, "statements": one.statements });
    received.iter().map(one).collect()
}
