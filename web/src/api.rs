//! `/api/v1`: one file for each thing it is about; each exports its `routes()`.

pub mod audit;
pub mod backup;
mod chapters;
mod chips;
pub mod credentials;
mod csv;
mod delivery;
pub mod erasures;
pub mod events;
pub mod evidence;
pub mod insight;
pub mod jobs;
pub mod keeping;
pub mod openapi;
pub mod people;
pub mod play;
pub mod record;
pub mod sample;
pub mod session;
pub mod settings;
pub mod setup;
pub mod shapes;
mod sources;
mod speech;
pub mod statements;
pub mod system;
pub mod texts;
pub mod time;
pub mod uploads;
pub mod upstreams;
pub mod videos;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Every route of the API. Paths are written whole (`/api/v1/…`) in each handler's description.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(audit::routes())
        .merge(backup::routes())
        .merge(texts::routes())
        .merge(chapters::routes())
        .merge(chips::routes())
        .merge(credentials::routes())
        .merge(erasures::routes())
        .merge(events::routes())
        .merge(evidence::routes())
        .merge(insight::routes())
        .merge(jobs::routes())
        .merge(keeping::routes())
        .merge(openapi::routes())
        .merge(people::routes())
        .merge(play::routes())
        .merge(record::routes())
        .merge(sample::routes())
        .merge(session::routes())
        .merge(settings::routes())
        .merge(setup::routes())
        .merge(sources::routes())
        .merge(speech::routes())
        .merge(statements::routes())
        .merge(delivery::routes())
        .merge(system::routes())
        .merge(uploads::routes())
        .merge(upstreams::routes())
        .merge(videos::routes())
}
