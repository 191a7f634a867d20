//! Turns stored bodies into what is served: exact, ids or canonical.

use std::collections::HashMap;

use lectern_store::Json as Row;
use lectern_xapi::form::{self, Kept, Languages};
use lectern_xapi::json::Json;
use lectern_xapi::{Limits, print_timestamp};

use super::parameters::Format;
use crate::attachments::{AttachmentBytes, Gathered};
use crate::definitions::DEFINITIONS;
use crate::entry::Entry;
use crate::error::Error;
use crate::view::View;

/// Serves the statements of one answer.
pub(crate) struct Server<'s> {
    view: &'s View,
    format: Format,
    languages: Languages,
    /// By number: an answer's statements mostly share one or two.
    authorities: HashMap<u128, String>,
    /// By Activity id; `None` is remembered, too.
    definitions: HashMap<String, Option<String>>,
    attachments: Option<Gathered>,
}

impl<'s> Server<'s> {
    pub fn new(view: &'s View, format: Format, languages: Languages, attachments: bool) -> Self {
        Self {
            view,
            format,
            languages,
            authorities: HashMap::new(),
            definitions: HashMap::new(),
            attachments: attachments.then(Gathered::default),
        }
    }

    /// What was gathered on the way.
    pub fn attachments(&mut self) -> Option<Vec<AttachmentBytes>> {
        self.attachments.take().map(Gathered::into_vec)
    }

    /// How many bytes of attachments were gathered.
    pub fn bytes(&self) -> usize {
        self.attachments.as_ref().map_or(0, Gathered::bytes)
    }

    /// Appends the statement; false when its body is gone.
    pub fn write(&mut self, entry: &Entry, out: &mut String) -> Result<bool, Error> {
        let Some(body) = self.view.body(entry.sequence)? else {
            return Ok(false);
        };
        if !self.authorities.contains_key(&body.authority) {
            let json = self.view.authority(body.authority)?.unwrap_or_default();
            self.authorities.insert(body.authority, json);
        }
        if self.format == Format::Canonical {
            self.fetch_definitions(entry.sequence)?;
        }
        if let Some(attachments) = &mut self.attachments
            && body.raw.contains("\"attachments\"")
            && let Some(statement) = self.view.statement(entry.sequence)?
        {
            attachments.add(self.view.snapshot(), &statement)?;
        }
        let id = entry.id.to_string();
        let stored = print_timestamp(entry.stored);
        let authority = self
            .authorities
            .get(&body.authority)
            .map_or("null", String::as_str);
        let authority = Json::read(authority, Limits::DEFAULT.depth)?;
        let mut statement = Json::read(&body.raw, Limits::DEFAULT.depth)?;
        form::exact(
            &mut statement,
            &Kept {
                id: &id,
                stored: &stored,
                authority: &authority,
                version: body.version.of_statement(),
            },
        );
        match self.format {
            Format::Exact => {}
            Format::Ids => form::ids(&mut statement),
            Format::Canonical => form::canonical(&mut statement, &self.languages, &|activity| {
                let definition = self.definitions.get(activity)?.as_deref()?;
                Json::read(definition, Limits::DEFAULT.depth).ok()
            }),
        }
        statement.write(out);
        Ok(true)
    }

    fn fetch_definitions(&mut self, sequence: u64) -> Result<(), Error> {
        let Some(statement) = self.view.statement(sequence)? else {
            return Ok(());
        };
        for activity in crate::definitions::activities(&statement) {
            if !self.definitions.contains_key(&activity.id) {
                let known = self.view.snapshot().get(&DEFINITIONS, &activity.id)?;
                self.definitions.insert(
                    activity.id.clone(),
                    known.map(|Row(known)| known.definition),
                );
            }
        }
        Ok(())
    }
}
