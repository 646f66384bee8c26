#!/bin/sh
# Writes crates/types/src/oids.rs from a running PostgreSQL 18. Usage: tools/record_oids.sh PSQL_WITH_OPTIONS...
# (for example: tools/record_oids.sh psql -h 127.0.0.1 -p 5418 -U postgres)
# One fact is changed on purpose: xid is 8 bytes wide, by value, aligned to 8.
set -eu
out=$(dirname "$0")/../crates/types/src/oids.rs
{
cat <<'HEAD'
//! The built-in types: OID constants and the facts that conversions need.
//!
//! Recorded by `tools/record_oids.sh` from PostgreSQL 18; edit the script, not this file. The type
//! `xid` is 8 bytes wide here.

/// What is known of a built-in type without a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinType {
    /// `pg_type.oid`
    pub oid: u32,
    /// `pg_type.typname`
    pub name: &'static str,
    /// `pg_type.typlen`: bytes, -1 for varlena, -2 for cstring.
    pub len: i16,
    /// `pg_type.typtype`
    pub kind: u8,
    /// `pg_type.typcategory`
    pub category: u8,
    /// `pg_type.typdelim`
    pub delimiter: u8,
    /// `pg_type.typelem`, 0 if none.
    pub element: u32,
    /// `pg_type.typarray`, 0 if none.
    pub array: u32,
    /// Whether values of the type are true arrays (input by `array_in`).
    pub is_array: bool,
}

HEAD
"$@" -At -c "select format(E'/// %s\npub const %s: u32 = %s;', format_type(oid,null), upper(case when typname ~ '^_' then substr(typname,2)||'_array' when typname='char' then 'char' else typname end), oid) from pg_type where oid<10000 and typrelid=0 and not (typname ~ '^_' and typelem in (select oid from pg_type where typrelid<>0)) order by oid"
cat <<'TABLE'

/// One row a type, with the columns of [`BuiltinType`].
macro_rules! builtin_types {
    ($($oid:literal $name:literal $len:literal $kind:literal $category:literal $delimiter:literal
       $element:literal $array:literal $is_array:literal)+) => {
        /// All built-in types in the order of their OIDs.
        pub static BUILTIN_TYPES: &[BuiltinType] = &[$(BuiltinType {
            oid: $oid,
            name: $name,
            len: $len,
            kind: $kind,
            category: $category,
            delimiter: $delimiter,
            element: $element,
            array: $array,
            is_array: $is_array,
        }),+];
    };
}

builtin_types! {
TABLE
"$@" -At -c "select format('    %s \"%s\" %s b''%s'' b''%s'' b''%s'' %s %s %s', oid, typname, case when typname='xid' then 8 else typlen end, typtype, typcategory, typdelim, typelem, typarray, case when typinput::text='array_in' then 'true' else 'false' end) from pg_type where oid<10000 and typrelid=0 and not (typname ~ '^_' and typelem in (select oid from pg_type where typrelid<>0)) order by oid"
echo "}"
cat <<'TAIL'

/// The facts of a built-in type.
pub fn builtin(oid: u32) -> Option<&'static BuiltinType> {
    BUILTIN_TYPES.binary_search_by_key(&oid, |t| t.oid).ok().map(|at| &BUILTIN_TYPES[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_find_every_type_and_nothing_else() {
        for t in BUILTIN_TYPES {
            assert_eq!(builtin(t.oid), Some(t));
            assert!(t.array == 0 || builtin(t.array).is_some_and(|a| a.element == t.oid));
        }
        assert_eq!(builtin(0), None);
    }
}
TAIL
} > "$out"
