//! Expression programs, their evaluator, the function registry and the trait Host.
