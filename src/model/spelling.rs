//! Near misses: what somebody may have meant who searched in vain.

use std::collections::HashSet;

use strsim::normalized_damerau_levenshtein;

/// From this likeness on (0–1) a name is taken for a misspelling: two wrong letters in a word of
/// eight still count, three do not.
const LIKE: f64 = 0.72;
/// Words of fewer letters must be right: `3b` is like `7b` and means something else.
const SHORT: usize = 3;
/// Part of a single word that is searched for: whatever is wrong lies in the other part.
const PART: (usize, usize) = (3, 5);
/// Fewest letters that are searched for.
const LETTERS: usize = 3;

/// A search that finds more than the one that found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shorter {
    /// Only what this owner has.
    pub author: Option<String>,
    /// Part of the id.
    pub text: Option<String>,
}

/// At most two searches that may find what was meant by `asked`.
pub fn shorter(asked: &str) -> Vec<Shorter> {
    let by_text = |text: &str| Shorter {
        author: None,
        text: Some(text.to_owned()),
    };
    if let Some((owner, name)) = split(asked) {
        let by_owner = Shorter {
            author: Some(owner.to_owned()),
            text: None,
        };
        return vec![by_owner, by_text(name)];
    }
    let mut words = words(asked);
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.retain(|word| word.chars().count() >= LETTERS);
    match words.as_slice() {
        [] => Vec::new(),
        [word] => {
            let letters: Vec<char> = word.chars().collect();
            let length = (letters.len() * PART.0).div_ceil(PART.1).max(LETTERS);
            let text = |letters: &[char]| letters.iter().collect::<String>();
            let mut parts = vec![text(&letters[..length]), text(&letters[letters.len() - length..])];
            parts.retain(|part| part != word);
            parts.dedup();
            parts.iter().map(|part| by_text(part)).collect()
        }
        // One of them may be right.
        [first, second, ..] => vec![by_text(first), by_text(second)],
    }
}

/// The ids that are most like `asked`, at most `most`; of equally good ones those that come first.
/// What is searched for itself is none of them.
pub fn nearest<T>(
    asked: &str,
    candidates: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> &str,
    most: usize,
) -> Vec<T> {
    let mut seen = HashSet::new();
    let mut found: Vec<(f64, T)> = candidates
        .into_iter()
        .filter(|one| seen.insert(id(one).to_lowercase()))
        .filter(|one| !id(one).eq_ignore_ascii_case(asked.trim()))
        .map(|one| (likeness(asked, id(&one)), one))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .collect();
    // Stable, so that the order of the candidates decides between equals.
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    found.truncate(most);
    found.into_iter().map(|(_, one)| one).collect()
}

/// How like an id is to what was searched for, 0–1.
fn likeness(asked: &str, id: &str) -> f64 {
    let (asked, id) = (asked.trim().to_lowercase(), id.to_lowercase());
    let whole = match split(&asked) {
        Some(_) => normalized_damerau_levenshtein(&asked, &id),
        None => 0.0,
    };
    let parts = words(&id);
    let asked = words(&asked);
    let letters: usize = asked.iter().map(|word| word.chars().count()).sum();
    if letters == 0 {
        return whole;
    }
    let weighted = asked.iter().map(|word| {
        let length = word.chars().count();
        let like = |part: &String| match part.starts_with(word.as_str()) {
            true => 1.0,
            false if length < SHORT => 0.0,
            false => normalized_damerau_levenshtein(word, part),
        };
        length as f64 * parts.iter().map(like).fold(0.0, f64::max)
    });
    (weighted.sum::<f64>() / letters as f64).max(whole)
}

/// Owner and name of what looks like an id.
fn split(text: &str) -> Option<(&str, &str)> {
    let (owner, name) = text.trim().split_once('/')?;
    (!owner.is_empty() && !name.is_empty() && !name.contains('/')).then_some((owner, name))
}

/// Runs of letters and digits.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 7] = [
        "mistralai/Mistral-7B-Instruct-v0.2",
        "TheBloke/Mistral-7B-Instruct-v0.2-GGUF",
        "Qwen/Qwen3-32B-GGUF",
        "Qwen/Qwen3-32B",
        "meta-llama/Llama-3.1-8B",
        "openai/whisper-large-v3",
        "allenai/c4",
    ];

    fn first(asked: &str) -> Option<&str> {
        nearest(asked, IDS, |id| id, 1).first().copied()
    }

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        for (asked, expected) in [
            ("mistrall", Some("mistralai/Mistral-7B-Instruct-v0.2")),
            ("mitsral gguf", Some("TheBloke/Mistral-7B-Instruct-v0.2-GGUF")),
            ("qwne3 ggfu", Some("Qwen/Qwen3-32B-GGUF")),
            ("Qwen/Qwn3-32B", Some("Qwen/Qwen3-32B")),
            ("opnai/wisper-large-v3", Some("openai/whisper-large-v3")),
            ("lama-3.1", Some("meta-llama/Llama-3.1-8B")),
            ("wisper", Some("openai/whisper-large-v3")),
            ("nothing-like-that", None),
            ("", None),
            ("///", None),
        ] {
            assert_eq!(first(asked), expected, "{asked}");
        }
        // What was asked itself is no answer, and a number is not like another.
        assert_eq!(first("allenai/c4"), None);
        assert_eq!(first("c5"), None);
    }

    #[test]
    fn what_is_searched_for_instead_has_the_right_part_in_it() {
        let texts = |asked: &str| -> Vec<String> {
            let list = shorter(asked);
            let text = |one: Shorter| one.text.or(one.author).unwrap_or_default();
            list.into_iter().map(text).collect()
        };
        assert_eq!(texts("mistrall"), ["mistr", "trall"]);
        assert_eq!(texts("qwen3 ggfu 7b"), ["qwen3", "ggfu"]);
        assert_eq!(texts("Qwen/Qwn3"), ["Qwen", "Qwn3"]);
        assert_eq!(texts("äöüß"), ["äöü", "öüß"]);
        for nothing in ["", "ab", "?!", "abc"] {
            assert!(texts(nothing).is_empty(), "{nothing}");
        }
    }
}
