//! Access control lists.
//!
//! Rules
//! 1. A stored item names roles by OID: `10=arwdDxtm/10`, `=r/10` for PUBLIC. Output puts the
//!    present names in their place, so that renaming a role changes no list.
//! 2. A list that is NULL stands for the default of the object's kind: everything for the owner,
//!    and for PUBLIC what [`default_for`] says.

use base::{Error, Oid, Result};

/// One letter of a privilege each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the variants are the privileges' names")]
pub enum Privilege {
    Insert = b'a' as isize,
    Select = b'r' as isize,
    Update = b'w' as isize,
    Delete = b'd' as isize,
    Truncate = b'D' as isize,
    References = b'x' as isize,
    Trigger = b't' as isize,
    Execute = b'X' as isize,
    Usage = b'U' as isize,
    Create = b'C' as isize,
    Temporary = b'T' as isize,
    Connect = b'c' as isize,
    Set = b's' as isize,
    AlterSystem = b'A' as isize,
    Maintain = b'm' as isize,
}

/// All privileges in the order in which lists show them.
pub const ALL: [(Privilege, char, &str); 15] = [
    (Privilege::Insert, 'a', "INSERT"),
    (Privilege::Select, 'r', "SELECT"),
    (Privilege::Update, 'w', "UPDATE"),
    (Privilege::Delete, 'd', "DELETE"),
    (Privilege::Truncate, 'D', "TRUNCATE"),
    (Privilege::References, 'x', "REFERENCES"),
    (Privilege::Trigger, 't', "TRIGGER"),
    (Privilege::Execute, 'X', "EXECUTE"),
    (Privilege::Usage, 'U', "USAGE"),
    (Privilege::Create, 'C', "CREATE"),
    (Privilege::Temporary, 'T', "TEMPORARY"),
    (Privilege::Connect, 'c', "CONNECT"),
    (Privilege::Set, 's', "SET"),
    (Privilege::AlterSystem, 'A', "ALTER SYSTEM"),
    (Privilege::Maintain, 'm', "MAINTAIN"),
];

/// A set of privileges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Privileges(u16);

impl Privileges {
    /// No privilege.
    pub const NONE: Privileges = Privileges(0);

    /// The privileges with these letters; letters that name none are ignored.
    pub fn of(letters: &str) -> Privileges {
        let bits = ALL.iter().enumerate().filter(|(_, (_, letter, _))| letters.contains(*letter));
        Privileges(bits.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    fn bit(privilege: Privilege) -> u16 {
        let at = ALL.iter().position(|(known, ..)| *known == privilege);
        at.map_or(0, |at| 1 << at)
    }

    /// Whether the privilege is in the set.
    pub fn has(self, privilege: Privilege) -> bool {
        self.0 & Privileges::bit(privilege) != 0
    }

    /// The union.
    #[must_use]
    pub fn union(self, other: Privileges) -> Privileges {
        Privileges(self.0 | other.0)
    }

    /// What is in `self` and not in `other`.
    #[must_use]
    pub fn without(self, other: Privileges) -> Privileges {
        Privileges(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Privileges) -> Privileges {
        Privileges(self.0 & other.0)
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The privileges in order.
    pub fn iter(self) -> impl Iterator<Item = (Privilege, char, &'static str)> {
        ALL.into_iter().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, p)| p)
    }
}

/// What one role granted to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AclItem {
    /// Who may; 0 is PUBLIC.
    pub grantee: Oid,
    /// Who said so.
    pub grantor: Oid,
    /// What.
    pub privileges: Privileges,
    /// What the grantee may grant on.
    pub grant_options: Privileges,
}

/// A list of privileges.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acl(pub Vec<AclItem>);

impl AclItem {
    /// The stored form (rule 1).
    pub fn to_stored(&self) -> String {
        let grantee =
            if self.grantee.is_valid() { self.grantee.to_string() } else { String::new() };
        format!("{grantee}={}/{}", self.letters(), self.grantor)
    }

    /// The letters, each followed by `*` when it may be granted on.
    pub fn letters(&self) -> String {
        let mut letters = String::new();
        for (privilege, letter, _) in self.privileges.union(self.grant_options).iter() {
            letters.push(letter);
            if self.grant_options.has(privilege) {
                letters.push('*');
            }
        }
        letters
    }

    /// Reads an item; `role` turns the text of a role into its OID.
    ///
    /// # Errors
    /// Those of `role`; 22P02 when it is no item.
    pub fn parse(text: &str, role: impl Fn(&str) -> Result<Oid>) -> Result<AclItem> {
        let wrong = || {
            Error::new(
                base::SqlState::INVALID_TEXT_REPRESENTATION,
                format!("invalid aclitem: \"{text}\""),
            )
        };
        let (grantee, rest) = text.rsplit_once('=').ok_or_else(wrong)?;
        let (letters, grantor) = rest.split_once('/').ok_or_else(wrong)?;
        let grantee = if grantee.is_empty() { Oid::INVALID } else { role(grantee)? };
        let mut item = AclItem {
            grantee,
            grantor: role(grantor)?,
            privileges: Privileges::NONE,
            grant_options: Privileges::NONE,
        };
        let mut last = Privileges::NONE;
        for letter in letters.chars() {
            if letter == '*' {
                item.grant_options = item.grant_options.union(last);
                continue;
            }
            last = Privileges::of(letter.encode_utf8(&mut [0; 4]));
            if last.is_empty() {
                return Err(wrong());
            }
            item.privileges = item.privileges.union(last);
        }
        Ok(item)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// XX001 when it is none.
    pub fn from_stored(text: &str) -> Result<AclItem> {
        let role = |oid: &str| {
            oid.parse().map(Oid).map_err(|_| Error::corrupted(format!("aclitem {text}")))
        };
        AclItem::parse(text, role)
    }
}

impl Acl {
    /// Reads the stored items of an aclitem[].
    ///
    /// # Errors
    /// XX001 when one is damaged.
    pub fn from_stored(items: &[String]) -> Result<Acl> {
        items.iter().map(|item| AclItem::from_stored(item)).collect::<Result<_>>().map(Acl)
    }

    /// The stored items.
    pub fn to_stored(&self) -> Vec<String> {
        self.0.iter().map(AclItem::to_stored).collect()
    }

    /// The list of an object whose owner changes: the new one stands where the old one did, and
    /// items that become the same are one.
    #[must_use]
    pub fn with_owner(&self, old: Oid, new: Oid) -> Acl {
        let put = |role: Oid| if role == old { new } else { role };
        let mut merged = Acl::default();
        for item in &self.0 {
            let (grantee, grantor) = (put(item.grantee), put(item.grantor));
            merged.add(AclItem { grantee, grantor, ..*item });
        }
        merged
    }

    /// Adds what an item gives to the item of the same roles, or the item itself.
    pub fn add(&mut self, item: AclItem) {
        let same = |one: &&mut AclItem| one.grantee == item.grantee && one.grantor == item.grantor;
        match self.0.iter_mut().find(same) {
            Some(one) => {
                one.privileges = one.privileges.union(item.privileges);
                one.grant_options = one.grant_options.union(item.grant_options);
            }
            None => self.0.push(item),
        }
    }

    /// The roles that the list names, PUBLIC left out.
    pub fn roles(&self) -> Vec<Oid> {
        let mut roles: Vec<Oid> =
            self.0.iter().flat_map(|item| [item.grantee, item.grantor]).collect();
        roles.retain(|role| role.is_valid());
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// What the roles hold together, and what they may grant on; PUBLIC is always among them.
    pub fn held(&self, roles: &[Oid]) -> (Privileges, Privileges) {
        let mut held = (Privileges::NONE, Privileges::NONE);
        for item in &self.0 {
            if !item.grantee.is_valid() || roles.contains(&item.grantee) {
                held.0 = held.0.union(item.privileges);
                held.1 = held.1.union(item.grant_options);
            }
        }
        held
    }
}

/// Kinds of objects that have privileges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AclKind {
    Table,
    Sequence,
    Column,
    Database,
    Function,
    Language,
    LargeObject,
    Namespace,
    Tablespace,
    Type,
    Parameter,
}

impl AclKind {
    /// Every privilege that objects of the kind have.
    pub fn all(self) -> Privileges {
        Privileges::of(match self {
            AclKind::Table => "arwdDxtm",
            AclKind::Sequence => "rwU",
            AclKind::Column => "arwx",
            AclKind::Database => "CTc",
            AclKind::Function => "X",
            AclKind::Language | AclKind::Type => "U",
            AclKind::LargeObject => "rw",
            AclKind::Namespace => "UC",
            AclKind::Tablespace => "C",
            AclKind::Parameter => "sA",
        })
    }
}

/// What the predefined roles among `roles` may do with every object of a kind.
pub fn predefined(kind: AclKind, roles: &[Oid]) -> Privileges {
    /// `pg_read_all_data`, `pg_write_all_data`, `pg_maintain`, and what they give on tables, on
    /// sequences and on schemas.
    const GIVEN: [(Oid, &str, &str, &str); 3] =
        [(Oid(6181), "r", "r", "U"), (Oid(6182), "awd", "w", "U"), (Oid(6337), "m", "", "")];
    let given = GIVEN.iter().filter(|(role, ..)| roles.contains(role));
    given.fold(Privileges::NONE, |all, (_, tables, sequences, schemas)| {
        all.union(Privileges::of(match kind {
            AclKind::Table => tables,
            AclKind::Sequence => sequences,
            AclKind::Namespace => schemas,
            _ => "",
        }))
    })
}

/// The list that stands behind NULL (rule 2).
pub fn default_for(kind: AclKind, owner: Oid) -> Acl {
    let public = Privileges::of(match kind {
        AclKind::Database => "Tc",
        AclKind::Function => "X",
        AclKind::Language | AclKind::Type => "U",
        _ => "",
    });
    let mut items = Vec::new();
    let none = Privileges::NONE;
    let item =
        |grantee, privileges| AclItem { grantee, grantor: owner, privileges, grant_options: none };
    if !public.is_empty() {
        items.push(item(Oid::INVALID, public));
    }
    if kind != AclKind::Column {
        items.push(item(owner, kind.all()));
    }
    Acl(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_survive_storing() {
        for text in ["10=arwdDxtm/10", "=r/10", "16384=r*w/10", "5=/5"] {
            assert_eq!(AclItem::from_stored(text).unwrap().to_stored(), text);
        }
        assert!(AclItem::from_stored("10=q/10").is_err());
    }

    #[test]
    fn public_holds_for_everybody() {
        let acl = Acl::from_stored(&["=r/10".to_string(), "10=w/10".to_string()]).unwrap();
        assert!(acl.held(&[Oid(20)]).0.has(Privilege::Select));
        assert!(!acl.held(&[Oid(20)]).0.has(Privilege::Update));
        assert!(acl.held(&[Oid(10)]).0.has(Privilege::Update));
    }
}
