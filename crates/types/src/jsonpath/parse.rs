//! The grammar: a parser by recursive descent.

use super::scan::{Scanner, Token};
use super::{BinaryOp, Chain, Item, LEVEL_LAST, Method, Path, RegexFlags, UnaryOp};
use crate::numeric::NumericBuf;
use base::{Error, Result, err};

struct Parser<'t> {
    scanner: Scanner<'t>,
    token: Token,
}

/// What was parsed, and whether it is a predicate.
struct Parsed {
    chain: Chain,
    predicate: bool,
}

fn predicate(item: Item) -> Parsed {
    Parsed { chain: vec![item], predicate: true }
}

fn expression(item: Item) -> Parsed {
    Parsed { chain: vec![item], predicate: false }
}

fn invalid(detail: String) -> Error {
    err!(SYNTAX_ERROR, "invalid input syntax for type jsonpath").detail(detail)
}

/// Reads a path.
///
/// # Errors
/// Those of [`Path::parse`], but for the places of items.
pub(super) fn parse(text: &str) -> Result<Path> {
    let mut scanner = Scanner::new(text);
    let token = scanner.next()?;
    let mut parser = Parser { scanner, token };
    if parser.token == Token::End {
        return Err(err!(
            INVALID_TEXT_REPRESENTATION,
            "invalid input syntax for type jsonpath: \"{text}\""
        ));
    }
    let lax = !parser.take_keyword("strict")?;
    if lax {
        parser.take_keyword("lax")?;
    }
    let parsed = parser.or()?;
    if parser.token != Token::End {
        return Err(parser.unexpected());
    }
    Ok(Path { lax, chain: parsed.chain })
}

impl Parser<'_> {
    fn unexpected(&self) -> Error {
        self.scanner.error("syntax error")
    }

    fn advance(&mut self) -> Result<Token> {
        let next = self.scanner.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn take(&mut self, token: &Token) -> Result<bool> {
        let found = self.token == *token;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn take_char(&mut self, c: u8) -> Result<bool> {
        self.take(&Token::Char(c))
    }

    fn expect_char(&mut self, c: u8) -> Result<()> {
        if self.take_char(c)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_keyword(&self, wanted: &str) -> bool {
        matches!(&self.token, Token::Keyword(keyword, _) if *keyword == wanted)
    }

    fn take_keyword(&mut self, wanted: &str) -> Result<bool> {
        let found = self.is_keyword(wanted);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect_keyword(&mut self, wanted: &str) -> Result<()> {
        if self.take_keyword(wanted)? { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The chain of an expression.
    fn value(&self, parsed: Parsed) -> Result<Chain> {
        if parsed.predicate { Err(self.unexpected()) } else { Ok(parsed.chain) }
    }

    /// The chain of a predicate.
    fn truth(&self, parsed: Parsed) -> Result<Chain> {
        if parsed.predicate { Ok(parsed.chain) } else { Err(self.unexpected()) }
    }

    fn or(&mut self) -> Result<Parsed> {
        base::stack::check_stack_depth()?;
        let mut left = self.and()?;
        while self.token == Token::Or {
            let chain = self.truth(left)?;
            self.advance()?;
            let right = self.and()?;
            let right = self.truth(right)?;
            left = predicate(Item::Binary(BinaryOp::Or, chain, right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Parsed> {
        let mut left = self.comparison()?;
        while self.token == Token::And {
            let chain = self.truth(left)?;
            self.advance()?;
            let right = self.comparison()?;
            let right = self.truth(right)?;
            left = predicate(Item::Binary(BinaryOp::And, chain, right));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Parsed> {
        if self.take(&Token::Not)? {
            let operand = if self.is_keyword("exists") {
                self.exists()?
            } else {
                self.expect_char(b'(')?;
                let inner = self.or()?;
                let inner = self.truth(inner)?;
                self.expect_char(b')')?;
                inner
            };
            return Ok(predicate(Item::Unary(UnaryOp::Not, operand)));
        }
        if self.is_keyword("exists") {
            return Ok(Parsed { chain: self.exists()?, predicate: true });
        }
        let left = self.additive()?;
        if left.predicate {
            if self.take_keyword("is")? {
                self.expect_keyword("unknown")?;
                return Ok(predicate(Item::Unary(UnaryOp::IsUnknown, left.chain)));
            }
            return Ok(left);
        }
        let op = match self.token {
            Token::Equal => BinaryOp::Equal,
            Token::NotEqual => BinaryOp::NotEqual,
            Token::Less => BinaryOp::Less,
            Token::Greater => BinaryOp::Greater,
            Token::LessOrEqual => BinaryOp::LessOrEqual,
            Token::GreaterOrEqual => BinaryOp::GreaterOrEqual,
            Token::Keyword("starts", _) => return self.starts_with(left.chain),
            Token::Keyword("like_regex", _) => return self.like_regex(left.chain),
            _ => return Ok(left),
        };
        self.advance()?;
        let right = self.additive()?;
        let right = self.value(right)?;
        Ok(predicate(Item::Binary(op, left.chain, right)))
    }

    fn exists(&mut self) -> Result<Chain> {
        self.advance()?;
        self.expect_char(b'(')?;
        let inner = self.or()?;
        let inner = self.value(inner)?;
        self.expect_char(b')')?;
        Ok(vec![Item::Unary(UnaryOp::Exists, inner)])
    }

    fn starts_with(&mut self, whole: Chain) -> Result<Parsed> {
        self.advance()?;
        self.expect_keyword("with")?;
        let initial = match &mut self.token {
            Token::String(text) => Item::String(std::mem::take(text)),
            Token::Variable(name) => Item::Variable(std::mem::take(name)),
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(predicate(Item::Binary(BinaryOp::StartsWith, whole, vec![initial])))
    }

    fn string(&mut self) -> Result<String> {
        match &mut self.token {
            Token::String(text) => {
                let text = std::mem::take(text);
                self.advance()?;
                Ok(text)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn like_regex(&mut self, value: Chain) -> Result<Parsed> {
        self.advance()?;
        let pattern = self.string()?;
        let mut flags = RegexFlags::default();
        if self.take_keyword("flag")? {
            for c in self.string()?.chars() {
                match c {
                    'i' => flags.ignore_case = true,
                    's' => flags.dot_all = true,
                    'm' => flags.lines = true,
                    'x' => flags.expanded = true,
                    'q' => flags.quote = true,
                    c => {
                        return Err(invalid(format!(
                            "Unrecognized flag character \"{c}\" in LIKE_REGEX predicate."
                        )));
                    }
                }
            }
        }
        if flags.expanded && !flags.quote {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "XQuery \"x\" flag (expanded regular expressions) is not implemented"
            ));
        }
        Ok(predicate(Item::LikeRegex { value, pattern, flags }))
    }

    fn additive(&mut self) -> Result<Parsed> {
        let mut left = self.multiplicative()?;
        loop {
            let op = match self.token {
                Token::Char(b'+') => BinaryOp::Add,
                Token::Char(b'-') => BinaryOp::Sub,
                _ => return Ok(left),
            };
            let chain = self.value(left)?;
            self.advance()?;
            let right = self.multiplicative()?;
            let right = self.value(right)?;
            left = expression(Item::Binary(op, chain, right));
        }
    }

    fn multiplicative(&mut self) -> Result<Parsed> {
        let mut left = self.unary()?;
        loop {
            let op = match self.token {
                Token::Char(b'*') => BinaryOp::Mul,
                Token::Char(b'/') => BinaryOp::Div,
                Token::Char(b'%') => BinaryOp::Mod,
                _ => return Ok(left),
            };
            let chain = self.value(left)?;
            self.advance()?;
            let right = self.unary()?;
            let right = self.value(right)?;
            left = expression(Item::Binary(op, chain, right));
        }
    }

    fn unary(&mut self) -> Result<Parsed> {
        base::stack::check_stack_depth()?;
        let op = match self.token {
            Token::Char(b'+') => UnaryOp::Plus,
            Token::Char(b'-') => UnaryOp::Minus,
            _ => return self.primary(),
        };
        self.advance()?;
        let operand = self.unary()?;
        let operand = self.value(operand)?;
        // A literal takes its sign.
        Ok(match (op, operand.as_slice()) {
            (UnaryOp::Plus, [Item::Number(_)]) => Parsed { chain: operand, predicate: false },
            (_, [Item::Number(number)]) => expression(Item::Number(number.neg())),
            _ => expression(Item::Unary(op, operand)),
        })
    }

    fn primary(&mut self) -> Result<Parsed> {
        let mut parsed = match &mut self.token {
            Token::Char(b'(') => {
                self.advance()?;
                let inner = self.or()?;
                self.expect_char(b')')?;
                return self.with_accessors(inner);
            }
            Token::String(text) => expression(Item::String(std::mem::take(text))),
            Token::Variable(name) => expression(Item::Variable(std::mem::take(name))),
            Token::Int(text) | Token::Number(text) => {
                expression(Item::Number(NumericBuf::parse(text)?))
            }
            Token::Keyword("null", _) => expression(Item::Null),
            Token::Keyword("true", _) => expression(Item::Bool(true)),
            Token::Keyword("false", _) => expression(Item::Bool(false)),
            Token::Keyword("last", _) => expression(Item::Last),
            Token::Char(b'$') => expression(Item::Root),
            Token::Char(b'@') => expression(Item::Current),
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        parsed = self.with_accessors(parsed)?;
        Ok(parsed)
    }

    /// Appends the accessors that follow; with one a predicate becomes a value.
    fn with_accessors(&mut self, mut parsed: Parsed) -> Result<Parsed> {
        loop {
            let item = match self.token {
                Token::Char(b'.') => {
                    self.advance()?;
                    self.member()?
                }
                Token::Char(b'[') => {
                    self.advance()?;
                    self.subscripts()?
                }
                Token::Char(b'?') => {
                    self.advance()?;
                    self.expect_char(b'(')?;
                    let inner = self.or()?;
                    let inner = self.truth(inner)?;
                    self.expect_char(b')')?;
                    Item::Filter(inner)
                }
                _ => return Ok(parsed),
            };
            parsed.chain.push(item);
            parsed.predicate = false;
        }
    }

    fn subscripts(&mut self) -> Result<Item> {
        if self.take_char(b'*')? {
            self.expect_char(b']')?;
            return Ok(Item::AnyArray);
        }
        let mut subscripts = Vec::new();
        loop {
            let from = self.additive()?;
            let from = self.value(from)?;
            let to = if self.take_keyword("to")? {
                let to = self.additive()?;
                Some(self.value(to)?)
            } else {
                None
            };
            subscripts.push((from, to));
            if !self.take_char(b',')? {
                break;
            }
        }
        self.expect_char(b']')?;
        Ok(Item::Index(subscripts))
    }

    /// What stands behind a point.
    fn member(&mut self) -> Result<Item> {
        match &mut self.token {
            Token::Char(b'*') => {
                self.advance()?;
                Ok(Item::AnyKey)
            }
            Token::Any => {
                self.advance()?;
                self.any_level()
            }
            Token::Word(text) | Token::String(text) => {
                let key = std::mem::take(text);
                self.advance()?;
                Ok(Item::Key(key))
            }
            Token::Keyword(keyword, text) => {
                let (keyword, text) = (*keyword, std::mem::take(text));
                self.advance()?;
                match Method::named(keyword) {
                    Some(method) if self.take_char(b'(')? => self.method(method),
                    _ => Ok(Item::Key(text)),
                }
            }
            _ => Err(self.unexpected()),
        }
    }

    fn any_level(&mut self) -> Result<Item> {
        if !self.take_char(b'{')? {
            return Ok(Item::AnyLevel { first: 0, last: LEVEL_LAST });
        }
        let first = self.level()?;
        let last = if self.take_keyword("to")? { self.level()? } else { first };
        self.expect_char(b'}')?;
        Ok(Item::AnyLevel { first, last })
    }

    fn level(&mut self) -> Result<u32> {
        let level = match &self.token {
            Token::Int(text) => crate::scalar::parse_int4(text)?.cast_unsigned(),
            Token::Keyword("last", _) => LEVEL_LAST,
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(level)
    }

    fn method(&mut self, method: Method) -> Result<Item> {
        let mut args = Vec::new();
        match method {
            Method::Decimal if self.token != Token::Char(b')') => {
                args.push(self.signed_integer()?);
                while self.take_char(b',')? {
                    args.push(self.signed_integer()?);
                }
            }
            Method::Datetime if matches!(self.token, Token::String(_)) => {
                args.push(Item::String(self.string()?));
            }
            Method::Time | Method::TimeTz | Method::Timestamp | Method::TimestampTz
                if matches!(self.token, Token::Int(_)) =>
            {
                args.push(self.integer()?);
            }
            _ => {}
        }
        self.expect_char(b')')?;
        if args.len() > 2 {
            return Err(invalid(".decimal() can only have an optional precision[,scale].".into()));
        }
        Ok(Item::Method(method, args))
    }

    fn integer(&mut self) -> Result<Item> {
        let Token::Int(text) = &self.token else { return Err(self.unexpected()) };
        let number = NumericBuf::parse(text)?;
        self.advance()?;
        Ok(Item::Number(number))
    }

    fn signed_integer(&mut self) -> Result<Item> {
        let negative = self.token == Token::Char(b'-');
        if negative || self.token == Token::Char(b'+') {
            self.advance()?;
        }
        Ok(match self.integer()? {
            Item::Number(number) if negative => Item::Number(number.neg()),
            item => item,
        })
    }
}
