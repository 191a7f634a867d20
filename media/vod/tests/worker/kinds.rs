//! Many kinds of files, each made by ffmpeg on the spot: all of them end as what they are. Long, so only
//! `make test-media` runs it.

use lectern_vod::package::{Track, TrackKind};
use tempfile::TempDir;

use super::run::{Made, make, packets, stream};
use super::source;

/// One file and what must become of it.
struct Kind {
    name: &'static str,
    /// For ffmpeg, to make it.
    made: &'static str,
    /// For ffmpeg, to make it of what was just made, where one run is not enough.
    then: Option<&'static str>,
    seconds: f64,
    /// Names and sizes, best first.
    rungs: &'static [(&'static str, u32, u32)],
    has_sound: bool,
}

/// Rungs of a picture of 640 × 360.
const OF_360: &[(&str, u32, u32)] = &[("v360", 640, 360), ("v240", 426, 240)];
/// Rungs of a picture of 720 × 576 whose pixels are wide.
const OF_576: &[(&str, u32, u32)] = &[
    ("v576", 768, 576),
    ("v480", 640, 480),
    ("v360", 480, 360),
    ("v240", 320, 240),
];
const NO_PICTURE: &[(&str, u32, u32)] = &[];

/// Lengths agree to a frame or two of picture or of sound.
const TOLERANCE_S: f64 = 0.1;

const fn film(name: &'static str, made: &'static str) -> Kind {
    Kind {
        name,
        made,
        then: None,
        seconds: 6.0,
        rungs: OF_360,
        has_sound: true,
    }
}

const fn mute(name: &'static str, made: &'static str) -> Kind {
    Kind {
        has_sound: false,
        ..film(name, made)
    }
}

const fn sound(name: &'static str, made: &'static str) -> Kind {
    Kind {
        rungs: NO_PICTURE,
        ..film(name, made)
    }
}

macro_rules! picture {
    ($rest:literal) => {
        concat!("-f lavfi -i testsrc2=s=640x360:r=25:d=6 ", $rest)
    };
}

macro_rules! both {
    ($rest:literal) => {
        concat!(
            "-f lavfi -i testsrc2=s=640x360:r=25:d=6 -f lavfi -i sine=d=6:r=48000 ",
            $rest
        )
    };
}

macro_rules! tone {
    ($rest:literal) => {
        concat!("-f lavfi -i sine=d=6:r=48000 ", $rest)
    };
}

const X265: &str =
    both!("-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 -c:a aac");
const X265_DEEP: &str = both!(
    "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none -c:a aac"
);

/// The table.
const KINDS: &[Kind] = &[
    film(
        "h264.mp4",
        both!("-c:v libx264 -preset ultrafast -g 50 -c:a aac"),
    ),
    film(
        "h264.flv",
        both!("-c:v libx264 -preset ultrafast -c:a aac -ar 44100"),
    ),
    film("hevc.mp4", X265),
    film("hevc.mkv", X265),
    film("ten-bits-hevc.mp4", X265_DEEP),
    film(
        "ten-bits-h264.mp4",
        both!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -c:a aac"),
    ),
    film(
        "vp9-opus.webm",
        both!("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    ),
    film(
        "vp8-vorbis.webm",
        both!("-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis"),
    ),
    film(
        "stream.ts",
        both!("-c:v libx264 -preset ultrafast -c:a aac"),
    ),
    film("stream-mp2.ts", both!("-c:v mpeg2video -q:v 3 -c:a mp2")),
    film("program.mpg", both!("-c:v mpeg2video -q:v 3 -c:a mp2")),
    film("mpeg4.avi", both!("-c:v mpeg4 -q:v 3 -c:a libmp3lame")),
    film("mjpeg.avi", both!("-c:v mjpeg -q:v 3 -c:a pcm_s16le")),
    film("windows.wmv", both!("-c:v wmv2 -q:v 3 -c:a wmav2")),
    film("theora.ogv", both!("-c:v libtheora -q:v 7 -c:a libvorbis")),
    film(
        "mono.mp4",
        both!("-c:v libx264 -preset ultrafast -ac 1 -c:a aac"),
    ),
    film(
        "surround.mkv",
        both!("-c:v libx264 -preset ultrafast -ac 6 -c:a ac3"),
    ),
    film(
        "surround-aac.mp4",
        both!("-c:v libx264 -preset ultrafast -ac 6 -c:a aac"),
    ),
    film(
        "low-rate-sound.mp4",
        both!("-c:v libx264 -preset ultrafast -ar 22050 -c:a aac"),
    ),
    mute("prores.mov", picture!("-c:v prores_ks -profile:v 1")),
    mute("no-sound.mp4", picture!("-c:v libx264 -preset ultrafast")),
    mute(
        "fragmented.mp4",
        picture!("-c:v libx264 -preset ultrafast -movflags frag_keyframe+empty_moov"),
    ),
    mute(
        "no-colour.mp4",
        picture!("-vf format=gray -c:v libx264 -preset ultrafast"),
    ),
    mute(
        "all-colours.mkv",
        picture!("-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
    ),
    mute(
        "fields.ts",
        "-f lavfi -i testsrc2=s=640x360:r=50:d=6 -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -q:v 3 -flags +ilme+ildct",
    ),
    mute(
        "fast.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=120:d=6 -c:v libx264 -preset ultrafast",
    ),
    mute(
        "slow.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=2:d=6 -c:v libx264 -preset ultrafast",
    ),
    mute(
        "ntsc.mov",
        "-f lavfi -i testsrc2=s=640x360:r=30000/1001:d=6 -c:v mpeg4 -q:v 3",
    ),
    sound("talk.mp3", tone!("-c:a libmp3lame")),
    sound("talk.m4a", tone!("-c:a aac")),
    sound("talk.wav", tone!("-c:a pcm_s16le")),
    sound("talk.flac", tone!("-c:a flac")),
    sound("talk.ogg", tone!("-c:a libvorbis")),
    sound("talk.opus", tone!("-c:a libopus")),
    Kind {
        seconds: 20.0,
        ..mute(
            "varying.mkv",
            "-f lavfi -i testsrc2=s=640x360:r=30:d=20 -vf select='lt(mod(n,97),5)+not(mod(n,31))+gte(n,599)' -vsync vfr -c:v libx264 -preset ultrafast -g 999",
        )
    },
    Kind {
        rungs: &[("v360", 360, 640), ("v240", 240, 426)],
        then: Some("-c copy -metadata:s:v rotate=90"),
        ..film(
            "upright.mp4",
            both!("-c:v libx264 -preset ultrafast -g 50 -c:a aac"),
        )
    },
    Kind {
        rungs: &[("v240", 294, 240)],
        ..mute(
            "odd.mkv",
            "-f lavfi -i testsrc2=s=351x287:r=25:d=6 -c:v ffv1",
        )
    },
    Kind {
        rungs: &[("v90", 160, 90)],
        ..mute(
            "small.mp4",
            "-f lavfi -i testsrc2=s=160x90:r=25:d=6 -c:v libx264 -preset ultrafast -g 999",
        )
    },
    Kind {
        rungs: OF_576,
        ..mute(
            "camera.avi",
            "-f lavfi -i testsrc2=s=720x576:r=25:d=6,setsar=16/15 -pix_fmt yuv420p -c:v dvvideo",
        )
    },
];

#[test]
#[ignore = "minutes; `make test-media`"]
fn each_kind_of_file_becomes_ready_with_its_length_its_size_and_its_rungs() {
    let mut wrong = Vec::new();
    for kind in KINDS {
        let folder = TempDir::new().unwrap();
        let mut path = source::make(folder.path(), kind.name, kind.made);
        if let Some(then) = kind.then {
            let again = format!("-i {} {then}", path.display());
            path = source::make(folder.path(), &format!("again-{}", kind.name), &again);
        }
        // All of them are tried, so that one run tells of all that fail.
        let tried = std::panic::catch_unwind(|| check(kind, &make(&path)));
        if tried.is_err() {
            wrong.push(kind.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} (see above)");
}

fn check(kind: &Kind, made: &Made) {
    let name = kind.name;
    let near = |seconds: f64| (seconds - kind.seconds).abs() < TOLERANCE_S;
    let whole = made.package.duration_ms as f64 / 1000.0;
    assert!(near(whole), "{name} lasts {whole} s");

    let rungs: Vec<(&str, u32, u32)> = made
        .package
        .tracks
        .iter()
        .filter_map(|track| match track.kind {
            TrackKind::Video { width, height, .. } => Some((track.id.as_str(), width, height)),
            TrackKind::Audio { .. } => None,
        })
        .collect();
    let mut expected = kind.rungs.to_vec();
    expected.sort_unstable();
    let mut found = rungs.clone();
    found.sort_unstable();
    assert_eq!(found, expected, "{name}");
    let has_sound = made.package.planned.iter().any(|id| id.as_str() == "a1");
    assert_eq!(has_sound, kind.has_sound, "{name}");

    for track in &made.package.tracks {
        let listed = seconds(track);
        assert!(near(listed), "{name}: {} lists {listed} s", track.id);
        let file = made.track_file(track.id.as_str());
        let times: Vec<f64> = packets(&file).iter().map(|packet| packet.at).collect();
        assert!(times[0].abs() < TOLERANCE_S, "{name}: {} begins", track.id);
        let last = times[times.len() - 1];
        // The last frame of a slow source lasts half a second.
        assert!(
            (kind.seconds - 0.6..kind.seconds + TOLERANCE_S).contains(&last),
            "{name}: {} ends at {last} s",
            track.id
        );
        let stream = stream(&file);
        if let TrackKind::Video { width, height, .. } = track.kind {
            let size = (stream["width"].as_u64(), stream["height"].as_u64());
            assert_eq!(size, (Some(width.into()), Some(height.into())), "{name}");
            // Motion JPEG uses all values of a byte, and says so.
            let format = stream["pix_fmt"].as_str().unwrap();
            assert!(
                ["yuv420p", "yuvj420p"].contains(&format),
                "{name}: {format}"
            );
            assert_eq!(stream["field_order"], "progressive", "{name}");
        } else {
            assert_eq!(stream["channels"], 2, "{name}");
        }
    }
}

fn seconds(track: &Track) -> f64 {
    track.duration() as f64 / f64::from(track.timescale)
}
