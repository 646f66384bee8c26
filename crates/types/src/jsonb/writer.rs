//! jsonb that is being built, in memory that is charged.
//!
//! What is told stands on a tape in the order in which it came: leaves in their bytes, a container
//! as its number before its parts, a large part of another value as the number of a borrowed slice.
//! Where the parts of a container end on the tape, and what it will measure, is known when it is
//! closed; so the result is written once, at its place, without a walk down the machine's stack.

use super::{ARRAY, FALSE, Jsonb, NULL, NUMBER, OBJECT, STRING, TRUE, compare_keys, end_at, text};
use crate::datum::{Arena, Datum};
use crate::json::{self, Scalar, Sink};
use crate::numeric::{Numeric, NumericBuf};
use base::{Error, Result, err};
use memory::Account;
use memory::collections::{Charged, Toll};
use std::borrow::Cow;

/// Tags that stand on the tape only; a number of 4 bytes follows.
const BUILT_ARRAY: u8 = 7;
const BUILT_OBJECT: u8 = 8;
const BORROWED: u8 = 9;
/// The bytes of such a reference.
const REFERENCE_BYTES: usize = 5;
/// Parts of other values from so many bytes on are borrowed.
const BORROWED_BYTES_MIN: usize = 64;
/// The most bytes of the parts of a container.
const PARTS_BYTES_MAX: usize = 0x0fff_ffff;
/// No container, and no order.
const NONE: u32 = u32::MAX;
/// The tape's first room, which most values do not outgrow.
const TAPE_BYTES_MIN: usize = 256;
const ASKER: &str = "JsonbWriter";

/// A container. Numbers count from the beginnings of the tape and of the other lists.
#[derive(Clone, Copy)]
struct Container {
    is_object: bool,
    parent: u32,
    /// Where its first part begins on the tape.
    start: u32,
    /// The ends of its parts: among the pending ones until it is closed.
    ends: u32,
    /// The parts; an object has two a pair.
    parts: u32,
    /// The order of an object's pairs, unless they came in theirs.
    order: u32,
    /// The elements or pairs that count.
    kept: u32,
    /// The bytes that it will have.
    bytes: u32,
}

/// A jsonb value whose parts are told one by one.
pub struct Writer<'m> {
    tape: Vec<u8>,
    containers: Vec<Container>,
    /// The innermost open container.
    open: u32,
    /// The ends of the parts of open containers, the innermost one's last.
    pending: Vec<u32>,
    /// The ends of the parts of closed containers, and orders of pairs.
    ends: Vec<u32>,
    borrowed: Vec<&'m [u8]>,
    scratch: Vec<u8>,
    /// Pays for all lists.
    toll: Toll,
}

/// A container that is being written.
#[derive(Clone, Copy)]
struct Frame {
    container: u32,
    /// The next element, or twice the pair and 1 for its value.
    next: u32,
    /// Where the end of the next part goes, where the parts begin, and where the next one goes.
    slot: usize,
    body: usize,
    at: usize,
}

fn too_large(is_object: bool) -> Error {
    let what = if is_object { "object" } else { "array" };
    err!(
        PROGRAM_LIMIT_EXCEEDED,
        "total size of jsonb {what} elements exceeds the maximum of {PARTS_BYTES_MAX} bytes"
    )
}

fn broken() -> Error {
    Error::internal("a jsonb value that was told wrongly")
}

fn number_of(length: usize) -> Result<u32> {
    u32::try_from(length).ok().filter(|number| *number != NONE).ok_or_else(|| too_large(false))
}

impl<'m> Writer<'m> {
    /// Nothing yet.
    pub fn new(account: &Account) -> Writer<'m> {
        Writer {
            tape: Vec::new(),
            containers: Vec::new(),
            open: NONE,
            pending: Vec::new(),
            ends: Vec::new(),
            borrowed: Vec::new(),
            scratch: Vec::new(),
            toll: Toll::new(account.clone(), ASKER),
        }
    }

    /// Appends a tag and bytes to the tape.
    #[inline]
    fn tell(&mut self, tag: u8, bytes: &[u8]) -> Result<()> {
        self.toll.room(&mut self.tape, bytes.len() + 1)?;
        self.tape.push(tag);
        self.tape.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends bytes to the tape.
    #[inline]
    fn tell_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.toll.room(&mut self.tape, bytes.len())?;
        self.tape.extend_from_slice(bytes);
        Ok(())
    }

    /// A part ends here.
    fn mark(&mut self) -> Result<()> {
        if self.open != NONE {
            self.toll.room(&mut self.pending, 1)?;
            self.pending.push(number_of(self.tape.len())?);
        }
        Ok(())
    }

    /// null
    ///
    /// # Errors
    /// 53200, 54000; those of the other methods, too.
    pub fn null(&mut self) -> Result<()> {
        self.tell(NULL, &[])?;
        self.mark()
    }

    /// A boolean.
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn bool(&mut self, value: bool) -> Result<()> {
        self.tell(if value { TRUE } else { FALSE }, &[])?;
        self.mark()
    }

    /// A number.
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn number(&mut self, number: &NumericBuf) -> Result<()> {
        self.scratch.clear();
        encode_number(number, &mut self.scratch)?;
        self.toll.room(&mut self.tape, self.scratch.len() + 1)?;
        self.tape.push(NUMBER);
        self.tape.extend_from_slice(&self.scratch);
        self.mark()
    }

    /// A string.
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn string(&mut self, text: &str) -> Result<()> {
        self.tell(STRING, text.as_bytes())?;
        self.mark()
    }

    /// A part of another value, as it is.
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn value(&mut self, value: Jsonb<'m>) -> Result<()> {
        let bytes = value.bytes();
        if bytes.len() >= BORROWED_BYTES_MIN {
            self.refer(BORROWED, number_of(self.borrowed.len())?)?;
            self.toll.room(&mut self.borrowed, 1)?;
            self.borrowed.push(bytes);
        } else if bytes.is_empty() {
            self.tell(NULL, &[])?;
        } else {
            self.tell_bytes(bytes)?;
        }
        self.mark()
    }

    /// The key of the next value of the open object.
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn key(&mut self, key: &str) -> Result<()> {
        self.tell_bytes(key.as_bytes())?;
        self.mark()
    }

    /// `[`
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn begin_array(&mut self) -> Result<()> {
        self.begin(false)
    }

    /// `{`; keys and values follow in turn, in any order. Of equal keys the last counts.
    ///
    /// # Errors
    /// As [`Writer::null`].
    pub fn begin_object(&mut self) -> Result<()> {
        self.begin(true)
    }

    fn refer(&mut self, tag: u8, number: u32) -> Result<()> {
        self.tell(tag, &number.to_le_bytes())
    }

    fn begin(&mut self, is_object: bool) -> Result<()> {
        let number = number_of(self.containers.len())?;
        if number == 0 {
            self.toll.room(&mut self.tape, TAPE_BYTES_MIN)?;
        }
        self.refer(if is_object { BUILT_OBJECT } else { BUILT_ARRAY }, number)?;
        self.toll.room(&mut self.containers, 1)?;
        self.containers.push(Container {
            is_object,
            parent: self.open,
            start: number_of(self.tape.len())?,
            ends: number_of(self.pending.len())?,
            parts: 0,
            order: NONE,
            kept: 0,
            bytes: 0,
        });
        self.open = number;
        Ok(())
    }

    /// The end of the innermost open array or object.
    ///
    /// # Errors
    /// As [`Writer::null`]; XX000 if none is open.
    pub fn end(&mut self) -> Result<()> {
        let number = self.open;
        let mut container = *self.containers.get(number as usize).ok_or_else(broken)?;
        let pending = container.ends as usize;
        container.ends = number_of(self.ends.len())?;
        self.toll.room(&mut self.ends, self.pending.len() - pending)?;
        self.ends.extend_from_slice(&self.pending[pending..]);
        self.pending.truncate(pending);
        container.parts = number_of(self.ends.len() - container.ends as usize)?;
        container.kept = container.parts;
        if container.is_object {
            container.kept = container.parts / 2;
            self.sort(&mut container)?;
        }
        let mut bytes = 0;
        for part in 0..container.kept {
            if container.is_object {
                let pair = self.pair(&container, part);
                bytes += self.part(&container, 2 * pair).len();
                bytes += self.measure(self.part(&container, 2 * pair + 1));
            } else {
                bytes += self.measure(self.part(&container, part));
            }
        }
        if bytes > PARTS_BYTES_MAX {
            return Err(too_large(container.is_object));
        }
        let ends = container.kept as usize * if container.is_object { 8 } else { 4 };
        container.bytes = number_of(bytes + ends + REFERENCE_BYTES)?;
        self.containers[number as usize] = container;
        self.open = container.parent;
        self.mark()
    }

    /// Puts the pairs of an object into the order of their keys, each key once.
    fn sort(&mut self, object: &mut Container) -> Result<()> {
        let key = |pair: u32| text(self.part(object, 2 * pair));
        let in_order = (1..object.kept).all(|pair| compare_keys(key(pair - 1), key(pair)).is_lt());
        if in_order {
            return Ok(());
        }
        let from = self.ends.len();
        self.toll.room(&mut self.ends, object.kept as usize)?;
        self.ends.extend(0..object.kept);
        let (ends, pairs) = self.ends.split_at_mut(from);
        let key = |pair: u32| text(part_of(&self.tape, ends, object, 2 * pair));
        pairs.sort_unstable_by(|a, b| compare_keys(key(*a), key(*b)).then(a.cmp(b)));
        let mut kept = 0;
        for i in 0..pairs.len() {
            if pairs.get(i + 1).is_none_or(|next| key(*next) != key(pairs[i])) {
                pairs[kept] = pairs[i];
                kept += 1;
            }
        }
        self.ends.truncate(from + kept);
        object.order = number_of(from)?;
        object.kept = number_of(kept)?;
        Ok(())
    }

    /// The number of the pair that stands at a place of an object.
    fn pair(&self, object: &Container, place: u32) -> u32 {
        match object.order {
            NONE => place,
            from => self.ends.get((from + place) as usize).copied().unwrap_or(0),
        }
    }

    /// A part of a closed container on the tape.
    fn part(&self, container: &Container, part: u32) -> &[u8] {
        part_of(&self.tape, &self.ends, container, part)
    }

    /// The bytes that a part of the tape will have.
    fn measure(&self, part: &[u8]) -> usize {
        match part.first() {
            Some(&(BUILT_ARRAY | BUILT_OBJECT)) => {
                self.containers.get(end_at(&part[1..], 0)).map_or(0, |c| c.bytes as usize)
            }
            Some(&BORROWED) => self.borrowed.get(end_at(&part[1..], 0)).map_or(0, |b| b.len()),
            _ => part.len(),
        }
    }

    /// The datum, put into `arena`.
    ///
    /// # Errors
    /// 53200, 54000; XX000 if nothing was told or a container is open.
    pub fn finish<'n>(&self, arena: &dyn Arena<'n>) -> Result<Datum<'n>> {
        if self.open != NONE || self.tape.is_empty() {
            return Err(broken());
        }
        let bytes = self.measure(&self.tape);
        let bytes = arena.put_with(bytes, &mut |out| self.write(out))?;
        Ok(Datum::Bytes(bytes))
    }

    fn write(&self, out: &mut [u8]) -> Result<()> {
        let mut frames = Charged::new(self.toll.account().clone(), ASKER);
        if let Some(frame) = self.put(&self.tape, 0, out)? {
            frames.push(frame)?;
        }
        while let Some(frame) = frames.last_mut() {
            let container = self.containers.get(frame.container as usize).ok_or_else(broken)?;
            let is_key = container.is_object && frame.next % 2 == 0;
            let (place, half) = if container.is_object {
                (frame.next / 2, frame.next % 2)
            } else {
                (frame.next, 0)
            };
            if place >= container.kept {
                frames.pop();
                continue;
            }
            let part = if container.is_object {
                self.part(container, 2 * self.pair(container, place) + half)
            } else {
                self.part(container, place)
            };
            let at = frame.at;
            frame.at += if is_key { part.len() } else { self.measure(part) };
            let end = (frame.at - frame.body) as u32;
            put_at(out, frame.slot, &end.to_le_bytes())?;
            frame.slot += 4;
            frame.next += 1;
            if is_key {
                put_at(out, at, part)?;
            } else if let Some(inner) = self.put(part, at, out)? {
                frames.push(inner)?;
            }
        }
        Ok(())
    }

    /// Writes a leaf, or the head of a container whose parts are to follow.
    fn put(&self, part: &[u8], at: usize, out: &mut [u8]) -> Result<Option<Frame>> {
        match part.first() {
            Some(&tag @ (BUILT_ARRAY | BUILT_OBJECT)) => {
                let number = end_at(&part[1..], 0);
                let container = self.containers.get(number).ok_or_else(broken)?;
                put_at(out, at, &[if tag == BUILT_OBJECT { OBJECT } else { ARRAY }])?;
                put_at(out, at + 1, &container.kept.to_le_bytes())?;
                let slot = at + REFERENCE_BYTES;
                let ends = container.kept as usize * if container.is_object { 8 } else { 4 };
                let body = slot + ends;
                Ok(Some(Frame { container: number as u32, next: 0, slot, body, at: body }))
            }
            Some(&BORROWED) => {
                let bytes = self.borrowed.get(end_at(&part[1..], 0)).ok_or_else(broken)?;
                put_at(out, at, bytes).map(|()| None)
            }
            _ => put_at(out, at, part).map(|()| None),
        }
    }
}

fn part_of<'t>(tape: &'t [u8], ends: &[u32], container: &Container, part: u32) -> &'t [u8] {
    let end = |part: u32| ends.get((container.ends + part) as usize).copied().unwrap_or(0);
    let from = if part == 0 { container.start } else { end(part - 1) };
    tape.get(from as usize..end(part) as usize).unwrap_or(&[])
}

fn put_at(out: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    out.get_mut(at..at + bytes.len()).ok_or_else(broken)?.copy_from_slice(bytes);
    Ok(())
}

/// Appends the stored form of a number.
fn encode_number(number: &NumericBuf, out: &mut Vec<u8>) -> Result<()> {
    let arena = Scratch::default();
    match number.to_datum(&arena)? {
        Datum::Bytes([]) => out.extend_from_slice(&arena.bytes.borrow()),
        datum => Numeric::from_datum(&datum)?.encode_stored(out),
    }
    Ok(())
}

/// Takes the bytes of one big number.
#[derive(Default)]
struct Scratch {
    bytes: std::cell::RefCell<Vec<u8>>,
}

impl Arena<'static> for Scratch {
    fn put(&self, bytes: &[u8]) -> Result<&'static [u8]> {
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(&[])
    }

    fn put_str(&self, text: &str) -> Result<&'static str> {
        self.put(text.as_bytes())?;
        Ok("")
    }
}

/// A text without brackets, which needs no writer.
struct Lone<'a, 'n> {
    arena: &'a dyn Arena<'n>,
    value: Option<Datum<'n>>,
}

impl Lone<'_, '_> {
    fn put(&mut self, tag: u8, bytes: &[u8]) -> Result<()> {
        let bytes = self.arena.put_with(bytes.len() + 1, &mut |out| {
            let (head, body) = out.split_at_mut(1);
            head[0] = tag;
            body.copy_from_slice(bytes);
            Ok(())
        })?;
        self.value = Some(Datum::Bytes(bytes));
        Ok(())
    }
}

impl<'t> Sink<'t> for Lone<'_, '_> {
    fn object_start(&mut self, _: usize) -> Result<()> {
        Err(broken())
    }
    fn key(&mut self, _: Cow<'t, str>) -> Result<()> {
        Err(broken())
    }
    fn object_end(&mut self, _: usize) -> Result<()> {
        Err(broken())
    }
    fn array_start(&mut self, _: usize) -> Result<()> {
        Err(broken())
    }
    fn array_end(&mut self, _: usize) -> Result<()> {
        Err(broken())
    }
    fn scalar(&mut self, value: Scalar<'t>, _: usize, _: usize) -> Result<()> {
        match value {
            Scalar::Null => self.put(NULL, &[]),
            Scalar::Bool(value) => self.put(if value { TRUE } else { FALSE }, &[]),
            Scalar::Number(text) => {
                let mut stored = Vec::new();
                encode_number(&NumericBuf::parse(text)?, &mut stored)?;
                self.put(NUMBER, &stored)
            }
            Scalar::String(text) => self.put(STRING, text.as_bytes()),
        }
    }
    fn account(&self) -> Option<Account> {
        Some(self.arena.account())
    }
}

/// A parsed text becomes the next part.
impl<'t> Sink<'t> for Writer<'_> {
    fn object_start(&mut self, _: usize) -> Result<()> {
        self.begin_object()
    }
    fn key(&mut self, key: Cow<'t, str>) -> Result<()> {
        Writer::key(self, &key)
    }
    fn object_end(&mut self, _: usize) -> Result<()> {
        self.end()
    }
    fn array_start(&mut self, _: usize) -> Result<()> {
        self.begin_array()
    }
    fn array_end(&mut self, _: usize) -> Result<()> {
        self.end()
    }
    fn scalar(&mut self, value: Scalar<'t>, _: usize, _: usize) -> Result<()> {
        match value {
            Scalar::Null => self.null(),
            Scalar::Bool(b) => self.bool(b),
            Scalar::Number(text) => self.number(&NumericBuf::parse(text)?),
            Scalar::String(text) => self.string(&text),
        }
    }
    fn account(&self) -> Option<Account> {
        Some(self.toll.account().clone())
    }
}

/// Reads a JSON text as jsonb, put into `arena`.
///
/// # Errors
/// 22P02, 22P05, 53200, 54000
pub fn parse<'n>(text: &str, arena: &dyn Arena<'n>) -> Result<Datum<'n>> {
    let begin = text.bytes().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    if !matches!(begin, Some(b'{' | b'[')) {
        let mut lone = Lone { arena, value: None };
        json::parse(text, true, &mut lone)?;
        return lone.value.ok_or_else(broken);
    }
    let mut writer = Writer::new(&arena.account());
    json::parse(text, true, &mut writer)?;
    writer.finish(arena)
}
