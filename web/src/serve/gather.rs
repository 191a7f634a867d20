//! Gathers what HTTP/2 writes until the connection's turn is over.
//!
//! HTTP/2 writes each frame of 16 KiB by itself and flushes after it. Over TLS that makes two records
//! of it, one of them of nine bytes, and a system call. So a flush waits here for the end of the turn,
//! and frames leave as full records, several at a time: a tenth less processor time for segments.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::slices::SHORT;

/// What is gathered at most: eight TLS records (RFC 8446, 5.1).
const MOST: usize = 8 << 14;

/// A stream whose writes are gathered.
pub(super) struct Gathered<S>(Arc<Mutex<Gathering<S>>>);

struct Gathering<S> {
    stream: S,
    held: Vec<u8>,
    /// Bytes of those that the stream has taken
    taken: usize,
}

/// Gathers for `stream` as long as [`turns`] runs with the other half.
pub(super) fn gather<S>(stream: S) -> (Gathered<S>, Gathered<S>) {
    let shared = Arc::new(Mutex::new(Gathering {
        stream,
        held: Vec::new(),
        taken: 0,
    }));
    (Gathered(shared.clone()), Gathered(shared))
}

/// Drives a connection, and sends what each of its turns has left.
pub(super) async fn turns<F: Future, S: AsyncWrite + Unpin>(
    connection: F,
    stream: Gathered<S>,
) -> F::Output {
    let mut connection = std::pin::pin!(connection);
    std::future::poll_fn(|context| {
        let ended = connection.as_mut().poll(context);
        let mut gathering = stream.lock();
        // An error meets the connection at its next write, too.
        if gathering.poll_send(context).is_ready() {
            // Those that are idle hold nothing.
            gathering.held = Vec::new();
        }
        ended
    })
    .await
}

impl<S> Gathered<S> {
    fn lock(&self) -> MutexGuard<'_, Gathering<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Gathering<S> {
    /// Takes what there is room for.
    fn poll_hold(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.held.len() == MOST {
            ready!(self.poll_hand_over(context))?;
        }
        let count = bytes.len().min(MOST - self.held.len());
        if count > MOST / 16 {
            self.held.reserve_exact(MOST - self.held.len());
        }
        // In short pieces: see `slices`.
        for piece in bytes.get(..count).unwrap_or_default().chunks(SHORT) {
            self.held.extend_from_slice(piece);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_hand_over(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.held.get(self.taken..).filter(|rest| !rest.is_empty()) {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.taken += count;
        }
        self.held.clear();
        self.taken = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hand_over(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.lock().poll_hold(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut gathering = self.lock();
        let mut all = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match gathering.poll_hold(context, slice) {
                Poll::Ready(Ok(count)) => {
                    all += count;
                    // The next slice comes behind the rest of this one.
                    if count < slice.len() {
                        break;
                    }
                }
                // What is held already counts; the rest comes again.
                Poll::Pending | Poll::Ready(Err(_)) if all > 0 => break,
                other => return other,
            }
        }
        Poll::Ready(Ok(all))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Waits for the end of the turn: see [`turns`].
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gathering = self.lock();
        ready!(gathering.poll_send(context))?;
        Pin::new(&mut gathering.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn all_that_is_written_arrives_in_order_however_narrow_the_way() {
        for (width, size) in [(1, 16_393), (1000, 16_393), (MOST, 10), (MOST * 4, 16_393)] {
            let (near, mut far) = duplex(width);
            let (mut inner, outer) = gather(near);
            let (arrived, all_arrived) = tokio::sync::oneshot::channel::<()>();
            let sent: Vec<u8> = (0..MOST * 3 + 5).map(|n| (n % 253) as u8).collect();
            let writing = {
                let sent = sent.clone();
                async move {
                    for part in sent.chunks(size) {
                        let (head, body) = part.split_at(part.len().min(9));
                        let slices = [IoSlice::new(head), IoSlice::new(body)];
                        let count = inner.write_vectored(&slices).await.unwrap();
                        inner.write_all(&part[count..]).await.unwrap();
                        inner.flush().await.unwrap();
                    }
                    // Nothing is closed: what is still held leaves with the turn.
                    all_arrived.await.unwrap();
                    inner
                }
            };
            let reading = async {
                let mut found = vec![0; sent.len()];
                far.read_exact(&mut found).await.unwrap();
                arrived.send(()).unwrap();
                found
            };
            let (_inner, found) = tokio::join!(turns(writing, outer), reading);
            assert_eq!(found, sent, "{width} {size}");
        }
    }

    #[tokio::test]
    async fn a_flush_alone_sends_nothing_before_the_turn_is_over() {
        let (near, mut far) = duplex(1 << 20);
        let (mut inner, outer) = gather(near);
        let (whole, count) = tokio::join!(
            turns(
                async move {
                    for _ in 0..3 {
                        inner.write_all(&[1; 10]).await.unwrap();
                        inner.flush().await.unwrap();
                    }
                    inner
                },
                outer
            ),
            async { far.read(&mut [0; 100]).await.unwrap() }
        );
        drop(whole);
        assert_eq!(count, 30);
    }

    #[tokio::test]
    async fn a_stream_that_breaks_is_an_error_of_the_next_write() {
        let (near, far) = duplex(10);
        let (mut inner, outer) = gather(near);
        drop(far);
        let written = turns(async move { inner.write_all(&[0; MOST * 2]).await }, outer).await;
        assert!(written.is_err());
    }
}
