//! READMEs: whatever Markdown and HTML they hold, the page can do nothing.
#![no_main]

use hfdepot::http::markdown::{Place, render, without_front_matter};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|text: &str| {
    let url = |text: &str| -> Url { text.parse().expect("a URL") };
    let page = render(
        without_front_matter(text),
        &Place {
            page: url("https://hub.example/o/n"),
            files: url("https://hub.example/o/n/blob/main/"),
            bytes: url("https://hub.example/o/n/resolve/main/"),
            is_asset: &|url| url.host_str() == Some("hub.example"),
        },
    );
    // Text may say anything; a `<` in it is escaped, so every one left begins a tag.
    for tag in page.to_lowercase().split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or(tag);
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric())
            .collect();
        let acts = [
            "script", "iframe", "style", "object", "embed", "form", "input", "base", "meta", "svg",
        ];
        assert!(!acts.contains(&name.as_str()), "<{tag}> in {page}");
        // A quote within a value is escaped too, so every other piece is a value.
        let pieces: Vec<&str> = tag.split('"').collect();
        for (piece, value) in pieces.iter().step_by(2).zip(pieces.iter().skip(1).step_by(2)) {
            for bad in [" src=", " onerror=", " onclick=", " onload=", " style="] {
                assert!(!piece.contains(bad), "<{tag}> in {page}");
            }
            for bad in ["javascript:", "data:"] {
                assert!(
                    !(piece.ends_with(" href=") && value.starts_with(bad)),
                    "<{tag}> in {page}"
                );
            }
        }
    }
});
