//! Who is at the other end of a connection: address, scheme, host. Not who they say they are.
//!
//! Behind a reverse proxy the peer's address is the proxy's. `X-Forwarded-For` and
//! `X-Forwarded-Proto` are believed only from the addresses in the setting `trusted_proxies`
//! (default none); from anyone else a forwarding header only takes rights away.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, header};
use lectern_lms::Network;

use crate::app::App;
use crate::problem::Problem;

/// The two schemes that we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP
    Http,
    /// HTTP over TLS
    Https,
}

/// The other end of the TCP connection; put into each request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address
    pub address: SocketAddr,
    /// What the listener speaks
    pub scheme: Scheme,
}

/// Who asks, as far as the network tells.
#[derive(Debug, Clone)]
pub struct Client {
    /// The asking machine's address
    pub address: IpAddr,
    /// What the asking machine speaks
    pub scheme: Scheme,
    /// Whether the request came from this machine itself, through nothing
    pub is_loopback: bool,
    /// `Host` as sent (or the authority of HTTP/2), without user information
    pub host: String,
}

impl Client {
    /// Resolves the other end of a request.
    pub fn new(
        peer: Peer,
        headers: &HeaderMap,
        authority: Option<&str>,
        trusted: &[Network],
    ) -> Self {
        let direct = peer.address.ip().to_canonical();
        let is_forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
        let host = authority
            .or_else(|| text(headers, header::HOST.as_str()))
            .unwrap_or_default();
        let client = Self {
            address: direct,
            scheme: peer.scheme,
            is_loopback: direct.is_loopback() && !is_forwarded,
            host: host
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase(),
        };
        if !is_forwarded || !trusted.iter().any(|net| net.contains(direct)) {
            return client;
        }
        // The nearest address that is no proxy of ours; everything left of it anybody may have written.
        let address = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|part| part.trim().parse::<IpAddr>().ok())
            .map(|address| address.to_canonical())
            .rfind(|address| !trusted.iter().any(|net| net.contains(*address)))
            .unwrap_or(direct);
        let scheme = match text(headers, "x-forwarded-proto") {
            Some("https") => Scheme::Https,
            Some(_) => Scheme::Http,
            None => peer.scheme,
        };
        Self {
            address,
            scheme,
            is_loopback: false,
            ..client
        }
    }

    /// Plain HTTP from elsewhere than loopback: anyone between may read and change what is said.
    pub fn is_exposed(&self) -> bool {
        self.scheme == Scheme::Http && !self.is_loopback
    }

    /// The host without its port.
    pub fn host_name(&self) -> &str {
        match self.host.rfind(':') {
            Some(colon) if !self.host.ends_with(']') => &self.host[..colon],
            _ => &self.host,
        }
    }

    /// Whether the host names this machine by number or as `localhost`: a page of another name that
    /// resolves to our address (DNS rebinding) does not.
    pub fn host_is_literal(&self) -> bool {
        let name = self.host_name();
        name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    }

    /// `http://host` or `https://host` as the client wrote it.
    pub fn origin(&self) -> String {
        match self.scheme {
            Scheme::Http => format!("http://{}", self.host),
            Scheme::Https => format!("https://{}", self.host),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::internal("the request has no client"))
    }
}

/// Puts the [`Client`] into the request.
pub(crate) fn identify(app: &App, request: &mut Request) {
    // Only tests call the router without a listener.
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        scheme: Scheme::Http,
    });
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let trusted = app.trusted_proxies();
    let client = Client::new(peer, request.headers(), authority.as_deref(), &trusted);
    request.extensions_mut().insert(client);
}

const FORWARDING: [&str; 4] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
];

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&str, &str)], trusted: &[&str]) -> Client {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                http::HeaderName::try_from(*name).unwrap(),
                value.parse().unwrap(),
            );
        }
        let trusted: Vec<Network> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let peer = Peer {
            address: peer.parse().unwrap(),
            scheme: Scheme::Http,
        };
        Client::new(peer, &map, None, &trusted)
    }

    #[test]
    fn a_forwarding_header_takes_loopback_rights_away() {
        assert!(client("127.0.0.1:5", &[], &[]).is_loopback);
        assert!(client("[::ffff:127.0.0.1]:5", &[], &[]).is_loopback);
        for name in FORWARDING {
            assert!(
                !client("127.0.0.1:5", &[(name, "127.0.0.1")], &[]).is_loopback,
                "{name}"
            );
        }
    }

    #[test]
    fn forwarding_headers_are_believed_only_from_trusted_proxies() {
        let headers = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.2"),
            ("x-forwarded-proto", "https"),
        ];
        let stranger = client("198.51.100.1:5", &headers, &["10.0.0.0/8"]);
        assert_eq!(stranger.address.to_string(), "198.51.100.1");
        assert!(stranger.is_exposed());
        let proxied = client("10.0.0.1:5", &headers, &["10.0.0.0/8"]);
        assert_eq!(proxied.address.to_string(), "192.0.2.7");
        assert!(!proxied.is_exposed());
    }

    #[test]
    fn a_name_that_resolves_to_us_is_not_taken_for_this_machine() {
        for (host, literal) in [
            ("127.0.0.1:80", true),
            ("[::1]:80", true),
            ("localhost", true),
            ("evil.example:80", false),
            ("", false),
        ] {
            assert_eq!(
                client("127.0.0.1:5", &[("host", host)], &[]).host_is_literal(),
                literal,
                "{host}"
            );
        }
    }
}
