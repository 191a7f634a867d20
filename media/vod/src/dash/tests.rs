use super::*;
use crate::manifest::TextTrackKind;
use crate::testing::{captions, package};

fn now() -> Timestamp {
    "2026-11-23T18:30:12.5Z".parse().unwrap()
}

const COMPLETE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" minBufferTime="PT4S" maxSegmentDuration="PT4S" type="static" mediaPresentationDuration="PT10.000S">
 <Period id="1" start="PT0S">
  <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
   <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
   <Representation id="v480" bandwidth="1198801" codecs="avc1.64001f" width="854" height="480" frameRate="24000/1001" sar="1:1">
    <SegmentTemplate timescale="90000" initialization="k/$RepresentationID$/init.mp4" media="k/$RepresentationID$/$Number$.m4s" startNumber="1" presentationTimeOffset="7508">
     <SegmentTimeline>
      <S t="7508" d="360360" r="1"/>
      <S d="179280"/>
     </SegmentTimeline>
    </SegmentTemplate>
   </Representation>
"#;

#[test]
fn the_manifest_of_a_complete_package() {
    let text = mpd(&package(true), &captions(), "k/", now());
    assert!(text.starts_with(COMPLETE), "{text}");
}

#[test]
fn a_growing_package_is_dynamic_and_clock_and_list_agree_on_its_end() {
    let text = mpd(&package(false), &[], "k/", now());
    for expected in [
        r#"type="dynamic""#,
        r#"availabilityStartTime="2026-11-23T18:30:02.500Z""#,
        r#"publishTime="2026-11-23T18:30:12.500Z""#,
        r#"minimumUpdatePeriod="PT2S""#,
        r#"suggestedPresentationDelay="PT14.000S""#,
        r#"<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="2026-11-23T18:30:12.500Z"/>"#,
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(!text.contains("mediaPresentationDuration"));
}

#[test]
fn captions_are_one_file_of_webvtt_each() {
    let text = mpd(&package(true), &captions(), "k/", now());
    assert!(text.contains("<BaseURL>k/captions/en.3.vtt</BaseURL>"));
    assert!(text.contains(r#"mimeType="text/vtt" lang="de-CH""#));
    assert!(text.contains("<Label>English &quot;CC&quot;"), "{text}");
    assert!(!mpd(&package(false), &captions(), "k/", now()).contains("text/vtt"));
}

#[test]
fn a_description_has_its_role_here_and_no_place_in_hls() {
    let mut texts = captions();
    texts[1].kind = TextTrackKind::Descriptions;
    let text = mpd(&package(true), &texts, "k/", now());
    assert!(text.contains("<BaseURL>k/descriptions/de-CH.1.vtt</BaseURL>"));
    assert_eq!(text.matches(r#"value="caption""#).count(), 1, "{text}");
    assert_eq!(text.matches(r#"value="description""#).count(), 1, "{text}");
    let text = crate::hls::multivariant(&package(true), &texts, "k/");
    assert!(text.contains("captions/en.3.m3u8") && !text.contains("de-CH"));
}

#[test]
fn a_label_cannot_break_out_of_its_element() {
    let mut captions = captions();
    captions[0].label = "</Label><Period/>&".to_owned();
    let text = mpd(&package(true), &captions, "", now());
    assert_eq!(text.matches("<Period").count(), 1);
}

#[test]
fn equal_segments_are_counted_and_a_gap_is_named() {
    let mut out = Writer::new(Vec::new());
    let segments: Vec<Segment> = [(0, 4, 1), (4, 4, 1), (8, 4, 1), (12, 3, 1), (20, 4, 1)]
        .map(Segment::from)
        .to_vec();
    timeline(&mut out, &segments).unwrap();
    assert_eq!(
        String::from_utf8(out.into_inner()).unwrap(),
        r#"<S t="0" d="4" r="2"/><S d="3"/><S t="20" d="4"/>"#
    );
}

#[test]
fn every_manifest_is_well_formed() {
    for complete in [true, false] {
        let text = mpd(&package(complete), &captions(), "k/", now());
        let mut reader = quick_xml::Reader::from_str(&text);
        while !matches!(reader.read_event().unwrap(), Event::Eof) {}
    }
}
