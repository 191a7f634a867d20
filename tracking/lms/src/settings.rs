//! What IT changes in the web page. What must be known before the store opens is in `lectern.toml` instead.

use crate::lms::Lms;
use crate::tables::SETTINGS;
use crate::{Error, Network, identity};
use jiff::civil::Time;
use lectern_store::Tx;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const MAX_SITE_NAME_CHARS: usize = 100;
const MAX_PROXIES: usize = 32;
/// LUFS: from a quiet cinema to the loudest of broadcasts on phones.
const LOUDNESS: std::ops::RangeInclusive<i8> = -31..=-10;

/// Who may sign in over plain HTTP from elsewhere than the box itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlainHttp {
    /// Those who are learners and nothing more.
    #[default]
    Learners,
    /// Everybody.
    All,
    /// Nobody.
    None,
}

/// When a learner has completed a video (`docs/definitions.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", from = "RuleIn")]
pub enum CompletionRule {
    /// Watched so many percent of the distinct runtime while visible.
    Watched {
        /// 1 to 100.
        percent: u8,
    },
    /// Reached the end.
    End,
}

/// The rule as it comes in: beside the tag of a variant without braces serde takes any member, whatever
/// `deny_unknown_fields` says.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum RuleIn {
    Watched { percent: u8 },
    End {},
}

impl From<RuleIn> for CompletionRule {
    fn from(rule: RuleIn) -> Self {
        match rule {
            RuleIn::Watched { percent } => Self::Watched { percent },
            RuleIn::End {} => Self::End,
        }
    }
}

impl Default for CompletionRule {
    fn default() -> Self {
        Self::Watched { percent: 90 }
    }
}

/// A time of day, `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(Time);

impl TimeOfDay {
    /// To the minute.
    #[must_use]
    pub fn time(self) -> Time {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = Time::strptime("%H:%M", text).ok().map(Self);
        // In its one spelling.
        time.filter(|time| time.to_string() == text)
            .ok_or("a time of day is HH:MM, from 00:00 to 23:59")
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// When the box prepares videos, by its own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", from = "HoursIn")]
pub enum PrepareHours {
    /// Whenever there are some.
    #[default]
    Always,
    /// Every day between two times; over midnight when the second is the earlier one.
    Between {
        /// It begins.
        from: TimeOfDay,
        /// It ends.
        to: TimeOfDay,
    },
}

/// As they come in: see [`RuleIn`].
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum HoursIn {
    Always {},
    Between { from: TimeOfDay, to: TimeOfDay },
}

impl From<HoursIn> for PrepareHours {
    fn from(hours: HoursIn) -> Self {
        match hours {
            HoursIn::Always {} => Self::Always,
            HoursIn::Between { from, to } => Self::Between { from, to },
        }
    }
}

/// What a gigabyte (10^9 bytes) costs that leaves a cloud for the internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressPrice {
    /// A decimal number, like `0.09`; up to six digits before the point and behind it.
    pub per_gb: String,
    /// ISO 4217, like `EUR`.
    pub currency: String,
}

impl Default for EgressPrice {
    /// What large clouds ask for the first terabytes of a month, without a contract.
    fn default() -> Self {
        Self {
            per_gb: "0.09".to_owned(),
            currency: "USD".to_owned(),
        }
    }
}

impl EgressPrice {
    fn is_good(&self) -> bool {
        let digits = |text: &str, least: usize| {
            (least..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (whole, part) = match self.per_gb.split_once('.') {
            Some((whole, part)) => (whole, Some(part)),
            None => (self.per_gb.as_str(), None),
        };
        digits(whole, 1)
            && part.is_none_or(|part| digits(part, 1))
            && self.currency.len() == 3
            && self.currency.bytes().all(|byte| byte.is_ascii_uppercase())
    }
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What the box is called on its pages.
    pub site_name: String,
    /// Who may sign in over plain HTTP.
    pub plain_http: PlainHttp,
    /// What completed means here.
    pub completion_rule: CompletionRule,
    /// Addresses or networks (`10.0.0.0/8`) of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// What the sounds of new versions are brought to, in LUFS (ITU-R BS.1770-4).
    pub loudness_lufs: i8,
    /// What the delivery from this box is compared with.
    pub egress_price: EgressPrice,
    /// When videos are prepared.
    pub prepare_hours: PrepareHours,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site_name: "Lectern".to_owned(),
            plain_http: PlainHttp::default(),
            completion_rule: CompletionRule::default(),
            trusted_proxies: Vec::new(),
            loudness_lufs: -16,
            egress_price: EgressPrice::default(),
            prepare_hours: PrepareHours::default(),
        }
    }
}

/// What to change; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsPatch {
    /// See [`Settings::site_name`].
    pub site_name: Option<String>,
    /// See [`Lms::identity`].
    pub identity: Option<String>,
    /// See [`Settings::plain_http`].
    pub plain_http: Option<PlainHttp>,
    /// See [`Settings::completion_rule`].
    pub completion_rule: Option<CompletionRule>,
    /// See [`Settings::trusted_proxies`].
    pub trusted_proxies: Option<Vec<String>>,
    /// See [`Settings::loudness_lufs`].
    pub loudness_lufs: Option<i8>,
    /// See [`Settings::egress_price`].
    pub egress_price: Option<EgressPrice>,
    /// See [`Settings::prepare_hours`].
    pub prepare_hours: Option<PrepareHours>,
}

impl Lms {
    /// The settings as they are now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settings(&self) -> Result<Settings, Error> {
        Ok(self
            .store
            .snapshot()?
            .get(&SETTINGS, &0)?
            .unwrap_or_default())
    }

    /// Changes some of them, all or none.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::IdentityFixed`]; when the store fails.
    pub fn update_settings(&self, patch: SettingsPatch) -> Result<Settings, Error> {
        self.store.write(move |tx| change(tx, &patch))
    }
}

/// Part of set-up's transaction, too.
pub(crate) fn change(tx: &Tx<'_>, patch: &SettingsPatch) -> Result<Settings, Error> {
    let settings = tx.get(&SETTINGS, &0)?.unwrap_or_default().patched(patch)?;
    if let Some(identity) = &patch.identity {
        identity::set(tx, &identity::checked(identity)?)?;
    }
    tx.insert(&SETTINGS, &0, &settings)?;
    Ok(settings)
}

impl Settings {
    fn patched(mut self, patch: &SettingsPatch) -> Result<Self, Error> {
        if let Some(name) = &patch.site_name {
            let name = name.trim();
            let is_good = !name.is_empty()
                && name.chars().count() <= MAX_SITE_NAME_CHARS
                && !name.chars().any(char::is_control);
            if !is_good {
                return Err(Error::Invalid {
                    field: "site_name",
                    message: "a site's name has 1 to 100 characters on one line".to_owned(),
                });
            }
            self.site_name = name.to_owned();
        }
        if let Some(plain_http) = patch.plain_http {
            self.plain_http = plain_http;
        }
        if let Some(rule) = patch.completion_rule {
            if let CompletionRule::Watched { percent } = rule
                && !(1..=100).contains(&percent)
            {
                return Err(Error::Invalid {
                    field: "completion_rule",
                    message: "the share to watch is 1 to 100 percent".to_owned(),
                });
            }
            self.completion_rule = rule;
        }
        if let Some(proxies) = &patch.trusted_proxies {
            if proxies.len() > MAX_PROXIES
                || !proxies.iter().all(|proxy| proxy.parse::<Network>().is_ok())
            {
                return Err(Error::Invalid {
                    field: "trusted_proxies",
                    message:
                        "each is an address or a network, like 10.1.2.3 or 10.0.0.0/8; 32 at most"
                            .to_owned(),
                });
            }
            self.trusted_proxies.clone_from(proxies);
        }
        if let Some(loudness) = patch.loudness_lufs {
            if !LOUDNESS.contains(&loudness) {
                return Err(Error::Invalid {
                    field: "loudness_lufs",
                    message: "a loudness is -31 to -10 LUFS".to_owned(),
                });
            }
            self.loudness_lufs = loudness;
        }
        if let Some(price) = &patch.egress_price {
            if !price.is_good() {
                return Err(Error::Invalid {
                    field: "egress_price",
                    message: "a price is a number like 0.09, and a currency three capital letters, like EUR".to_owned(),
                });
            }
            self.egress_price = price.clone();
        }
        if let Some(hours) = patch.prepare_hours {
            if matches!(hours, PrepareHours::Between { from, to } if from == to) {
                return Err(Error::Invalid {
                    field: "prepare_hours",
                    message: "the hours end at another time than they begin".to_owned(),
                });
            }
            self.prepare_hours = hours;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_older_box_get_the_defaults_of_new_fields() {
        let old: Settings = serde_json::from_str(r#"{"site_name":"Campus"}"#).unwrap();
        assert_eq!(old.completion_rule, CompletionRule::Watched { percent: 90 });
        assert_eq!(old.loudness_lufs, -16);
        let json = serde_json::to_string(&old.completion_rule).unwrap();
        assert_eq!(json, r#"{"kind":"watched","percent":90}"#);
    }

    #[test]
    fn a_loudness_and_a_price_are_within_reason() {
        let loudness = |lufs| SettingsPatch {
            loudness_lufs: Some(lufs),
            ..SettingsPatch::default()
        };
        for (lufs, is_good) in [
            (-32, false),
            (-31, true),
            (-23, true),
            (-10, true),
            (-9, false),
        ] {
            let changed = Settings::default().patched(&loudness(lufs));
            assert_eq!(changed.is_ok(), is_good, "{lufs}");
        }
        for (per_gb, currency, is_good) in [
            ("0.09", "USD", true),
            ("12", "EUR", true),
            ("0", "CHF", true),
            ("", "EUR", false),
            (".5", "EUR", false),
            ("1.", "EUR", false),
            ("-1", "EUR", false),
            ("1e9", "EUR", false),
            ("1.0000001", "EUR", false),
            ("1", "eur", false),
            ("1", "EURO", false),
        ] {
            let patch = SettingsPatch {
                egress_price: Some(EgressPrice {
                    per_gb: per_gb.to_owned(),
                    currency: currency.to_owned(),
                }),
                ..SettingsPatch::default()
            };
            let changed = Settings::default().patched(&patch);
            assert_eq!(changed.is_ok(), is_good, "{per_gb} {currency}");
        }
    }

    #[test]
    fn hours_are_two_times_of_a_day() {
        for (json, is_good) in [
            (r#"{"kind":"always"}"#, true),
            (r#"{"kind":"between","from":"22:00","to":"06:00"}"#, true),
            (r#"{"kind":"between","from":"00:00","to":"23:59"}"#, true),
            (r#"{"kind":"between","from":"22:00","to":"22:00"}"#, false),
            (r#"{"kind":"between","from":"24:00","to":"06:00"}"#, false),
            (r#"{"kind":"between","from":"7:00","to":"06:60"}"#, false),
            (r#"{"kind":"between","from":"+7:00","to":"06:00"}"#, false),
            (r#"{"kind":"between","from":"22:00"}"#, false),
            (r#"{"kind":"always","from":"22:00"}"#, false),
        ] {
            let patch = format!(r#"{{"prepare_hours":{json}}}"#);
            let patch = serde_json::from_str::<SettingsPatch>(&patch).ok();
            let changed = patch.and_then(|patch| Settings::default().patched(&patch).ok());
            assert_eq!(changed.is_some(), is_good, "{json}");
            let Some(changed) = changed else { continue };
            let written = serde_json::to_string(&changed.prepare_hours).unwrap();
            assert_eq!(written, json);
        }
    }

    #[test]
    fn a_rule_takes_no_member_that_is_not_its_own() {
        for wrong in [
            r#"{"kind":"end","percent":5}"#,
            r#"{"kind":"watched","percent":5,"x":1}"#,
            r#"{"kind":"watched"}"#,
            r#"{"kind":"start"}"#,
        ] {
            assert!(
                serde_json::from_str::<CompletionRule>(wrong).is_err(),
                "{wrong}"
            );
        }
        for rule in [CompletionRule::Watched { percent: 5 }, CompletionRule::End] {
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<CompletionRule>(&json).unwrap(), rule);
        }
    }

    #[test]
    fn impossible_settings_are_refused() {
        let patches = [
            r#"{"site_name":" "}"#,
            r#"{"completion_rule":{"kind":"watched","percent":0}}"#,
            r#"{"completion_rule":{"kind":"watched","percent":101}}"#,
            r#"{"trusted_proxies":["campus"]}"#,
            r#"{"trusted_proxies":["10.0.0.0/33"]}"#,
        ];
        for patch in patches {
            let patch: SettingsPatch = serde_json::from_str(patch).unwrap();
            assert!(Settings::default().patched(&patch).is_err(), "{patch:?}");
        }
        let good = SettingsPatch {
            trusted_proxies: Some(vec!["10.0.0.0/8".into(), "::1".into()]),
            ..SettingsPatch::default()
        };
        assert!(Settings::default().patched(&good).is_ok());
    }
}
