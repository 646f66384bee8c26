-- Views of information_schema, in the form of pg_catalog.sql.

view information_schema_catalog_name (catalog_name)
SELECT current_database();

view schemata (catalog_name, schema_name, schema_owner)
SELECT current_database(), n.nspname, a.rolname
FROM pg_namespace n JOIN pg_authid a ON a.oid = n.nspowner
WHERE pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE');

view tables (table_catalog, table_schema, table_name, table_type, user_defined_type_catalog, user_defined_type_schema, user_defined_type_name, is_insertable_into, is_typed, commit_action)
SELECT current_database(), n.nspname, c.relname,
       CASE WHEN n.oid = pg_my_temp_schema() THEN 'LOCAL TEMPORARY'
            WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE'
            WHEN c.relkind = 'v' THEN 'VIEW'
            WHEN c.relkind = 'f' THEN 'FOREIGN' END,
       CASE WHEN t.typname IS NOT NULL THEN current_database() END, tn.nspname, t.typname,
       CASE WHEN c.relkind IN ('r', 'p')
                 OR c.relkind IN ('v', 'f') AND pg_relation_is_updatable(c.oid, false) & 8 = 8
            THEN 'YES' ELSE 'NO' END,
       CASE WHEN t.typname IS NOT NULL THEN 'YES' ELSE 'NO' END, NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_type t ON t.oid = c.reloftype LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

view columns (table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, collation_catalog, collation_schema, collation_name, domain_catalog, domain_schema, domain_name, udt_catalog, udt_schema, udt_name, dtd_identifier, is_self_referencing, is_identity, identity_generation, identity_start, identity_increment, identity_maximum, identity_minimum, identity_cycle, is_generated, generation_expression, is_updatable)
SELECT current_database(), n.nspname, c.relname, a.attname, a.attnum,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.attnotnull OR t.typtype = 'd' AND t.typnotnull THEN 'NO' ELSE 'YES' END,
       CASE WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL)
            ELSE 'USER-DEFINED' END,
       CASE WHEN m.modifier <> -1 AND b.oid IN (1042, 1043) THEN m.modifier - 4
            WHEN m.modifier <> -1 AND b.oid IN (1560, 1562) THEN m.modifier END,
       CASE WHEN b.oid IN (25, 1042, 1043)
            THEN CASE WHEN m.modifier = -1 THEN 1073741824 ELSE (m.modifier - 4) * 4 END END,
       CASE b.oid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
            WHEN 1700 THEN CASE WHEN m.modifier <> -1 THEN ((m.modifier - 4) >> 16) & 65535 END END,
       CASE WHEN b.oid IN (20, 21, 23, 700, 701) THEN 2 WHEN b.oid = 1700 THEN 10 END,
       CASE WHEN b.oid IN (20, 21, 23) THEN 0
            WHEN b.oid = 1700 AND m.modifier <> -1 THEN (m.modifier - 4) & 65535 END,
       CASE WHEN b.oid = 1082 THEN 0
            WHEN b.oid IN (1083, 1114, 1184, 1266) THEN CASE WHEN m.modifier < 0 THEN 6 ELSE m.modifier END
            WHEN b.oid = 1186
            THEN CASE WHEN m.modifier < 0 OR m.modifier & 65535 = 65535 THEN 6 ELSE m.modifier & 65535 END END,
       CASE WHEN b.oid = 1186
            THEN upper(substring(format_type(b.oid, m.modifier) SIMILAR 'interval[()0-9]* #"%#"' ESCAPE '#')) END,
       CASE WHEN cn.nspname IS NOT NULL THEN current_database() END, cn.nspname, co.collname,
       CASE WHEN t.typtype = 'd' THEN current_database() END,
       CASE WHEN t.typtype = 'd' THEN tn.nspname END, CASE WHEN t.typtype = 'd' THEN t.typname END,
       current_database(), bn.nspname, b.typname, a.attnum, 'NO',
       CASE WHEN a.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END,
       CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
       s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
       CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END,
       CASE WHEN a.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END,
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN c.relkind IN ('r', 'p')
                 OR c.relkind IN ('v', 'f') AND pg_column_is_updatable(c.oid, a.attnum, false)
            THEN 'YES' ELSE 'NO' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
     JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
     JOIN pg_namespace bn ON bn.oid = b.typnamespace
     CROSS JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END) m(modifier)
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN (pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace)
         ON co.oid = a.attcollation AND (cn.nspname, co.collname) <> ('pg_catalog', 'default')
     LEFT JOIN (pg_depend dep JOIN pg_sequence s
                ON dep.classid = 1259 AND dep.objid = s.seqrelid AND dep.deptype = 'i')
         ON dep.refclassid = 1259 AND dep.refobjid = c.oid AND dep.refobjsubid = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
      AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));

view views (table_catalog, table_schema, table_name, view_definition, check_option, is_updatable, is_insertable_into, is_trigger_updatable, is_trigger_deletable, is_trigger_insertable_into)
SELECT current_database(), n.nspname, c.relname,
       CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_get_viewdef(c.oid) END,
       CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'
            WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END,
       CASE WHEN pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END,
       CASE WHEN pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END,
       CASE WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 81 = 81) THEN 'YES' ELSE 'NO' END,
       CASE WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 73 = 73) THEN 'YES' ELSE 'NO' END,
       CASE WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 69 = 69) THEN 'YES' ELSE 'NO' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

view table_constraints (constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, constraint_type, is_deferrable, initially_deferred, enforced, nulls_distinct)
SELECT current_database(), kn.nspname, k.conname, current_database(), n.nspname, c.relname,
       CASE k.contype WHEN 'c' THEN 'CHECK' WHEN 'n' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY'
                      WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END,
       CASE WHEN k.condeferrable THEN 'YES' ELSE 'NO' END, CASE WHEN k.condeferred THEN 'YES' ELSE 'NO' END,
       CASE WHEN k.conenforced THEN 'YES' ELSE 'NO' END,
       CASE WHEN k.contype = 'u'
            THEN CASE WHEN (SELECT x.indnullsnotdistinct FROM pg_index x WHERE x.indexrelid = k.conindid)
                      THEN 'NO' ELSE 'YES' END END
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_namespace kn ON kn.oid = k.connamespace
WHERE k.contype IN ('c', 'f', 'n', 'p', 'u') AND c.relkind IN ('r', 'p')
      AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'));

view key_column_usage (constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, column_name, ordinal_position, position_in_unique_constraint)
SELECT current_database(), kn.nspname, k.conname, current_database(), n.nspname, c.relname, a.attname, u.place,
       CASE WHEN k.contype = 'f'
            THEN (SELECT p.place FROM pg_index x,
                         unnest(x.indkey::int2[]) WITH ORDINALITY AS p(attribute, place)
                  WHERE x.indexrelid = k.conindid AND p.attribute = k.confkey[u.place::int]) END
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_namespace kn ON kn.oid = k.connamespace
     CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(attribute, place)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attribute AND NOT a.attisdropped
WHERE k.contype IN ('p', 'u', 'f') AND c.relkind IN ('r', 'p') AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));

view referential_constraints (constraint_catalog, constraint_schema, constraint_name, unique_constraint_catalog, unique_constraint_schema, unique_constraint_name, match_option, update_rule, delete_rule)
SELECT current_database(), kn.nspname, k.conname,
       CASE WHEN un.nspname IS NOT NULL THEN current_database() END, un.nspname, uk.conname,
       CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END,
       CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                          WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END,
       CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                          WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace kn ON kn.oid = k.connamespace
     LEFT JOIN (pg_constraint uk JOIN pg_namespace un ON un.oid = uk.connamespace)
         ON uk.conindid = k.conindid AND uk.contype IN ('p', 'u') AND uk.conrelid = k.confrelid
WHERE k.contype = 'f'
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'));

view constraint_column_usage (table_catalog, table_schema, table_name, column_name, constraint_catalog, constraint_schema, constraint_name)
SELECT DISTINCT current_database(), n.nspname, c.relname, a.attname, current_database(), kn.nspname, k.conname
FROM pg_constraint k JOIN pg_namespace kn ON kn.oid = k.connamespace
     JOIN pg_class c ON c.oid = CASE WHEN k.contype = 'f' THEN k.confrelid ELSE k.conrelid END
     JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL unnest(CASE WHEN k.contype = 'f' THEN k.confkey ELSE k.conkey END) AS u(attribute)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attribute AND NOT a.attisdropped
WHERE k.contype IN ('c', 'n', 'p', 'u', 'f') AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE');

view check_constraints (constraint_catalog, constraint_schema, constraint_name, check_clause)
SELECT current_database(), n.nspname, k.conname,
       CASE WHEN k.contype = 'n' THEN format('%s IS NOT NULL', coalesce(a.attname, 'VALUE'))
            ELSE pg_get_expr(k.conbin, k.conrelid) END
FROM pg_constraint k LEFT JOIN pg_namespace n ON n.oid = k.connamespace
     LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid
     LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype IN ('c', 'n') AND pg_has_role(coalesce(c.relowner, t.typowner), 'USAGE');

view sequences (sequence_catalog, sequence_schema, sequence_name, data_type, numeric_precision, numeric_precision_radix, numeric_scale, start_value, minimum_value, maximum_value, increment, cycle_option)
SELECT current_database(), n.nspname, c.relname, format_type(s.seqtypid, NULL),
       CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END, 2, 0,
       s.seqstart, s.seqmin, s.seqmax, s.seqincrement, CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i')
      AND NOT pg_is_other_temp_schema(n.oid)
      AND CASE WHEN c.relkind = 'S' THEN pg_has_role(c.relowner, 'USAGE')
               OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE') END;

view enabled_roles (role_name)
SELECT a.rolname FROM pg_authid a WHERE pg_has_role(a.oid, 'USAGE');

view applicable_roles (grantee, role_name, is_grantable)
SELECT m.rolname, r.rolname, CASE WHEN g.admin_option THEN 'YES' ELSE 'NO' END
FROM (SELECT x.member, x.roleid, x.admin_option FROM pg_auth_members x
      UNION SELECT d.datdba, 6171, false FROM pg_database d WHERE d.datname = current_database()) g
     JOIN pg_authid m ON m.oid = g.member JOIN pg_authid r ON r.oid = g.roleid
WHERE pg_has_role(m.oid, 'USAGE');

view domains (domain_catalog, domain_schema, domain_name, data_type, character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, domain_default, udt_catalog, udt_schema, udt_name, dtd_identifier)
SELECT current_database(), n.nspname, t.typname,
       CASE WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL) ELSE 'USER-DEFINED' END,
       information_schema._pg_char_max_length(b.oid, t.typtypmod),
       information_schema._pg_char_octet_length(b.oid, t.typtypmod),
       information_schema._pg_numeric_precision(b.oid, t.typtypmod),
       information_schema._pg_numeric_precision_radix(b.oid, t.typtypmod),
       information_schema._pg_numeric_scale(b.oid, t.typtypmod),
       information_schema._pg_datetime_precision(b.oid, t.typtypmod),
       information_schema._pg_interval_type(b.oid, t.typtypmod),
       t.typdefault, current_database(), bn.nspname, b.typname, 1
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     JOIN pg_type b ON b.oid = t.typbasetype JOIN pg_namespace bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'));

view table_privileges (grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy)
SELECT g.rolname, CASE WHEN p.grantee = 0 THEN 'PUBLIC' ELSE r.rolname END, current_database(), n.nspname,
       c.relname, p.privilege_type,
       CASE WHEN pg_has_role(p.grantee, c.relowner, 'USAGE') OR p.is_grantable THEN 'YES' ELSE 'NO' END,
       CASE WHEN p.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) p
     JOIN pg_authid g ON g.oid = p.grantor LEFT JOIN pg_authid r ON r.oid = p.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p')
      AND p.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
      AND (pg_has_role(g.oid, 'USAGE') OR p.grantee = 0 OR pg_has_role(r.oid, 'USAGE'));

view routines (specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name, routine_type, data_type, routine_body, external_language, is_deterministic, security_type)
SELECT current_database(), n.nspname, nameconcatoid(p.proname, p.oid), current_database(), n.nspname, p.proname,
       CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END,
       CASE WHEN p.prokind = 'p' THEN NULL WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
            WHEN tn.nspname = 'pg_catalog' THEN format_type(t.oid, NULL) ELSE 'USER-DEFINED' END,
       CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END, upper(l.lanname),
       CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END,
       CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
     LEFT JOIN (pg_type t JOIN pg_namespace tn ON tn.oid = t.typnamespace)
         ON t.oid = p.prorettype AND p.prokind <> 'p'
WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE');

view character_sets (character_set_name, character_repertoire, form_of_use, default_collate_catalog, default_collate_schema, default_collate_name)
SELECT 'UTF8', 'UCS', 'UTF8', current_database(), n.nspname, c.collname
FROM pg_database d
     LEFT JOIN (pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace)
     ON d.datcollate = c.collcollate AND d.datctype = c.collctype
WHERE d.datname = current_database();

view collations (collation_catalog, collation_schema, collation_name, pad_attribute)
SELECT current_database(), n.nspname, c.collname, 'NO PAD'
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6);

view collation_character_set_applicability (collation_catalog, collation_schema, collation_name, character_set_name)
SELECT current_database(), n.nspname, c.collname, 'UTF8'
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6);

view column_udt_usage (udt_catalog, udt_schema, udt_name, table_catalog, table_schema, table_name, column_name)
SELECT current_database(), coalesce(bn.nspname, tn.nspname), coalesce(b.typname, t.typname),
       current_database(), n.nspname, c.relname, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
     LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
     LEFT JOIN pg_namespace bn ON bn.oid = b.typnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
      AND pg_has_role(coalesce(b.typowner, t.typowner), 'USAGE');

view column_domain_usage (domain_catalog, domain_schema, domain_name, table_catalog, table_schema, table_name, column_name)
SELECT current_database(), tn.nspname, t.typname, current_database(), n.nspname, c.relname, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE t.typtype = 'd' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
      AND pg_has_role(t.typowner, 'USAGE');

view domain_constraints (constraint_catalog, constraint_schema, constraint_name, domain_catalog, domain_schema, domain_name, is_deferrable, initially_deferred)
SELECT current_database(), cn.nspname, k.conname, current_database(), n.nspname, t.typname,
       CASE WHEN k.condeferrable THEN 'YES' ELSE 'NO' END, CASE WHEN k.condeferred THEN 'YES' ELSE 'NO' END
FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
     JOIN pg_namespace cn ON cn.oid = k.connamespace
WHERE k.contype IN ('c', 'n')
      AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'));

view domain_udt_usage (udt_catalog, udt_schema, udt_name, domain_catalog, domain_schema, domain_name)
SELECT current_database(), bn.nspname, b.typname, current_database(), n.nspname, t.typname
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type b ON b.oid = t.typbasetype
     JOIN pg_namespace bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd' AND pg_has_role(b.typowner, 'USAGE');

view constraint_table_usage (table_catalog, table_schema, table_name, constraint_catalog, constraint_schema, constraint_name)
SELECT current_database(), n.nspname, c.relname, current_database(), kn.nspname, k.conname
FROM pg_constraint k JOIN pg_namespace kn ON kn.oid = k.connamespace
     JOIN pg_class c ON c.oid = CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END
     JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('f', 'p', 'u') AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE');

view view_table_usage (view_catalog, view_schema, view_name, table_catalog, table_schema, table_name)
SELECT DISTINCT current_database(), vn.nspname, v.relname, current_database(), tn.nspname, t.relname
FROM pg_class v JOIN pg_namespace vn ON vn.oid = v.relnamespace JOIN pg_rewrite r ON r.ev_class = v.oid
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                      AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
     JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE v.relkind = 'v' AND t.oid <> v.oid AND t.relkind IN ('r', 'v', 'f', 'p')
      AND pg_has_role(t.relowner, 'USAGE');

view view_column_usage (view_catalog, view_schema, view_name, table_catalog, table_schema, table_name, column_name)
SELECT DISTINCT current_database(), vn.nspname, v.relname, current_database(), tn.nspname, t.relname, a.attname
FROM pg_class v JOIN pg_namespace vn ON vn.oid = v.relnamespace JOIN pg_rewrite r ON r.ev_class = v.oid
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                      AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
     JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE v.relkind = 'v' AND t.oid <> v.oid AND t.relkind IN ('r', 'v', 'f', 'p')
      AND pg_has_role(t.relowner, 'USAGE');

view column_privileges (grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable)
SELECT DISTINCT g.rolname, coalesce(e.rolname, 'PUBLIC'), current_database(), n.nspname, c.relname,
       p.attname, p.privilege, CASE WHEN p.grantable OR pg_has_role(p.grantee, c.relowner, 'USAGE')
                                    THEN 'YES' ELSE 'NO' END
FROM (SELECT c.oid AS relation, a.attname, x.grantor, x.grantee, x.privilege_type, x.is_grantable
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid,
           aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
      WHERE a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT c.oid, a.attname, x.grantor, x.grantee, x.privilege_type, x.is_grantable
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) x
      WHERE a.attnum > 0 AND NOT a.attisdropped) p(relation, attname, grantor, grantee, privilege, grantable)
     JOIN pg_class c ON c.oid = p.relation JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_authid g ON g.oid = p.grantor LEFT JOIN pg_authid e ON e.oid = p.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p') AND p.privilege IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')
      AND (p.grantee = 0 OR e.oid IS NOT NULL)
      AND (pg_has_role(p.grantor, 'USAGE') OR p.grantee = 0 OR pg_has_role(p.grantee, 'USAGE'));

view role_column_grants (grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable)
SELECT grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable
FROM information_schema.column_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

view role_table_grants (grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy)
SELECT grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy
FROM information_schema.table_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

view routine_privileges (grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name, privilege_type, is_grantable)
SELECT g.rolname, coalesce(e.rolname, 'PUBLIC'), current_database(), n.nspname, p.proname || '_' || p.oid,
       current_database(), n.nspname, p.proname, 'EXECUTE',
       CASE WHEN x.grantee <> 0 AND pg_has_role(x.grantee, p.proowner, 'USAGE') OR x.is_grantable
            THEN 'YES' ELSE 'NO' END
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
     aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
     JOIN pg_authid g ON g.oid = x.grantor LEFT JOIN pg_authid e ON e.oid = x.grantee
WHERE x.privilege_type = 'EXECUTE' AND (x.grantee = 0 OR e.oid IS NOT NULL)
      AND (pg_has_role(x.grantor, 'USAGE') OR x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'));

view role_routine_grants (grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name, privilege_type, is_grantable)
SELECT grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema,
       routine_name, privilege_type, is_grantable
FROM information_schema.routine_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

view administrable_role_authorizations (grantee, role_name, is_grantable)
SELECT grantee, role_name, is_grantable FROM information_schema.applicable_roles WHERE is_grantable = 'YES';

view udt_privileges (grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable)
SELECT g.rolname, coalesce(e.rolname, 'PUBLIC'), current_database(), n.nspname, t.typname, 'TYPE USAGE',
       CASE WHEN x.grantee <> 0 AND pg_has_role(x.grantee, t.typowner, 'USAGE') OR x.is_grantable
            THEN 'YES' ELSE 'NO' END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace,
     aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) x
     JOIN pg_authid g ON g.oid = x.grantor LEFT JOIN pg_authid e ON e.oid = x.grantee
WHERE t.typtype = 'c' AND x.privilege_type = 'USAGE' AND (x.grantee = 0 OR e.oid IS NOT NULL)
      AND (pg_has_role(x.grantor, 'USAGE') OR x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'));

view role_udt_grants (grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable)
SELECT grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable
FROM information_schema.udt_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

view usage_privileges (grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable)
SELECT o.rolname, 'PUBLIC', current_database(), n.nspname, c.collname, 'COLLATION', 'USAGE', 'NO'
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace JOIN pg_authid o ON o.oid = c.collowner
WHERE c.collencoding IN (-1, 6)
UNION ALL
SELECT g.rolname, coalesce(e.rolname, 'PUBLIC'), current_database(), n.nspname, t.typname, 'DOMAIN', 'USAGE',
       CASE WHEN x.grantee <> 0 AND pg_has_role(x.grantee, t.typowner, 'USAGE') OR x.is_grantable
            THEN 'YES' ELSE 'NO' END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace,
     aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) x
     JOIN pg_authid g ON g.oid = x.grantor LEFT JOIN pg_authid e ON e.oid = x.grantee
WHERE t.typtype = 'd' AND x.privilege_type = 'USAGE' AND (x.grantee = 0 OR e.oid IS NOT NULL)
      AND (pg_has_role(x.grantor, 'USAGE') OR x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'))
UNION ALL
SELECT g.rolname, coalesce(e.rolname, 'PUBLIC'), current_database(), n.nspname, c.relname, 'SEQUENCE', 'USAGE',
       CASE WHEN x.grantee <> 0 AND pg_has_role(x.grantee, c.relowner, 'USAGE') OR x.is_grantable
            THEN 'YES' ELSE 'NO' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
     aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
     JOIN pg_authid g ON g.oid = x.grantor LEFT JOIN pg_authid e ON e.oid = x.grantee
WHERE c.relkind = 'S' AND x.privilege_type = 'USAGE' AND (x.grantee = 0 OR e.oid IS NOT NULL)
      AND (pg_has_role(x.grantor, 'USAGE') OR x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'));

view role_usage_grants (grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable)
SELECT grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable
FROM information_schema.usage_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

view parameters (specific_catalog, specific_schema, specific_name, ordinal_position, parameter_mode, is_result, as_locator, parameter_name, data_type, udt_catalog, udt_schema, udt_name, dtd_identifier)
SELECT current_database(), n.nspname, p.proname || '_' || p.oid, a.at,
       CASE WHEN p.proargmodes IS NULL THEN 'IN' WHEN p.proargmodes[a.at] IN ('i', 'v') THEN 'IN'
            WHEN p.proargmodes[a.at] IN ('o', 't') THEN 'OUT' WHEN p.proargmodes[a.at] = 'b' THEN 'INOUT' END,
       'NO', 'NO', nullif(p.proargnames[a.at], ''),
       CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
            WHEN tn.nspname = 'pg_catalog' THEN format_type(t.oid, NULL) ELSE 'USER-DEFINED' END,
       current_database(), tn.nspname, t.typname, a.at
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
     unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY a(type, at)
     JOIN pg_type t ON t.oid = a.type JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE');
