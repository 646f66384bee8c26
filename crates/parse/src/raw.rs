//! The one door to libpg_query: text in, C nodes out, freed when [`Parsed`] goes.
//!
//! Rules
//! 1. Nothing here suspends: libpg_query keeps its state in thread-local variables, and measures
//!    the thread's own stack.
//! 2. No reference to a C node outlives its [`Parsed`].

#![expect(unsafe_code, reason = "calls libpg_query")]

use pg_raw_parse::list::{CastNodeList, NodeList, empty_list};
use pg_raw_parse::nodes::RawStmt;
use pg_raw_parse::raw;
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// What the parser is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Statements.
    Statements,
    /// One type name.
    TypeName,
}

/// What the grammar or the scanner found wrong.
pub(crate) struct RawError {
    /// PostgreSQL's message.
    pub(crate) message: String,
    /// 1-based, in characters; 0 for none.
    pub(crate) position: u32,
}

/// A raw parse tree.
pub(crate) struct Parsed {
    context: raw::MemoryContext,
    tree: Option<NonNull<raw::List>>,
    // The context belongs to this thread's libpg_query.
    not_send: PhantomData<*mut ()>,
}

impl Parsed {
    pub(crate) fn parse(sql: &CString, mode: Mode) -> Result<Parsed, RawError> {
        let mode = match mode {
            Mode::Statements => raw::PgQueryParseMode::PG_QUERY_PARSE_DEFAULT,
            Mode::TypeName => raw::PgQueryParseMode::PG_QUERY_PARSE_TYPE_NAME,
        };
        let mut parsed = Parsed { context: ptr::null_mut(), tree: None, not_send: PhantomData };
        // SAFETY: the context is created without a parent, made current for the call only, and
        // deleted by `drop`. libpg_query catches its own errors, so no longjmp crosses this frame.
        let result = unsafe {
            raw::pg_query_init();
            parsed.context = raw::AllocSetContextCreateInternal(
                ptr::null_mut(),
                c"perdura_parse".as_ptr(),
                raw::ALLOCSET_DEFAULT_MINSIZE as raw::Size,
                raw::ALLOCSET_DEFAULT_INITSIZE as raw::Size,
                raw::ALLOCSET_DEFAULT_MAXSIZE as raw::Size,
            );
            let before = raw::MemoryContextSwitchTo(parsed.context);
            let result = raw::pg_query_raw_parse(sql.as_ptr(), mode as i32);
            raw::MemoryContextSwitchTo(before);
            result
        };
        // SAFETY: libpg_query gives these strings, made by malloc, to the caller.
        unsafe {
            free(result.stderr_buffer);
        }
        match NonNull::new(result.error) {
            Some(error) => Err(take_error(error)),
            None => {
                parsed.tree = NonNull::new(result.tree.cast());
                Ok(parsed)
            }
        }
    }

    /// The statements.
    pub(crate) fn statements(&self) -> &CastNodeList<RawStmt> {
        match self.tree {
            // SAFETY: in this mode the parser returns a list of RawStmt; `CastNodeList` is a
            // transparent view of a list, and lives as long as the context.
            Some(tree) => unsafe { tree.cast::<CastNodeList<RawStmt>>().as_ref() },
            None => empty_list(),
        }
    }

    /// The list that a mode other than `Statements` yields.
    pub(crate) fn list(&self) -> &NodeList {
        untyped(self.statements())
    }
}

impl Drop for Parsed {
    fn drop(&mut self) {
        // SAFETY: made by `parse`, deleted once, and nothing borrowed from it is left.
        unsafe { raw::MemoryContextDelete(self.context) }
    }
}

/// The list without its claim about what is in it: some of the C comments that the claims come
/// from are wrong.
pub(crate) fn untyped<T>(list: &CastNodeList<T>) -> &NodeList {
    // SAFETY: `CastNodeList` is a transparent wrapper of `NodeList`.
    unsafe { &*ptr::from_ref(list).cast::<NodeList>() }
}

fn take_error(error: NonNull<raw::PgQueryError>) -> RawError {
    // SAFETY: the error and its message are valid until freed here.
    unsafe {
        let fields = error.as_ref();
        let message = if fields.message.is_null() {
            String::from("syntax error")
        } else {
            CStr::from_ptr(fields.message).to_string_lossy().into_owned()
        };
        let position = u32::try_from(fields.cursorpos).unwrap_or(0);
        raw::pg_query_free_error(error.as_ptr());
        RawError { message, position }
    }
}

unsafe extern "C" {
    #[link_name = "free"]
    fn c_free(at: *mut std::ffi::c_void);
}

/// # Safety
/// `at` is null or came from malloc and is not used again.
unsafe fn free(at: *mut std::ffi::c_char) {
    // SAFETY: as the caller promises.
    unsafe { c_free(at.cast()) }
}
