//! aclitem: roles by name outside, by OID inside ([`crate::acl`] rule 1).

use crate::acl::AclItem;
use crate::lookup::Catalog;
use base::Result;

/// A role's name as lists show it: in quotes unless it is made of letters, digits and `_`.
fn quote_role(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return name.to_string();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name without its quotes, and without the words that may stand before it.
fn unquote_role(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("group ").or_else(|| text.strip_prefix("user ")).unwrap_or(text);
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_string(),
    }
}

impl Catalog {
    pub(super) fn acl_item_input(&self, text: &str) -> Result<String> {
        let role = |name: &str| self.require_role(&unquote_role(name)).map(|role| role.oid);
        Ok(AclItem::parse(text, role)?.to_stored())
    }

    pub(super) fn acl_item_output(&self, stored: &str) -> Result<String> {
        let item = AclItem::from_stored(stored)?;
        let name = |oid: base::Oid| -> Result<String> {
            Ok(match self.find_role(oid)? {
                Some(role) => quote_role(&role.name),
                // A role that is gone is shown by its OID.
                None => oid.to_string(),
            })
        };
        let grantee = if item.grantee.is_valid() { name(item.grantee)? } else { String::new() };
        Ok(format!("{grantee}={}/{}", item.letters(), name(item.grantor)?))
    }
}
