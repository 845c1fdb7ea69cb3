//! Decompresses data identified by its magic number, within a limit: a small file
//! must not use up the machine's memory.

use crate::engine::error::{Error, Result};
use std::borrow::Cow;
use std::io::Read;

/// Decompresses gzip, zstandard, bzip2, xz, or a zip archive of a single file.
/// Anything else is returned as it is, borrowed. Concatenated streams are read to
/// the end.
///
/// # Errors
///
/// The data is damaged or truncated, or would exceed `max_len` bytes.
pub fn inflate(bytes: &[u8], max_len: u64) -> Result<Cow<'_, [u8]>> {
    if bytes.starts_with(b"PK\x03\x04") {
        return unzip(bytes, max_len).map(Cow::Owned);
    }
    let reader: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, 0x08, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::stream::read::Decoder::with_buffer(bytes);
            Box::new(decoder.map_err(|error| Error::io("decompress zstandard", error))?)
        }
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Box::new(bzip2::read::MultiBzDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(liblzma::read::XzDecoder::new_multi_decoder(bytes))
        }
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    drain(reader, max_len).map(Cow::Owned)
}

/// Reads the only file of an archive.
fn unzip(bytes: &[u8], max_len: u64) -> Result<Vec<u8>> {
    let damaged = |error: zip::result::ZipError| {
        Error::format(format!("the zip archive cannot be read: {error}"))
            .remedy("the file is damaged, truncated or encrypted: fetch it again")
    };
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(damaged)?;
    let mut files = Vec::new();
    for at in 0..archive.len() {
        if archive.by_index_raw(at).map_err(damaged)?.is_file() {
            files.push(at);
        }
    }
    let [file] = files[..] else {
        return Err(Error::format(format!("the zip archive contains {} files", files.len()))
            .remedy("unpack it: only archives with a single file are read"));
    };
    drain(archive.by_index(file).map_err(damaged)?, max_len)
}

/// Reads everything, within a limit.
fn drain(reader: impl Read, max_len: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(max_len.saturating_add(1)).read_to_end(&mut out).map_err(|error| {
        Error::io("decompress", error).remedy("the file is damaged or truncated: fetch it again")
    })?;
    if out.len() as u64 > max_len {
        return Err(Error::format(format!("it decompresses to more than {max_len} bytes")).remedy(
            "raise max_size in wiresift.toml if it is meant to be that large, or split it",
        ));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive.add_directory("folder/", zip::write::SimpleFileOptions::default()).unwrap();
        for (name, bytes) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn archives_with_one_file_are_decompressed() {
        let plain = b"evil.example\n".repeat(100);
        let one = zipped(&[("folder/list.csv", &plain)]);
        assert_eq!(inflate(&one, 1 << 20).unwrap(), plain);
        assert!(inflate(&one, 100).unwrap_err().to_string().contains("more than 100"));
        assert!(inflate(&one[..one.len() / 2], 1 << 20).is_err());
        let two = zipped(&[("a", &plain), ("b", &plain)]);
        assert!(inflate(&two, 1 << 20).unwrap_err().to_string().contains("2 files"));
        let mut damaged = one;
        damaged[90] ^= 0xff;
        assert!(inflate(&damaged, 1 << 20).is_err());
    }

    #[test]
    fn all_four_and_none() {
        let plain = b"evil.example\n".repeat(100);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&plain).unwrap();
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz.write_all(&plain).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&plain).unwrap();
        let packed = [
            gz.finish().unwrap(),
            zstd::encode_all(&plain[..], 1).unwrap(),
            bz.finish().unwrap(),
            xz.finish().unwrap(),
            plain.clone(),
        ];
        for bytes in &packed {
            assert_eq!(inflate(bytes, 1 << 20).unwrap(), plain);
        }
        for bytes in &packed[..4] {
            let joined = [&bytes[..], &bytes[..]].concat();
            assert_eq!(inflate(&joined, 1 << 20).unwrap().len(), 2 * plain.len());
            assert!(inflate(bytes, 100).unwrap_err().to_string().contains("more than 100"));
            assert!(inflate(&bytes[..bytes.len() - 5], 1 << 20).is_err());
        }
    }
}
