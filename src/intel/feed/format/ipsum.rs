//! IPsum: addresses with the number of lists that contain them.

use crate::engine::indicator::{Kind, Scope};
use crate::intel::feed::contexts::Contexts;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};

/// Reads `ADDRESS<TAB>COUNT`. Each further list increases the confidence. The files
/// with one address per line (`levels/3.txt`) are plain lists.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let mut contexts = Contexts::new();
    for (number, line) in Lines::new(text) {
        let Line::Value(value, _) = lines::parse(line) else { continue };
        intake.at_line(number);
        let (address, count) = value.split_once(['\t', ' ', ',']).unwrap_or((value, ""));
        let context = contexts.get(count, || {
            let mut context = intake.base();
            if let Ok(count) = count.trim().parse::<u32>() {
                context.confidence = Some(confidence(count));
                let lists = if count == 1 { "list" } else { "lists" };
                context.description = Some(format!("on {count} {lists}").into());
            }
            context
        });
        intake.typed(Kind::Ip, address, Scope::Exact, context);
    }
}

/// The confidence that comes from being on `count` lists.
fn confidence(count: u32) -> u8 {
    count.saturating_mul(12).saturating_add(10).min(95) as u8
}

/// Whether a line has this form; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    line.split_once('\t').is_some_and(|(address, count)| {
        crate::engine::indicator::address::parse_ip(address).is_ok()
            && (1..=3).contains(&count.trim().len())
            && count.trim().bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn counts_become_confidence() {
        let text = b"# IPsum Threat Intelligence Feed\n# IP\tnumber of (black)lists\n#\n\
                     203.0.113.5\t10\n203.0.113.6\t1\nx\t1\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Ipsum);
        let confidence: Vec<_> = got.indicators.iter().map(|i| i.context.confidence).collect();
        assert_eq!(confidence, [Some(95), Some(22)]);
        let words = got.indicators.iter().map(|it| it.context.description.as_deref().unwrap());
        assert!(words.eq(["on 10 lists", "on 1 list"]));
        assert_eq!(got.rejects.len(), 1);
    }
}
