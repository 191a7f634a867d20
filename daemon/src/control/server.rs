//! The daemon's side of the control socket.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Reply;
use super::frame::{self, Kind};
use super::socket::SocketPath;
use crate::commands::{self, Request};
use crate::services::Services;

/// Connections beyond this wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 16;
/// A client writes its request as soon as it has connected.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// A client that does not read, as the backup's when its disk is full, must not hold up the stop.
const REPLY_PATIENCE: Duration = Duration::from_secs(2);

/// Listens in the state folder until cancelled; commands under way are then told that the daemon stops, and get no
/// longer than [`REPLY_PATIENCE`] to hear it.
///
/// # Errors
/// The socket cannot be bound.
pub async fn serve(state: &Path, services: Services, cancel: CancellationToken) -> io::Result<()> {
    let socket = SocketPath::in_state(state)?;
    // The stores' lock is ours already: a socket that lies here was left by a daemon that is gone.
    match std::fs::remove_file(socket.as_path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket.as_path())?;
    set_private(socket.as_path())?;
    let tasks = TaskTracker::new();
    let slots = std::sync::Arc::new(tokio::sync::Semaphore::new(MAX_CONNECTIONS));
    loop {
        let slot = slots.clone().acquire_owned();
        let Some(Ok(slot)) = cancel.run_until_cancelled(slot).await else {
            break;
        };
        let stream = match cancel.run_until_cancelled(listener.accept()).await {
            None => break,
            Some(Ok((stream, _))) => stream,
            Some(Err(error)) => {
                tracing::warn!(event = "control.accept", %error);
                continue;
            }
        };
        let services = services.clone();
        let cancel = cancel.clone();
        tasks.spawn(async move {
            if let Err(error) = answer(stream, services, cancel).await {
                tracing::warn!(event = "control.connection", %error);
            }
            drop(slot);
        });
    }
    tasks.close();
    tasks.wait().await;
    let _ = std::fs::remove_file(socket.as_path());
    Ok(())
}

fn set_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

async fn answer(
    stream: UnixStream,
    services: Services,
    cancel: CancellationToken,
) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let (mut from, mut to) = stream.into_split();
    let allowed = peer == 0 || peer == nix::unistd::geteuid().as_raw();
    let reply: Reply = if allowed {
        let first = tokio::time::timeout(REQUEST_PATIENCE, frame::read(&mut from));
        let Some(first) = cancel.run_until_cancelled(first).await else {
            return Ok(());
        };
        let (kind, payload) = first.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        match (kind, serde_json::from_slice::<Request>(&payload)) {
            (Kind::Request, Ok(request)) => {
                let output = DataFrames {
                    to: &mut to,
                    pending: Vec::new(),
                };
                tokio::select! {
                    reply = commands::execute(&services, request, from, output) => reply,
                    () = cancel.cancelled() => Err("The daemon is stopping. Try again when it runs.".to_owned()),
                }
            }
            _ => Err(
                "This daemon does not know that command. Are both of the same version?".to_owned(),
            ),
        }
    } else {
        Err("Only root and the daemon's own user may use the control socket.".to_owned())
    };
    let reply = serde_json::to_vec(&reply)?;
    tokio::select! {
        written = frame::write(&mut to, Kind::Reply, &reply) => written,
        () = async {
            cancel.cancelled().await;
            tokio::time::sleep(REPLY_PATIENCE).await;
        } => Ok(()),
    }
}

/// Cuts what a command writes into data frames.
struct DataFrames<'a> {
    to: &'a mut OwnedWriteHalf,
    pending: Vec<u8>,
}

impl DataFrames<'_> {
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            match Pin::new(&mut *self.to).poll_write(context, &self.pending) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => drop(self.pending.drain(..written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for DataFrames<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.poll_pending(context) {
            Poll::Ready(Ok(())) => {}
            other => return other.map_ok(|()| 0),
        }
        let piece = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
        let mut header = vec![b'D'];
        header.extend_from_slice(&u32::try_from(piece.len()).unwrap_or(0).to_be_bytes());
        self.pending = header;
        self.pending.extend_from_slice(piece);
        let taken = piece.len();
        // What does not fit now goes out on the next call or flush: the piece is taken either way.
        match self.poll_pending(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.poll_pending(context) {
            Poll::Ready(Ok(())) => Pin::new(&mut *self.to).poll_flush(context),
            other => other,
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
