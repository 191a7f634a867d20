//! Sending requests: two reqwest clients, one for each [`Reach`], so that a connection opened for one entry's reach is
//! never used by another's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::CertificateDer;

use crate::error::Error;
use crate::policy::Reach;

/// How to make the client.
#[derive(Debug, Clone)]
pub struct Options {
    /// Trusted besides the machine's own roots: a campus' CA.
    pub roots: Vec<CertificateDer<'static>>,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// The client. Clones share connections.
#[derive(Debug, Clone)]
pub struct Egress {
    public: reqwest::Client,
    private: reqwest::Client,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// `http` or `https`, without user or password.
    pub url: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// How far it may reach.
    pub reach: Reach,
    /// From beginning to the last byte of the answer.
    pub timeout: Duration,
    /// The largest answer.
    pub max_response_bytes: usize,
}

impl Request {
    /// A request without headers and body, 30 seconds and a mebibyte.
    pub fn new(method: Method, url: impl Into<String>, reach: Reach) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            reach,
            timeout: Duration::from_secs(30),
            max_response_bytes: 1024 * 1024,
        }
    }
}

/// One answer, of whatever status.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Egress {
    /// Makes the client; loads the machine's root certificates.
    ///
    /// # Errors
    /// [`Error::Tls`].
    pub fn new(options: &Options) -> Result<Self, Error> {
        let tls = tls(options)?;
        Ok(Self {
            public: client(options, tls.clone(), Reach::Public)?,
            private: client(options, tls, Reach::Private)?,
        })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// As [`Error`] says; an answer of any status is none.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let url = check_url(&request.url, request.reach)?;
        let client = match request.reach {
            Reach::Public => &self.public,
            Reach::Private => &self.private,
        };
        let sent = client
            .request(request.method, url)
            .headers(request.headers)
            .body(request.body)
            .send();
        let limit_bytes = request.max_response_bytes;
        let answered = async {
            let mut response = sent.await.map_err(|error| explain(&error))?;
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
                if body.len() + chunk.len() > limit_bytes {
                    return Err(Error::TooLarge { limit_bytes });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Response {
                status: response.status(),
                headers: std::mem::take(response.headers_mut()),
                body: body.freeze(),
            })
        };
        tokio::time::timeout(request.timeout, answered)
            .await
            .unwrap_or(Err(Error::TimedOut))
    }
}

/// Whether a URL can be asked at all, before anything is sent: for forms.
///
/// # Errors
/// [`Error::Url`], [`Error::Address`].
pub fn check(url: &str, reach: Reach) -> Result<(), Error> {
    check_url(url, reach).map(|_| ())
}

/// Where a link that came in an answer of `base` leads, within the origin (scheme, host and port) of `base`: what is sent
/// with every request is for that origin alone. A link that names another origin is asked for here, by its path: who answers
/// behind a proxy often knows itself by another name.
///
/// # Errors
/// [`Error::Url`].
pub fn follow(base: &str, link: &str) -> Result<String, Error> {
    let wrong = |error: &dyn std::fmt::Display| Error::Url(format!("{link:?} is no link: {error}"));
    let base = Url::parse(base).map_err(|error| wrong(&error))?;
    let to = base.join(link).map_err(|error| wrong(&error))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(wrong(&"it must begin with http:// or https://"));
    }
    let mut here = base;
    here.set_path(to.path());
    here.set_query(to.query());
    here.set_fragment(None);
    Ok(here.into())
}

/// Checks what can be checked before a name is resolved. An address in place of a name never meets the resolver, so
/// it is judged here.
fn check_url(text: &str, reach: Reach) -> Result<Url, Error> {
    let url =
        Url::parse(text).map_err(|error| Error::Url(format!("{text:?} is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Url(
            "the URL must begin with http:// or https://".to_owned(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Url(
            "the URL may not hold a user or a password".to_owned(),
        ));
    }
    let Some(host) = url.host_str() else {
        return Err(Error::Url("the URL has no host".to_owned()));
    };
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>()
        && !reach.admits(address)
    {
        return Err(Error::Address {
            host: host.to_owned(),
            address,
        });
    }
    Ok(url)
}

fn tls(options: &Options) -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(event = "egress.root_certificates", %error);
    }
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if unusable > 0 {
        tracing::info!(event = "egress.root_certificates_unusable", unusable);
    }
    for root in &options.roots {
        roots
            .add(root.clone())
            .map_err(|error| Error::Tls(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn client(
    options: &Options,
    tls: rustls::ClientConfig,
    reach: Reach,
) -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Checked { reach })
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(2)
        .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::Tls(error.to_string()))
}

/// Resolves a name and lets through only what the reach admits. The connection is made to exactly these addresses.
#[derive(Debug, Clone, Copy)]
struct Checked {
    reach: Reach,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0))
                .await
                .map_err(|error| Error::Resolve {
                    host: host.clone(),
                    reason: error.to_string(),
                })?;
            let (admitted, refused): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.partition(|address| reach.admits(address.ip()));
            if admitted.is_empty() {
                return Err(match refused.first() {
                    Some(address) => Error::Address {
                        host,
                        address: address.ip(),
                    },
                    None => Error::Resolve {
                        host,
                        reason: "it has no address".to_owned(),
                    },
                }
                .into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Finds our own refusal under reqwest's layers; else the innermost reason, which is the one that helps.
fn explain(error: &reqwest::Error) -> Error {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(own) = inner.downcast_ref::<Error>() {
            return own.clone();
        }
        reason = inner.to_string();
        source = inner.source();
    }
    if error.is_timeout() {
        return Error::TimedOut;
    }
    Error::Connection(reason)
}

#[cfg(test)]
mod tests {
    use super::follow;

    #[test]
    fn a_link_leads_on_within_its_origin_only() {
        let base = "https://lrs.example:8443/data/xAPI/statements";
        for (link, to) in [
            ("/more?a=1", Some("https://lrs.example:8443/more?a=1")),
            (
                "?a=1",
                Some("https://lrs.example:8443/data/xAPI/statements?a=1"),
            ),
            (
                "statements?a=1",
                Some("https://lrs.example:8443/data/xAPI/statements?a=1"),
            ),
            (
                "https://lrs.example:8443/x?y",
                Some("https://lrs.example:8443/x?y"),
            ),
            // By another name: the same place here.
            (
                "http://lrs.example:8443/x",
                Some("https://lrs.example:8443/x"),
            ),
            (
                "https://internal/x?y#z",
                Some("https://lrs.example:8443/x?y"),
            ),
            (
                "https://lrs.example:8443@evil.example/x",
                Some("https://lrs.example:8443/x"),
            ),
            ("//evil.example/x", Some("https://lrs.example:8443/x")),
            ("/\\evil.example/x", Some("https://lrs.example:8443/x")),
            ("\\\\evil.example/x", Some("https://lrs.example:8443/x")),
            (
                "https://evil.example//x",
                Some("https://lrs.example:8443//x"),
            ),
            ("file:///etc/passwd", None),
            ("https://[", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(follow(base, link).ok().as_deref(), to, "{link}");
        }
    }
}
