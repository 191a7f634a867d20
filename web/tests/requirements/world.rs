//! A box with one credential for everything, asked under one version. Each row has names of its own in it, so rows do
//! not see what others wrote.

use std::cell::Cell;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lectern_lrs::{Scope, Scopes};
use lectern_xapi::Version;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ask::{Ask, get, post};
use crate::support::{Answer, TestBox};

pub const VERSION: &str = "x-experience-api-version";
pub const CONSISTENT: &str = "x-experience-api-consistent-through";

pub struct World {
    the_box: TestBox,
    pub version: Version,
    authorization: String,
    /// Which row is being tried.
    pub row: Cell<usize>,
}

impl World {
    pub fn new(version: Version) -> Self {
        let the_box = TestBox::with(|config| config.xapi_default = version);
        let authorization = credential(&the_box, &[Scope::All]);
        Self {
            the_box,
            version,
            authorization,
            row: Cell::new(0),
        }
    }

    pub fn is_old(&self) -> bool {
        self.version == Version::V1_0_3
    }

    /// The `Authorization` of a new credential.
    pub fn credential(&self, scopes: &[Scope]) -> String {
        credential(&self.the_box, scopes)
    }

    pub async fn send(&self, ask: Ask) -> Answer {
        let mut asking = self
            .the_box
            .nobody()
            .header("authorization", &self.authorization)
            .header(VERSION, self.version.header());
        for (name, value) in &ask.headers {
            asking = match value {
                Some(value) => asking.header(name, value),
                None => asking.without(name),
            };
        }
        asking
            .send(
                ask.method,
                &ask.address(),
                ask.kind.as_deref(),
                Body::from(ask.body),
            )
            .await
    }

    /// An IRI that only this row knows.
    pub fn iri(&self, name: &str) -> String {
        format!("http://example.com/{}/{name}", self.row.get())
    }

    /// An Agent whom only this row knows.
    pub fn agent(&self, name: &str) -> Value {
        json!({ "objectType": "Agent", "mbox": format!("mailto:{name}.{}@example.com", self.row.get()) })
    }

    /// A new statement: someone did the thing.
    pub fn statement(&self) -> Value {
        json!({
            "id": Uuid::now_v7(),
            "actor": self.agent("someone"),
            "verb": { "id": self.iri("did") },
            "object": { "id": self.iri("thing") },
        })
    }

    /// [`Self::statement`] with one property more, or another one.
    pub fn statement_with(&self, property: &str, value: Value) -> Value {
        let mut statement = self.statement();
        statement[property] = value;
        statement
    }

    /// Stores a statement and says its id.
    pub async fn keep(&self, statement: &Value) -> String {
        let answer = self
            .send(post("statements").json(statement))
            .await
            .expect(200);
        answer.json()[0].as_str().unwrap().to_owned()
    }

    /// A stored statement as it is served.
    pub async fn one(&self, id: &str) -> Value {
        let ask = get("statements").with("statementId", id);
        self.send(ask).await.expect(200).json()
    }

    /// The ids of the statements that a query finds, in their order.
    pub async fn found(&self, parameters: &[(&str, &str)]) -> Vec<String> {
        ids(&self.many(parameters).await)
    }

    /// What a query finds.
    pub async fn many(&self, parameters: &[(&str, &str)]) -> Value {
        let mut ask = get("statements");
        for (name, value) in parameters {
            ask = ask.with(name, value);
        }
        self.send(ask).await.expect(200).json()
    }
}

/// The ids of a StatementResult.
pub fn ids(result: &Value) -> Vec<String> {
    let statements = result["statements"].as_array().unwrap();
    let ids = statements.iter().map(|one| one["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

pub fn id(statement: &Value) -> String {
    statement["id"].as_str().unwrap().to_owned()
}

/// A value as a query parameter carries it.
pub fn text(value: &Value) -> String {
    value.to_string()
}

fn credential(the_box: &TestBox, scopes: &[Scope]) -> String {
    let identity = the_box.app.lms.identity().unwrap();
    let scopes = Scopes::from_iter(scopes.iter().copied());
    let credentials = the_box.app.lrs.credentials();
    let new = credentials.add("test", scopes, &identity).unwrap();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", new.key, new.secret))
    )
}
