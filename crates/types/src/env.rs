//! The settings that text and binary forms depend on.

use crate::datetime::zone::Zone;
use std::cell::Cell;

/// The shape of dates in output: the first word of `DateStyle`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are the setting's")]
pub enum DateFormat {
    #[default]
    Iso,
    Sql,
    Postgres,
    German,
}

/// The order of ambiguous dates: the second word of `DateStyle`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are the setting's")]
pub enum DateOrder {
    Ymd,
    Dmy,
    #[default]
    Mdy,
}

/// `IntervalStyle`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are the setting's")]
pub enum IntervalStyle {
    #[default]
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

/// `bytea_output`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are the setting's")]
pub enum ByteaOutput {
    #[default]
    Hex,
    Escape,
}

/// What input and output functions know of the session. Cheap to clone.
#[derive(Clone, Debug)]
pub struct IoEnv {
    /// The first word of `DateStyle`.
    pub date_format: DateFormat,
    /// The second word of `DateStyle`.
    pub date_order: DateOrder,
    /// `IntervalStyle`
    pub interval_style: IntervalStyle,
    /// `TimeZone`
    pub zone: Zone,
    /// `extra_float_digits`, -15 to 3.
    pub extra_float_digits: i32,
    /// `bytea_output`
    pub bytea_output: ByteaOutput,
    /// The start of the transaction: microseconds since 2000-01-01 00:00 UTC. It alone changes
    /// while the environment is in use, because every transaction has its own.
    pub now_us: Cell<i64>,
    /// Whether `xid` is sent in 4 bytes, its upper half cut off (`xid_binary_width = 32`).
    pub xid_binary_32: bool,
}

impl Default for IoEnv {
    /// PostgreSQL's defaults, time zone UTC, the transaction starting at the epoch.
    fn default() -> IoEnv {
        IoEnv {
            date_format: DateFormat::Iso,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::Postgres,
            zone: Zone::utc(),
            extra_float_digits: 1,
            bytea_output: ByteaOutput::Hex,
            now_us: Cell::new(0),
            xid_binary_32: false,
        }
    }
}
