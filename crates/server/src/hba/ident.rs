//! pg_ident.conf: which names of the outside may be which roles.

use super::rule::{Problem, any_is};
use super::tokens::{Line, Word};
use super::{IsMember, path, report, tokens};
use crate::config::Config;
use crate::log;
use base::Result;
use std::path::Path;

/// A line: who of the outside may be whom.
#[derive(Debug)]
pub(super) struct Mapping {
    map: String,
    system_user: Word,
    role: Word,
}

/// All mappings, in the order of the files.
#[derive(Debug, Default)]
pub(crate) struct Ident {
    mappings: Vec<Mapping>,
}

impl Mapping {
    pub(super) fn read(line: &Line) -> std::result::Result<Mapping, Problem> {
        let mut fields = line.fields.iter();
        let mut next = || match fields.next().map(Vec::as_slice) {
            None | Some([]) => Err(Problem::from("missing entry at end of line".to_owned())),
            Some([word]) => Ok(word),
            Some(_) => Err(Problem::from("multiple values in ident field".to_owned())),
        };
        let (map, system_user, role) = (next()?, next()?, next()?);
        Ok(Mapping {
            map: map.text.clone(),
            system_user: system_user.compiled().map_err(Problem::from)?,
            role: role.compiled().map_err(Problem::from)?,
        })
    }

    pub(super) fn shown(&self) -> [String; 3] {
        [self.map.clone(), self.system_user.text.clone(), self.role.text.clone()]
    }

    /// Whether it lets `system_user` be `user`; nothing when the line makes no sense for it.
    fn allows(
        &self,
        user: &str,
        system_user: &str,
        is_member: IsMember<'_>,
    ) -> Result<Option<bool>> {
        let Some(pattern) = self.system_user.pattern() else {
            if self.system_user.text != system_user {
                return Ok(Some(false));
            }
            return any_is(std::slice::from_ref(&self.role), user, is_member).map(Some);
        };
        let Some(captures) = pattern.captures(system_user) else { return Ok(Some(false)) };
        let plain = self.role.group().is_none() && self.role.pattern().is_none();
        let role = match self.role.text.split_once("\\1").filter(|_| plain) {
            None => self.role.clone(),
            Some((before, behind)) => {
                let Some(part) = captures.get(1) else {
                    log::log(format!(
                        "regular expression \"{}\" has no subexpressions as requested by \
                         backreference in \"{}\"",
                        &self.system_user.text[1..],
                        self.role.text
                    ));
                    return Ok(None);
                };
                // What came from outside is a name and no keyword.
                Word::new(format!("{before}{}{behind}", part.as_str()), true)
            }
        };
        any_is(&[role], user, is_member).map(Some)
    }
}

impl Ident {
    /// Reads the file. The log says what is wrong with it.
    pub(crate) fn load(data_dir: &Path, config: &Config) -> std::result::Result<Ident, ()> {
        let path = path(data_dir, config, "ident_file", "pg_ident.conf");
        let lines = tokens::read(&path).map_err(log::log)?;
        let mut ident = Ident::default();
        let mut failed = false;
        for line in lines {
            let read = match &line.error {
                Some(error) => Err(Problem::from(error.clone())),
                None => Mapping::read(&line),
            };
            match read {
                Ok(mapping) => ident.mappings.push(mapping),
                Err(problem) => {
                    report(&line, &problem);
                    failed = true;
                }
            }
        }
        if failed { Err(()) } else { Ok(ident) }
    }

    /// Whether `system_user` may be `user` by a map; without a map the names must be the same. The
    /// log says why not.
    ///
    /// # Errors
    /// Those of `is_member`.
    pub(crate) fn allows(
        &self,
        map: Option<&str>,
        user: &str,
        system_user: &str,
        is_member: IsMember<'_>,
    ) -> Result<bool> {
        let Some(map) = map.filter(|map| !map.is_empty()) else {
            if user == system_user {
                return Ok(true);
            }
            log::log(format!(
                "provided user name ({user}) and authenticated user name ({system_user}) do not \
                 match"
            ));
            return Ok(false);
        };
        for mapping in self.mappings.iter().filter(|mapping| mapping.map == map) {
            match mapping.allows(user, system_user, is_member)? {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => return Ok(false),
            }
        }
        log::log(format!(
            "no match in usermap \"{map}\" for user \"{user}\" authenticated as \"{system_user}\""
        ));
        Ok(false)
    }
}
