//! The CDN behind the Hub's redirects: knows nothing of repos, only of signed links, and shows
//! its own hash as ETag.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;

use super::answer::Answer;
use super::ask::Ask;
use super::content::Content;
use super::files;
use super::log::lock;
use super::world::World;

/// Body of the 403 of an expired or unknown link.
pub const FORBIDDEN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code>\
<Message>Access denied</Message></Error>";

/// How long a signed link lives when no fault shortens it.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Signed links given out.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<String, Ticket>>);

/// What a signed link opens.
#[derive(Clone)]
pub struct Ticket {
    /// The file's bytes.
    pub content: Content,
    /// `owner/name/file`, for faults and log.
    pub subject: String,
    path: String,
    expires: Instant,
    uses: u64,
}

impl Tickets {
    /// Makes a link to `content`; gives path and query.
    pub fn sign(
        &self,
        content: &Content,
        subject: &str,
        database_id: &str,
        lifetime: Option<Duration>,
        uses: Option<u64>,
    ) -> String {
        let lifetime = lifetime.unwrap_or(LIFETIME);
        let path = format!("/xet-bridge-us/{database_id}/{}", content.xet_hash());
        let signature = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let ticket = Ticket {
            content: content.clone(),
            subject: subject.to_owned(),
            path: path.clone(),
            expires: Instant::now() + lifetime,
            uses: uses.unwrap_or(u64::MAX),
        };
        lock(&self.0).insert(signature.clone(), ticket);
        let name = subject.rsplit('/').next().unwrap_or(subject);
        let disposition =
            utf8_percent_encode(&super::resolve::disposition(name), NON_ALPHANUMERIC).to_string();
        let at = SystemTime::now() + lifetime;
        let epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        format!(
            "{path}?response-content-disposition={disposition}&response-content-type=application%2Foctet-stream\
             &Expires={epoch}&Policy=eyJTdGF0ZW1lbnQiOlt7IkNvbmRpdGlvbiI6e319XX0_&Signature={signature}\
             &Key-Pair-Id=K2L8F4GPSG1IFC"
        )
    }

    /// The ticket of a request, whether or not it is still good.
    pub fn find(&self, ask: &Ask) -> Option<Ticket> {
        lock(&self.0).get(ask.parameter("Signature")?).cloned()
    }

    /// Uses a ticket up by one; `None` when it is expired or was for something else.
    fn punch(&self, ask: &Ask) -> Option<Ticket> {
        let mut tickets = lock(&self.0);
        let ticket = tickets.get_mut(ask.parameter("Signature")?)?;
        let good = ticket.path == ask.path && ticket.uses > 0 && Instant::now() < ticket.expires;
        if !good {
            return None;
        }
        ticket.uses -= 1;
        Some(ticket.clone())
    }

    /// Makes every link given out so far expire now.
    pub fn expire_all(&self) {
        lock(&self.0).values_mut().for_each(|ticket| ticket.uses = 0);
    }
}

/// Answers a request at the CDN.
pub fn answer(world: &World, ask: &Ask) -> Answer {
    let Some(ticket) = world.tickets.punch(ask) else {
        return Answer::new(403, FORBIDDEN).with("content-type", "application/xml");
    };
    let content = &ticket.content;
    files::serve(world, ask, content, &content.xet_hash(), content.sha256())
        .with(
            "content-type",
            ask.parameter("response-content-type")
                .unwrap_or("application/octet-stream"),
        )
        .with(
            "content-disposition",
            ask.parameter("response-content-disposition").unwrap_or("inline"),
        )
        .with("cache-control", "public, max-age=31536000, immutable")
}
