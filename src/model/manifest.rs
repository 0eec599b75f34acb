//! `hfd.yaml` of the friendly view, as other programs write it: what they know of a download.
//!
//! Only the plain lines at its head are read (`key: value`, before the list of files): that is all
//! these programs write there, and a whole reader of YAML would read whatever a stranger puts in.

/// Bytes of a manifest that are worth reading: the head of any is far shorter.
pub const MANIFEST_READ_MAX: u64 = 64 << 10;
/// Texts of it are cut to so many characters.
const TEXT_MAX: usize = 1000;

/// What another program wrote down about its download.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignManifest {
    /// The branch or tag that was asked for.
    pub branch: String,
    /// The commit.
    pub commit: String,
    /// When it was done, as it was written.
    pub completed_at: String,
    /// The command line; empty when it was not noted.
    pub command: String,
    /// Bytes of all files.
    pub total_size: Option<u64>,
    /// How many files.
    pub total_files: Option<u64>,
}

impl ForeignManifest {
    /// Reads the head of a manifest. `None` for what is none, and for ours: hfdepot notes neither
    /// a start nor a command, it knows its downloads from its database.
    pub fn parse(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let (mut is_one, mut is_foreign) = (false, false);
        for line in text.lines() {
            if line.starts_with("files:") {
                break;
            }
            // What is indented belongs to a key that is not ours to read.
            let Some((key, value)) = line
                .split_once(':')
                .filter(|_| !line.starts_with([' ', '\t', '-']))
            else {
                continue;
            };
            let value = scalar(value);
            match key {
                "version" => is_one = value == "1.0",
                "branch" => found.branch = value,
                "commit" => found.commit = value,
                "started_at" => is_foreign |= !value.is_empty(),
                "completed_at" => found.completed_at = value,
                "command" => {
                    is_foreign |= !value.is_empty();
                    found.command = value;
                }
                "total_size" => found.total_size = value.parse().ok(),
                "total_files" => found.total_files = value.parse().ok(),
                _ => {}
            }
        }
        (is_one && is_foreign).then_some(found)
    }

    /// Whether the command left files out; `None` when there is no command to judge by.
    pub fn is_filtered(&self) -> Option<bool> {
        let excludes = ["-E", "--exclude", "--excludes"];
        let leaves_out = self.words().any(|word| {
            let name = word.split('=').next().unwrap_or(word);
            excludes.contains(&name)
        });
        (!self.command.is_empty()).then(|| leaves_out || !self.filters().is_empty())
    }

    /// The filters of the command.
    pub fn filters(&self) -> Vec<String> {
        let mut words = self.words();
        let mut found = Vec::new();
        while let Some(word) = words.next() {
            let list = match word.split_once('=') {
                Some(("-F" | "--filters" | "--filter", list)) => Some(list),
                None if matches!(word, "-F" | "--filters" | "--filter") => words.next(),
                // owner/name:filter,filter
                None if !word.starts_with('-') && word.contains('/') => {
                    word.split_once(':').map(|(_, list)| list)
                }
                _ => None,
            };
            let filters = list.unwrap_or_default().split(',').map(str::trim);
            found.extend(filters.filter(|filter| !filter.is_empty()).map(str::to_owned));
        }
        found
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.command
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']))
    }
}

/// A plain or quoted text of one line.
fn scalar(text: &str) -> String {
    let text = text.trim();
    let whole = match (text.chars().next(), text.len() >= 2) {
        (Some('"'), true) if text.ends_with('"') => {
            serde_json::from_str(text).unwrap_or_else(|_| text[1..text.len() - 1].to_owned())
        }
        (Some('\''), true) if text.ends_with('\'') => text[1..text.len() - 1].replace("''", "'"),
        _ => text.to_owned(),
    };
    whole.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "version: \"1.0\"\ntype: model\nrepo: acme/tiny\nbranch: main\ncommit: 0f3c\n\
        repo_path: /c/hub/models--acme--tiny\nstarted_at: 2026-01-02T03:04:05Z\ncompleted_at: 2026-01-02T03:05:05Z\n\
        command: 'hfdownloader download acme/tiny -F q4_k_m,q5_k_m --exclude=README.md'\ntotal_size: 8005\n\
        total_files: 3\nfiles:\n    - name: command\n      size: 5\ncommand: not read\n";

    #[test]
    fn the_head_of_a_manifest_is_read_and_its_command_tells_of_filters() {
        let found = ForeignManifest::parse(WRITTEN).expect("a manifest");
        assert_eq!((found.branch.as_str(), found.commit.as_str()), ("main", "0f3c"));
        assert_eq!((found.total_size, found.total_files), (Some(8005), Some(3)));
        assert_eq!(found.filters(), ["q4_k_m", "q5_k_m"]);
        assert_eq!(found.is_filtered(), Some(true));
        let of = |command: &str| ForeignManifest {
            command: command.to_owned(),
            ..ForeignManifest::default()
        };
        assert_eq!(of("hfdownloader acme/tiny:q8_0").filters(), ["q8_0"]);
        assert_eq!(of("hfdownloader acme/tiny -E x").is_filtered(), Some(true));
        assert_eq!(of("hfdownloader acme/tiny -c 8").is_filtered(), Some(false));
        assert_eq!(of("").is_filtered(), None);
    }

    #[test]
    fn what_is_ours_or_no_manifest_tells_nothing() {
        let without = |start: &str| {
            let lines = WRITTEN.lines().filter(|line| !line.starts_with(start));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert!(ForeignManifest::parse(&without("version")).is_none());
        assert!(
            ForeignManifest::parse(&without("command")).is_some(),
            "it has a start"
        );
        for text in [
            "",
            "version: \"1.0\"\n",
            "version: \"1.0\"\ntype: \"model\"\n",
            "- version: \"1.0\"\n",
        ] {
            assert!(ForeignManifest::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_hostile_manifest_gives_short_plain_texts() {
        let long = format!(
            "version: \"1.0\"\nstarted_at: x\nbranch: \"a\\u001b[2J{}\"\ntotal_size: -1\n",
            "b".repeat(5000)
        );
        let found = ForeignManifest::parse(&long).expect("a manifest");
        assert!(
            found.branch.starts_with("a[2Jb") && found.branch.len() == TEXT_MAX,
            "{}",
            found.branch
        );
        assert_eq!(found.total_size, None);
    }
}
