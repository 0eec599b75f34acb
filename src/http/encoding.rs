//! Which of the compressed forms of a file a client takes (RFC 9110, section 12.5.3).

use axum::http::{HeaderMap, header};

/// A form that the web build has beside a file, best first.
pub const CODINGS: [Coding; 2] = [
    Coding {
        name: "br",
        suffix: ".br",
    },
    Coding {
        name: "gzip",
        suffix: ".gz",
    },
];

/// A content coding, and what the name of the compressed file ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding {
    /// As in `Content-Encoding`.
    pub name: &'static str,
    /// As the web build names the file.
    pub suffix: &'static str,
}

/// Whether `name` is a compressed form, which is never asked for by its own name.
pub fn is_compressed(name: &str) -> bool {
    CODINGS.iter().any(|coding| name.ends_with(coding.suffix))
}

/// The codings that the client takes, best first. Their own order among equals is ours: the
/// smaller file wins over a preference that no browser states.
pub fn accepted(headers: &HeaderMap) -> impl Iterator<Item = Coding> {
    let asked: Vec<(String, bool)> = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| {
            let mut words = part.split(';').map(str::trim);
            let name = words.next().unwrap_or_default().to_ascii_lowercase();
            let refused = words
                .filter_map(|word| word.strip_prefix("q=").or_else(|| word.strip_prefix("Q=")))
                .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
            (name, !refused)
        })
        .collect();
    CODINGS.into_iter().filter(move |coding| {
        let named = |wanted: &str| asked.iter().find(|(name, _)| name == wanted);
        named(coding.name)
            .or_else(|| named("*"))
            .is_some_and(|(_, taken)| *taken)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_best_form_that_it_takes() {
        for (asked, wanted) in [
            ("gzip, deflate, br, zstd", "br gzip"),
            ("gzip;q=1.0, br;q=0", "gzip"),
            ("BR;Q=0.5", "br"),
            ("*", "br gzip"),
            ("*;q=0, gzip", "gzip"),
            ("identity", ""),
            ("", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, asked.parse().unwrap());
            let found: Vec<_> = accepted(&headers).map(|coding| coding.name).collect();
            assert_eq!(found.join(" "), wanted, "{asked}");
        }
        assert_eq!(accepted(&HeaderMap::new()).count(), 0);
    }
}
