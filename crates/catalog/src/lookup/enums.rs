//! Labels of enums that are not committed yet: nobody may use them, so that no row has a value
//! whose label is then rolled back.

use super::Catalog;
use crate::rows::EnumLabel;
use base::{Oid, Result, err};

/// What the session's transaction has made.
#[derive(Debug, Default)]
pub(super) struct NewEnums {
    /// Types: all labels of these go with the type.
    types: Vec<Oid>,
    /// Labels of other types.
    labels: Vec<Oid>,
}

impl Catalog {
    /// Notes that the transaction has made an enum.
    pub fn note_new_enum(&self, enum_type: Oid) {
        self.new_enums.borrow_mut().types.push(enum_type);
    }

    /// Notes that the transaction has added a label to an enum.
    pub fn note_new_label(&self, enum_type: Oid, label: Oid) {
        let mut new = self.new_enums.borrow_mut();
        if !new.types.contains(&enum_type) {
            new.labels.push(label);
        }
    }

    /// Refuses a label that the transaction has added to an enum that was there before.
    ///
    /// # Errors
    /// 55P04
    pub fn check_enum_use(&self, label: &EnumLabel) -> Result<()> {
        if !self.new_enums.borrow().labels.contains(&label.oid) {
            return Ok(());
        }
        Err(err!(
            UNSAFE_NEW_ENUM_VALUE_USAGE,
            "unsafe use of new value \"{}\" of enum type {}",
            label.label,
            self.format_type(label.enum_type, None)?
        )
        .hint("New enum values must be committed before they can be used."))
    }

    pub(super) fn forget_new_enums(&self) {
        *self.new_enums.borrow_mut() = NewEnums::default();
    }
}
