//! The walk over a path's items.

use super::key_value::Base;
use super::value::Value;
use super::{Manner, Variables};
use base::{Error, Result, err};
use expr::Host;
use memory::collections::Charged;
use memory::{Account, Bump};
use types::jsonb::View;
use types::jsonpath::{Chain, Item, LEVEL_LAST, UnaryOp};
use types::{Jsonb, Numeric};

/// How an evaluation went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Found,
    NotFound,
    /// An error that is silenced.
    Error,
}

/// What becomes of the values.
pub(crate) enum Found<'v> {
    /// Only whether there is one counts.
    Ignored,
    Kept(Charged<Value<'v>>),
}

impl<'v> Found<'v> {
    /// All values, which an account pays for.
    pub(crate) fn all(account: &Account) -> Found<'v> {
        Found::Kept(Charged::new(account.clone(), "JsonpathFound"))
    }

    pub(super) fn is_ignored(&self) -> bool {
        matches!(self, Found::Ignored)
    }

    pub(super) fn push(&mut self, value: Value<'v>) -> Result<()> {
        match self {
            Found::Kept(values) => values.push(value),
            Found::Ignored => Ok(()),
        }
    }
}

/// One evaluation.
pub(crate) struct Evaluator<'e, 'v> {
    pub(super) host: &'e dyn Host,
    pub(super) bump: &'v Bump,
    pub(super) lax: bool,
    /// Structural errors are forgiven: in lax mode, and below `.**`.
    forgiving: bool,
    root: Value<'v>,
    current: Value<'v>,
    pub(super) base: Base<'v>,
    /// The number of the next object that the path makes.
    pub(super) next_object: i64,
    /// The length of the array whose subscripts are computed.
    innermost_len: i64,
    pub(super) manner: Manner<'v>,
    steps: u32,
}

/// A silenced or a real error.
macro_rules! fail {
    ($self:ident, $code:ident, $($message:tt)+) => {
        return $self.silence(|| base::err!($code, $($message)+))
    };
}
pub(super) use fail;

impl<'e, 'v> Evaluator<'e, 'v> {
    pub(super) fn new(
        host: &'e dyn Host,
        bump: &'v Bump,
        lax: bool,
        root: Value<'v>,
        manner: Manner<'v>,
        next_object: i64,
    ) -> Evaluator<'e, 'v> {
        Evaluator {
            host,
            bump,
            lax,
            forgiving: lax,
            root,
            current: root,
            base: Base { container: None, id: 0 },
            next_object,
            innermost_len: -1,
            manner,
            steps: 0,
        }
    }

    pub(super) fn silence(&self, error: impl FnOnce() -> Error) -> Result<Status> {
        if self.manner.throw { Err(error()) } else { Ok(Status::Error) }
    }

    /// Evaluates a chain over a value.
    pub(super) fn chain(
        &mut self,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        self.item(chain, value, found, self.lax)
    }

    /// Hands a value to the items behind the first.
    pub(super) fn next(
        &mut self,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        match chain.get(1..) {
            None | Some([]) => {
                found.push(value)?;
                Ok(Status::Found)
            }
            Some(rest) => self.chain(rest, value, found),
        }
    }

    /// Evaluates a chain; the elements of an array that its first item does not take itself are
    /// taken one by one if `unwrap`.
    fn item(
        &mut self,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
        unwrap: bool,
    ) -> Result<Status> {
        base::stack::check_stack_depth()?;
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(256) {
            self.host.check_for_interrupts()?;
        }
        let Some(first) = chain.first() else { return Ok(Status::NotFound) };
        let followed = chain.len() > 1;
        match first {
            Item::Null | Item::Bool(_) | Item::Number(_) | Item::String(_)
                if !followed && found.is_ignored() =>
            {
                Ok(Status::Found)
            }
            Item::Null => self.next(chain, Value::Null, found),
            Item::Bool(b) => self.next(chain, Value::Bool(*b), found),
            Item::Number(number) => {
                let number = Value::number(number, &self.bump)?;
                self.next(chain, number, found)
            }
            Item::String(text) => self.next(chain, Value::String(text), found),
            Item::Variable(name) => {
                let kept = self.base;
                let value = self.variable(name)?;
                let status = self.next(chain, value, found);
                self.base = kept;
                status
            }
            Item::Binary(op, left, right) if op.is_arithmetic() => {
                self.arithmetic(*op, left, right, chain, value, found)
            }
            Item::Unary(op @ (UnaryOp::Plus | UnaryOp::Minus), operand) => {
                self.signed(*op, operand, chain, value, found)
            }
            Item::Binary(..) | Item::Unary(..) | Item::LikeRegex { .. } => {
                let truth = self.truth(first, value)?;
                if !followed && found.is_ignored() {
                    return Ok(Status::Found);
                }
                self.next(chain, truth.map_or(Value::Null, Value::Bool), found)
            }
            Item::Root => {
                let container = self.root_container();
                let kept = std::mem::replace(&mut self.base, Base { container, id: 0 });
                let status = self.next(chain, self.root, found);
                self.base = kept;
                status
            }
            Item::Current => self.next(chain, self.current, found),
            Item::Last => {
                if !followed && found.is_ignored() {
                    return Ok(Status::Found);
                }
                let last = types::NumericBuf::from_i128((self.innermost_len - 1).into());
                let last = Value::number(&last, &self.bump)?;
                self.next(chain, last, found)
            }
            Item::Key(_) | Item::AnyKey => self.member(chain, value, found, unwrap),
            Item::AnyArray => self.any_element(chain, value, found),
            Item::Index(subscripts) => self.subscripts(subscripts, chain, value, found),
            Item::AnyLevel { first, last } => self.any_level(*first, *last, chain, value, found),
            Item::Filter(predicate) => self.filter(predicate, chain, value, found, unwrap),
            Item::Method(method, args) => {
                if let Some(array) = unwrapped(value, unwrap && method_unwraps(*method)) {
                    return self.elements(chain, array, found, false);
                }
                self.method(*method, args, chain, value, found)
            }
        }
    }

    /// `[*]`
    fn any_element(
        &mut self,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        match value {
            Value::Container(array) if value.is_array() => {
                self.elements(chain.get(1..).unwrap_or(&[]), array, found, self.lax)
            }
            _ if self.lax => self.next(chain, value, found),
            _ if !self.forgiving => fail!(
                self,
                SQL_JSON_ARRAY_NOT_FOUND,
                "jsonpath wildcard array accessor can only be applied to an array"
            ),
            _ => Ok(Status::NotFound),
        }
    }

    /// `?(predicate)`
    fn filter(
        &mut self,
        predicate: &'v Chain,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
        unwrap: bool,
    ) -> Result<Status> {
        if let Some(array) = unwrapped(value, unwrap) {
            return self.elements(chain, array, found, false);
        }
        let kept = std::mem::replace(&mut self.current, value);
        let truth = match predicate.first() {
            Some(predicate) => self.truth(predicate, value),
            None => Ok(None),
        };
        self.current = kept;
        if truth? == Some(true) { self.next(chain, value, found) } else { Ok(Status::NotFound) }
    }

    fn root_container(&self) -> Option<Jsonb<'v>> {
        match self.root {
            Value::Container(json) => Some(json),
            _ => None,
        }
    }

    fn variable(&mut self, name: &str) -> Result<Value<'v>> {
        let missing = || Err(err!(UNDEFINED_OBJECT, "could not find jsonpath variable \"{name}\""));
        match self.manner.variables {
            Variables::None => missing(),
            Variables::Object(object) => {
                let Some(value) = object.get(name) else { return missing() };
                self.base = Base { container: Some(object), id: 1 };
                Ok(Value::of(value))
            }
            Variables::Passed(variables) => {
                let Some(at) = variables.iter().position(|variable| variable.name == name) else {
                    return missing();
                };
                let value = variables[at].value;
                let container = match value {
                    Value::Container(json) => Some(json),
                    _ => None,
                };
                self.base = Base { container, id: at as i64 + 1 };
                Ok(value)
            }
        }
    }

    /// `.name` and `.*`
    fn member(
        &mut self,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
        unwrap: bool,
    ) -> Result<Status> {
        let Some(first) = chain.first() else { return Ok(Status::NotFound) };
        if let Value::Container(json) = value
            && let View::Object(object) = json.view()
        {
            let Item::Key(key) = first else {
                return self.levels(
                    chain.get(1..).unwrap_or(&[]),
                    json,
                    found,
                    1,
                    (1, 1),
                    (false, self.lax),
                );
            };
            return match object.get(key) {
                Some(value) => self.next(chain, Value::of(value), found),
                None if self.forgiving => Ok(Status::NotFound),
                None => fail!(
                    self,
                    SQL_JSON_MEMBER_NOT_FOUND,
                    "JSON object does not contain key \"{key}\""
                ),
            };
        }
        if let Some(array) = unwrapped(value, unwrap) {
            return self.elements(chain, array, found, false);
        }
        if self.forgiving {
            return Ok(Status::NotFound);
        }
        if matches!(first, Item::Key(_)) {
            fail!(
                self,
                SQL_JSON_MEMBER_NOT_FOUND,
                "jsonpath member accessor can only be applied to an object"
            );
        }
        fail!(
            self,
            SQL_JSON_OBJECT_NOT_FOUND,
            "jsonpath wildcard member accessor can only be applied to an object"
        )
    }

    fn subscripts(
        &mut self,
        subscripts: &'v [(Chain, Option<Chain>)],
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let len = value.array_len();
        if len.is_none() && !self.lax {
            if self.forgiving {
                return Ok(Status::NotFound);
            }
            fail!(
                self,
                SQL_JSON_ARRAY_NOT_FOUND,
                "jsonpath array accessor can only be applied to an array"
            );
        }
        // What is no array counts as an array of itself.
        let size = len.map_or(1, |len| len as i64);
        let kept = std::mem::replace(&mut self.innermost_len, size);
        let mut status = Ok(Status::NotFound);
        for (from, to) in subscripts {
            status = self.range((from, to.as_ref()), len.is_some(), chain, value, found);
            match status {
                Ok(Status::Found) if found.is_ignored() => break,
                Ok(Status::Error) | Err(_) => break,
                _ => {}
            }
        }
        self.innermost_len = kept;
        status
    }

    fn range(
        &mut self,
        (from, to): (&'v Chain, Option<&'v Chain>),
        is_array: bool,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let size = self.innermost_len;
        let Some(first) = self.subscript(from, value)? else { return Ok(Status::Error) };
        let last = match to {
            None => first,
            Some(to) => match self.subscript(to, value)? {
                Some(last) => last,
                None => return Ok(Status::Error),
            },
        };
        if !self.forgiving && (first < 0 || first > last || last >= size) {
            fail!(self, INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of bounds");
        }
        let mut status = Status::NotFound;
        for index in first.max(0)..=last.min(size - 1) {
            let element = match value {
                Value::Container(json) if is_array => match json.element(index) {
                    Some(element) => Value::of(element),
                    None => continue,
                },
                _ => value,
            };
            if chain.len() == 1 && found.is_ignored() {
                return Ok(Status::Found);
            }
            status = self.next(chain, element, found)?;
            if status == Status::Error || status == Status::Found && found.is_ignored() {
                break;
            }
        }
        Ok(status)
    }

    /// A subscript; none after a silenced error.
    fn subscript(&mut self, chain: &'v Chain, value: Value<'v>) -> Result<Option<i64>> {
        let mut values = Found::all(self.bump.account());
        if self.chain(chain, value, &mut values)? == Status::Error {
            return Ok(None);
        }
        let Found::Kept(values) = values else { return Ok(None) };
        let [Value::Number(number)] = &values[..] else {
            return self
                .silence(|| {
                    err!(
                        INVALID_SQL_JSON_SUBSCRIPT,
                        "jsonpath array subscript is not a single numeric value"
                    )
                })
                .map(|_| None);
        };
        let whole = Numeric::from_datum(number)?.load().trunc(0).to_i64();
        match whole.filter(|whole| i32::try_from(*whole).is_ok()) {
            Some(whole) => Ok(Some(whole)),
            None => self
                .silence(|| {
                    err!(
                        INVALID_SQL_JSON_SUBSCRIPT,
                        "jsonpath array subscript is out of integer range"
                    )
                })
                .map(|_| None),
        }
    }

    fn any_level(
        &mut self,
        first: u32,
        last: u32,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let mut status = Status::NotFound;
        if first == 0 {
            let kept = std::mem::replace(&mut self.forgiving, true);
            let next = self.next(chain, value, found);
            self.forgiving = kept;
            status = next?;
            if status == Status::Found && found.is_ignored() {
                return Ok(status);
            }
        }
        match value {
            Value::Container(json) => self.levels(
                chain.get(1..).unwrap_or(&[]),
                json,
                found,
                1,
                (first, last),
                (true, self.lax),
            ),
            _ => Ok(status),
        }
    }

    /// The elements of an array, one by one, through a chain that may be empty.
    pub(super) fn elements(
        &mut self,
        chain: &'v [Item],
        array: Jsonb<'v>,
        found: &mut Found<'v>,
        unwrap: bool,
    ) -> Result<Status> {
        self.levels(chain, array, found, 1, (1, 1), (false, unwrap))
    }

    /// The parts of a container on the levels of a range, through a chain that may be empty.
    fn levels(
        &mut self,
        chain: &'v [Item],
        container: Jsonb<'v>,
        found: &mut Found<'v>,
        level: u32,
        (first, last): (u32, u32),
        (forgive, unwrap): (bool, bool),
    ) -> Result<Status> {
        base::stack::check_stack_depth()?;
        let mut status = Status::NotFound;
        if level > last {
            return Ok(status);
        }
        let leaves = first == LEVEL_LAST && last == LEVEL_LAST;
        let view = container.view();
        let (array, object) = match view {
            View::Array(array) => (Some(array), None),
            View::Object(object) => (None, Some(object)),
            _ => (None, None),
        };
        let parts = array
            .into_iter()
            .flat_map(|array| array.iter())
            .chain(object.into_iter().flat_map(|object| object.iter().map(|(_, value)| value)));
        for part in parts {
            let value = Value::of(part);
            let inner = matches!(value, Value::Container(_));
            if level >= first || leaves && !inner {
                if !chain.is_empty() {
                    let kept = self.forgiving;
                    self.forgiving |= forgive;
                    let result = self.item(chain, value, found, unwrap);
                    self.forgiving = kept;
                    status = result?;
                    if status == Status::Error || status == Status::Found && found.is_ignored() {
                        break;
                    }
                } else if found.is_ignored() {
                    return Ok(Status::Found);
                } else {
                    found.push(value)?;
                }
            }
            if level < last && inner {
                let range = (first, last);
                status = self.levels(chain, part, found, level + 1, range, (forgive, unwrap))?;
                if status == Status::Error || status == Status::Found && found.is_ignored() {
                    break;
                }
            }
        }
        Ok(status)
    }

    /// The values of a chain, arrays replaced by their elements in lax mode if `unwrap`; none after
    /// a silenced error.
    pub(super) fn values(
        &mut self,
        chain: &'v Chain,
        value: Value<'v>,
        unwrap: bool,
    ) -> Result<Option<Charged<Value<'v>>>> {
        let mut values = Found::all(self.bump.account());
        if self.chain(chain, value, &mut values)? == Status::Error {
            return Ok(None);
        }
        let Found::Kept(values) = values else { return Ok(None) };
        if !(unwrap && self.lax && values.iter().any(|value| value.is_array())) {
            return Ok(Some(values));
        }
        let mut unwrapped = Found::all(self.bump.account());
        for value in values.iter() {
            match value {
                Value::Container(array) if value.is_array() => {
                    self.elements(&[], *array, &mut unwrapped, false)?;
                }
                value => unwrapped.push(*value)?,
            }
        }
        match unwrapped {
            Found::Kept(values) => Ok(Some(values)),
            Found::Ignored => Ok(None),
        }
    }

    /// Runs a part of the walk with its errors silenced.
    pub(super) fn silenced<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let kept = std::mem::replace(&mut self.manner.throw, false);
        let result = run(self);
        self.manner.throw = kept;
        result
    }
}

fn unwrapped(value: Value<'_>, unwrap: bool) -> Option<Jsonb<'_>> {
    match value {
        Value::Container(json) if unwrap && value.is_array() => Some(json),
        _ => None,
    }
}

fn method_unwraps(method: types::jsonpath::Method) -> bool {
    use types::jsonpath::Method;
    !matches!(method, Method::Type | Method::Size)
}
