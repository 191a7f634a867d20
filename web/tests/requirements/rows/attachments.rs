//! What a statement says of its attachments (Data 2.4.11).

use serde_json::json;
use sha2::{Digest, Sha384, Sha512};

use crate::row::{Row, both};
use crate::statements::gone;

pub fn rows() -> Vec<Row> {
    let whole = "/attachments/0";
    vec![
        said("attachments are an array of objects")
            .takes("/attachments", json!([]))
            .refuses("/attachments", json!({}), "$.attachments")
            .refuses("/attachments", json!("file"), "$.attachments")
            .refuses("/attachments", json!([1]), "$.attachments[0]")
            .refuses(whole, json!("file"), "$.attachments[0]"),
        said("an attachment says what it is for: usageType, an IRI with a scheme")
            .takes(
                "/attachments/0/usageType",
                json!("http://id.tincanapi.com/attachment/supporting_media"),
            )
            .refuses("/attachments/0/usageType", gone(), "$.attachments[0]")
            .refuses(
                "/attachments/0/usageType",
                json!("media"),
                "$.attachments[0].usageType",
            )
            .refuses(
                "/attachments/0/usageType",
                json!(1),
                "$.attachments[0].usageType",
            ),
        said("an attachment has a display, a language map")
            .takes(
                "/attachments/0/display",
                json!({ "en": "A file", "de": "Eine Datei" }),
            )
            .refuses("/attachments/0/display", gone(), "$.attachments[0]")
            .refuses(
                "/attachments/0/display",
                json!("A file"),
                "$.attachments[0].display",
            )
            .refuses(
                "/attachments/0/display",
                json!(1),
                "$.attachments[0].display",
            ),
        said("an attachment may have a description, a language map")
            .takes("/attachments/0/description", gone())
            .takes("/attachments/0/description", json!({ "en": "A file" }))
            .refuses(
                "/attachments/0/description",
                json!("A file"),
                "$.attachments[0].description",
            )
            .refuses(
                "/attachments/0/description",
                json!(1),
                "$.attachments[0].description",
            ),
        said("an attachment has a contentType, a media type")
            .takes("/attachments/0/contentType", json!("image/svg+xml"))
            .takes(
                "/attachments/0/contentType",
                json!("text/plain;charset=utf-8"),
            )
            .refuses("/attachments/0/contentType", gone(), "$.attachments[0]")
            .refuses(
                "/attachments/0/contentType",
                json!("text"),
                "$.attachments[0].contentType",
            )
            .refuses(
                "/attachments/0/contentType",
                json!(""),
                "$.attachments[0].contentType",
            )
            .refuses(
                "/attachments/0/contentType",
                json!(1),
                "$.attachments[0].contentType",
            ),
        said("an attachment has a length, a whole number of bytes")
            .takes("/attachments/0/length", json!(0))
            .takes("/attachments/0/length", json!(5_000_000_000_u64))
            .refuses("/attachments/0/length", gone(), "$.attachments[0]")
            .refuses(
                "/attachments/0/length",
                json!("5"),
                "$.attachments[0].length",
            )
            .refuses(
                "/attachments/0/length",
                json!(5.5),
                "$.attachments[0].length",
            )
            .refuses(
                "/attachments/0/length",
                json!(-5),
                "$.attachments[0].length",
            ),
        said("an attachment has a sha2, hexadecimal digits of one of the SHA-2")
            .takes(
                "/attachments/0/sha2",
                json!(hex::encode(Sha384::digest(b"hello"))),
            )
            .takes(
                "/attachments/0/sha2",
                json!(hex::encode(Sha512::digest(b"hello"))),
            )
            .refuses("/attachments/0/sha2", gone(), "$.attachments[0]")
            .refuses("/attachments/0/sha2", json!("abc"), "$.attachments[0].sha2")
            .refuses(
                "/attachments/0/sha2",
                json!("z".repeat(64)),
                "$.attachments[0].sha2",
            )
            .refuses("/attachments/0/sha2", json!(5), "$.attachments[0].sha2"),
        said("a fileUrl is an IRL with a scheme")
            .takes(
                "/attachments/0/fileUrl",
                json!("https://files.example.com/a?b=c"),
            )
            .refuses(
                "/attachments/0/fileUrl",
                json!("files/a"),
                "$.attachments[0].fileUrl",
            )
            .refuses(
                "/attachments/0/fileUrl",
                json!(1),
                "$.attachments[0].fileUrl",
            ),
    ]
}

fn said(rule: &'static str) -> Row {
    both("Data 2.4.11", "4.2.2.6", rule)
}
