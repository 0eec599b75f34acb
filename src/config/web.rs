//! Where browsers come from and how they reach the service: origins, host names, a prefix.

use url::Url;

/// An origin as browsers write it, or `*`.
pub(super) fn check_origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == "*" {
        return Ok(text.to_owned());
    }
    let bad = || {
        format!(
            "--allow-origin must be * or scheme://host[:port], not \"{}\"",
            crate::model::repo::shown(text)
        )
    };
    let url = Url::parse(text).map_err(|_| bad())?;
    let plain =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.origin() {
        origin @ url::Origin::Tuple(..) if plain => Ok(origin.ascii_serialization()),
        _ => Err(bad()),
    }
}

/// A host name in lower case; a port is refused because it would not be looked at.
pub(super) fn check_host(text: &str) -> Result<String, String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 253 || !name.chars().all(fits) {
        return Err(format!(
            "--allow-host must be a host name without scheme and port, not \"{}\"",
            crate::model::repo::shown(text)
        ));
    }
    Ok(name)
}

/// A path without the slash at its end. Its first part must not be one that the service has itself:
/// a proxy that takes the prefix off would make the two the same.
pub(super) fn check_base_path(text: &str) -> Result<String, String> {
    let path = text.trim().trim_matches('/');
    if path.is_empty() {
        return Ok(String::new());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~');
    let mut parts = path.split('/');
    let sound = path.len() <= 200
        && parts
            .clone()
            .all(|part| !part.is_empty() && !matches!(part, "." | "..") && part.chars().all(fits));
    let own = parts
        .next()
        .is_some_and(|first| matches!(first, "api" | "assets" | "healthz" | "readyz" | "metrics"));
    if !sound || own {
        return Err(format!(
            "--base-path must be a path such as /depot, of letters, digits and . - _ ~, and not begin with a path \
             of the service's own (api, assets, healthz, readyz, metrics); it is \"{}\"",
            crate::model::repo::shown(text)
        ));
    }
    Ok(format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_written_in_one_way_and_hides_no_route() {
        for (given, wanted) in [("", ""), ("/", ""), ("depot", "/depot"), ("/a/b.c/", "/a/b.c")] {
            assert_eq!(check_base_path(given).as_deref(), Ok(wanted), "{given}");
        }
        for given in ["/a//b", "/../x", "/a b", "/a?b", "/api", "/assets/x", "/ä"] {
            assert!(check_base_path(given).is_err(), "{given}");
        }
    }
}
