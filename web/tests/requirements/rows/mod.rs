//! The table, one file an area.

mod activities;
mod actors;
mod alternate;
mod attachments;
mod context;
mod data_types;
mod documents;
mod filters;
mod formats;
mod lifecycle;
mod multipart;
mod objects;
mod protocol;
mod resources;
mod results;
mod rights;
mod signatures;
mod statements;
mod store;
mod verbs;
mod versions;
mod voiding;

use crate::row::Row;

/// Every row, by area.
pub fn all() -> Vec<(&'static str, Vec<Row>)> {
    vec![
        ("statements", statements::rows()),
        ("actors", actors::rows()),
        ("verbs", verbs::rows()),
        ("activities and interactions", activities::rows()),
        ("other objects", objects::rows()),
        ("results", results::rows()),
        ("contexts", context::rows()),
        ("data types", data_types::rows()),
        ("immutability and comparison", lifecycle::rows()),
        ("voiding", voiding::rows()),
        ("attachments", attachments::rows()),
        ("multipart", multipart::rows()),
        ("signatures", signatures::rows()),
        ("PUT and POST of statements", store::rows()),
        ("GET of statements", filters::rows()),
        ("formats and languages", formats::rows()),
        ("documents", documents::rows()),
        ("Activities, Agents, About", resources::rows()),
        ("requests and errors", protocol::rows()),
        ("versions", versions::rows()),
        ("alternate request syntax", alternate::rows()),
        ("credentials and scopes", rights::rows()),
    ]
}
