//! Turns stored bodies into what is served: exact, ids or canonical.

use std::collections::HashMap;

use lectern_store::Json as Row;
use lectern_xapi::form::{self, Kept, Languages};
use lectern_xapi::json::Json;
use lectern_xapi::{Limits, print_timestamp};

use super::parameters::Format;
use crate::attachments::{AttachmentBytes, Named};
use crate::body::Body;
use crate::definitions::DEFINITIONS;
use crate::entry::Entry;
use crate::error::Error;
use crate::view::View;

/// Serves the statements of one answer.
pub(crate) struct Server<'s> {
    view: &'s View,
    format: Format,
    languages: &'s Languages,
    /// By Activity id; `None` is remembered, too.
    definitions: HashMap<String, Option<String>>,
    /// Of what was written.
    attachments: Option<Named>,
}

impl<'s> Server<'s> {
    pub fn new(
        view: &'s View,
        format: Format,
        languages: &'s Languages,
        attachments: bool,
    ) -> Self {
        Self {
            view,
            format,
            languages,
            definitions: HashMap::new(),
            attachments: attachments.then(Named::default),
        }
    }

    /// The attachments of what was written, one at a time, when they were asked for.
    pub fn attachments(
        &self,
    ) -> Option<impl Iterator<Item = Result<AttachmentBytes, Error>> + use<'_>> {
        let snapshot = self.view.snapshot();
        Some(self.attachments.as_ref()?.read(snapshot))
    }

    /// How many bytes they will be.
    pub fn bytes(&self) -> usize {
        self.attachments.as_ref().map_or(0, Named::bytes)
    }

    /// Appends the statement. `json` is the body's.
    pub fn write<'b>(
        &mut self,
        entry: &Entry,
        body: &'b Body,
        json: Json<'b>,
        out: &mut String,
    ) -> Result<(), Error> {
        if self.format == Format::Canonical {
            self.fetch_definitions(entry.sequence)?;
        }
        if let Some(attachments) = &mut self.attachments
            && body.raw.contains("\"attachments\"")
            && let Some(statement) = self.view.statement(entry.sequence)?
        {
            attachments.add(&statement);
        }
        let id = entry.id.to_string();
        let stored = print_timestamp(entry.stored);
        let authority = self.view.authority(body.authority)?;
        let authority = authority.as_ref().map_or("null", |known| &known.json);
        let authority = Json::read(authority, Limits::DEFAULT.depth)?;
        let mut statement = json;
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
            Format::Canonical => form::canonical(&mut statement, self.languages, &|activity| {
                let definition = self.definitions.get(activity)?.as_deref()?;
                Json::read(definition, Limits::DEFAULT.depth).ok()
            }),
        }
        statement.write(out);
        Ok(())
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
