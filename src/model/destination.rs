//! Where the files of a job go; frozen when the job is created.

use super::repo::RepoId;
use super::state::words;

words! {
    /// How files lie at a destination.
    Layout {
        /// Blobs, snapshots and refs of the Hugging Face cache.
        Cache = "cache",
        /// Plain files under their own names.
        Local = "local",
    }
}

words! {
    /// The closed set of keys that name a folder for one sort of model.
    RouteKey {
        /// Language models.
        Llm = "llm",
        /// Language models in GGUF files.
        LlmGguf = "llm/gguf",
        /// Language models in safetensors files.
        LlmSafetensors = "llm/safetensors",
        /// Models that make pictures.
        Diffusion = "diffusion",
        /// Speech and sound.
        Audio = "audio",
        /// Embedding models.
        Embedding = "embedding",
    }
}

impl RouteKey {
    /// The key whose folder serves when this one has none.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::LlmGguf | Self::LlmSafetensors => Some(Self::Llm),
            Self::Llm | Self::Diffusion | Self::Audio | Self::Embedding => None,
        }
    }
}

words! {
    /// How a snapshot of the cache shows a blob.
    LinkMode {
        /// As a symbolic link, or as the file itself where the file system has no links.
        Auto = "auto",
        /// As a symbolic link.
        Symlink = "symlink",
        /// As a hard link.
        Hardlink = "hardlink",
        /// As the file itself; then there is no blob.
        Copy = "copy",
    }
}

/// Where the files of a job go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Absolute path: the Hub cache, or the folder that holds `<owner>/<name>`.
    pub dir: String,
    /// How files lie there.
    pub layout: Layout,
    /// Repo whose folder is used in place of the job's own; in the local layout only.
    pub local_repo: Option<RepoId>,
    /// The key that chose the folder.
    pub route_key: Option<RouteKey>,
    /// How snapshots show blobs; in the cache layout only.
    pub link_mode: LinkMode,
}

impl Destination {
    /// The Hub cache at `dir`.
    pub fn cache(dir: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            layout: Layout::Cache,
            local_repo: None,
            route_key: None,
            link_mode: LinkMode::Auto,
        }
    }

    /// What makes two destinations one, as text. The Hub cache is its directory.
    pub fn key(&self) -> String {
        match self.layout {
            Layout::Cache => self.dir.clone(),
            Layout::Local => {
                let repo = self.local_repo.as_ref().map_or("", RepoId::as_str);
                format!("{}\n{}", self.dir, repo.to_lowercase())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_route_falls_back_to_its_parent_and_no_further() {
        for &key in RouteKey::ALL {
            let expected = key.as_str().split_once('/').map(|(parent, _)| parent);
            assert_eq!(key.parent().map(RouteKey::as_str), expected);
        }
    }
}
