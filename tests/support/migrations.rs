//! The migrations as they lie in the repository.

/// Name without `.sql` and text of every migration, in order.
pub fn named() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let entries = std::fs::read_dir(folder).expect("the migrations");
    let mut found: Vec<(u32, String, String)> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name")
                .to_owned();
            let number = name[1..]
                .split("__")
                .next()
                .and_then(|number| number.parse().ok());
            let text = std::fs::read_to_string(&path).expect("SQL");
            (number.expect("V<n>__<name>"), name, text)
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, name, text)| (name, text)).collect()
}

/// The texts alone.
pub fn migrations() -> Vec<String> {
    named().into_iter().map(|(_, text)| text).collect()
}
