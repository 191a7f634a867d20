//! Hands what is written to TLS on in short slices.
//!
//! A record's bytes are copied before they are encrypted, and glibc copies more than four KiB at once by one
//! instruction (`rep movsb`) that AMD's processors since Zen 3 do many times slower where target and source lie alike
//! in their pages (glibc bug 30994, mended in 2.39; Debian 12 has 2.36). Bodies lie like that. Short copies are not made
//! that way: half the processor time of a segment.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Below glibc's bound on every processor.
pub(super) const SHORT: usize = 2048;
/// As much as TLS takes at a time: 64 KiB (rustls' bound on what waits to be sent).
const MOST: usize = 32;

/// A stream whose writes come in short slices.
pub(super) struct Slices<S>(pub(super) S);

impl<S: AsyncRead + Unpin> AsyncRead for Slices<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Slices<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut short = [IoSlice::new(&[]); MOST];
        let pieces = slices.iter().flat_map(|slice| slice.chunks(SHORT));
        let mut count = 0;
        for (place, piece) in short.iter_mut().zip(pieces) {
            *place = IoSlice::new(piece);
            count += 1;
        }
        let short = short.get(..count).unwrap_or_default();
        Pin::new(&mut self.0).poll_write_vectored(context, short)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn all_that_is_written_arrives_in_order_however_long() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT * MOST + 7, SHORT * MOST * 3] {
            let (near, mut far) = duplex(50_000);
            let sent: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let writing = async {
                let mut near = Slices(near);
                let (head, body) = sent.split_at(length.min(9));
                let both = [IoSlice::new(head), IoSlice::new(body)];
                let count = near.write_vectored(&both).await.unwrap();
                near.write_all(&sent[count..]).await.unwrap();
                near.shutdown().await.unwrap();
            };
            let mut found = Vec::new();
            let (_, read) = tokio::join!(writing, far.read_to_end(&mut found));
            read.unwrap();
            assert_eq!(found, sent, "{length}");
        }
    }
}
