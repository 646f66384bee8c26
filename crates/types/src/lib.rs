//! Values of SQL types: text and binary forms, comparison, arithmetic.
