//! The body of `POST /api/download` and `POST /api/plan`: from JSON to a checked request.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::destination::{Place, no_such_route};
use super::error::{ApiError, ApiResult};
use super::wire::{
    FolderText, LabelText, PatternText, RepoOrNone, RevisionOrNone, RouteOrNone, SizeText, TimeOrNone,
    VerifyText,
};
use crate::clock::parse_rfc3339;
use crate::model::arrange::{self, Labels, PRIORITIES};
use crate::model::destination::RouteKey;
use crate::model::filter::Filter;
use crate::model::job::{JobRequest, Verify, split_embedded_filters};
use crate::model::repo::{RepoId, RepoType, Revision, shown};

/// The body as clients write it; [`Asked::parse`] reads it.
///
/// A field that is `null` counts as missing.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DownloadRequest {
    /// `owner/name`; filters may stand behind it: `owner/name:q4_k_m,q5_k_m`.
    #[schema(example = "TheBloke/Mistral-7B-GGUF")]
    pub repo: String,
    /// Branch, tag or commit; `main` by default.
    #[schema(inline, value_type = Option<RevisionOrNone>)]
    pub revision: Option<String>,
    /// Whether it is a dataset.
    pub dataset: Option<bool>,
    /// Patterns of files to have; none means all.
    #[schema(inline, value_type = Option<Vec<PatternText>>, max_items = 1000)]
    pub filters: Option<Vec<String>>,
    /// Patterns of files to leave out.
    #[schema(inline, value_type = Option<Vec<PatternText>>, max_items = 1000)]
    pub excludes: Option<Vec<String>>,
    /// Whether plain filters must match whole words.
    pub exact_match: Option<bool>,
    /// Echoed to clients; names the folder of the longest matching filter in flat destinations.
    pub append_filter_subdir: Option<bool>,
    /// Higher starts first; 0 is normal.
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    pub priority: Option<i64>,
    /// Not started before this time, RFC 3339.
    #[schema(inline, value_type = Option<TimeOrNone>)]
    pub not_before: Option<String>,
    /// One word for the kind of work; at most 64 characters.
    #[schema(inline, value_type = Option<LabelText>)]
    pub category: Option<String>,
    /// Any further words; at most 32.
    #[schema(inline, value_type = Option<Vec<LabelText>>, max_items = 32)]
    pub tags: Option<Vec<String>>,
    /// Bytes a second of this job at most, such as `5MiB`.
    #[schema(inline, value_type = Option<SizeText>)]
    pub max_speed: Option<String>,
    /// Connections of all its files together at most; no limit of its own by default.
    #[schema(minimum = 1, maximum = 64)]
    pub connections: Option<i64>,
    /// Whether it is paused from the start.
    pub start_paused: Option<bool>,
    /// What is compared before a file counts as done; by default as the settings say. `etag` means `size`.
    #[schema(inline, value_type = Option<VerifyText>)]
    pub verify: Option<String>,
    /// Only the plan is wanted.
    pub dry_run: Option<bool>,
    /// Folder of plain files, absolute; below a folder that the settings name.
    #[schema(inline, value_type = Option<FolderText>)]
    pub local_dir: Option<String>,
    /// Repo whose folder is used in place of the repo's own; in a local folder only.
    #[schema(inline, value_type = Option<RepoOrNone>)]
    pub local_repo: Option<String>,
    /// Key of a folder that the settings name; datasets ignore it.
    #[schema(inline, value_type = Option<RouteOrNone>)]
    pub route_key: Option<String>,
}

/// What a client asks for.
#[derive(Debug)]
pub struct Asked {
    /// The download.
    pub request: JobRequest,
    /// Only the plan is wanted.
    pub dry_run: bool,
    /// What to compare; `None` = as the settings say.
    pub verify: Option<Verify>,
    /// Where the files shall go.
    pub place: Place,
}

impl Asked {
    /// Checks a body. Unknown fields are ignored, `null` is a missing field.
    ///
    /// # Errors
    /// 400 with the text of the API document for the first field that is wrong.
    pub fn parse(body: &Map<String, Value>) -> ApiResult<Self> {
        let fields = Fields(body);
        let repo_text = fields.text("repo")?.unwrap_or_default();
        let revision = fields.text("revision")?;
        let dataset = fields.flag("dataset")?;
        let mut filters = fields.texts("filters")?;
        let excludes = fields.texts("excludes")?;
        let exact_match = fields.flag("exactMatch")?;
        let append_filter_subdir = fields.flag("appendFilterSubdir")?;
        let dry_run = fields.flag("dryRun")?;

        if repo_text.is_empty() {
            return Err(ApiError::bad_request("Missing required field: repo"));
        }
        let mut repo_id = repo_text;
        if filters.is_empty() {
            (repo_id, filters) = split_embedded_filters(repo_text);
        }
        let repo = repo_id
            .trim()
            .parse()
            .map_err(|why| wrong("Invalid repo format", why))?;
        let revision = match revision {
            None | Some("") => Revision::main(),
            Some(text) => text.parse().map_err(|why| wrong("Invalid revision", why))?,
        };
        let repo_type = if dataset {
            RepoType::Dataset
        } else {
            RepoType::Model
        };
        Filter::new(&filters, &excludes, exact_match, repo_type)
            .map_err(|why| wrong("Invalid filters", why))?;
        let verify = match fields.text("verify")? {
            None | Some("") => None,
            Some(text) => Some(Verify::parse(text).map_err(|why| wrong("Invalid verify", why))?),
        };
        let not_before_at = match fields.text("notBefore")? {
            None | Some("") => None,
            Some(text) => Some(parse_rfc3339(text).map_err(|why| wrong("Invalid notBefore", why))?),
        };
        let request = JobRequest {
            repo,
            repo_type,
            revision,
            filters,
            excludes,
            exact_match,
            append_filter_subdir,
            priority: fields.priority()?,
            not_before_at,
            labels: fields.labels()?,
            start_paused: fields.flag("startPaused")?,
        };
        Ok(Self {
            request,
            dry_run,
            verify,
            place: fields.place()?,
        })
    }
}

fn wrong(error: &str, why: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(error).details(why.to_string())
}

/// The fields of a body, each with the type it must have.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text without the blanks around it.
    fn text(&self, name: &str) -> ApiResult<Option<&'a str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim())),
            Some(other) => Err(mistyped(name, "a text", other)),
        }
    }

    fn flag(&self, name: &str) -> ApiResult<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(mistyped(name, "true or false", other)),
        }
    }

    /// Texts without the blanks around them; blank ones are dropped.
    fn texts(&self, name: &str) -> ApiResult<Vec<String>> {
        let list = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => return Err(mistyped(name, "a list of texts", other)),
        };
        let mut texts = Vec::with_capacity(list.len());
        for item in list {
            match item {
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) => texts.push(text.trim().to_owned()),
                other => return Err(mistyped(name, "a list of texts", other)),
            }
        }
        Ok(texts)
    }

    fn priority(&self) -> ApiResult<i64> {
        match self.get("priority") {
            None => Ok(0),
            Some(value) => match value.as_i64() {
                Some(number) if PRIORITIES.contains(&number) => Ok(number),
                _ => Err(wrong(
                    "Invalid priority",
                    format!(
                        "priority must be a whole number from {} to {}, not {}",
                        PRIORITIES.start(),
                        PRIORITIES.end(),
                        shown(&value.to_string())
                    ),
                )),
            },
        }
    }

    fn labels(&self) -> ApiResult<Labels> {
        let tags = self.texts("tags")?;
        Ok(Labels {
            category: arrange::label(self.text("category")?.unwrap_or_default())
                .map_err(|why| wrong("Invalid category", why))?,
            tags: arrange::tags(tags.iter().map(String::as_str)).map_err(|why| wrong("Invalid tags", why))?,
            max_speed: arrange::speed(self.text("maxSpeed")?.unwrap_or_default())
                .map_err(|why| wrong("Invalid maxSpeed", why))?,
            connections: self.get("connections").map(connections_of).transpose()?,
        })
    }

    fn place(&self) -> ApiResult<Place> {
        let given = |name| Ok::<_, ApiError>(self.text(name)?.filter(|text| !text.is_empty()));
        let route_key = given("routeKey")?
            .map(|text| text.parse::<RouteKey>())
            .transpose()
            .map_err(|_| no_such_route())?;
        let local_repo = given("localRepo")?
            .map(|text| text.parse::<RepoId>())
            .transpose()
            .map_err(|why| wrong("Invalid localRepo", why))?;
        Ok(Place {
            local_dir: given("localDir")?.map(str::to_owned),
            local_repo,
            route_key,
        })
    }
}

/// A number of connections that a job may be limited to.
///
/// # Errors
/// 400 when it is none.
pub fn connections_of(value: &Value) -> ApiResult<i64> {
    let given = || match value {
        Value::String(text) => format!("the text {text}"),
        other => other.to_string(),
    };
    let number = value.as_i64().ok_or_else(|| arrange::no_connections(&given()));
    number
        .and_then(arrange::connections)
        .map_err(|why| wrong("Invalid connections", why))
}

fn mistyped(name: &str, wanted: &str, value: &Value) -> ApiError {
    let given = match value {
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
        Value::Null => "null",
    };
    let given = if wanted == "a list of texts" && given == "a list" {
        "another list"
    } else {
        given
    };
    wrong(
        "Invalid request body",
        format!("{name} must be {wanted}, not {given}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: Value) -> Result<Asked, (u16, String, String)> {
        let Value::Object(body) = body else {
            unreachable!("tests give objects")
        };
        Asked::parse(&body).map_err(|error| {
            let body = serde_json::to_value(error.body()).unwrap_or_default();
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            (error.status().as_u16(), text("error"), text("details"))
        })
    }

    #[test]
    fn filters_behind_the_repo_count_only_without_filters() {
        let asked = parse(json!({"repo": " o/n:q4_k_m, q5_k_m ,"})).unwrap();
        assert_eq!(asked.request.repo.as_str(), "o/n");
        assert_eq!(asked.request.filters, ["q4_k_m", "q5_k_m"]);
        let (status, error, details) = parse(json!({"repo": "o/n:q4", "filters": ["q5"]})).unwrap_err();
        assert_eq!(
            (status, error.as_str(), details.as_str()),
            (400, "Invalid repo format", "Expected owner/name")
        );
    }

    #[test]
    fn missing_fields_have_their_defaults_and_unknown_ones_are_ignored() {
        let asked =
            parse(json!({"repo": "o/n", "revision": null, "filters": [" ", ""], "modelsDir": 7})).unwrap();
        assert_eq!(asked.request.revision.as_str(), "main");
        assert_eq!(asked.request.repo_type, RepoType::Model);
        assert!(asked.request.filters.is_empty() && asked.request.excludes.is_empty());
        assert!(!asked.dry_run && asked.verify.is_none());
    }

    #[test]
    fn every_wrong_field_is_named() {
        let long = "x".repeat(300);
        for (field, value, status, error, details) in [
            (
                "repo",
                json!(7),
                400,
                "Invalid request body",
                "repo must be a text, not a number",
            ),
            ("repo", json!("  "), 400, "Missing required field: repo", ""),
            (
                "repo",
                json!("gpt2"),
                400,
                "Invalid repo format",
                "Expected owner/name",
            ),
            (
                "repo",
                json!("a/b/c"),
                400,
                "Invalid repo format",
                "Expected owner/name",
            ),
            (
                "revision",
                json!("../x"),
                400,
                "Invalid revision",
                "\"../x\" is not a branch, tag or commit",
            ),
            (
                "dataset",
                json!("yes"),
                400,
                "Invalid request body",
                "dataset must be true or false, not a text",
            ),
            (
                "filters",
                json!("q4"),
                400,
                "Invalid request body",
                "filters must be a list of texts, not a text",
            ),
            (
                "excludes",
                json!([1]),
                400,
                "Invalid request body",
                "excludes must be a list of texts, not a number",
            ),
            (
                "filters",
                json!([long]),
                400,
                "Invalid filters",
                "longer than 256 characters",
            ),
            ("priority", json!(1.5), 400, "Invalid priority", "1.5"),
            ("priority", json!(1_000_001), 400, "Invalid priority", "1000001"),
            (
                "connections",
                json!(0),
                400,
                "Invalid connections",
                "from 1 to 64, not 0",
            ),
            (
                "connections",
                json!("8"),
                400,
                "Invalid connections",
                "not the text 8",
            ),
            (
                "notBefore",
                json!("tomorrow"),
                400,
                "Invalid notBefore",
                "tomorrow",
            ),
            ("verify", json!("md5"), 400, "Invalid verify", "md5"),
            (
                "routeKey",
                json!("llm/onnx"),
                400,
                "Invalid routeKey",
                "routeKey must be one of the configured route keys",
            ),
            ("localRepo", json!("m"), 400, "Invalid localRepo", "owner/name"),
            (
                "localDir",
                json!(["/x"]),
                400,
                "Invalid request body",
                "localDir must be a text",
            ),
        ] {
            let mut body = json!({"repo": "o/n"});
            body[field] = value.clone();
            let found = parse(body).unwrap_err();
            assert_eq!((found.0, found.1.as_str()), (status, error), "{field} {value}");
            assert!(found.2.contains(details), "{field} {value}: {}", found.2);
        }
    }
}
