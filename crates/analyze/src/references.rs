//! Which WITH queries a statement refers to, before anything is analysed: recursion and the order
//! of WITH RECURSIVE depend on it.
//!
//! A name counts unless a WITH further inside has a query of the same name.

use parse::{
    Assignment, Expression, GroupingElement, Indirection, JoinExpr, JoinKind, Location,
    MergeAction, RangeVar, ResTarget, ReturningClause, SelectStmt, SetOperation, SetOperationKind,
    SortBy, Statement, TableRef, WindowDef, WithClause,
};

/// What surrounds a reference, as far as it forbids a recursive one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Nothing that does.
    Plain,
    /// A subquery in an expression.
    Subquery,
    /// The side of an outer join that may be filled with NULLs.
    OuterJoin,
    /// An operand of INTERSECT ALL.
    Intersect,
    /// The right operand of EXCEPT, or one of EXCEPT ALL.
    Except,
}

/// Calls `f` for each relation without a schema that the statement reads or changes.
pub(crate) fn references<'p>(
    statement: &'p Statement<'p>,
    f: &mut dyn FnMut(&'p str, Location, Place),
) {
    Walk { f, hidden: Vec::new(), place: Place::Plain }.statement(statement);
}

/// [`references`] of the queries of a WITH clause.
pub(crate) fn references_of_with<'p>(
    with: &'p WithClause<'p>,
    f: &mut dyn FnMut(&'p str, Location, Place),
) {
    let mut walk = Walk { f, hidden: Vec::new(), place: Place::Plain };
    with.ctes.iter().for_each(|cte| walk.statement(cte.query));
}

struct Walk<'p, 'f> {
    f: &'f mut dyn FnMut(&'p str, Location, Place),
    /// Names that WITH clauses further inside give another meaning.
    hidden: Vec<&'p str>,
    place: Place,
}

impl<'p> Walk<'p, '_> {
    fn statement(&mut self, statement: &'p Statement<'p>) {
        match statement {
            Statement::Select(select) => self.select(select),
            Statement::Insert(insert) => self.within(insert.with, |walk| {
                walk.relation(&insert.relation);
                if let Some(source) = insert.source {
                    walk.select(source);
                }
                if let Some(conflict) = insert.on_conflict {
                    walk.assignments(conflict.assignments);
                    walk.optional(conflict.filter);
                }
                walk.returning(insert.returning);
            }),
            Statement::Update(update) => self.within(update.with, |walk| {
                walk.relation(&update.relation);
                walk.assignments(update.assignments);
                walk.tables(update.from);
                walk.optional(update.filter);
                walk.returning(update.returning);
            }),
            Statement::Delete(delete) => self.within(delete.with, |walk| {
                walk.relation(&delete.relation);
                walk.tables(delete.using);
                walk.optional(delete.filter);
                walk.returning(delete.returning);
            }),
            Statement::Merge(merge) => self.within(merge.with, |walk| {
                walk.relation(&merge.relation);
                walk.table(&merge.source);
                walk.expression(merge.condition);
                for when in merge.whens {
                    walk.optional(when.condition);
                    match when.action {
                        MergeAction::Update(list) => walk.assignments(list),
                        MergeAction::Insert { values, .. } => walk.expressions(values),
                        _ => {}
                    }
                }
                walk.returning(merge.returning);
            }),
            _ => {}
        }
    }

    fn within(&mut self, with: Option<&'p WithClause<'p>>, f: impl FnOnce(&mut Self)) {
        let before = self.hidden.len();
        if let Some(with) = with {
            if with.recursive {
                self.hidden.extend(with.ctes.iter().map(|cte| cte.name));
            }
            for cte in with.ctes {
                self.statement(cte.query);
                if !with.recursive {
                    self.hidden.push(cte.name);
                }
            }
        }
        f(self);
        self.hidden.truncate(before);
    }

    fn select(&mut self, select: &'p SelectStmt<'p>) {
        // What is too deep to walk is too deep to analyse, which says so.
        if base::stack::check_stack_depth().is_err() {
            return;
        }
        self.within(select.with, |walk| {
            if let Some(operation) = select.set_operation {
                walk.operands(operation);
            }
            if let Some(parse::Distinct::On(list)) = select.distinct {
                walk.expressions(list);
            }
            walk.targets(select.targets);
            walk.tables(select.from);
            walk.optional(select.filter);
            select.group.iter().for_each(|element| walk.grouping(element));
            walk.optional(select.having);
            select.windows.iter().for_each(|window| walk.window(window));
            select.values.iter().for_each(|row| walk.expressions(row));
            walk.sort(select.sort);
            walk.optional(select.offset);
            walk.optional(select.limit);
            for locked in select.locking {
                locked.relations.iter().for_each(|relation| walk.relation(relation));
            }
        });
    }

    fn operands(&mut self, operation: &'p SetOperation<'p>) {
        use SetOperationKind as K;
        let (left, right) = match (operation.kind, operation.all) {
            (K::Except, false) => (Place::Plain, Place::Except),
            (K::Except, true) => (Place::Except, Place::Except),
            (K::Intersect, true) => (Place::Intersect, Place::Intersect),
            (K::Intersect, false) | (K::Union, _) => (Place::Plain, Place::Plain),
        };
        self.placed(left, |walk| walk.select(operation.left));
        self.placed(right, |walk| walk.select(operation.right));
    }

    /// Walks a part that stands in a place of its own; what is forbidden already stays so.
    fn placed(&mut self, place: Place, f: impl FnOnce(&mut Self)) {
        let before = self.place;
        if before == Place::Plain {
            self.place = place;
        }
        f(self);
        self.place = before;
    }

    fn relation(&mut self, relation: &RangeVar<'p>) {
        if relation.schema.is_none() && !self.hidden.contains(&relation.name) {
            (self.f)(relation.name, relation.location, self.place);
        }
    }

    fn join(&mut self, join: &'p JoinExpr<'p>) {
        let (left, right) = match join.kind {
            JoinKind::Inner => (Place::Plain, Place::Plain),
            JoinKind::Left => (Place::Plain, Place::OuterJoin),
            JoinKind::Right => (Place::OuterJoin, Place::Plain),
            JoinKind::Full => (Place::OuterJoin, Place::OuterJoin),
        };
        self.placed(left, |walk| walk.table(&join.left));
        self.placed(right, |walk| walk.table(&join.right));
        self.optional(join.condition);
    }

    fn grouping(&mut self, element: &'p GroupingElement<'p>) {
        match element {
            GroupingElement::Expression(expression) => self.expression(expression),
            GroupingElement::Empty(_) => {}
            GroupingElement::Rollup(list, _) | GroupingElement::Cube(list, _) => {
                self.expressions(list);
            }
            GroupingElement::Sets(list, _) => list.iter().for_each(|inner| self.grouping(inner)),
        }
    }

    fn window(&mut self, window: &'p WindowDef<'p>) {
        self.expressions(window.partition);
        self.sort(window.order);
    }

    fn sort(&mut self, list: &'p [SortBy<'p>]) {
        list.iter().for_each(|item| self.expression(&item.value));
    }

    fn targets(&mut self, list: &'p [ResTarget<'p>]) {
        list.iter().for_each(|target| self.optional(target.value));
    }

    fn returning(&mut self, clause: Option<&'p ReturningClause<'p>>) {
        if let Some(clause) = clause {
            self.targets(clause.targets);
        }
    }

    fn assignments(&mut self, list: &'p [Assignment<'p>]) {
        for assignment in list {
            match assignment {
                Assignment::Single(target) => self.optional(target.value),
                Assignment::Multiple { source, .. } => self.expression(source),
            }
        }
    }

    fn tables(&mut self, list: &'p [TableRef<'p>]) {
        list.iter().for_each(|table| self.table(table));
    }

    fn table(&mut self, table: &'p TableRef<'p>) {
        match table {
            TableRef::Relation(name) => self.relation(name),
            TableRef::Json(table) => table.parts(&mut |part| self.expression(part)),
            TableRef::Other { .. } => {}
            TableRef::Subselect(subselect) => self.select(subselect.query),
            TableRef::Function(function) => {
                function.functions.iter().for_each(|item| self.expression(&item.call));
            }
            TableRef::Join(join) => self.join(join),
            TableRef::Sample(sample) => self.table(&sample.relation),
        }
    }

    fn optional(&mut self, expression: Option<&'p Expression<'p>>) {
        if let Some(expression) = expression {
            self.expression(expression);
        }
    }

    fn expressions(&mut self, list: &'p [Expression<'p>]) {
        list.iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &'p Expression<'p>) {
        use Expression as E;
        if base::stack::check_stack_depth().is_err() {
            return;
        }
        match expression {
            E::SubLink(link) => {
                let before = std::mem::replace(&mut self.place, Place::Subquery);
                self.select(link.query);
                self.place = before;
                self.optional(link.test);
            }
            E::FuncCall(call) => {
                self.expressions(call.args);
                self.sort(call.order);
                self.optional(call.filter);
                if let Some(window) = call.over {
                    self.window(window);
                }
            }
            E::TypeCast { arg, .. }
            | E::Collate { arg, .. }
            | E::Not { arg, .. }
            | E::NullTest { arg, .. }
            | E::BooleanTest { arg, .. }
            | E::NamedArg { arg, .. } => self.expression(arg),
            E::Operator { left, right, .. } => {
                self.optional(*left);
                self.expression(right);
            }
            E::OperatorAny { left, right, .. }
            | E::Distinct { left, right, .. }
            | E::NullIf { left, right, .. }
            | E::Like { left, right, .. } => {
                self.expression(left);
                self.expression(right);
            }
            E::In { left, list, .. } => {
                self.expression(left);
                self.expressions(list);
            }
            E::Between { left, low, high, .. } => {
                [left, low, high].into_iter().for_each(|part| self.expression(part));
            }
            E::And { args, .. }
            | E::Or { args, .. }
            | E::Coalesce { args, .. }
            | E::MinMax { args, .. }
            | E::Row { args, .. }
            | E::Grouping { args, .. }
            | E::Array { elements: args, .. } => self.expressions(args),
            E::Indirection { arg, steps } => {
                self.expression(arg);
                for step in *steps {
                    match step {
                        Indirection::Index(index) => self.expression(index),
                        Indirection::Slice(lower, upper) => {
                            self.optional(*lower);
                            self.optional(*upper);
                        }
                        _ => {}
                    }
                }
            }
            E::Case { arg, whens, default, .. } => {
                self.optional(*arg);
                for when in *whens {
                    self.expression(when.condition);
                    self.expression(when.result);
                }
                self.optional(*default);
            }
            E::Json(json) => {
                if let parse::JsonKind::ArrayQuery { query, .. } = json.kind {
                    let before = std::mem::replace(&mut self.place, Place::Subquery);
                    self.select(query);
                    self.place = before;
                }
                json.kind.parts(&mut |part| self.expression(part));
            }
            E::ColumnRef { .. }
            | E::ParamRef { .. }
            | E::Const { .. }
            | E::SqlValueFunction { .. }
            | E::MergeAction { .. }
            | E::Default { .. }
            | E::CurrentOf { .. }
            | E::Other { .. } => {}
        }
    }
}
