//! Files as the storage sees them: real ones, and simulated ones that fail on command.
