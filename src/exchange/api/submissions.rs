//! URLs and files that somebody submits: recorded with their digests, never fetched, kept or run.

use super::pages::{Envelope, Page};
use super::render::tlp;
use crate::engine::indicator::{Tlp, digest};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{Type, naive, normalise};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::Submission;
use serde_json::{Value, json};
use sha2::Digest as _;

/// The kind of URLs in the storage.
const URLS: i64 = 1;

/// The kind of files.
const FILES: i64 = 2;

/// The most URLs, or digests, of a request.
const MAX: usize = 1000;

/// `POST /indicators/submit_url`.
pub(super) fn url(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let body = call.json()?;
    let raw = body.get("url").and_then(Value::as_str).unwrap_or_default();
    let (_, url) =
        normalise(Type::Url, raw).map_err(|why| Failure::bad_request(format!("url: {why}")))?;
    let tlp = tlp_of(&body)?;
    let is_new = call.write(move |writes| writes.submit(user, URLS, (&url, "", tlp)))?;
    let result = if is_new { "added" } else { "exists" };
    Ok(Reply::json(&json!({"result": result, "status": "ok"})))
}

/// `POST /indicators/submit_urls`.
pub(super) fn urls(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let body = call.json()?;
    let tlp = tlp_of(&body)?;
    let list = texts(&body, "urls")?;
    let mut invalid = Vec::new();
    let mut valid = Vec::new();
    for raw in list {
        match normalise(Type::Url, &raw) {
            Ok((_, url)) => valid.push((raw, url)),
            Err(_) => invalid.push(raw),
        }
    }
    let (added, exists) = call.write(move |writes| {
        let (mut added, mut exists) = (Vec::new(), Vec::new());
        for (raw, url) in valid {
            match writes.submit(user, URLS, (&url, "", tlp))? {
                true => added.push(raw),
                false => exists.push(raw),
            }
        }
        Ok((added, exists))
    })?;
    Ok(Reply::json(&json!({
        "added": added, "exists": exists, "skipped": [], "updated": [], "invalid": invalid,
        "status": "ok",
    })))
}

/// The TLP of a body; red by default, so that nothing is shown by mistake.
fn tlp_of(body: &Value) -> Result<Tlp, Failure> {
    match body.get("tlp").and_then(Value::as_str) {
        None => Ok(Tlp::Red),
        Some(name) => Tlp::from_name(name)
            .ok_or_else(|| Failure::bad_request("tlp: expected white, green, amber or red")),
    }
}

/// A list of texts of a body.
fn texts(body: &Value, name: &str) -> Result<Vec<String>, Failure> {
    let list = match body.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MAX => list,
        Some(_) => {
            let expected = format!("{name}: expected a list of at most {MAX} texts");
            return Err(Failure::bad_request(expected));
        }
    };
    let texts: Option<Vec<String>> =
        list.iter().map(|entry| entry.as_str().map(str::to_string)).collect();
    texts.ok_or_else(|| Failure::bad_request(format!("{name}: expected a list of texts")))
}

/// `POST /indicators/submit_file`: a form with the field `file`.
pub(super) fn file(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let no_file = || Failure::bad_request("expected a multipart form with the field “file”");
    let content_type = call.request.header("content-type").ok_or_else(no_file)?;
    let (name, bytes) = part(content_type, &call.request.body).ok_or_else(no_file)?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(255).collect();
    let hash = digest::encode(&sha2::Sha256::digest(bytes));
    let stored = hash.clone();
    let others =
        [digest::encode(&md5::Md5::digest(bytes)), digest::encode(&sha1::Sha1::digest(bytes))];
    let is_new = call.write(move |writes| {
        // Whoever asks for one digest of the file later finds what pulses say about the others.
        let [md5, sha1] = &others;
        let all = [(Type::Md5, md5.as_str()), (Type::Sha1, sha1), (Type::Sha256, &stored)];
        writes.link_file(user, &all)?;
        writes.submit(user, FILES, (&name, &stored, Tlp::Red))
    })?;
    let result = if is_new { "added" } else { "exists" };
    Ok(Reply::json(&json!({"result": result, "sha256": hash, "status": "ok"})))
}

/// The file name and the content of the field `file` of a form (RFC 7578).
pub(in crate::exchange) fn part<'b>(
    content_type: &str,
    body: &'b [u8],
) -> Option<(String, &'b [u8])> {
    if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return None;
    }
    let boundary =
        content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let mark = format!("\r\n--{boundary}");
    let finder = memchr::memmem::Finder::new(mark.as_bytes());
    // The first boundary may have no line before it.
    let first = body.strip_prefix(&mark.as_bytes()[2..]);
    let mut rest = match first {
        Some(rest) => rest,
        None => &body[finder.find(body)? + mark.len()..],
    };
    loop {
        let end = finder.find(rest)?;
        let part = &rest[..end];
        rest = &rest[end + mark.len()..];
        let head_end = memchr::memmem::find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..head_end]).into_owned();
        if parameter(&head, "name").as_deref() == Some("file") {
            let name = parameter(&head, "filename").unwrap_or_default();
            return Some((name, &part[head_end + 4..]));
        }
    }
}

/// A quoted parameter of the head of a part.
fn parameter(head: &str, name: &str) -> Option<String> {
    let mark = format!("{name}=\"");
    let line = head.lines().find(|line| {
        line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let at = line
        .match_indices(&mark)
        .map(|(at, _)| at)
        .find(|at| matches!(line.as_bytes().get(at.wrapping_sub(1)), Some(b' ' | b';' | b'\t')))?;
    let value = &line[at + mark.len()..];
    Some(value[..value.find('"')?].to_string())
}

/// `/indicators/submitted_urls`.
pub(super) fn submitted_urls(call: &Call<'_>) -> Answer {
    submitted(call, URLS)
}

/// `/indicators/submitted_files`.
pub(super) fn submitted_files(call: &Call<'_>) -> Answer {
    submitted(call, FILES)
}

fn submitted(call: &Call<'_>, kind: i64) -> Answer {
    let user = call.user()?;
    let body = call.json()?;
    let digests = texts(&body, "hashes")?;
    let mut page = Page::of(call, 20, 1000);
    // Pages of a POST are in its body, and those of `next` in its address.
    let of_body =
        |name: &str| body.get(name).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
    if let Some(limit) = of_body("limit").filter(|limit| *limit > 0) {
        page.limit = limit.min(1000);
    }
    if call.query().get("page").is_none()
        && let Some(number) = of_body("page").filter(|number| *number > 0)
    {
        page.number = number.min(1 << 20);
    }
    page.offset = (page.number - 1) * page.limit;
    let (count, found) =
        call.read(|view| view.submissions(user, (kind, &digests), page.range()))?;
    let rows: Vec<Value> = found.iter().map(|of| row(of, kind)).collect();
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

fn row(of: &Submission, kind: i64) -> Value {
    let date = naive(of.created);
    let mut row = json!({
        "add_date": date, "complete_date": date, "tlp": tlp(of.tlp), "user_id": of.by.0,
    });
    if kind == URLS {
        row["url"] = json!(of.name);
    } else {
        row["file_name"] = json!(of.name);
        row["sha256"] = json!(of.digest);
    }
    row
}

/// `POST /indicators/update_submitted_urls_tlp`.
pub(super) fn urls_tlp(call: &Call<'_>) -> Answer {
    set_tlp(call, URLS, "urls")
}

/// `POST /indicators/update_submitted_files_tlp`.
pub(super) fn files_tlp(call: &Call<'_>) -> Answer {
    set_tlp(call, FILES, "hashes")
}

fn set_tlp(call: &Call<'_>, kind: i64, name: &str) -> Answer {
    let user = call.user()?;
    let body = call.json()?;
    let tlp = tlp_of(&body)?;
    let names = texts(&body, name)?;
    let updated = call.write(move |writes| {
        let mut updated = Vec::new();
        for name in names {
            let of = match kind {
                URLS => normalise(Type::Url, &name).map(|(_, url)| url).unwrap_or_default(),
                _ => name.to_ascii_lowercase(),
            };
            if writes.set_submission_tlp(user, (kind, &of), tlp)? > 0 {
                updated.push(name);
            }
        }
        Ok(updated)
    })?;
    Ok(Reply::json(&json!({"updated": updated, "status": "ok"})))
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn forms() {
        let kind = "multipart/form-data; boundary=XX";
        let body = b"--XX\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--XX\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\nab\r\nc\r\n--XX--\r\n";
        assert_eq!(part(kind, body), Some(("a.bin".to_string(), &b"ab\r\nc"[..])));
        assert_eq!(part(kind, b"--XX\r\n"), None);
        assert_eq!(part(kind, b""), None);
        assert_eq!(part("text/plain", body), None);
    }
}
