//! `hwtest media` on this machine: both files, with what every machine has.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::Command;

#[test]
fn a_machine_is_measured_and_the_report_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let output = Command::new(env!("CARGO_BIN_EXE_hwtest"))
        .args(["media", "--quick", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");

    let json = std::fs::read(out.join("capabilities.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(report["families"].as_array().unwrap().len(), 4);
    let x264 = &report["measured"][0];
    assert_eq!(x264["element"], "x264enc");
    let works = &x264["works"];
    assert!(works["frames_per_second"].as_f64().unwrap() > 0.0, "{x264}");
    // It lies on its own line.
    let beside = works["beside_x264_db"].as_f64().unwrap();
    assert!(beside.abs() < 1.0, "{beside}");
    for one in report["measured"].as_array().unwrap() {
        assert!(one.get("works").is_some(), "{one}");
    }
    assert_eq!(report["streams"].as_array().unwrap().len(), 1);
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("x264enc") && page.contains("What this machine can do"));
}
