//! `Link` headers and `Location`s: whatever a Hub names as the next place, the way stays where it
//! may go.
#![no_main]

use hfdepot::hub::fuzzing;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|value: &str| {
    let endpoint: Url = "https://hub.example:8443/mirror/".parse().expect("a URL");
    let from: Url = "https://hub.example:8443/mirror/api/models/o/n/tree/main?recursive=true"
        .parse()
        .expect("a URL");
    if let Some(link) = fuzzing::next_link(value) {
        assert!(value.contains(link));
        if let Some(next) = fuzzing::next_page(&endpoint, &from, link) {
            assert_eq!(next.origin(), endpoint.origin(), "{next}");
            // A user name in a URL becomes a header, and would take the place of the token.
            assert!(next.username().is_empty() && next.password().is_none(), "{next}");
        }
    }
    if let Some(url) = fuzzing::redirected(&from, value) {
        assert_eq!(url.scheme(), "https", "{url}");
        assert!(url.host_str().is_some() && url.username().is_empty() && url.password().is_none());
    }
});
