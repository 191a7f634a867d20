//! The evidence as it stands: the chain of records, its signed heads, whether both hold, and an export that any machine
//! can check.

use std::io;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use lectern_lrs::evidence::{Head, Standing, Verified};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::download;
use crate::extract::{Params, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(evidence))
        .routes(routes!(export))
        .routes(routes!(sign))
        .routes(routes!(verify))
}

/// How the evidence stands
#[derive(Serialize, ToSchema)]
#[schema(as = Evidence)]
struct EvidenceOut {
    /// Records in the chain
    entries: u64,
    /// Records behind the last signed head
    unsigned: u64,
    /// The fingerprint of the box's key: SHA-256, 64 hexadecimal digits
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Whether the box's key is here, so that heads can be signed
    can_sign: bool,
    /// The last signed head
    #[serde(skip_serializing_if = "Option::is_none")]
    last_head: Option<HeadOut>,
    /// The last verification
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<VerifiedOut>,
    /// The verification under way
    #[serde(skip_serializing_if = "Option::is_none")]
    verifying: Option<VerifyingOut>,
}

/// A signed head
#[derive(Serialize, ToSchema)]
#[schema(as = EvidenceHead)]
struct HeadOut {
    /// Counts from 1
    number: u64,
    /// The day it was signed for, when nobody asked for it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    day: Option<String>,
    /// The last record that it covers
    sequence: u64,
    /// When that record was stored
    #[schema(format = DateTime)]
    stored: String,
    /// When the head was signed
    #[schema(format = DateTime)]
    signed: String,
    /// Its hash: whoever keeps it can ask for it later (`lecternd verify --head`)
    hash: String,
}

/// What a verification found
#[derive(Serialize, ToSchema)]
#[schema(as = EvidenceVerified)]
struct VerifiedOut {
    /// When it ended
    #[schema(format = DateTime)]
    at: String,
    /// Whether all of it holds
    is_whole: bool,
    /// Which record or head does not fit, and what that means
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Records looked at
    entries: u64,
    /// Of these, whose statement is erased
    erased: u64,
    /// Heads
    heads: u64,
}

/// A verification under way
#[derive(Serialize, ToSchema)]
#[schema(as = EvidenceVerifying)]
struct VerifyingOut {
    /// Records looked at
    done: u64,
    /// Records there were when it began
    total: u64,
}

impl From<Standing> for EvidenceOut {
    fn from(standing: Standing) -> Self {
        let signed = standing.last.as_ref().map_or(0, |head| head.sequence);
        Self {
            entries: standing.entries,
            unsigned: standing.entries.saturating_sub(signed),
            key: standing.key.map(|key| key.to_string()),
            can_sign: standing.can_sign,
            last_head: standing.last.as_ref().map(HeadOut::from),
            verified: standing.verified.map(VerifiedOut::from),
            verifying: standing.verifying.map(|progress| VerifyingOut {
                done: progress.done,
                total: progress.total,
            }),
        }
    }
}

impl From<&Head> for HeadOut {
    fn from(head: &Head) -> Self {
        Self {
            number: head.number,
            day: head.day.map(|day| day.to_string()),
            sequence: head.sequence,
            stored: time::text(head.stored),
            signed: time::text(head.signed),
            hash: head.hash().to_string(),
        }
    }
}

impl From<Verified> for VerifiedOut {
    fn from(verified: Verified) -> Self {
        Self {
            at: time::text(verified.at),
            is_whole: verified.error.is_none(),
            error: verified.error,
            entries: verified.report.entries,
            erased: verified.report.erased,
            heads: verified.report.heads,
        }
    }
}

/// How the evidence stands
#[utoipa::path(get, path = "/api/v1/evidence", tag = "records", responses(
    (status = 200, description = "Chain, heads, verification", body = EvidenceOut)))]
async fn evidence(State(app): State<App>) -> Result<Json<EvidenceOut>, Problem> {
    let standing = blocking(move || app.evidence.standing()).await?;
    Ok(Json(standing.into()))
}

/// Sign a head now
#[utoipa::path(post, path = "/api/v1/evidence/heads", tag = "records", responses(
    (status = 201, description = "Signed", body = HeadOut),
    (status = 409, description = "Nothing was stored since the last head, or the key is not here", body = ProblemDocument, content_type = "application/problem+json")))]
async fn sign(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    blocking(move || {
        let Some(head) = app.evidence.sign(app.now())? else {
            return Err(Problem::conflict(
                "Nothing was stored since the last head: there is nothing to sign.",
            ));
        };
        let on = Some(format!("head:{}", head.number));
        let detail = Some(format!("record {} {}", head.sequence, head.hash()));
        caller.audit(&app, "evidence.sign", on, detail)?;
        Ok((StatusCode::CREATED, Json(HeadOut::from(&head))).into_response())
    })
    .await
}

/// Verify the whole chain, in the background
#[utoipa::path(post, path = "/api/v1/evidence/verify", tag = "records", responses(
    (status = 202, description = "Begun; how it goes and what it found is in the evidence", body = EvidenceOut),
    (status = 409, description = "Another one is under way", body = ProblemDocument, content_type = "application/problem+json")))]
async fn verify(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    blocking(move || {
        if !app.evidence.ask_for_verification()? {
            return Err(Problem::conflict(
                "A verification is under way. Wait until it has ended.",
            ));
        }
        caller.audit(&app, "evidence.verify", None, None)?;
        let standing = EvidenceOut::from(app.evidence.standing()?);
        Ok((StatusCode::ACCEPTED, Json(standing)).into_response())
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// The statements themselves as well, with names and results where others wrote them in
    bodies: Option<bool>,
}

/// Download the evidence, to check it on another machine
#[utoipa::path(get, path = "/api/v1/evidence/export", tag = "records", params(ExportQuery), responses(
    (status = 200, description = "One JSON object a line; cut off when it could not be finished", content_type = "application/x-ndjson", body = Vec<u8>),
    (status = 409, description = "Another one is being made, or the key is not here", body = ProblemDocument, content_type = "application/problem+json")))]
async fn export(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ExportQuery>,
) -> Result<Response, Problem> {
    let Ok(turn) = app.evidence_turn.clone().try_acquire_owned() else {
        return Err(Problem::conflict(
            "An export is being made already. Wait until it has ended.",
        ));
    };
    if !app.evidence.can_sign() {
        return Err(lectern_lrs::evidence::Error::NoKey.into());
    }
    let bodies = query.bodies.unwrap_or(false);
    let audited = app.clone();
    let identity = blocking(move || {
        let (on, detail) = match bodies {
            true => (Some("everyone".to_owned()), "with statements"),
            false => (None, "without statements"),
        };
        caller.audit(&audited, "evidence.export", on, Some(detail.to_owned()))?;
        Ok::<_, Problem>(audited.lms.identity()?)
    })
    .await?;
    let (now, stop) = (app.now(), app.shutdown.clone());
    let evidence = app.evidence.clone();
    let body = download::body(stop, move |to| {
        let _turn = turn;
        match evidence.export(&identity, bodies, now, to) {
            Ok(_) => Ok(()),
            // Nobody reads it any more.
            Err(lectern_lrs::evidence::Error::Io(error)) => Err(error),
            Err(error) => {
                tracing::error!(event = "evidence.export", %error);
                Err(io::Error::other("the export could not be finished"))
            }
        }
    });
    let name = format!("lectern-evidence-{}.ndjson", now.strftime("%Y-%m-%d"));
    download::named(body, &name, "application/x-ndjson")
}
