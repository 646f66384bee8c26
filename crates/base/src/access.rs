//! The rules of who may connect, as `pg_hba_file_rules` and `pg_ident_file_mappings` show them.

use crate::Result;

/// A row of `pg_hba_file_rules`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HbaRow {
    /// Its number among the valid rules.
    pub number: Option<i32>,
    /// The file.
    pub file: String,
    /// The line of the file.
    pub line: i32,
    /// What could be read of the rule.
    pub rule: Option<HbaRule>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// The readable parts of a rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HbaRule {
    /// The kind of connections.
    pub kind: &'static str,
    /// The databases.
    pub databases: Vec<String>,
    /// The users.
    pub users: Vec<String>,
    /// The addresses, or a keyword for them.
    pub address: Option<String>,
    /// The mask of the addresses.
    pub netmask: Option<String>,
    /// The method.
    pub method: &'static str,
    /// The options, `name=value`.
    pub options: Vec<String>,
}

/// A row of `pg_ident_file_mappings`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IdentRow {
    /// Its number among the valid mappings.
    pub number: Option<i32>,
    /// The file.
    pub file: String,
    /// The line of the file.
    pub line: i32,
    /// The map, the user of the system and the role; nothing when the line is wrong.
    pub mapping: Option<[String; 3]>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// Who can read the files of the rules now.
pub trait AccessFiles: Send + Sync {
    /// The lines of pg_hba.conf.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn hba(&self) -> Result<Vec<HbaRow>>;

    /// The lines of pg_ident.conf.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn ident(&self) -> Result<Vec<IdentRow>>;
}
