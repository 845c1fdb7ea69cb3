//! How pages look: language and colours, kept in cookies.

use crate::exchange::page::forms::{Form, see};
use crate::exchange::page::language::Language;
use crate::exchange::page::links::own_path;
use crate::exchange::page::visit::{COLOURS, Colours, LANGUAGE, Visit};
use crate::exchange::site::{Answer, Call, Cookies, check_origin};

/// A year in seconds.
const YEAR: u32 = 31_536_000;

/// `POST /look`.
pub(in crate::exchange::page) fn look(call: &Call<'_>) -> Answer {
    check_origin(call.request, call.settings(), false)?;
    let visit = Visit::new(call);
    let form = Form::of(&visit, 4096)?;
    let mut reply = see(&own_path(form.get("back")));
    let secure = if call.settings().cookies() == Cookies::Secure { "; Secure" } else { "" };
    let mut keep = |name: &str, value: &str| {
        let age = format!("Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}");
        reply.headers.push(("set-cookie", format!("{name}={value}; {age}")));
    };
    if let Some(language) = Language::from_code(form.get("language")) {
        keep(LANGUAGE, language.code());
    }
    if let Some(colours) = Colours::from_name(form.get("colours")) {
        keep(COLOURS, colours.name());
    }
    Ok(reply)
}
