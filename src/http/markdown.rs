//! A README as HTML that can do nothing. Pure: text in, text out.
//!
//! Raw HTML of the README is not taken over; of its blocks only the words are. What is left of
//! the markup goes through a sanitizer all the same. Links lead to the Hub's pages; pictures are
//! not loaded: their address stands in `data-asset`, for a reader who asks for them.

use std::collections::HashSet;

use ammonia::{Builder, UrlRelative};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use url::Url;

/// Schemes a link may have.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Deepest markup that is taken over. The sanitizer looks through all open elements again and
/// again: 100,000 nested quotes would keep it busy for minutes.
const DEPTH_MAX: usize = 64;

/// Where the README lies.
pub struct Place<'a> {
    /// Page of the repo, for people.
    pub page: Url,
    /// Base of the pages of its files, with a slash at its end.
    pub files: Url,
    /// Base of its files' bytes, with a slash at its end.
    pub bytes: Url,
    /// Whether a picture at this address can be fetched through `/api/readme-asset`.
    pub is_asset: &'a dyn Fn(&Url) -> bool,
}

/// `text` without the YAML block between its first two `---` lines.
pub fn without_front_matter(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.split_inclusive('\n');
    let is_rule = |line: &str| line.trim_end() == "---";
    let mut read = match lines.next() {
        Some(first) if is_rule(first) => first.len(),
        _ => return text,
    };
    for line in lines {
        read += line.len();
        if is_rule(line) {
            return text[read..].trim_start_matches(['\r', '\n']);
        }
    }
    // The block has no end: it is no block.
    text
}

/// The HTML of `markdown`.
pub fn render(markdown: &str, place: &Place<'_>) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = String::with_capacity(markdown.len() * 2);
    let events = Tamed {
        parser: Parser::new_ext(markdown, options),
        place,
        in_link: false,
        depth: 0,
    };
    html::push_html(&mut page, events);
    sanitizer().clean(&page).to_string()
}

fn sanitizer() -> Builder<'static> {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .rm_tag_attributes("img", ["src"])
        .add_tag_attributes("img", ["data-asset"]);
    builder
}

/// The events of the parser, with links and pictures rewritten and raw HTML gone.
struct Tamed<'a, 'p> {
    parser: Parser<'a>,
    place: &'p Place<'p>,
    in_link: bool,
    /// Elements that are open.
    depth: usize,
}

impl<'a> Iterator for Tamed<'a, '_> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            return Some(match self.parser.next()? {
                Event::Start(Tag::Image { dest_url, title, .. }) => {
                    let alt = self.words_within();
                    self.picture(&dest_url, &title, &alt)
                }
                Event::Start(Tag::HtmlBlock) => {
                    let text = self.words_within();
                    Event::Html(words_of(&text))
                }
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        continue;
                    }
                    Event::Start(self.opened(tag))
                }
                Event::End(tag) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth >= DEPTH_MAX {
                        continue;
                    }
                    self.in_link &= tag != TagEnd::Link;
                    Event::End(tag)
                }
                // Tags between words, or a line of HTML outside a block.
                Event::InlineHtml(_) | Event::Html(_) => continue,
                Event::TaskListMarker(done) => Event::Text(if done { "☑ " } else { "☐ " }.into()),
                event => event,
            });
        }
    }
}

impl<'a> Tamed<'a, '_> {
    /// A tag with its link rewritten.
    fn opened(&mut self, tag: Tag<'a>) -> Tag<'a> {
        match tag {
            Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            } => {
                self.in_link = true;
                let dest_url = self.place.link(&dest_url).map(String::from).unwrap_or_default();
                Tag::Link {
                    link_type,
                    dest_url: dest_url.into(),
                    title,
                    id,
                }
            }
            tag => tag,
        }
    }

    /// The plain words of the element that was just opened, up to its end.
    fn words_within(&mut self) -> String {
        let mut words = String::new();
        let mut open = 1;
        for event in self.parser.by_ref() {
            match event {
                Event::Start(_) => open += 1,
                Event::End(_) if open == 1 => break,
                Event::End(_) => open -= 1,
                Event::Text(text) | Event::Code(text) | Event::Html(text) => words.push_str(&text),
                Event::SoftBreak | Event::HardBreak => words.push(' '),
                _ => {}
            }
        }
        words
    }

    fn picture(&self, address: &str, title: &str, alt: &str) -> Event<'a> {
        let name = if alt.trim().is_empty() { "picture" } else { alt };
        let url = self.place.bytes.join(address).ok();
        let markup = match url.filter(|url| matches!(url.scheme(), "http" | "https")) {
            Some(url) if (self.place.is_asset)(&url) => {
                let address = utf8_percent_encode(url.as_str(), NON_ALPHANUMERIC);
                format!(
                    "<img data-asset=\"/api/readme-asset?url={address}\" alt=\"{}\" title=\"{}\">",
                    escaped(alt),
                    escaped(title)
                )
            }
            // It cannot be shown here; a link within a link is none.
            Some(url) if !self.in_link => {
                format!("<a href=\"{}\">{}</a>", escaped(url.as_str()), escaped(name))
            }
            _ => escaped(name),
        };
        Event::InlineHtml(markup.into())
    }
}

impl Place<'_> {
    /// Where a link of the README leads; `None` when it must not.
    fn link(&self, address: &str) -> Option<Url> {
        if let Some(fragment) = address.strip_prefix('#') {
            let mut page = self.page.clone();
            page.set_fragment(Some(fragment));
            return Some(page);
        }
        let url = self.files.join(address).ok()?;
        SCHEMES.contains(&url.scheme()).then_some(url)
    }
}

/// The words of a block of raw HTML, as a paragraph.
fn words_of<'a>(block: &str) -> CowStr<'a> {
    // Scripts and styles go with their content, everything else but its words.
    let words = Builder::empty().clean(block).to_string();
    match words.trim() {
        "" => "".into(),
        words => format!("<p>{words}</p>\n").into(),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(markdown: &str) -> String {
        let url = |text: &str| Url::parse(text).unwrap();
        render(
            markdown,
            &Place {
                page: url("https://hub.example/acme/tiny"),
                files: url("https://hub.example/acme/tiny/blob/abc/"),
                bytes: url("https://hub.example/acme/tiny/resolve/abc/"),
                is_asset: &|url| url.host_str() == Some("hub.example"),
            },
        )
    }

    /// Everything between `<` and `>`; in text both are escaped.
    fn tags(html: &str) -> impl Iterator<Item = &str> {
        html.split('<')
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap_or(rest))
    }

    /// Whether there is nothing that runs, loads or takes input.
    fn is_clean(html: &str) -> bool {
        let allowed = "a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr img li ol p pre strong sub sup \
                       table tbody td th thead tr ul";
        tags(html).all(|tag| {
            let name: String = tag
                .trim_start_matches('/')
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            // Every second piece lies within quotes.
            let names: String = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
            allowed.split(' ').any(|known| known == name)
                && names.split_whitespace().skip(1).all(|name| {
                    [
                        "href=",
                        "rel=",
                        "target=",
                        "title=",
                        "alt=",
                        "data-asset=",
                        "align=",
                        "start=",
                        "/",
                    ]
                    .contains(&name)
                })
                && SCHEMES.iter().any(|scheme| {
                    let link = tag.split("href=\"").nth(1);
                    link.is_none_or(|link| link.starts_with(scheme))
                })
        })
    }

    #[test]
    fn nothing_in_a_readme_can_run_or_load() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <script>alert(1)</script> b",
            "<img src=x onerror=alert(1)>",
            "text <img src=x onerror=alert(1)> text",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:x)",
            "<javascript:alert(1)>",
            "![x](javascript:alert(1))",
            "![\" onerror=\"alert(1)](https://hub.example/x.png)",
            "![x](https://hub.example/x.png '\" onerror=\"alert(1)')",
            "![x](https://evil.example/\"onmouseover=\"alert(1).png)",
            "<svg onload=alert(1)>\n\n</svg>",
            "<iframe src=\"https://evil.example\"></iframe>",
            "<style>body{display:none}</style>",
            "<div style=\"background:url(https://evil.example)\">\n\n# t\n\n</div>",
            "<!-- --><script>alert(1)</script>",
            "`<script>`\n\n    <script>alert(1)</script>\n",
            "[x]: javascript:alert(1)\n\n[x]",
            "<math><mtext></mtext><script>alert(1)</script></math>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        ] {
            let html = rendered(hostile);
            assert!(is_clean(&html), "{hostile}\n{html}");
        }
        assert!(!is_clean("<img src=x>") && !is_clean("<p onclick=\"x\">") && !is_clean("<script>"));
        assert!(!is_clean("<a href=\"javascript:x\">"));
    }

    #[test]
    fn words_stay_and_links_lead_to_the_hub() {
        let html = rendered(
            "# Title\n\n[a](docs/x.md) [b](#usage) [c](https://other.example/) [d](/acme/other)\n\n\
             <div align=\"center\"><b>bold</b> words</div>\n\n- [x] done\n\n|a|b|\n|-|-|\n|1|2|\n",
        );
        for part in [
            "<h1>Title</h1>",
            "href=\"https://hub.example/acme/tiny/blob/abc/docs/x.md\"",
            "href=\"https://hub.example/acme/tiny#usage\"",
            "href=\"https://other.example/\"",
            "href=\"https://hub.example/acme/other\"",
            "rel=\"noopener noreferrer nofollow\"",
            "<p>bold words</p>",
            "☑ done",
            "<td>1</td>",
        ] {
            assert!(html.contains(part), "{part}\n{html}");
        }
    }

    #[test]
    fn a_picture_is_an_address_until_somebody_asks_for_it() {
        let html = rendered("![a *b*](images/x%20y.png \"T\")");
        let address = "data-asset=\"/api/readme-asset?url=https%3A%2F%2Fhub%2Eexample%2Facme%2Ftiny%2Fresolve%2Fabc%2Fimages%2Fx%2520y%2Epng\"";
        assert!(html.contains(address), "{html}");
        assert!(
            html.contains("alt=\"a b\"") && html.contains("title=\"T\""),
            "{html}"
        );
        let elsewhere = rendered("![alt](https://evil.example/pixel.gif)");
        assert!(!elsewhere.contains("<img"), "{elsewhere}");
        assert!(elsewhere.contains(">alt</a>"), "{elsewhere}");
        let badge = rendered("[![alt](https://evil.example/b.svg)](https://other.example)");
        assert_eq!(badge.matches("<a ").count(), 1, "{badge}");
    }

    #[test]
    fn the_front_matter_is_taken_off_and_nothing_else() {
        for (text, expected) in [
            ("---\nlicense: mit\n---\n\n# T\n", "# T\n"),
            ("---\r\nlicense: mit\r\n---\r\n# T", "# T"),
            ("\u{feff}---\na: b\n---\n# T", "# T"),
            ("# T\n---\nx\n---\n", "# T\n---\nx\n---\n"),
            ("---\nno end", "---\nno end"),
            ("---\na\n---", ""),
            ("", ""),
        ] {
            assert_eq!(without_front_matter(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_made_to_be_slow_is_done_in_time() {
        // Done in a tenth of a second, or (nested quotes without a bound) in a minute.
        let deadline = std::time::Duration::from_secs(15);
        let pieces = "> |[|*a_|**a|![|<div>\n\n|<!--|- |1. |`|``a|\\|&#|[x](|<b>|<a|]|~~a|[a]: b\n|a\n===\n";
        for piece in pieces.split('|') {
            let text = piece.repeat((256 << 10) / piece.len());
            let begun = std::time::Instant::now();
            assert!(is_clean(&rendered(&text)), "{piece}");
            let took = begun.elapsed();
            assert!(took < deadline, "{piece:?}: {took:?}");
        }
    }

    #[test]
    fn markup_that_is_too_deep_or_nested_wrongly_loses_only_its_tags() {
        let deep = rendered(&format!("{}words *here*", "> ".repeat(500)));
        assert_eq!(deep.matches("<blockquote>").count(), DEPTH_MAX, "{deep}");
        assert!(deep.contains("words here"), "{deep}");
        let nested = rendered("![a ![b](https://hub.example/b.png) c](https://hub.example/a.png) after");
        assert_eq!(nested.matches("<img").count(), 1, "{nested}");
        assert!(
            nested.contains("alt=\"a b c\"") && nested.contains(" after"),
            "{nested}"
        );
    }

    proptest! {
        #[test]
        fn no_text_gets_through_uncleaned(pieces in prop::collection::vec(prop_oneof![
            Just("<script>".to_owned()), Just("</script>".to_owned()), Just("<img src=x onerror=y>".to_owned()),
            Just("![".to_owned()), Just("](".to_owned()), Just("javascript:".to_owned()), Just(")".to_owned()),
            Just("\n\n".to_owned()), Just("\"".to_owned()), Just("`".to_owned()), Just("<svg/onload=z>".to_owned()),
            "\\PC{0,8}",
        ], 0..24)) {
            let html = rendered(&pieces.concat());
            prop_assert!(is_clean(&html), "{}", html);
        }
    }
}
