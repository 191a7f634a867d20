//! What shows whether a document resource keeps a rule; each takes the resource.

use serde_json::json;
use sha1::{Digest, Sha1};

use super::Kind;
use crate::ask::{Ask, delete, get, head, post, put};
use crate::statements::UUID;
use crate::support::Answer;
use crate::world::{World, text};

const NO_TAG: &str = "\"0000000000000000000000000000000000000000\"";

/// Where the documents of this row lie.
pub fn place(w: &World, kind: &Kind, mut ask: Ask) -> Ask {
    for parameter in kind.place {
        let value = match *parameter {
            "agent" => text(&w.agent("ada")),
            _ => w.iri("book"),
        };
        ask = ask.with(parameter, value);
    }
    ask
}

/// The one document of this row.
pub fn at(w: &World, kind: &Kind, ask: Ask) -> Ask {
    place(w, kind, ask).with(kind.id, "x")
}

pub async fn read(w: &World, kind: &Kind) -> Answer {
    w.send(at(w, kind, get(kind.path))).await
}

/// A new document: with the condition that 1.0.3 asks for.
pub async fn create(w: &World, kind: &Kind, name: &str, content_type: &str, body: &str) {
    let ask = place(w, kind, put(kind.path))
        .with(kind.id, name)
        .header("if-none-match", "*");
    w.send(ask.body(content_type, body)).await.expect(204);
}

pub async fn create_json(w: &World, kind: &Kind, body: &str) {
    create(w, kind, "x", "application/json", body).await;
}

pub async fn kept(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    let answer = read(w, kind).await.expect(200);
    assert_eq!(
        (answer.text().as_str(), answer.header("content-type")),
        ("{\"a\": 1}", "application/json")
    );
}

pub async fn absent(w: &World, kind: &'static Kind) {
    read(w, kind).await.expect(404);
    create(w, kind, "y", "application/json", "{}").await;
    read(w, kind).await.expect(404);
}

pub async fn deleted(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{}").await;
    let answer = w.send(at(w, kind, delete(kind.path))).await.expect(204);
    assert!(answer.body.is_empty());
    read(w, kind).await.expect(404);
}

pub async fn listed(w: &World, kind: &'static Kind) {
    let list = || w.send(place(w, kind, get(kind.path)));
    assert_eq!(list().await.expect(200).json(), json!([]));
    for name in ["a", "b", "http://ids/c d"] {
        create(w, kind, name, "text/plain", name).await;
    }
    let answer = list().await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let ids = answer.json();
    let mut ids: Vec<_> = ids
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "http://ids/c d"]);
}

pub async fn since(w: &World, kind: &'static Kind) {
    create(w, kind, "before", "text/plain", "").await;
    let between = jiff::Timestamp::now();
    create(w, kind, "after", "text/plain", "").await;
    let listed =
        |since: jiff::Timestamp| w.send(place(w, kind, get(kind.path)).with("since", since));
    assert_eq!(listed(between).await.expect(200).json(), json!(["after"]));
    assert_eq!(
        listed(jiff::Timestamp::now()).await.expect(200).json(),
        json!([])
    );
}

pub async fn created(w: &World, kind: &'static Kind) {
    w.send(at(w, kind, post(kind.path)).json(&json!({ "a": 1 })))
        .await
        .expect(204);
    assert_eq!(read(w, kind).await.expect(200).json(), json!({ "a": 1 }));
}

pub async fn merged(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"x\": \"foo\", \"y\": \"bar\"}").await;
    w.send(at(w, kind, post(kind.path)).json(&json!({ "x": "bash", "z": null })))
        .await
        .expect(204);
    let answer = read(w, kind).await.expect(200);
    assert_eq!(answer.json(), json!({ "x": "bash", "y": "bar", "z": null }));
    assert_eq!(answer.header("content-type"), "application/json");
}

pub async fn one_level(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": {\"b\": 1, \"c\": 2}, \"d\": [1, 2]}").await;
    w.send(at(w, kind, post(kind.path)).json(&json!({ "a": { "b": 3 }, "d": [3] })))
        .await
        .expect(204);
    assert_eq!(
        read(w, kind).await.json(),
        json!({ "a": { "b": 3 }, "d": [3] })
    );
}

pub async fn no_merge(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    for (content_type, body) in [
        ("text/plain", "{\"a\": 2}"),
        ("application/octet-stream", "\u{1}"),
        ("application/json", "[1]"),
        ("application/json", "7"),
        ("application/json", "{\"a\": "),
        ("application/json", ""),
    ] {
        let answer = w
            .send(at(w, kind, post(kind.path)).body(content_type, body))
            .await;
        assert_eq!(answer.status.as_u16(), 400, "{content_type} {body}");
    }
    assert_eq!(read(w, kind).await.text(), "{\"a\": 1}");
    for (name, content_type, body) in [
        ("text", "text/plain", "{}"),
        ("list", "application/json", "[]"),
    ] {
        create(w, kind, name, content_type, body).await;
        let one = |ask: Ask| place(w, kind, ask).with(kind.id, name);
        w.send(one(post(kind.path)).json(&json!({ "a": 2 })))
            .await
            .expect(400);
        assert_eq!(w.send(one(get(kind.path))).await.text(), body);
    }
}

pub async fn bytes(w: &World, kind: &'static Kind) {
    for (index, (content_type, body)) in [
        ("image/png", vec![0x89, 0, 0xff, 0x0d, 0x0a]),
        ("text/html; charset=utf-8", b"<p>".to_vec()),
        ("application/x-empty", Vec::new()),
    ]
    .into_iter()
    .enumerate()
    {
        let one = |ask: Ask| place(w, kind, ask).with(kind.id, index);
        let ask = one(put(kind.path))
            .header("if-none-match", "*")
            .body(content_type, body.clone());
        w.send(ask).await.expect(204);
        let answer = w.send(one(get(kind.path))).await.expect(200);
        assert_eq!(
            (answer.header("content-type"), &answer.body),
            (content_type, &body)
        );
    }
}

pub async fn names(w: &World, kind: &'static Kind) {
    for name in ["a/b?c=d&e", "名前", " ", "%7E"] {
        create(w, kind, name, "text/plain", name).await;
        let answer = w
            .send(place(w, kind, get(kind.path)).with(kind.id, name))
            .await
            .expect(200);
        assert_eq!(answer.text(), name);
    }
}

pub async fn tag(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    let first = read(w, kind).await;
    let tag = first.header("etag");
    assert!(
        tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag}"
    );
    if w.is_old() {
        assert_eq!(
            tag,
            format!("\"{}\"", hex::encode(Sha1::digest(b"{\"a\": 1}")))
        );
    }
    w.send(
        at(w, kind, put(kind.path))
            .header("if-match", tag)
            .json(&json!({ "a": 2 })),
    )
    .await
    .expect(204);
    assert_ne!(read(w, kind).await.header("etag"), tag);
    let zipped = w
        .send(at(w, kind, get(kind.path)).header("accept-encoding", "gzip, br"))
        .await;
    let is_plain = zipped.header("content-encoding").is_empty();
    assert_eq!(
        is_plain,
        zipped.header("etag") == format!("\"{}\"", hex::encode(Sha1::digest(b"{\"a\":2}")))
    );
}

pub async fn unchanged(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{}").await;
    let tag = read(w, kind).await.header("etag").to_owned();
    let answer = w
        .send(at(w, kind, get(kind.path)).header("if-none-match", &tag))
        .await
        .expect(304);
    assert!(answer.body.is_empty() && answer.header("etag") == tag);
    w.send(at(w, kind, get(kind.path)).header("if-none-match", NO_TAG))
        .await
        .expect(200);
}

pub async fn matches(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    for method in [put, post] {
        let tag = read(w, kind).await.header("etag").to_owned();
        let body = json!({ "a": tag });
        w.send(
            at(w, kind, method(kind.path))
                .header("if-match", &tag)
                .json(&body),
        )
        .await
        .expect(204);
        assert_eq!(read(w, kind).await.json(), body);
    }
    let tag = read(w, kind).await.header("etag").to_owned();
    w.send(at(w, kind, delete(kind.path)).header("if-match", &tag))
        .await
        .expect(204);
    read(w, kind).await.expect(404);
}

pub async fn differs(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    let methods: [fn(&str) -> Ask; 3] = [put, post, delete];
    for method in methods {
        let ask = at(w, kind, method(kind.path)).header("if-match", NO_TAG);
        w.send(ask.json(&json!({ "a": 2 }))).await.expect(412);
        assert_eq!(read(w, kind).await.expect(200).text(), "{\"a\": 1}");
    }
    let ask = place(w, kind, put(kind.path))
        .with(kind.id, "y")
        .header("if-match", NO_TAG);
    w.send(ask.json(&json!({}))).await.expect(412);
}

pub async fn none_match(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    for method in [put, post] {
        let ask = at(w, kind, method(kind.path)).header("if-none-match", "*");
        w.send(ask.json(&json!({ "a": 2 }))).await.expect(412);
        assert_eq!(read(w, kind).await.text(), "{\"a\": 1}");
    }
}

pub async fn conflict(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    let answer = w
        .send(at(w, kind, put(kind.path)).json(&json!({ "a": 2 })))
        .await
        .expect(409);
    assert!(answer.text().contains("If-Match"), "{}", answer.text());
    assert_eq!(read(w, kind).await.text(), "{\"a\": 1}");
}

pub async fn modified(w: &World, kind: &'static Kind) {
    let before = jiff::Timestamp::now().as_second();
    create_json(w, kind, "{}").await;
    for answer in [
        read(w, kind).await,
        w.send(place(w, kind, get(kind.path))).await,
    ] {
        let date = httpdate::parse_http_date(answer.header("last-modified")).unwrap();
        let second = jiff::Timestamp::try_from(date).unwrap().as_second();
        assert!(
            (before..=jiff::Timestamp::now().as_second()).contains(&second),
            "{second}"
        );
    }
}

pub async fn headed(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{\"a\": 1}").await;
    for ask in [
        at(w, kind, head(kind.path)),
        place(w, kind, head(kind.path)),
    ] {
        let short = w.send(ask.clone()).await.expect(200);
        let mut full = ask;
        full.method = "GET";
        let full = w.send(full).await.expect(200);
        assert!(short.body.is_empty());
        for name in ["etag", "last-modified", "content-type"] {
            assert_eq!(short.header(name), full.header(name), "{name}");
        }
    }
    let ask = place(w, kind, head(kind.path)).with(kind.id, "y");
    w.send(ask).await.expect(404);
}

pub async fn spelling(w: &World, kind: &'static Kind) {
    create_json(w, kind, "{}").await;
    let upper = format!("{}{}", kind.id[..1].to_uppercase(), &kind.id[1..]);
    w.send(place(w, kind, get(kind.path)).with(&upper, "x"))
        .await
        .expect(400);
    w.send(at(w, kind, get(kind.path)).with(kind.id, "x"))
        .await
        .expect(400);
    w.send(at(w, kind, get(kind.path)).with("foo", "bar"))
        .await
        .expect(400);
    w.send(
        at(w, kind, put(kind.path))
            .with("foo", "bar")
            .json(&json!({})),
    )
    .await
    .expect(400);
    w.send(at(w, kind, delete(kind.path)).with("Registration", UUID))
        .await
        .expect(400);
    read(w, kind).await.expect(200);
}
