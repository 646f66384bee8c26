//! Window functions: one node for each order of partitions and rows.

use crate::calls::window_calls;
use crate::node::{Frame, FrameEnd, NodeKind, SortColumn, WindowBody, WindowCall};
use crate::planner::{Level, Planner, Rel};
use analyze::tree::{Expr, FrameBound, SortKey, Type, WindowCall as BoundWindowCall};
use base::{Error, Oid, Result};
use expr::{Body, Site};

impl<'q, 'p> Planner<'_, 'q, 'p> {
    pub(crate) fn windows(
        &self,
        level: &Level<'_, 'q>,
        mut rel: Rel<'q, 'p>,
    ) -> Result<Rel<'q, 'p>> {
        let query = level.query;
        if !query.has_windows {
            return Ok(rel);
        }
        let mut found: Vec<(&'q BoundWindowCall<'q>, Type)> = Vec::new();
        query.targets.iter().for_each(|target| window_calls(&target.expr, &mut found));
        for (number, spec) in query.windows.iter().enumerate() {
            let calls: Vec<_> =
                found.iter().filter(|(call, _)| call.window as usize == number).collect();
            if calls.is_empty() {
                continue;
            }
            let target = |key: &SortKey| &query.targets[key.target as usize].expr;
            let ordered = spec.partition_by.iter().chain(spec.order_by);
            rel = self.sets_below(level, rel, &ordered.map(target).collect::<Vec<_>>())?;
            let mut inputs: Vec<&'q Expr<'q>> = Vec::new();
            inputs.extend(spec.partition_by.iter().map(target));
            inputs.extend(spec.order_by.iter().map(target));
            let offsets = [spec.frame.start, spec.frame.end].map(|bound| match bound {
                FrameBound::Preceding(offset) | FrameBound::Following(offset) => Some(offset),
                _ => None,
            });
            inputs.extend(offsets.into_iter().flatten());
            for (call, _) in &calls {
                inputs.extend(call.args);
                inputs.extend(call.filter);
            }
            let places;
            (rel, places) = self.extend(level, rel, &inputs)?;
            let mut places = places.into_iter();
            let mut keys = |keys: &[SortKey]| -> Result<Vec<SortColumn>> {
                keys.iter()
                    .map(|key| {
                        Ok(SortColumn {
                            column: places.next().unwrap_or(0),
                            type_oid: self.compare_type(target(key).ty.oid)?,
                            descending: key.descending,
                            nulls_first: key.nulls_first,
                        })
                    })
                    .collect()
            };
            let partition = keys(spec.partition_by)?;
            let order = keys(spec.order_by)?;
            let [start, end] = [spec.frame.start, spec.frame.end].map(|bound| match bound {
                FrameBound::UnboundedPreceding => FrameEnd::UnboundedPreceding,
                FrameBound::Preceding(_) => FrameEnd::Preceding(places.next().unwrap_or(0)),
                FrameBound::CurrentRow => FrameEnd::CurrentRow,
                FrameBound::Following(_) => FrameEnd::Following(places.next().unwrap_or(0)),
                FrameBound::UnboundedFollowing => FrameEnd::UnboundedFollowing,
            });
            let in_range = match spec.frame.in_range.is_valid() {
                true => {
                    let (function, _) = self.scalar_function(spec.frame.in_range)?;
                    Some((function, Site { function: spec.frame.in_range, ..Site::UNKNOWN }))
                }
                false => None,
            };
            let frame = Frame {
                unit: spec.frame.unit,
                start,
                end,
                exclusion: spec.frame.exclusion,
                in_range,
            };
            let mut planned = Vec::new();
            let mut columns = rel.columns.clone();
            let mut out = rel.node.columns.to_vec();
            for (call, ty) in &calls {
                let args: Vec<u16> = places.by_ref().take(call.args.len()).collect();
                let filter = call.filter.and_then(|_| places.next());
                columns.calls.push((std::ptr::from_ref(*call).cast(), out.len() as u16));
                out.push(self.column(*ty)?);
                planned.push(self.window_call(call, *ty, &args, filter)?);
            }
            let mut sort = partition.clone();
            sort.extend_from_slice(&order);
            let sorted = self.sort(rel.node, &sort, None)?;
            let kind = NodeKind::Window {
                input: sorted,
                partition: self.bump.alloc_slice_copy(&partition)?,
                order: self.bump.alloc_slice_copy(&order)?,
                frame,
                calls: self.bump.alloc_slice_copy(&planned)?,
            };
            let cost = (rel.rows(), 0.0, sorted.total_cost + rel.rows() * 0.02);
            let reads = rel.node.reads.iter().copied().collect();
            let node = self.node(kind, &out, cost, &reads)?;
            self.note_window(node, level, number);
            rel = Rel { node, columns, unique: Vec::new() };
        }
        Ok(rel)
    }

    fn window_call(
        &self,
        call: &BoundWindowCall<'q>,
        ty: Type,
        args: &[u16],
        filter: Option<u16>,
    ) -> Result<WindowCall<'p>> {
        let proc = self.catalog().proc(call.function)?;
        let registry = self.env.registry();
        let body = if call.aggregate {
            registry.numbered(call.function)
        } else {
            registry.find(&proc.source)
        };
        let body = match body.map(|found| found.body) {
            Some(Body::Window(make)) => WindowBody::Function(make),
            Some(Body::Aggregate(make)) => WindowBody::Aggregate(make),
            _ => {
                return Err(Error::unsupported(format!(
                    "window function {} is not supported yet",
                    proc.name
                )));
            }
        };
        let types: Vec<expr::SqlType> =
            call.args.iter().map(|arg| crate::compile::sql_type(arg.ty)).collect();
        Ok(WindowCall {
            body,
            args: self.bump.alloc_slice_copy(args)?,
            filter,
            site: Site {
                function: call.function,
                args: self.bump.alloc_slice_copy(&types)?,
                result: crate::compile::sql_type(ty),
                collation: call.args.first().map_or(Oid::INVALID, |arg| arg.ty.collation),
                variadic: false,
            },
        })
    }
}
