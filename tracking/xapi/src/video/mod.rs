//! The xAPI Video Profile 1.0 (2019-05-09): its IRIs, our documented extensions and `played-segments`.
//! Not the sensor (that is the player) and not the counting (that is lectern-analytics).

pub mod extension;
pub mod iri;
mod segments;

pub use segments::{Pass, Segment, Segments, SegmentsError};
