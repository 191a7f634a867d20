//! The whole record as a file, made a page at a time as it is read: however long the record, a page of it is in memory, and
//! a slow reader holds no thread.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use lectern_lms::Person;
use serde_json::json;

use super::row;
use super::watched;
use crate::api::csv::{self, file};
use crate::api::statements::{PersonName, Sight, Wanted, account_agent};
use crate::api::time;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::blocking;
use crate::problem::Problem;

/// Videos, and statements, read at once.
const PAGE: usize = 200;

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{person, identity, made, watched: […], statements: […]}`
    Json,
    /// A row for each statement
    Csv,
}

impl Form {
    /// What the audit calls reading it.
    pub fn audited_as(self) -> &'static str {
        match self {
            Self::Json => "whole record (JSON)",
            Self::Csv => "whole record (CSV)",
        }
    }
}

/// Where it goes on.
#[derive(Debug)]
enum Part {
    Begin,
    /// After this video
    Watched(Option<String>),
    /// As the record store goes on
    Statements(Option<String>),
    End,
}

struct Maker {
    app: App,
    caller: Caller,
    person: Person,
    form: Form,
    /// Statements stored later are not in it: it ends while others are written.
    until: String,
    part: Part,
    /// Whether the list it is in has an item already
    is_behind_another: bool,
}

/// The file of this person's record, as far as it is for this caller.
pub(super) fn answer(
    app: App,
    caller: Caller,
    person: Person,
    form: Form,
) -> Result<Response, Problem> {
    let now = app.now();
    let (kind, ending) = match form {
        Form::Json => ("application/json", "json"),
        Form::Csv => (csv::TYPE, "csv"),
    };
    let name = format!("record-{}-{}.{ending}", person.id, now.strftime("%Y-%m-%d"));
    let maker = Maker {
        app,
        caller,
        person,
        form,
        until: now.to_string(),
        part: Part::Begin,
        is_behind_another: false,
    };
    let pieces = stream::try_unfold(maker, |maker| async move {
        let made = blocking(move || maker.piece()).await;
        // The reader must not take a cut file for a whole one.
        made.map_err(|problem| {
            problem.log();
            io::Error::other("the record could not be finished")
        })
    });
    file(kind, &name, Body::from_stream(pieces))
}

impl Maker {
    /// The next piece; `None` after the last. Blocking.
    fn piece(mut self) -> Result<Option<(Bytes, Self)>, Problem> {
        let text = match (self.form, std::mem::replace(&mut self.part, Part::End)) {
            (Form::Json, Part::Begin) => self.opening()?,
            (Form::Csv, Part::Begin) => {
                self.part = Part::Statements(None);
                format!("{}{}", csv::UTF8, row::HEADER)
            }
            (_, Part::Watched(after)) => self.watched(after)?,
            (_, Part::Statements(after)) => self.statements(after)?,
            (_, Part::End) => return Ok(None),
        };
        Ok(Some((Bytes::from(text), self)))
    }

    fn opening(&mut self) -> Result<String, Problem> {
        self.part = Part::Watched(None);
        let head = json!({
            "person": PersonName::from(&self.person),
            "identity": self.app.lms.identity()?,
            "made": time::text(self.app.now()),
        });
        let head = head.to_string();
        // The lists follow inside the same object.
        let open = head.strip_suffix('}').unwrap_or(&head);
        Ok(format!("{open},\"watched\":["))
    }

    fn watched(&mut self, after: Option<String>) -> Result<String, Problem> {
        let mut text = String::new();
        let page = {
            let mut sight = self.sight()?;
            watched::page(&mut sight, &self.person, after, PAGE)?
        };
        for line in &page.items {
            self.append(&mut text, line)?;
        }
        self.part = match page.next {
            Some(next) => Part::Watched(Some(next)),
            None => {
                text.push_str("],\"statements\":[");
                self.is_behind_another = false;
                Part::Statements(None)
            }
        };
        Ok(text)
    }

    fn statements(&mut self, after: Option<String>) -> Result<String, Problem> {
        let mut text = String::new();
        let page = {
            let mut sight = self.sight()?;
            let wanted = Wanted {
                agent: Some(account_agent(sight.identity(), &self.person.actor)),
                until: Some(self.until.clone()),
                ascending: true,
                limit: PAGE,
                ..Wanted::default()
            };
            wanted.page(&mut sight, after)?
        };
        for one in &page.items {
            match self.form {
                Form::Json => self.append(&mut text, &one.statement)?,
                Form::Csv => row::append(&mut text, one)?,
            }
        }
        if page.next.is_some() {
            self.part = Part::Statements(page.next);
        } else if self.form == Form::Json {
            text.push_str("]}\n");
        }
        Ok(text)
    }

    fn append(&mut self, text: &mut String, item: &impl serde::Serialize) -> Result<(), Problem> {
        if self.is_behind_another {
            text.push(',');
        }
        self.is_behind_another = true;
        text.push_str(&serde_json::to_string(item).map_err(Problem::internal)?);
        Ok(())
    }

    fn sight(&self) -> Result<Sight<'_>, Problem> {
        Sight::of_record(&self.app, &self.caller, self.person.id)
    }
}
