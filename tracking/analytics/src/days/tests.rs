//! What is written is read again by the crate's own reader; foreign ones are in `tracking/interop`.

use bytes::Bytes;
use lectern_lrs::{Caller, Lrs, Stored};
use lectern_store::{Options, Store};
use lectern_xapi::Version;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

struct TestBox {
    lrs: Lrs,
    _folder: TempDir,
}

fn new() -> TestBox {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("records.redb"), Options::default()).unwrap();
    TestBox {
        lrs: Lrs::open(store, vec![]).unwrap(),
        _folder: folder,
    }
}

impl TestBox {
    async fn post(&self, body: Value) {
        let caller = Caller::importing("https://box.example");
        self.lrs
            .post_statements(&caller, Version::V2_0_0, body.to_string())
            .await
            .unwrap();
    }

    /// All days, as rows, and how many row groups they are in.
    fn rows(&self) -> (Vec<Row>, usize) {
        let (mut rows, mut groups) = (Vec::new(), 0);
        for day in self.lrs.days(Stored::default()).unwrap() {
            let mut file = Vec::new();
            let count = write_day(&self.lrs, day, &mut file).unwrap();
            let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
            assert_eq!(reader.metadata().file_metadata().num_rows(), count as i64);
            groups += reader.num_row_groups();
            rows.extend(reader.get_row_iter(None).unwrap().map(Result::unwrap));
        }
        (rows, groups)
    }
}

fn field<'r>(row: &'r Row, name: &str) -> &'r Field {
    let mut columns = row.get_column_iter();
    columns.find(|(own, _)| own.as_str() == name).unwrap().1
}

fn said(row: &Row, name: &str) -> Option<String> {
    match field(row, name) {
        Field::Null => None,
        Field::Str(text) => Some(text.clone()),
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_says_what_its_statement_says() {
    let the_box = new();
    let course = "https://example.org/course";
    let full = json!({
        "id": "00000000-0000-4000-8000-000000000001",
        "actor": {"objectType": "Agent", "name": "Ada", "account": {"homePage": "https://example.org", "name": "ada"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
        "object": {"id": "https://example.org/q", "definition": {"name": {"de": "Frage"}, "type": "http://example.org/question"}},
        "result": {
            "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
            "success": false, "completion": true, "response": "ü", "duration": "PT1M0.25S",
        },
        "context": {
            "registration": "11111111-1111-4111-8111-111111111111",
            "platform": "web", "language": "de-CH", "revision": "7",
            "contextActivities": {"parent": [{"id": course}], "other": [{"id": "https://a.example/"}, {"id": "https://b.example/"}]},
        },
        "timestamp": "2026-01-02T03:04:05.678901234Z",
    });
    let bare = json!({
        "id": "00000000-0000-4000-8000-000000000002",
        "actor": {"objectType": "Group", "member": [{"mbox": "mailto:eve@example.org"}]},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": full["id"]},
    });
    the_box.post(full.clone()).await;
    the_box.post(bare).await;
    let (rows, _) = the_box.rows();
    let [first, second] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    for (name, expected) in [
        ("id", full["id"].as_str().unwrap()),
        ("actor", "https://example.org ada"),
        ("actor_name", "Ada"),
        ("verb", "http://adlnet.gov/expapi/verbs/answered"),
        ("object_type", "Activity"),
        ("object", "https://example.org/q"),
        ("object_name", "Frage"),
        ("activity_type", "http://example.org/question"),
        ("registration", "11111111-1111-4111-8111-111111111111"),
        ("response", "ü"),
        ("platform", "web"),
        ("language", "de-CH"),
        ("revision", "7"),
        ("credential", "import"),
        ("version", "2.0.0"),
    ] {
        assert_eq!(said(first, name).as_deref(), Some(expected), "{name}");
    }
    for (name, expected) in [
        ("score_scaled", 0.5),
        ("score_raw", 5.0),
        ("score_min", 0.0),
        ("score_max", 10.0),
    ] {
        assert_eq!(field(first, name), &Field::Double(expected), "{name}");
    }
    assert_eq!(field(first, "success"), &Field::Bool(false));
    assert_eq!(field(first, "completion"), &Field::Bool(true));
    assert_eq!(field(first, "duration_ms"), &Field::Long(60_250));
    let timestamp: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
    assert_eq!(
        field(first, "timestamp"),
        &Field::TimestampMicros(timestamp.as_microsecond())
    );
    for (name, expected) in [
        ("parent", vec![course]),
        ("grouping", vec![]),
        ("other", vec!["https://a.example/", "https://b.example/"]),
    ] {
        let Field::ListInternal(list) = field(first, name) else {
            panic!("{name}");
        };
        let found: Vec<String> = list
            .elements()
            .iter()
            .map(|one| match one {
                Field::Str(id) => id.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    }
    // Taken back by the other, which is a Group without an identifier and says nothing else.
    assert_eq!(field(first, "voided"), &Field::Bool(true));
    assert_eq!(field(second, "voided"), &Field::Bool(false));
    assert_eq!(said(second, "object_type").as_deref(), Some("StatementRef"));
    assert_eq!(said(second, "object"), said(first, "id"));
    for name in [
        "actor",
        "registration",
        "score_raw",
        "success",
        "duration_ms",
    ] {
        assert_eq!(field(second, name), &Field::Null, "{name}");
    }
    // The whole of it stands there, too.
    let whole: Value = serde_json::from_str(&said(first, "statement").unwrap()).unwrap();
    assert_eq!(whole["result"], full["result"]);
    let stored: Timestamp = whole["stored"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        field(first, "stored"),
        &Field::TimestampMicros(stored.as_microsecond())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_a_group_holds_come_in_order_in_several() {
    let the_box = new();
    let wanted = GROUP_ROWS + 500;
    for from in (0..wanted).step_by(500) {
        let some: Vec<Value> = (from..from + 500)
            .map(|n| {
                json!({
                    "id": format!("00000000-0000-4000-8000-{n:012}"),
                    "actor": {"mbox": "mailto:ada@example.org"},
                    "verb": {"id": "http://example.org/did"},
                    "object": {"id": format!("http://example.org/{}", n % 10)},
                })
            })
            .collect();
        the_box.post(json!(some)).await;
    }
    let (rows, groups) = the_box.rows();
    assert_eq!(rows.len(), wanted);
    assert!(groups >= 2, "{groups}");
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(field(row, "sequence"), &Field::Long(n as i64 + 1));
        let id = said(row, "id").unwrap();
        assert_eq!(id, format!("00000000-0000-4000-8000-{n:012}"));
    }
}
