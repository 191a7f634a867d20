//! The HTTP surface: the only place where the media machine and the records machine meet.
//!
//! Everything outside reaches Lectern through here: the API, the record store's standard routes,
//! the media, the pages. No business rule lives here; a handler parses, asks a room, prints.
//! Who may call what stands in one table ([`roles::TABLE`]).
#![forbid(unsafe_code)]

pub mod access;
pub mod api;
pub mod app;
pub mod auth;
pub mod chips;
pub mod client;
mod download;
pub mod events;
pub mod extract;
mod front;
mod guard;
mod headers;
mod health;
pub mod media;
pub mod metrics;
mod plain_http;
pub mod problem;
pub mod roles;
mod router;
pub mod serve;
pub mod tls;
mod tls_pages;
mod ui;
mod xapi;

pub use app::{App, Config, Parts, Sample};
pub use problem::{Problem, Status};
pub use router::{openapi, router};
pub use serve::{Listeners, serve};
