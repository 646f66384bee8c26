//! The program and the embedded library.

fn main() {}
