//! The one check of a value: what each kind of setting takes.
//!
//! Flags, variables, the configuration file, the database and the API all hand their values
//! to [`check`]; no other place knows what is allowed.

use serde_json::{Map, Value};
use url::{Host, Url};

use super::key::{FieldError, Key, Kind};
use crate::model::destination::{LinkMode, RouteKey};
use crate::model::duration::parse_duration;
use crate::model::job::Verify;
use crate::model::repo::shown;
use crate::model::secret::MASK;
use crate::model::size::parse_size;

/// Checks `value` for `key` and returns it in its canonical form (texts trimmed).
///
/// # Errors
/// Names the setting, what is allowed, and the given value unless it is a secret.
pub fn check(key: Key, value: &Value) -> Result<Value, FieldError> {
    let given = || match value {
        Value::String(text) => format!("\"{}\"", shown(text)),
        other => shown(&other.to_string()),
    };
    let text = || {
        value.as_str().map(str::trim).ok_or_else(|| {
            key.error(if key.is_secret() {
                "must be a text".to_owned()
            } else {
                format!("must be a text, not {}", given())
            })
        })
    };
    let sized = |text: &str| {
        parse_size(text.strip_suffix("/s").unwrap_or(text))
            .map_err(|why| key.error(format!("must be a size: {why}")))
    };
    match key.kind() {
        Kind::Whole(min, max) => match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(number.into()),
            _ => Err(key.error(format!(
                "must be a whole number from {min} to {max}, not {}",
                given()
            ))),
        },
        Kind::Size => sized(text()?).and_then(|_| Ok(text()?.into())),
        Kind::SizeOrNone => match text()? {
            "" => Ok("".into()),
            size => sized(size).map(|_| size.into()),
        },
        Kind::Duration(min, max, zero) => {
            let text = text()?;
            let ms = parse_duration(text)
                .map_err(|why| key.error(format!("must be a duration: {why}")))?
                .as_millis();
            if (u128::from(min)..=u128::from(max)).contains(&ms) || (zero && ms == 0) {
                return Ok(text.into());
            }
            let or_zero = if zero { "0 (off) or " } else { "" };
            let show = |ms| crate::model::duration::human_duration(std::time::Duration::from_millis(ms));
            Err(key.error(format!(
                "must be {or_zero}a duration from {} to {}, not \"{}\"",
                show(min),
                show(max),
                shown(text)
            )))
        }
        Kind::Verify => Verify::parse(text()?)
            .map(|verify| verify.as_str().into())
            .map_err(|_| {
                key.error(format!(
                    "must be one of none, size, etag, sha256, not {}",
                    given()
                ))
            }),
        Kind::Endpoint => check_url(text()?, &["http", "https"])
            .map(|text| text.trim_end_matches('/').into())
            .map_err(|why| key.error(why)),
        Kind::Proxy => check_url(text()?, &["http", "https", "socks5", "socks5h"])
            .map(Value::from)
            .map_err(|why| key.error(why)),
        Kind::Token => check_token(text()?).map_err(|why| key.error(why)),
        Kind::Text => match text()? {
            text if text.chars().count() <= 4096 && !text.chars().any(char::is_control) => Ok(text.into()),
            _ => Err(key.error("must be a text of at most 4096 characters without control characters")),
        },
        // Blanks are part of a password.
        Kind::Password => match value.as_str() {
            Some(text) if text.chars().count() <= 4096 && !text.chars().any(char::is_control) => {
                Ok(text.into())
            }
            _ => Err(key.error("must be a text of at most 4096 characters without control characters")),
        },
        Kind::Bool => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(key.error(format!("must be true or false, not {}", given()))),
        },
        Kind::Directory => directory(key, text()?).map(Value::from),
        Kind::Directories => match value {
            Value::Array(list) => list
                .iter()
                .map(|dir| match dir.as_str().map(str::trim) {
                    Some(dir) if !dir.is_empty() => directory(key, dir).map(Value::from),
                    _ => Err(key.error("must be a list of directories")),
                })
                .collect(),
            _ => Err(key.error(format!("must be a list of directories, not {}", given()))),
        },
        Kind::Routes => match value {
            Value::Object(routes) => routes
                .iter()
                // As clients send them: keys of other programs, and keys without a folder.
                .filter(|(_, dir)| dir.as_str() != Some(""))
                .map(|(name, dir)| {
                    let route: RouteKey = name
                        .parse()
                        .map_err(|why| key.error(format!("has a key that is no route: {why}")))?;
                    let dir = dir
                        .as_str()
                        .ok_or_else(|| key.error(format!("must name a directory for {route}")))?;
                    Ok((route.as_str().to_owned(), directory(key, dir.trim())?.into()))
                })
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            _ => Err(key.error(format!(
                "must be an object of route keys and directories, not {}",
                given()
            ))),
        },
        Kind::LinkMode => match text()?.parse::<LinkMode>() {
            Ok(mode) => Ok(mode.as_str().into()),
            Err(why) => Err(key.error(format!("must be a way to link: {why}"))),
        },
    }
}

fn directory(key: Key, text: &str) -> Result<String, FieldError> {
    if text.contains('\0') {
        return Err(key.error("must not hold a NUL"));
    }
    Ok(text.to_owned())
}

fn check_url(text: &str, schemes: &[&str]) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let refuse = |why: &str| format!("must be {why}, not \"{}\"", without_login(text));
    let a_url = format!("a URL of the kind {}://host", schemes.join("://host, "));
    let url = Url::parse(text).map_err(|_| refuse(&a_url))?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(refuse(&a_url));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse(
            "a URL without user and password (these have settings of their own)",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("a URL without a query and a fragment"));
    }
    // Addresses that no Hub and no proxy has, but the metadata services of clouds do.
    let forbidden = match url.host() {
        Some(Host::Ipv4(ip)) => {
            ip.is_link_local() || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()
        }
        Some(Host::Ipv6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.is_link_local() || ip.is_unspecified() || ip.is_multicast(),
            None => ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast(),
        },
        _ => false,
    };
    if forbidden {
        return Err(refuse("a URL of a host that can be a server"));
    }
    Ok(text.to_owned())
}

/// The text as an error may show it: whatever stands before the last `@` may be a password.
fn without_login(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{}", shown(host)),
        None => shown(text),
    }
}

fn check_token(text: &str) -> Result<Value, String> {
    // The longest tokens of the Hub have a few hundred characters (OAuth); a header takes visible ASCII only.
    if text.len() > 4096 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be at most 4096 visible ASCII characters without blanks".to_owned());
    }
    if text.starts_with(MASK) {
        return Err("is the masked form of a token, not a token".to_owned());
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_default_passes_its_own_check() {
        for &key in Key::ALL {
            assert!(check(key, &key.default_value()).is_ok(), "{key}");
        }
    }

    #[test]
    fn a_number_out_of_range_names_field_value_and_range() {
        for (key, bad, allowed) in [
            (Key::Connections, json!(0), "1 to 64"),
            (Key::Connections, json!(65), "1 to 64"),
            (Key::MaxActive, json!(33), "1 to 32"),
            (Key::MaxFilesPerJob, json!(65), "1 to 64"),
            (Key::MaxConnections, json!(257), "1 to 256"),
            (Key::Retries, json!(-1), "0 to 20"),
            (Key::Retries, json!(2.5), "0 to 20"),
            (Key::RetentionDays, json!("x"), "0 to 3650"),
        ] {
            let error = check(key, &bad).unwrap_err();
            assert_eq!(error.field, key.as_str());
            for part in [key.as_str(), allowed, &bad.to_string()] {
                assert!(error.message.contains(part), "{}", error.message);
            }
        }
        for good in [
            (Key::Connections, 1),
            (Key::Connections, 64),
            (Key::Retries, 0),
            (Key::MaxActive, 32),
        ] {
            assert!(check(good.0, &json!(good.1)).is_ok());
        }
    }

    #[test]
    fn sizes_durations_and_words_are_strict() {
        for (key, good) in [
            (Key::MultipartThreshold, "1.5MiB"),
            (Key::MaxSpeed, "10MiB/s"),
            (Key::MaxSpeed, "0"),
            (Key::StallTimeout, "0"),
            (Key::StallTimeout, "5m"),
            (Key::Verify, "sha256"),
            (Key::FreeSpaceFloor, "500MB"),
        ] {
            assert!(check(key, &json!(good)).is_ok(), "{key} {good}");
        }
        assert_eq!(check(Key::Verify, &json!("etag")), Ok(json!("size")));
        for (key, bad) in [
            (Key::MultipartThreshold, json!("")),
            (Key::MultipartThreshold, json!("lots")),
            (Key::MaxSpeed, json!("fast")),
            (Key::StallTimeout, json!("10ms")),
            (Key::StallTimeout, json!("2h")),
            (Key::StallTimeout, json!(60)),
            (Key::Verify, json!("md5")),
            (Key::Verify, json!("")),
            (Key::ProxyNoEnvProxy, json!("yes")),
        ] {
            assert!(check(key, &bad).is_err(), "{key} {bad}");
        }
    }

    #[test]
    fn a_url_leads_to_a_host_and_carries_no_login() {
        for good in [
            "",
            "https://hub.example",
            "http://127.0.0.1:8080/base",
            "http://[::1]:80",
        ] {
            assert!(check(Key::Endpoint, &json!(good)).is_ok(), "{good}");
        }
        assert_eq!(check(Key::Endpoint, &json!("https://x/")), Ok(json!("https://x")));
        for bad in [
            "hub.example",
            "ftp://x",
            "https://",
            "file:///etc/passwd",
            "https://u:secretword@x",
            "https://x?a=1",
            "http://169.254.169.254",
            "http://[::ffff:169.254.169.254]",
            "http://0.0.0.0",
            "http://2852039166",
        ] {
            let error = check(Key::Endpoint, &json!(bad)).unwrap_err();
            assert!(!error.message.contains("secretword"), "{}", error.message);
        }
        assert!(check(Key::ProxyUrl, &json!("socks5h://10.0.0.1:1080")).is_ok());
        assert!(check(Key::ProxyUrl, &json!("socks4://10.0.0.1")).is_err());
    }

    #[test]
    fn a_refused_secret_is_not_repeated() {
        for key in [Key::Token, Key::ProxyPassword] {
            for bad in [json!("hunter2 \u{7}"), json!({"hunter2": 1}), json!(["hunter2"])] {
                let error = check(key, &bad).unwrap_err();
                assert!(!error.message.contains("hunter2"), "{}", error.message);
            }
        }
        assert!(check(Key::Token, &json!("********abcd")).is_err());
    }
}
