//! Errors as problem details (RFC 9457), for clients that ask for them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::access;
use super::error::{ApiError, word_of};
use crate::model::code::Code;

/// The media type of RFC 9457.
const PROBLEM: &str = "application/problem+json";

/// An error as RFC 9457 has it. `code`, `hint`, `errors` and `request_id` are ours.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:hfdepot:problem:` and the code; `about:blank` when the status says it all.
    #[serde(rename = "type")]
    kind: String,
    /// A short sentence.
    title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What helps to find the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// Path of the request.
    instance: String,
    /// The cause as a word that programs can test, else the status in a word.
    code: &'static str,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<String>,
    /// What is wrong with the request, for 400 and 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// Id of the request, as in the log and the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemFault)]
struct Fault {
    /// Names the field and says what it must be.
    detail: String,
}

impl Problem {
    /// `error`, on the way to who asked for `path`.
    pub(super) fn new(error: &ApiError, path: &str) -> Self {
        let detail = error.details_text().map(str::to_owned);
        let of_request = matches!(error.status().as_u16(), 400 | 422);
        Self {
            kind: match error.code() {
                Some(code) => format!("urn:hfdepot:problem:{code}"),
                None => "about:blank".to_owned(),
            },
            title: error.message_text().to_owned(),
            status: error.status().as_u16(),
            errors: detail
                .iter()
                .filter(|_| of_request)
                .map(|detail| Fault {
                    detail: detail.clone(),
                })
                .collect(),
            detail,
            instance: path.to_owned(),
            code: error.code().map_or_else(|| word_of(error.status()), Code::as_str),
            hint: error.hint_text().map(str::to_owned),
            request_id: access::request_id(),
        }
    }
}

/// The answer that carries `problem`.
pub(super) fn answer(status: StatusCode, problem: Problem) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM))];
    match serde_json::to_vec(&problem) {
        Ok(text) => (status, kind, text).into_response(),
        Err(_) => status.into_response(),
    }
}

/// Whether `Accept` has a higher quality for problem details than for plain JSON (RFC 9110 §12.5.1).
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    quality(&accept, PROBLEM) > quality(&accept, "application/json")
}

/// Quality of `kind` in thousandths: that of the range that names it most exactly, 0 without one.
fn quality(accept: &[&str], kind: &str) -> u16 {
    let class = kind.split('/').next().unwrap_or_default();
    let mut best = (0, 0);
    for range in accept {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let exact = if name.eq_ignore_ascii_case(kind) {
            3
        } else if name
            .strip_suffix("/*")
            .is_some_and(|of| of.eq_ignore_ascii_case(class))
        {
            2
        } else if name == "*/*" {
            1
        } else {
            continue;
        };
        let weight = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1.0), |(_, weight)| weight.trim().parse::<f32>().ok());
        // What cannot be read does not count.
        let Some(weight) = weight.filter(|weight| (0.0..=1.0).contains(weight)) else {
            continue;
        };
        best = best.max((exact, (weight * 1000.0) as u16));
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_details_come_only_to_who_likes_them_better() {
        for (accept, wanted) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("application/*", false),
            ("application/problem+json", true),
            ("Application/Problem+JSON; q=0.5", true),
            ("application/problem+json, application/json", false),
            ("application/json;q=0.9, application/problem+json", true),
            ("application/json, application/problem+json;q=0.9", false),
            ("application/problem+json, */*;q=0.1", true),
            ("application/problem+json;q=0, */*", false),
            ("application/problem+json;q=x", false),
            ("text/html", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]);
            assert_eq!(is_wanted(&headers), wanted, "{accept}");
        }
    }
}
