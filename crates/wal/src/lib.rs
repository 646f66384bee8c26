//! The write-ahead log: records, insertion, flushing, reading.
