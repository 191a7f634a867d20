//! The shell: signs the day's head, and verifies when somebody asked. The daemon owns it and awaits it.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Error, Evidence};

/// How often it is looked whether a head is due. The look costs two reads, and a clock that jumps changes nothing about it.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Signs and verifies until `stop` is cancelled.
pub async fn run(evidence: Evidence, stop: CancellationToken) {
    tokio::join!(sign(&evidence, &stop), verify(&evidence, &stop));
}

async fn sign(evidence: &Evidence, stop: &CancellationToken) {
    if !evidence.can_sign() {
        return;
    }
    loop {
        let signing = evidence.clone();
        let signed = tokio::task::spawn_blocking(move || signing.sign_when_due(Timestamp::now()));
        match signed.await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(head))) => {
                tracing::info!(
                    event = "evidence.signed",
                    head = head.number,
                    sequence = head.sequence
                );
            }
            Ok(Err(error)) => tracing::warn!(event = "evidence.sign", %error),
            Err(error) => tracing::warn!(event = "evidence.sign", %error),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn verify(evidence: &Evidence, stop: &CancellationToken) {
    let mut asked = evidence.asked();
    loop {
        asked.mark_unchanged();
        if evidence.is_asked() {
            let (verifying, stop) = (evidence.clone(), stop.clone());
            let verified = tokio::task::spawn_blocking(move || {
                verifying.verify_as_asked(&|| stop.is_cancelled(), &Timestamp::now)
            });
            match verified.await {
                Ok(Ok(verified)) => match verified.error {
                    None => {
                        tracing::info!(event = "evidence.whole", entries = verified.report.entries)
                    }
                    Some(error) => tracing::error!(event = "evidence.broken", %error),
                },
                Ok(Err(Error::Stopped)) => {}
                Ok(Err(error)) => tracing::warn!(event = "evidence.verify", %error),
                Err(error) => tracing::warn!(event = "evidence.verify", %error),
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = asked.changed() => if changed.is_err() { return },
        }
    }
}
