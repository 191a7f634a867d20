//! A file's bytes as the body of an answer. What the page cache holds is read where the answer is
//! sent; only for what it does not a thread waits for the disk.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use prometheus::IntCounter;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

/// Bytes read at a time: enough that a read costs little, and so few that they are still in the processor's cache
/// when they are encrypted (128 KiB: a tenth slower).
const CHUNK: usize = 64 * 1024;

/// Part of a file.
#[derive(Debug)]
pub(super) struct Pages {
    file: Arc<File>,
    at: u64,
    left: u64,
    /// A read that waits for the disk
    waiting: Option<JoinHandle<io::Result<Bytes>>>,
    sent: IntCounter,
}

impl Pages {
    /// `count` bytes from `first` on; `sent` counts them.
    pub(super) fn new(file: File, first: u64, count: u64, sent: IntCounter) -> Self {
        Self {
            file: Arc::new(file),
            at: first,
            left: count,
            waiting: None,
            sent,
        }
    }

    /// As many of the next bytes as there are in memory; `None` when there are none.
    fn read_now(&self) -> Option<io::Result<Bytes>> {
        let mut room = Room::new(self.left);
        let into = &mut [IoSliceMut::new(room.as_mut())];
        match preadv2(&self.file, into, self.at, ReadWriteFlags::NOWAIT) {
            Ok(count) => Some(room.taken(count)),
            // Some file systems cannot say.
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INTR | Errno::NOSYS) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    /// The same, from the disk.
    fn read_later(&self) -> JoinHandle<io::Result<Bytes>> {
        let (file, at, mut room) = (self.file.clone(), self.at, Room::new(self.left));
        tokio::task::spawn_blocking(move || {
            let count = file.read_at(room.as_mut(), at)?;
            room.taken(count)
        })
    }

    fn passed(&mut self, read: io::Result<Bytes>) -> io::Result<Frame<Bytes>> {
        let bytes = read?;
        let count = bytes.len() as u64;
        self.at += count;
        self.left = self.left.saturating_sub(count);
        self.sent.inc_by(count);
        Ok(Frame::data(bytes))
    }
}

/// Rooms that nobody uses, the one left last on top: it is still in the processor's cache, and need not be
/// cleared.
static ROOMS: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());
/// More than so many are given back to the system.
const MOST_ROOMS: usize = 128;

/// Where a read goes; kept for the next one when the bytes have left.
struct Room {
    bytes: Box<[u8]>,
    count: usize,
}

impl Room {
    /// For so many bytes, or as many as are read at a time.
    fn new(wanted: u64) -> Self {
        let kept = rooms().pop();
        Self {
            bytes: kept.unwrap_or_else(|| vec![0; CHUNK].into()),
            count: usize::try_from(wanted).map_or(CHUNK, |wanted| wanted.min(CHUNK)),
        }
    }

    /// The first `count` of its bytes; none are an error, since some were announced.
    fn taken(mut self, count: usize) -> io::Result<Bytes> {
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.count = count.min(self.count);
        Ok(Bytes::from_owner(self))
    }
}

impl AsRef<[u8]> for Room {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Room {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.count).unwrap_or_default()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut rooms = rooms();
        if rooms.len() < MOST_ROOMS {
            rooms.push(std::mem::take(&mut self.bytes));
        }
    }
}

fn rooms() -> MutexGuard<'static, Vec<Box<[u8]>>> {
    ROOMS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Body for Pages {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.waiting.is_none() {
            match self.read_now() {
                Some(read) => return Poll::Ready(Some(self.passed(read))),
                None => self.waiting = Some(self.read_later()),
            }
        }
        let Some(waiting) = &mut self.waiting else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(waiting).poll(context));
        self.waiting = None;
        Poll::Ready(Some(self.passed(read?)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use http_body_util::BodyExt;

    use super::*;

    fn pages(bytes: &[u8], first: u64, count: u64) -> Pages {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let sent = IntCounter::new("sent", "sent").unwrap();
        Pages::new(file, first, count, sent)
    }

    #[tokio::test]
    async fn any_part_of_a_file_is_read_as_it_is() {
        let bytes: Vec<u8> = (0..CHUNK * 2 + 100).map(|n| (n % 251) as u8).collect();
        let (whole, chunk) = (bytes.len() as u64, CHUNK as u64);
        for (first, count) in [
            (0, whole),
            (0, 1),
            (chunk - 1, 2),
            (whole - 1, 1),
            (7, chunk),
            (5, 0),
        ] {
            let mut asked = pages(&bytes, first, count);
            let expected = &bytes[first as usize..(first + count) as usize];
            assert_eq!(asked.size_hint().exact(), Some(count));
            let read = (&mut asked).collect().await.unwrap().to_bytes();
            assert_eq!(read, expected, "{first} {count}");
            assert!(asked.is_end_stream());
            assert_eq!(asked.sent.get(), count);
            // Also where the disk has to be waited for.
            if count > 0 {
                let read = pages(&bytes, first, count).read_later().await;
                assert!(expected.starts_with(&read.unwrap().unwrap()));
            }
        }
    }

    #[tokio::test]
    async fn bytes_that_wait_to_be_sent_are_not_written_over() {
        let bytes = [[1; CHUNK], [2; CHUNK], [3; CHUNK]].concat();
        let mut pages = pages(&bytes, 0, bytes.len() as u64);
        let mut next = async || pages.frame().await.unwrap().unwrap().into_data().unwrap();
        let first = next().await;
        assert_eq!(next().await[0], 2);
        assert_eq!(first, bytes[..first.len()]);
        drop(first);
        assert_eq!(next().await[0], 3);
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_announced_is_an_error_and_no_end() {
        assert!(pages(b"short", 0, 6).collect().await.is_err());
        let later = pages(b"short", 5, 1).read_later();
        assert!(later.await.unwrap().is_err());
    }
}
