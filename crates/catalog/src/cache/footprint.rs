//! How much memory cached values take up, and whether somebody uses them.

use crate::acl::{Acl, AclItem};
use crate::lookup::DomainCheck;
use crate::relation::{
    Column, Constraint, ForeignKey, ForeignReference, Index, IndexKey, Policy, Relation, Rule,
    Sequence, Trigger,
};
use crate::rows::{
    Aggregate, AmOp, AmProc, ArgMode, Cast, Collation, Database, EnumLabel, Language, Membership,
    Namespace, OpClass, OpFamily, Operator, Proc, Range, Role, Stored, Type,
};
use crate::statistics::{ColumnStatistics, StatisticSlot};
use base::Oid;
use std::borrow::Cow;
use std::sync::Arc;

/// The two counters of an [`Arc`].
const COUNTERS: usize = 2 * size_of::<usize>();

/// What a value has outside of itself.
pub(crate) trait Footprint {
    /// The bytes on the heap that it owns, itself not counted.
    fn heap_bytes(&self) -> usize {
        0
    }

    /// Whether somebody else holds a part of it.
    fn is_used(&self) -> bool {
        false
    }
}

/// Values without anything on the heap.
macro_rules! flat {
    ($($type:ty),*) => { $(impl Footprint for $type {})* };
}

flat!(u8, i16, i32, f32, Oid, ArgMode, ForeignReference, Sequence);
flat!(AmOp, AmProc, Cast, Range, Membership);

/// Structures, each with its fields that own something.
macro_rules! made_of {
    ($($type:ty { $($field:ident),* })*) => {
        $(impl Footprint for $type {
            fn heap_bytes(&self) -> usize {
                0 $(+ self.$field.heap_bytes())*
            }

            fn is_used(&self) -> bool {
                false $(|| self.$field.is_used())*
            }
        })*
    };
}

made_of! {
    Type { name, default, acl }
    Proc { name, args, all_args, arg_modes, arg_names, defaults, source, binary, sql_body, config,
        acl }
    Operator { name }
    Aggregate { initial, moving_initial }
    OpClass { name }
    OpFamily { name }
    Collation { name, collate, ctype, locale }
    Namespace { name, acl }
    Language { name, acl }
    Role { name, password }
    Database { name, collate, ctype, locale, acl }
    EnumLabel { label }
    DomainCheck { name, check }
    Relation { name, columns, constraints, referenced_by, indexes, rules, triggers, policies, query,
        options, acl, parents }
    Column { name, default, missing, options, acl }
    Constraint { name, columns, check, foreign, exclusion }
    ForeignKey { columns, operators, set_columns }
    Index { name, keys, included, predicate, options }
    IndexKey { expression }
    Rule { name, qualification, action }
    Trigger { name, columns, arguments, when, old_table, new_table }
    Policy { name, roles, using, check }
    ColumnStatistics { slots }
    StatisticSlot { numbers, values }
}

impl Footprint for Acl {
    fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<AclItem>()
    }
}

impl Footprint for Stored {
    fn heap_bytes(&self) -> usize {
        match self {
            Stored::Sql(text) => text.heap_bytes(),
            // Clones of a tree share it; its entry keeps it alive.
            Stored::Tree(tree) => COUNTERS + tree.len(),
        }
    }
}

impl Footprint for String {
    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

impl Footprint for Cow<'static, str> {
    fn heap_bytes(&self) -> usize {
        match self {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.capacity(),
        }
    }
}

impl<T: Footprint + Clone> Footprint for Cow<'static, [T]> {
    fn heap_bytes(&self) -> usize {
        match self {
            Cow::Borrowed(_) => 0,
            Cow::Owned(list) => list.heap_bytes(),
        }
    }
}

impl<T: Footprint> Footprint for Option<T> {
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::heap_bytes)
    }

    fn is_used(&self) -> bool {
        self.as_ref().is_some_and(T::is_used)
    }
}

impl<T: Footprint> Footprint for Vec<T> {
    fn heap_bytes(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(T::heap_bytes).sum::<usize>()
    }

    fn is_used(&self) -> bool {
        self.iter().any(T::is_used)
    }
}

impl<T: Footprint> Footprint for Arc<T> {
    fn heap_bytes(&self) -> usize {
        COUNTERS + size_of::<T>() + (**self).heap_bytes()
    }

    fn is_used(&self) -> bool {
        Arc::strong_count(self) > 1 || (**self).is_used()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_elsewhere_is_used_however_deep() {
        let part = Arc::new(Oid(1));
        let whole = Some(Arc::new(vec![part.clone()]));
        assert!(whole.is_used());
        drop(part);
        assert!(!whole.is_used());
    }

    #[test]
    fn bytes_are_counted_through_all_that_is_owned() {
        let name = String::with_capacity(100);
        let list = vec![Some(Arc::new(name))];
        let bytes = size_of::<Option<Arc<String>>>() + COUNTERS + size_of::<String>() + 100;
        assert_eq!(list.heap_bytes(), bytes);
    }
}
