//! Bound query tree back to SQL text.
