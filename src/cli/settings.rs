//! `hfdepot settings`: the settings of a running service. `hfdepot config show` reads them without one.

use std::io::{BufRead, stdin};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::{Client, Method};
use super::config::plain_value;
use super::print::{self, columns, list, plain, text};
use super::verb::{Out, ask, run};
use crate::config::Key;
use crate::lifecycle::{Exit, ExitError};

/// `hfdepot settings`
#[derive(Debug, Args)]
pub struct SettingsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show settings and where each comes from; of a single one only its value
    Get(GetArgs),
    /// Change settings, all or none
    Set(SetArgs),
    /// Try endpoint, token and proxy out
    Test(Out),
}

#[derive(Debug, Args)]
struct GetArgs {
    /// As the API names them, such as maxActive or proxy.url; all without one
    #[arg(value_name = "NAME", value_parser = key)]
    names: Vec<Key>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct SetArgs {
    /// maxActive=5; an empty value takes a text back to its default. NAME=- reads the value from standard input, where no process list shows a secret
    #[arg(required = true, value_name = "NAME=VALUE", value_parser = change)]
    changes: Vec<(Key, String)>,
    #[command(flatten)]
    out: Out,
}

/// A setting by its name in the API or that of its flag.
fn key(name: &str) -> Result<Key, String> {
    let found = Key::ALL
        .iter()
        .find(|key| key.as_str().eq_ignore_ascii_case(name) || key.flag() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = Key::ALL.iter().map(|key| key.as_str()).collect();
        format!("there is no such setting; there are {}", names.join(", "))
    })
}

fn change(text: &str) -> Result<(Key, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "it must be NAME=VALUE".to_owned())?;
    Ok((key(name)?, value.to_owned()))
}

/// Runs one action.
///
/// # Errors
/// When the service cannot be reached or refuses, with the exit code of that.
pub fn main(command: &SettingsCommand) -> anyhow::Result<Exit> {
    run(async {
        match &command.action {
            Action::Get(args) => get(args).await,
            Action::Set(args) => set(args).await,
            Action::Test(out) => test(out).await,
        }
    })
}

/// The value of a setting in an answer of the service.
fn value_of(settings: &Value, key: Key) -> Value {
    match (key, settings["proxy"]["hasPassword"] == true) {
        (Key::ProxyPassword, true) => json!("********"),
        (Key::ProxyPassword, false) => json!(""),
        _ => settings
            .pointer(&format!("/{}", key.as_str().replace('.', "/")))
            .cloned()
            .unwrap_or_default(),
    }
}

async fn get(args: &GetArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let settings = ask(&client, Method::GET, "/api/settings", None).await?;
    if let ([key], false) = (args.names.as_slice(), args.out.json) {
        println!("{}", plain(&plain_value(&value_of(&settings, *key))));
        return Ok(Exit::Ok);
    }
    let wanted = match args.names.is_empty() {
        true => Key::ALL,
        false => &args.names,
    };
    if args.out.json {
        let chosen = wanted
            .iter()
            .map(|key| (key.as_str().to_owned(), value_of(&settings, *key)));
        print::line(&match args.names.is_empty() {
            true => settings,
            false => Value::Object(chosen.collect()),
        });
        return Ok(Exit::Ok);
    }
    let rows = wanted.iter().map(|key| {
        let name = key.as_str();
        let (source, from) = (
            text(&settings["sources"], name),
            text(&settings["sourceNames"], name),
        );
        let from = match from.is_empty() {
            true => source.to_owned(),
            false => format!("{source}: {from}"),
        };
        let value = match plain_value(&value_of(&settings, *key)) {
            value if value.is_empty() => "-".to_owned(),
            value => plain(&value),
        };
        vec![name.to_owned(), value, plain(&from)]
    });
    print!("{}", columns(rows));
    Ok(Exit::Ok)
}

async fn set(args: &SetArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let before = ask(&client, Method::GET, "/api/settings", None).await?;
    let mut patch = Map::new();
    for (key, given) in &args.changes {
        // The service keeps locked folders and says nothing, as its documents have it.
        let locked = list(&before, "locked").iter().any(|name| name == key.as_str());
        if key.is_path() && locked {
            return Err(ExitError {
                exit: Exit::Refused,
                message: format!(
                    "{key} cannot be changed: a flag or variable gives it, or the service was started without --allow-path-settings"
                ),
            }
            .into());
        }
        let value = match given.as_str() {
            "-" => key.from_text(&line()?),
            given => key.from_text(given),
        };
        put(&mut patch, *key, value);
    }
    let body = Value::Object(patch);
    let done = ask(&client, Method::POST, "/api/settings", Some(&body)).await?;
    args.out.show(&done, |done| {
        let mut out = print::message(done);
        for name in list(done, "shadowed").iter().filter_map(Value::as_str) {
            out.push_str(&format!(
                "{name} is saved, but a flag or variable of the service is stronger\n"
            ));
        }
        for warning in list(done, "warnings").iter().filter_map(Value::as_str) {
            out.push_str(&format!("{}\n", plain(warning)));
        }
        out
    });
    Ok(Exit::Ok)
}

/// Puts a value where the body of the request has it.
fn put(patch: &mut Map<String, Value>, key: Key, value: Value) {
    match key.as_str().split_once('.') {
        None => drop(patch.insert(key.as_str().to_owned(), value)),
        Some((outer, inner)) => {
            let outer = patch.entry(outer).or_insert_with(|| json!({}));
            outer[inner] = value;
        }
    }
}

/// The first line of standard input.
fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line);
    read.context("Standard input cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn test(out: &Out) -> anyhow::Result<Exit> {
    let client = Client::new(&out.reach)?;
    let trial = ask(&client, Method::POST, "/api/settings/test", Some(&json!({}))).await?;
    out.show(&trial, |trial| {
        let rows = ["endpoint", "token", "proxy"].map(|name| {
            let one = &trial[name];
            let word = if one["ok"] == true { "ok" } else { "FAIL" };
            vec![word.to_owned(), name.to_owned(), plain(text(one, "message"))]
        });
        columns(rows)
    });
    Ok(match trial["ok"] == true {
        true => Exit::Ok,
        false => Exit::Unwell,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_named_as_in_the_api_or_as_its_flag() {
        assert_eq!(key("maxActive"), Ok(Key::MaxActive));
        assert_eq!(key("max-active"), Ok(Key::MaxActive));
        assert_eq!(key("proxy.noproxy"), Ok(Key::ProxyNoProxy));
        assert!(key("maxactve").is_err_and(|why| why.contains("maxActive")));
        assert!(change("maxActive").is_err());
        assert_eq!(change("token=a=b"), Ok((Key::Token, "a=b".to_owned())));
    }

    #[test]
    fn parts_of_the_proxy_go_into_one_object() {
        let mut patch = Map::new();
        put(&mut patch, Key::ProxyUrl, json!("http://p:1"));
        put(&mut patch, Key::ProxyUsername, json!("ann"));
        put(&mut patch, Key::MaxActive, json!(2));
        assert_eq!(
            Value::Object(patch),
            json!({"maxActive": 2, "proxy": {"url": "http://p:1", "username": "ann"}})
        );
    }
}
