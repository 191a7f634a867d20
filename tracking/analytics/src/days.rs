//! A day's statements as a Parquet file, for Spark, Trino, ClickHouse, DuckDB, DataFusion: a row each, a column for what is
//! mostly asked for, the whole statement as JSON beside them. Laid out as `day=2026-11-26/statements.parquet`, which all of
//! them read as one table.
//!
//! Not there: what was erased. `voided` is as of now: a day's file is written anew to follow what was taken back since.

use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use lectern_lrs::forward::print_identifier;
use lectern_lrs::{Entry, Lrs, Stored};
use lectern_xapi::{Activity, Ifi, Object, Statement};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

/// The columns, in order. Times are UTC; what a statement does not say is null, or an empty list.
const SCHEMA: &str = "
message statement {
  required int64 sequence;
  required binary id (STRING);
  required int64 stored (TIMESTAMP(MICROS,true));
  required int64 timestamp (TIMESTAMP(MICROS,true));
  optional binary actor (STRING);
  optional binary actor_name (STRING);
  required binary verb (STRING);
  required binary object_type (STRING);
  optional binary object (STRING);
  optional binary object_name (STRING);
  optional binary activity_type (STRING);
  optional binary registration (STRING);
  optional double score_scaled;
  optional double score_raw;
  optional double score_min;
  optional double score_max;
  optional boolean success;
  optional boolean completion;
  optional binary response (STRING);
  optional int64 duration_ms;
  optional binary platform (STRING);
  optional binary language (STRING);
  optional binary revision (STRING);
  required group parent (LIST) { repeated group list { required binary element (STRING); } }
  required group grouping (LIST) { repeated group list { required binary element (STRING); } }
  required group category (LIST) { repeated group list { required binary element (STRING); } }
  required group other (LIST) { repeated group list { required binary element (STRING); } }
  required binary credential (STRING);
  required boolean voided;
  required binary version (STRING);
  required binary statement (JSON);
}";

/// Rows, and bytes of text, in one row group: what is in memory at once.
const GROUP_ROWS: usize = 20_000;
const GROUP_BYTES: usize = 16 << 20;

/// Writes the statements that were stored on a day (UTC); how many. Blocks.
///
/// # Errors
/// Those of `out`; the store's.
pub fn write_day(lrs: &Lrs, day: Date, out: impl Write + Send) -> std::io::Result<u64> {
    // What came last is told apart from what was taken back.
    lrs.settle();
    let schema = parse_message_type(SCHEMA).map_err(std::io::Error::other)?;
    let zstd = ZstdLevel::try_new(3).map_err(std::io::Error::other)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(zstd))
        .set_created_by(format!("Lectern {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut file = SerializedFileWriter::new(out, TypePtr::new(schema), Arc::new(properties))
        .map_err(std::io::Error::other)?;
    let mut rows = Rows::default();
    let mut count = 0;
    lrs.each(Stored::on(day), &mut |entry, statement, is_voided, json| {
        count += 1;
        rows.push(entry, statement, is_voided, json);
        if rows.sequence.len() >= GROUP_ROWS || rows.bytes >= GROUP_BYTES {
            let full = std::mem::take(&mut rows);
            full.write(&mut file).map_err(std::io::Error::other)?;
        }
        Ok(())
    })?;
    if !rows.sequence.is_empty() {
        rows.write(&mut file).map_err(std::io::Error::other)?;
    }
    file.close().map_err(std::io::Error::other)?;
    Ok(count)
}

/// Rows that are not written yet, by column.
#[derive(Default)]
struct Rows {
    bytes: usize,
    sequence: Vec<i64>,
    id: Vec<ByteArray>,
    stored: Vec<i64>,
    timestamp: Vec<i64>,
    actor: Vec<Option<ByteArray>>,
    actor_name: Vec<Option<ByteArray>>,
    verb: Vec<ByteArray>,
    object_type: Vec<ByteArray>,
    object: Vec<Option<ByteArray>>,
    object_name: Vec<Option<ByteArray>>,
    activity_type: Vec<Option<ByteArray>>,
    registration: Vec<Option<ByteArray>>,
    scores: [Vec<Option<f64>>; 4],
    success: Vec<Option<bool>>,
    completion: Vec<Option<bool>>,
    response: Vec<Option<ByteArray>>,
    duration_ms: Vec<Option<i64>>,
    platform: Vec<Option<ByteArray>>,
    language: Vec<Option<ByteArray>>,
    revision: Vec<Option<ByteArray>>,
    around: [Vec<Vec<ByteArray>>; 4],
    credential: Vec<ByteArray>,
    voided: Vec<bool>,
    version: Vec<ByteArray>,
    statement: Vec<ByteArray>,
}

fn text(text: impl Into<String>) -> ByteArray {
    ByteArray::from(text.into().into_bytes())
}

/// `mailto:…`, a SHA-1 sum, an OpenID, home page and name of an account.
fn identifier(ifi: &Ifi) -> String {
    print_identifier(&ifi.key()).to_owned()
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

impl Rows {
    fn push(&mut self, entry: &Entry, statement: &Statement, is_voided: bool, json: &str) {
        self.bytes += json.len();
        self.sequence
            .push(i64::try_from(entry.sequence).unwrap_or(i64::MAX));
        self.id.push(text(entry.id.to_string()));
        self.stored.push(micros(entry.stored));
        self.timestamp
            .push(micros(statement.timestamp.unwrap_or(entry.stored)));
        let actor = statement.actor.ifi().map(identifier);
        self.actor.push(actor.map(text));
        self.actor_name.push(statement.actor.name().map(text));
        self.verb.push(text(&statement.verb.id));
        self.push_object(&statement.object);
        let context = statement.context.as_ref();
        self.registration
            .push(statement.registration().map(|id| text(id.to_string())));
        self.push_result(statement);
        let said =
            |find: fn(&lectern_xapi::Context) -> Option<&String>| context.and_then(find).map(text);
        self.platform
            .push(said(|context| context.platform.as_ref()));
        self.language
            .push(said(|context| context.language.as_ref()));
        self.revision
            .push(said(|context| context.revision.as_ref()));
        let around = context.map(|context| &context.activities);
        let lists = around.map(|around| {
            [
                &around.parent,
                &around.grouping,
                &around.category,
                &around.other,
            ]
        });
        for (index, list) in self.around.iter_mut().enumerate() {
            let ids = |list: &&Vec<Activity>| list.iter().map(|one| text(&one.id)).collect();
            let found = lists.as_ref().and_then(|lists| lists.get(index));
            list.push(found.map(ids).unwrap_or_default());
        }
        self.credential.push(text(&entry.credential));
        self.voided.push(is_voided);
        self.version
            .push(text(statement.version.as_deref().unwrap_or("1.0.0")));
        self.statement.push(text(json));
    }

    fn push_object(&mut self, object: &Object) {
        let (kind, id) = match object {
            Object::Activity(activity) => ("Activity", Some(activity.id.clone())),
            Object::Agent(agent) => ("Agent", Some(identifier(&agent.ifi))),
            Object::Group(group) => ("Group", group.ifi.as_ref().map(identifier)),
            Object::StatementRef(id) => ("StatementRef", Some(id.to_string())),
            Object::SubStatement(_) => ("SubStatement", None),
        };
        self.object_type.push(text(kind));
        self.object.push(id.map(text));
        let definition = match object {
            Object::Activity(activity) => activity.definition.as_ref(),
            _ => None,
        };
        let name = definition.and_then(|definition| definition.name.values().next());
        self.object_name.push(name.map(text));
        let kind = definition.and_then(|definition| definition.kind.as_ref());
        self.activity_type.push(kind.map(text));
    }

    fn push_result(&mut self, statement: &Statement) {
        let result = statement.result.as_ref();
        let score = result.and_then(|result| result.score.as_ref());
        let scores = score.map(|score| [score.scaled, score.raw, score.min, score.max]);
        for (column, score) in self.scores.iter_mut().zip(scores.unwrap_or_default()) {
            column.push(score);
        }
        self.success.push(result.and_then(|result| result.success));
        self.completion
            .push(result.and_then(|result| result.completion));
        self.response
            .push(result.and_then(|result| result.response.as_ref()).map(text));
        let duration = result.and_then(|result| result.duration.as_ref());
        let duration = duration.map(|duration| duration.approximate_ms());
        self.duration_ms
            .push(duration.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)));
    }

    /// One row group: the columns in the order of the schema.
    fn write<W: Write + Send>(
        self,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        let mut group = file.next_row_group()?;
        column::<Int64Type, _>(&mut group, self.sequence)?;
        column::<ByteArrayType, _>(&mut group, self.id)?;
        column::<Int64Type, _>(&mut group, self.stored)?;
        column::<Int64Type, _>(&mut group, self.timestamp)?;
        sparse::<ByteArrayType, _>(&mut group, self.actor)?;
        sparse::<ByteArrayType, _>(&mut group, self.actor_name)?;
        column::<ByteArrayType, _>(&mut group, self.verb)?;
        column::<ByteArrayType, _>(&mut group, self.object_type)?;
        for texts in [
            self.object,
            self.object_name,
            self.activity_type,
            self.registration,
        ] {
            sparse::<ByteArrayType, _>(&mut group, texts)?;
        }
        for scores in self.scores {
            sparse::<DoubleType, _>(&mut group, scores)?;
        }
        sparse::<BoolType, _>(&mut group, self.success)?;
        sparse::<BoolType, _>(&mut group, self.completion)?;
        sparse::<ByteArrayType, _>(&mut group, self.response)?;
        sparse::<Int64Type, _>(&mut group, self.duration_ms)?;
        for texts in [self.platform, self.language, self.revision] {
            sparse::<ByteArrayType, _>(&mut group, texts)?;
        }
        for ids in self.around {
            list(&mut group, ids)?;
        }
        column::<ByteArrayType, _>(&mut group, self.credential)?;
        column::<BoolType, _>(&mut group, self.voided)?;
        column::<ByteArrayType, _>(&mut group, self.version)?;
        column::<ByteArrayType, _>(&mut group, self.statement)?;
        group.close()?;
        Ok(())
    }
}

/// A column in which every row has a value.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: Vec<T::T>,
) -> Result<(), ParquetError> {
    write::<T, W>(group, &values, None, None)
}

/// A column in which some rows have none.
fn sparse<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: Vec<Option<T::T>>,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = values.iter().map(|value| value.is_some().into()).collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    write::<T, W>(group, &there, Some(&levels), None)
}

/// A column of lists.
fn list<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: Vec<Vec<ByteArray>>,
) -> Result<(), ParquetError> {
    let (mut there, mut goes_on) = (Vec::new(), Vec::new());
    for row in &rows {
        // An empty list has one level, and no value.
        for index in 0..row.len().max(1) {
            there.push(i16::from(!row.is_empty()));
            goes_on.push(i16::from(index > 0));
        }
    }
    let values: Vec<ByteArray> = rows.into_iter().flatten().collect();
    write::<ByteArrayType, W>(group, &values, Some(&there), Some(&goes_on))
}

fn write<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    there: Option<&[i16]>,
    goes_on: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column
        .ok_or_else(|| ParquetError::General("more columns than the schema has".to_owned()))?;
    column.typed::<T>().write_batch(values, there, goes_on)?;
    column.close()
}

#[cfg(test)]
mod tests;
