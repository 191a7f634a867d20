//! A whole box in a temporary folder, driven through its router: real stores, no sockets.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use lectern_analytics::Analytics;
use lectern_egress::Egress;
use lectern_library::Library;
use lectern_lms::{IdentityFold, Lms, NewPerson, Person, Role};
use lectern_lrs::Lrs;
use lectern_lrs::evidence::{Evidence, SigningKey};
use lectern_store::{Options, Store};
use lectern_web::app::Rooms;
use lectern_web::client::{Peer, Scheme};
use lectern_web::{App, Config};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery staple";
pub const LOOPBACK: &str = "127.0.0.1";
pub const ELSEWHERE: &str = "192.0.2.77";

pub struct TestBox {
    pub app: App,
    pub router: Router,
    pub folder: TempDir,
}

impl TestBox {
    /// Without HTTPS.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With HTTPS switched on (nothing listens).
    pub fn with_https() -> Self {
        Self::with(|config| config.https = Some("0.0.0.0:8443".parse().unwrap()))
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = || Options {
            reserve_bytes: 0,
            ..Options::default()
        };
        let records = Store::open(&folder.path().join("records.redb"), options()).unwrap();
        let library_options = Options {
            migrations: lectern_library::MIGRATIONS,
            ..options()
        };
        let library_store =
            Store::open(&folder.path().join("library.redb"), library_options).unwrap();
        let lms = Lms::open(records.clone()).unwrap();
        let lrs_options = lectern_lrs::Options {
            sealing_key: Some([7; 32]),
            ..lectern_lrs::Options::default()
        };
        let folds: Vec<Arc<dyn lectern_lrs::Fold>> =
            vec![Analytics::fold(), Arc::new(IdentityFold)];
        let lrs = Lrs::open_with(records.clone(), folds, lrs_options).unwrap();
        let library_options = lectern_library::Options {
            floor_bytes: 0,
            ..lectern_library::Options::default()
        };
        let library = Library::open(library_store.clone(), folder.path(), library_options).unwrap();
        let key = SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap();
        let rooms = Rooms {
            analytics: Analytics::new(lrs.clone()),
            records,
            library_store,
            evidence: Evidence::open(lrs.clone(), Some(key)).unwrap(),
            lrs,
            lms,
            library,
            egress: Egress::new(&lectern_egress::Options::default()).unwrap(),
        };
        let mut config = Config {
            state: folder.path().to_owned(),
            version: "0.0.0-test".into(),
            http: "127.0.0.1:8080".parse().unwrap(),
            https: None,
            host_names: Vec::new(),
            xapi_default: lectern_xapi::Version::V2_0_0,
            sample: None,
            backup: None,
        };
        change(&mut config);
        let app = App::new(rooms, config, CancellationToken::new()).unwrap();
        Self {
            router: lectern_web::router(app.clone()),
            app,
            folder,
        }
    }

    pub fn person(&self, name: &str, roles: &[Role]) -> Person {
        self.add(name, roles, Some(PASSWORD))
    }

    /// An API token of a new person, who has no password: hashing one takes its time.
    pub fn token(&self, name: &str, roles: &[Role]) -> String {
        self.add(name, roles, None);
        self.app.lms.add_api_token(name, self.app.now()).unwrap()
    }

    fn add(&self, name: &str, roles: &[Role], password: Option<&str>) -> Person {
        let new = NewPerson {
            name: name.into(),
            roles: roles.iter().copied().collect(),
            password: password.map(Into::into),
            ..NewPerson::default()
        };
        self.app.lms.add_person(&new, self.app.now()).unwrap()
    }

    /// Someone who asks with an API token of a new person.
    pub fn caller(&self, name: &str, roles: &[Role]) -> Asking<'_> {
        let token = self.token(name, roles);
        self.nobody()
            .header("authorization", &format!("Bearer {token}"))
    }

    /// Someone without anything, on this machine.
    pub fn nobody(&self) -> Asking<'_> {
        let headers = HeaderMap::from_iter([(header::HOST, "127.0.0.1:8080".parse().unwrap())]);
        Asking {
            router: &self.router,
            headers,
            from: LOOPBACK.parse().unwrap(),
            scheme: Scheme::Http,
        }
    }

    /// Signs a person in from here; who asks with their cookie and token then.
    pub async fn signed_in(&self, name: &str) -> Asking<'_> {
        self.nobody().sign_in(name).await
    }
}

#[derive(Clone)]
pub struct Asking<'a> {
    router: &'a Router,
    headers: HeaderMap,
    from: IpAddr,
    scheme: Scheme,
}

impl Asking<'_> {
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(
            http::HeaderName::try_from(name).unwrap(),
            value.parse().unwrap(),
        );
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.from = address.parse().unwrap();
        self
    }

    #[must_use]
    pub fn over_https(mut self) -> Self {
        self.scheme = Scheme::Https;
        self
    }

    pub async fn sign_in(self, name: &str) -> Self {
        let credentials = serde_json::json!({ "name": name, "password": PASSWORD });
        let answer = self.json("POST", "/api/v1/session", &credentials).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let cookie = answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
        self.header("cookie", &cookie).header("x-csrf-token", &csrf)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, Body::empty()).await
    }

    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(
            method,
            path,
            Some("application/json"),
            Body::from(body.to_string()),
        )
        .await
    }

    /// GET whose answer may be cut off in the middle.
    pub async fn try_get(&self, path: &str) -> Result<Answer, axum::Error> {
        self.try_send("GET", path, None, Body::empty()).await
    }

    pub async fn send(&self, method: &str, path: &str, kind: Option<&str>, body: Body) -> Answer {
        self.try_send(method, path, kind, body).await.unwrap()
    }

    async fn try_send(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: Body,
    ) -> Result<Answer, axum::Error> {
        let method: Method = method.parse().unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(body)
            .unwrap();
        *request.headers_mut() = self.headers.clone();
        if let Some(kind) = kind {
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, kind.parse().unwrap());
        }
        let address = SocketAddr::new(self.from, 50_000);
        request.extensions_mut().insert(Peer {
            address,
            scheme: self.scheme,
        });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes().to_vec(),
        })
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON ({}): {}", self.status, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The last part of the problem's type.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        assert!(document["title"].is_string() && document["detail"].is_string());
        document["type"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}
