//! Regular expressions: PostgreSQL's advanced form over the engines of `regex`.
//!
//! # How it works
//! [`translate`] rewrites a pattern to the syntax of `regex`. Where a match begins is found by
//! `regex`. Where it ends follows POSIX: the longest match from there, or the shortest if the
//! pattern's first quantified part is not greedy; a lazy DFA that knows all matches finds it. What
//! the groups captured is asked of the greedy engine within these bounds.
//!
//! # Memory
//! A compiled pattern does not say what it takes, so each is built under a limit of `regex` that is
//! charged before, and under the next larger one where that is not enough ([`LIMITS`]).
//!
//! # Differs from PostgreSQL
//! Back references and lookaround are 0A000. Of several ways to fill groups within one match the
//! greedy one is taken, which can differ for alternatives of different lengths.

mod functions;
mod path;
mod translate;

use base::{Error, Result, err};
use memory::Account;
use memory::collections::Toll;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use translate::{Flags, Translated, translate};

pub(crate) use functions::TABLE;
pub use path::PathPattern;

/// The sizes that a compiled pattern is tried with, in bytes.
const LIMITS: [usize; 6] = [64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20];

/// A compiled pattern has two automata within its limit, forwards and backwards.
const AUTOMATA: usize = 2;

/// One more is made to count its states, and is gone then.
const COUNTED: usize = 1;

/// A state of an automaton has no fewer bytes.
const STATE_BYTES: usize = 24;

/// A compiled pattern.
pub(crate) struct Pattern {
    source: String,
    flags: Flags,
    finder: regex::Regex,
    /// The same, bound to both ends of what it is given.
    whole: Option<regex::Regex>,
    ends: Option<DFA>,
    cache: Option<Cache>,
    shortest: bool,
    /// Pays for all of it; the last part is the cache of `ends`.
    toll: Toll,
    /// What is paid without that cache.
    fixed_bytes: usize,
}

/// Where a match is: the whole first, then the groups; none for a group without part in it.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

fn invalid(reason: &str) -> Error {
    err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {reason}")
}

/// What the syntax tree of a pattern takes while it is compiled, and the pattern itself.
fn tree_bytes(pattern: &str, fold: bool) -> usize {
    /// A literal, in both of its trees.
    const CHARACTER: usize = 192;
    /// A class of characters, with all of its ranges.
    const CLASS: usize = 16 << 10;
    const BRACKET: usize = 2 << 10;
    let bytes = pattern.as_bytes();
    let mut total = bytes.len().saturating_mul(CHARACTER);
    for pair in bytes.windows(2) {
        total = total.saturating_add(match pair {
            [b'\\', b'w' | b'W' | b'd' | b'D' | b's' | b'S' | b'p' | b'P'] | b"[:" => CLASS,
            [b'[', _] if fold => CLASS,
            [b'[', _] => BRACKET,
            _ => 0,
        });
    }
    total
}

/// How a pattern in the syntax of `regex` is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// Case does not matter.
    pub(crate) fold: bool,
    /// `^` and `$` match at lines, and a dot does not match a line feed.
    pub(crate) lines: bool,
}

impl Reading {
    fn syntax(self) -> syntax::Config {
        syntax::Config::new()
            .case_insensitive(self.fold)
            .multi_line(self.lines)
            .dot_matches_new_line(!self.lines)
    }

    fn builder(self, pattern: &str) -> regex::RegexBuilder {
        let mut builder = regex::RegexBuilder::new(pattern);
        builder
            .case_insensitive(self.fold)
            .multi_line(self.lines)
            .dot_matches_new_line(!self.lines);
        builder
    }
}

/// Does what grows with a pattern. A long one takes so long that other sessions would notice: another
/// thread does it.
fn aside<T: Send + 'static>(
    pattern: &str,
    work: impl FnOnce(&str) -> T + Send + 'static,
) -> Result<T> {
    const LONG_BYTES: usize = 4 << 10;
    if pattern.len() < LONG_BYTES {
        return Ok(work(pattern));
    }
    let pattern = pattern.to_owned();
    let done = base::blocking::start(move || work(&pattern)).wait();
    base::check_for_interrupts()?;
    Ok(done)
}

/// What a search keeps of the places of groups: two lists for each state of the automaton.
fn group_bytes(pattern: &str, reading: Reading, limit: usize, groups: usize) -> usize {
    /// What is less is not worth counting the states.
    const SMALL_BYTES: usize = 1 << 20;
    let state_bytes = groups.saturating_mul(2 * 2 * size_of::<usize>());
    let most = (limit / STATE_BYTES).saturating_mul(state_bytes);
    if most <= SMALL_BYTES {
        return most;
    }
    let automaton = thompson::Compiler::new()
        .configure(thompson::Config::new().nfa_size_limit(Some(limit)))
        .syntax(reading.syntax())
        .build(pattern);
    automaton.map_or(most, |automaton| automaton.states().len().saturating_mul(state_bytes))
}

/// Compiles a pattern to no more than `limit` bytes, and says what its groups take.
fn compile(
    pattern: &str,
    reading: Reading,
    limit: usize,
) -> std::result::Result<(regex::Regex, usize), regex::Error> {
    let regex = reading.builder(pattern).size_limit(limit).build()?;
    let groups = group_bytes(pattern, reading, limit, regex.captures_len());
    Ok((regex, groups))
}

/// Builds a pattern and says what it takes: that is charged besides what is `paid` already.
fn build(
    pattern: &str,
    reading: Reading,
    toll: &mut Toll,
    paid: usize,
) -> Result<(regex::Regex, usize)> {
    let tree = tree_bytes(pattern, reading.fold).saturating_add(paid);
    // Most patterns have a state a character: less is not tried, for each attempt reads all of it.
    let likely = pattern.len().saturating_mul(STATE_BYTES).min(LIMITS[LIMITS.len() - 1]);
    for limit in LIMITS.into_iter().skip_while(|limit| *limit < likely) {
        toll.cover(tree.saturating_add((AUTOMATA + COUNTED) * limit))?;
        match aside(pattern, move |pattern| compile(pattern, reading, limit))? {
            Ok((regex, groups)) => {
                let bytes = groups.saturating_add(AUTOMATA * limit);
                toll.cut(paid + AUTOMATA * limit);
                toll.cover(paid.saturating_add(bytes))?;
                return Ok((regex, bytes));
            }
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(other) => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
                return Err(invalid(reason));
            }
        }
    }
    Err(invalid("regular expression is too complex"))
}

impl Pattern {
    /// Compiles a pattern; `account` pays for it as long as it is there.
    ///
    /// # Errors
    /// 2201B, 0A000, 53200.
    pub(crate) fn new(source: &str, flags: Flags, account: &Account) -> Result<Pattern> {
        let mut toll = Toll::new(account.clone(), "RegularExpression");
        // The source, and its translation while it grows.
        toll.cover(source.len().saturating_mul(4))?;
        let Translated { text, reading, shortest } = translate(source, &flags)?;
        let (finder, bytes) = build(&text, reading, &mut toll, source.len())?;
        Ok(Pattern {
            fixed_bytes: source.len() + bytes,
            toll,
            source: source.to_owned(),
            flags,
            whole: None,
            ends: None,
            cache: None,
            shortest,
            finder,
        })
    }

    /// Whether it was made of this source and these flags.
    pub(crate) fn fits(&self, source: &str, flags: &Flags) -> bool {
        self.source == source && self.flags == *flags
    }

    /// Whether the text matches anywhere.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.finder.is_match(text)
    }

    /// The number of groups, the whole match not counted.
    pub(crate) fn group_count(&self) -> usize {
        self.finder.captures_len() - 1
    }

    fn prepare_ends(&mut self) -> Result<()> {
        if self.ends.is_some() {
            return Ok(());
        }
        let tree = tree_bytes(&self.source, self.flags.fold);
        self.toll.cover(self.fixed_bytes.saturating_add(tree).saturating_mul(2))?;
        let Translated { text, reading, .. } = translate(&self.source, &self.flags)?;
        let dfa = aside(&text, move |text| {
            DFA::builder()
                .configure(DFA::config().match_kind(MatchKind::All).unicode_word_boundary(true))
                .syntax(reading.syntax())
                .build(text)
                .ok()
        })?;
        self.fixed_bytes += dfa.as_ref().map_or(0, DFA::memory_usage);
        self.toll.cut(self.fixed_bytes);
        self.toll.cover(self.fixed_bytes)?;
        let bound = format!(r"\A(?:{text})\z");
        let (whole, bytes) = build(&bound, reading, &mut self.toll, self.fixed_bytes)?;
        self.fixed_bytes += bytes;
        self.cache = dfa.as_ref().map(DFA::create_cache);
        self.ends = dfa;
        self.whole = Some(whole);
        Ok(())
    }

    /// The first match at or behind a byte position.
    pub(crate) fn find(&mut self, text: &str, from: usize) -> Result<Option<(usize, usize)>> {
        let Some(first) = self.finder.find_at(text, from) else { return Ok(None) };
        self.prepare_ends()?;
        let mut end = first.end();
        if let (Some(dfa), Some(cache)) = (&self.ends, &mut self.cache) {
            let input = Input::new(text)
                .anchored(Anchored::Yes)
                .range(first.start()..)
                .earliest(self.shortest);
            // A text that the DFA gives up on keeps the end of the greedy engine.
            if let Ok(Some(found)) = dfa.try_search_fwd(cache, &input) {
                end = found.offset();
            }
            // It grows by little at a time.
            self.toll.cover(self.fixed_bytes + cache.memory_usage())?;
        }
        Ok(Some((first.start(), end)))
    }

    /// The groups of the first match at or behind a byte position.
    pub(crate) fn captures(&mut self, text: &str, from: usize) -> Result<Option<Groups>> {
        let Some((start, end)) = self.find(text, from)? else { return Ok(None) };
        let span = |m: regex::Match<'_>, shift: usize| (m.start() + shift, m.end() + shift);
        if self.group_count() == 0 {
            return Ok(Some(vec![Some((start, end))]));
        }
        let direct = self.finder.captures_at(text, from);
        let mut groups: Groups = match direct {
            Some(found) if found.get(0).is_some_and(|m| m.end() == end) => {
                found.iter().map(|m| m.map(|m| span(m, 0))).collect()
            }
            other => {
                let slice = &text[start..end];
                match self.whole.as_ref().and_then(|whole| whole.captures(slice)) {
                    Some(found) => found.iter().map(|m| m.map(|m| span(m, start))).collect(),
                    // An assertion looked beyond the slice.
                    None => other
                        .map(|found| found.iter().map(|m| m.map(|m| span(m, 0))).collect())
                        .unwrap_or_default(),
                }
            }
        };
        if let Some(whole) = groups.first_mut() {
            *whole = Some((start, end));
        }
        Ok(Some(groups))
    }
}

/// The matches in a text, one after the other. An empty match right behind a match is none.
pub(crate) struct Matches<'t> {
    text: &'t str,
    /// Where the next one is looked for; behind the text at the end.
    at: usize,
    global: bool,
}

impl<'t> Matches<'t> {
    /// All matches at or behind a byte position, or the first.
    pub(crate) fn new(text: &'t str, from: usize, global: bool) -> Matches<'t> {
        Matches { text, at: from, global }
    }

    /// The groups of the next match.
    pub(crate) fn next(&mut self, pattern: &mut Pattern) -> Result<Option<Groups>> {
        if self.at > self.text.len() {
            return Ok(None);
        }
        let Some(groups) = pattern.captures(self.text, self.at)? else {
            self.at = usize::MAX;
            return Ok(None);
        };
        let (start, end) = groups[0].unwrap_or((self.at, self.at));
        self.at = if !self.global {
            usize::MAX
        } else if end > start {
            end
        } else {
            end + self.text[end..].chars().next().map_or(1, char::len_utf8)
        };
        Ok(Some(groups))
    }
}
