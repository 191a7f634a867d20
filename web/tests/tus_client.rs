//! tus-js-client, the client of our pages, over a real socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Stdio;

use lectern_library::{Error, UploadId};
use lectern_lms::Role;
use lectern_web::Listeners;
use serde_json::Value;
use support::TestBox;
use tokio::net::TcpListener;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tus_js_client_uploads_resumes_and_terminates() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ui = crate_folder.join("ui");
    let is_installed = ui.join("node_modules/tus-js-client").exists();
    assert!(
        is_installed,
        "tus-js-client is missing; `make deps` installs it"
    );

    let it = TestBox::new();
    let token = it.token("ada", &[Role::Instructor]);
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/api/v1/uploads", http.local_addr().unwrap());
    let serving = tokio::spawn(lectern_web::serve(
        it.app.clone(),
        Listeners { http, https: None },
    ));
    let output = Command::new("node")
        .arg(crate_folder.join("tests/foreign/tus.mjs"))
        .args([&endpoint, &token])
        .current_dir(&ui)
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "tus-js-client failed");
    it.app.shutdown.cancel();
    serving.await.unwrap().unwrap();

    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = printed["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    for result in results {
        let info = it
            .app
            .library
            .upload(id(&result["url"]), it.app.now())
            .unwrap();
        assert_eq!(
            info.blob.unwrap().to_string(),
            result["hash"],
            "{}",
            result["url"]
        );
        assert_eq!(info.name, "Vorlesung ä.mp4");
    }
    let thrown = it.app.library.upload(id(&printed["thrown"]), it.app.now());
    assert!(matches!(thrown, Err(Error::NotFound(_))));
}

fn id(url: &Value) -> UploadId {
    url.as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}
