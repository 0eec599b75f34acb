//! The configuration file: TOML, with the names of the flags as keys.
//!
//! A key that nothing reads is an error that names it, because a setting that silently does
//! nothing costs its writer an evening.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::check::check;
use super::key::Key;
use super::layers::{Given, Layer};

/// The keys of the file that are fixed while the service runs.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct FixedKeys {
    pub(super) addr: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) auth_user: Option<String>,
    pub(super) auth_pass: Option<String>,
    pub(super) auth_pass_file: Option<PathBuf>,
    pub(super) no_auth: Option<bool>,
    pub(super) allow_origin: Option<Vec<String>>,
    pub(super) allow_host: Option<Vec<String>>,
    pub(super) base_path: Option<String>,
    pub(super) data_dir: Option<String>,
    pub(super) mirror_root: Option<Vec<String>>,
    pub(super) export_dir: Option<Vec<String>>,
    pub(super) allow_path_settings: Option<bool>,
    pub(super) start_paused: Option<bool>,
    pub(super) open: Option<bool>,
    pub(super) stale_timeout: Option<String>,
    pub(super) token_file: Option<PathBuf>,
}

const FIXED_KEYS: &[&str] = &[
    "addr",
    "port",
    "auth-user",
    "auth-pass",
    "auth-pass-file",
    "no-auth",
    "allow-origin",
    "allow-host",
    "base-path",
    "data-dir",
    "mirror-root",
    "export-dir",
    "allow-path-settings",
    "start-paused",
    "open",
    "stale-timeout",
    "token-file",
];

/// What a configuration file says.
#[derive(Default)]
pub(super) struct ConfigFile {
    pub(super) fixed: FixedKeys,
    pub(super) live: Layer,
    /// Whether it holds a password or token.
    pub(super) has_secret: bool,
}

/// Reads the text of a configuration file; `path` is for the errors.
///
/// # Errors
/// A sentence with the path: no TOML, unknown keys (all of them), or a bad value.
pub(super) fn parse(text: &str, path: &Path) -> Result<ConfigFile, String> {
    let shown = path.display();
    // The parser's own text quotes the line it stumbles over, which may hold a password.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            1 + text
                .as_bytes()
                .iter()
                .take(span.start)
                .filter(|&&byte| byte == b'\n')
                .count()
        });
        format!(
            "The configuration file {shown} is no TOML in line {line}: {}",
            error.message()
        )
    })?;
    let mut file = ConfigFile::default();
    let mut fixed = toml::Table::new();
    let mut unknown = Vec::new();
    for (name, value) in flatten(table) {
        if let Some(&key) = Key::ALL.iter().find(|key| file_name(**key) == name) {
            let value = serde_json::to_value(value).unwrap_or(Value::Null);
            let value = check(key, &value).map_err(|error| {
                format!("The configuration file {shown} has a bad value: {name}: {error}")
            })?;
            file.has_secret |= key.is_secret();
            let from = shown.to_string();
            file.live.insert(key, Given { value, from });
        } else if FIXED_KEYS.contains(&name.as_str()) {
            file.has_secret |= name == "auth-pass";
            fixed.insert(name, value);
        } else {
            unknown.push(format!("\"{}\"", crate::model::repo::shown(&name)));
        }
    }
    if !unknown.is_empty() {
        return Err(format!(
            "The configuration file {shown} has unknown keys: {}",
            unknown.join(", ")
        ));
    }
    file.fixed = FixedKeys::deserialize(fixed).map_err(|error| {
        format!(
            "The configuration file {shown} has a bad value: {}",
            error.message()
        )
    })?;
    Ok(file)
}

/// The name of a live setting in the file: that of the flag, but the proxy is a table.
fn file_name(key: Key) -> String {
    match key {
        Key::ProxyUrl => "proxy.url".to_owned(),
        Key::ProxyUsername => "proxy.username".to_owned(),
        Key::ProxyPassword => "proxy.password".to_owned(),
        Key::ProxyNoProxy => "proxy.no-proxy".to_owned(),
        Key::ProxyNoEnvProxy => "proxy.no-env-proxy".to_owned(),
        _ => key.flag().to_owned(),
    }
}

/// Keys with `-` for `_`, and the keys of `[proxy]` behind a dot.
fn flatten(table: toml::Table) -> Vec<(String, toml::Value)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        let name = name.replace('_', "-");
        match value {
            toml::Value::Table(inner) if name == "proxy" => {
                flat.extend(
                    inner
                        .into_iter()
                        .map(|(inner, value)| (format!("proxy.{}", inner.replace('_', "-")), value)),
                );
            }
            value => flat.push((name, value)),
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, String> {
        parse(text, Path::new("/c.toml"))
    }

    #[test]
    fn a_file_has_the_names_of_the_flags() {
        let file = read(
            "port = 9000\nallow-host = [\"nas\"]\nmax-active = 5\nmultipart_threshold = \"1MiB\"\n\
             [proxy]\nurl = \"http://p:1\"\nno_env_proxy = true\n",
        )
        .unwrap();
        assert_eq!(file.fixed.port, Some(9000));
        assert_eq!(file.live[&Key::MaxActive].value, 5);
        assert_eq!(file.live[&Key::MultipartThreshold].value, "1MiB");
        assert_eq!(file.live[&Key::ProxyUrl].value, "http://p:1");
        assert_eq!(file.live[&Key::ProxyNoEnvProxy].value, true);
        assert!(!file.has_secret);
    }

    #[test]
    fn unknown_keys_are_all_named() {
        let error = read("max-actve = 5\nport = 1\n[proxy]\nuser = \"x\"\n[other]\na = 1\n")
            .err()
            .unwrap();
        for name in ["max-actve", "proxy.user", "other", "/c.toml"] {
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn an_error_names_the_place_and_never_repeats_a_secret() {
        for text in [
            "a = 1\nauth-pass = \"hunter2",
            "token = [\"hunter2\"]",
            "[proxy]\npassword = {a=\"hunter2\"}",
        ] {
            let error = read(text).err().unwrap();
            assert!(!error.contains("hunter2") && error.contains("/c.toml"), "{error}");
        }
        assert!(read("a = 1\nb = \n").err().unwrap().contains("line 2"));
        assert!(read("port = 99999").err().unwrap().contains("/c.toml"));
        assert!(read("connections = 99").err().unwrap().contains("1 to 64"));
    }

    #[test]
    fn every_fixed_key_of_the_list_is_read() {
        for key in FIXED_KEYS {
            // A wrong type must be noticed; a key that the struct does not know would be ignored.
            assert!(read(&format!("{key} = 1.5")).is_err(), "{key}");
        }
    }
}
