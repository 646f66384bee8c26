-- Properties of indexes, functions of types by name, privileges in information_schema.
CREATE TABLE t (a int, b varchar(10), c text, UNIQUE (b));
CREATE INDEX i ON t (a DESC, c NULLS FIRST) INCLUDE (b);
SELECT p, pg_index_column_has_property('i'::regclass, 1, p), pg_index_column_has_property('i'::regclass, 2, p), pg_index_column_has_property('i'::regclass, 3, p), pg_index_column_has_property('i'::regclass, 4, p) FROM unnest(ARRAY['asc', 'desc', 'nulls_first', 'nulls_last', 'orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls', 'nosuch']) p;
SELECT p, pg_index_has_property('i'::regclass, p), pg_indexam_has_property(403, p) FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan', 'can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include', 'nosuch']) p;
SELECT pg_index_has_property('t'::regclass, 'clusterable'), pg_partition_root('t'), row_security_active('t');
SELECT textin('abc'), int4in('5'), int4out(5), boolin('t'), numeric_in('1.555', 0, 655366), varcharin('abcdef', 0, 14), date_out('2024-02-29'), jsonb_in('{"a": 1}'), uuid_out('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
SELECT int4in('x');
SELECT pg_wal_lsn_diff('16/B374D848', '16/B3740000'), pg_wal_lsn_diff('0/0', '0/10');
SELECT pg_collation_for('a'::text), pg_collation_for('a'::text COLLATE "C");
SELECT pg_collation_for(1);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE s;
SELECT grantee, object_name, object_type, privilege_type, is_grantable FROM information_schema.usage_privileges WHERE object_schema = 'public' ORDER BY 2, 1;
SELECT ordinal_position, parameter_mode, parameter_name, data_type, udt_name FROM information_schema.parameters WHERE specific_name LIKE 'pg\_input\_error\_info\_%' ORDER BY 1;
INSERT INTO t (b) VALUES ('x'), ('y');
INSERT INTO t (b) VALUES ('x');
SELECT b FROM t WHERE b = 'y';
