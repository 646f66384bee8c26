//! What each kind of node shows.

use super::texts::all_of;
use super::{Above, Builder};
use crate::shown::{Shown, Value};
use analyze::tree::{Command, ExprKind, RangeKind, SetKind};
use base::Result;
use catalog::quote_identifier;
use expr::Program;
use plan::{Join, Modify, Node, NodeKind, SortColumn};

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn join_word(join: Join) -> &'static str {
    match join {
        Join::Inner => "Inner",
        Join::Left => "Left",
        Join::Full => "Full",
        Join::Semi => "Semi",
        Join::Anti => "Anti",
    }
}

fn command_word(command: Command) -> &'static str {
    match command {
        Command::Insert => "Insert",
        Command::Update => "Update",
        Command::Delete => "Delete",
        _ => "Merge",
    }
}

fn set_word(kind: SetKind, all: bool) -> &'static str {
    match (kind, all) {
        (SetKind::Intersect, false) => "Intersect",
        (SetKind::Intersect, true) => "Intersect All",
        (_, false) => "Except",
        (_, true) => "Except All",
    }
}

/// Whether rows come sorted by some columns, in any direction.
fn is_sorted(node: &Node<'_>, keys: &[SortColumn]) -> bool {
    match node.kind {
        NodeKind::Sort { keys: sorted, .. } => {
            let first = sorted.get(..keys.len());
            first.is_some_and(|first| {
                keys.iter().all(|key| first.iter().any(|other| other.column == key.column))
            })
        }
        _ => false,
    }
}

fn calls_title(functions: &[plan::FunctionCall<'_>]) -> &'static str {
    match functions {
        [only] if is_table_function(only) => "Table Function Call",
        _ => "Function Call",
    }
}

/// Whether a function in FROM is one with syntax of its own: JSON_TABLE.
fn is_table_function(call: &plan::FunctionCall<'_>) -> bool {
    matches!(call.body, plan::FunctionBody::Operation { .. })
}

impl<'q, 'p> Builder<'_, 'q, 'p> {
    /// A node with its title and what structured formats say instead.
    pub(super) fn titled(&self, node: &'p Node<'p>) -> Result<Shown> {
        let mut shown = match node.kind {
            NodeKind::Result { .. } => Shown::new("Result"),
            NodeKind::Values(_) => Shown::new("Values Scan"),
            NodeKind::SeqScan { .. } => Shown::new("Seq Scan"),
            NodeKind::IndexScan { .. } => Shown::new("Index Scan"),
            NodeKind::FunctionScan { functions: [only], .. } if is_table_function(only) => {
                Shown::new("Table Function Scan")
            }
            NodeKind::FunctionScan { .. } => Shown::new("Function Scan"),
            NodeKind::CteScan(_) => Shown::new("CTE Scan"),
            NodeKind::WorkTable(_) => Shown::new("WorkTable Scan"),
            NodeKind::RecursiveUnion { .. } => Shown::new("Recursive Union"),
            NodeKind::ProjectSet { .. } => Shown::new("ProjectSet"),
            NodeKind::NestedLoop { .. } => Shown::new("Nested Loop"),
            NodeKind::HashJoin { .. } => Shown::new("Hash Join"),
            NodeKind::Sort { .. } => Shown::new("Sort"),
            NodeKind::Aggregate { .. } => Shown::new("Aggregate"),
            NodeKind::Distinct { input, keys } if is_sorted(input, keys) => Shown::new("Unique"),
            NodeKind::Distinct { .. } => Shown::new("Aggregate"),
            NodeKind::Append(_) => Shown::new("Append"),
            NodeKind::SetOperation { .. } => Shown::new("SetOp"),
            NodeKind::Window { .. } => Shown::new("WindowAgg"),
            NodeKind::Limit { .. } => Shown::new("Limit"),
            NodeKind::LockRows { .. } => Shown::new("LockRows"),
            NodeKind::Modify(_) => Shown::new("ModifyTable"),
            NodeKind::Filter { .. } | NodeKind::Project { .. } | NodeKind::With { .. } => {
                Shown::new("Result")
            }
        };
        self.title_of_scan(&mut shown, node)?;
        match node.kind {
            NodeKind::NestedLoop { join, .. } | NodeKind::HashJoin { join, .. } => {
                let hash = matches!(node.kind, NodeKind::HashJoin { .. });
                let base = if hash { "Hash" } else { "Nested Loop" };
                shown.title = match (join, hash) {
                    (Join::Inner, false) => base.to_owned(),
                    (Join::Inner, true) => format!("{base} Join"),
                    _ => format!("{base} {} Join", join_word(join)),
                };
                shown.head("Join Type", text(join_word(join)));
            }
            NodeKind::Aggregate { keys, sets, .. } => {
                let (title, strategy) = match (keys, sets) {
                    ([], _) => ("Aggregate", "Plain"),
                    (_, sets) if sets.iter().any(|set| set.is_empty()) => {
                        ("MixedAggregate", "Mixed")
                    }
                    _ => ("HashAggregate", "Hashed"),
                };
                shown.title = title.to_owned();
                shown.first("Strategy", strategy);
                shown.first("Partial Mode", "Simple");
            }
            NodeKind::Distinct { .. } if shown.node_type == "Aggregate" => {
                shown.title = "HashAggregate".to_owned();
                shown.first("Strategy", "Hashed");
                shown.first("Partial Mode", "Simple");
            }
            NodeKind::SetOperation { kind, all, .. } => {
                shown.title = format!("HashSetOp {}", set_word(kind, all));
                shown.first("Strategy", "Hashed");
                shown.head("Command", text(set_word(kind, all)));
            }
            NodeKind::Modify(modify) => self.title_of_change(&mut shown, modify)?,
            _ => {}
        }
        Ok(shown)
    }

    /// `on t alias`, `using i on t`.
    fn title_of_scan(&self, shown: &mut Shown, node: &'p Node<'p>) -> Result<()> {
        let descriptions = self.source.descriptions;
        let mut title = shown.title.clone();
        if let NodeKind::IndexScan { index, backward, .. } = node.kind
            && let Some(index) = descriptions.indexes.get(usize::from(index))
        {
            title.push_str(if backward { " Backward" } else { "" });
            title.push_str(&format!(" using {}", quote_identifier(&index.name)));
            shown.head("Scan Direction", text(if backward { "Backward" } else { "Forward" }));
            shown.head("Index Name", text(&*index.name));
        }
        let Some((level, range)) = self.source.notes.ranges.get(&node.id).copied() else {
            shown.title = title;
            return Ok(());
        };
        let alias = self.names.range(level, range).unwrap_or_default().to_owned();
        let mut name = None;
        match node.kind {
            NodeKind::SeqScan { relation, .. } | NodeKind::IndexScan { relation, .. } => {
                if let Some(relation) = descriptions.relations.get(usize::from(relation)) {
                    shown.head("Relation Name", text(&*relation.name));
                    if self.options.verbose {
                        let schema = self.source.env.catalog().namespace(relation.namespace)?;
                        shown.head("Schema", text(&*schema.name));
                        title.push_str(&format!(" on {}.", quote_identifier(&schema.name)));
                        title.push_str(&quote_identifier(&relation.name));
                    } else {
                        title.push_str(&format!(" on {}", quote_identifier(&relation.name)));
                    }
                    name = Some(relation.name.clone());
                }
            }
            NodeKind::FunctionScan { functions, .. } => {
                let function = match functions {
                    [only] => self.function_name(only),
                    _ => None,
                };
                if let Some((schema, function)) = &function {
                    shown.head("Function Name", text(&**function));
                    title.push_str(" on ");
                    if self.options.verbose {
                        shown.head("Schema", text(&**schema));
                        title.push_str(&format!("{}.", quote_identifier(schema)));
                    }
                    title.push_str(&quote_identifier(function));
                } else {
                    title.push_str(" on");
                }
                name = function.map(|(_, name)| name);
            }
            NodeKind::CteScan(number) | NodeKind::WorkTable(number) => {
                let cte = self.source.notes.ctes.get(&number).copied().unwrap_or_default();
                shown.head("CTE Name", text(cte));
                title.push_str(&format!(" on {}", quote_identifier(cte)));
                name = Some(cte.to_owned());
            }
            NodeKind::Values(_) => title.push_str(" on"),
            _ => {
                shown.title = title;
                return Ok(());
            }
        }
        if name.as_deref() != Some(&alias) {
            title.push_str(&format!(" {}", quote_identifier(&alias)));
        }
        shown.head("Alias", text(alias));
        shown.title = title;
        Ok(())
    }

    fn title_of_change(&self, shown: &mut Shown, modify: &Modify<'p>) -> Result<()> {
        let word = command_word(modify.command);
        shown.first("Operation", word);
        let found = self.source.descriptions.relations.get(usize::from(modify.relation));
        let Some(relation) = found else { return Ok(()) };
        let mut title = format!("{word} on ");
        shown.head("Relation Name", text(&*relation.name));
        if self.options.verbose {
            let schema = self.source.env.catalog().namespace(relation.namespace)?;
            shown.head("Schema", text(&*schema.name));
            title.push_str(&format!("{}.", quote_identifier(&schema.name)));
        }
        title.push_str(&quote_identifier(&relation.name));
        let alias = self.source.notes.levels.iter().find_map(|level| {
            let target = level.query.result_relation?;
            let range = level.query.ranges.get(target.0 as usize)?;
            let same = matches!(range.kind, RangeKind::Relation { relation: oid, .. } if oid == relation.oid);
            same.then(|| self.names.range(level.id, target.0).unwrap_or_default().to_owned())
        });
        let alias = alias.unwrap_or_else(|| relation.name.clone());
        if alias != relation.name {
            title.push_str(&format!(" {}", quote_identifier(&alias)));
        }
        shown.head("Alias", text(alias));
        shown.title = title;
        Ok(())
    }

    /// The properties of a node; its programs are added to those above it.
    pub(super) fn describe(
        &self,
        shown: &mut Shown,
        node: &'p Node<'p>,
        above: &Above<'p>,
        programs: &mut Vec<Program<'p>>,
    ) -> Result<()> {
        let mut filters: Vec<Program<'p>> = Vec::new();
        let mut removers = above.removers.clone();
        match node.kind {
            NodeKind::Result { program, filters: own } => {
                programs.push(program);
                programs.extend(own);
                if let Some(filter) = all_of(self.conditions(own)?) {
                    shown.show("One-Time Filter", text(filter));
                }
            }
            NodeKind::Values(rows) => programs.extend(rows),
            NodeKind::SeqScan { filters: own, .. } => {
                filters.extend(own);
                removers.push(node.id);
            }
            NodeKind::IndexScan { lower, upper, filters: own, .. } => {
                programs.extend(lower.map(|bound| bound.program));
                programs.extend(upper.map(|bound| bound.program));
                let noted = self.source.notes.index_conditions.get(&node.id);
                let noted = noted.into_iter().flatten().copied();
                if let Some(condition) = all_of(self.scan_conditions(node, noted)?) {
                    shown.show("Index Cond", text(condition));
                }
                filters.extend(own);
                removers.push(node.id);
            }
            NodeKind::FunctionScan { functions, .. } => {
                if self.options.verbose
                    && let Some(calls) = self.source.notes.calls.get(&node.id)
                {
                    let mut texts = Vec::new();
                    for call in calls {
                        texts.push(self.expression(call, false)?);
                    }
                    shown.show(calls_title(functions), text(texts.join(", ")));
                }
                for function in functions {
                    programs.push(match function.body {
                        plan::FunctionBody::Set { args, .. }
                        | plan::FunctionBody::Operation { args, .. } => args,
                        plan::FunctionBody::Value(program) => program,
                    });
                }
            }
            NodeKind::NestedLoop { on, .. } => self.join_filter(shown, node, on, programs)?,
            NodeKind::HashJoin { left, right, left_keys, right_keys, key_types, on, .. } => {
                let mut conditions = Vec::new();
                for at in 0..key_types.len() {
                    let outer = self.result(&left_keys, at, &[left], true)?.text;
                    let inner = self.result(&right_keys, at, &[right], true)?.text;
                    conditions.push(format!("({outer} = {inner})"));
                }
                if let Some(condition) = all_of(conditions) {
                    shown.show("Hash Cond", text(condition));
                }
                programs.extend([left_keys, right_keys]);
                self.join_filter(shown, node, on, programs)?;
            }
            NodeKind::Sort { input, keys, limit } => {
                shown.show("Sort Key", Value::List(self.sort_keys(input, keys)?));
                programs.extend(limit);
                self.sort_method(shown, node);
            }
            NodeKind::Aggregate { input, keys, sets, .. } => {
                self.group_keys(shown, node, input, keys, sets)?;
            }
            NodeKind::Distinct { input, keys } if shown.node_type == "Aggregate" => {
                shown.show("Group Key", Value::List(self.keys(input, keys)?));
                self.hash_aggregate(shown, node);
            }
            NodeKind::Window { .. } => self.window(shown, node)?,
            NodeKind::Limit { offset, limit, .. } => {
                programs.extend(offset);
                programs.extend(limit);
            }
            NodeKind::ProjectSet { program, .. } => programs.push(program),
            NodeKind::Modify(modify) => self.change(shown, modify)?,
            _ => {}
        }
        for own in above.filters.iter().rev() {
            filters.extend(*own);
        }
        programs.extend(&filters);
        let conditions = match self.source.notes.ranges.contains_key(&node.id) {
            true => self.scan_conditions(node, self.noted(&filters))?,
            false => self.conditions(&filters)?,
        };
        if let Some(filter) = all_of(conditions) {
            shown.show("Filter", text(filter));
            self.removed(shown, node, "Rows Removed by Filter", &removers);
        }
        Ok(())
    }

    fn removed(&self, shown: &mut Shown, node: &Node<'_>, name: &'static str, removers: &[u32]) {
        if self.source.counters.is_empty() {
            return;
        }
        let counted = |id: &u32| self.source.counters.get(*id as usize).map(|c| c.removed);
        let rows: u64 = removers.iter().filter_map(counted).sum();
        let loops = self.counters(node).map_or(1, |counters| counters.loops.max(1));
        let value = Value::Float(rows as f64 / loops as f64, 0);
        match rows {
            0 => shown.structured(name, value),
            _ => shown.show(name, value),
        }
    }

    fn join_filter(
        &self,
        shown: &mut Shown,
        node: &Node<'_>,
        on: Option<Program<'p>>,
        programs: &mut Vec<Program<'p>>,
    ) -> Result<()> {
        let Some(on) = on else { return Ok(()) };
        programs.push(on);
        let condition = self.result(&on, 0, &[], false)?.text;
        if condition == "true" {
            return Ok(());
        }
        shown.show("Join Filter", text(condition));
        self.removed(shown, node, "Rows Removed by Join Filter", &[node.id]);
        Ok(())
    }

    fn group_keys(
        &self,
        shown: &mut Shown,
        node: &Node<'_>,
        input: &'p Node<'p>,
        keys: &[SortColumn],
        sets: &[&[u16]],
    ) -> Result<()> {
        let all = self.keys(input, keys)?;
        if keys.is_empty() {
            return Ok(());
        }
        if let [only] = sets
            && only.len() == keys.len()
        {
            shown.show("Group Key", Value::List(all));
        } else {
            for set in sets {
                let chosen: Vec<String> =
                    set.iter().filter_map(|at| all.get(usize::from(*at)).cloned()).collect();
                match chosen.is_empty() {
                    true => shown.show("Group Key", text("()")),
                    false => shown.show("Hash Key", Value::List(chosen)),
                }
            }
        }
        self.hash_aggregate(shown, node);
        Ok(())
    }

    fn window(&self, shown: &mut Shown, node: &'p Node<'p>) -> Result<()> {
        let Some((level, number)) = self.source.notes.windows.get(&node.id).copied() else {
            return Ok(());
        };
        let env: &dyn analyze::Environment = self.source.env;
        let (name, mut frame) = self.names.window(env, self.source, level, number)?;
        if self.ignores_frame(node, level, number) {
            frame = "ROWS UNBOUNDED PRECEDING".to_owned();
        }
        let NodeKind::Window { input, partition, order, .. } = node.kind else { return Ok(()) };
        let mut parts = Vec::new();
        for (word, keys) in [("PARTITION BY", partition), ("ORDER BY", order)] {
            if !keys.is_empty() {
                parts.push(format!("{word} {}", self.keys(input, keys)?.join(", ")));
            }
        }
        parts.extend(Some(frame).filter(|frame| !frame.is_empty()));
        let window = format!("{} AS ({})", quote_identifier(&name), parts.join(" "));
        shown.show("Window", text(window));
        self.kept(shown, node);
        Ok(())
    }

    /// Whether all functions of a window look at no more than the rows before theirs, whatever its
    /// frame is; then the cheapest frame is shown.
    fn ignores_frame(&self, node: &Node<'_>, level: u32, number: u32) -> bool {
        let NodeKind::Window { calls, .. } = node.kind else { return false };
        let level = self.source.notes.levels.iter().find(|one| one.id == level);
        let window = level.and_then(|level| level.query.windows.get(number as usize));
        let written = window.is_none_or(|window| window.frame.explicit);
        let catalog = self.source.env.catalog();
        let ranking = |call: &plan::WindowCall<'_>| {
            let proc = catalog.find_proc(call.site.function).ok().flatten();
            proc.is_some_and(|proc| {
                matches!(
                    &*proc.name,
                    "row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist" | "ntile"
                )
            })
        };
        !written && calls.iter().all(ranking)
    }

    fn change(&self, shown: &mut Shown, modify: &Modify<'p>) -> Result<()> {
        let Some(conflict) = modify.conflict else { return Ok(()) };
        let resolution = if conflict.update.is_some() { "UPDATE" } else { "NOTHING" };
        shown.show("Conflict Resolution", text(resolution));
        let mut names = Vec::new();
        for arbiter in conflict.arbiters {
            let write = modify.indexes.get(usize::from(*arbiter));
            let index =
                write.and_then(|w| self.source.descriptions.indexes.get(usize::from(w.index)));
            names.extend(index.map(|index| index.name.clone()));
        }
        if !names.is_empty() {
            shown.show("Conflict Arbiter Indexes", Value::List(names));
        }
        let filter = conflict.update.and_then(|update| update.filter);
        if let Some(filter) = filter {
            let noted = self.source.notes.program(&filter);
            if let Some(Some(noted)) = noted.first()
                && !matches!(noted.expr.kind, ExprKind::Const(_))
            {
                let condition = self.expression(noted, false)?;
                shown.show("Conflict Filter", text(condition));
            }
        }
        Ok(())
    }
}
