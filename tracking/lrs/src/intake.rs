//! Taking in statements that were stored elsewhere: files, other record stores. Unlike a request's batch, one that cannot
//! be taken holds up no other, and one that is here already is no fault.
//!
//! What another store added (`stored`, `authority`) stays in the text, letter by letter; what is served is ours, as the
//! standard wants it of every LRS (Data 2.4.8, 2.4.9): when it came here, and through whom.

use std::collections::HashMap;

use lectern_xapi::json::Json;
use lectern_xapi::{Invalid, Limits, Parsed, Version, equivalent};
use uuid::Uuid;

use crate::append::Batch;
use crate::attachments::{self, AttachmentBytes};
use crate::caller::Caller;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::view::View;

/// What became of a statement that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is stored now.
    Stored,
    /// The same statement was here already.
    Known,
    /// It cannot be stored; why, for a person.
    Refused(String),
}

/// One that may be stored.
struct Fit {
    /// Which of those that were offered.
    index: usize,
    version: Version,
    text: String,
}

impl Lrs {
    /// Takes in statements, each as a JSON text with the id that it has; what became of each, in order. Durable when it
    /// returns. `version` holds for those that do not say theirs. Attachments that `came` lacks and that are kept here
    /// already need not come again.
    ///
    /// # Errors
    /// [`Error::Store`]: some may be stored; all can be offered again.
    pub async fn take_in(
        &self,
        caller: &Caller,
        version: Version,
        texts: Vec<String>,
        came: Vec<AttachmentBytes>,
    ) -> Result<Vec<Taken>, Error> {
        let mut taken = vec![Taken::Stored; texts.len()];
        let lrs = self.clone();
        let bytes = texts.iter().map(String::len).sum();
        let (fits, others, came) = self
            .off_thread(bytes, move || lrs.sort_out(version, texts, came))
            .await?;
        for (index, other) in others {
            if let Some(place) = taken.get_mut(index) {
                *place = other;
            }
        }
        for some in fits.chunk_by(|a, b| a.version == b.version) {
            match self.put(caller, some, &came).await {
                Ok(()) => continue,
                Err(error @ Error::Store(_)) => return Err(error),
                Err(_) => {}
            }
            // One of them is refused, or was stored by somebody else this moment: whose fault it is shows alone.
            for one in some {
                let outcome = match self.put(caller, std::slice::from_ref(one), &came).await {
                    Ok(()) => continue,
                    Err(error @ Error::Store(_)) => return Err(error),
                    Err(error) => Taken::Refused(error.to_string()),
                };
                if let Some(place) = taken.get_mut(one.index) {
                    *place = outcome;
                }
            }
        }
        Ok(taken)
    }

    /// Those that may be stored, and what is to be said of the others.
    #[expect(clippy::type_complexity, reason = "three lists, used once")]
    fn sort_out(
        &self,
        version: Version,
        texts: Vec<String>,
        mut came: Vec<AttachmentBytes>,
    ) -> Result<(Vec<Fit>, Vec<(usize, Taken)>, Vec<AttachmentBytes>), Error> {
        let view = self.view()?;
        let mut fits: Vec<Fit> = Vec::new();
        let mut others = Vec::new();
        let mut ids: HashMap<Uuid, usize> = HashMap::new();
        for (index, text) in texts.into_iter().enumerate() {
            let version = version_of(&text).unwrap_or(version);
            let parsed =
                match lectern_xapi::parse_statement(text.as_bytes(), version, Limits::DEFAULT) {
                    Ok(parsed) => parsed,
                    Err(invalid) => {
                        others.push((index, Taken::Refused(invalid.to_string())));
                        continue;
                    }
                };
            let Some(id) = parsed.statement.id else {
                let reason = "has no id: it could not be told whether it is here already";
                others.push((index, Taken::Refused(reason.to_owned())));
                continue;
            };
            let twin = ids.get(&id).and_then(|at| fits.get(*at));
            let known = match twin {
                Some(fit) => Some(fit.text.clone()),
                None => text_of(&view, id)?,
            };
            if let Some(known) = known {
                let here = match equivalent(&known, &text) {
                    true => Taken::Known,
                    false => Taken::Refused("another statement is stored under this id".to_owned()),
                };
                others.push((index, here));
                continue;
            }
            attachments::fill_up(view.snapshot(), &parsed, &mut came)?;
            if let Err(error) = match_up(&parsed, &came) {
                others.push((index, Taken::Refused(error.to_string())));
                continue;
            }
            ids.insert(id, fits.len());
            fits.push(Fit {
                index,
                version,
                text,
            });
        }
        Ok((fits, others, came))
    }

    async fn put(
        &self,
        caller: &Caller,
        fits: &[Fit],
        came: &[AttachmentBytes],
    ) -> Result<(), Error> {
        let Some(version) = fits.first().map(|fit| fit.version) else {
            return Ok(());
        };
        let parse = |fit: &Fit| {
            lectern_xapi::parse_statement(fit.text.as_bytes(), version, Limits::DEFAULT)
        };
        let parsed: Vec<Parsed> = fits.iter().map(parse).collect::<Result<_, Invalid>>()?;
        let came = parsed.iter().fold(Vec::new(), |mut wanted, one| {
            for new in named(one, came) {
                if !wanted.contains(new) {
                    wanted.push(new.clone());
                }
            }
            wanted
        });
        let batch = Batch::new(parsed, &came, caller, version)?;
        self.append(batch, came).await.map(drop)
    }
}

/// What a statement says of itself.
fn version_of(text: &str) -> Option<Version> {
    let json = Json::read(text, Limits::DEFAULT.depth).ok()?;
    Version::from_header(json.get("version")?.as_str()?).ok()
}

/// What is stored under an id; of one that was erased, nothing that could be compared.
fn text_of(view: &View, id: Uuid) -> Result<Option<String>, Error> {
    if view.is_new(id) {
        return Ok(None);
    }
    let Some(sequence) = view.sequence_of(id)? else {
        return Ok(None);
    };
    let body = view.body(sequence)?;
    Ok(Some(body.map_or_else(String::new, |body| body.raw)))
}

/// Of the bytes that came, those that this statement names.
fn named<'c>(
    one: &Parsed,
    came: &'c [AttachmentBytes],
) -> impl Iterator<Item = &'c AttachmentBytes> {
    let shas: Vec<String> = one
        .statement
        .all_attachments()
        .map(|attachment| attachment.sha2.clone())
        .collect();
    came.iter().filter(move |bytes| shas.contains(&bytes.sha2))
}

fn match_up(one: &Parsed, came: &[AttachmentBytes]) -> Result<(), Error> {
    let own: Vec<AttachmentBytes> = named(one, came).cloned().collect();
    attachments::match_up(std::slice::from_ref(one), &own)
}
