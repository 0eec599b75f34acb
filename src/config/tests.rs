//! How the sources play together, from flags to the API.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Command, FromArgMatches};
use serde_json::{Value, json};

use super::environment::Environment;
use super::flags::ServeArgs;
use super::{Fixed, Key, ServeOptions, Settings, Source, options};

fn read(args: &[&str], environment: Environment) -> Result<(ServeOptions, Fixed), String> {
    let command = ServeArgs::augment_args(Command::new("serve").no_binary_name(true));
    let matches = command
        .try_get_matches_from(args)
        .map_err(|error| error.to_string())?;
    let parsed = ServeArgs::from_arg_matches(&matches).unwrap();
    options::read(&parsed.fixed, &matches, environment)
}

fn at_home(home: &Path, more: &[(&str, &str)]) -> Environment {
    let mut environment = Environment::from([("HOME", home.to_str().unwrap())]);
    for (name, value) in more {
        environment.set(name, value);
    }
    environment
}

fn settings(args: &[&str], environment: Environment, rows: &[(&str, &str)]) -> Settings {
    let (_, fixed) = read(args, environment).unwrap();
    Settings::load(Arc::new(fixed), rows.iter().copied()).unwrap().0
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn flag_beats_variable_beats_database_beats_file_beats_default() {
    let home = home();
    let file = home.path().join("c.toml");
    std::fs::write(&file, "endpoint = \"https://file\"\n").unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let hf = [("HF_ENDPOINT", "https://env")];
    let row = [("endpoint", "\"https://database\"")];
    let with_flag = [config[0], config[1], "--endpoint", "https://flag"];
    for (args, env, rows, host, source) in [
        (&with_flag[..], &hf[..], &row[..], "flag", Source::Flag),
        (&config[..], &hf[..], &row[..], "env", Source::Env),
        (&config[..], &[][..], &row[..], "database", Source::Database),
        (&config[..], &[][..], &[][..], "file", Source::File),
        (&[][..], &[][..], &[][..], "huggingface.co", Source::Default),
    ] {
        let got = settings(args, at_home(home.path(), env), rows);
        assert_eq!(got.endpoint.host_str(), Some(host));
        assert_eq!(got.source(Key::Endpoint), source);
        assert_eq!(got.to_json()["sources"]["endpoint"], source.as_str());
    }
}

#[test]
fn every_live_setting_has_a_flag() {
    let home = home();
    let values = [
        ("token", "hf_abcdefgh"),
        ("cache-dir", "/r"),
        ("local-dir", "/l"),
        ("local-scan-dirs", "/a:/b"),
        ("download-routes", "llm=/m,audio=/s"),
        ("link-mode", "hardlink"),
        ("endpoint", "https://e"),
        ("connections", "9"),
        ("max-active", "9"),
        ("max-files-per-job", "9"),
        ("max-connections", "9"),
        ("multipart-threshold", "9MiB"),
        ("verify", "none"),
        ("retries", "9"),
        ("backoff-initial", "9s"),
        ("backoff-max", "9s"),
        ("stall-timeout", "9s"),
        ("max-speed", "9MiB"),
        ("free-space-floor", "9MiB"),
        ("retention-days", "9"),
        ("history-retention", "9"),
        ("proxy", "http://p"),
        ("proxy-user", "u"),
        ("proxy-pass", "p"),
        ("no-proxy", "x"),
        ("no-env-proxy", "true"),
    ];
    assert_eq!(values.len(), Key::ALL.len());
    let args: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("--{name}={value}"))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let got = settings(&args, at_home(home.path(), &[]), &[]);
    for &key in Key::ALL {
        assert_eq!(got.source(key), Source::Flag, "{key}");
    }
    assert_eq!(
        (got.connections, got.retries, got.retention_days),
        (9, 9, Some(9))
    );
    assert_eq!(got.max_speed_bytes, Some(9 << 20));
    assert!(got.proxy.no_env_proxy && got.proxy.password.is_some());
}

#[test]
fn a_bad_flag_is_refused_with_its_name_and_range() {
    let home = home();
    let error = read(&["--connections", "65"], at_home(home.path(), &[])).unwrap_err();
    for part in ["--connections", "65", "1 to 64"] {
        assert!(error.contains(part), "{error}");
    }
    let error = read(&[], at_home(home.path(), &[("HF_ENDPOINT", "hub")])).unwrap_err();
    assert!(error.contains("HF_ENDPOINT"), "{error}");
}

#[test]
fn an_address_that_others_reach_needs_a_login_or_an_explicit_no() {
    let home = home();
    let with = |args: &[&str]| read(args, at_home(home.path(), &[])).map(|(options, _)| options);
    assert!(with(&["--addr", "127.0.0.1"]).unwrap().warnings.is_empty());
    assert!(with(&["--addr", "::1"]).is_ok());
    assert!(!with(&["--addr", "::1"]).unwrap().needs_login());
    // Whether there are API keys is seen when the database is open.
    for reached in ["0.0.0.0", "::ffff:10.0.0.1"] {
        let options = with(&["--addr", reached]).unwrap();
        assert!(options.needs_login() && options.no_login_text().contains("--no-auth"));
        assert!(!with(&["--addr", reached, "--no-auth"]).unwrap().needs_login());
    }
    assert!(with(&["--addr", "0.0.0.0", "--no-auth"]).unwrap().warnings[0].contains("without a login"));
    let options = with(&["--addr", "0.0.0.0", "--auth-user", "u", "--auth-pass", "p"]).unwrap();
    assert!(options.needs_login() && options.login.is_some() && options.warnings[0].contains("process list"));
    for half in [["--auth-user", "u"], ["--auth-pass", "p"]] {
        assert!(with(&half).is_err(), "{half:?}");
    }
    assert!(with(&["--auth-user", "u:x", "--auth-pass", "p"]).is_err());
    assert!(with(&["--auth-user", "u", "--auth-pass", "p", "--no-auth"]).is_err());
}

#[test]
fn a_password_comes_from_the_first_line_of_its_file() {
    let home = home();
    let file = home.path().join("pass");
    std::fs::write(&file, "correct horse \n").unwrap();
    let args = ["--auth-user", "u", "--auth-pass-file", file.to_str().unwrap()];
    let (options, _) = read(&args, at_home(home.path(), &[])).unwrap();
    assert_eq!(options.login.unwrap().password.expose(), "correct horse ");
    std::fs::write(&file, "\n").unwrap();
    assert!(
        read(&args, at_home(home.path(), &[]))
            .unwrap_err()
            .contains("empty")
    );
}

#[test]
fn the_token_is_found_where_the_hugging_face_tools_keep_it() {
    let home = home();
    let hf = home.path().join(".cache/huggingface");
    std::fs::create_dir_all(&hf).unwrap();
    std::fs::write(hf.join("token"), "hf_stored_token\n").unwrap();
    let token = |args: &[&str], env: &[(&str, &str)], rows: &[(&str, &str)]| {
        settings(args, at_home(home.path(), env), rows)
            .token
            .map(|token| token.expose().to_owned())
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(token(&[], &[], &[]), is("hf_stored_token"));
    assert_eq!(token(&[], &[], &[("token", "\"hf_saved\"")]), is("hf_saved"));
    assert_eq!(
        token(&[], &[("HUGGING_FACE_HUB_TOKEN", "hf_old")], &[]),
        is("hf_old")
    );
    let both = [("HUGGING_FACE_HUB_TOKEN", "hf_old"), ("HF_TOKEN", "hf_env")];
    assert_eq!(token(&[], &both, &[("token", "\"hf_saved\"")]), is("hf_env"));
    assert_eq!(token(&["-t", "hf_flag"], &both, &[]), is("hf_flag"));
    assert_eq!(token(&[], &[("HF_TOKEN_PATH", "/nowhere/token")], &[]), None);
    let off = [("HF_TOKEN", "hf_env"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")];
    assert_eq!(token(&[], &off, &[]), None);
    assert_eq!(token(&["-t", "hf_flag"], &off, &[]), is("hf_flag"));
}

#[test]
fn a_patch_is_all_or_nothing() {
    let home = home();
    let before = settings(&[], at_home(home.path(), &[]), &[]);
    let error = before
        .apply(&json!({"connections": 16, "retries": 99}))
        .unwrap_err();
    assert_eq!(error.field, "retries");
    let after = before
        .apply(&json!({"connections": 16, "maxActive": null, "unknown": 1, "cacheDir": "/x", "proxy": null}))
        .unwrap();
    assert_eq!((after.connections, after.max_active), (16, 3));
    assert_eq!(after.cache, before.cache);
    assert_eq!(
        after.changes_since(&before),
        [("connections", Some("16".to_owned()))]
    );
    for (patch, field) in [
        (json!([]), ""),
        (json!({"proxy": 1}), "proxy"),
        (json!({"proxy": {"url": "socks4://x"}}), "proxy.url"),
        (json!({"verify": {}}), "verify"),
        (json!({"backoffInitial": "30s"}), "backoffInitial"),
        (json!({"token": 5}), "token"),
    ] {
        assert_eq!(before.apply(&patch).unwrap_err().field, field, "{patch}");
    }
}

#[test]
fn what_get_shows_can_be_posted_back_and_changes_nothing() {
    let home = home();
    let before = settings(
        &[],
        at_home(home.path(), &[]),
        &[("token", "\"hf_secret_token\""), ("retries", "7")],
    );
    let shown = before.to_json();
    assert_eq!(shown["token"], "********oken");
    let after = before.apply(&shown).unwrap();
    assert_eq!(after.changes_since(&before), []);
    assert_eq!(after.token, before.token);
}

#[test]
fn settings_survive_the_way_through_the_database() {
    let home = home();
    let patch = json!({"token": "hf_new_token", "maxSpeed": "5MB", "proxy": {"url": "http://p:1", "password": "x y"}});
    let after = settings(&[], at_home(home.path(), &[]), &[])
        .apply(&patch)
        .unwrap();
    let rows: Vec<(&str, String)> = after.stored().collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let again = settings(&[], at_home(home.path(), &[]), &rows);
    assert_eq!(again.to_json(), after.to_json());
    assert_eq!(
        again.proxy.password.as_ref().map(super::Secret::expose),
        Some("x y")
    );
    let cleared = again
        .apply(&json!({"token": "", "proxy": {"password": ""}}))
        .unwrap();
    assert_eq!(
        (cleared.token.as_ref(), cleared.proxy.password.as_ref()),
        (None, None)
    );
    assert!(cleared.changes_since(&again).contains(&("token", None)));
}

#[test]
fn an_unusable_row_is_reported_and_left_out() {
    let home = home();
    let (_, fixed) = read(&[], at_home(home.path(), &[])).unwrap();
    let rows = [
        ("retries", "99"),
        ("future", "1"),
        ("verify", "no json"),
        ("maxActive", "5"),
        ("backoffMax", "\"10ms\""),
    ];
    let (got, unusable) = Settings::load(Arc::new(fixed), rows).unwrap();
    assert_eq!((got.retries, got.max_active), (4, 5));
    let mut fields: Vec<&str> = unusable.iter().map(|error| error.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["backoffMax", "future", "retries", "verify"]);
}

#[test]
fn a_saved_setting_under_a_flag_is_kept_and_named() {
    let home = home();
    let before = settings(&["--max-active", "5"], at_home(home.path(), &[]), &[]);
    let after = before.apply(&json!({"maxActive": 9, "retries": 5})).unwrap();
    assert_eq!((after.max_active, after.retries), (5, 5));
    assert_eq!(after.shadowed(), ["maxActive"]);
    assert_eq!(after.to_json()["sourceNames"]["maxActive"], "--max-active");
}

#[test]
fn directories_change_through_the_api_only_when_allowed() {
    let home = home();
    let target = home.path().join("models");
    let patch = json!({"cacheDir": target});
    let locked = settings(&[], at_home(home.path(), &[]), &[])
        .apply(&patch)
        .unwrap();
    assert_eq!(locked.to_json()["hubDirSource"], "default");
    let open = settings(&["--allow-path-settings"], at_home(home.path(), &[]), &[]);
    let moved = open.apply(&patch).unwrap();
    assert_eq!(moved.cache.hub, target.join("hub"));
    assert_eq!(
        open.apply(&json!({"cacheDir": "/etc"})).unwrap_err().field,
        "cacheDir"
    );
}

#[test]
fn a_new_endpoint_never_gets_the_token_of_the_old_one() {
    let home = home();
    let saved = settings(&[], at_home(home.path(), &[]), &[("token", "\"hf_saved\"")]);
    let moved = saved.apply(&json!({"endpoint": "https://evil"})).unwrap();
    assert_eq!(moved.token, None);
    assert!(moved.changes_since(&saved).contains(&("token", None)));
    // Brought along with the endpoint, it is meant for it.
    let both = saved
        .apply(&json!({"endpoint": "https://mine", "token": "hf_mine"}))
        .unwrap();
    assert_eq!(both.token.unwrap().expose(), "hf_mine");
    // The mask that came back is not a new token.
    let masked = saved
        .apply(&json!({"endpoint": "https://evil", "token": saved.to_json()["token"]}))
        .unwrap();
    assert_eq!(masked.token, None);
    // The same server under a longer address keeps it.
    let same = saved
        .apply(&json!({"endpoint": "https://huggingface.co/base"}))
        .unwrap();
    assert!(same.token.is_some());
    // A token of the environment stays with the endpoint of the environment.
    let env = settings(&[], at_home(home.path(), &[("HF_TOKEN", "hf_env")]), &[]);
    let moved = env.apply(&json!({"endpoint": "https://evil"})).unwrap();
    assert!(moved.token.is_none() && moved.token_held_back());
    assert_eq!(moved.to_json()["tokenHeldBack"], true);
    assert!(moved.apply(&json!({"endpoint": ""})).unwrap().token.is_some());
}

#[test]
fn get_has_every_key_of_both_documents() {
    let home = home();
    let shown = settings(&[], at_home(home.path(), &[]), &[]).to_json();
    for (key, value) in [
        ("token", json!("")),
        ("connections", json!(8)),
        ("maxActive", json!(3)),
        ("multipartThreshold", json!("32MiB")),
        ("verify", json!("size")),
        ("retries", json!(4)),
        ("endpoint", json!("")),
        ("maxSpeed", json!("")),
        ("stallTimeout", json!("60s")),
        ("localDir", json!("")),
        ("localScanDirs", json!([])),
        ("storageMode", json!("cache")),
        ("downloadRoutes", json!({})),
        ("configuredCacheDir", json!("")),
        ("hubDirSource", json!("default")),
        ("shadowed", json!([])),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    for key in [
        "cacheDir",
        "effectiveHubDir",
        "configFile",
        "targetsFile",
        "proxy",
        "sources",
    ] {
        assert_ne!(shown[key], Value::Null, "{key}");
    }
    let proxy: Vec<&String> = shown["proxy"].as_object().unwrap().keys().collect();
    for key in [
        "url",
        "username",
        "noProxy",
        "noEnvProxy",
        "insecureSkipVerify",
        "hasPassword",
    ] {
        assert!(proxy.iter().any(|name| *name == key), "{key}");
    }
}

#[test]
fn no_debug_text_shows_a_secret() {
    let home = home();
    let args = [
        "-t",
        "hf_hunter2x",
        "--proxy-pass",
        "hunter2",
        "--auth-user",
        "u",
        "--auth-pass",
        "hunter2",
    ];
    let (options, fixed) = read(&args, at_home(home.path(), &[])).unwrap();
    let (settings, _) = Settings::load(Arc::new(fixed.clone()), [("token", "\"hunter2\"")]).unwrap();
    for text in [
        format!("{options:?}"),
        format!("{fixed:?}"),
        format!("{settings:?}"),
        settings.to_json().to_string(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
