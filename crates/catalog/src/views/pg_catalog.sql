-- System views of pg_catalog. A view is `view name (columns)` and its query, ended by a semicolon.
-- Columns that are not listed are NULL; views that are not here are empty.

view pg_roles (rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolpassword, rolvaliduntil, rolbypassrls, rolconfig, oid)
SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcreaterole, a.rolcreatedb, a.rolcanlogin,
       a.rolreplication, a.rolconnlimit, '********', a.rolvaliduntil, a.rolbypassrls, s.setconfig, a.oid
FROM pg_authid a LEFT JOIN pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0;

view pg_shadow (usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, passwd, valuntil, useconfig)
SELECT a.rolname, a.oid, a.rolcreatedb, a.rolsuper, a.rolreplication, a.rolbypassrls, a.rolpassword,
       a.rolvaliduntil, s.setconfig
FROM pg_authid a LEFT JOIN pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0
WHERE a.rolcanlogin;

view pg_user (usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, passwd, valuntil, useconfig)
SELECT a.rolname, a.oid, a.rolcreatedb, a.rolsuper, a.rolreplication, a.rolbypassrls, '********',
       a.rolvaliduntil, s.setconfig
FROM pg_authid a LEFT JOIN pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0
WHERE a.rolcanlogin;

view pg_group (groname, grosysid, grolist)
SELECT a.rolname, a.oid, ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = a.oid)
FROM pg_authid a WHERE NOT a.rolcanlogin;

view pg_tables (schemaname, tablename, tableowner, tablespace, hasindexes, hasrules, hastriggers, rowsecurity)
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), t.spcname, c.relhasindex, c.relhasrules,
       c.relhastriggers, c.relrowsecurity
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p');

view pg_views (schemaname, viewname, viewowner, definition)
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid)
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v';

view pg_matviews (schemaname, matviewname, matviewowner, tablespace, hasindexes, ispopulated, definition)
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), t.spcname, c.relhasindex, c.relispopulated,
       pg_get_viewdef(c.oid)
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind = 'm';

view pg_indexes (schemaname, tablename, indexname, tablespace, indexdef)
SELECT n.nspname, t.relname, i.relname, s.spcname, pg_get_indexdef(i.oid)
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
     LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
WHERE t.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I');

view pg_sequences (schemaname, sequencename, sequenceowner, data_type, start_value, min_value, max_value, increment_by, cycle, cache_size, last_value)
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), s.seqtypid::regtype, s.seqstart, s.seqmin,
       s.seqmax, s.seqincrement, s.seqcycle, s.seqcache,
       CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE') THEN pg_sequence_last_value(c.oid::regclass) END
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT pg_is_other_temp_schema(n.oid) AND c.relkind = 'S';

view pg_rules (schemaname, tablename, rulename, definition)
SELECT n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN';

view pg_policies (schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check)
SELECT n.nspname, c.relname, p.polname, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
       CASE WHEN p.polroles = '{0}' THEN ARRAY['public'::name]
            ELSE ARRAY(SELECT a.rolname FROM pg_authid a WHERE a.oid = ANY (p.polroles) ORDER BY 1) END,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                     WHEN 'd' THEN 'DELETE' WHEN '*' THEN 'ALL' END,
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace;

view pg_settings (name, setting, unit, category, short_desc, extra_desc, context, vartype, source, min_val, max_val, enumvals, boot_val, reset_val, sourcefile, sourceline, pending_restart)
SELECT f.name, f.setting, f.unit, f.category, f.short_desc, f.extra_desc, f.context, f.vartype, f.source,
       f.min_val, f.max_val, f.enumvals, f.boot_val, f.reset_val, f.sourcefile, f.sourceline, f.pending_restart
FROM pg_show_all_settings() f;

view pg_locks (locktype, database, relation, page, tuple, virtualxid, transactionid, classid, objid, objsubid, virtualtransaction, pid, mode, granted, fastpath, waitstart)
SELECT f.locktype, f.database, f.relation, f.page, f.tuple, f.virtualxid, f.transactionid, f.classid, f.objid,
       f.objsubid, f.virtualtransaction, f.pid, f.mode, f.granted, f.fastpath, f.waitstart
FROM pg_lock_status() f;

view pg_cursors (name, statement, is_holdable, is_binary, is_scrollable, creation_time)
SELECT f.name, f.statement, f.is_holdable, f.is_binary, f.is_scrollable, f.creation_time FROM pg_cursor() f;

view pg_prepared_statements (name, statement, prepare_time, parameter_types, result_types, from_sql, generic_plans, custom_plans)
SELECT f.name, f.statement, f.prepare_time, f.parameter_types, f.result_types, f.from_sql, f.generic_plans,
       f.custom_plans
FROM pg_prepared_statement() f;

view pg_prepared_xacts (transaction, gid, prepared, owner, database)
SELECT f.transaction, f.gid, f.prepared, r.rolname, d.datname
FROM pg_prepared_xact() f LEFT JOIN pg_authid r ON f.ownerid = r.oid LEFT JOIN pg_database d ON f.dbid = d.oid;

view pg_backend_memory_contexts (name, ident, type, level, path, total_bytes, total_nblocks, free_bytes, free_chunks, used_bytes)
SELECT f.name, f.ident, f.type, f.level, f.path, f.total_bytes, f.total_nblocks, f.free_bytes, f.free_chunks,
       f.used_bytes
FROM pg_get_backend_memory_contexts() f;

view pg_timezone_names (name, abbrev, utc_offset, is_dst)
SELECT f.name, f.abbrev, f.utc_offset, f.is_dst FROM pg_timezone_names() f;

view pg_stat_activity (datid, datname, pid, leader_pid, usesysid, usename, application_name, client_addr, client_hostname, client_port, backend_start, xact_start, query_start, state_change, wait_event_type, wait_event, state, backend_xid, backend_xmin, query_id, query, backend_type)
SELECT f.datid, d.datname, f.pid, f.leader_pid, f.usesysid, a.rolname, f.application_name, f.client_addr,
       f.client_hostname, f.client_port, f.backend_start, f.xact_start, f.query_start, f.state_change,
       f.wait_event_type, f.wait_event, f.state, f.backend_xid, f.backend_xmin, f.query_id, f.query, f.backend_type
FROM pg_stat_get_activity(NULL) f LEFT JOIN pg_database d ON d.oid = f.datid
     LEFT JOIN pg_authid a ON a.oid = f.usesysid;

view pg_available_extensions (name, default_version, installed_version)
SELECT e.extname, e.extversion, e.extversion FROM pg_extension e;

view pg_user_mappings (umid, srvid, srvname, umuser, usename, umoptions)
SELECT m.oid, s.oid, s.srvname, m.umuser, CASE WHEN m.umuser = 0 THEN 'public' ELSE a.rolname END, m.umoptions
FROM pg_user_mapping m JOIN pg_foreign_server s ON s.oid = m.umserver
     LEFT JOIN pg_authid a ON a.oid = m.umuser;

view pg_stats (schemaname, tablename, attname, inherited, null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs, histogram_bounds, correlation)
SELECT n.nspname, c.relname, a.attname, s.stainherit, s.stanullfrac, s.stawidth, s.stadistinct,
       CASE WHEN s.stakind1 = 1 THEN s.stavalues1 WHEN s.stakind2 = 1 THEN s.stavalues2 WHEN s.stakind3 = 1 THEN s.stavalues3 WHEN s.stakind4 = 1 THEN s.stavalues4 WHEN s.stakind5 = 1 THEN s.stavalues5 END,
       CASE WHEN s.stakind1 = 1 THEN s.stanumbers1 WHEN s.stakind2 = 1 THEN s.stanumbers2 WHEN s.stakind3 = 1 THEN s.stanumbers3 WHEN s.stakind4 = 1 THEN s.stanumbers4 WHEN s.stakind5 = 1 THEN s.stanumbers5 END,
       CASE WHEN s.stakind1 = 2 THEN s.stavalues1 WHEN s.stakind2 = 2 THEN s.stavalues2 WHEN s.stakind3 = 2 THEN s.stavalues3 WHEN s.stakind4 = 2 THEN s.stavalues4 WHEN s.stakind5 = 2 THEN s.stavalues5 END,
       CASE WHEN s.stakind1 = 3 THEN s.stanumbers1[1] WHEN s.stakind2 = 3 THEN s.stanumbers2[1] WHEN s.stakind3 = 3 THEN s.stanumbers3[1] WHEN s.stakind4 = 3 THEN s.stanumbers4[1] WHEN s.stakind5 = 3 THEN s.stanumbers5[1] END
FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.staattnum
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
      AND (NOT c.relrowsecurity OR NOT row_security_active(c.oid));

view pg_available_extension_versions (name, version, installed, superuser, trusted, relocatable, schema, comment)
SELECT e.name, e.default_version, x.extversion IS NOT NULL, true, true, false, 'pg_catalog', e.comment
FROM pg_available_extensions() e(name, default_version, comment)
     LEFT JOIN pg_extension x ON x.extname = e.name AND x.extversion = e.default_version;

view pg_stat_all_tables (relid, schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze, vacuum_count, autovacuum_count, analyze_count, autoanalyze_count)
SELECT c.oid, n.nspname, c.relname,
       pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid),
       pg_stat_get_live_tuples(c.oid), pg_stat_get_dead_tuples(c.oid), pg_stat_get_mod_since_analyze(c.oid),
       pg_stat_get_ins_since_vacuum(c.oid), pg_stat_get_last_vacuum_time(c.oid),
       pg_stat_get_last_autovacuum_time(c.oid), pg_stat_get_last_analyze_time(c.oid),
       pg_stat_get_last_autoanalyze_time(c.oid), pg_stat_get_vacuum_count(c.oid),
       pg_stat_get_autovacuum_count(c.oid), pg_stat_get_analyze_count(c.oid), pg_stat_get_autoanalyze_count(c.oid)
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm', 'p');

view pg_stat_sys_tables (relid, schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze, vacuum_count, autovacuum_count, analyze_count, autoanalyze_count)
SELECT relid, schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze, vacuum_count, autovacuum_count, analyze_count, autoanalyze_count FROM pg_stat_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';

view pg_stat_user_tables (relid, schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze, vacuum_count, autovacuum_count, analyze_count, autoanalyze_count)
SELECT relid, schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze, vacuum_count, autovacuum_count, analyze_count, autoanalyze_count FROM pg_stat_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';

view pg_stat_xact_all_tables (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_stat_all_tables;

view pg_stat_xact_sys_tables (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_stat_sys_tables;

view pg_stat_xact_user_tables (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_stat_user_tables;

view pg_statio_all_tables (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_stat_all_tables;

view pg_statio_sys_tables (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_stat_sys_tables;

view pg_statio_user_tables (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_stat_user_tables;

view pg_stat_all_indexes (relid, indexrelid, schemaname, relname, indexrelname)
SELECT t.oid, i.oid, n.nspname, t.relname, i.relname
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE t.relkind IN ('r', 't', 'm');

view pg_stat_sys_indexes (relid, indexrelid, schemaname, relname, indexrelname)
SELECT relid, indexrelid, schemaname, relname, indexrelname FROM pg_stat_all_indexes
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';

view pg_stat_user_indexes (relid, indexrelid, schemaname, relname, indexrelname)
SELECT relid, indexrelid, schemaname, relname, indexrelname FROM pg_stat_all_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';

view pg_statio_all_indexes (relid, indexrelid, schemaname, relname, indexrelname)
SELECT relid, indexrelid, schemaname, relname, indexrelname FROM pg_stat_all_indexes;

view pg_statio_sys_indexes (relid, indexrelid, schemaname, relname, indexrelname)
SELECT relid, indexrelid, schemaname, relname, indexrelname FROM pg_stat_sys_indexes;

view pg_statio_user_indexes (relid, indexrelid, schemaname, relname, indexrelname)
SELECT relid, indexrelid, schemaname, relname, indexrelname FROM pg_stat_user_indexes;

view pg_statio_all_sequences (relid, schemaname, relname)
SELECT c.oid, n.nspname, c.relname
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S';

view pg_statio_sys_sequences (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_statio_all_sequences
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';

view pg_statio_user_sequences (relid, schemaname, relname)
SELECT relid, schemaname, relname FROM pg_statio_all_sequences
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';

view pg_stat_database (datid, datname, numbackends, xact_commit, xact_rollback, tup_inserted, tup_updated, tup_deleted, temp_files, temp_bytes, deadlocks, sessions)
SELECT d.oid, d.datname, (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid),
       pg_stat_get_db_xact_commit(d.oid), pg_stat_get_db_xact_rollback(d.oid),
       pg_stat_get_db_tuples_inserted(d.oid), pg_stat_get_db_tuples_updated(d.oid),
       pg_stat_get_db_tuples_deleted(d.oid), pg_stat_get_db_temp_files(d.oid),
       pg_stat_get_db_temp_bytes(d.oid), pg_stat_get_db_deadlocks(d.oid), pg_stat_get_db_sessions(d.oid)
FROM (SELECT 0::oid AS oid, NULL::name AS datname
      UNION ALL SELECT oid, datname FROM pg_database) d;

view pg_stat_database_conflicts (datid, datname)
SELECT d.oid, d.datname FROM pg_database d;

view pg_stat_ssl (pid, ssl, version, cipher, bits, client_dn, client_serial, issuer_dn)
SELECT f.pid, f.ssl, f.sslversion, f.sslcipher, f.sslbits, f.ssl_client_dn, f.ssl_client_serial, f.ssl_issuer_dn
FROM pg_stat_get_activity(NULL) f WHERE f.client_port IS NOT NULL;

view pg_config (name, setting)
SELECT f.name, f.setting FROM pg_config() f;

view pg_stat_archiver (archived_count, last_archived_wal, last_archived_time, failed_count, last_failed_wal, last_failed_time, stats_reset)
SELECT f.archived_count, f.last_archived_wal, f.last_archived_time, f.failed_count, f.last_failed_wal,
       f.last_failed_time, f.stats_reset
FROM pg_stat_get_archiver() f;

view pg_hba_file_rules (rule_number, file_name, line_number, type, database, user_name, address, netmask, auth_method, options, error)
SELECT f.rule_number, f.file_name, f.line_number, f.type, f.database, f.user_name, f.address, f.netmask,
       f.auth_method, f.options, f.error
FROM pg_hba_file_rules() f;

view pg_ident_file_mappings (map_number, file_name, line_number, map_name, sys_name, pg_username, error)
SELECT f.map_number, f.file_name, f.line_number, f.map_name, f.sys_name, f.pg_username, f.error
FROM pg_ident_file_mappings() f;

view pg_stat_gssapi (pid, gss_authenticated, principal, encrypted, credentials_delegated)
SELECT f.pid, f.gss_auth, f.gss_princ, f.gss_enc, f.gss_delegation FROM pg_stat_get_activity(NULL) f WHERE f.client_port IS NOT NULL;
