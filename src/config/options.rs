//! Reading all sources at the start, and what is fixed from then on.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::check::check;
use super::environment::Environment;
use super::file::{self, ConfigFile, FixedKeys};
use super::flags::FixedArgs;
use super::key::Key;
use super::layers::{Fixed, Given, Layer};
use super::paths;
use super::patience::Patience;
use super::web::{check_base_path, check_host, check_origin};
use crate::model::duration::parse_duration;
use crate::model::secret::Secret;

/// Nothing that is at work leaves a file alone for so long.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Name and password of the one login.
#[derive(Debug, Clone)]
pub struct Login {
    /// Without a colon: HTTP Basic ends the name there.
    pub user: String,
    /// Not empty.
    pub password: Secret,
}

/// What is fixed while the service runs.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Address to listen on. Not a loopback address only with a login, API keys or `no_auth`.
    pub addr: IpAddr,
    /// Port to listen on; 0 = any free one.
    pub port: u16,
    /// The login, when there is one.
    pub login: Option<Login>,
    /// Whether `addr` may be reached by other machines without a login.
    pub no_auth: bool,
    /// Origins whose pages may use the API, as browsers write them, or `*`.
    pub allow_origins: Vec<String>,
    /// More host names for the service, in lower case without a port.
    pub allow_hosts: Vec<String>,
    /// Path below which a reverse proxy shows the service: with a slash before and none behind; empty = none.
    pub base_path: String,
    /// Directory of the database, its backups and the lock. Absolute.
    pub data_dir: PathBuf,
    /// Directories below which mirror targets may lie; anywhere when there is none. Absolute.
    pub mirror_roots: Vec<PathBuf>,
    /// Directories below which exports may go; there are none without. Absolute.
    pub export_dirs: Vec<PathBuf>,
    /// Whether everything is paused from the start on.
    pub start_paused: bool,
    /// Whether the browser of the user is shown the pages.
    pub open: bool,
    /// Age from which on an unfinished file of another program is nobody's any more.
    pub stale_timeout: Duration,
    /// How long the service waits for others.
    pub patience: Patience,
    /// Sentences for the log: nothing is wrong, but somebody should know.
    pub warnings: Vec<String>,
}

impl ServeOptions {
    /// Whether nobody may come in without a login or an API key.
    pub fn needs_login(&self) -> bool {
        self.login.is_some() || !(self.no_auth || self.is_local())
    }

    /// Whether other machines may come in without either.
    pub fn is_open_to_network(&self) -> bool {
        !self.needs_login() && !self.is_local()
    }

    fn is_local(&self) -> bool {
        self.addr.to_canonical().is_loopback()
    }

    /// What to do when there is neither, and one is needed. Keys are known only to the database.
    pub fn no_login_text(&self) -> String {
        format!(
            "{} can be reached by other machines: give --auth-user with HFDEPOT_AUTH_PASS or --auth-pass-file, \
             make an API key with `hfdepot key add NAME --scope admin`, or give --no-auth to serve without a login",
            self.addr
        )
    }
}

/// Reads flags, variables and the configuration file. `matches` are those of a command with
/// [`super::flags::ServeArgs`], `args` the same in their types.
///
/// # Errors
/// A sentence that names flag, variable or key, the value, and what is allowed.
pub fn read(
    args: &FixedArgs,
    matches: &ArgMatches,
    environment: Environment,
) -> Result<(ServeOptions, Fixed), String> {
    let mut warnings = Vec::new();
    let (config_file, file) = read_config_file(args, &environment, &mut warnings)?;
    let ConfigFile {
        fixed: keys,
        live: mut file_layer,
        ..
    } = file;
    let (mut flag, mut env) = live_layers(matches)?;
    read_tokens(
        args,
        matches,
        &keys,
        &environment,
        (&mut flag, &mut env, &mut file_layer),
        &mut warnings,
    )?;

    for (id, instead) in [
        ("token", "HF_TOKEN or --token-file"),
        ("auth_pass", "HFDEPOT_AUTH_PASS or --auth-pass-file"),
        ("proxy_pass", "HFDEPOT_PROXY_PASS"),
    ] {
        if matches.value_source(id) == Some(ValueSource::CommandLine) {
            warnings.push(format!(
                "--{} is visible in the process list to every user of this machine; prefer {instead}",
                id.replace('_', "-")
            ));
        }
    }
    let addr = args.addr.or(keys.addr).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let no_auth = args.no_auth.or(keys.no_auth).unwrap_or(false);
    let login = login(args, matches, &keys)?;
    if !addr.to_canonical().is_loopback() && login.is_none() && no_auth {
        warnings.push(format!(
            "Serving on {addr} without a login: whoever reaches this port controls the service"
        ));
    }
    if login.is_some() && no_auth {
        return Err("--no-auth contradicts --auth-user and the password: give one or the other".to_owned());
    }
    let list = |given: &[String], file: Option<Vec<String>>| match given {
        [] => file.unwrap_or_default(),
        given => given.to_vec(),
    };
    let allow_origins = list(&args.allow_origin, keys.allow_origin)
        .iter()
        .map(|text| check_origin(text))
        .collect::<Result<Vec<_>, _>>()?;
    let allow_hosts = list(&args.allow_host, keys.allow_host)
        .iter()
        .map(|text| check_host(text))
        .collect::<Result<Vec<_>, _>>()?;
    let base_path = check_base_path(
        args.base_path
            .as_deref()
            .or(keys.base_path.as_deref())
            .unwrap_or(""),
    )?;
    let data_dir = paths::data_dir(
        args.data_dir.as_deref().or(keys.data_dir.as_deref()),
        &environment,
    )?;
    let mirror_roots = list(&args.mirror_root, keys.mirror_root)
        .iter()
        .map(|text| environment.expand(text))
        .collect();
    let export_dirs: Vec<PathBuf> = list(&args.export_dir, keys.export_dir)
        .iter()
        .map(|text| environment.expand(text))
        .collect();
    let stale_timeout = args.stale_timeout.as_deref().or(keys.stale_timeout.as_deref());
    let stale_timeout = stale_timeout.map_or(Ok(STALE), parse_duration);
    let stale_timeout = stale_timeout.map_err(|error| format!("--stale-timeout: {error}"))?;
    let fixed = Fixed {
        flag,
        env,
        file: file_layer,
        allow_path_settings: args
            .allow_path_settings
            .or(keys.allow_path_settings)
            .unwrap_or(false),
        config_file,
        export_dirs: export_dirs.clone(),
        environment,
    };
    let port = args.port.or(keys.port).unwrap_or(8080);
    Ok((
        ServeOptions {
            addr,
            port,
            login,
            no_auth,
            allow_origins,
            allow_hosts,
            base_path,
            data_dir,
            mirror_roots,
            export_dirs,
            start_paused: args.start_paused.or(keys.start_paused).unwrap_or(false),
            open: !args.no_open && args.open.or(keys.open).unwrap_or(false),
            stale_timeout,
            patience: Patience::default(),
            warnings,
        },
        fixed,
    ))
}

fn read_config_file(
    args: &FixedArgs,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<(Option<PathBuf>, ConfigFile), String> {
    let path = match &args.config {
        Some(path) => path.clone(),
        None => match paths::default_config_file(environment).filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok((None, ConfigFile::default())),
        },
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!(
            "The configuration file {} cannot be read: {error}",
            path.display()
        )
    })?;
    let file = file::parse(&text, &path)?;
    if file.has_secret && others_may_read(&path) {
        warnings.push(format!(
            "The configuration file {} holds a secret and other users may read it; chmod 600 it",
            path.display()
        ));
    }
    Ok((Some(path), file))
}

fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o044 != 0)
}

/// The live settings that flags and variables give; clap has already let the flag win.
fn live_layers(matches: &ArgMatches) -> Result<(Layer, Layer), String> {
    let (mut flag, mut env) = (Layer::new(), Layer::new());
    for &key in Key::ALL {
        let id = key.flag().replace('-', "_");
        let Some(text) = matches.get_one::<String>(&id) else {
            continue;
        };
        let on_command_line = matches.value_source(&id) == Some(ValueSource::CommandLine);
        let from = if on_command_line {
            format!("--{}", key.flag())
        } else {
            format!("HFDEPOT_{}", id.to_ascii_uppercase())
        };
        // An empty variable is a variable that is not set.
        if !on_command_line && text.trim().is_empty() {
            continue;
        }
        let value = check(key, &key.from_text(text)).map_err(|error| format!("{from}: {error}"))?;
        let layer = if on_command_line { &mut flag } else { &mut env };
        layer.insert(key, Given { value, from });
    }
    Ok((flag, env))
}

/// Adds the token from files and from the variables of the Hugging Face tools, and `HF_ENDPOINT`.
fn read_tokens(
    args: &FixedArgs,
    matches: &ArgMatches,
    keys: &FixedKeys,
    environment: &Environment,
    (flag, env, file): (&mut Layer, &mut Layer, &mut Layer),
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    if let Some(path) = &args.token_file {
        let on_command_line = matches.value_source("token_file") == Some(ValueSource::CommandLine);
        let (layer, name) = if on_command_line {
            (&mut *flag, "--token-file")
        } else {
            (&mut *env, "HFDEPOT_TOKEN_FILE")
        };
        if let Some(other) = layer.get(&Key::Token) {
            return Err(format!("{} and {name} both give a token: give one", other.from));
        }
        insert(layer, Key::Token, &read_secret(path, name)?, name)?;
    }
    if let Some(path) = &keys.token_file {
        if file.contains_key(&Key::Token) {
            return Err("The configuration file has both token and token-file: give one".to_owned());
        }
        let token = read_secret(path, "token-file")?;
        insert(file, Key::Token, &token, &path.display().to_string())?;
    }
    if let (false, Some(text)) = (env.contains_key(&Key::Endpoint), environment.get("HF_ENDPOINT")) {
        insert(env, Key::Endpoint, text, "HF_ENDPOINT")?;
    }
    // As in huggingface_hub: then only a token that was given to this program by name counts.
    if environment.is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
        return Ok(());
    }
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let (false, Some(text)) = (env.contains_key(&Key::Token), environment.get(name)) {
            insert(env, Key::Token, text, name)?;
        }
    }
    // The login of the Hugging Face tools (`hf auth login`); not having one is normal.
    let login = match environment.get("HF_TOKEN_PATH") {
        Some(text) => Some(environment.expand(text)),
        None => paths::hf_home(environment).map(|home| home.join("token")),
    };
    if let (false, Some(path)) = (file.contains_key(&Key::Token), login.filter(|path| path.exists())) {
        let from = path.display().to_string();
        match read_secret(&path, "the login of the Hugging Face tools") {
            Ok(token) => insert(file, Key::Token, &token, &from)?,
            Err(why) => warnings.push(why),
        }
    }
    Ok(())
}

fn insert(layer: &mut Layer, key: Key, text: &str, from: &str) -> Result<(), String> {
    let value = check(key, &key.from_text(text)).map_err(|error| format!("{from}: {error}"))?;
    let from = from.to_owned();
    layer.insert(key, Given { value, from });
    Ok(())
}

/// The first line of a file that holds a secret.
fn read_secret(path: &Path, name: &str) -> Result<String, String> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{name}: {shown} cannot be read: {error}"))?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(format!("{name}: {shown} is empty")),
        line => Ok(line.to_owned()),
    }
}

/// The login: name and password, both or neither. A flag beats a variable, both beat the file.
fn login(args: &FixedArgs, matches: &ArgMatches, keys: &FixedKeys) -> Result<Option<Login>, String> {
    let on_command_line = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
    let user = args.auth_user.as_ref().or(keys.auth_user.as_ref());
    let password = match (&args.auth_pass, &args.auth_pass_file) {
        (Some(text), None) => Some(text.clone()),
        (None, Some(path)) => Some(read_secret(path, "--auth-pass-file")?),
        (Some(text), Some(path)) => match (on_command_line("auth_pass"), on_command_line("auth_pass_file")) {
            (true, false) => Some(text.clone()),
            (false, true) => Some(read_secret(path, "--auth-pass-file")?),
            _ => return Err("--auth-pass and --auth-pass-file both give a password: give one".to_owned()),
        },
        (None, None) => match (&keys.auth_pass, &keys.auth_pass_file) {
            (Some(_), Some(_)) => {
                return Err(
                    "The configuration file has both auth-pass and auth-pass-file: give one".to_owned(),
                );
            }
            (Some(text), None) => Some(text.clone()),
            (None, Some(path)) => Some(read_secret(path, "auth-pass-file")?),
            (None, None) => None,
        },
    };
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    match (some(user.cloned()), some(password)) {
        (None, None) => Ok(None),
        (Some(user), Some(_)) if user.contains(':') || user.chars().any(char::is_control) => {
            Err("--auth-user must not hold a colon or control characters".to_owned())
        }
        (Some(user), Some(password)) => Ok(Some(Login {
            user,
            password: Secret::new(password),
        })),
        (Some(_), None) => {
            Err("--auth-user needs a password: set HFDEPOT_AUTH_PASS or give --auth-pass-file".to_owned())
        }
        (None, Some(_)) => Err("A password without --auth-user: give both or neither".to_owned()),
    }
}
