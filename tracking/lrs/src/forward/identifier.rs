//! Identifiers as people type them and as they are kept: [`Ifi::key`], whose text behind its first word is what was
//! typed. The page reads the same forms (`web/ui/src/lib/agent.ts`).

use lectern_xapi::{Ifi, is_iri};

const SHA1_DIGITS: usize = 40;

/// `mailto:ada@example.org`, a SHA-1 sum in hex, an OpenID's URI, or `homePage name` for an account; `None` for
/// anything else.
pub fn read_identifier(text: &str) -> Option<Ifi> {
    let text = text.trim();
    if let Some((home_page, name)) = text.split_once(char::is_whitespace) {
        let name = name.trim_start();
        return is_iri(home_page).then(|| Ifi::account(home_page, name));
    }
    if text.len() == SHA1_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(Ifi::MboxSha1(text.to_ascii_lowercase()));
    }
    if let Some(address) = text.strip_prefix("mailto:") {
        let is_address = address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        return is_address.then(|| Ifi::Mbox(text.to_owned()));
    }
    is_iri(text).then(|| Ifi::OpenId(text.to_owned()))
}

/// A key of [`Ifi::key`] as [`read_identifier`] reads it.
pub fn print_identifier(key: &str) -> &str {
    key.split_once(' ').map_or(key, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::{print_identifier, read_identifier};

    #[test]
    fn the_four_kinds_are_read_and_printed_and_nothing_else_is() {
        for text in [
            "mailto:ada@example.org",
            "0123456789abcdef0123456789abcdef01234567",
            "https://openid.example/ada",
            "https://box.example ada lovelace",
        ] {
            let key = read_identifier(text).unwrap().key();
            assert_eq!(print_identifier(&key), text);
        }
        for text in ["", "ada", "ada lovelace", "mailto:ada", "mailto:@b"] {
            assert_eq!(read_identifier(text), None, "{text}");
        }
        let key = read_identifier(" https://a.example \t ada ").unwrap().key();
        assert_eq!(key, "account https://a.example ada");
    }
}
