//! Lectern's own extensions to the Video Profile, documented in `docs/standards.md`. Names and nothing else.

/// Result: the stretches of what this registration has played while the page was hidden, in the grammar of
/// `played-segments`. They grow like `played-segments`, which hiding does not split.
pub const HIDDEN_SEGMENTS: &str = "https://lectern.invalid/xapi/extensions/hidden-segments";
/// Result: the stretches of what this registration has played while the sound was muted or at volume 0.
pub const MUTED_SEGMENTS: &str = "https://lectern.invalid/xapi/extensions/muted-segments";
/// Context: `{ "time": RFC 3339 of the device's own clock, "offset-ms": number }`.
pub const DEVICE_CLOCK: &str = "https://lectern.invalid/xapi/extensions/device-clock";
