//! What the server sends. Each function appends one whole message to the output.

use crate::frontend::Format;
use crate::startup::Version;
use base::error::{Fields, Severity};
use base::{Error, Oid};

/// The state of the transaction in ReadyForQuery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionStatus {
    /// No transaction block.
    Idle,
    /// In a transaction block.
    InBlock,
    /// In a failed transaction block.
    Failed,
}

impl TransactionStatus {
    /// The byte in messages.
    pub fn code(self) -> u8 {
        match self {
            TransactionStatus::Idle => b'I',
            TransactionStatus::InBlock => b'T',
            TransactionStatus::Failed => b'E',
        }
    }
}

/// The severities of a notice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "PostgreSQL's words")]
pub enum NoticeSeverity {
    Debug,
    Log,
    Info,
    Notice,
    Warning,
}

impl NoticeSeverity {
    /// The word in messages.
    pub fn word(self) -> &'static str {
        match self {
            NoticeSeverity::Debug => "DEBUG",
            NoticeSeverity::Log => "LOG",
            NoticeSeverity::Info => "INFO",
            NoticeSeverity::Notice => "NOTICE",
            NoticeSeverity::Warning => "WARNING",
        }
    }
}

/// The word for a severity in messages.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
        Severity::Panic => "PANIC",
    }
}

fn message(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out);
    patch_length(out, start);
}

/// Writes the length of what stands behind `start`, itself included.
fn patch_length(out: &mut [u8], start: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn cstr(out: &mut Vec<u8>, text: &str) {
    // A zero inside would end the string early; what follows would break the message.
    let text = text.split('\0').next().unwrap_or_default();
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn put_i16(out: &mut Vec<u8>, value: usize) {
    let value = u16::try_from(value).unwrap_or(u16::MAX);
    out.extend_from_slice(&value.to_be_bytes());
}

fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn authentication(out: &mut Vec<u8>, code: i32, body: &[u8]) {
    message(out, b'R', |out| {
        put_i32(out, code);
        out.extend_from_slice(body);
    });
}

/// AuthenticationOk.
pub fn authentication_ok(out: &mut Vec<u8>) {
    authentication(out, 0, &[]);
}

/// AuthenticationCleartextPassword.
pub fn authentication_cleartext_password(out: &mut Vec<u8>) {
    authentication(out, 3, &[]);
}

/// AuthenticationSASL: the mechanisms that are offered.
pub fn authentication_sasl(out: &mut Vec<u8>, mechanisms: &[&str]) {
    message(out, b'R', |out| {
        put_i32(out, 10);
        for mechanism in mechanisms {
            cstr(out, mechanism);
        }
        out.push(0);
    });
}

/// AuthenticationSASLContinue.
pub fn authentication_sasl_continue(out: &mut Vec<u8>, data: &[u8]) {
    authentication(out, 11, data);
}

/// AuthenticationSASLFinal.
pub fn authentication_sasl_final(out: &mut Vec<u8>, data: &[u8]) {
    authentication(out, 12, data);
}

/// BackendKeyData.
pub fn backend_key_data(out: &mut Vec<u8>, pid: u32, key: &[u8]) {
    message(out, b'K', |out| {
        out.extend_from_slice(&pid.to_be_bytes());
        out.extend_from_slice(key);
    });
}

/// NegotiateProtocolVersion.
pub fn negotiate_protocol_version(out: &mut Vec<u8>, version: Version, unknown: &[&str]) {
    message(out, b'v', |out| {
        out.extend_from_slice(&version.0.to_be_bytes());
        out.extend_from_slice(&u32::try_from(unknown.len()).unwrap_or(0).to_be_bytes());
        for option in unknown {
            cstr(out, option);
        }
    });
}

/// ParameterStatus.
pub fn parameter_status(out: &mut Vec<u8>, name: &str, value: &str) {
    message(out, b'S', |out| {
        cstr(out, name);
        cstr(out, value);
    });
}

/// ReadyForQuery.
pub fn ready_for_query(out: &mut Vec<u8>, status: TransactionStatus) {
    out.extend_from_slice(&[b'Z', 0, 0, 0, 5, status.code()]);
}

/// ParseComplete.
pub fn parse_complete(out: &mut Vec<u8>) {
    out.extend_from_slice(b"1\0\0\0\x04");
}

/// BindComplete.
pub fn bind_complete(out: &mut Vec<u8>) {
    out.extend_from_slice(b"2\0\0\0\x04");
}

/// CloseComplete.
pub fn close_complete(out: &mut Vec<u8>) {
    out.extend_from_slice(b"3\0\0\0\x04");
}

/// NoData.
pub fn no_data(out: &mut Vec<u8>) {
    out.extend_from_slice(b"n\0\0\0\x04");
}

/// PortalSuspended.
pub fn portal_suspended(out: &mut Vec<u8>) {
    out.extend_from_slice(b"s\0\0\0\x04");
}

/// EmptyQueryResponse.
pub fn empty_query_response(out: &mut Vec<u8>) {
    out.extend_from_slice(b"I\0\0\0\x04");
}

/// CommandComplete.
pub fn command_complete(out: &mut Vec<u8>, tag: &str) {
    message(out, b'C', |out| cstr(out, tag));
}

/// CommandComplete of a command that counts rows: `SELECT 5`, `INSERT 0 5`.
pub fn command_complete_rows(out: &mut Vec<u8>, tag: &str, rows: u64) {
    message(out, b'C', |out| {
        out.extend_from_slice(tag.as_bytes());
        out.push(b' ');
        out.extend_from_slice(itoa::Buffer::new().format(rows).as_bytes());
        out.push(0);
    });
}

/// ParameterDescription.
pub fn parameter_description(out: &mut Vec<u8>, types: impl ExactSizeIterator<Item = Oid>) {
    message(out, b't', |out| {
        put_i16(out, types.len());
        for oid in types {
            out.extend_from_slice(&oid.0.to_be_bytes());
        }
    });
}

/// NotificationResponse.
pub fn notification_response(out: &mut Vec<u8>, pid: u32, channel: &str, payload: &str) {
    message(out, b'A', |out| {
        out.extend_from_slice(&pid.to_be_bytes());
        cstr(out, channel);
        cstr(out, payload);
    });
}

/// A column in RowDescription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column<'a> {
    /// The column's name.
    pub name: &'a str,
    /// The table that it comes from unchanged; 0 if none.
    pub table: Oid,
    /// Its number in that table; 0 if none.
    pub number: i16,
    /// Its type.
    pub type_oid: Oid,
    /// The length of the type.
    pub type_bytes: i16,
    /// The type's modifier; -1 if none.
    pub type_modifier: i32,
    /// The format in which rows will come.
    pub format: Format,
}

/// RowDescription.
pub fn row_description<'a>(out: &mut Vec<u8>, columns: impl ExactSizeIterator<Item = Column<'a>>) {
    message(out, b'T', |out| {
        put_i16(out, columns.len());
        for column in columns {
            cstr(out, column.name);
            out.extend_from_slice(&column.table.0.to_be_bytes());
            out.extend_from_slice(&column.number.to_be_bytes());
            out.extend_from_slice(&column.type_oid.0.to_be_bytes());
            out.extend_from_slice(&column.type_bytes.to_be_bytes());
            put_i32(out, column.type_modifier);
            out.extend_from_slice(&column.format.code().to_be_bytes());
        }
    });
}

/// A DataRow that is being written; complete once [`DataRow::finish`] was called.
#[derive(Debug)]
#[must_use = "a row is complete after finish"]
pub struct DataRow<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
}

impl<'o> DataRow<'o> {
    /// Begins a row of `columns` values.
    pub fn begin(out: &'o mut Vec<u8>, columns: usize) -> DataRow<'o> {
        out.push(b'D');
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        put_i16(out, columns);
        DataRow { out, start }
    }

    /// Appends NULL.
    pub fn null(&mut self) {
        put_i32(self.out, -1);
    }

    /// Appends a value that is there as bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        put_i32(self.out, i32::try_from(value.len()).unwrap_or(i32::MAX));
        self.out.extend_from_slice(value);
    }

    /// Appends the value that `write` appends to the output.
    pub fn value<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        let result = write(self.out);
        let length = i32::try_from(self.out.len() - start - 4).unwrap_or(i32::MAX);
        self.out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        result
    }

    /// Completes the row.
    pub fn finish(self) {
        patch_length(self.out, self.start);
    }

    /// Takes the row back: the output is as before [`DataRow::begin`].
    pub fn abandon(self) {
        self.out.truncate(self.start - 1);
    }
}

/// CopyInResponse or CopyOutResponse: the overall format and that of each of `columns` columns.
pub fn copy_response(out: &mut Vec<u8>, copy_in: bool, format: Format, columns: usize) {
    message(out, if copy_in { b'G' } else { b'H' }, |out| {
        out.push(u8::from(format == Format::Binary));
        put_i16(out, columns);
        for _ in 0..columns {
            out.extend_from_slice(&format.code().to_be_bytes());
        }
    });
}

/// CopyData with what `write` appends.
pub fn copy_data(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    message(out, b'd', write);
}

/// CopyDone.
pub fn copy_done(out: &mut Vec<u8>) {
    out.extend_from_slice(b"c\0\0\0\x04");
}

fn field(out: &mut Vec<u8>, code: u8, text: &str) {
    out.push(code);
    cstr(out, text);
}

fn fields(out: &mut Vec<u8>, kind: u8, severity: &str, fields: &Fields) {
    message(out, kind, |out| {
        field(out, b'S', severity);
        field(out, b'V', severity);
        field(out, b'C', fields.sqlstate.as_str());
        field(out, b'M', &fields.message);
        let texts = [
            (b'D', &fields.detail),
            (b'H', &fields.hint),
            (b'q', &fields.internal_query),
            (b'W', &fields.context),
            (b's', &fields.schema),
            (b't', &fields.table),
            (b'c', &fields.column),
            (b'd', &fields.datatype),
            (b'n', &fields.constraint),
        ];
        for (code, text) in texts {
            if let Some(text) = text {
                field(out, code, text);
            }
        }
        for (code, number) in [(b'P', fields.position), (b'p', fields.internal_position)] {
            if let Some(number) = number {
                field(out, code, itoa::Buffer::new().format(number));
            }
        }
        out.push(0);
    });
}

/// ErrorResponse.
pub fn error_response(out: &mut Vec<u8>, error: &Error) {
    let all = error.fields();
    fields(out, b'E', severity_word(all.severity), all);
}

/// NoticeResponse with the fields of `notice`, whose own severity does not count.
pub fn notice_response(out: &mut Vec<u8>, severity: NoticeSeverity, notice: &Error) {
    fields(out, b'N', severity.word(), notice.fields());
}
