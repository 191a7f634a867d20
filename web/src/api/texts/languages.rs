//! Languages' own names, for players' caption menus: a manifest must carry them, and no browser is
//! there to ask. A language that is not in the table is called by its tag.

/// `Deutsch` for `de`, `English (GB)` for `en-GB`.
pub(crate) fn language_name(tag: &str) -> String {
    let (primary, rest) = match tag.split_once('-') {
        Some((primary, rest)) => (primary, Some(rest)),
        None => (tag, None),
    };
    let name = NAMES
        .iter()
        .find(|(code, _)| *code == primary)
        .map(|(_, name)| *name);
    match (name, rest) {
        (Some(name), None) => name.to_owned(),
        (Some(name), Some(rest)) => format!("{name} ({rest})"),
        (None, _) => tag.to_owned(),
    }
}

/// From CLDR's languages in themselves.
const NAMES: [(&str, &str); 44] = [
    ("ar", "العربية"),
    ("bg", "Български"),
    ("bn", "বাংলা"),
    ("ca", "Català"),
    ("cs", "Čeština"),
    ("cy", "Cymraeg"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("es", "Español"),
    ("et", "Eesti"),
    ("eu", "Euskara"),
    ("fa", "فارسی"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("ga", "Gaeilge"),
    ("gl", "Galego"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("hr", "Hrvatski"),
    ("hu", "Magyar"),
    ("id", "Indonesia"),
    ("is", "Íslenska"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("lt", "Lietuvių"),
    ("lv", "Latviešu"),
    ("nb", "Norsk bokmål"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sr", "Српски"),
    ("sv", "Svenska"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("vi", "Tiếng Việt"),
    ("zh", "中文"),
];

#[cfg(test)]
mod tests {
    use super::language_name;

    #[test]
    fn a_language_is_called_by_its_own_name_or_by_its_tag() {
        assert_eq!(language_name("de"), "Deutsch");
        assert_eq!(language_name("en-GB"), "English (GB)");
        assert_eq!(language_name("tlh"), "tlh");
    }
}
