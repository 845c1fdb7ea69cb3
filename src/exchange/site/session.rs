//! Cookies of sessions, and where a request of a browser comes from.

use super::{Cookies, Settings};
use crate::exchange::accounts::{SESSION_LIFE, Secret, is_form_token};
use crate::exchange::http::{Failure, Query, Request};

/// The header field with the token of forms.
const TOKEN: &str = "x-csrf-token";

/// The field of a form with the token.
const FIELD: &str = "csrf_token";

impl Cookies {
    /// The name of the cookie. Browsers take one that begins with `__Host-` from this host alone,
    /// over TLS, for all paths.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Cookies::Secure => Some("__Host-session"),
            Cookies::Loopback => Some("session"),
            Cookies::Refused => None,
        }
    }

    /// The header field that stores a secret in the browser, or, without one, removes it.
    ///
    /// # Errors
    ///
    /// 403 where no cookie may be set.
    pub fn set(self, secret: Option<&Secret>) -> Result<String, Failure> {
        let name = self.name().ok_or_else(|| {
            Failure::forbidden(
                "nobody can log in here: the server is reached over a network without TLS",
            )
        })?;
        let secure = if self == Cookies::Secure { "; Secure" } else { "" };
        let (value, age) = match secret {
            Some(secret) => (secret.text(), SESSION_LIFE),
            None => ("", 0),
        };
        Ok(format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"))
    }
}

/// The secret of the session in the cookies of a request.
pub fn cookie<'r>(request: &'r Request, settings: &Settings) -> Option<&'r str> {
    let name = settings.cookies().name()?;
    let lines = request.headers.get_all("cookie").iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let mut values = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(of, _)| *of == name)
        .map(|(_, value)| value.trim_matches('"'));
    let value = values.next()?;
    // Of two cookies of this name, one was put there by somebody else.
    let is_secret = value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    (is_secret && values.next().is_none()).then_some(value)
}

/// Checks that a request that changes something comes from a page of this server, whatever else
/// it has.
///
/// # Errors
///
/// 403 if a browser says that it does not, or says nothing and `is_browser`.
pub fn check_origin(
    request: &Request,
    settings: &Settings,
    is_browser: bool,
) -> Result<(), Failure> {
    let foreign = || Failure::forbidden("the request comes from a page of another site");
    match request.header("sec-fetch-site") {
        Some("same-origin") => return Ok(()),
        // Typed, or from a bookmark: not a page of somebody else, but no form of ours either.
        Some("none") if !is_browser => return Ok(()),
        Some(_) => return Err(foreign()),
        None => {}
    }
    match request.header("origin") {
        Some(origin) if origin.eq_ignore_ascii_case(&settings.origin()) => Ok(()),
        Some(_) => Err(foreign()),
        None if is_browser => Err(Failure::forbidden(
            "the request does not say which page it comes from: “Origin” or “Sec-Fetch-Site” is missing",
        )),
        None => Ok(()),
    }
}

/// Checks the token of forms of a request with a session.
///
/// # Errors
///
/// 403 if there is none, or a wrong one.
pub(super) fn check_token(request: &Request, secret: &str) -> Result<(), Failure> {
    let of_form = || {
        let kind = request.header("content-type").unwrap_or_default();
        let is_form = kind.split(';').next().map(str::trim) == Some(FORM);
        let form = is_form.then(|| String::from_utf8_lossy(&request.body).into_owned())?;
        Query::parse(&form).get(FIELD).map(str::to_string)
    };
    let token = request.header(TOKEN).map(str::to_string).or_else(of_form);
    match token {
        Some(token) if is_form_token(secret, &token) => Ok(()),
        _ => Err(Failure::forbidden(format!(
            "the token of this session is missing or wrong: send it in “{TOKEN}”, or in the field \
             “{FIELD}” of a form"
        ))),
    }
}

/// The type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::http::Method;

    fn request(headers: &[(&'static str, &str)], body: &str) -> Request {
        let mut all = hyper::HeaderMap::new();
        for (name, value) in headers {
            all.append(*name, value.parse().unwrap());
        }
        Request {
            method: Method::Post,
            target: "/".into(),
            headers: all,
            body: body.as_bytes().to_vec(),
            peer: [127, 0, 0, 1].into(),
        }
    }

    #[test]
    fn cookies_are_found_and_set() {
        let secret = Secret::new().unwrap();
        let secure = Settings { base: "https://x.example".into(), ..Settings::default() };
        let set = secure.cookies().set(Some(&secret)).unwrap();
        let pair = format!("__Host-session={}", secret.text());
        assert_eq!(set, format!("{pair}; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure"));
        assert!(secure.cookies().set(None).unwrap().contains("Max-Age=0"));
        let found =
            |line: &str| cookie(&request(&[("cookie", line)], ""), &secure).map(str::to_string);
        assert_eq!(found(&format!("a=b; {pair};c")).as_deref(), Some(secret.text()));
        for line in ["", "__Host-session=1", &format!("{pair}; {pair}"), &pair[1..]] {
            assert_eq!(found(line), None, "{line}");
        }
        // The plain cookie of a loopback address is nothing to a server with TLS.
        assert_eq!(found(&format!("session={}", secret.text())), None);
        let far = Settings { base: "http://192.0.2.1".into(), ..Settings::default() };
        assert_eq!(far.cookies().set(None).unwrap_err().status, 403);
    }

    #[test]
    fn only_pages_of_this_server_change_anything() {
        let settings = Settings { base: "https://x.example".into(), ..Settings::default() };
        for (headers, is_fine) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://x.example")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://x.example")], true),
            (&[("origin", "https://x.example.evil.example")], false),
            (&[("origin", "http://x.example")], false),
            (&[("origin", "null")], false),
            (&[], false),
        ] {
            let outcome = check_origin(&request(headers, ""), &settings, true);
            assert_eq!(outcome.is_ok(), is_fine, "{headers:?}");
        }
        assert!(check_origin(&request(&[], ""), &settings, false).is_ok());
        let secret = Secret::new().unwrap();
        let token = secret.form_token();
        let form = format!("x=1&csrf_token={token}");
        assert!(check_token(&request(&[("x-csrf-token", &token)], ""), secret.text()).is_ok());
        let kind = ("content-type", "application/x-www-form-urlencoded");
        assert!(check_token(&request(&[kind], &form), secret.text()).is_ok());
        assert!(check_token(&request(&[], &form), secret.text()).is_err());
        assert!(check_token(&request(&[("x-csrf-token", "0")], &form), secret.text()).is_err());
    }
}
