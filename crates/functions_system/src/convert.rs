//! Input and output functions of types, called by name. Casts and clients do not come here.

use base::Result;
use expr::{Call, Datum, Entry};

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
    let text = cx.io().output_string(cx.arg_type(0).oid.0, &args[0])?;
    cx.text(&text)
}

macro_rules! both {
    ($($input:literal $output:literal)*) => {
        &[$(Entry::scalar($input, input), Entry::scalar($output, output)),*]
    };
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = both! {
    "aclitemin" "aclitemout"
    "bit_in" "bit_out"
    "boolin" "boolout"
    "bpcharin" "bpcharout"
    "byteain" "byteaout"
    "cash_in" "cash_out"
    "charin" "charout"
    "cidin" "cidout"
    "date_in" "date_out"
    "float4in" "float4out"
    "float8in" "float8out"
    "int2in" "int2out"
    "int2vectorin" "int2vectorout"
    "int4in" "int4out"
    "int8in" "int8out"
    "interval_in" "interval_out"
    "json_in" "json_out"
    "jsonb_in" "jsonb_out"
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
