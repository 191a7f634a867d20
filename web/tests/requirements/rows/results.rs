//! Results and scores (Data 2.4.5).

use serde_json::json;

use crate::row::{Row, both};
use crate::statements::gone;

pub fn rows() -> Vec<Row> {
    vec![
        both(
            "Data 2.4.5",
            "4.2.2.4",
            "success is a boolean, not a word or number for one",
        )
        .takes("/result/success", json!(true))
        .takes("/result/success", json!(false))
        .refuses("/result/success", json!("true"), "$.result.success")
        .refuses("/result/success", json!(1), "$.result.success"),
        both(
            "Data 2.4.5",
            "4.2.2.4",
            "completion is a boolean, not a word or number for one",
        )
        .takes("/result/completion", json!(true))
        .refuses("/result/completion", json!("false"), "$.result.completion")
        .refuses("/result/completion", json!(0), "$.result.completion"),
        both(
            "Data 2.4.5",
            "4.2.2.4",
            "response is a string, and may be empty",
        )
        .takes("/result/response", json!(""))
        .takes("/result/response", json!("golf[,]tetris"))
        .refuses("/result/response", json!(5), "$.result.response")
        .refuses(
            "/result/response",
            json!({ "en": "yes" }),
            "$.result.response",
        )
        .refuses("/result/response", json!(["yes"]), "$.result.response"),
        both("Data 2.4.5", "4.2.2.4", "duration is an ISO 8601 duration")
            .takes("/result/duration", json!("P3Y6M4DT12H30M5S"))
            .refuses("/result/duration", json!("90 minutes"), "$.result.duration")
            .refuses("/result/duration", json!(90), "$.result.duration")
            .refuses(
                "/result/duration",
                json!({ "minutes": 90 }),
                "$.result.duration",
            ),
        both(
            "Data 2.4.5",
            "4.2.2.4",
            "a result's extensions are an object with IRIs for keys",
        )
        .takes(
            "/result/extensions",
            json!({ "http://extensions/tries": 3 }),
        )
        .refuses(
            "/result/extensions",
            json!({ "tries": 3 }),
            "$.result.extensions.tries",
        )
        .refuses("/result/extensions", json!([3]), "$.result.extensions")
        .refuses("/result/extensions", json!("tries"), "$.result.extensions"),
        both(
            "Data 2.4.5.1",
            "4.2.2.4",
            "a score is an object, and each of its parts may be left out",
        )
        .takes("/result/score", json!({}))
        .takes("/result/score", json!({ "raw": 5 }))
        .takes("/result/score", json!({ "scaled": 1 }))
        .takes("/result/score", gone())
        .refuses("/result/score", json!(5), "$.result.score")
        .refuses("/result/score", json!([5]), "$.result.score"),
        both("Data 2.4.5.1", "4.2.2.4", "a score's parts are numbers")
            .refuses(
                "/result/score/scaled",
                json!("0.5"),
                "$.result.score.scaled",
            )
            .refuses("/result/score/raw", json!("5"), "$.result.score.raw")
            .refuses("/result/score/min", json!("0"), "$.result.score.min")
            .refuses("/result/score/max", json!(true), "$.result.score.max"),
        both(
            "Data 2.4.5.1",
            "4.2.2.4",
            "a scaled score lies from -1 to 1, both included",
        )
        .takes("/result/score/scaled", json!(1))
        .takes("/result/score/scaled", json!(-1.0))
        .takes("/result/score/scaled", json!(0))
        .refuses(
            "/result/score/scaled",
            json!(1.000_01),
            "$.result.score.scaled",
        )
        .refuses("/result/score/scaled", json!(-1.5), "$.result.score.scaled"),
        both(
            "Data 2.4.5.1",
            "4.2.2.4",
            "a raw score lies from min to max, both included, where these are given",
        )
        .takes("/result/score/raw", json!(0))
        .takes("/result/score/raw", json!(10.0))
        .takes("/result/score", json!({ "raw": -50, "max": 10 }))
        .refuses("/result/score/raw", json!(-0.1), "$.result.score.raw")
        .refuses("/result/score/raw", json!(10.1), "$.result.score.raw")
        .refuses(
            "/result/score",
            json!({ "raw": 11, "max": 10 }),
            "$.result.score.raw",
        )
        .refuses(
            "/result/score",
            json!({ "raw": -1, "min": 0 }),
            "$.result.score.raw",
        ),
        both(
            "Data 2.4.5.1",
            "4.2.2.4",
            "the least score lies below the greatest",
        )
        .takes("/result/score", json!({ "min": -1.5, "max": -1.25 }))
        .refuses(
            "/result/score",
            json!({ "min": 10, "max": 0 }),
            "$.result.score.min",
        )
        .refuses(
            "/result/score",
            json!({ "min": 10, "max": 10 }),
            "$.result.score.min",
        ),
    ]
}
