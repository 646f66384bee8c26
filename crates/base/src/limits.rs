//! Every bound of the server, with the relations that must hold between them.

/// The bytes of a block, the unit of `shared_buffers` and of index and catalog pages.
pub const BLOCK_BYTES: usize = 8192;
/// The smallest page of a tree.
pub const PAGE_BYTES_MIN: usize = BLOCK_BYTES;
/// The largest page of a tree.
pub const PAGE_BYTES_MAX: usize = 65536;
/// The page of a new table.
pub const TABLE_PAGE_BYTES: usize = 32768;
/// The bytes of a WAL segment.
pub const WAL_SEGMENT_BYTES: u64 = 16 << 20;
/// The bytes of an identifier with its terminating zero; longer names are cut.
pub const NAME_BYTES: usize = 64;
/// The columns of a table.
pub const TABLE_COLUMNS_MAX: usize = 1600;
/// The columns of a result.
pub const TARGET_COLUMNS_MAX: usize = 1664;
/// The arguments of a function.
pub const FUNCTION_ARGUMENTS_MAX: usize = 100;
/// The columns of an index.
pub const INDEX_COLUMNS_MAX: usize = 32;
/// The bytes of one value, less one: what `palloc` gives.
pub const ALLOCATION_BYTES_MAX: usize = 0x3fff_ffff;
/// The rows of a batch.
pub const BATCH_ROWS_MAX: usize = 1024;
/// The bytes of variable-length data after which a batch ends early.
pub const BATCH_BYTES_MAX: usize = 1 << 20;
/// The bytes of a protocol message, its length word included.
pub const MESSAGE_BYTES_MAX: usize = ALLOCATION_BYTES_MAX;

const _: () = assert!(PAGE_BYTES_MIN.is_power_of_two() && PAGE_BYTES_MAX.is_power_of_two());
const _: () = assert!(TABLE_PAGE_BYTES >= PAGE_BYTES_MIN && TABLE_PAGE_BYTES <= PAGE_BYTES_MAX);
const _: () = assert!(TABLE_COLUMNS_MAX <= TARGET_COLUMNS_MAX);
const _: () = assert!(WAL_SEGMENT_BYTES.is_multiple_of(PAGE_BYTES_MAX as u64));

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "Perdura needs a 64-bit target: shared buffers and transaction ids are 64 bits wide"
);
