//! Regular expressions: PostgreSQL's advanced form over the engines of `regex`.
//!
//! # How it works
//! [`translate`] rewrites a pattern to the syntax of `regex`. Where a match begins is found by
//! `regex`. Where it ends follows POSIX: the longest match from there, or the shortest if the
//! pattern's first quantified part is not greedy; a lazy DFA that knows all matches finds it. What
//! the groups captured is asked of the greedy engine within these bounds.
//!
//! # Differs from PostgreSQL
//! Back references and lookaround are 0A000. Of several ways to fill groups within one match the
//! greedy one is taken, which can differ for alternatives of different lengths.

mod functions;
mod path;
mod translate;

use base::{Error, Result, err};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use translate::{Flags, Translated, translate};

pub(crate) use functions::TABLE;
pub use path::PathPattern;

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
}

/// Where a match is: the whole first, then the groups; none for a group without part in it.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

fn invalid(reason: &str) -> Error {
    err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {reason}")
}

fn build(pattern: &str, fold: bool, lines: bool) -> Result<regex::Regex> {
    regex::RegexBuilder::new(pattern)
        .case_insensitive(fold)
        .multi_line(lines)
        .dot_matches_new_line(!lines)
        .size_limit(64 << 20)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => invalid("regular expression is too complex"),
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
                invalid(reason)
            }
        })
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(source: &str, flags: Flags) -> Result<Pattern> {
        let Translated { text, fold, lines, shortest } = translate(source, &flags)?;
        let finder = build(&text, fold, lines)?;
        Ok(Pattern {
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
        let Translated { text, fold, lines, .. } = translate(&self.source, &self.flags)?;
        let dfa = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All).unicode_word_boundary(true))
            .syntax(
                syntax::Config::new()
                    .case_insensitive(fold)
                    .multi_line(lines)
                    .dot_matches_new_line(!lines),
            )
            .build(&text)
            .ok();
        self.cache = dfa.as_ref().map(DFA::create_cache);
        self.ends = dfa;
        let bound = format!(r"\A(?:{text})\z");
        self.whole = Some(build(&bound, fold, lines)?);
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
