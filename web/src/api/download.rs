//! Files that are made while they are downloaded: a blocking writer is joined to the answer by a bounded channel, so that
//! a slow reader slows it and a reader who leaves ends it.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderValue, header};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;

/// Bytes gathered before they are passed on.
const PIECE: usize = 256 * 1024;
/// Pieces that may wait for the reader.
const WAITING: usize = 4;

/// What `write` writes. When it fails, or the server stops, the answer is cut off: no reader takes a part for the whole.
pub(super) fn body(
    stop: CancellationToken,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()> + Send + 'static,
) -> Body {
    let (sender, receiver) = mpsc::channel(WAITING);
    let task = tokio::task::spawn_blocking(move || {
        let mut to = Pieces {
            sender: sender.clone(),
            piece: Vec::with_capacity(PIECE),
        };
        if let Err(error) = write(&mut to).and_then(|()| io::Write::flush(&mut to)) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    // The task ends by itself when the answer's body, and with it the receiver, is dropped.
    drop(task);
    Body::from_stream(pieces(receiver, stop))
}

/// The answer that a browser saves under a name.
pub(super) fn named(body: Body, name: &str, kind: &'static str) -> Result<Response, Problem> {
    let disposition = format!("attachment; filename=\"{name}\"");
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(disposition).map_err(Problem::internal)?,
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
                "nobody reads the answer any more",
            )
        })
    }
}
