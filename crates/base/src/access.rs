//! The rules of who may connect, as `pg_hba_file_rules` and `pg_ident_file_mappings` show them.

use crate::Result;

/// A line of such a file: a row of the view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessLine<T> {
    /// Its number among the lines that are right.
    pub number: Option<i32>,
    /// The file.
    pub file: String,
    /// The line of the file.
    pub line: i32,
    /// What could be read of it.
    pub entry: Option<T>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// The map, the user of the system and the role of a line of pg_ident.conf.
pub type IdentMapping = [String; 3];

/// The readable parts of a line of pg_hba.conf.
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

/// Who can read the files of the rules now.
pub trait AccessFiles: Send + Sync {
    /// The lines of pg_hba.conf.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn hba(&self) -> Result<Vec<AccessLine<HbaRule>>>;

    /// The lines of pg_ident.conf.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn ident(&self) -> Result<Vec<AccessLine<IdentMapping>>>;
}
