//! The README says what the code does: its tables of routes and of settings.

use std::collections::BTreeSet;

use clap::CommandFactory;
use hfdepot::cli::Cli;
use hfdepot::config::Key;
use hfdepot::http::openapi::document;

const README: &str = include_str!("../README.md");

/// The part of the README below a heading, up to the next one of its level.
fn section(heading: &str) -> &'static str {
    let begin = README.find(&format!("\n## {heading}\n")).expect(heading) + 1;
    let rest = &README[begin..];
    rest[3..].find("\n## ").map_or(rest, |end| &rest[..end + 3])
}

#[test]
fn the_table_of_routes_has_every_route_of_the_document_and_no_other() {
    let mut described = BTreeSet::new();
    for (path, item) in document()["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("a path item").keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let rows = section("The API in one table")
        .lines()
        .filter(|line| line.starts_with('|'));
    let first_cells = rows.filter_map(|row| row.split('|').nth(1));
    let shown: BTreeSet<String> = first_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|code| code.split('?').next().unwrap_or(code).to_owned())
        .collect();
    let missing: Vec<_> = described.difference(&shown).collect();
    let foreign: Vec<_> = shown.difference(&described).collect();
    assert!(missing.is_empty(), "not in the README: {missing:#?}");
    assert!(foreign.is_empty(), "in the README, but not served: {foreign:#?}");
}

#[test]
fn the_table_of_exit_codes_is_that_of_the_code() {
    let code = include_str!("../src/lifecycle.rs");
    let rows = code.lines().filter_map(|line| line.strip_prefix("/// |"));
    let rows: Vec<String> = rows.map(|row| format!("|{row}")).collect();
    assert!(rows.len() > 10, "{rows:?}");
    assert!(
        section("Five minutes").contains(&rows.join("\n")),
        "the README should have:\n{}",
        rows.join("\n")
    );
}

/// One row a flag of `serve`: flag, variable, name in the API, what it is for.
fn rows_of_flags() -> Vec<String> {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("serve");
    let mut rows = Vec::new();
    for flag in serve.get_arguments() {
        let (Some(long), Some(variable)) = (flag.get_long(), flag.get_env()) else {
            continue;
        };
        let key = Key::ALL.iter().find(|key| key.flag() == long);
        let in_api = key.map_or_else(String::new, |key| format!("`{key}`"));
        let help = flag.get_help().expect("help").to_string().replace('|', "\\|");
        rows.push(format!(
            "| `--{long}` | `{}` | {in_api} | {help} |",
            variable.to_string_lossy()
        ));
    }
    rows
}

#[test]
fn the_table_of_settings_has_a_row_for_every_flag_as_its_help_says_it() {
    let rows = rows_of_flags();
    assert!(rows.len() >= Key::ALL.len(), "{}", rows.len());
    let shown: Vec<&str> = section("Settings")
        .lines()
        .filter(|line| line.starts_with("| `--"))
        .collect();
    assert!(
        rows == shown,
        "the rows of the README should be:\n{}\n",
        rows.join("\n")
    );
}

#[test]
fn every_setting_has_a_flag_a_variable_and_its_source_in_the_api() {
    let flags = rows_of_flags().join("\n");
    let schema = &document()["components"]["schemas"];
    let (shown, patch) = (
        &schema["Settings"]["properties"],
        &schema["SettingsPatch"]["properties"],
    );
    for key in Key::ALL {
        assert!(flags.contains(&format!("| `{key}` |")), "{key}");
        let (outer, inner) = key.as_str().split_once('.').unwrap_or((key.as_str(), ""));
        assert!(shown.get(outer).is_some() && patch.get(outer).is_some(), "{key}");
        if !inner.is_empty() {
            assert!(schema["ProxyPatch"]["properties"].get(inner).is_some(), "{key}");
        }
    }
}
