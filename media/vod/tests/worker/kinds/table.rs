//! The hard inputs: how each is made, and what must become of it.

/// One file and what must become of it.
pub struct Kind {
    /// Its name, by which ffmpeg chooses the container.
    pub name: &'static str,
    /// For ffmpeg, to make it.
    pub made: &'static str,
    /// What is done to what was just made.
    pub then: Then,
    /// How long it must last.
    pub seconds: f64,
    /// One frame: by so much the length may be off.
    pub frame_s: f64,
    /// Names and sizes, best first.
    pub rungs: &'static [(&'static str, u32, u32)],
    /// Languages of the sounds, empty where unknown.
    pub sounds: &'static [&'static str],
    /// Languages of the texts.
    pub texts: &'static [&'static str],
    /// Names of the chapters.
    pub chapters: &'static [&'static str],
    /// Whether a flash and a beep in one instant must stay together: the last of them at this second.
    pub flash_s: Option<f64>,
    /// Whether its best rung must be the source itself; none where either is right.
    pub is_remuxed: Option<bool>,
    /// Whether it has a poster.
    pub has_poster: bool,
}

/// What is done to a file that ffmpeg made.
pub enum Then {
    /// Nothing.
    Keep,
    /// ffmpeg makes another of it.
    Again(&'static str),
    /// Its bytes stand there twice.
    Twice,
    /// The display matrix of its picture is that of a mirror.
    Mirror,
}

/// Rungs of a picture of 640 × 360.
const OF_360: &[(&str, u32, u32)] = &[("v360", 640, 360), ("v240", 426, 240)];
/// The same held upright.
const UPRIGHT: &[(&str, u32, u32)] = &[("v360", 360, 640), ("v240", 240, 426)];
/// Rungs of a picture of 720 × 576 whose pixels are wide.
const OF_576: &[(&str, u32, u32)] = &[
    ("v576", 768, 576),
    ("v480", 640, 480),
    ("v360", 480, 360),
    ("v240", 320, 240),
];
const NO_PICTURE: &[(&str, u32, u32)] = &[];
const LANGUAGES: &[&str] = &["en", "de"];

const fn film(name: &'static str, made: &'static str) -> Kind {
    Kind {
        name,
        made,
        then: Then::Keep,
        seconds: 6.0,
        frame_s: 0.04,
        rungs: OF_360,
        sounds: &[""],
        texts: &[],
        chapters: &[],
        flash_s: Some(5.0),
        is_remuxed: Some(false),
        has_poster: true,
    }
}

const fn kept(name: &'static str, made: &'static str) -> Kind {
    Kind {
        is_remuxed: Some(true),
        ..film(name, made)
    }
}

/// One that is remuxed or not: either is right.
const fn either(name: &'static str, made: &'static str) -> Kind {
    Kind {
        is_remuxed: None,
        ..film(name, made)
    }
}

const fn mute(name: &'static str, made: &'static str) -> Kind {
    Kind {
        sounds: &[],
        flash_s: None,
        is_remuxed: None,
        ..film(name, made)
    }
}

const fn sound(name: &'static str, made: &'static str) -> Kind {
    Kind {
        rungs: NO_PICTURE,
        flash_s: None,
        has_poster: false,
        ..film(name, made)
    }
}

macro_rules! picture {
    ($rest:literal) => {
        concat!("-f lavfi -i testsrc2=s=640x360:r=25:d=6 ", $rest)
    };
}

/// A white flash and a beep in the same instant, each second, over a little noise.
macro_rules! both {
    ($rest:literal) => {
        both!("640x360", "25", $rest)
    };
    ($size:literal, $rate:literal, $rest:literal) => {
        concat!(
            "-f lavfi -i color=black:s=",
            $size,
            ":r=",
            $rate,
            ":d=6,noise=alls=2:allf=t,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.2)*gt(t,0.5)' ",
            "-f lavfi -i aevalsrc='if(lt(mod(t,1),0.2)*gt(t,0.5),sin(2*PI*880*t),0)':d=6:s=48000 ",
            $rest
        )
    };
}

macro_rules! tone {
    ($rest:literal) => {
        concat!("-f lavfi -i sine=d=6:r=48000 ", $rest)
    };
}

/// The table. `{dir}` is the folder with the texts of [`super::FILES`].
pub const KINDS: &[Kind] = &[
    // Containers and codecs.
    kept(
        "h264.mp4",
        both!("-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"),
    ),
    kept(
        "h264.flv",
        both!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -ar 44100"),
    ),
    kept(
        "h264.mkv",
        both!("-c:v libx264 -preset veryfast -g 50 -pix_fmt yuv420p -c:a aac"),
    ),
    film(
        "hevc.mp4",
        both!("-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 -c:a aac"),
    ),
    film(
        "hevc.mkv",
        both!("-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac"),
    ),
    film(
        "hevc.ts",
        both!("-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac"),
    ),
    film(
        "vp9-opus.webm",
        both!("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    ),
    film(
        "vp8-vorbis.webm",
        both!("-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis"),
    ),
    Kind {
        rungs: &[("v90", 160, 90)],
        ..film(
            "av1.mp4",
            both!(
                "160x90",
                "25",
                "-c:v libaom-av1 -usage realtime -cpu-used 8 -c:a aac"
            ),
        )
    },
    kept(
        "stream.ts",
        both!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"),
    ),
    film("stream-mp2.ts", both!("-c:v mpeg2video -q:v 3 -c:a mp2")),
    film("program.mpg", both!("-c:v mpeg2video -q:v 3 -c:a mp2")),
    film("old.mpg", both!("-c:v mpeg1video -q:v 3 -c:a mp2")),
    // Its writer leaves the second place of the picture empty; by the file's own word it is a frame late.
    Kind {
        seconds: 6.04,
        flash_s: None,
        ..film("mpeg4.avi", both!("-c:v mpeg4 -q:v 3 -c:a libmp3lame"))
    },
    film("mjpeg.avi", both!("-c:v mjpeg -q:v 3 -c:a pcm_s16le")),
    film("windows.wmv", both!("-c:v wmv2 -q:v 3 -c:a wmav2")),
    film("theora.ogv", both!("-c:v libtheora -q:v 7 -c:a libvorbis")),
    film(
        "sorenson.flv",
        both!("-c:v flv1 -q:v 3 -c:a libmp3lame -ar 44100"),
    ),
    film("lossless.mkv", both!("-c:v ffv1 -c:a flac")),
    film("editing.mov", both!("-c:v mjpeg -q:v 3 -c:a alac")),
    mute("prores.mov", picture!("-c:v prores_ks -profile:v 1")),
    mute(
        "fragmented.mp4",
        picture!("-c:v libx264 -preset ultrafast -movflags frag_keyframe+empty_moov"),
    ),
    // Turned and mirrored.
    Kind {
        rungs: UPRIGHT,
        then: Then::Again("-c copy -metadata:s:v rotate=90"),
        ..film(
            "upright.mp4",
            both!("-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"),
        )
    },
    Kind {
        then: Then::Again("-c copy -metadata:s:v rotate=180"),
        ..film(
            "head-down.mp4",
            both!("-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"),
        )
    },
    Kind {
        rungs: UPRIGHT,
        then: Then::Again("-c copy -metadata:s:v rotate=270"),
        ..film(
            "other-side.mp4",
            both!("-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"),
        )
    },
    Kind {
        then: Then::Mirror,
        ..film(
            "mirror.mp4",
            both!("-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"),
        )
    },
    Kind {
        rungs: UPRIGHT,
        ..kept(
            "portrait.mp4",
            both!(
                "360x640",
                "25",
                "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
            ),
        )
    },
    // Rates and times.
    Kind {
        seconds: 20.0,
        ..mute(
            "varying.mkv",
            "-f lavfi -i testsrc2=s=640x360:r=30:d=20 -vf select='lt(mod(n,97),5)+not(mod(n,31))+gte(n,599)' -vsync vfr -c:v libx264 -preset ultrafast -g 999",
        )
    },
    Kind {
        seconds: 1200.0,
        rungs: &[("v90", 160, 90)],
        flash_s: Some(1199.0),
        ..film(
            "long-and-varying.mp4",
            "-f lavfi -i color=black:s=160x90:r=30:d=1200,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.2)*gt(t,0.5)' -f lavfi -i aevalsrc='if(lt(mod(t,1),0.2)*gt(t,0.5),sin(2*PI*880*t),0)':d=1200:s=16000 -vf select='not(mod(n,15))+not(mod(n,15)-6)+not(mod(n,41))+gte(n,35998)' -vsync vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 9999 -c:a aac",
        )
    },
    Kind {
        seconds: 50.0,
        ..mute(
            "one-frame-in-twenty-seconds.mp4",
            "-f lavfi -i testsrc2=s=640x360:r=25:d=50 -vf select='not(mod(n,500))+gte(n,1249)' -vsync vfr -c:v libx264 -preset ultrafast",
        )
    },
    Kind {
        frame_s: 0.02,
        ..film(
            "fast.mp4",
            both!(
                "640x360",
                "120",
                "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
            ),
        )
    },
    Kind {
        frame_s: 0.5,
        ..mute(
            "slow.mp4",
            "-f lavfi -i testsrc2=s=640x360:r=2:d=6 -c:v libx264 -preset ultrafast",
        )
    },
    mute(
        "ntsc.mov",
        "-f lavfi -i testsrc2=s=640x360:r=30000/1001:d=6 -c:v mpeg4 -q:v 3",
    ),
    Kind {
        seconds: 4.6,
        flash_s: Some(3.6),
        then: Then::Again("-ss 1.4 -c copy"),
        ..film(
            "edit-list.mp4",
            both!("-c:v libx264 -preset veryfast -bf 3 -g 10 -pix_fmt yuv420p -c:a aac"),
        )
    },
    Kind {
        // Matroska's times before zero are all zero for GStreamer.
        then: Then::Again("-c copy -avoid_negative_ts disabled -output_ts_offset -0.08"),
        seconds: 5.92,
        flash_s: Some(4.94),
        ..either(
            "before-zero.mkv",
            both!("-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -c:a libmp3lame"),
        )
    },
    Kind {
        then: Then::Again("-c copy -output_ts_offset 93000"),
        ..kept(
            "long-after-zero.ts",
            both!("-c:v libx264 -preset veryfast -bf 3 -g 50 -pix_fmt yuv420p -c:a aac"),
        )
    },
    Kind {
        then: Then::Twice,
        seconds: 12.0,
        frame_s: 0.08,
        flash_s: Some(11.0),
        ..either(
            "clock-begins-anew.ts",
            both!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -muxdelay 0"),
        )
    },
    either(
        "hole.mkv",
        both!(
            "-vf select='lt(t,2)+gte(t,3.8)' -af aselect='lt(t,2.2)+gte(t,3.6)' -vsync vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac"
        ),
    ),
    Kind {
        frame_s: 0.06,
        ..either(
            "sound-begins-late.mkv",
            both!("-af atrim=start=2.5 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac"),
        )
    },
    // Fields, depths, ranges, shapes.
    mute(
        "fields.ts",
        "-f lavfi -i testsrc2=s=640x360:r=50:d=6 -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -q:v 3 -flags +ilme+ildct",
    ),
    film(
        "fields-h264.mp4",
        both!(
            "640x360",
            "50",
            "-vf tinterlace=interleave_top,setfield=tff -c:v libx264 -preset ultrafast -flags +ilme+ildct -x264opts tff=1 -pix_fmt yuv420p -c:a aac"
        ),
    ),
    film(
        "ten-bits-hevc.mp4",
        both!(
            "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none -c:a aac"
        ),
    ),
    film(
        "ten-bits-h264.mp4",
        both!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -c:a aac"),
    ),
    film(
        "hdr-pq.mp4",
        both!(
            "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc -c:a aac"
        ),
    ),
    film(
        "hdr-hlg.mkv",
        both!(
            "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc arib-std-b67 -colorspace bt2020nc -x265-params log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc -c:a aac"
        ),
    ),
    mute(
        "no-colour.mp4",
        picture!("-vf format=gray -c:v libx264 -preset ultrafast"),
    ),
    film(
        "four-two-two.mp4",
        both!("-c:v libx264 -preset ultrafast -pix_fmt yuv422p -c:a aac"),
    ),
    mute(
        "all-colours.mkv",
        picture!("-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
    ),
    mute(
        "see-through.webm",
        picture!(
            "-vf format=yuva420p -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -auto-alt-ref 0"
        ),
    ),
    mute(
        "see-through.mov",
        picture!("-vf format=yuva444p10le -c:v prores_ks -profile:v 4444"),
    ),
    mute("drawn.mov", picture!("-vf format=argb -c:v png")),
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
    Kind {
        rungs: &[("v360", 852, 360), ("v240", 568, 240)],
        ..film(
            "wide-pixels.mp4",
            both!("-vf setsar=4/3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"),
        )
    },
    // Sounds.
    mute("no-sound.mp4", picture!("-c:v libx264 -preset ultrafast")),
    kept(
        "mono.mp4",
        both!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -ac 1 -c:a aac"),
    ),
    kept(
        "surround.mkv",
        both!("-c:v libx264 -preset ultrafast -g 999 -pix_fmt yuv420p -ac 6 -c:a ac3"),
    ),
    kept(
        "surround-aac.mp4",
        both!("-c:v libx264 -preset ultrafast -g 999 -pix_fmt yuv420p -ac 6 -c:a aac"),
    ),
    kept(
        "low-rate-sound.mp4",
        both!("-c:v libx264 -preset ultrafast -g 999 -pix_fmt yuv420p -ar 22050 -c:a aac"),
    ),
    Kind {
        sounds: LANGUAGES,
        ..kept(
            "two-languages.mp4",
            both!(
                "-f lavfi -i sine=f=330:d=6:r=48000 -map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast -g 999 -pix_fmt yuv420p -c:a aac -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu"
            ),
        )
    },
    Kind {
        sounds: LANGUAGES,
        ..film(
            "two-languages.ts",
            both!(
                "-f lavfi -i sine=f=330:d=6:r=48000 -map 0 -map 1 -map 2 -c:v mpeg2video -q:v 3 -c:a mp2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu"
            ),
        )
    },
    sound("talk.mp3", tone!("-c:a libmp3lame")),
    sound("talk.m4a", tone!("-c:a aac")),
    sound("talk.wav", tone!("-c:a pcm_s16le")),
    // A frame of FLAC has 4608 samples.
    Kind {
        frame_s: 0.096,
        ..sound("talk.flac", tone!("-c:a flac"))
    },
    sound("talk.ogg", tone!("-c:a libvorbis")),
    sound("talk.opus", tone!("-c:a libopus")),
    Kind {
        has_poster: true,
        ..sound(
            "cover.mp3",
            "-f lavfi -i sine=d=6:r=48000 -i {dir}/cover.png -map 0 -map 1 -c:v copy -disposition:v attached_pic -c:a libmp3lame -id3v2_version 3",
        )
    },
    Kind {
        flash_s: None,
        ..either(
            "a-still-and-talk.mp4",
            "-loop 1 -framerate 1 -i {dir}/slide.png -f lavfi -i sine=d=6:r=48000 -c:v libx264 -tune stillimage -pix_fmt yuv420p -c:a aac -t 6",
        )
    },
    // Texts and chapters.
    Kind {
        sounds: LANGUAGES,
        texts: &["en", "fr"],
        chapters: &["Intro", "Übung"],
        ..either(
            "lecture.mkv",
            both!(
                "-f lavfi -i sine=f=330:d=6:r=48000 -i {dir}/en.srt -i {dir}/fr.ass -i {dir}/chapters.txt -map 0 -map 1 -map 2 -map 3 -map 4 -map_metadata 5 -c:v libx264 -preset ultrafast -g 999 -pix_fmt yuv420p -c:a flac -c:s:0 srt -c:s:1 ass -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -metadata:s:s:0 language=eng -metadata:s:s:1 language=fra"
            ),
        )
    },
    Kind {
        texts: &["en"],
        chapters: &["Intro", "Übung"],
        ..kept(
            "lecture.mp4",
            both!(
                "-i {dir}/en.srt -i {dir}/chapters.txt -map 0 -map 1 -map 2 -map_metadata 3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -c:s mov_text -metadata:s:s:0 language=eng"
            ),
        )
    },
    Kind {
        texts: &["en"],
        ..film(
            "lecture.webm",
            both!(
                "-i {dir}/en.srt -map 0 -map 1 -map 2 -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -c:s webvtt -metadata:s:s:0 language=eng"
            ),
        )
    },
];
