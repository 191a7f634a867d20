//! People from a spreadsheet: CSV with a header, `name,display_name,email,role` and perhaps `password`.
//!
//! Forgiving where spreadsheets differ (columns in any order, `;` or tab instead of `,`, a byte order mark), exact in what
//! it says: each row that could not be taken is named by its line. Good rows are taken all the same; a name that is there
//! already is updated, never duplicated, and its empty cells change nothing.

use crate::lms::Lms;
use crate::people::{insert_new, update};
use crate::person::{NewPerson, Person, PersonPatch, Role, folded};
use crate::session::end_sessions_of;
use crate::tables::{NAMES, PASSWORDS, PEOPLE};
use crate::{Error, password};
use jiff::Timestamp;
use lectern_store::Tx;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// Longest file.
pub const MAX_CSV_BYTES: usize = 4 * 1024 * 1024;
const MAX_ROWS: usize = 20_000;
/// Each password costs some 30 ms.
const MAX_PASSWORDS: usize = 1_000;
const MAX_ERRORS: usize = 100;
const COLUMNS: [&str; 5] = ["name", "display_name", "email", "role", "password"];

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// How many people were added.
    pub added: usize,
    /// How many were there already and were updated.
    pub updated: usize,
    /// Rows that were not taken; the first hundred.
    pub errors: Vec<ImportError>,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportError {
    /// Line in the file, from 1.
    pub line: u64,
    /// Why, for a person.
    pub message: String,
}

/// A row that can be tried.
#[derive(Clone)]
struct Row {
    line: u64,
    new: NewPerson,
    has_role: bool,
    phc: Option<String>,
}

impl Lms {
    /// Imports people; one commit for all of them.
    ///
    /// # Errors
    /// When the store fails. What is wrong with the file is in the report.
    pub fn import_people(&self, csv: &[u8], now: Timestamp) -> Result<ImportReport, Error> {
        let (rows, errors) = read(csv);
        self.store.write(move |tx| {
            let mut report = ImportReport {
                errors: errors.clone(),
                ..ImportReport::default()
            };
            for row in &rows {
                match take(tx, row, now) {
                    Ok(true) => report.added += 1,
                    Ok(false) => report.updated += 1,
                    Err(error) if error.is_callers_fault() => report.errors.push(ImportError {
                        line: row.line,
                        message: error.to_string(),
                    }),
                    Err(error) => return Err(error),
                }
            }
            report.errors.sort_by_key(|error| error.line);
            report.errors.truncate(MAX_ERRORS);
            Ok(report)
        })
    }
}

/// Adds (true) or updates (false).
fn take(tx: &Tx<'_>, row: &Row, now: Timestamp) -> Result<bool, Error> {
    let Some(known) = tx.get(&NAMES, &folded(&row.new.name))? else {
        insert_new(tx, Person::new(&row.new, now)?, row.phc.as_deref())?;
        return Ok(true);
    };
    let patch = PersonPatch {
        display_name: row.new.display_name.clone(),
        email: row.new.email.clone(),
        roles: row.has_role.then(|| row.new.roles.clone()),
        ..PersonPatch::default()
    };
    let mut person = update(tx, known.person, &patch)?;
    if let Some(phc) = &row.phc {
        person.has_password = true;
        tx.insert(&PEOPLE, &person.id, &person)?;
        tx.insert(&PASSWORDS, &person.id, phc)?;
        end_sessions_of(tx, person.id, None)?;
    }
    Ok(false)
}

fn read(csv: &[u8]) -> (Vec<Row>, Vec<ImportError>) {
    let fail = |line: u64, message: &str| {
        (
            Vec::new(),
            vec![ImportError {
                line,
                message: message.to_owned(),
            }],
        )
    };
    if csv.len() > MAX_CSV_BYTES {
        return fail(1, "the file is larger than 4 MiB: split it");
    }
    let csv = csv.strip_prefix("\u{feff}".as_bytes()).unwrap_or(csv);
    if let Err(error) = std::str::from_utf8(csv) {
        let before = &csv[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        return fail(
            line,
            "this line is not UTF-8: save the file as \"CSV UTF-8\"",
        );
    }
    let first = csv.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| (count(*delimiter), *delimiter == b','))
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(csv);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return fail(1, &error.to_string()),
    };
    let mut columns: HashMap<&str, usize> = HashMap::new();
    for (index, title) in header.iter().enumerate() {
        let title = title.to_lowercase().replace([' ', '-'], "_");
        match COLUMNS.into_iter().find(|column| *column == title) {
            Some(column) if !columns.contains_key(column) => {
                columns.insert(column, index);
            }
            Some(column) => return fail(1, &format!("the column {column} is there twice")),
            None => {
                return fail(
                    1,
                    &format!(
                        "the column {title:?} is not known: the first line names the columns, name, display_name, email, role"
                    ),
                );
            }
        }
    }
    if !columns.contains_key("name") {
        return fail(
            1,
            "the first line must name the columns: name, display_name, email, role",
        );
    }
    read_rows(&mut reader, &columns, Lines::new(csv))
}

fn read_rows(
    reader: &mut csv::Reader<&[u8]>,
    columns: &HashMap<&str, usize>,
    mut places: Lines<'_>,
) -> (Vec<Row>, Vec<ImportError>) {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut passwords = 0;
    for record in reader.records() {
        let mut bad = |line: u64, message: String| errors.push(ImportError { line, message });
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, |place| places.line_of(place));
                bad(line, error.to_string());
                break;
            }
        };
        let line = record.position().map_or(0, |place| places.line_of(place));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() >= MAX_ROWS {
            bad(
                line,
                format!("a file has at most {MAX_ROWS} people: import the rest from another"),
            );
            break;
        }
        let cell = |column: &str| {
            let text = columns.get(column).and_then(|index| record.get(*index));
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        if record.len() > columns.len() {
            bad(
                line,
                "this line has more cells than the first one".to_owned(),
            );
            continue;
        }
        let name = cell("name").unwrap_or_default();
        if let Some(first) = lines.get(&folded(&name)) {
            bad(line, format!("the name {name} is in line {first} already"));
            continue;
        }
        let roles = match cell("role").map(|role| parse_roles(&role)).transpose() {
            Ok(roles) => roles,
            Err(error) => {
                bad(line, error.to_string());
                continue;
            }
        };
        let password = cell("password");
        passwords += usize::from(password.is_some());
        if passwords > MAX_PASSWORDS {
            bad(
                line,
                format!(
                    "a file has at most {MAX_PASSWORDS} passwords: import the rest from another"
                ),
            );
            break;
        }
        let phc = match password.as_deref().map(password::hash).transpose() {
            Ok(phc) => phc,
            Err(error) => {
                bad(line, error.to_string());
                continue;
            }
        };
        lines.insert(folded(&name), line);
        rows.push(Row {
            line,
            has_role: roles.is_some(),
            new: NewPerson {
                name,
                display_name: cell("display_name"),
                email: cell("email"),
                roles: roles.unwrap_or_else(|| BTreeSet::from([Role::Learner])),
                password: None,
            },
            phc,
        });
    }
    (rows, errors)
}

/// Counts lines as an editor does: the csv crate counts from before the empty lines it skips.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line of a place, at or after the place asked for before.
    fn line_of(&mut self, place: &csv::Position) -> u64 {
        let wanted = usize::try_from(place.byte()).unwrap_or(usize::MAX);
        while let Some(byte) = self.text.get(self.at) {
            if self.at >= wanted && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// One role, or several with `+`, `|`, `/` or a space between.
fn parse_roles(text: &str) -> Result<BTreeSet<Role>, Error> {
    text.split(['+', '|', '/', ' ', ','])
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, proptest};

    proptest! {
        #[test]
        fn no_bytes_make_an_import_panic(bytes in any::<Vec<u8>>(), tail in "[a-z,;\"\r\n\t ]{0,200}") {
            let (rows, errors) = read(&bytes);
            prop_assert!(rows.len() + errors.len() <= bytes.len() + 1);
            let _ = read(format!("name;role\n{tail}").as_bytes());
        }

        #[test]
        fn the_line_that_is_named_is_the_one_that_is_wrong(before in 0usize..20, ending in "(\r\n|\n)") {
            let mut text = format!("name,role{ending}");
            for number in 0..before {
                text += &format!("person{number},learner{ending}{ending}");
            }
            text += "eve,queen";
            let (rows, errors) = read(text.as_bytes());
            prop_assert!(rows.len() == before && errors.len() == 1);
            prop_assert!(errors[0].line == 2 + 2 * before as u64, "{errors:?} {text:?}");
        }
    }
}
