//! What fields of requests may hold, as the document of the API has it.
//!
//! A type here only describes: handlers read texts and numbers and check them with the rules of
//! `model`. It says exactly what those take, so that a request which the document allows is never
//! refused as malformed, and one that it does not allow always is.

use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder,
    Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::model::code::Code;
use crate::model::destination::RouteKey;
use crate::model::filter::{MAX_PATH_PATTERN_CHARS, MAX_PATTERN_CHARS};
use crate::model::repo::Revision;
use crate::model::state::{JobKind, JobStatus};

/// Two names of `[A-Za-z0-9._-]` that neither begin nor end with a dot or dash, with a slash between.
pub const REPO_ID: &str = "^[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*/[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*$";
/// A size such as `32MiB`, with or without `/s`; may be empty.
pub const SIZE: &str = "^([0-9]{1,15} ?[bB]?(/s)?|[0-9]{1,6}([.][0-9]{1,6})? ?[kKmMgGtT]([iI]?[bB])?(/s)?)?$";
/// No control characters.
pub const PLAIN: &str = "^[^\\x00-\\x1f\\x7f-\\x9f]*$";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn words(list: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    text().enum_values(Some(list)).into()
}

/// Words with commas between them.
fn list_of(words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    let word = words.into_iter().collect::<Vec<_>>().join("|");
    text().pattern(Some(format!("^({word})(,({word}))*$"))).into()
}

fn or_empty(schema: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    AnyOfBuilder::new()
        .item(schema)
        .item(text().max_length(Some(0)))
        .into()
}

/// A URL without login, query and fragment, of a host that can be a server; or nothing.
fn url_of(schemes: &str) -> String {
    const LABEL: &str = "[a-z0-9]+(-[a-z0-9]+)*";
    const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    // Neither 0.0.0.0, link-local nor multicast.
    const FIRST: &str = "(22[0-3]|2[01][0-9]|1[7-9][0-9]|16[0-8]|1[0-5][0-9]|[1-9][0-9]|[1-9])";
    let name = format!("({LABEL}[.])*[a-z]([a-z0-9]|-[a-z0-9])*");
    let address = format!("{FIRST}([.]{BYTE}){{3}}");
    format!("^({schemes}://({name}|{address}|\\[::1\\])(:[1-9][0-9]{{0,3}})?(/[A-Za-z0-9_~-]+)*/?)?$")
}

fn moment() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

macro_rules! described {
    ($($(#[$meta:meta])* $name:ident => $schema:expr;)+) => {$(
        $(#[$meta])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }
        impl ToSchema for $name {}
    )+};
}

described! {
    /// A kind of job, or all of them.
    KindOrAll => words(JobKind::ALL.iter().map(|kind| kind.as_str()).chain(["all"]));
    /// Statuses of jobs.
    Statuses => list_of(JobStatus::ALL.iter().map(|status| status.as_str()));
    /// Statuses in which jobs end.
    Ends => list_of(JobStatus::ALL.iter().filter(|status| status.is_terminal()).map(|status| status.as_str()));
    /// Reasons of failures.
    Codes => list_of(Code::ALL.iter().map(|code| code.as_str()));
    /// Levels of events.
    Levels => list_of(super::events::Level::ALL.iter().map(|level| level.as_str()));
    /// RFC 3339, or a day.
    TimeOrDay => AnyOfBuilder::new()
        .item(moment())
        .item(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))))
        .into();
    /// RFC 3339; may be empty.
    TimeOrNone => or_empty(moment());
    /// A branch, tag or commit; may be empty.
    RevisionOrNone => or_empty(Revision::schema());
    /// `owner/name`; may be empty.
    RepoOrNone => or_empty(RepoText::schema());
    /// A sort of model; may be empty.
    RouteOrNone => words(RouteKey::ALL.iter().map(|key| key.as_str()).chain([""]));
    /// A moment until which everything is paused.
    Until => AnyOfBuilder::new()
        .item(moment())
        .item(text().enum_values(Some(["forever", ""])))
        .into();
    /// Number of a row.
    RowCursor => text().pattern(Some("^[0-9]{1,18}$")).into();
    /// A hash of the history.
    Head => text().pattern(Some("^[0-9a-fA-F]{64}$")).into();
    /// `owner/name`.
    RepoText => text().pattern(Some(REPO_ID)).max_length(Some(96)).into();
    /// `owner/name`, or the bare name of a repo of old.
    CachedText => text().pattern(Some("^[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*(/[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*)?$")).max_length(Some(94)).into();
    /// The same; may be empty.
    CachedOrNone => or_empty(CachedText::schema());
    /// A size, with or without `/s`; may be empty.
    SizeText => text().pattern(Some(SIZE)).into();
    /// A category or tag.
    LabelText => text().max_length(Some(64)).pattern(Some(PLAIN)).into();
    /// A text of a setting.
    SettingText => text().max_length(Some(4096)).pattern(Some(PLAIN)).into();
    /// Visible ASCII.
    TokenText => text().max_length(Some(4096)).pattern(Some("^[!-~]*$")).into();
    /// A size.
    SomeSize => text().pattern(Some(SIZE)).min_length(Some(1)).into();
    /// Base URL of a Hub; may be empty.
    EndpointText => text().pattern(Some(url_of("https?"))).max_length(Some(1024)).into();
    /// URL of a proxy; may be empty.
    ProxyText => text().pattern(Some(url_of("(https?|socks5h?)"))).max_length(Some(1024)).into();
    /// 1 s to 1 h, or 0.
    StallText => text()
        .pattern(Some("^(0|([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)s?|[1-9][0-9]{3,5}ms|([1-9]|[1-5][0-9])m|1h)$"))
        .into();
    /// 10 ms to 10 s: with the longest wait at 10 s or more it always fits.
    FirstWaitText => text().pattern(Some("^([1-9][0-9]{1,3}ms|([1-9]|10)s)$")).into();
    /// 10 s to 10 min.
    LongestWaitText => text().pattern(Some("^([1-9][0-9]|[1-5][0-9]{2}|600)s$|^([1-9]|10)m$")).into();
    /// A folder.
    DirectoryText => text().max_length(Some(1024)).pattern(Some("^[^\\x00]*$")).into();
    /// Folders for sorts of models.
    RoutesObject => RouteKey::ALL
        .iter()
        .fold(ObjectBuilder::new(), |object, key| object.property(key.as_str(), DirectoryText::schema()))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .into();
    /// A pattern of files, or `=` and one whole path.
    PatternText => AnyOfBuilder::new()
        .item(text().max_length(Some(MAX_PATTERN_CHARS)))
        .item(text().pattern(Some("^=")).max_length(Some(MAX_PATH_PATTERN_CHARS)))
        .into();
    /// A text in its turn, without control characters.
    LineText => text().max_length(Some(1024)).pattern(Some(PLAIN)).into();
    /// Name of a mirror target.
    TargetName => text()
        .description(Some("Letters, digits, dashes and underscores"))
        .pattern(Some("^[A-Za-z0-9_-]{1,64}$"))
        .into();
    /// What is compared; empty = as the settings say.
    VerifyText => words(["", "none", "size", "etag", "sha256"]);
    /// What is compared.
    VerifyWord => words(["none", "size", "etag", "sha256"]);
    /// A folder, and not nothing.
    SomeDirectory => text().max_length(Some(1024)).pattern(Some("^[^\\x00\\s]+$")).into();
    /// The one kind of repo that has choices.
    ModelWord => words(["model"]);
    /// The one place where choices are deleted.
    LocationWord => words(["hf-cache"]);
    /// One line of a week.
    DayText => text().pattern(Some("^[nsp]{24}$")).into();
    /// An IANA time zone.
    ZoneText => words(chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    /// An absolute folder; may be empty.
    FolderText => text().pattern(Some("^(/[^\\x00-\\x1f\\x7f-\\x9f]*)?$")).max_length(Some(1024)).into();
    /// What a handshake of a WebSocket says.
    UpgradeWord => words(["Upgrade"]);
    /// What it wants.
    WebSocketWord => words(["websocket"]);
    /// In which version.
    WebSocketVersion => words(["13"]);
    /// 16 bytes in base64.
    WebSocketKey => text().pattern(Some("^[A-Za-z0-9+/]{22}==$")).into();
    /// A word, or yes and no.
    VerifyWish => AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .item(words(["none", "size", "etag", "sha256"]))
        .into();
    /// Anything at all.
    Anything => ObjectBuilder::new().schema_type(SchemaType::AnyValue).into();
}

macro_rules! narrowed {
    ($($(#[$meta:meta])* $name:ident = $of:ty, $rule:expr;)+) => {$(
        $(#[$meta])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                AllOfBuilder::new().item(Ref::from_schema_name(<$of>::name())).item($rule).into()
            }
        }
        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((<$of>::name().into(), <$of>::schema()));
                <$of>::schemas(schemas);
            }
        }
    )+};
}

narrowed! {
    /// A download whose filters stand in one place.
    DownloadBody = super::request::DownloadRequest, repo_with_filters();
    /// Either `ids` or `filter`.
    BulkBody = super::bulk::BulkRequest, one_of_fields(&["ids", "filter"]);
    /// Either `path` or `glob`.
    FileWishBody = super::file_choice::FileWish, one_of_fields(&["path", "glob"]);
    /// Either `to` or `before`.
    OrderBody = super::bulk::OrderRequest, one_of_fields(&["to", "before"]);
}

/// `owner/name` with or without filters behind a colon; filters stand in one place only.
fn repo_with_filters() -> RefOr<Schema> {
    let no_filters = AnyOfBuilder::new()
        .item(ArrayBuilder::new().items(Anything::schema()).max_items(Some(0)))
        .item(ObjectBuilder::new().schema_type(Type::Null));
    let embedded = format!(
        "{}:[^,]{{0,200}}(,[^,]{{0,200}}){{0,20}}$",
        REPO_ID.trim_end_matches('$')
    );
    // One pattern cannot say both how an id is made and how long it may be.
    let with_filters = AllOfBuilder::new()
        .item(text().pattern(Some(embedded)))
        .item(text().pattern(Some("^[^:]{3,96}:")));
    AnyOfBuilder::new()
        .item(ObjectBuilder::new().property("repo", RepoText::schema()))
        .item(
            ObjectBuilder::new()
                .property("repo", with_filters)
                .property("filters", no_filters),
        )
        .into()
}

/// Exactly one of the fields is there, and it is not null.
fn one_of_fields(fields: &[&str]) -> RefOr<Schema> {
    let mut either = OneOfBuilder::new();
    for field in fields {
        let others = fields.iter().filter(|other| *other != field);
        let nothing = || ObjectBuilder::new().schema_type(Type::Null);
        let given = AnyOfBuilder::new()
            .item(text())
            .item(ObjectBuilder::new().schema_type(Type::Array))
            .item(ObjectBuilder::new().schema_type(Type::Object));
        let only = ObjectBuilder::new().property(*field, given).required(*field);
        either = either.item(others.fold(only, |only, other| only.property(*other, nothing())));
    }
    either.into()
}
