//! Input and output functions of types, called by name. Casts and clients do not come here.

use base::Result;
use expr::{Call, Datum, Entry};
use memory::collections::Charged;

/// `*in(cstring, oid, integer)`: the value of a text. A third argument is the modifier.
fn input<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let modifier = match args.get(2) {
        Some(modifier) if !modifier.is_null() => modifier.int4()?,
        _ => -1,
    };
    cx.io().input(cx.site.result.oid.0, modifier, args[0].text()?, &cx.bump)
}

/// `*out`: the text of a value.
fn output<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let text = cx.text_of(cx.arg_type(0).oid.0, &args[0])?;
    cx.text(&text)
}

/// `*send`: the binary form of a value.
fn send<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let mut out = Charged::new(cx.bump.account().clone(), "ValueForm");
    cx.io().send(cx.arg_type(0).oid.0, &args[0], &mut out.output())?;
    cx.bytes(&out)
}

macro_rules! each {
    ($function:ident; $($name:literal)*) => {
        &[$(Entry::scalar($name, $function)),*]
    };
}

macro_rules! both {
    ($($input:literal $output:literal)*) => {
        &[$(Entry::scalar($input, input), Entry::scalar($output, output)),*]
    };
}

/// The text forms.
pub(crate) const TEXT: &[Entry] = both! {
    "aclitemin" "aclitemout"
    "bit_in" "bit_out"
    "boolin" "boolout"
    "bpcharin" "bpcharout"
    "byteain" "byteaout"
    "cash_in" "cash_out"
    "charin" "charout"
    "cidin" "cidout"
    "cidr_in" "cidr_out"
    "date_in" "date_out"
    "float4in" "float4out"
    "float8in" "float8out"
    "inet_in" "inet_out"
    "int2in" "int2out"
    "int2vectorin" "int2vectorout"
    "int4in" "int4out"
    "int8in" "int8out"
    "interval_in" "interval_out"
    "json_in" "json_out"
    "jsonb_in" "jsonb_out"
    "macaddr_in" "macaddr_out"
    "macaddr8_in" "macaddr8_out"
    "namein" "nameout"
    "numeric_in" "numeric_out"
    "oidin" "oidout"
    "oidvectorin" "oidvectorout"
    "pg_lsn_in" "pg_lsn_out"
    "pg_snapshot_in" "pg_snapshot_out"
    "textin" "textout"
    "tidin" "tidout"
    "time_in" "time_out"
    "timestamp_in" "timestamp_out"
    "timestamptz_in" "timestamptz_out"
    "timetz_in" "timetz_out"
    "unknownin" "unknownout"
    "uuid_in" "uuid_out"
    "varbit_in" "varbit_out"
    "varcharin" "varcharout"
    "xid8in" "xid8out"
    "xidin" "xidout"
};

/// The binary forms. Those of `*recv` cannot be called by name: their argument is internal.
pub(crate) const BINARY: &[Entry] = each! {
    send;
    "array_send"
    "bit_send"
    "boolsend"
    "bpcharsend"
    "byteasend"
    "cash_send"
    "charsend"
    "cidr_send"
    "cidsend"
    "cstring_send"
    "date_send"
    "enum_send"
    "float4send"
    "float8send"
    "inet_send"
    "int2send"
    "int2vectorsend"
    "int4send"
    "int8send"
    "interval_send"
    "json_send"
    "jsonb_send"
    "jsonpath_send"
    "macaddr8_send"
    "macaddr_send"
    "namesend"
    "numeric_send"
    "oidsend"
    "oidvectorsend"
    "pg_lsn_send"
    "pg_snapshot_send"
    "record_send"
    "regclasssend"
    "regcollationsend"
    "regconfigsend"
    "regdictionarysend"
    "regnamespacesend"
    "regoperatorsend"
    "regopersend"
    "regproceduresend"
    "regprocsend"
    "regrolesend"
    "regtypesend"
    "textsend"
    "tidsend"
    "time_send"
    "timestamp_send"
    "timestamptz_send"
    "timetz_send"
    "unknownsend"
    "uuid_send"
    "varbit_send"
    "varcharsend"
    "void_send"
    "xid8send"
    "xidsend"
};
