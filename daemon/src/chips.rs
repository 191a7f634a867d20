//! Finds out what the machine's chips can do, once for each change of machine, driver or program, and remembers it in
//! the state folder (`capabilities.json`).

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use lectern_vod::hardware::Capabilities;
use lectern_vod::hardware::ask::Asker;
use lectern_vod::hardware::facts::Machine;
use lectern_web::App;
use lectern_web::events::Audience;
use tokio_util::sync::CancellationToken;

const FILE: &str = "capabilities.json";
/// A chip that takes longer for two seconds of video is of no use.
const PATIENCE: Duration = Duration::from_secs(20);

/// Finds out at the start, and again whenever somebody asks, until cancelled.
pub async fn run(app: App, stop: CancellationToken) {
    let mut is_asked = false;
    loop {
        let (state, version) = (app.config.state.clone(), app.config.version.clone());
        let found = tokio::task::spawn_blocking(move || find(&state, &version, is_asked));
        tokio::select! {
            () = stop.cancelled() => return,
            found = found => match found {
                Ok(found) => app.chips.learn(found),
                Err(error) => tracing::error!(event = "chips.lost", %error),
            },
        }
        app.events
            .tell("system", serde_json::json!({}), Audience::Box);
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.chips.wanted() => is_asked = true,
        }
    }
}

fn find(state: &Path, version: &str, is_asked: bool) -> Capabilities {
    let machine = Machine::read();
    let file = state.join(FILE);
    if !is_asked
        && let Ok(kept) = read(&file)
        && kept.holds_for(&machine, version)
    {
        return kept;
    }
    let asker = Asker::this_program(PATIENCE);
    let found = Capabilities::find(&asker, machine, version, Timestamp::now());
    for (family, offer) in found.working() {
        tracing::info!(
            event = "chips.works",
            family = family.title(),
            element = offer.element
        );
    }
    // What is not remembered is found out again.
    if let Err(error) = write(&file, &found) {
        tracing::warn!(event = "chips.not_kept", %error);
    }
    found
}

fn read(file: &Path) -> io::Result<Capabilities> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

fn write(file: &Path, found: &Capabilities) -> io::Result<()> {
    let half = file.with_extension("part");
    fs::write(&half, serde_json::to_vec_pretty(found)?)?;
    fs::rename(half, file)
}
