//! What this machine's chips can do, in words: which are used, and of each that is not, why.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_vod::hardware::{Coder, Family, FamilyReport, Trial, Work};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use crate::app::App;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(chips, again))
}

/// What this machine's chips can do
#[derive(Serialize, ToSchema)]
#[schema(as = Chips)]
struct ChipsOut {
    /// Whether they are being tried just now; nothing else is known then
    trying: bool,
    /// When they were tried
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    tried: Option<String>,
    /// The machine
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<MachineOut>,
    /// Each way to a chip, the one to be preferred first
    families: Vec<FamilyOut>,
}

/// The machine
#[derive(Serialize, ToSchema)]
#[schema(as = Machine)]
struct MachineOut {
    /// The processor's name for itself
    processor: String,
    /// Threads that run at once
    cores: usize,
    /// RAM
    memory_bytes: u64,
    /// The kernel's release
    kernel: String,
}

/// A way to a chip
#[derive(Serialize, ToSchema)]
#[schema(as = ChipFamily)]
struct FamilyOut {
    /// Its stable name
    #[schema(value_type = FamilyName)]
    id: Family,
    /// For a person
    title: String,
    /// Why it leads nowhere or only half the way, and what would help
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What it offers
    coders: Vec<CoderOut>,
}

/// Which way
#[derive(ToSchema)]
#[schema(as = ChipFamilyName, rename_all = "lowercase")]
#[expect(dead_code, reason = "for the description alone")]
enum FamilyName {
    Nvidia,
    Qsv,
    Vaapi,
    V4l2,
}

/// One codec of a chip
#[derive(Serialize, ToSchema)]
#[schema(as = ChipCoder)]
struct CoderOut {
    /// GStreamer's name of it
    element: String,
    /// For a person
    codec: String,
    /// Whether it encodes; otherwise it decodes
    encodes: bool,
    /// Frames a second of a test clip of 1280 × 720; none where it cannot be used
    #[serde(skip_serializing_if = "Option::is_none")]
    frames_per_second: Option<f64>,
    /// Why it cannot be used
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What this machine's chips can do
#[utoipa::path(get, path = "/api/v1/system/chips", tag = "system", responses(
    (status = 200, description = "Each way to a chip, and what it offers or why it does not", body = ChipsOut)))]
async fn chips(State(app): State<App>) -> Json<ChipsOut> {
    let Some(known) = app.chips.known() else {
        return Json(ChipsOut {
            trying: true,
            tried: None,
            machine: None,
            families: Vec::new(),
        });
    };
    let machine = &known.machine;
    Json(ChipsOut {
        trying: false,
        tried: Some(time::text(known.made)),
        machine: Some(MachineOut {
            processor: machine.processor.clone(),
            cores: machine.cores,
            memory_bytes: machine.memory_bytes,
            kernel: machine.kernel.clone(),
        }),
        families: known.families.iter().map(family).collect(),
    })
}

/// Try all chips again
#[utoipa::path(post, path = "/api/v1/system/chips", tag = "system", responses(
    (status = 202, description = "They are being tried; `GET` says when that is done")))]
async fn again(State(app): State<App>) -> StatusCode {
    app.chips.try_again();
    StatusCode::ACCEPTED
}

fn family(report: &FamilyReport) -> FamilyOut {
    FamilyOut {
        id: report.family,
        title: report.family.title().to_owned(),
        why: report.refusal.as_ref().map(ToString::to_string),
        coders: report.coders.iter().map(coder).collect(),
    }
}

fn coder(Coder { offer, trial }: &Coder) -> CoderOut {
    let (frames_per_second, why) = match trial {
        Trial::Works {
            frames_per_second, ..
        } => (Some(*frames_per_second), None),
        Trial::Refused(refusal) => (None, Some(refusal.to_string())),
    };
    CoderOut {
        element: offer.element.clone(),
        codec: offer.codec.title().to_owned(),
        encodes: offer.work == Work::Encode,
        frames_per_second,
        why,
    }
}
