//! Files as people read them: the README, and the pictures in it.
//!
//! Nothing here goes into the cache, so nothing here is verified; both are cut or refused at a
//! length that the caller names.

use url::Url;

use super::HubClient;
use super::api::{self, Read, path, portal};
use super::budget::Bucket;
use super::classify::{About, Part};
use super::error::HubError;
use super::locate::is_identity;
use super::redirect::host;
use super::transport::{Ask, is_html};
use crate::model::code::Code;
use crate::model::repo::{Commit, RepoId, RepoPath, RepoType};

/// How the pointer of an LFS file begins, which `/raw/` gives in place of its content.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// The start of a text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Its text; what is no UTF-8 is replaced.
    pub text: String,
    /// Whether it goes on.
    pub cut: bool,
}

impl HubClient {
    /// Up to `most` bytes of a text file of a commit; `None` when the commit has no such file.
    ///
    /// # Errors
    /// As [`HubClient::resolve`]; `gated` and `access_denied` when files are locked.
    pub async fn text_file(
        &self,
        repo_type: RepoType,
        id: &RepoId,
        commit: &Commit,
        file: &RepoPath,
        most: usize,
    ) -> Result<Option<TextFile>, HubError> {
        let page = self.page(repo_type, id);
        let about = About {
            repo_type,
            id,
            part: Part::File(file),
            page: &page,
        };
        let at = |route: &str| {
            let prefix = repo_type.url_prefix();
            self.url(&format!("{prefix}{id}/{route}/{commit}/{}", path(file.as_str())))
        };
        let raw = self.bytes(Bucket::Pages, at("raw"), &about, most).await;
        let read = match raw {
            Ok(read) if !read.body.starts_with(POINTER) => Ok(read),
            // A mirror may lack the route; then the error has no name.
            Err(error) if error.status != Some(404) || error.named => Err(error),
            _ => self.bytes(Bucket::Resolvers, at("resolve"), &about, most).await,
        };
        match read {
            Ok(Read { body, cut }) => Ok(Some(TextFile {
                text: String::from_utf8_lossy(&body).into_owned(),
                cut,
            })),
            Err(error) if error.code == Code::EntryNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn bytes(
        &self,
        bucket: Bucket,
        url: Url,
        about: &About<'_>,
        most: usize,
    ) -> Result<Read, HubError> {
        let (answer, url) = api::open(&self.wire, &get(bucket), url, Some(about)).await?;
        let name = host(&url);
        if is_html(answer.headers()) && !is_identity(answer.headers()) {
            return Err(portal(&name));
        }
        api::read(&self.wire, answer, &name, most).await
    }

    /// Whether `url` lies below the endpoint, so that [`HubClient::asset`] may fetch it.
    pub fn has(&self, url: &Url) -> bool {
        let prefix = self.config.endpoint.path().trim_end_matches('/');
        let below = url
            .path()
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('/'));
        self.wire.on_hub(url) && below && url.username().is_empty() && url.password().is_none()
    }

    /// The bytes of anything below the endpoint, wherever it redirects to within the rules of
    /// this client.
    ///
    /// # Errors
    /// `bad_request` for a URL elsewhere; what the status means; `bad_response` for more than
    /// `most` bytes.
    pub async fn asset(&self, url: &Url, most: usize) -> Result<Vec<u8>, HubError> {
        if !self.has(url) {
            let message = format!("{} is not the endpoint", host(url));
            return Err(HubError {
                code: Code::BadRequest,
                ..HubError::bad(message)
            });
        }
        let mut url = url.clone();
        url.set_fragment(None);
        let (answer, url) = api::open(&self.wire, &get(Bucket::Resolvers), url, None).await?;
        let name = host(&url);
        let too_long = || HubError::bad(format!("{name} sent more than {most} bytes"));
        if answer.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_long());
        }
        match api::read(&self.wire, answer, &name, most).await? {
            Read { cut: true, .. } => Err(too_long()),
            Read { body, .. } => Ok(body),
        }
    }

    /// Base URL of the files of a commit, with a slash at its end. `route` is `raw` (what git
    /// holds), `resolve` (the bytes) or `blob` (pages for people).
    pub fn file_base(&self, repo_type: RepoType, id: &RepoId, route: &str, commit: &Commit) -> Url {
        self.url(&format!("{}{id}/{route}/{commit}/", repo_type.url_prefix()))
    }
}

fn get(bucket: Bucket) -> Ask {
    Ask {
        bucket,
        ..Ask::json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Budget, HubConfig};

    #[test]
    fn only_what_lies_below_the_endpoint_is_an_asset() {
        let config = HubConfig {
            endpoint: Url::parse("http://mirror.lan:81/hub").unwrap(),
            ..HubConfig::default()
        };
        let hub = HubClient::new(config, std::sync::Arc::new(Budget::new())).unwrap();
        for (url, expected) in [
            ("http://mirror.lan:81/hub/a/b/resolve/main/x.png", true),
            ("http://MIRROR.lan:81/hub/x.png", true),
            ("http://mirror.lan:81/other/x.png", false),
            ("http://mirror.lan:81/hubble/x.png", false),
            ("http://mirror.lan:81/hub/../other/x.png", false),
            ("http://mirror.lan/hub/x.png", false),
            ("https://mirror.lan:81/hub/x.png", false),
            ("http://u:p@mirror.lan:81/hub/x.png", false),
            ("http://mirror.lan:81@evil.example/hub/x.png", false),
            ("https://evil.example/hub/x.png", false),
        ] {
            assert_eq!(hub.has(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
