//! What analysis knows of the session, and what it learns about parameters.

use base::{Error, Oid, Result, err};
use catalog::Catalog;
use memory::Bump;
use parse::RawStatement;
use types::Io;
use types::oids;

/// The session, as analysis sees it.
pub trait Environment {
    /// The catalogs.
    fn catalog(&self) -> &Catalog;

    /// Input and output of values.
    fn io(&self) -> Io<'_>;

    /// The name of the database, which may qualify names.
    fn database_name(&self) -> String {
        "postgres".into()
    }

    /// Locks a relation in a mode (1 ACCESS SHARE to 8 ACCESS EXCLUSIVE) to the end of the
    /// transaction.
    ///
    /// # Errors
    /// Those of waiting for a lock.
    fn lock_relation(&self, _relation: Oid, _mode: u8) -> Result<()> {
        Ok(())
    }

    /// Parses SQL of the system itself, the queries of system views for example. A session whose
    /// statements run on fibers does it on the thread's own stack.
    ///
    /// # Errors
    /// Those of [`parse::parse`].
    fn parse<'a>(&self, bump: &'a Bump, sql: &str) -> Result<&'a [RawStatement<'a>]> {
        parse::parse(bump, sql)
    }

    /// Whether `x = NULL` means `x IS NULL`: `transform_null_equals`.
    fn transforms_null_equals(&self) -> bool {
        false
    }

    /// Sends a notice to the client.
    fn notice(&self, _notice: Error) {}
}

/// The types of `$1`, `$2`, …: given, or inferred from use.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    types: Vec<Oid>,
    variable: bool,
    /// Whether one was used whose number is larger than any statement can have.
    beyond: bool,
}

/// The protocol counts parameters in 16 bits.
const COUNT_MAX: usize = 65_535;
/// The largest number of a parameter that PostgreSQL makes room for.
const LARGEST: usize = 268_435_455;

impl Parameters {
    /// No parameters: a `$n` is an error.
    pub fn none() -> Parameters {
        Parameters::default()
    }

    /// Exactly these.
    pub fn fixed(types: Vec<Oid>) -> Parameters {
        Parameters { types, variable: false, beyond: false }
    }

    /// These, 0 or `unknown` for those to infer, and any number more.
    pub fn inferred(mut types: Vec<Oid>) -> Parameters {
        for oid in &mut types {
            if *oid == Oid::INVALID {
                *oid = Oid(oids::UNKNOWN);
            }
        }
        Parameters { types, variable: true, beyond: false }
    }

    /// The types; after analysis all of them are known.
    pub fn types(&self) -> &[Oid] {
        &self.types
    }

    /// The type of a parameter where it is used: `unknown` until something decides.
    pub(crate) fn use_of(&mut self, number: i32) -> Result<Oid> {
        let missing = || err!(UNDEFINED_PARAMETER, "there is no parameter ${number}");
        let at = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)).ok_or_else(missing)?;
        if at >= self.types.len() {
            if !self.variable || at >= LARGEST {
                return Err(missing());
            }
            if at >= COUNT_MAX {
                self.beyond = true;
                return Ok(Oid(oids::UNKNOWN));
            }
            self.types.resize(at + 1, Oid::INVALID);
        }
        if self.types[at] == Oid::INVALID {
            if !self.variable {
                return Err(missing());
            }
            self.types[at] = Oid(oids::UNKNOWN);
        }
        Ok(self.types[at])
    }

    /// A use of an `unknown` parameter meets a type. `Err` has the type that it got elsewhere.
    pub(crate) fn decide(&mut self, number: u32, oid: Oid) -> std::result::Result<(), Oid> {
        let Some(slot) = self.types.get_mut(number as usize - 1) else { return Ok(()) };
        if *slot == Oid(oids::UNKNOWN) || *slot == oid {
            *slot = oid;
            return Ok(());
        }
        Err(*slot)
    }

    pub(crate) fn is_variable(&self) -> bool {
        self.variable
    }

    pub(crate) fn check(&self) -> Result<()> {
        if !self.variable {
            return Ok(());
        }
        for (at, oid) in self.types.iter().enumerate() {
            if *oid == Oid::INVALID || *oid == Oid(oids::UNKNOWN) {
                return Err(err!(
                    INDETERMINATE_DATATYPE,
                    "could not determine data type of parameter ${}",
                    at + 1
                ));
            }
        }
        if self.beyond {
            return Err(match self.types.len() {
                COUNT_MAX => {
                    err!(PROGRAM_LIMIT_EXCEEDED, "a statement can have at most 65535 parameters")
                }
                known => err!(
                    INDETERMINATE_DATATYPE,
                    "could not determine data type of parameter ${}",
                    known + 1
                ),
            });
        }
        Ok(())
    }
}
