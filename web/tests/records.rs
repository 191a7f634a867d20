//! Statements and people's records on the pages: who sees which, that it is audited, and the files.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeSet;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lectern_library::{NewUpload, NewVideo, VideoId, Visibility};
use lectern_lms::{Person, Role, Viewer};
use lectern_lrs::{Scope, Scopes};
use serde_json::{Value, json};
use support::{Asking, TestBox};
use uuid::Uuid;

const PAUSED: &str = "https://w3id.org/xapi/video/verbs/paused";
const ANSWERED: &str = "http://adlnet.gov/expapi/verbs/answered";

/// A box with a video, and somebody outside who writes statements.
struct Scene {
    it: TestBox,
    owner: Person,
    basic: String,
    identity: String,
}

impl Scene {
    fn new() -> Self {
        let it = TestBox::new();
        let owner = it.person("ines", &[Role::Instructor]);
        let identity = it.app.lms.identity().unwrap();
        let scopes = Scopes::from_iter([Scope::All]);
        let made = it.app.lrs.credentials().add("Elsewhere", scopes, &identity);
        let made = made.unwrap();
        let basic = STANDARD.encode(format!("{}:{}", made.key, made.secret));
        Self {
            it,
            owner,
            basic: format!("Basic {basic}"),
            identity,
        }
    }

    fn video(&self, title: &str, visibility: Visibility) -> VideoId {
        let library = &self.it.app.library;
        let new = NewUpload {
            length: 3,
            name: "one.mp4".into(),
            owner: self.owner.id.to_string(),
            metadata: String::new(),
        };
        let now = self.it.app.now();
        let upload = library.import(new, &mut Cursor::new(b"one"), now).unwrap();
        let new = NewVideo {
            title: title.into(),
            language: "en".into(),
            visibility,
            owner: self.owner.id.to_string(),
            upload: upload.id,
        };
        library.create_video(new, now).unwrap()
    }

    /// `paused` by this person in this video, with what they played of its 30 s.
    fn paused(&self, person: &Person, video: VideoId, played: &str) -> Value {
        let viewer = Viewer::Person(person.id);
        let registration =
            self.it
                .app
                .lms
                .registration(&viewer, &video.to_string(), self.it.app.now());
        json!({
            "id": Uuid::new_v4(),
            "actor": {"account": {"homePage": self.identity, "name": person.actor}},
            "verb": {"id": PAUSED, "display": {"en": "paused"}},
            "object": {
                "id": format!("{}/videos/{video}", self.identity),
                "definition": {"type": "https://w3id.org/xapi/video/activity-type/video"},
            },
            "result": {"extensions": {
                "https://w3id.org/xapi/video/extensions/played-segments": played,
                "https://w3id.org/xapi/video/extensions/time": 8.250,
            }},
            "context": {
                "registration": registration.unwrap().registration,
                "revision": "1",
                "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}]},
                "extensions": {"https://w3id.org/xapi/video/extensions/length": 30},
            },
        })
    }

    /// Somebody from elsewhere did something elsewhere.
    fn elsewhere(&self) -> Value {
        json!({
            "id": Uuid::new_v4(),
            "actor": {"mbox": "mailto:eve@example.org", "name": "=Eve"},
            "verb": {"id": ANSWERED},
            "object": {"id": "https://quiz.example/1"},
        })
    }

    async fn post(&self, statements: &[Value]) {
        self.it
            .nobody()
            .header("authorization", &self.basic)
            .header("x-experience-api-version", "2.0.0")
            .json("POST", "/xapi/statements", &json!(statements))
            .await
            .expect(200);
    }

    fn readings(&self) -> BTreeSet<(String, String)> {
        let log = self.it.app.lms.audit_list(None, 100).unwrap().items;
        let read = log.into_iter().filter(|entry| entry.what == "record.read");
        read.map(|entry| (entry.on.unwrap(), entry.detail.unwrap()))
            .collect()
    }
}

async fn ids(asking: &Asking<'_>, query: &str) -> Vec<String> {
    let page = asking.get(&format!("/api/v1/statements{query}")).await;
    let page = page.expect(200).json();
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

fn id(statement: &Value) -> String {
    statement["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn statements_are_read_by_instructors_of_what_they_may_watch_and_by_auditors() {
    let scene = Scene::new();
    let it = &scene.it;
    let ada = it.person("ada", &[Role::Learner]);
    let open = scene.video("Heat and work", Visibility::Members);
    let private = scene.video("Draft", Visibility::Private);
    let said = [
        scene.paused(&ada, open, "0[.]8"),
        scene.paused(&ada, private, "0[.]8"),
        scene.elsewhere(),
    ];
    scene.post(&said).await;
    let [heat, draft, quiz] = [id(&said[0]), id(&said[1]), id(&said[2])];

    for (name, roles) in [
        ("learner", [Role::Learner].as_slice()),
        ("admin", &[Role::Admin]),
    ] {
        let asking = it.caller(name, roles);
        asking.get("/api/v1/statements").await.expect(403);
        let path = format!("/api/v1/statements/{heat}");
        asking.get(&path).await.expect(403);
    }
    it.nobody().get("/api/v1/statements").await.expect(401);
    assert!(scene.readings().is_empty());

    let teacher = it.caller("teacher", &[Role::Admin, Role::Instructor]);
    assert_eq!(ids(&teacher, "").await, [quiz.clone(), heat.clone()]);
    let path = format!("/api/v1/statements/{draft}");
    teacher.get(&path).await.expect(404);
    assert_eq!(
        scene.readings(),
        BTreeSet::from([
            (ada.id.to_string(), "statements".to_owned()),
            (
                "mbox mailto:eve@example.org".to_owned(),
                "statements".to_owned()
            ),
        ])
    );
    let owner = it.signed_in("ines").await;
    assert_eq!(ids(&owner, "").await.len(), 3);
    let auditor = it.caller("auditor", &[Role::Auditor]);
    let all = [quiz.clone(), draft.clone(), heat.clone()];
    assert_eq!(ids(&auditor, "").await, all);

    it.app.library.remove_video(open).unwrap();
    assert_eq!(ids(&teacher, "").await, [quiz], "whose it was is not known");
    assert_eq!(ids(&auditor, "").await, all);
}

#[tokio::test]
async fn statements_are_filtered_paged_and_named() {
    let scene = Scene::new();
    let it = &scene.it;
    let (ada, bob) = (
        it.person("ada", &[Role::Learner]),
        it.person("bob", &[Role::Learner]),
    );
    let video = scene.video("Heat and work", Visibility::Members);
    let said = [
        scene.paused(&ada, video, "0[.]8"),
        scene.paused(&bob, video, "0[.]9"),
        scene.elsewhere(),
    ];
    scene.post(&said).await;
    let [ada_s, bob_s, quiz] = [id(&said[0]), id(&said[1]), id(&said[2])];
    let asking = it.signed_in("ines").await;

    let of_ada = format!("?person={}", ada.id);
    assert_eq!(ids(&asking, &of_ada).await, [ada_s.as_str()]);
    let eve = "?agent=%7B%22mbox%22%3A%22mailto%3Aeve%40example.org%22%7D";
    assert_eq!(ids(&asking, eve).await, [quiz.as_str()]);
    let verb = format!("?verb={ANSWERED}");
    assert_eq!(ids(&asking, &verb).await, [quiz.as_str()]);
    let activity = format!("?activity={}/videos/{video}", scene.identity);
    assert_eq!(
        ids(&asking, &activity).await,
        [bob_s.as_str(), ada_s.as_str()]
    );
    let registration = said[1]["context"]["registration"].as_str().unwrap();
    let registration = format!("?registration={registration}");
    assert_eq!(ids(&asking, &registration).await, [bob_s.as_str()]);
    assert_eq!(
        ids(&asking, "?ascending=true&limit=2").await,
        [ada_s.as_str(), bob_s.as_str()]
    );

    let page = asking.get("/api/v1/statements?limit=2").await.expect(200);
    let page = page.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let rest = format!("?limit=2&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(ids(&asking, &rest).await, [ada_s.as_str()]);
    let stored = page["items"][1]["stored"].as_str().unwrap();
    assert_eq!(
        ids(&asking, &format!("?since={stored}")).await,
        [quiz.as_str()],
        "since is exclusive: the tail begins behind what is shown"
    );

    let one = asking.get(&format!("/api/v1/statements/{ada_s}")).await;
    let one = one.expect(200).json();
    assert_eq!(one["actor"]["kind"], "person");
    assert_eq!(one["actor"]["person"]["name"], "ada");
    assert_eq!(one["video"]["title"], "Heat and work");
    assert_eq!(one["voided"], false);
    assert_eq!(one["statement"]["verb"], said[0]["verb"]);
    let raw = asking.get(&format!("/api/v1/statements/{ada_s}")).await;
    assert!(raw.text().contains("8.25"), "numbers as they came");
    let other = &asking.get("/api/v1/statements").await.json()["items"][0];
    assert_eq!(other["actor"], json!({"kind": "other"}));

    let voiding = json!({
        "actor": {"mbox": "mailto:it@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": quiz},
    });
    scene.post(&[voiding]).await;
    assert!(!ids(&asking, "").await.contains(&quiz));
    let gone = asking.get(&format!("/api/v1/statements/{quiz}")).await;
    assert_eq!(gone.expect(200).json()["voided"], true);

    it.app.lms.remove_person(ada.id).unwrap();
    let one = asking.get(&format!("/api/v1/statements/{ada_s}")).await;
    assert_eq!(one.expect(200).json()["actor"], json!({"kind": "erased"}));
    asking
        .get(&format!("/api/v1/statements{of_ada}"))
        .await
        .expect(404);
    for wrong in ["?verb=paused", "?since=yesterday", "?agent=x", "?cursor=x"] {
        asking
            .get(&format!("/api/v1/statements{wrong}"))
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn everyone_reads_their_own_record_and_nobody_writes_that_down() {
    let scene = Scene::new();
    let it = &scene.it;
    let (ada, bob) = (
        it.person("ada", &[Role::Learner]),
        it.person("bob", &[Role::Learner]),
    );
    let video = scene.video("Heat and work", Visibility::Members);
    let said = [
        scene.paused(&ada, video, "0[.]8"),
        scene.paused(&bob, video, "0[.]9"),
    ];
    scene.post(&said).await;
    let asking = it.signed_in("ada").await;

    let record = asking.get("/api/v1/session/record").await.expect(200);
    let record = record.json();
    assert_eq!(
        record["person"],
        json!({"id": ada.id.to_string(), "name": "ada"})
    );
    let line = &record["items"][0];
    assert_eq!(line["title"], "Heat and work");
    assert_eq!(line["segments"], json!([[0.0, 8.0]]));
    assert_eq!(line["completed"], false);
    assert_eq!(record["items"].as_array().unwrap().len(), 1);

    let own = asking.get("/api/v1/session/statements").await.expect(200);
    let own = own.json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["id"], said[0]["id"]);

    let csv = asking.get("/api/v1/session/record.csv").await.expect(200);
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(csv.header("content-disposition").contains(".csv"));
    let text = csv.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}stored,timestamp,id,actor,verb,"));
    assert!(lines[1].contains(",ada,") && lines[1].contains(",Heat and work,"));
    assert!(
        lines[1].contains(",8.25") && lines[1].ends_with(",0[.]8"),
        "{}",
        lines[1]
    );
    assert_eq!((lines.len(), lines[2]), (3, ""));

    it.app.library.remove_video(video).unwrap();
    let file = asking.get("/api/v1/session/record.json").await.expect(200);
    let file = file.json();
    assert_eq!(file["person"]["name"], "ada");
    assert_eq!(file["watched"][0]["segments"], json!([[0.0, 8.0]]));
    assert_eq!(file["watched"][0].get("title"), None);
    assert_eq!(file["statements"].as_array().unwrap().len(), 1);
    assert_eq!(file["statements"][0]["id"], said[0]["id"]);
    assert!(scene.readings().is_empty());
    it.nobody().get("/api/v1/session/record").await.expect(401);

    let nothing = it.caller("new", &[Role::Learner]);
    let file = nothing.get("/api/v1/session/record.json").await.expect(200);
    assert_eq!(file.json()["statements"], json!([]));
    let empty = nothing.get("/api/v1/session/record.csv").await.expect(200);
    assert_eq!(empty.text().matches("\r\n").count(), 1);
}

#[tokio::test]
async fn anothers_record_is_for_instructors_and_auditors_and_reading_it_is_written_down() {
    let scene = Scene::new();
    let it = &scene.it;
    let ada = it.person("ada", &[Role::Learner]);
    let open = scene.video("Heat and work", Visibility::Members);
    let private = scene.video("Draft", Visibility::Private);
    let said = [
        scene.paused(&ada, open, "0[.]8"),
        scene.paused(&ada, private, "0[.]30"),
    ];
    scene.post(&said).await;
    let paths = ["record", "record.csv", "record.json"]
        .map(|what| format!("/api/v1/people/{}/{what}", ada.id));
    let rows: [(&str, &[Role], u16); 5] = [
        ("learner", &[Role::Learner], 403),
        ("admin", &[Role::Admin], 403),
        ("both", &[Role::Admin, Role::Instructor], 200),
        ("teacher", &[Role::Instructor], 200),
        ("auditor", &[Role::Auditor], 200),
    ];
    for (name, roles, status) in rows {
        let asking = it.caller(name, roles);
        for path in &paths {
            let found = asking.get(path).await.status.as_u16();
            assert_eq!(found, status, "{name} {path}");
        }
        assert_eq!(scene.readings().is_empty(), status == 403);
    }
    let who = ada.id.to_string();
    let details = ["record", "whole record (CSV)", "whole record (JSON)"];
    let expected = details.map(|detail| (who.clone(), detail.to_owned()));
    assert_eq!(scene.readings(), BTreeSet::from(expected));

    let all = it.caller("second", &[Role::Auditor]);
    let some = it.caller("third", &[Role::Instructor]);
    for (asking, count) in [(all, 2), (some, 1)] {
        let record = asking.get(&paths[0]).await.json();
        assert_eq!(record["items"].as_array().unwrap().len(), count);
        let rows = asking.get(&paths[1]).await.text();
        assert_eq!(rows.matches("\r\n").count(), count + 1);
        let file = asking.get(&paths[2]).await.json();
        assert_eq!(file["watched"].as_array().unwrap().len(), count);
        assert_eq!(file["statements"].as_array().unwrap().len(), count);
    }
    let nobody = format!("/api/v1/people/{}/record", Uuid::new_v4());
    it.signed_in("ines").await.get(&nobody).await.expect(404);
}

#[tokio::test]
async fn a_long_record_comes_whole_and_in_order_in_its_file() {
    let scene = Scene::new();
    let ada = scene.it.person("ada", &[Role::Learner]);
    let video = scene.video("Heat and work", Visibility::Members);
    let said: Vec<Value> = (1..=450)
        .map(|second| scene.paused(&ada, video, &format!("0[.]{}", second % 30)))
        .collect();
    for batch in said.chunks(150) {
        scene.post(batch).await;
    }
    let asking = scene.it.signed_in("ada").await;
    let file = asking.get("/api/v1/session/record.json").await.expect(200);
    let file = file.json();
    let found = file["statements"].as_array().unwrap().iter().map(id);
    assert!(found.eq(said.iter().map(id)));
    let csv = asking.get("/api/v1/session/record.csv").await.expect(200);
    assert_eq!(csv.text().matches("\r\n").count(), 451);
}

#[tokio::test]
async fn the_lag_of_an_upstream_is_for_who_runs_the_box() {
    let scene = Scene::new();
    let admin = scene.it.caller("admin", &[Role::Admin]);
    let new =
        json!({"name": "North", "url": "https://lrs.example/xapi", "key": "k", "secret": "s"});
    let made = admin.json("POST", "/api/v1/upstreams", &new).await;
    let made = made.expect(201).json();
    let path = format!("/api/v1/upstreams/{}/lag", made["id"].as_str().unwrap());
    let found = admin.get(&path).await.expect(200).json();
    assert_eq!(found, json!({"every_seconds": 10, "samples": []}));
    let other = format!("/api/v1/upstreams/{}/lag", Uuid::new_v4());
    admin.get(&other).await.expect(404);
}
