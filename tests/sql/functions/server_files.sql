-- What asks for a log collector or an archiver that is not there says so.
select pg_rotate_logfile();
select archived_count, last_archived_wal, last_archived_time, failed_count, last_failed_wal, last_failed_time, stats_reset <= now() from pg_stat_archiver;
select pg_stat_reset_shared('archiver');
select pg_stat_reset_shared('nothing');
select archived_count, stats_reset <= now() from pg_stat_get_archiver();
show archive_mode;
show archive_command;
create role r_no_files;
set role r_no_files;
select pg_rotate_logfile();
select pg_stat_reset_shared('archiver');
select pg_switch_wal();
reset role;
drop role r_no_files;
