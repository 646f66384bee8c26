-- MD5 verifiers: made with a warning, given as they are, cleared by a new name.
set password_encryption = 'md5';
create role rm_one password 'secret';
select rolpassword from pg_authid where rolname = 'rm_one';
alter role rm_one rename to rm_two;
select rolname, rolpassword from pg_authid where rolname = 'rm_two';
set md5_password_warnings = off;
alter role rm_two password 'md501234567890123456789012345678901';
select rolpassword from pg_authid where rolname = 'rm_two';
reset password_encryption;
alter role rm_two password 'md5 is no verifier';
select left(rolpassword, 14) from pg_authid where rolname = 'rm_two';
set password_encryption = 'none';
set password_encryption = 'scram-sha-256';
drop role rm_two;
