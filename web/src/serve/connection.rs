//! One connection: TLS if the listener speaks it, then HTTP/1.1 or HTTP/2, with bounds on time.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Bounds;
use super::gather::{gather, turns};
use super::slices::Slices;
use crate::client::Peer;

const HEAD_BYTES: usize = 64 * 1024;
const HEADERS: usize = 100;
const STREAMS: u32 = 128;
const PING: Duration = Duration::from_secs(20);

pub(super) async fn run(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    tls: Option<TlsAcceptor>,
    bounds: Bounds,
    stop: CancellationToken,
) {
    // Small answers must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, peer, router, false, bounds, stop).await,
        Some(acceptor) => {
            let Ok(Ok(stream)) =
                tokio::time::timeout(bounds.handshake, acceptor.accept(stream)).await
            else {
                return;
            };
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = Slices(stream);
            match is_h2 {
                false => http(stream, peer, router, false, bounds, stop).await,
                true => {
                    let (stream, outer) = gather(stream);
                    turns(http(stream, peer, router, true, bounds, stop), outer).await;
                }
            }
        }
    }
}

async fn http<S>(
    stream: S,
    peer: Peer,
    router: Router,
    is_h2: bool,
    bounds: Bounds,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The version is known (ALPN, or plain HTTP/1.1): guessing it would wait for bytes without a bound.
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if is_h2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32);
    let service =
        service_fn(move |request: Request<Incoming>| answer(router.clone(), peer, request));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(event = "connection_ended", peer = %peer.address, "{error}");
    }
}

async fn answer(
    router: Router,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}
