//! `wiresift exchange export`.

use super::place::place;
use crate::cli::flags::ExchangeExport;
use crate::cli::messages::say;
use crate::cli::outcome::Outcome;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use wiresift::engine::error::escape_text;
use wiresift::exchange::api::pulse_line;
use wiresift::exchange::export::{Dump, DumpScope, Format};
use wiresift::exchange::pulses::Type;
use wiresift::exchange::storage::Storage;
use wiresift::{Error, Result};

/// Writes pulses to a file, a folder, or standard output.
pub(super) fn export(flags: &ExchangeExport) -> Result<Outcome> {
    let scope = DumpScope::parse(&flags.scope)?;
    let types = types(&flags.types)?;
    let format = Format::of_path(&flags.format);
    if format.is_none() && !["otx", "misp"].contains(&&*flags.format) {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.path()).collect();
        let name = escape_text(&flags.format);
        return Err(Error::usage(format!("unknown format “{name}”"))
            .remedy(format!("expected otx, misp, {}", known.join(", "))));
    }
    let is_stdout = flags.output.as_os_str() == "-";
    if !is_stdout && flags.output.exists() {
        return Err(Error::usage("the output exists")
            .at_path(&flags.output)
            .remedy("remove it, or name another"));
    }
    let place = place(&flags.data)?;
    Storage::expect(&place)?;
    let (storage, _) = Storage::open(place)?;
    let home = flags.url.trim_end_matches('/');
    let count = storage.read(|view| {
        let dump = Dump::new(view, &scope, (home, types))?;
        match format {
            Some(format) if is_stdout => dump.render(format, &mut std::io::stdout().lock()),
            Some(format) => dump.write(format, &flags.output),
            None if flags.format == "misp" && is_stdout => {
                Err(Error::usage("a MISP feed is a folder").remedy("name one"))
            }
            None if flags.format == "misp" => dump.write_misp(&flags.output),
            None if is_stdout => lines(&dump, &mut std::io::stdout().lock()),
            None => {
                let failed = |error| Error::io("write", error).at_path(&flags.output);
                let file = OpenOptions::new().write(true).create_new(true).open(&flags.output);
                let mut file = BufWriter::new(file.map_err(failed)?);
                lines(&dump, &mut file)?;
                file.flush().map_err(failed)
            }
        }?;
        let mut count = 0;
        dump.each(&mut |_, _| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    })?;
    if !is_stdout {
        say(&format!("exported {}", crate::cli::messages::plural(count, "pulse")));
    }
    Ok(Outcome::Yes)
}

/// One pulse a line, with its indicators.
fn lines(dump: &Dump<'_>, out: &mut dyn Write) -> Result<()> {
    dump.each(&mut |pulse, indicators| {
        let line = pulse_line(pulse, indicators);
        writeln!(out, "{line}").map_err(|error| Error::io("write the export", error))
    })
}

/// The types of `--types`.
fn types(text: &str) -> Result<Vec<Type>> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let of = |name: &str| {
        Type::from_name(name).ok_or_else(|| {
            let known: Vec<&str> = Type::ALL.iter().map(|of| of.name()).collect();
            Error::usage(format!("unknown type “{}”", escape_text(name)))
                .remedy(format!("expected some of {}", known.join(", ")))
        })
    };
    names.map(of).collect()
}
