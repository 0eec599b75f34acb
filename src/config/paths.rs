//! Where things lie: the cache of Hugging Face's own tools, and our data directory.

use std::path::{Component, Path, PathBuf};

use super::environment::Environment;

/// Which rule gave the Hub cache its place; the words of `hubDirSource` in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubDirSource {
    /// `cacheDir` was set: by flag, variable, database or file.
    CacheDir,
    /// The variable `HF_HUB_CACHE` (or the older `HUGGINGFACE_HUB_CACHE`).
    HfHubCache,
    /// The variable `HF_HOME`.
    HfHome,
    /// Nothing was set: `huggingface` in the XDG cache directory.
    Default,
}

impl HubDirSource {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CacheDir => "cacheDir",
            Self::HfHubCache => "HF_HUB_CACHE",
            Self::HfHome => "HF_HOME",
            Self::Default => "default",
        }
    }
}

/// The places of the cache. All absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePaths {
    /// The root: `cacheDir` of the API. The friendly view lies in `models` and `datasets` below it.
    pub root: PathBuf,
    /// The Hub cache with its `models--owner--name` folders; a job's `outputDir`.
    pub hub: PathBuf,
    /// Why `hub` is where it is.
    pub hub_dir_source: HubDirSource,
}

impl CachePaths {
    /// Finds the cache as `huggingface_hub` does. An explicit `cache_dir` R means `R/hub`;
    /// `HF_HUB_CACHE` counts only without it, and then names the Hub cache exactly.
    ///
    /// # Errors
    /// A sentence when nothing is set and there is no home directory.
    pub fn find(cache_dir: Option<&str>, environment: &Environment) -> Result<Self, String> {
        if let Some(text) = cache_dir {
            let root = environment.expand(text);
            return Ok(Self {
                hub: root.join("hub"),
                root,
                hub_dir_source: HubDirSource::CacheDir,
            });
        }
        let exact = environment
            .get("HF_HUB_CACHE")
            .or_else(|| environment.get("HUGGINGFACE_HUB_CACHE"));
        let (root, source) = match environment.get("HF_HOME") {
            Some(home) => (Some(environment.expand(home)), HubDirSource::HfHome),
            None => (hf_home(environment), HubDirSource::Default),
        };
        // The root serves the friendly view only when the Hub cache has a place of its own.
        let root = match (root, exact) {
            (Some(root), _) => root,
            (None, Some(exact)) => {
                let hub = environment.expand(exact);
                hub.parent().map(Path::to_path_buf).unwrap_or(hub)
            }
            (None, None) => {
                return Err(
                    "No home directory is known (HOME is not set); give --cache-dir or set HF_HOME"
                        .to_owned(),
                );
            }
        };
        Ok(match exact {
            Some(exact) => Self {
                hub: environment.expand(exact),
                root,
                hub_dir_source: HubDirSource::HfHubCache,
            },
            None => Self {
                hub: root.join("hub"),
                root,
                hub_dir_source: source,
            },
        })
    }
}

/// `HF_HOME`: where the Hugging Face tools keep cache and token. `None` without a home directory.
pub fn hf_home(environment: &Environment) -> Option<PathBuf> {
    match environment.get("HF_HOME") {
        Some(text) => Some(environment.expand(text)),
        None => Some(environment.xdg("XDG_CACHE_HOME", ".cache")?.join("huggingface")),
    }
}

/// The data directory: as given, else `hfdepot` in the XDG data directory.
///
/// # Errors
/// A sentence when nothing is given and there is no home directory.
pub fn data_dir(given: Option<&str>, environment: &Environment) -> Result<PathBuf, String> {
    match given {
        Some(text) => Ok(environment.expand(text)),
        None => environment
            .xdg("XDG_DATA_HOME", ".local/share")
            .map(|path| path.join("hfdepot"))
            .ok_or_else(|| {
                "No home directory is known (HOME is not set); give --data-dir or set XDG_DATA_HOME"
                    .to_owned()
            }),
    }
}

/// The configuration file that is read when `--config` names none: `hfdepot/config.toml` in the
/// XDG configuration directory.
pub fn default_config_file(environment: &Environment) -> Option<PathBuf> {
    Some(
        environment
            .xdg("XDG_CONFIG_HOME", ".config")?
            .join("hfdepot/config.toml"),
    )
}

/// Directories of the system: no model goes in or below them, however the service was asked to.
/// `/usr/local`, `/var/lib` and the like are left to people.
const SYSTEM_TREES: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/share",
    "/System",
    "/Library",
];

/// Directories that hold other people's directories: nothing goes into them directly.
const SYSTEM_ROOTS: &[&str] = &[
    "/",
    "/home",
    "/root",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
    "/opt",
    "/mnt",
    "/media",
    "/srv",
    "/tmp",
    "/Users",
    "/Volumes",
];

/// Why a directory that came through the API is refused: a fragment that follows the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no absolute path of plain characters, whatever the disk and the settings say.
    #[error("{0}")]
    Malformed(String),
    /// Nobody may name it.
    #[error("{0}")]
    Forbidden(String),
    /// Something on the disk stands in its place.
    #[error("{0}")]
    Blocked(String),
}

/// Checks a directory that came through the API: absolute, without `..`, no directory of the
/// system, and existing or creatable below an existing directory.
///
/// # Errors
/// The first [`Refusal`] that holds.
pub fn check_directory(text: &str) -> Result<(), Refusal> {
    let path = Path::new(text);
    let shown = crate::model::repo::shown(text);
    if !path.is_absolute() {
        return Err(Refusal::Malformed(format!(
            "must be an absolute path, not \"{shown}\""
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::Malformed(format!(
            "must not hold control characters, but \"{shown}\" does"
        )));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(Refusal::Forbidden(format!(
            "must not lead through \"..\", but \"{shown}\" does"
        )));
    }
    // Symbolic links count by where they lead: /data -> /etc is still /etc.
    let nearest = path.ancestors().find(|ancestor| ancestor.exists());
    let real = nearest.and_then(|found| {
        let rest = path.strip_prefix(found).ok()?;
        Some(found.canonicalize().ok()?.join(rest))
    });
    for candidate in [Some(path.components().collect::<PathBuf>()), real]
        .into_iter()
        .flatten()
    {
        // On macOS /var and /tmp are links into /private.
        let candidate = match candidate.strip_prefix("/private") {
            Ok(rest) => Path::new("/").join(rest),
            Err(_) => candidate,
        };
        let candidate: PathBuf = candidate.components().collect();
        if SYSTEM_ROOTS.iter().any(|root| candidate == Path::new(root))
            || (SYSTEM_TREES.iter().any(|tree| candidate.starts_with(tree))
                // Desktops mount removable disks there.
                && candidate.strip_prefix("/run/media").map_or(true, |rest| rest.components().count() < 2))
        {
            return Err(Refusal::Forbidden(format!(
                "must not be a directory of the system, but \"{shown}\" is"
            )));
        }
    }
    match nearest {
        Some(found) if found.is_dir() => Ok(()),
        _ => Err(Refusal::Blocked(format!(
            "must be a directory, but \"{shown}\" leads through a file"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cache_dir: Option<&str>, environment: Environment) -> (String, String, &'static str) {
        let paths = CachePaths::find(cache_dir, &environment).unwrap();
        (
            paths.root.display().to_string(),
            paths.hub.display().to_string(),
            paths.hub_dir_source.as_str(),
        )
    }

    fn three(root: &str, hub: &str, source: &'static str) -> (String, String, &'static str) {
        (root.to_owned(), hub.to_owned(), source)
    }

    #[test]
    fn the_cache_lies_where_the_hugging_face_tools_look_for_it() {
        let home = ("HOME", "/h");
        assert_eq!(
            found(None, Environment::from([home])),
            three("/h/.cache/huggingface", "/h/.cache/huggingface/hub", "default")
        );
        assert_eq!(
            found(None, Environment::from([home, ("XDG_CACHE_HOME", "/x")])),
            three("/x/huggingface", "/x/huggingface/hub", "default")
        );
        assert_eq!(
            found(
                None,
                Environment::from([home, ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "~/hf")])
            ),
            three("/h/hf", "/h/hf/hub", "HF_HOME")
        );
        assert_eq!(
            found(
                None,
                Environment::from([home, ("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/exact")])
            ),
            three("/hf", "/exact", "HF_HUB_CACHE")
        );
        assert_eq!(
            found(
                None,
                Environment::from([home, ("HUGGINGFACE_HUB_CACHE", "/older")])
            )
            .1,
            "/older"
        );
    }

    #[test]
    fn an_explicit_cache_dir_beats_every_variable() {
        let environment = Environment::from([("HOME", "/h"), ("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/exact")]);
        assert_eq!(
            found(Some("/r"), environment.clone()),
            three("/r", "/r/hub", "cacheDir")
        );
        assert_eq!(
            found(Some("~/r"), environment),
            three("/h/r", "/h/r/hub", "cacheDir")
        );
    }

    #[test]
    fn without_a_home_directory_the_error_says_what_to_give() {
        let nothing = Environment::from([]);
        assert!(
            CachePaths::find(None, &nothing)
                .unwrap_err()
                .contains("--cache-dir")
        );
        assert!(data_dir(None, &nothing).unwrap_err().contains("--data-dir"));
        assert!(CachePaths::find(None, &Environment::from([("HF_HUB_CACHE", "/exact/hub")])).is_ok());
    }

    #[test]
    fn the_data_directory_follows_xdg_and_ignores_a_relative_value() {
        let of = |pairs| data_dir(None, &pairs).unwrap();
        let home = ("HOME", "/h");
        assert_eq!(
            of(Environment::from([home])),
            Path::new("/h/.local/share/hfdepot")
        );
        assert_eq!(
            of(Environment::from([home, ("XDG_DATA_HOME", "/d")])),
            Path::new("/d/hfdepot")
        );
        assert_eq!(
            of(Environment::from([home, ("XDG_DATA_HOME", "d")])),
            Path::new("/h/.local/share/hfdepot")
        );
    }

    #[test]
    fn a_directory_from_the_api_is_absolute_and_none_of_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let file = base.join("file");
        std::fs::write(&file, b"x").unwrap();
        std::os::unix::fs::symlink("/etc", base.join("link")).unwrap();
        let under = |name: &str| base.join(name).display().to_string();
        assert_eq!(check_directory(&under("new/deep")), Ok(()));
        type Why = fn(String) -> Refusal;
        let cases: &[(&str, Why)] = &[
            ("relative", Refusal::Malformed),
            ("", Refusal::Malformed),
            ("../up", Refusal::Malformed),
            (&under("a\nb"), Refusal::Malformed),
            ("/a\0b", Refusal::Malformed),
            ("/", Refusal::Forbidden),
            ("/etc", Refusal::Forbidden),
            ("/etc/x", Refusal::Forbidden),
            ("/usr/lib/../../data", Refusal::Forbidden),
            ("//etc/", Refusal::Forbidden),
            ("/proc/1", Refusal::Forbidden),
            ("/home", Refusal::Forbidden),
            (&under("link"), Refusal::Forbidden),
            (&under("link/x"), Refusal::Forbidden),
            (&under("file"), Refusal::Blocked),
            (&under("file/x"), Refusal::Blocked),
        ];
        for (bad, kind) in cases {
            let why = check_directory(bad).expect_err(bad);
            assert_eq!(why, kind(why.to_string()), "{bad:?}");
        }
    }
}
