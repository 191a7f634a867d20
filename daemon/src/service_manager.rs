//! What systemd is told: ready, alive (watchdog), stopping. Silent where no systemd started the daemon.

use std::time::Duration;

use systemd::daemon;
use tokio_util::sync::CancellationToken;

/// Tells that the daemon serves.
pub fn ready() {
    notify(&[(daemon::STATE_READY, "1")]);
}

/// Tells that the daemon is on its way down.
pub fn stopping() {
    notify(&[(daemon::STATE_STOPPING, "1")]);
}

/// Tells that the daemon lives, at half of the watchdog's interval, until cancelled.
pub async fn keep_alive(cancel: CancellationToken) {
    let Ok(micros) = daemon::watchdog_enabled() else {
        return;
    };
    if micros == 0 {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_micros(micros) / 2);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => notify(&[(daemon::STATE_WATCHDOG, "1")]),
        }
    }
}

fn notify(state: &[(&str, &str)]) {
    if let Err(error) = daemon::notify(state.iter()) {
        tracing::warn!(event = "systemd.notify", %error);
    }
}
