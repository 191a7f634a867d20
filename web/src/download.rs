//! Answers that are made while they are read: a blocking writer is joined to the answer by a bounded channel, so that a
//! slow reader slows it and a reader who leaves ends it.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderValue, header};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;

/// Bytes of a file gathered before they are passed on.
const FILE_PIECE: usize = 256 * 1024;
/// Bytes of a page; one that is shorter is answered with its length.
const PAGE_PIECE: usize = 64 * 1024;
/// Pieces that may wait for the reader.
const WAITING: usize = 4;
/// A page is read within this time, or cut off: while it is not, the store keeps what was there when it began.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `write` writes. When it fails, or the server stops, the answer is cut off: no reader takes a part for the whole.
pub(crate) fn body(
    stop: CancellationToken,
    write: impl FnOnce(&mut (dyn io::Write + Send)) -> io::Result<()> + Send + 'static,
) -> Body {
    Body::from_stream(pieces(written(FILE_PIECE, None, |to| write(to)), stop))
}

/// What is found before a page is written.
pub(crate) struct Page<H, R, W> {
    /// What is known before the first byte.
    pub head: H,
    /// Asked before the first byte leaves, while more is read already; blocks.
    pub ready: R,
    /// Who writes.
    pub write: W,
}

/// As [`body`], for what is mostly small and must not take long: what fails at once is an error and no answer, and what
/// fits into one piece has a length. All of it runs on one thread, because on a box that is busy each thread that is woken
/// may have to wait for its turn.
///
/// # Errors
/// Those of `find` and of [`Page::ready`], and of the writing before the first piece.
pub(crate) async fn page<H, R, W>(
    stop: CancellationToken,
    find: impl FnOnce() -> Result<Page<H, R, W>, Problem> + Send + 'static,
) -> Result<(H, Body), Problem>
where
    H: Send + 'static,
    R: FnOnce() -> Result<(), Problem> + Send + 'static,
    W: FnOnce(&mut (dyn io::Write + Send)) -> io::Result<()>,
{
    let (tell, mut told) = oneshot::channel();
    let mut receiver = written(PAGE_PIECE, Some(PATIENCE), move |to| {
        let Page { head, ready, write } = match find() {
            Ok(found) => found,
            Err(problem) => {
                // Where nobody waits for it any more, nobody reads what is written, either.
                let _ = tell.send(Err(problem));
                return Ok(());
            }
        };
        to.gate = Some(Box::new(move || {
            let ready = ready();
            let is_open = ready.is_ok();
            let _ = tell.send(ready.map(|()| head));
            match is_open {
                true => Ok(()),
                false => Err(io::Error::other("not to be answered")),
            }
        }));
        write(to)?;
        to.open()
    });
    let first = receiver.recv().await.transpose();
    // It is told before the first piece, unless there is none.
    let head = match (told.try_recv(), &first) {
        (Ok(head), _) => head?,
        (Err(_), Err(error)) => return Err(Problem::internal(error)),
        (Err(error), Ok(_)) => return Err(Problem::internal(error)),
    };
    let first = first.map_err(Problem::internal)?.unwrap_or_default();
    let body = match receiver.recv().await {
        None => Body::from(first),
        Some(second) => {
            let begun = stream::iter([Ok(first), second]);
            Body::from_stream(begun.chain(pieces(receiver, stop)))
        }
    };
    Ok((head, body))
}

/// The pieces of what is written, as they come.
fn written(
    size: usize,
    within: Option<Duration>,
    write: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static,
) -> mpsc::Receiver<Piece> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let until = within.map(|within| Instant::now() + within);
    let task = tokio::task::spawn_blocking(move || {
        let mut to = Pieces {
            sender: sender.clone(),
            piece: Vec::with_capacity(size),
            size,
            until,
            gate: None,
        };
        if let Err(error) = write(&mut to).and_then(|()| io::Write::flush(&mut to)) {
            // Nobody reads it any more, or has a place free for it.
            let _ = sender.try_send(Err(error));
        }
    });
    // The task ends by itself when the answer's body, and with it the receiver, is dropped.
    drop(task);
    receiver
}

/// The answer that a browser saves under a name.
pub(crate) fn named(body: Body, name: &str, kind: &'static str) -> Result<Response, Problem> {
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
type Gate = Box<dyn FnOnce() -> io::Result<()> + Send>;

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
    size: usize,
    /// When whoever reads must be done.
    until: Option<Instant>,
    /// Asked before the first piece leaves.
    gate: Option<Gate>,
}

impl Pieces {
    fn open(&mut self) -> io::Result<()> {
        self.gate.take().map_or(Ok(()), |gate| gate())
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= self.size {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        self.open()?;
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(self.size));
        let piece = Ok(Bytes::from(piece));
        let gone = |_| {
            let message = "nobody reads the answer any more";
            io::Error::new(io::ErrorKind::BrokenPipe, message)
        };
        let Some(until) = self.until else {
            return self.sender.blocking_send(piece).map_err(gone);
        };
        let sent = tokio::time::timeout_at(until, self.sender.send(piece));
        match Handle::current().block_on(sent) {
            Ok(sent) => sent.map_err(gone),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use axum::body::HttpBody;
    use http_body_util::BodyExt;

    use crate::problem::Status;

    fn stop() -> CancellationToken {
        CancellationToken::new()
    }

    /// A page of what is written, under a head.
    async fn page<W>(write: W) -> Result<(u8, Body), Problem>
    where
        W: FnOnce(&mut (dyn io::Write + Send)) -> io::Result<()> + Send + 'static,
    {
        let (head, ready) = (7, || Ok(()));
        super::page(stop(), move || Ok(Page { head, ready, write })).await
    }

    #[tokio::test]
    async fn a_small_page_has_a_length_and_a_large_one_comes_in_pieces() {
        let (head, small) = page(|to| to.write_all(b"{}")).await.unwrap();
        assert_eq!((head, small.size_hint().exact()), (7, Some(2)));
        let large = page(|to| (0..40).try_for_each(|_| to.write_all(&[7; 10_000])));
        let (_, mut large) = large.await.unwrap();
        assert_eq!(large.size_hint().exact(), None);
        let (mut pieces, mut bytes) = (0, 0);
        while let Some(frame) = large.frame().await {
            pieces += 1;
            bytes += frame.unwrap().into_data().unwrap().len();
        }
        assert!(pieces > 4, "{pieces}");
        assert_eq!(bytes, 400_000);
    }

    #[tokio::test]
    async fn what_fails_at_once_is_no_answer_and_later_the_answer_is_cut_off() {
        type Ready = fn() -> Result<(), Problem>;
        type Write = fn(&mut (dyn io::Write + Send)) -> io::Result<()>;
        let no = || Problem::bad_request("No.");
        let found = super::page::<(), Ready, Write>(stop(), move || Err(no())).await;
        assert_eq!(found.unwrap_err().status(), Status::BadRequest);
        for bytes in [0, 1, 3 * PAGE_PIECE] {
            let found = super::page(stop(), move || {
                let write = move |to: &mut (dyn io::Write + Send)| to.write_all(&vec![7; bytes]);
                let ready = move || Err(no());
                Ok(Page {
                    head: (),
                    ready,
                    write,
                })
            });
            assert_eq!(found.await.unwrap_err().status(), Status::BadRequest);
        }
        let failed = page(|_| Err(io::Error::other("disk"))).await;
        assert_eq!(failed.unwrap_err().status(), Status::Internal);
        let cut = page(|to| {
            to.write_all(&[7; 3 * PAGE_PIECE])?;
            Err(io::Error::other("disk"))
        });
        assert!(cut.await.unwrap().1.collect().await.is_err());
    }

    #[tokio::test]
    async fn who_leaves_or_does_not_read_ends_the_writer() {
        for patience in [None, Some(Duration::from_millis(50))] {
            let (ended, end) = tokio::sync::oneshot::channel();
            let receiver = written(1, patience, move |to| {
                let why = std::iter::repeat_with(|| to.write_all(b"more"))
                    .find_map(Result::err)
                    .map(|error| error.kind());
                let _ = ended.send(why);
                Ok(())
            });
            // Kept, and never read from; or gone.
            let _kept = patience.is_some().then_some(receiver);
            let why = match patience {
                Some(_) => io::ErrorKind::TimedOut,
                None => io::ErrorKind::BrokenPipe,
            };
            assert_eq!(end.await.unwrap(), Some(why));
        }
    }
}
