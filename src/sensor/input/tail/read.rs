//! A turn: a part of a file is read, and cut into pieces.

use super::content::{Content, SAMPLE};
use super::cut::{Cutting, Lines, MAX_LINE, MIN_NULS, Unfinished, cut};
use super::follow::Tail;
use super::key::Found;
use super::notice::Notice;
use super::plain::{Nuls, after_nuls, read_full_at};
use super::position::{Ending, Piece, Position, Within};
use super::record::MAX_HEADERS;
use super::resolve::may_be_unfinished;
use super::state::{FileId, Pending, Role, Stream};
use super::text::{Text, put_buffer, take_buffer};
use super::unpacking::Unpacking;
use crate::sensor::input::{Packing, Wide};
use memchr::memchr_iter;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The number of bytes before an incomplete line that are used to recognise an overwritten file.
const BEFORE: usize = 64;
/// The number of NULs that are skipped in a turn.
const NULS_TURN: usize = 4 << 20;
/// The number of pieces that are cut from what was read in a turn.
const MAX_PIECES: usize = 256;
/// How much is decompressed in a turn only to be skipped.
const SKIP_TURN: usize = 4 << 20;

/// The result of a turn.
enum Turn {
    /// There is more to read.
    More,
    /// Everything was read.
    Done,
    /// There is data, but it is incomplete.
    Waits,
    /// The file contains another text than the one that was read.
    Overwritten,
}

impl Tail {
    /// Runs a file's turn.
    pub(super) fn turn(&mut self, id: FileId) {
        let Some(file) = self.files.get(&id) else { return };
        let (stream, packing) = match (&file.role, file.packing) {
            (Role::Holds(stream), packing) => (*stream, packing.flatten()),
            (Role::Fresh, Some(Some(_))) => return self.advance_probe(id),
            _ => return,
        };
        let Some(open) = self.open_file(id) else { return };
        let Ok(found) = Found::of_open(&*open) else { return };
        let turn = match packing {
            None => self.turn_plain(id, stream, &open, found),
            Some(packing) => self.turn_packed(id, stream, &open, packing),
        };
        let Some(file) = self.files.get_mut(&id) else { return };
        file.found = Found { key: file.found.key, ..found };
        file.unfinished = Unfinished::Waits;
        file.is_caught_up = matches!(turn, Turn::Done);
        if let Some(stream) = self.streams.get_mut(&stream)
            && !matches!(turn, Turn::Overwritten)
        {
            (stream.size, stream.last_seen) = (found.size, self.wall);
        }
        let waits = file.left.is_some()
            || file.nuls > 0
            || file.is_partial && self.options.idle_flush.is_some();
        if waits {
            self.timed.insert(id);
        }
        match turn {
            Turn::More => self.make_ready(id),
            Turn::Done => self.wake_likenesses(stream),
            Turn::Waits => {}
            Turn::Overwritten => self.restart(id, stream),
        }
    }

    /// A file was truncated or overwritten: it contains a new stream, and the old one becomes
    /// loose.
    pub(super) fn restart(&mut self, id: FileId, stream: u64) {
        self.counted.rotations.truncated += 1;
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.key = None;
        }
        self.loosen(stream);
        let Some(file) = self.files.get_mut(&id) else { return };
        (file.role, file.packing) = (Role::Fresh, None);
        (file.pending, file.unpacking, file.nuls) = (None, None, 0);
        (file.is_partial, file.is_closed, file.was_cut) = (false, false, false);
        self.fresh.insert(id);
    }

    fn turn_plain(&mut self, id: FileId, number: u64, open: &File, found: Found) -> Turn {
        let Some(stream) = self.streams.get_mut(&number) else { return Turn::Done };
        let position = stream.read.clone();
        if stream.head.is_empty() && position.offset >= SAMPLE as u64 {
            load_first(stream, open);
        }
        if found.size < position.offset {
            return Turn::Overwritten;
        }
        if self.is_grown_copy(number, found.size > position.offset) {
            self.set_aside(id, number);
            return Turn::Waits;
        }
        if self.is_still_partial(id, open, &position, found.size) {
            return Turn::Done;
        }
        let mut window = take_buffer(self.options.turn.max(SAMPLE) + SAMPLE);
        let turn = self.read_plain(id, open, &position, found, &mut window);
        self.fill_pieces(window);
        turn
    }

    /// Gives the pieces that were cut from a window their texts: the last one the window itself.
    fn fill_pieces(&mut self, window: Vec<u8>) {
        let first = self.out.len() - self.unfilled.len();
        let mut pieces = self.out.iter_mut().skip(first).zip(self.unfilled.drain(..));
        let last = pieces.next_back();
        for (piece, range) in pieces {
            piece.bytes = Text::from(window[range].to_vec());
        }
        match last {
            Some((piece, range)) => piece.bytes = Text::of(window, range),
            None => put_buffer(window),
        }
    }

    /// Whether an incomplete line is still incomplete, looking only at what was added: a line that
    /// grows byte by byte is not read again each time.
    fn is_still_partial(&mut self, id: FileId, open: &File, at: &Position, size: u64) -> bool {
        let Some(file) = self.files.get_mut(&id) else { return false };
        if file.unfinished != Unfinished::Waits {
            return false;
        }
        let Some(mut pending) = file.pending.take() else { return false };
        let from = pending.scanned - pending.before.len() as u64;
        let max = self.options.turn.max(SAMPLE) + pending.before.len();
        let mut added = vec![0; usize::try_from(size.saturating_sub(from)).unwrap_or(max).min(max)];
        let Ok(filled) = read_full_at(open, &mut added, from) else { return false };
        added.truncate(filled);
        let Some(new) = added.strip_prefix(&*pending.before) else { return false };
        let end = pending.scanned + new.len() as u64;
        let is_long = end - at.offset > MAX_LINE as u64;
        if end < size || is_long || memchr::memchr2(b'\n', 0, new).is_some() {
            return false;
        }
        pending.scanned = end;
        pending.before = added.split_off(added.len().saturating_sub(BEFORE));
        file.pending = Some(pending);
        true
    }

    fn read_plain(
        &mut self,
        id: FileId,
        open: &File,
        position: &Position,
        found: Found,
        window: &mut Vec<u8>,
    ) -> Turn {
        let before = usize::try_from(position.offset).unwrap_or(SAMPLE).min(SAMPLE);
        let mut max = self.options.turn.max(SAMPLE);
        loop {
            if window.len() < before + max {
                // For a line that is longer than usual.
                *window = vec![0; before + max];
            }
            let space = &mut window[..before + max];
            let filled = match read_full_at(open, space, position.offset - before as u64) {
                Ok(filled) => filled,
                Err(error) => {
                    self.refuse(id, error);
                    return Turn::Done;
                }
            };
            let Some((recent, data)) = window[..filled].split_at_checked(before) else {
                return Turn::Overwritten;
            };
            if xxh3_64(recent) != position.content.tail
                || !self.load_head(position, &window[..filled], before)
            {
                return Turn::Overwritten;
            }
            let size = found.size.max(position.offset + data.len() as u64);
            let (data, nuls) = match self.without_nuls(id, open, position, data, size) {
                Cleared::All => (data, None),
                Cleared::Part(len, nuls) => (&data[..len], Some(nuls)),
            };
            if data.is_empty()
                && let Some(nuls) = nuls
            {
                return self.pass_nuls(id, open, position, nuls);
            }
            let is_all = position.offset + data.len() as u64 >= size || nuls.is_some();
            let bytes = &window[..before + data.len()];
            let done = self.take_window(id, position, (bytes, before), (is_all, nuls));
            if done > 0 || is_all || max > MAX_LINE {
                return self.plain_turn(id, position, done, data, (is_all, nuls));
            }
            max = MAX_LINE + 8;
        }
    }

    /// Cuts what was read of a plain file; returns how many bytes are done.
    fn take_window(
        &mut self,
        id: FileId,
        position: &Position,
        (bytes, before): (&[u8], usize),
        (is_all, nuls): (bool, Option<Nuls>),
    ) -> usize {
        let unfinished = match self.files.get(&id) {
            // What follows the NULs is a separate line.
            _ if matches!(nuls, Some(Nuls::Until(_))) => Unfinished::IsLast,
            Some(file) if is_all => file.unfinished,
            _ => Unfinished::Waits,
        };
        // If there are NULs between lines, pieces are short: avoid reading the file again for each.
        let mut at = before;
        for _ in 0..MAX_PIECES {
            match self.take_cut(id, position.stream, bytes.split_at(at), unfinished, Some(at)) {
                0 => break,
                done => at += done,
            }
        }
        at - before
    }

    /// Keeps the first bytes of a stream. Those after its position are read again in each turn,
    /// because preallocated space may have been filled since the file was first seen. Returns whether
    /// they are still the same otherwise.
    fn load_head(&mut self, position: &Position, bytes: &[u8], before: usize) -> bool {
        let Some(stream) = self.streams.get_mut(&position.stream) else { return true };
        if position.offset != before as u64 || position.offset >= SAMPLE as u64 {
            return true;
        }
        let head = &bytes[..bytes.len().min(SAMPLE)];
        let is_same = stream.still_begins(head);
        if is_same {
            stream.set_head(head.to_vec());
        }
        is_same
    }

    /// Updates the state after a cut, and remembers an incomplete line.
    fn plain_turn(
        &mut self,
        id: FileId,
        position: &Position,
        done: usize,
        data: &[u8],
        (is_all, nuls): (bool, Option<Nuls>),
    ) -> Turn {
        let rest = &data[done.min(data.len())..];
        let Some(file) = self.files.get_mut(&id) else { return Turn::Done };
        file.is_partial = !rest.is_empty();
        if nuls.is_none() {
            file.nuls = 0;
        }
        let is_over = matches!(nuls, Some(Nuls::Until(_) | Nuls::Perhaps(_)));
        if !is_all || is_over || done > 0 && !rest.is_empty() && rest.len() > MAX_LINE {
            return Turn::More;
        }
        if done > 0 && !rest.is_empty() {
            // A long line may have been cut, and more may be cut from the rest.
            return Turn::More;
        }
        let is_wide = self.streams.get(&position.stream).is_some_and(|it| it.wide.is_some());
        if !rest.is_empty() && nuls.is_none() && !is_wide && position.within != Within::Skipped {
            let scanned = position.offset + data.len() as u64;
            let before = rest[rest.len().saturating_sub(BEFORE)..].to_vec();
            file.pending = Some(Pending { scanned, before });
        }
        Turn::Done
    }

    /// The number of bytes before the NULs at their end, if those are not part of a line.
    fn without_nuls(
        &mut self,
        id: FileId,
        open: &File,
        position: &Position,
        data: &[u8],
        size: u64,
    ) -> Cleared {
        let is_wide = self.streams.get(&position.stream).is_some_and(|it| it.wide.is_some());
        let used = data.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        let Some(file) = self.files.get_mut(&id) else { return Cleared::All };
        if is_wide || used == data.len() {
            return Cleared::All;
        }
        let begin = position.offset + used as u64;
        // Bytes that were searched before are not searched again, unless something was written and
        // it isn't here.
        let is_elsewhere = used == 0 && file.is_nuls_to_end && !file.is_caught_up;
        let from = if is_elsewhere { begin } else { begin.max(file.nuls) };
        let Ok(nuls) = after_nuls(open, from, size, NULS_TURN) else { return Cleared::All };
        file.is_nuls_to_end = nuls == Nuls::ToEnd;
        file.nuls = match nuls {
            Nuls::Until(_) => 0,
            Nuls::ToEnd => size.max(1),
            Nuls::Perhaps(at) => at,
        };
        match nuls {
            Nuls::Until(end) if used > 0 && end - begin < MIN_NULS as u64 => Cleared::All,
            nuls => Cleared::Part(used, nuls),
        }
    }

    /// Moves a position past NULs.
    fn pass_nuls(&mut self, id: FileId, open: &File, position: &Position, nuls: Nuls) -> Turn {
        let Some(file) = self.files.get_mut(&id) else { return Turn::Done };
        file.is_partial = false;
        let end = match nuls {
            Nuls::ToEnd => return Turn::Done,
            Nuls::Perhaps(_) => return Turn::More,
            Nuls::Until(end) => end,
        };
        let Ok(Some(content)) = Content::of_file(open, end) else { return Turn::Overwritten };
        if let Some(stream) = self.streams.get_mut(&position.stream) {
            self.counted.nuls_skipped += end - position.offset;
            let within = match position.within {
                Within::Flushed => Within::Start,
                within => within,
            };
            stream.pass(Position { offset: end, content, within, ..position.clone() });
            load_first(stream, open);
        }
        Turn::More
    }

    fn turn_packed(&mut self, id: FileId, number: u64, open: &Arc<File>, packing: Packing) -> Turn {
        let Some(stream) = self.streams.get(&number) else { return Turn::Done };
        let is_same_size = open.metadata().is_ok_and(|found| found.len() == stream.size);
        if stream.is_done && (is_same_size || stream.read.offset == 0) {
            return Turn::Done;
        }
        if self.is_grown_copy(number, !is_same_size) {
            self.set_aside(id, number);
            return Turn::Waits;
        }
        let Some(file) = self.files.get_mut(&id) else { return Turn::Done };
        let mut unpacking = match file.unpacking.take() {
            Some(unpacking) => unpacking,
            None => match Unpacking::new(open, packing) {
                Ok(unpacking) => Box::new(unpacking),
                Err(error) => {
                    self.refuse(id, error);
                    return Turn::Done;
                }
            },
        };
        let turn = self.read_packed(id, number, &mut unpacking);
        if matches!(turn, Turn::More)
            && let Some(file) = self.files.get_mut(&id)
        {
            file.unpacking = Some(unpacking);
        }
        turn
    }

    fn read_packed(&mut self, id: FileId, number: u64, unpacking: &mut Unpacking) -> Turn {
        let Some(stream) = self.streams.get_mut(&number) else { return Turn::Done };
        let position = stream.read.clone();
        let skipped = unpacking.skip_to(position.offset, SKIP_TURN);
        match skipped {
            Ok(false) => return Turn::More,
            Ok(true) if unpacking.offset() < position.offset => return self.end_packed(id, number),
            Ok(true) if unpacking.content() != position.content => return Turn::Overwritten,
            Ok(true) => {}
            Err(error) => return self.damaged(id, number, error),
        }
        let mut max = self.options.turn.max(SAMPLE);
        loop {
            let failed = unpacking.fill(max).err();
            if failed.is_some() && !self.is_settled(id) {
                self.wait_for_rest(id);
                return Turn::Waits;
            }
            let is_all = failed.is_some() || unpacking.is_over();
            if let Some(stream) = self.streams.get_mut(&number) {
                stream.head = unpacking.head().to_vec();
            }
            let unfinished = if is_all { Unfinished::IsLast } else { Unfinished::Waits };
            let done = self.take_cut(id, number, unpacking.window(), unfinished, None);
            unpacking.take(done);
            match failed {
                _ if done > 0 && !unpacking.window().1.is_empty() => return Turn::More,
                Some(error) => return self.damaged(id, number, error),
                None if is_all => return self.end_packed(id, number),
                None if done > 0 => return Turn::More,
                None if max > MAX_LINE => return Turn::More,
                None => max = MAX_LINE + 8,
            }
        }
    }

    /// A compressed file was read to its end.
    fn end_packed(&mut self, id: FileId, number: u64) -> Turn {
        if let Some(stream) = self.streams.get_mut(&number) {
            stream.is_done = true;
            self.dirty.insert(number);
        }
        if let Some(file) = self.files.get_mut(&id) {
            file.is_partial = false;
        }
        Turn::Done
    }

    /// A compressed file can't be read further, now or ever.
    fn damaged(&mut self, id: FileId, number: u64, error: std::io::Error) -> Turn {
        if may_be_unfinished(&error) && !self.is_settled(id) {
            self.wait_for_rest(id);
            return Turn::Waits;
        }
        let Some(file) = self.files.get(&id) else { return Turn::Done };
        self.notices.push(Notice::Damaged { path: file.path.clone(), error });
        self.counted.damaged += 1;
        self.end_packed(id, number)
    }

    /// Cuts a piece after the position of a stream, and returns it; also returns how many bytes are
    /// done. `place` is where the data begins in a window that is passed to
    /// [`fill_pieces`](Self::fill_pieces) later.
    fn take_cut(
        &mut self,
        id: FileId,
        number: u64,
        (recent, data): (&[u8], &[u8]),
        unfinished: Unfinished,
        place: Option<usize>,
    ) -> usize {
        let (Some(stream), Some(file)) = (self.streams.get_mut(&number), self.files.get_mut(&id))
        else {
            return 0;
        };
        let Some(mark) = mark_of(stream, data, unfinished) else { return 0 };
        let start = stream.read.clone();
        let cutting = cut(start.within, &data[mark..], stream.wide, unfinished);
        let cutting = shifted(cutting, mark);
        if cutting.done == 0 {
            return 0;
        }
        self.counted.bytes_skipped += cutting.skipped;
        self.counted.nuls_skipped += cutting.nuls;
        if cutting.ending == Ending::Cut && !cutting.piece.is_empty() {
            self.counted.lines_cut += 1;
            if !std::mem::replace(&mut file.was_cut, true) {
                let offset = start.offset + cutting.done as u64;
                self.notices.push(Notice::Cut { path: file.path.clone(), offset });
            }
        }
        let mut end = start.moved(&cutting);
        complete_head(stream, (recent, &data[..cutting.done]), end.offset);
        end.content = content_at(stream, end.offset, recent, &data[..cutting.done]);
        end.headers = later_headers(stream, &start, &data[cutting.piece.clone()]);
        let piece = (!cutting.piece.is_empty())
            .then(|| piece_of(stream, Arc::clone(&file.shown), &start, &end, &cutting));
        (stream.is_ignored, stream.copy_of) = (false, None);
        if let Some(mut piece) = piece {
            let raw = &data[cutting.piece.clone()];
            match (stream.wide, place) {
                (Some(wide), _) => piece.bytes = Text::from(decoded(wide, raw)),
                (None, None) => piece.bytes = Text::from(raw.to_vec()),
                (None, Some(at)) => {
                    self.unfilled.push(at + cutting.piece.start..at + cutting.piece.end);
                }
            }
            (stream.read, stream.passed) = (end, None);
            let length = if stream.wide.is_some() { piece.bytes.len() } else { raw.len() };
            self.give(piece, length);
        } else {
            stream.pass(end);
            self.dirty.insert(number);
        }
        cutting.done
    }
}

/// How a run of NULs is treated.
enum Cleared {
    /// They are part of lines.
    All,
    /// This many bytes come before them, and they extend this far.
    Part(usize, Nuls),
}

/// The length of the mark at the beginning of a stream; `None` if more bytes are needed to decide.
fn mark_of(stream: &mut Stream, data: &[u8], unfinished: Unfinished) -> Option<usize> {
    const MARKS: [&[u8]; 5] =
        [b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\xff\xfe", b"\xfe\xff"];
    if stream.read.offset > 0 {
        return Some(0);
    }
    let is_begun = data.len() < 4
        && unfinished == Unfinished::Waits
        && MARKS.iter().any(|mark| mark.starts_with(data) || data == *mark);
    if is_begun {
        return None;
    }
    match Wide::of(data.get(..SAMPLE).unwrap_or(data)) {
        Some((wide, mark)) if mark > 0 => {
            stream.wide = Some(wide);
            Some(mark)
        }
        _ if data.starts_with(MARKS[0]) => Some(MARKS[0].len()),
        _ => Some(0),
    }
}

/// Shifts a cut by the length of a mark.
fn shifted(mut cutting: Cutting, mark: usize) -> Cutting {
    cutting.done += mark;
    cutting.piece = cutting.piece.start + mark..cutting.piece.end + mark;
    cutting
}

/// Adds to the head what was left out of it as space to be filled: everything before the position
/// is part of the text now. Otherwise the hash of the head would be that of a shorter text, and the
/// next start would take the file for another one.
fn complete_head(stream: &mut Stream, (recent, done): (&[u8], &[u8]), end: u64) {
    let begin = end.saturating_sub((recent.len() + done.len()) as u64);
    let known = usize::try_from(end).unwrap_or(SAMPLE).min(SAMPLE);
    let Some(from) = (stream.head.len() as u64).checked_sub(begin) else { return };
    if begin > 0 && stream.head.is_empty() {
        return;
    }
    let missing = known.saturating_sub(stream.head.len());
    let bytes = recent.iter().chain(done).skip(usize::try_from(from).unwrap_or(usize::MAX));
    stream.head.extend(bytes.take(missing));
}

/// The content of a stream before an offset, given its last bytes.
fn content_at(stream: &Stream, offset: u64, recent: &[u8], done: &[u8]) -> Content {
    let mut last = Vec::new();
    let last: &[u8] = if done.len() >= SAMPLE {
        done
    } else {
        let missing = SAMPLE - done.len();
        last.extend_from_slice(&recent[recent.len().saturating_sub(missing)..]);
        last.extend_from_slice(done);
        &last
    };
    let known = usize::try_from(offset).unwrap_or(SAMPLE).min(SAMPLE);
    let content = Content::of(stream.head.get(..known).unwrap_or(&stream.head), last);
    match stream.head.len() >= known {
        true => content,
        // Its first bytes were read by an earlier run, so only their hash is known.
        false => Content { head: stream.read.content.head, ..content },
    }
}

/// Header lines that apply after a piece: of those with the same first word, the last one.
fn later_headers(stream: &Stream, start: &Position, piece: &[u8]) -> Arc<[u8]> {
    let is_headed = stream.head.first() == Some(&b'#') && stream.wide.is_none();
    let is_later = start.offset + piece.len() as u64 > SAMPLE as u64;
    if !is_headed || !is_later {
        return Arc::clone(&start.headers);
    }
    let mut lines: Vec<&[u8]> = start.headers.split_inclusive(|&byte| byte == b'\n').collect();
    for at in memchr_iter(b'#', piece) {
        let is_start = at == 0 || piece[at - 1] == b'\n';
        if !is_start || start.offset + (at as u64) < SAMPLE as u64 {
            continue;
        }
        let end = memchr::memchr(b'\n', &piece[at..]).filter(|end| *end < MAX_HEADERS);
        lines.extend(end.map(|end| &piece[at..=at + end]));
    }
    // Search from the end: however many there are, only a few are kept.
    let (mut words, mut kept, mut room) = (HashSet::new(), Vec::new(), MAX_HEADERS);
    for line in lines.into_iter().rev().filter(|line| words.insert(word(line))) {
        let Some(left) = room.checked_sub(line.len()) else { break };
        room = left;
        kept.push(line);
    }
    kept.reverse();
    let kept = kept.concat();
    match kept == *start.headers {
        true => Arc::clone(&start.headers),
        false => Arc::from(kept),
    }
}

/// The first word of a header line.
fn word(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| b" \t:\r\n".contains(byte));
    &line[..end.unwrap_or(line.len())]
}

/// A piece without its text.
fn piece_of(
    stream: &mut Stream,
    path: Arc<str>,
    start: &Position,
    end: &Position,
    cutting: &Cutting,
) -> Piece {
    Piece {
        stream: start.stream,
        path,
        offset: start.offset + cutting.piece.start as u64,
        line: start.line.map(|line| line.saturating_add(cutting.lines_before)),
        bytes: Text::default(),
        header: header_of(stream, &start.headers),
        is_rest: cutting.is_rest,
        ending: cutting.ending,
        end: end.clone(),
        unit: Lines(stream.wide).unit() as u8,
    }
}

fn decoded(wide: Wide, raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    // Reading from memory never fails.
    let _ = wide.decode(raw).read_to_end(&mut bytes);
    bytes
}

/// The first lines of a stream, and later header lines. Built once, until one of them grows.
fn header_of(stream: &mut Stream, later: &Arc<[u8]>) -> Arc<[u8]> {
    let (made, head, later_len) = &stream.header;
    if (*head, *later_len) == (stream.head.len(), later.len()) && made.ends_with(later) {
        return Arc::clone(made);
    }
    let text = match stream.wide {
        None => stream.head.clone(),
        Some(wide) => {
            let mark = Wide::of(&stream.head).map_or(0, |(_, mark)| mark);
            let units = Lines(Some(wide)).whole_units(stream.head.len() - mark);
            decoded(wide, &stream.head[mark..mark + units])
        }
    };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let end = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let header: Arc<[u8]> = Arc::from([&text[..end], later].concat());
    stream.header = (Arc::clone(&header), stream.head.len(), later.len());
    header
}

/// Loads the first bytes of a stream that a file continues; returns whether they are those that were
/// known before, as far as any were.
pub(super) fn load_first(stream: &mut Stream, open: &File) -> bool {
    let mut head = vec![0; SAMPLE];
    // What can't be read shows when it is read.
    let Ok(filled) = read_full_at(open, &mut head, 0) else { return true };
    head.truncate(filled);
    let is_same = stream.still_begins(&head);
    stream.set_head(head);
    is_same
}
