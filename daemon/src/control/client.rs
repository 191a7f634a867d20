//! The command's side of the control socket.

use std::io;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::Reply;
use super::frame::{self, Kind};
use super::socket::SocketPath;
use crate::commands::Request;

/// A connection to the running daemon.
pub struct Client(UnixStream);

impl Client {
    /// Connects to the daemon of this state folder; `None` when none runs.
    pub async fn connect(state: &Path) -> io::Result<Option<Self>> {
        let socket = match SocketPath::in_state(state) {
            Ok(socket) => socket,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match UnixStream::connect(socket.as_path()).await {
            Ok(stream) => Ok(Some(Self(stream))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends the request and what the command reads, hands on what it writes, and returns its reply.
    pub async fn call<R, W>(
        self,
        request: &Request,
        mut input: R,
        mut output: W,
    ) -> io::Result<Reply>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (mut from, mut to) = self.0.into_split();
        frame::write(&mut to, Kind::Request, &serde_json::to_vec(request)?).await?;
        let send = async {
            // A daemon that has already refused closes its end: its reply says why, not the broken pipe.
            let _ = tokio::io::copy(&mut input, &mut to).await;
            let _ = to.shutdown().await;
        };
        let receive = async {
            loop {
                match frame::read(&mut from).await? {
                    (Kind::Data, piece) => output.write_all(&piece).await?,
                    (Kind::Reply, reply) => {
                        output.flush().await?;
                        return Ok(serde_json::from_slice(&reply)?);
                    }
                    (Kind::Request, _) => {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "a request instead of a reply",
                        ));
                    }
                }
            }
        };
        tokio::pin!(receive);
        tokio::select! {
            reply = &mut receive => reply,
            () = send => receive.await,
        }
    }
}
