//! The types that commands name, as OIDs.

use base::Oid;
use types::oids;

pub(crate) const BOOL: Oid = Oid(oids::BOOL);
pub(crate) const INT2: Oid = Oid(oids::INT2);
pub(crate) const INT4: Oid = Oid(oids::INT4);
pub(crate) const INT8: Oid = Oid(oids::INT8);
pub(crate) const TEXT: Oid = Oid(oids::TEXT);
pub(crate) const UNKNOWN: Oid = Oid(oids::UNKNOWN);
pub(crate) const REGCLASS: Oid = Oid(oids::REGCLASS);
