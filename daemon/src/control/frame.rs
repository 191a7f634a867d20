//! Frames of the control socket: one byte of kind, four bytes of length (big endian), the payload.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A larger frame is refused: a request or reply is small, data is cut into pieces.
pub const MAX_BYTES: usize = 1 << 20;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON request, client to daemon, once
    Request,
    /// A piece of what the command writes, daemon to client
    Data,
    /// The JSON reply, daemon to client, once, last
    Reply,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Request => b'Q',
            Self::Data => b'D',
            Self::Reply => b'R',
        }
    }

    fn from_byte(byte: u8) -> io::Result<Self> {
        match byte {
            b'Q' => Ok(Self::Request),
            b'D' => Ok(Self::Data),
            b'R' => Ok(Self::Reply),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "unknown frame on the control socket",
            )),
        }
    }
}

/// Writes one frame.
pub async fn write<W: AsyncWrite + Unpin>(
    to: &mut W,
    kind: Kind,
    payload: &[u8],
) -> io::Result<()> {
    if payload.len() > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "frame too large for the control socket",
        ));
    }
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    to.write_u8(kind.byte()).await?;
    to.write_u32(length).await?;
    to.write_all(payload).await?;
    to.flush().await
}

/// Reads one frame.
pub async fn read<R: AsyncRead + Unpin>(from: &mut R) -> io::Result<(Kind, Vec<u8>)> {
    let kind = Kind::from_byte(from.read_u8().await?)?;
    let length = usize::try_from(from.read_u32().await?).map_err(io::Error::other)?;
    if length > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "frame too large on the control socket",
        ));
    }
    let mut payload = vec![0; length];
    from.read_exact(&mut payload).await?;
    Ok((kind, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_comes_back_as_it_was_written() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Data, b"abc").await.unwrap();
        let (kind, payload) = read(&mut bytes.as_slice()).await.unwrap();
        assert_eq!((kind, payload.as_slice()), (Kind::Data, &b"abc"[..]));
    }

    #[tokio::test]
    async fn a_frame_over_the_bound_is_refused_before_it_is_read() {
        let bytes = [b'D', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(
            read(&mut &bytes[..]).await.unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
