//! The body of `POST /api/settings`: refused whole, or valid settings that are saved and read back.
#![no_main]

use std::sync::Arc;

use hfdepot::config::{Fixed, Settings};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const SECRET: &str = "hf_neverToBeShownAnywhere";

fn load(rows: Vec<(String, String)>) -> (Settings, usize) {
    let rows = rows
        .into_iter()
        .chain([("cacheDir".to_owned(), "\"/srv/hub\"".to_owned())]);
    let (settings, unusable) = Settings::load(Arc::new(Fixed::default()), rows).expect("settings");
    (settings, unusable.len())
}

fuzz_target!(|data: &[u8]| {
    let Ok(patch) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let (before, _) = load(vec![("token".to_owned(), json!(SECRET).to_string())]);
    let after = match before.apply(&patch) {
        Ok(after) => after,
        Err(error) => {
            assert!(!error.message.contains(SECRET));
            return;
        }
    };
    let shown = after.to_json();
    assert!(!shown.to_string().contains(SECRET));
    assert!(!format!("{after:?}").contains(SECRET));
    let rows = after
        .stored()
        .map(|(name, text)| (name.to_owned(), text))
        .collect();
    let (again, unusable) = load(rows);
    assert_eq!(unusable, 0, "saved, and then refused at the next start");
    assert_eq!(again.to_json(), shown);
    // A client that sends everything back changes nothing.
    let same = after.apply(&shown).expect("what was shown is accepted");
    assert_eq!(same.to_json(), shown);
});
