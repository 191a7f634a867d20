//! A signed head: the box's word that the log's chain, up to here, was this one.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Fingerprint, Hex, PublicKey, SigningKey};

/// A head. What is signed is [`Head::text`]; the next head names [`Head::hash`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Counts 1, 2, 3…
    #[serde(rename = "head")]
    pub number: u64,
    /// The UTC day it was signed for; none when somebody asked for it
    pub day: Option<Date>,
    /// The last entry that it covers
    pub sequence: u64,
    /// That entry's link
    pub link: Hex<32>,
    /// When that entry was stored
    pub stored: Timestamp,
    /// When this was signed, by the box's clock
    pub signed: Timestamp,
    /// [`Head::hash`] of the head before; zeros for the first
    pub previous: Hex<32>,
    /// Whose signature it is
    pub key: Fingerprint,
    /// Ed25519
    pub signature: Hex<64>,
}

impl Head {
    /// Signs the end of a log. Its number, its place in the chain of heads and its key follow from the arguments.
    pub fn sign(
        key: &SigningKey,
        before: Option<&Self>,
        day: Option<Date>,
        (sequence, link, stored): (u64, [u8; 32], Timestamp),
        now: Timestamp,
    ) -> Self {
        let mut head = Self {
            number: before.map_or(1, |head| head.number + 1),
            day,
            sequence,
            link: Hex(link),
            stored,
            signed: Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now),
            previous: before.map_or(Hex([0; 32]), Self::hash),
            key: key.public().fingerprint(),
            signature: Hex([0; 64]),
        };
        head.signature = key.sign(head.text().as_bytes());
        head
    }

    /// What is signed: these lines in this order, each ended by a line feed, with times in UTC to the microsecond and
    /// hexadecimal digits in lower case.
    ///
    /// ```text
    /// lectern-evidence-head/1
    /// number 3
    /// day 2026-11-26            (or `day -`)
    /// sequence 1234
    /// link 64 digits
    /// stored 2026-11-25T23:59:58.123456Z
    /// signed 2026-11-26T00:00:21.000000Z
    /// previous 64 digits
    /// key 64 digits
    /// ```
    pub fn text(&self) -> String {
        let day = self.day.map_or("-".to_owned(), |day| day.to_string());
        format!(
            "lectern-evidence-head/1\nnumber {}\nday {day}\nsequence {}\nlink {}\nstored {:.6}\nsigned {:.6}\n\
             previous {}\nkey {}\n",
            self.number,
            self.sequence,
            self.link,
            self.stored,
            self.signed,
            self.previous,
            self.key
        )
    }

    /// SHA-256 of [`Head::text`] and one more line, `signature` and its 128 digits.
    pub fn hash(&self) -> Hex<32> {
        let mut hash = Sha256::new();
        hash.update(self.text());
        hash.update(format!("signature {}\n", self.signature));
        Hex(hash.finalize().into())
    }

    /// Whether `key` has signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.has_signed(self.text().as_bytes(), &self.signature)
    }

    /// The day it stands for: that it was signed for, or on.
    pub fn stands_for(&self) -> Date {
        self.day.unwrap_or_else(|| date(self.signed))
    }
}

/// The UTC day of a time.
pub(crate) fn date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// Whether a head is due: something was stored since the last, which is of another day. *Another*, not *an earlier*: a
/// clock that was in the future once must not end the heads until then.
pub(crate) fn is_due(last: Option<&Head>, newest: u64, now: Timestamp) -> bool {
    last.is_none_or(|last| newest > last.sequence && last.stands_for() != date(now)) && newest > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_signed_text_is_as_documented() {
        let end = (7, [0xab; 32], at("2026-11-25T23:59:58.123456Z"));
        let day = Some(jiff::civil::date(2026, 11, 26));
        let head = Head::sign(&key(), None, day, end, at("2026-11-26T00:00:21.0000001Z"));
        let expected = format!(
            "lectern-evidence-head/1\nnumber 1\nday 2026-11-26\nsequence 7\nlink {}\n\
             stored 2026-11-25T23:59:58.123456Z\nsigned 2026-11-26T00:00:21.000000Z\nprevious {}\nkey {}\n",
            "ab".repeat(32),
            "00".repeat(32),
            head.key
        );
        assert_eq!(head.text(), expected);
        let json = serde_json::to_string(&head).unwrap();
        assert_eq!(serde_json::from_str::<Head>(&json).unwrap(), head);
    }

    #[test]
    fn a_head_is_due_once_a_day_and_only_when_something_came() {
        let now = at("2026-11-26T12:00:00Z");
        let head = |day: &str, sequence| {
            let day = day.parse().ok();
            Head::sign(&key(), None, day, (sequence, [0; 32], now), now)
        };
        for (last, newest, due) in [
            (None, 0, false),
            (None, 1, true),
            (Some(head("2026-11-25", 5)), 5, false),
            (Some(head("2026-11-25", 5)), 6, true),
            (Some(head("2026-11-26", 5)), 6, false),
            // The clock was ahead by years once, and by a day.
            (Some(head("2031-01-01", 5)), 6, true),
            (Some(head("2026-11-27", 5)), 6, true),
            (Some(head("on demand", 5)), 6, false),
        ] {
            assert_eq!(is_due(last.as_ref(), newest, now), due, "{last:?} {newest}");
        }
    }
}
