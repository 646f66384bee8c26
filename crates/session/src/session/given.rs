//! The parameters that a portal was bound with, as the log and the contexts of errors show them:
//! `log_parameter_max_length`, `log_parameter_max_length_on_error`.

use crate::engine::Parameters;
use crate::log::LogSettings;
use crate::statement::Prepared;
use std::sync::Arc;
use types::Io;

/// The parameters of a portal, kept as long as somebody may want to see them.
#[derive(Debug)]
pub(crate) struct Given {
    prepared: Arc<Prepared>,
    values: Parameters,
}

impl Given {
    /// Nothing where there are none, or where no setting asks for them.
    pub(super) fn keep(
        log: &LogSettings,
        prepared: &Arc<Prepared>,
        values: &Parameters,
    ) -> Option<Given> {
        let wanted = log.shows_parameters() && !values.values().is_empty();
        wanted.then(|| Given { prepared: prepared.clone(), values: values.clone() })
    }

    /// `$1 = '5', $2 = NULL`; texts are cut after `bytes_max`. Nothing if a value cannot be shown.
    pub(super) fn shown(&self, io: &Io<'_>, bytes_max: Option<usize>) -> Option<String> {
        let mut out = String::new();
        for (at, (value, type_oid)) in
            self.values.values().iter().zip(&self.prepared.parameters).enumerate()
        {
            let comma = if at > 0 { ", " } else { "" };
            let text = match value.is_null() {
                true => "NULL".to_owned(),
                false => quoted(&io.output_string(type_oid.0, value).ok()?, bytes_max),
            };
            out.push_str(&format!("{comma}${} = {text}", at + 1));
        }
        Some(out)
    }
}

/// The text in single quotes; one that is longer ends with `...`.
pub(super) fn quoted(text: &str, bytes_max: Option<usize>) -> String {
    let end = text.floor_char_boundary(bytes_max.unwrap_or(text.len()));
    let dots = if end < text.len() { "..." } else { "" };
    format!("'{}{dots}'", text[..end].replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, bytes_max, shown) in [
            ("it's", None, "'it''s'"),
            ("it's", Some(4), "'it''s'"),
            ("it's", Some(3), "'it''...'"),
            ("it's", Some(0), "'...'"),
            ("", Some(0), "''"),
            ("aäb", Some(2), "'a...'"),
        ] {
            assert_eq!(quoted(text, bytes_max), shown, "{text} {bytes_max:?}");
        }
    }
}
