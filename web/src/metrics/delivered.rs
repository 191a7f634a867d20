//! Writes down how much of films has left, so that a restart forgets nothing.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::app::App;
use crate::extract::blocking;

/// What is not written down yet is lost with the power.
const EVERY: Duration = Duration::from_secs(60);

/// Writes down each minute, until the server stops.
pub(crate) async fn keep(app: App) {
    let stop = app.shutdown.clone();
    while stop
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        write_down(&app).await;
    }
}

/// Writes down what has left since the last time.
pub(crate) async fn write_down(app: &App) {
    let bytes = not_written_down(app);
    if bytes == 0 {
        return;
    }
    let kept = &app.metrics.media_bytes_kept;
    kept.fetch_add(bytes, Ordering::Relaxed);
    let (library, now) = (app.library.clone(), app.now());
    if let Err(problem) = blocking(move || library.add_delivered(now, bytes)).await {
        problem.log();
        // The next time.
        kept.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes that have left and are not in the library yet.
pub(crate) fn not_written_down(app: &App) -> u64 {
    let kept = app.metrics.media_bytes_kept.load(Ordering::Relaxed);
    app.metrics.media_bytes.get().saturating_sub(kept)
}
