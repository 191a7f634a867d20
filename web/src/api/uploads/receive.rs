//! The bytes of a request into an upload. The network is read here, the disk is written on a thread
//! of its own, with a few pieces between them. Whatever ends it – the client, the network, the box –
//! what has come counts, unless it came with a checksum.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use lectern_library::{Appender, Error, UploadId, UploadInfo};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::protocol::Piece;
use crate::app::App;
use crate::extract::blocking;
use crate::problem::{Problem, Status};

/// Pieces that may wait for the disk; the network waits beyond.
const WAITING: usize = 16;
/// How long the request before may take to let go of the upload.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);

enum Message {
    Bytes(Bytes),
    /// The request was read to its end.
    End,
}

/// Why the bytes end.
enum Ending {
    /// The client sent all it announced.
    Whole,
    /// The connection broke, the client came back on another, or a bound was met.
    Broken(Problem),
}

/// Appends a request's body.
pub(super) async fn receive(
    app: &App,
    id: UploadId,
    piece: Piece,
    body: Body,
) -> Result<UploadInfo, Problem> {
    let appender = claim(app, id, piece.offset).await?;
    let appender = match piece.checksum {
        Some(_) => appender.all_or_nothing(),
        None => appender,
    };
    let mut interrupted = appender.interrupted();
    let (sender, receiver) = mpsc::channel(WAITING);
    let writer = tokio::task::spawn_blocking({
        let app = app.clone();
        move || write(&app, appender, receiver, &piece)
    });
    let mut stream = body.into_data_stream();
    let ending = loop {
        let chunk = tokio::select! {
            chunk = stream.next() => chunk,
            Ok(_) = interrupted.wait_for(|asked| *asked) => {
                break Ending::Broken(Problem::conflict("The upload goes on over another connection."));
            }
            () = app.shutdown.cancelled() => {
                let problem = Problem::new(Status::Unavailable, "The box stops. What came so far is kept.");
                break Ending::Broken(problem.retry_after(5));
            }
        };
        match chunk {
            None => break Ending::Whole,
            Some(Err(error)) => {
                let problem =
                    Problem::bad_request("The request broke off. What came so far is kept.");
                break Ending::Broken(problem.because(error));
            }
            Some(Ok(bytes)) => {
                if sender.send(Message::Bytes(bytes)).await.is_err() {
                    // The writer has given up; it says why.
                    break Ending::Whole;
                }
            }
        }
    };
    if matches!(ending, Ending::Whole) {
        // A writer that has given up says why below.
        let _ = sender.send(Message::End).await;
    }
    drop(sender);
    let written = writer.await.map_err(Problem::internal)?;
    match ending {
        Ending::Whole => written,
        Ending::Broken(problem) => Err(problem),
    }
}

/// Throws an upload away, after asking a request that may still write to it to stop.
pub(super) async fn terminate(app: &App, id: UploadId) -> Result<(), Problem> {
    patiently(app, id, move |app| app.library.terminate_upload(id)).await
}

/// The right to write: when a client comes back on a new connection, the old one, which may not know
/// yet that it is dead, gives it up.
async fn claim(app: &App, id: UploadId, offset: u64) -> Result<Appender, Problem> {
    patiently(app, id, move |app| {
        app.library.append(id, offset, app.now())
    })
    .await
}

async fn patiently<T, F>(app: &App, id: UploadId, work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: Fn(&App) -> Result<T, Error> + Clone + Send + 'static,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (app, work) = (app.clone(), work.clone());
        let is_late = Instant::now() > deadline;
        let done = blocking(move || match work(&app) {
            Err(Error::Busy) if !is_late => {
                app.library.interrupt_upload(id);
                Ok(None)
            }
            other => other.map(Some),
        });
        if let Some(done) = done.await? {
            return Ok(done);
        }
        sleep(LOOK).await;
    }
}

fn write(
    app: &App,
    mut appender: Appender,
    mut receiver: mpsc::Receiver<Message>,
    piece: &Piece,
) -> Result<UploadInfo, Problem> {
    let mut hasher = piece.checksum.as_ref().map(|checksum| checksum.hasher());
    let is_whole = loop {
        match receiver.blocking_recv() {
            Some(Message::Bytes(bytes)) => {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&bytes);
                }
                appender.write(&bytes, app.now())?;
            }
            Some(Message::End) => break true,
            None => break false,
        }
    };
    let is_right = hasher.is_none_or(|hasher| is_whole && hasher.matches());
    if !is_right {
        appender.discard()?;
        let detail = "The bytes do not match their checksum and were thrown away. Send them again.";
        return Err(Problem::new(Status::Checksum, detail));
    }
    Ok(appender.finish(app.now())?)
}
