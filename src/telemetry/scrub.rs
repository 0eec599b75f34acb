//! Takes secrets out of a text. Nothing secret is logged in the first place; this is the second
//! lock, on the one exit where lines of the log leave this machine by themselves.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// What stands in place of a secret.
const MASK: &str = "********";

/// Query strings and logins in URLs (signatures travel there), tokens of the Hub, keys of ours,
/// and what an `Authorization` header holds.
static RULES: LazyLock<Vec<(Regex, String)>> = LazyLock::new(|| {
    [
        (
            r#"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>?#]*)\?[^\s"'<>]*"#,
            "${1}?…".to_owned(),
        ),
        (
            r#"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^\s"'<>/@]+@"#,
            format!("${{1}}{MASK}@"),
        ),
        (
            r#"(?i)\b((?:x-amz-[a-z-]+|signature|policy|key-pair-id|token|access_token)=)[^&\s"'<>]+"#,
            format!("${{1}}{MASK}"),
        ),
        (r"\b(hf_)[A-Za-z0-9]{16,}", format!("${{1}}{MASK}")),
        (r"\b(hfd_)[A-Za-z0-9_-]{16,}", format!("${{1}}{MASK}")),
        (
            r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{16,}",
            format!("${{1}}{MASK}"),
        ),
    ]
    .into_iter()
    .filter_map(|(pattern, instead)| Some((Regex::new(pattern).ok()?, instead)))
    .collect()
});

/// `text` without what could be a secret.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for (rule, instead) in RULES.iter() {
        if let Cow::Owned(changed) = rule.replace_all(&clean, instead.as_str()) {
            clean = Cow::Owned(changed);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_a_pattern() {
        assert_eq!(RULES.len(), 6);
    }

    #[test]
    fn signatures_logins_tokens_and_keys_are_taken_out() {
        let token = format!("hf_{}", "aB3".repeat(11));
        let key = format!("hfd_{}", "x-_9".repeat(10));
        for (text, clean) in [
            (
                "GET https://cdn.example/repo/blob?X-Amz-Signature=abc&Expires=1 failed".to_owned(),
                "GET https://cdn.example/repo/blob?… failed",
            ),
            (
                "(https://cdn.example/a?Signature=x~y&Key-Pair-Id=K)".to_owned(),
                "(https://cdn.example/a?…",
            ),
            (
                "proxy http://bob:hunter2@proxy:3128/ refused".to_owned(),
                "proxy http://********@proxy:3128/ refused",
            ),
            (
                "path /blob?a=1&Signature=abc.def&b=2".to_owned(),
                "path /blob?a=1&Signature=********&b=2",
            ),
            (format!("token {token}!"), "token hf_********!"),
            (format!("key={key} used"), "key=hfd_******** used"),
            (
                format!("authorization: Bearer {}", "eyJ0.".repeat(5)),
                "authorization: Bearer ********",
            ),
            (
                "Authorization: Basic Ym9iOmh1bnRlcjI6MTIzNDU2".to_owned(),
                "Authorization: Basic ********",
            ),
        ] {
            assert_eq!(scrub(&text), clean);
            assert_eq!(scrub(clean), clean, "once is enough");
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for text in [
            "serving on http://127.0.0.1:8080/",
            "basic authentication failed",
            "hf_hub_cache=/srv/hub",
            "why? nobody knows",
            "sha256 aabbccddeeff00112233445566778899",
            "",
        ] {
            assert!(
                matches!(scrub(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
