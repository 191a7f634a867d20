//! Turns the rooms' changes into events, until the server stops.

use std::collections::BTreeSet;
use std::time::Duration;

use lectern_library::{Change, ChangeKind, VideoId};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::Audience;
use crate::api::upstreams::SAMPLED_EVERY;
use crate::app::App;
use crate::extract::blocking;
use crate::problem::Problem;

/// Statements and progress come by the thousand: their events are gathered for so long.
const GATHER: Duration = Duration::from_secs(1);
/// Statements looked at for one gathering; of more, the newest.
const MOST_STATEMENTS: u64 = 256;
/// The system page looks again this often, and how many statements wait for the upstreams is noted.
const SYSTEM_EVERY: Duration = SAMPLED_EVERY;

/// Runs until `app.shutdown` is cancelled.
pub(crate) async fn pump(app: App) {
    tokio::join!(videos(&app), statements(&app), system(&app));
}

async fn videos(app: &App) {
    let mut changes = app.library.changes();
    let mut moving = BTreeSet::<VideoId>::new();
    let mut ticks = tokio::time::interval(GATHER);
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            _ = ticks.tick(), if !moving.is_empty() => {
                for video in std::mem::take(&mut moving) {
                    tell_video(app, video);
                }
            }
            change = changes.recv() => match change {
                Ok(Change { video, kind: ChangeKind::Progress }) => {
                    moving.insert(video);
                }
                Ok(Change { video, kind: ChangeKind::Captions }) => {
                    app.events.tell("captions", json!({ "video": video.to_string() }), Audience::Video(video));
                }
                Ok(Change { video, .. }) => {
                    moving.remove(&video);
                    tell_video(app, video);
                }
                // What was missed may be anybody's.
                Err(RecvError::Lagged(_)) => app.events.tell("resync", json!({}), Audience::Everyone),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn tell_video(app: &App, video: VideoId) {
    app.events.tell(
        "video",
        json!({ "id": video.to_string() }),
        Audience::Video(video),
    );
}

async fn statements(app: &App) {
    let mut commits = app.records.commits();
    let mut seen = head(app).await;
    loop {
        let changed = tokio::select! {
            () = app.shutdown.cancelled() => return,
            changed = commits.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        if app
            .shutdown
            .run_until_cancelled(tokio::time::sleep(GATHER))
            .await
            .is_none()
        {
            return;
        }
        commits.mark_unchanged();
        let now = head(app).await;
        if app.events.is_watched() && now > seen {
            let from = seen.max(now.saturating_sub(MOST_STATEMENTS));
            for activity in activities(app, from, now).await {
                app.events.tell(
                    "statements",
                    json!({ "activity": activity }),
                    Audience::Figures,
                );
            }
        }
        seen = now;
    }
}

async fn head(app: &App) -> u64 {
    let lrs = app.lrs.clone();
    blocking(move || lrs.head())
        .await
        .unwrap_or_else(|problem| {
            problem.log();
            0
        })
}

/// What the statements after `from` up to `to` are about: activities, and nothing for those that are about none.
async fn activities(app: &App, from: u64, to: u64) -> BTreeSet<String> {
    let lrs = app.lrs.clone();
    let read = move || {
        let mut found = BTreeSet::new();
        for sequence in from + 1..=to {
            let statement = lrs.statement(sequence)?;
            // One that is about no activity (a person, another statement) is told of under no name.
            found.extend(statement.map(|(_, statement)| {
                statement
                    .activity_id()
                    .map_or_else(String::new, ToOwned::to_owned)
            }));
        }
        Ok::<_, Problem>(found)
    };
    blocking(read).await.unwrap_or_default()
}

async fn system(app: &App) {
    let mut ticks = tokio::time::interval(SYSTEM_EVERY);
    while app
        .shutdown
        .run_until_cancelled(ticks.tick())
        .await
        .is_some()
    {
        sample_lags(app).await;
        if app.events.is_watched() {
            app.events.tell("system", json!({}), Audience::Box);
            app.events.tell("upstreams", json!({}), Audience::Box);
        }
    }
}

async fn sample_lags(app: &App) {
    let sampled = app.clone();
    let sample = move || {
        let upstreams = sampled.lrs.upstreams().list()?;
        sampled.lags.sample(&upstreams, sampled.now());
        Ok::<_, Problem>(())
    };
    if let Err(problem) = blocking(sample).await {
        problem.log();
    }
}
