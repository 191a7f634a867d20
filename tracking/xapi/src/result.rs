//! Results and scores (Data 2.4.5).

use crate::Extensions;
use crate::activity::extensions;
use crate::duration::{Duration, duration};
use crate::invalid::{Invalid, Path};
use crate::json::Json;

const CLAUSE: &str = "Data 2.4.5";
const SCORE: &str = "Data 2.4.5.1";

/// A statement's `result` (not named so because Rust has a `Result`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Points.
    pub score: Option<Score>,
    /// Whether it was a success.
    pub success: Option<bool>,
    /// Whether it was brought to an end.
    pub completion: Option<bool>,
    /// The answer given.
    pub response: Option<String>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// What others add.
    pub extensions: Extensions,
}

/// Points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// −1..=1
    pub scaled: Option<f64>,
    /// Between `min` and `max`.
    pub raw: Option<f64>,
    /// Below `max`.
    pub min: Option<f64>,
    /// Above `min`.
    pub max: Option<f64>,
}

pub(crate) fn outcome(value: &Json<'_>, at: &Path<'_>) -> Result<Outcome, Invalid> {
    let mut outcome = Outcome::default();
    for (key, value) in value.object(at, CLAUSE)? {
        let here = at.key(key);
        match key.as_ref() {
            "score" => outcome.score = Some(score(value, &here)?),
            "success" => outcome.success = Some(value.boolean(&here, CLAUSE)?),
            "completion" => outcome.completion = Some(value.boolean(&here, CLAUSE)?),
            "response" => outcome.response = Some(value.text(&here, CLAUSE)?.to_owned()),
            "duration" => outcome.duration = Some(duration(value, &here)?),
            "extensions" => outcome.extensions = extensions(value, &here)?,
            _ => return Err(here.unknown(CLAUSE)),
        }
    }
    Ok(outcome)
}

fn score(value: &Json<'_>, at: &Path<'_>) -> Result<Score, Invalid> {
    let mut score = Score::default();
    for (key, value) in value.object(at, SCORE)? {
        let here = at.key(key);
        let place = match key.as_ref() {
            "scaled" => &mut score.scaled,
            "raw" => &mut score.raw,
            "min" => &mut score.min,
            "max" => &mut score.max,
            _ => return Err(here.unknown(SCORE)),
        };
        *place = Some(value.number(&here, SCORE)?);
    }
    if score
        .scaled
        .is_some_and(|scaled| !(-1.0..=1.0).contains(&scaled))
    {
        return Err(at.key("scaled").invalid(SCORE, "must be from -1 to 1"));
    }
    let above = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| a > b);
    if above(score.min, score.max) || (score.min.is_some() && score.min == score.max) {
        return Err(at.key("min").invalid(SCORE, "must be less than max"));
    }
    if above(score.min, score.raw) || above(score.raw, score.max) {
        return Err(at.key("raw").invalid(SCORE, "must be from min to max"));
    }
    Ok(score)
}
