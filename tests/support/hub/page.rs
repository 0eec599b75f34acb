//! Pages of listings: how many entries, and the link to the next.

use super::ask::Ask;
use super::fault::{FaultKind, LinkForm, Stage};
use super::log::Hop;
use super::world::World;

/// How a listing is cut into pages.
pub struct Paging {
    /// Entries of this page.
    pub entries: usize,
    form: Option<LinkForm>,
}

impl Paging {
    /// What the client (`limit`) and the faults make of the usual size.
    pub fn new(world: &World, ask: &Ask, usual: usize) -> Self {
        let mut paging = Self {
            entries: usual,
            form: None,
        };
        let struck = world.strike(Stage::Making, ask, |kind| {
            matches!(kind, FaultKind::PageSize { .. } | FaultKind::Link { .. })
        });
        for armed in &struck {
            match armed.kind() {
                FaultKind::PageSize { entries } => paging.entries = (*entries).max(1),
                FaultKind::Link { form } => paging.form = Some(form.clone()),
                _ => {}
            }
        }
        if let Some(limit) = ask
            .parameter("limit")
            .and_then(|limit| limit.parse::<usize>().ok())
        {
            paging.entries = limit.clamp(1, paging.entries);
        }
        paging
    }

    /// The cursor the client sent, unless every page is the first.
    pub fn cursor<'a>(&self, ask: &'a Ask) -> Option<&'a str> {
        ask.parameter("cursor").filter(|_| !self.endless())
    }

    /// Whether a page that ends at `end` of `total` entries has another after it.
    pub fn goes_on(&self, end: usize, total: usize) -> bool {
        end < total || self.endless()
    }

    fn endless(&self) -> bool {
        self.form == Some(LinkForm::Endless)
    }

    /// A `Link` header to this request with some parameters replaced; absolute unless a fault bends it.
    pub fn link(&self, world: &World, ask: &Ask, replace: &[(&str, &str)]) -> String {
        let kept = ask
            .query
            .iter()
            .filter(|(key, _)| !replace.iter().any(|(name, _)| name == key));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).extend_pairs(replace);
        let origin = match self.form {
            Some(LinkForm::Relative) => String::new(),
            Some(LinkForm::Foreign) => world.origin(Hop::Cdn).to_owned(),
            _ => ask.origin(),
        };
        format!("<{origin}{}?{}>; rel=\"next\"", ask.raw_path, query.finish())
    }
}
