//! Trials of coders in a child, with the coders that every machine has: what works is measured, and what does not says
//! how.

use std::time::Duration;

use jiff::Timestamp;
use lectern_vod::hardware::ask::{Answer, Ask, Asker, Clip, Coded, Offer};
use lectern_vod::hardware::facts::Machine;
use lectern_vod::hardware::refusal::Refusal;
use lectern_vod::hardware::{Capabilities, Codec, Family, Work};

use crate::run::program;

const CLIP: Clip = Clip {
    width: 320,
    height: 180,
    frames_per_second: 25,
    frames: 24,
};

fn asker() -> Asker {
    Asker::program(program(), &["trial-worker"], Duration::from_secs(60))
}

fn code(element: &str, codec: Codec, work: Work) -> Result<Coded, Refusal> {
    let ask = Ask::Code {
        family: None,
        offer: Offer {
            element: element.into(),
            codec,
            work,
        },
        clip: CLIP,
        film: None,
        streams: 2,
        quality: None,
    };
    match asker().ask(&ask)? {
        Answer::Coded(coded) => Ok(coded),
        Answer::Refused(refusal) => Err(refusal),
        Answer::Offers { .. } => panic!("nobody asked for offers"),
    }
}

#[test]
fn a_coder_that_works_is_measured_and_gives_the_clip_back() {
    for (element, codec, work) in [
        ("x264enc", Codec::H264, Work::Encode),
        ("avdec_h264", Codec::H264, Work::Decode),
        ("avdec_h265", Codec::H265, Work::Decode),
        ("vp8dec", Codec::Vp8, Work::Decode),
        ("vp9dec", Codec::Vp9, Work::Decode),
        ("av1dec", Codec::Av1, Work::Decode),
    ] {
        let coded = code(element, codec, work).unwrap_or_else(|why| panic!("{element}: {why}"));
        assert_eq!(coded.frames, 48, "{element}: both streams");
        assert!(coded.psnr_db > 30.0, "{element}: {} dB", coded.psnr_db);
        assert!(coded.seconds > 0.0 && coded.bytes > 0, "{element}");
    }
}

#[test]
fn a_coder_that_does_not_work_says_how() {
    let missing = code("nosuchenc", Codec::H264, Work::Encode).unwrap_err();
    assert!(missing.to_string().contains("nosuchenc"), "{missing}");
    let other = code("vp8enc", Codec::H264, Work::Encode).unwrap_err();
    assert!(matches!(other, Refusal::Failed { .. }), "{other}");
}

#[test]
fn a_driver_that_crashes_or_hangs_takes_its_trial_with_it() {
    let ask = Ask::Offers {
        family: Family::Vaapi,
    };
    let shell =
        |script: &str| Asker::program("/bin/sh", &["-c", script], Duration::from_secs(2)).ask(&ask);
    assert_eq!(
        shell("kill -SEGV $$"),
        Err(Refusal::Crashed { signal: Some(11) })
    );
    assert_eq!(shell("exit 0"), Err(Refusal::Crashed { signal: None }));
    assert_eq!(shell("exec sleep 60"), Err(Refusal::Stuck { seconds: 2 }));
    assert!(matches!(
        Asker::program("/nonexistent", &[], Duration::from_secs(2)).ask(&ask),
        Err(Refusal::Failed { .. })
    ));
}

#[test]
fn every_way_to_a_chip_leads_somewhere_or_says_why_not() {
    let machine = Machine::read();
    let found = Capabilities::find(&asker(), machine.clone(), "1", Timestamp::UNIX_EPOCH);
    assert_eq!(found.families.len(), Family::ALL.len());
    for report in &found.families {
        let is_known = report.refusal.is_some() || !report.coders.is_empty();
        assert!(is_known, "{report:?}");
    }
    let kept = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Capabilities>(&kept).unwrap(), found);
    assert!(found.holds_for(&Machine::read(), "1"));
    assert!(
        !found.holds_for(&machine, "2"),
        "another Lectern tries again"
    );
}

#[test]
fn what_a_familys_plugin_offers_is_asked_of_it_alone() {
    for family in Family::ALL {
        match asker().ask(&Ask::Offers { family }) {
            Ok(Answer::Offers { offers, .. }) => {
                let is_foreign =
                    |offer: &Offer| ["x264enc", "avdec_h264"].contains(&&*offer.element);
                assert!(!offers.iter().any(is_foreign), "{offers:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}
