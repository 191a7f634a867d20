//! `GET /api/v1/system/backup`: one archive of everything, as it is being made.
//!
//! The archive's code is the daemon's. Here its blocking writer is joined to the answer by a bounded
//! channel: a slow reader slows the backup, a reader who leaves ends it.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderValue, header};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::extract::blocking;
use crate::problem::{Problem, ProblemDocument, Status};

/// Bytes gathered before they are passed on.
const PIECE: usize = 256 * 1024;
/// Pieces that may wait for the reader.
const WAITING: usize = 4;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(backup))
}

/// Make a backup and download it
#[utoipa::path(get, path = "/api/v1/system/backup", tag = "system", responses(
    (status = 200, description = "The archive; cut off when it could not be finished", content_type = "application/x-tar", body = Vec<u8>),
    (status = 409, description = "Another one is being made", body = ProblemDocument, content_type = "application/problem+json")))]
async fn backup(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let Some(write) = app.config.backup.clone() else {
        return Err(Problem::new(
            Status::NotImplemented,
            "This build makes no backups over HTTP.",
        ));
    };
    let Ok(turn) = app.backup_turn.clone().try_acquire_owned() else {
        return Err(Problem::conflict(
            "A backup is being made already. Wait until it has ended.",
        ));
    };
    let (audited, stop, now) = (app.clone(), app.shutdown.clone(), app.now());
    let lms = app.lms.clone();
    blocking(move || caller.audit(&audited, "backup.download", None, None)).await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let task = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut to = Pieces {
            sender: sender.clone(),
            piece: Vec::with_capacity(PIECE),
        };
        let made = write(&mut to)
            .and_then(|()| io::Write::flush(&mut to).map_err(|error| error.to_string()));
        if let Err(error) = made {
            tracing::error!(event = "backup_failed", "{error}");
            // The reader must not take a cut archive for a whole one.
            let _ = sender.blocking_send(Err(io::Error::other("the backup could not be finished")));
        } else if let Err(error) = lms.note_backup(now) {
            // The archive is whole all the same.
            tracing::warn!(event = "backup_not_noted", %error);
        }
    });
    // The task ends by itself when the answer's body, and with it the receiver, is dropped.
    drop(task);
    let body = Body::from_stream(pieces(receiver, stop));
    let name = format!(
        "attachment; filename=\"lectern-{}.tar\"",
        now.strftime("%Y-%m-%d")
    );
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-tar"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(name).map_err(Problem::internal)?,
    );
    Ok(response)
}

type Piece = Result<Bytes, io::Error>;

/// The pieces, cut off with an error when the server stops first.
fn pieces(receiver: mpsc::Receiver<Piece>, stop: CancellationToken) -> impl Stream<Item = Piece> {
    stream::unfold(Some(receiver), move |receiver| {
        let stop = stop.clone();
        async move {
            let mut receiver = receiver?;
            tokio::select! {
                () = stop.cancelled() => Some((Err(io::Error::other("the server stops")), None)),
                piece = receiver.recv() => piece.map(|piece| (piece, Some(receiver))),
            }
        }
    })
}

/// Gathers what is written into pieces of a size that is worth a frame.
struct Pieces {
    sender: mpsc::Sender<Piece>,
    piece: Vec<u8>,
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(Bytes::from(piece)));
        sent.map_err(|_| {
            io::Error::new(
                io::ErrorKind::BrokenPipe,
                "nobody reads the backup any more",
            )
        })
    }
}
