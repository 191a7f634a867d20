//! Every IRI of the xAPI Video Profile 1.0, §2.3–2.7. Names and nothing else.
//!
//! Verbs come from two hosts: what the profile coined is under w3id.org, what it borrowed is ADL's, and ADL's
//! are `http`. A copy with another scheme is another verb.

/// The category activity that every statement of the profile carries (§2.6.2.1).
pub const CATEGORY: &str = "https://w3id.org/xapi/video";
/// `object.definition.type` of every statement of the profile (§2.4.1).
pub const ACTIVITY_TYPE: &str = "https://w3id.org/xapi/video/activity-type/video";

/// Verbs (§2.3).
pub mod verb {
    /// The player has loaded and knows the media's length.
    pub const INITIALIZED: &str = "http://adlnet.gov/expapi/verbs/initialized";
    /// Playing began, at result `time`.
    pub const PLAYED: &str = "https://w3id.org/xapi/video/verbs/played";
    /// Playing stopped, at result `time`.
    pub const PAUSED: &str = "https://w3id.org/xapi/video/verbs/paused";
    /// The position jumped from `time-from` to `time-to`.
    pub const SEEKED: &str = "https://w3id.org/xapi/video/verbs/seeked";
    /// A setting of the player changed (context extensions say which).
    pub const INTERACTED: &str = "http://adlnet.gov/expapi/verbs/interacted";
    /// The completion threshold was reached, once per registration.
    pub const COMPLETED: &str = "http://adlnet.gov/expapi/verbs/completed";
    /// The session ended.
    pub const TERMINATED: &str = "http://adlnet.gov/expapi/verbs/terminated";
    /// ADL's voided, the one verb with a meaning of its own in xAPI (Data 2.3.2).
    pub const VOIDED: &str = "http://adlnet.gov/expapi/verbs/voided";

    /// The seven verbs of the profile, in the order of its §2.3.
    pub const ALL: [&str; 7] = [
        INITIALIZED,
        PLAYED,
        PAUSED,
        SEEKED,
        INTERACTED,
        COMPLETED,
        TERMINATED,
    ];
}

/// Result extensions (§2.5.4).
pub mod result {
    /// Position in seconds, at most three decimals.
    pub const TIME: &str = "https://w3id.org/xapi/video/extensions/time";
    /// Where a seek began, seconds.
    pub const TIME_FROM: &str = "https://w3id.org/xapi/video/extensions/time-from";
    /// Where a seek ended, seconds.
    pub const TIME_TO: &str = "https://w3id.org/xapi/video/extensions/time-to";
    /// Share of the media played over the whole registration, 0..=1.
    pub const PROGRESS: &str = "https://w3id.org/xapi/video/extensions/progress";
    /// All stretches played over the whole registration, see [`crate::video::Segments`].
    pub const PLAYED_SEGMENTS: &str = "https://w3id.org/xapi/video/extensions/played-segments";
}

/// Context extensions (§2.6.2).
pub mod context {
    /// The id of the session's `initialized` statement.
    pub const SESSION_ID: &str = "https://w3id.org/xapi/video/extensions/session-id";
    /// Length of the media, seconds.
    pub const LENGTH: &str = "https://w3id.org/xapi/video/extensions/length";
    /// Share of the media that counts as completed, 0..=1.
    pub const COMPLETION_THRESHOLD: &str =
        "https://w3id.org/xapi/video/extensions/completion-threshold";
    /// Whether captions are shown (the concept's name).
    pub const CC_SUBTITLE_ENABLED: &str =
        "https://w3id.org/xapi/video/extensions/cc-subtitle-enabled";
    /// Whether captions are shown, as the profile's own templates call it: send both, accept both.
    pub const CC_ENABLED: &str = "https://w3id.org/xapi/video/extensions/cc-enabled";
    /// Language of the captions shown.
    pub const CC_SUBTITLE_LANG: &str = "https://w3id.org/xapi/video/extensions/cc-subtitle-lang";
    /// Frames a second.
    pub const FRAME_RATE: &str = "https://w3id.org/xapi/video/extensions/frame-rate";
    /// Whether the player fills the screen.
    pub const FULL_SCREEN: &str = "https://w3id.org/xapi/video/extensions/full-screen";
    /// Height of the rendition shown: a number, or a string in older players.
    pub const QUALITY: &str = "https://w3id.org/xapi/video/extensions/quality";
    /// `WxH` of the device's screen.
    pub const SCREEN_SIZE: &str = "https://w3id.org/xapi/video/extensions/screen-size";
    /// `WxH` of the picture on the page.
    pub const VIDEO_PLAYBACK_SIZE: &str =
        "https://w3id.org/xapi/video/extensions/video-playback-size";
    /// Rate, as a string that ends in x: `1.5x`.
    pub const SPEED: &str = "https://w3id.org/xapi/video/extensions/speed";
    /// Name of the audio track.
    pub const TRACK: &str = "https://w3id.org/xapi/video/extensions/track";
    /// The browser's name for itself.
    pub const USER_AGENT: &str = "https://w3id.org/xapi/video/extensions/user-agent";
    /// 0..=1, 0 when muted.
    pub const VOLUME: &str = "https://w3id.org/xapi/video/extensions/volume";
}
