//! One request below `/xapi`, as data.

use serde_json::Value;

#[derive(Clone)]
pub struct Ask {
    pub method: &'static str,
    path: String,
    pairs: Vec<(String, String)>,
    /// `None` takes away what every request has.
    pub headers: Vec<(&'static str, Option<String>)>,
    pub kind: Option<String>,
    pub body: Vec<u8>,
}

pub fn get(path: &str) -> Ask {
    ask("GET", path)
}

pub fn head(path: &str) -> Ask {
    ask("HEAD", path)
}

pub fn put(path: &str) -> Ask {
    ask("PUT", path)
}

pub fn post(path: &str) -> Ask {
    ask("POST", path)
}

pub fn delete(path: &str) -> Ask {
    ask("DELETE", path)
}

pub fn ask(method: &'static str, path: &str) -> Ask {
    Ask {
        method,
        path: path.to_owned(),
        pairs: Vec::new(),
        headers: Vec::new(),
        kind: None,
        body: Vec::new(),
    }
}

impl Ask {
    /// A query parameter.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.pairs.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, Some(value.to_owned())));
        self
    }

    /// Without a header that every request has.
    pub fn without(mut self, name: &'static str) -> Self {
        self.headers.push((name, None));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.kind = Some(kind.to_owned());
        self.body = body.into();
        self
    }

    /// The address, as the first line of a request names it.
    pub fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.pairs);
        let query = query.finish();
        let path = match self.path.strip_prefix('/') {
            Some(_) => self.path.clone(),
            None => format!("/xapi/{}", self.path),
        };
        if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        }
    }
}

/// A form in the alternate request syntax (Comm 1.3).
pub fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}
