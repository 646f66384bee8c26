//! A session: settings, transaction blocks, prepared statements, portals.
