use m3u8_rs::{MediaPlaylistType, Playlist};

use super::*;
use crate::names::Language;
use crate::testing::{captions, package};

fn parsed(text: &str) -> Playlist {
    m3u8_rs::parse_playlist_res(text.as_bytes()).unwrap()
}

fn media_of(package: &Package, name: &str) -> (String, m3u8_rs::MediaPlaylist) {
    let text = media(package, &TrackId::new(name).unwrap()).unwrap();
    match parsed(&text) {
        Playlist::MediaPlaylist(list) => (text, list),
        Playlist::MasterPlaylist(_) => panic!("not a media playlist"),
    }
}

fn master(text: &str) -> m3u8_rs::MasterPlaylist {
    match parsed(text) {
        Playlist::MasterPlaylist(list) => list,
        Playlist::MediaPlaylist(_) => panic!("not a multivariant playlist"),
    }
}

const COMPLETE: &str = "\
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Sound (en)\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"k/a1/index.m3u8\"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"captions\",NAME=\"English 'CC'\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound\",URI=\"k/captions/en.3.m3u8\"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"captions\",NAME=\"Deutsch\",LANGUAGE=\"de-CH\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound,public.machine-generated\",URI=\"k/captions/de-CH.1.m3u8\"
#EXT-X-STREAM-INF:BANDWIDTH=1327028,AVERAGE-BANDWIDTH=1008000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=854x480,FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO=\"audio\",SUBTITLES=\"captions\",CLOSED-CAPTIONS=NONE
k/v480/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=427927,AVERAGE-BANDWIDTH=352000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=426x240,FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO=\"audio\",SUBTITLES=\"captions\",CLOSED-CAPTIONS=NONE
k/v240/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=128227,AVERAGE-BANDWIDTH=128000,CODECS=\"mp4a.40.2\",AUDIO=\"audio\",SUBTITLES=\"captions\",CLOSED-CAPTIONS=NONE
k/a1/index.m3u8
";

#[test]
fn the_multivariant_playlist_of_a_complete_package() {
    assert_eq!(multivariant(&package(true), &captions(), "k/"), COMPLETE);
}

#[test]
fn another_reader_finds_every_variant_and_group() {
    let list = master(&multivariant(&package(true), &captions(), "k/"));
    assert_eq!(list.variants.len(), 3);
    assert_eq!(list.alternatives.len(), 3);
    assert!(list.independent_segments);
    for variant in &list.variants {
        assert!(variant.average_bandwidth.unwrap() > 0);
        assert_eq!(variant.audio.as_deref(), Some("audio"));
        assert_eq!(variant.subtitles.as_deref(), Some("captions"));
    }
}

/// The package with two sounds more, both German and one without a name.
fn in_three_sounds() -> Package {
    let mut package = package(true);
    let first = package.audio().next().unwrap().clone();
    for (id, label) in [("a2", Some("Kom\"mentar")), ("a3", None)] {
        let mut sound = first.clone();
        sound.id = TrackId::new(id).unwrap();
        sound.kind = TrackKind::Audio {
            channels: 2,
            sample_rate: 48_000,
            language: Language::new("en").ok(),
            label: label.map(Sentence::from),
        };
        package.planned.push(sound.id.clone());
        package.tracks.push(sound);
    }
    package
}

#[test]
fn sounds_are_a_group_with_names_of_their_own_of_which_the_first_plays() {
    let list = master(&multivariant(&in_three_sounds(), &[], "k/"));
    let names: Vec<(&str, bool)> = list
        .alternatives
        .iter()
        .map(|sound| (sound.name.as_str(), sound.default))
        .collect();
    assert_eq!(
        names,
        [
            ("Sound (en)", true),
            ("Kom'mentar", false),
            ("Sound (en) 2", false)
        ]
    );
    // One sound at a time is heard: the rate is not that of three.
    assert_eq!(list.variants[0].bandwidth, 1_327_028);
}

#[test]
fn a_growing_package_is_an_event_that_starts_at_the_beginning() {
    let (text, list) = media_of(&package(false), "v480");
    assert_eq!(list.playlist_type, Some(MediaPlaylistType::Event));
    assert!(!list.end_list);
    assert!(text.contains("#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n"));
}

#[test]
fn a_complete_package_is_vod_and_ends() {
    let (text, list) = media_of(&package(true), "v480");
    assert_eq!(list.playlist_type, Some(MediaPlaylistType::Vod));
    assert!(list.end_list);
    assert!(!text.contains("EXT-X-START"));
}

#[test]
fn growing_only_appends() {
    let (growing, _) = media_of(&package(false), "v240");
    let (complete, _) = media_of(&package(true), "v240");
    let segments = |text: &str| text[text.find("#EXTINF").unwrap()..].to_owned();
    assert_eq!(segments(&growing) + "#EXT-X-ENDLIST\n", segments(&complete));
}

#[test]
fn the_target_duration_stays_and_bounds_every_segment() {
    for name in ["v480", "v240", "a1"] {
        let (_, list) = media_of(&package(false), name);
        assert_eq!(list.target_duration, 4);
        assert!(list.segments.iter().all(|s| s.duration.round() <= 4.0));
    }
}

#[test]
fn every_segment_names_its_init_file_and_its_number() {
    let (_, list) = media_of(&package(true), "v480");
    assert_eq!(list.segments[0].map.as_ref().unwrap().uri, "init.mp4");
    let names: Vec<_> = list.segments.iter().map(|s| s.uri.as_str()).collect();
    assert_eq!(names, ["1.m4s", "2.m4s", "3.m4s"]);
}

#[test]
fn rounding_never_adds_up() {
    let mut package = package(false);
    let id = TrackId::new("v240").unwrap();
    for other in ["v480", "a1"] {
        package.finish_track(&TrackId::new(other).unwrap()).unwrap();
    }
    // 4 s at a third of a tick's worth of rounding each: 10 h of 1/3 s remainders.
    for i in 0..9000_u64 {
        package
            .add_segment(&id, (1_000_000 + i * 360_361, 360_361, 1).into())
            .unwrap();
    }
    let text = media(&package, &id).unwrap();
    let sum_us: u64 = text
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:"))
        .map(|line| {
            line.trim_end_matches(',')
                .replace('.', "")
                .parse::<u64>()
                .unwrap()
        })
        .sum();
    let track = package.track(&id).unwrap();
    assert_eq!(sum_us, microseconds(track.duration(), track.timescale));
}

#[test]
fn a_track_without_segments_has_no_playlist_and_no_variant() {
    let mut package = package(false);
    package.tracks[0].segments.clear();
    assert!(media(&package, &TrackId::new("v480").unwrap()).is_none());
    assert!(media(&package, &TrackId::new("v999").unwrap()).is_none());
    assert!(!multivariant(&package, &[], "").contains("v480"));
}

#[test]
fn the_first_variant_is_the_best_that_common_wifi_carries() {
    let mut package = package(false);
    for segment in &mut package.tracks[0].segments {
        segment.bytes *= 4;
    }
    let list = master(&multivariant(&package, &[], ""));
    let names: Vec<_> = list.variants.iter().map(|v| v.uri.as_str()).collect();
    assert_eq!(
        names,
        ["v240/index.m3u8", "v480/index.m3u8", "a1/index.m3u8"]
    );
}

#[test]
fn sound_alone_is_one_variant() {
    let mut package = package(true);
    package.tracks.retain(|track| track.id.as_str() == "a1");
    let list = master(&multivariant(&package, &[], "k/"));
    assert_eq!(list.variants.len(), 1);
    assert_eq!(list.variants[0].codecs.as_deref(), Some("mp4a.40.2"));
}

#[test]
fn a_caption_playlist_is_one_segment_as_long_as_the_video() {
    let text = captions_playlist(&package(false), &captions()[0]);
    let Playlist::MediaPlaylist(list) = parsed(&text) else {
        panic!("not a media playlist")
    };
    assert!(list.end_list);
    assert_eq!(list.target_duration, 10);
    assert_eq!(list.segments[0].uri, "en.3.vtt");
    assert!(text.contains("#EXTINF:10.000,\n"));
}
