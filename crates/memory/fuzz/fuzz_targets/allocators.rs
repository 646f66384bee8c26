//! Every allocator against the model of the property tests, steps read from the fuzzer's bytes.

#![no_main]

#[path = "../../tests/driver/mod.rs"]
mod driver;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| driver::run_bytes(bytes));
