//! Forwarding over a real socket into a second Lectern that is stopped and started again in the middle.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, Daemon, PATIENCE};

async fn ids(client: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    let mut path = "/xapi/statements?limit=500&ascending=true".to_owned();
    loop {
        let page = client
            .xapi("GET", &path, None)
            .await
            .unwrap()
            .expect(200)
            .json();
        ids.extend(
            page["statements"]
                .as_array()
                .unwrap()
                .iter()
                .map(|s| s["id"].as_str().unwrap().to_owned()),
        );
        match page["more"].as_str() {
            Some(more) if !more.is_empty() => path = more.to_owned(),
            _ => return ids,
        }
    }
}

async fn post(client: &Client, count: usize) {
    for _ in 0..count {
        let statement = json!({
            "actor": { "account": { "homePage": "https://forward.example", "name": "one" } },
            "verb": { "id": "http://adlnet.gov/expapi/verbs/experienced" },
            "object": { "id": "https://forward.example/activities/1" },
        });
        client
            .xapi("POST", "/xapi/statements", Some(&statement))
            .await
            .unwrap()
            .expect(200);
    }
}

async fn wait_until_equal(from: &Client, to: &Client) {
    let end = Instant::now() + PATIENCE;
    loop {
        let (here, there) = (ids(from).await, ids(to).await);
        if here == there {
            return;
        }
        assert!(
            Instant::now() < end,
            "{} here, {} there",
            here.len(),
            there.len()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_arrive_upstream_once_and_in_order_though_it_stops_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    std::fs::create_dir(&near).unwrap();
    std::fs::create_dir(&far).unwrap();

    let upstream = Daemon::start(&far);
    let address = upstream.base.trim_start_matches("http://").to_owned();
    let credential = upstream.run(
        &[
            "credential",
            "add",
            "--name",
            "near",
            "--scope",
            "statements/write",
            "--scope",
            "all/read",
        ],
        "",
    );
    let mut far_lrs = upstream.lrs();

    let daemon = Daemon::start(&near);
    let near_lrs = daemon.lrs();
    let url = format!("http://{address}/xapi");
    let added = daemon.run(
        &[
            "upstream",
            "add",
            "--name",
            "central",
            "--url",
            &url,
            "--key",
            credential["key"].as_str().unwrap(),
            "--secret-stdin",
            "--version",
            "2.0.0",
            "--allow-private",
        ],
        credential["secret"].as_str().unwrap(),
    );
    assert!(added["id"].is_string());

    post(&near_lrs, 40).await;
    assert!(upstream.stop());
    post(&near_lrs, 40).await;
    let upstream = Daemon::start_with(&far, &["--http", &address]);
    far_lrs.base.clone_from(&upstream.base);
    post(&near_lrs, 40).await;

    wait_until_equal(&near_lrs, &far_lrs).await;
    let there = ids(&far_lrs).await;
    assert_eq!(there.len(), 120);
    assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), 120);

    let end = Instant::now() + PATIENCE;
    loop {
        let list: Value = daemon.run(&["upstream", "list"], "");
        let item = &list["items"][0];
        if item["lag"] == 0 && item["dead"] == 0 {
            break;
        }
        assert!(Instant::now() < end, "{list}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
