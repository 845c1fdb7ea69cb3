//! Somebody who reads pages, follows links and sends forms, without scripts.

use crate::exchange::inside::Inside;
use scraper::{ElementRef, Html, Selector};
use std::collections::{BTreeMap, BTreeSet};
use wiresift::exchange::accounts::{Role, UserId, hash_password};
use wiresift::exchange::http::{Method, encode};
use wiresift::exchange::storage::NewAccount;

pub const PASSWORD: &str = "correct horse battery";

/// A reader with cookies, and the page that is open.
pub struct Reader<'i> {
    inside: &'i Inside,
    cookies: BTreeMap<String, String>,
    /// Fields that each request has besides.
    pub headers: Vec<(&'static str, String)>,
    pub page: Page,
}

/// A page that was shown.
pub struct Page {
    pub path: String,
    pub status: u16,
    pub body: String,
    pub html: Html,
    headers: Vec<(String, String)>,
}

impl Page {
    /// The texts of the elements that a selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let text = |of: ElementRef<'_>| {
            let words = of.text().collect::<String>();
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        self.html.select(&selector).map(text).collect()
    }

    /// An attribute of the elements that a selector finds.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let found = self.html.select(&selector);
        found.filter_map(|of| of.value().attr(name)).map(str::to_string).collect()
    }

    /// All that is read.
    pub fn text(&self) -> String {
        self.texts("body").join(" ")
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

impl<'i> Reader<'i> {
    pub fn new(inside: &'i Inside) -> Reader<'i> {
        let page = Page {
            path: String::new(),
            status: 0,
            body: String::new(),
            html: Html::new_document(),
            headers: Vec::new(),
        };
        Reader { inside, cookies: BTreeMap::new(), headers: Vec::new(), page }
    }

    /// Somebody with an account, who signed in by the form.
    pub fn signed_in(inside: &'i Inside, name: &str) -> Reader<'i> {
        account(inside, name, Role::Member);
        let mut reader = Reader::new(inside);
        reader.get("/sign-in");
        reader.submit("/sign-in", &[("username", name), ("password", PASSWORD)]);
        assert_eq!(reader.page.status, 200, "{}", reader.page.text());
        assert_eq!(reader.page.texts(".who"), [name]);
        reader
    }

    /// Opens an address, following redirects. Every page that is shown is checked.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> &Page {
        self.send(Method::Get, path, "");
        &self.page
    }

    /// Sends the form of the open page that leads to an address, with some fields filled in.
    #[track_caller]
    pub fn submit(&mut self, action: &str, filled: &[(&str, &str)]) -> &Page {
        let forms = Selector::parse("form").unwrap();
        let inputs = Selector::parse("input, textarea, select").unwrap();
        let wanted = |of: &ElementRef<'_>| {
            of.value().attr("action") == Some(action) && {
                // Of several forms to one address, the one that has all fields is meant.
                let names: BTreeSet<&str> =
                    of.select(&inputs).filter_map(|it| it.value().attr("name")).collect();
                filled.iter().all(|(name, _)| *name == "do" || names.contains(name))
            }
        };
        let form = self.page.html.select(&forms).find(wanted);
        let form = form.unwrap_or_else(|| panic!("no form to {action}: {}", self.page.body));
        let is_post = form.value().attr("method") == Some("post");
        let mut fields: Vec<(String, String)> = filled
            .iter()
            .map(|(name, value)| ((*name).to_string(), (*value).to_string()))
            .collect();
        for input in form.select(&inputs) {
            let Some(name) = input.value().attr("name") else { continue };
            let is_box = input.value().attr("type") == Some("checkbox");
            if filled.iter().any(|(of, _)| *of == name)
                || is_box && input.value().attr("checked").is_none()
            {
                continue;
            }
            let value = match input.value().name() {
                "textarea" => input.text().collect::<String>(),
                _ => input.value().attr("value").unwrap_or_default().to_string(),
            };
            fields.push((name.to_string(), value));
        }
        let pairs =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        match is_post {
            true => self.send(Method::Post, action, &body),
            false => {
                self.send(
                    Method::Get,
                    &format!("{}?{body}", action.split("?").next().unwrap()),
                    "",
                );
            }
        }
        &self.page
    }

    #[track_caller]
    fn send(&mut self, method: Method, path: &str, body: &str) {
        let (mut method, mut path, mut body) = (method, path.to_string(), body.to_string());
        for _ in 0..5 {
            let told = self.once(method, &path, &body);
            if told.status != 303 {
                let headers =
                    told.headers().iter().map(|(name, value)| ((*name).into(), value.clone()));
                self.page = Page {
                    path,
                    status: told.status,
                    html: Html::parse_document(&told.body),
                    headers: headers.collect(),
                    body: told.body,
                };
                check(&self.page);
                return;
            }
            path = told.header("location").unwrap().to_string();
            (method, body) = (Method::Get, String::new());
        }
        panic!("{path} leads nowhere");
    }

    /// Sends a body as it is, from a page of some site. Answers the status.
    pub fn post_bare(&mut self, path: &str, body: &str, site: &str) -> u16 {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let headers = [
            ("sec-fetch-site", site.to_string()),
            ("content-type", "application/x-www-form-urlencoded".to_string()),
            ("cookie", pairs.collect::<Vec<_>>().join("; ")),
        ];
        self.inside.ask_with(Method::Post, path, &headers, body).status
    }

    fn once(&mut self, method: Method, path: &str, body: &str) -> crate::exchange::inside::Told {
        let kind = "application/x-www-form-urlencoded";
        let mut headers = vec![
            ("sec-fetch-site", "same-origin".to_string()),
            ("accept", "text/html,application/xhtml+xml".to_string()),
            ("content-type", kind.to_string()),
        ];
        headers.extend(self.headers.iter().cloned());
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            headers.push(("cookie", pairs.collect::<Vec<_>>().join("; ")));
        }
        let told = self.inside.ask_with(method, path, &headers, body);
        for (_, set) in told.headers().iter().filter(|(name, _)| *name == "set-cookie") {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_string(), value.to_string()),
            };
        }
        told
    }
}

/// Creates an account with a password.
pub fn account(inside: &Inside, name: &str, role: Role) -> UserId {
    let digest = hash_password(PASSWORD).unwrap();
    let new = NewAccount { name: name.into(), email: String::new(), role, password: Some(digest) };
    inside.site.storage.write(move |writes| writes.create_account(&new)).unwrap()
}

/// What holds for every page: landmarks and headings, labels, nothing inline, nothing from
/// elsewhere, and no text that is missing.
#[track_caller]
pub fn check(page: &Page) {
    let at = &page.path;
    assert!(
        page.header("content-type").is_some_and(|of| of.starts_with("text/html")),
        "{at}: {}",
        page.body
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let count = |selector: &str| page.texts(selector).len();
    assert_eq!((count("h1"), count("main"), count("head > title")), (1, 1, 1), "{at}");
    assert_eq!(page.attributes("html", "lang").len(), 1, "{at}");
    assert_eq!(count("[style], style, script:not([src]), iframe, object, embed, base"), 0, "{at}");
    let mut depth = 0;
    let headings = Selector::parse("h1, h2, h3, h4, h5, h6").unwrap();
    for heading in page.html.select(&headings) {
        let level: u8 = heading.value().name()[1..].parse().unwrap();
        assert!(level <= depth + 1, "{at}: {} after h{depth}", heading.value().name());
        depth = level;
    }
    let mut ids = BTreeSet::new();
    for id in page.attributes("[id]", "id") {
        assert!(ids.insert(id.clone()), "{at}: {id} twice");
    }
    let labels: BTreeSet<String> = page.attributes("label[for]", "for").into_iter().collect();
    let fields = Selector::parse("input:not([type=hidden]), textarea, select").unwrap();
    for field in page.html.select(&fields) {
        let is_wrapped =
            field.ancestors().filter_map(ElementRef::wrap).any(|of| of.value().name() == "label");
        let is_labelled = field.value().attr("id").is_some_and(|id| labels.contains(id));
        assert!(is_wrapped || is_labelled, "{at}: a field has no label: {}", field.html());
    }
    let every = Selector::parse("*").unwrap();
    for element in page.html.select(&every) {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on"), "{at}: {}", element.html());
            let loads =
                matches!(name, "src" | "action" | "formaction" | "data" | "poster" | "srcset")
                    || name == "href" && element.value().name() == "link";
            let is_own = value.starts_with('/') && !value.starts_with("//")
                || value.starts_with("data:image/svg+xml,");
            assert!(!loads || is_own, "{at}: {}", element.html());
        }
        if element.value().name() == "a" {
            let href = element.value().attr("href").unwrap_or_default();
            let is_ours = href.starts_with('/') && !href.starts_with("//") || href.starts_with('#');
            let is_marked = element.value().attr("rel") == Some("nofollow noopener noreferrer");
            let is_web = href.starts_with("https://") || href.starts_with("http://");
            assert!(is_ours || is_web && is_marked, "{at}: {}", element.html());
        }
    }
}
