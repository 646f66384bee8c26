//! Texts of addresses as output has them.

use super::{Family, Inet};
use crate::scalar::write_uint;
use std::io::Write;
use std::ops::Range;

/// Appends `/` and a width.
pub(super) fn width(bits: u8, out: &mut Vec<u8>) {
    out.push(b'/');
    write_uint(bits.into(), out);
}

fn octets(bytes: &[u8], out: &mut Vec<u8>) {
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        write_uint((*byte).into(), out);
    }
}

fn words(address: u128) -> [u16; 8] {
    let mut words = [0; 8];
    let mut rest = address;
    for word in words.iter_mut().rev() {
        *word = rest as u16;
        rest >>= 16;
    }
    words
}

/// Appends the whole address.
pub(super) fn address(value: Inet, out: &mut Vec<u8>) {
    match value.family {
        Family::V4 => octets(&(value.address as u32).to_be_bytes(), out),
        Family::V6 => v6(value.address, out),
    }
}

/// The first of the longest runs of two or more zeros.
fn longest_run(words: &[u16; 8]) -> Option<Range<usize>> {
    let mut best: Option<Range<usize>> = None;
    let mut at = 0;
    while at < words.len() {
        let zeros = words.iter().skip(at).take_while(|word| **word == 0).count();
        if zeros >= 2 && best.as_ref().is_none_or(|best| zeros > best.len()) {
            best = Some(at..at + zeros);
        }
        at += zeros.max(1);
    }
    best
}

fn v6(address: u128, out: &mut Vec<u8>) {
    let words = words(address);
    let run = longest_run(&words);
    let inside = |at: usize| run.as_ref().is_some_and(|run| run.contains(&at));
    // An IPv4 address in the last 32 bits.
    let embedded = run.as_ref().is_some_and(|run| {
        run.start == 0 && (run.end == 6 || (run.end == 5 && words[5] == 0xffff))
    });
    for (at, word) in words.iter().enumerate() {
        if inside(at) {
            if run.as_ref().is_some_and(|run| run.start == at) {
                out.push(b':');
            }
            continue;
        }
        if at > 0 {
            out.push(b':');
        }
        if at == 6 && embedded {
            octets(&(address as u32).to_be_bytes(), out);
            return;
        }
        let _ = write!(out, "{word:x}");
    }
    if run.is_some_and(|run| run.end == words.len()) {
        out.push(b':');
    }
}

/// Appends the network without the octets or words that lie beyond its width.
pub(super) fn short(value: Inet, out: &mut Vec<u8>) {
    let network = value.network().address;
    match value.family {
        Family::V4 if value.bits == 0 => out.push(b'0'),
        Family::V4 => {
            let bytes = (network as u32).to_be_bytes();
            octets(bytes.get(..usize::from(value.bits.div_ceil(8))).unwrap_or(&bytes), out);
        }
        Family::V6 if value.bits == 0 => out.extend_from_slice(b"::"),
        Family::V6 => short_v6(network, value.bits, out),
    }
}

/// The run of zeros that a short network leaves out. A run that is not longer than the one before
/// goes on with the next zeros, as PostgreSQL counts.
fn run_of_short(words: &[u16]) -> Range<usize> {
    let (mut best, mut start, mut length) = (0..0, 0, 0);
    for (at, word) in words.iter().enumerate() {
        if *word == 0 {
            if length == 0 {
                start = at;
            }
            length += 1;
        } else if length > best.len() {
            best = start..start + length;
            length = 0;
        }
    }
    if length > best.len() { start..start + length } else { best }
}

fn short_v6(network: u128, bits: u8, out: &mut Vec<u8>) {
    let all = words(network);
    let count = usize::from(bits.div_ceil(16)).max(2);
    let shown = all.get(..count).unwrap_or(&all);
    let run = run_of_short(shown);
    let [low, last] = [all[7] >> 8, all[7] & 0xff];
    let embedded = run.len() != count
        && run.start == 0
        && (run.len() == 6
            || (run.len() == 5 && all[5] == 0xffff)
            || (run.len() == 7 && low != 0 && last != 1));
    let begin = out.len();
    for (at, word) in shown.iter().enumerate() {
        if run.contains(&at) {
            if at == run.start {
                out.push(b':');
            }
            if at == count - 1 {
                out.push(b':');
            }
        } else if embedded && at > 5 {
            out.push(if at == 6 { b':' } else { b'.' });
            let halves = word.to_be_bytes();
            // The last octet may be left out.
            octets(if at != 7 || bits > 120 { &halves } else { &halves[..1] }, out);
        } else {
            if out.len() > begin {
                out.push(b':');
            }
            let _ = write!(out, "{word:x}");
        }
    }
}
