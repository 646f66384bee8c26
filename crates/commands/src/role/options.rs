//! The options of CREATE ROLE and ALTER ROLE.

use crate::Env;
use base::{Error, Result, err};
use parse::{DefElem, DefValue, RoleSpec};
use types::{Datum, oids};

/// The options as written; none where one is missing.
#[derive(Default)]
pub(super) struct Options<'a> {
    /// NULL takes the password away.
    pub(super) password: Option<Option<&'a str>>,
    pub(super) superuser: Option<bool>,
    pub(super) inherit: Option<bool>,
    pub(super) create_role: Option<bool>,
    pub(super) create_database: Option<bool>,
    pub(super) can_login: Option<bool>,
    pub(super) replication: Option<bool>,
    pub(super) bypass_rls: Option<bool>,
    pub(super) connection_limit: Option<i32>,
    pub(super) valid_until: Option<&'a str>,
    pub(super) add_to: Option<&'a [DefValue<'a>]>,
    pub(super) members: Option<&'a [DefValue<'a>]>,
    pub(super) admins: Option<&'a [DefValue<'a>]>,
}

impl<'a> Options<'a> {
    pub(super) fn read(env: &Env<'_>, list: &'a [DefElem<'a>]) -> Result<Options<'a>> {
        let mut options = Options::default();
        for option in list {
            options.take(env, option)?;
        }
        if let Some(limit) = options.connection_limit.filter(|limit| *limit < -1) {
            return Err(err!(INVALID_PARAMETER_VALUE, "invalid connection limit: {limit}"));
        }
        Ok(options)
    }

    fn take(&mut self, env: &Env<'_>, option: &'a DefElem<'a>) -> Result<()> {
        let flag = || match option.value {
            Some(DefValue::Boolean(flag)) => flag,
            Some(DefValue::Integer(number)) => number != 0,
            _ => true,
        };
        let members = || match option.value {
            Some(DefValue::List(list)) => list,
            _ => &[],
        };
        let word = || option.value.and_then(|value| value.as_word());
        let again = match option.name {
            "password" => self.password.replace(word()).is_some(),
            "superuser" => self.superuser.replace(flag()).is_some(),
            "inherit" => self.inherit.replace(flag()).is_some(),
            "createrole" => self.create_role.replace(flag()).is_some(),
            "createdb" => self.create_database.replace(flag()).is_some(),
            "canlogin" => self.can_login.replace(flag()).is_some(),
            "isreplication" => self.replication.replace(flag()).is_some(),
            "bypassrls" => self.bypass_rls.replace(flag()).is_some(),
            "connectionlimit" => {
                let limit = match option.value {
                    Some(DefValue::Integer(limit)) => limit,
                    _ => -1,
                };
                self.connection_limit.replace(limit).is_some()
            }
            "validUntil" => self.valid_until.replace(word().unwrap_or_default()).is_some(),
            "addroleto" => self.add_to.replace(members()).is_some(),
            "rolemembers" => self.members.replace(members()).is_some(),
            "adminmembers" => self.admins.replace(members()).is_some(),
            "sysid" => {
                env.notice("SYSID can no longer be specified");
                false
            }
            other => return Err(Error::internal(format!("option \"{other}\" not recognized"))),
        };
        if again {
            let error = err!(SYNTAX_ERROR, "conflicting or redundant options");
            return Err(env.at(error, option.location));
        }
        Ok(())
    }

    /// VALID UNTIL as microseconds since 2000-01-01 UTC.
    pub(super) fn valid_until_us(&self, env: &Env<'_>) -> Result<Option<i64>> {
        let Some(text) = self.valid_until else { return Ok(None) };
        match env.session.io().input(oids::TIMESTAMPTZ, -1, text, &env.bump)? {
            Datum::Int8(us) => Ok(Some(us)),
            other => Err(Error::internal(format!("no timestamptz: {other:?}"))),
        }
    }
}

/// The roles in an option's value.
pub(super) fn specs<'a>(list: Option<&'a [DefValue<'a>]>) -> Vec<RoleSpec<'a>> {
    let spec = |value: &DefValue<'a>| match value {
        DefValue::Role(spec) => Some(*spec),
        _ => None,
    };
    list.unwrap_or_default().iter().filter_map(spec).collect()
}
