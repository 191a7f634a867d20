//! Through a real socket on loopback.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use lectern_egress::{Egress, Error, Options, Reach, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn egress() -> Egress {
    Egress::new(&Options::default()).unwrap()
}

/// A server that answers each connection with these bytes, or with silence.
async fn server(answer: Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            match answer {
                Some(answer) => {
                    let _ = socket.write_all(answer.as_bytes()).await;
                }
                None => std::future::pending::<()>().await,
            }
        }
    });
    address
}

fn get(url: String, reach: Reach) -> Request {
    Request::new(Method::GET, url, reach)
}

#[tokio::test]
async fn an_entry_without_private_reach_never_connects_inside() {
    let address = server(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"] {
        let url = format!("http://{host}:{}/", address.port());
        let refused = egress().send(get(url, Reach::Public)).await;
        assert!(
            matches!(refused, Err(Error::Address { .. })),
            "{host}: {refused:?}"
        );
    }
    let url = format!("http://127.0.0.1:{}/", address.port());
    assert_eq!(
        egress()
            .send(get(url, Reach::Private))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let address = server(Some(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let answer = egress()
        .send(get(format!("http://{address}/"), Reach::Private))
        .await
        .unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_too_late_is_given_up() {
    let large = server(Some(
        "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world",
    ))
    .await;
    let mut request = get(format!("http://{large}/"), Reach::Private);
    request.max_response_bytes = 10;
    assert!(matches!(
        egress().send(request).await,
        Err(Error::TooLarge { limit_bytes: 10 })
    ));
    let silent = server(None).await;
    let mut request = get(format!("http://{silent}/"), Reach::Private);
    request.timeout = Duration::from_millis(50);
    assert!(matches!(egress().send(request).await, Err(Error::TimedOut)));
}

#[tokio::test]
async fn only_http_without_a_password_is_asked() {
    for url in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://a:b@example.com/",
        "nonsense",
    ] {
        let refused = egress().send(get(url.to_owned(), Reach::Public)).await;
        assert!(matches!(refused, Err(Error::Url(_))), "{url}");
    }
}
