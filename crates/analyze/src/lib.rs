//! Syntax tree to bound query tree: names, types, casts, functions.
