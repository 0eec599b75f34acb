//! Answers of the Hub that are kept for a while, in memory.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Answers by what was asked, oldest first. What one token sees must not be told to another, so
/// that the key names the client that asked ([`crate::hub::HubClient::serial`]).
pub struct Kept<K, V> {
    most: usize,
    answers: Mutex<Vec<(K, Instant, V)>>,
}

impl<K: PartialEq, V: Clone> Kept<K, V> {
    /// Keeps at most `most` answers.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            answers: Mutex::default(),
        }
    }

    /// The answer to `key`, and how old it is.
    pub fn recall(&self, key: &K) -> Option<(Duration, V)> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, at, answer) = answers.iter().find(|(known, ..)| known == key)?;
        Some((at.elapsed(), answer.clone()))
    }

    /// Keeps an answer, in place of an older one to the same key; the oldest of all gives way.
    pub fn keep(&self, key: K, answer: V) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|(known, ..)| *known != key);
        answers.push((key, Instant::now(), answer));
        if answers.len() > self.most {
            answers.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_answers_are_kept_each_once() {
        let kept = Kept::new(2);
        for (key, answer) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            kept.keep(key, answer);
        }
        let told = |key| kept.recall(&key).map(|(_, answer)| answer);
        assert_eq!([told("a"), told("b"), told("c")], [Some(3), None, Some(4)]);
    }
}
