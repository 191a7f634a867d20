//! The listeners, through real sockets: HTTPS with the box's own authority, bounds, the stop.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_lms::Role;
use lectern_web::serve::Bounds;
use lectern_web::{Listeners, serve, serve::serve_within};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use support::TestBox;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// Everything here takes milliseconds; a machine may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn connector(ca: &str, protocols: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &str) -> String {
    // A server that refuses may close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut text = String::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text))
        .await
        .unwrap();
    text
}

/// Reads until `text` has come.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut all = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&all).contains(text) {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).await.unwrap();
            assert!(count > 0, "closed after {}", String::from_utf8_lossy(&all));
            all.extend_from_slice(&piece[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_device_that_trusts_the_boxs_authority_reaches_it_in_private() {
    let ((http, _), (https, address)) = (listen().await, listen().await);
    let it = TestBox::with(|config| {
        config.https = Some(address);
        config.host_names = vec!["box.example".into()];
    });
    let server = tokio::spawn(serve(
        it.app.clone(),
        Listeners {
            http,
            https: Some(https),
        },
    ));
    let ca = it.nobody().get("/ca.crt").await.expect(200).text();
    for name in ["127.0.0.1", "localhost", "box.example"] {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let stream = connector(&ca, &[b"http/1.1"])
            .connect(name, stream)
            .await
            .unwrap();
        let answer = ask(
            stream,
            "GET /readyz HTTP/1.1\r\nHost: box.example\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = connector(&ca, &[b"h2", b"http/1.1"])
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await;
    assert_eq!(
        stream.unwrap().get_ref().1.alpn_protocol(),
        Some(b"h2".as_slice())
    );
    let stream = TcpStream::connect(address).await.unwrap();
    let other = connector(&ca, &[])
        .connect(ServerName::try_from("other.example").unwrap(), stream)
        .await;
    assert!(other.is_err(), "a name that is not the box's");
    it.app.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_open_event_stream_gets_events_and_does_not_hold_up_the_stop() {
    let (http, address) = listen().await;
    let it = TestBox::new();
    let token = it.token("root", &[Role::Admin]);
    let server = tokio::spawn(serve(it.app.clone(), Listeners { http, https: None }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.contains("text/event-stream"), "{head}");
    read_until(&mut stream, "event: system").await;
    let began = Instant::now();
    it.app.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(
        began.elapsed() < Bounds::default().drain,
        "the stream was waited for"
    );
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_let_go() {
    let (http, address) = listen().await;
    let it = TestBox::new();
    let bounds = Bounds {
        head: Duration::from_millis(50),
        ..Bounds::default()
    };
    let server = tokio::spawn(serve_within(
        it.app.clone(),
        Listeners { http, https: None },
        bounds,
    ));
    for opening in ["", "GET / HTTP/1.1\r\nX-Slow:"] {
        let stream = TcpStream::connect(address).await.unwrap();
        let answer = ask(stream, opening).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    it.app.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let (http, address) = listen().await;
    let it = TestBox::new();
    let server = tokio::spawn(serve(it.app.clone(), Listeners { http, https: None }));
    let stream = TcpStream::connect(address).await.unwrap();
    let filler = "x".repeat(1024 * 1024);
    let answer = ask(
        stream,
        &format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {filler}\r\n\r\n"),
    )
    .await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    it.app.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_request_under_way_is_answered_after_the_stop_began() {
    let (http, address) = listen().await;
    let it = TestBox::new();
    it.person("ada", &[Role::Learner]);
    let server = tokio::spawn(serve(it.app.clone(), Listeners { http, https: None }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = serde_json::json!({"name": "ada", "password": support::PASSWORD}).to_string();
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut stream, "100 Continue").await;
    it.app.shutdown.cancel();
    let answer = ask(stream, &body).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(PATIENCE, server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}
