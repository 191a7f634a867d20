//! Loads exactly the GStreamer plugins that the worker uses, by file, before the sandbox closes.
//!
//! There is no registry: scanning 250 plugins costs seconds on a fresh machine, needs a cache file,
//! and would leave a hostile file every demuxer of the distribution to choose from. What is not in
//! [`PLUGINS`] does not exist for the worker. This is not the place that decides which codec is
//! decoded; [`decoder_for`] is.

use std::path::{Path, PathBuf};

use gstreamer as gst;

use super::failure::Failure;

/// Plugins by their file name between `libgst` and `.so`. Optional ones may be missing.
const PLUGINS: &[(&str, bool)] = &[
    ("coreelements", true),
    ("typefindfunctions", true),
    ("playback", true),
    ("app", true),
    ("isomp4", true),
    ("matroska", true),
    ("mpegtsdemux", true),
    ("mpegpsdemux", false),
    ("avi", true),
    ("asf", false),
    ("flv", false),
    ("dv", false),
    ("ogg", true),
    ("wavparse", true),
    ("aiff", false),
    ("flac", true),
    ("vorbis", true),
    ("opus", true),
    ("opusparse", false),
    ("theora", true),
    ("vpx", true),
    ("aom", false),
    ("id3demux", true),
    ("apetag", false),
    ("audioparsers", true),
    ("mpg123", false),
    ("videoparsersbad", true),
    ("codectimestamper", true),
    ("libav", true),
    ("x264", true),
    ("videoconvertscale", true),
    ("videofilter", true),
    ("deinterlace", true),
    ("audioconvert", true),
    ("audioresample", true),
    ("jpeg", true),
    ("png", true),
];

/// Elements that every job needs; made once at start, so that what is missing is told at once and
/// whatever an element loads lazily is loaded while files can still be opened.
const NEEDED: &[&str] = &[
    "filesrc",
    "typefind",
    "parsebin",
    "queue",
    "tee",
    "capsfilter",
    "fakesink",
    "appsrc",
    "appsink",
    "h264parse",
    "h264timestamper",
    "avdec_h264",
    "x264enc",
    "videoconvert",
    "videoconvertscale",
    "videoflip",
    "deinterlace",
    "avenc_aac",
    "audioconvert",
    "audioresample",
    "jpegenc",
    "cmafmux",
    "qtdemux",
    "matroskademux",
    "tsdemux",
];

/// Decoders that a source may reach, best first where two decode the same.
///
/// libav alone registers some 400, most of them for games of the nineties and never fuzzed.
const DECODERS: &[&str] = &[
    "avdec_h264",
    "avdec_h265",
    "vp8dec",
    "vp9dec",
    "av1dec",
    "avdec_mpeg2video",
    "avdec_mpegvideo",
    "avdec_mpeg4",
    "avdec_msmpeg4",
    "avdec_msmpeg4v2",
    "avdec_wmv1",
    "avdec_wmv2",
    "avdec_wmv3",
    "avdec_vc1",
    "avdec_flv",
    "avdec_h263",
    "avdec_h263p",
    "avdec_mjpeg",
    "jpegdec",
    "avdec_prores",
    "avdec_dnxhd",
    "avdec_dvvideo",
    "avdec_cinepak",
    "avdec_svq1",
    "avdec_svq3",
    "avdec_qtrle",
    "avdec_vp6",
    "avdec_vp6f",
    "avdec_ffv1",
    "avdec_huffyuv",
    "avdec_cfhd",
    // Not libav's: it takes each picture for a change of the one before.
    "pngdec",
    "theoradec",
    "avdec_aac",
    "avdec_aac_latm",
    "mpg123audiodec",
    "avdec_mp3",
    "avdec_mp2float",
    "vorbisdec",
    "opusdec",
    "avdec_opus",
    "flacdec",
    "avdec_flac",
    "avdec_ac3",
    "avdec_eac3",
    "avdec_dca",
    "avdec_truehd",
    "avdec_alac",
    "avdec_wmav1",
    "avdec_wmav2",
    "avdec_wmapro",
    "avdec_adpcm_ima_qt",
    "avdec_adpcm_ima_wav",
    "avdec_adpcm_ms",
    "avdec_amrnb",
    "avdec_amrwb",
    "avdec_speex",
];

/// Starts GStreamer without a registry and loads [`PLUGINS`]. To be called once, by the only thread.
pub fn load() -> Result<(), Failure> {
    for name in ["GST_REGISTRY_DISABLE", "ORC_CODE"] {
        // Both are read before the first line of ours that could set them safely: see `spawn`.
        if std::env::var_os(name).is_none() {
            return Err(Failure::Machine(format!(
                "the worker was started by hand, {name} is not set"
            )));
        }
    }
    gst::init().map_err(|e| Failure::Machine(format!("GStreamer does not start: {e}")))?;
    let folder = plugin_folder()
        .ok_or_else(|| Failure::Machine("GStreamer's plugins are not installed".into()))?;
    for (name, needed) in PLUGINS {
        let file = folder.join(format!("libgst{name}.so"));
        if let Err(e) = gst::Plugin::load_file(&file)
            && *needed
        {
            return Err(Failure::Machine(format!(
                "the GStreamer plugin {name} does not load: {e}"
            )));
        }
    }
    gstfmp4::plugin_register_static()
        .map_err(|e| Failure::Machine(format!("the CMAF muxer does not load: {e}")))?;
    for name in NEEDED {
        make(name)?;
    }
    Ok(())
}

/// Loads a plugin that no job needs; whether it is there shows in what it offers.
pub fn load_more(plugin: &str) {
    if let Some(folder) = plugin_folder() {
        let _ = gst::Plugin::load_file(folder.join(format!("libgst{plugin}.so")));
    }
}

/// Makes one element.
pub fn make(factory: &str) -> Result<gst::Element, Failure> {
    gst::ElementFactory::make(factory)
        .build()
        .map_err(|_| Failure::Machine(format!("the GStreamer element {factory} is missing")))
}

/// The first decoder of [`DECODERS`] that takes these caps.
pub fn decoder_for(caps: &gst::CapsRef) -> Option<gst::ElementFactory> {
    let caps = caps.to_owned();
    DECODERS
        .iter()
        .filter_map(|name| gst::ElementFactory::find(name))
        .find(|factory| factory.can_sink_any_caps(&caps))
}

fn plugin_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("GST_PLUGIN_SYSTEM_PATH_1_0") {
        return Some(PathBuf::from(folder));
    }
    let arch = std::env::consts::ARCH;
    [
        format!("/usr/lib/{arch}-linux-gnu/gstreamer-1.0"),
        "/usr/lib64/gstreamer-1.0".into(),
        "/usr/lib/gstreamer-1.0".into(),
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|folder| Path::new(folder).is_dir())
}
