//! jsonpath: the path language of SQL/JSON as a tree, its parser and its printer.
//!
//! # How it works
//! ```text
//! text ─▶ scan: tokens ─▶ parse: Path ─▶ check: places of @ and last ─▶ print: text
//! ```
//! A datum of the type is the text that [`Path::stored`] gives. Whoever evaluates a path parses it
//! once a call site with [`Path::parse`].
//!
//! # Rules
//! 1. A [`Chain`] is a first item and accessors behind it; it is never empty.
//! 2. An item that is no predicate never stands where the grammar wants a predicate, and the other
//!    way round.
//! 3. Parsing the stored text gives the same tree. The shown text leaves out brackets around an
//!    operand with accessors behind it, as PostgreSQL's does.
//! 4. The binary form is version 1 and the shown text.
//!
//! # Limits
//! Nesting ends with 54001 where the stack does. Whoever reads a path from a user has its patterns
//! checked ([`Path::check_patterns`]): this crate knows no regular expressions.
//!
//! # Sources
//! SQL:2016 part 2, 9.39; chapter 9.16.2 of the manual.

mod check;
mod parse;
mod print;
mod scan;

use crate::numeric::NumericBuf;
use base::Result;
use memory::Account;
use memory::collections::Toll;

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Structural errors are forgiven and arrays are unwrapped.
    pub lax: bool,
    /// What it computes.
    pub chain: Chain,
}

/// An item and the accessors that follow it.
pub type Chain = Vec<Item>;

/// One item of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(NumericBuf),
    /// A string.
    String(String),
    /// `$name`
    Variable(String),
    /// `$`
    Root,
    /// `@`
    Current,
    /// `last`
    Last,
    /// An operator with two operands.
    Binary(BinaryOp, Chain, Chain),
    /// An operator with one operand.
    Unary(UnaryOp, Chain),
    /// `like_regex`
    LikeRegex {
        /// The value.
        value: Chain,
        /// The pattern.
        pattern: String,
        /// The flags.
        flags: RegexFlags,
    },
    /// `.name`
    Key(String),
    /// `.*`
    AnyKey,
    /// `[*]`
    AnyArray,
    /// `[a, b to c]`
    Index(Vec<(Chain, Option<Chain>)>),
    /// `.**{first to last}`
    AnyLevel {
        /// The first level, [`LEVEL_LAST`] for `last`.
        first: u32,
        /// The last level, [`LEVEL_LAST`] for `last`.
        last: u32,
    },
    /// `?(predicate)`
    Filter(Chain),
    /// `.method(literals)`
    Method(Method, Vec<Item>),
}

/// The level that `last` means in `.**{last}`.
pub const LEVEL_LAST: u32 = u32::MAX;

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    StartsWith,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnaryOp {
    Plus,
    Minus,
    Not,
    IsUnknown,
    Exists,
}

/// The flags of `like_regex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegexFlags {
    /// `i`: case does not matter.
    pub ignore_case: bool,
    /// `s`: a dot matches a line feed.
    pub dot_all: bool,
    /// `m`: `^` and `$` match at lines.
    pub lines: bool,
    /// `q`: the pattern is a text without special characters.
    pub quote: bool,
    /// `x`, which only means nothing beside `q`.
    pub expanded: bool,
}

macro_rules! methods {
    ($($variant:ident $name:literal;)*) => {
        /// A method.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Method {
            $($variant,)*
        }

        impl Method {
            /// The name in a path and in messages.
            pub fn name(self) -> &'static str {
                match self {
                    $(Method::$variant => $name,)*
                }
            }

            /// The method of a name in small letters.
            fn named(name: &str) -> Option<Method> {
                match name {
                    $($name => Some(Method::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

methods! {
    Type "type";
    Size "size";
    Abs "abs";
    Floor "floor";
    Ceiling "ceiling";
    Double "double";
    Datetime "datetime";
    KeyValue "keyvalue";
    Bigint "bigint";
    Boolean "boolean";
    Date "date";
    Decimal "decimal";
    Integer "integer";
    Number "number";
    String "string";
    Time "time";
    TimeTz "time_tz";
    Timestamp "timestamp";
    TimestampTz "timestamp_tz";
}

impl BinaryOp {
    /// The operator as a path has it.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::Greater => ">",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::StartsWith => "starts with",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "%",
        }
    }

    /// Whether it computes a number.
    pub fn is_arithmetic(self) -> bool {
        matches!(
            self,
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod
        )
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// 42601, 22P02, 22P05, 22003, 54001
    pub fn parse(text: &str) -> Result<Path> {
        let path = parse::parse(text)?;
        check::places(&path.chain)?;
        Ok(path)
    }

    /// Pays for what parsing a long text takes, and its path as long as that is kept.
    ///
    /// # Errors
    /// 53200
    pub fn toll(text: &str, account: &Account) -> Result<Option<Toll>> {
        /// An item and its text, by byte of the path.
        const COST: usize = 64;
        Toll::for_text(account, "JsonPath", text, COST)
    }

    /// The text as it is shown.
    pub fn shown(&self) -> String {
        print::path(self, false)
    }

    /// The text that a datum keeps.
    pub fn stored(&self) -> String {
        print::path(self, true)
    }

    /// Calls `check` with each pattern of a like_regex and its flags.
    ///
    /// # Errors
    /// Those of `check`.
    pub fn check_patterns(
        &self,
        check: &mut dyn FnMut(&str, RegexFlags) -> Result<()>,
    ) -> Result<()> {
        check::patterns(&self.chain, check)
    }

    /// The variables that it names, each once.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        check::variables(&self.chain, &mut names);
        names
    }
}
