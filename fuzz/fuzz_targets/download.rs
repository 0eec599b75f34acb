//! The body of `POST /api/download`: a request that can be stored, or an error of the client.
#![no_main]

use hfdepot::http::request::Asked;
use hfdepot::model::filter::Filter;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(Value::Object(body)) = serde_json::from_slice(data) else {
        return;
    };
    match Asked::parse(&body) {
        Ok(asked) => {
            let request = asked.request;
            assert_eq!(request.duplicate_key("/hub"), request.duplicate_key("/hub"));
            Filter::new(
                &request.filters,
                &request.excludes,
                request.exact_match,
                request.repo_type,
            )
            .expect("checked filters compile");
        }
        Err(error) => assert!(error.status().is_client_error()),
    }
});
