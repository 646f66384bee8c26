-- information_schema.tables and columns describe what users made.
create table t1 (id int primary key, v varchar(10) not null default 'x', n numeric(8,3), c char(3), d timestamp(2), e interval, f text[], g bigint generated always as identity, h int generated always as (id * 2) stored);
create view v1 as select id, v from t1;
select table_name, table_type, is_insertable_into, is_typed from information_schema.tables where table_schema = 'public' order by 1;
select column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale, datetime_precision, udt_name from information_schema.columns where table_name = 't1' order by 2;
select column_name, is_identity, identity_generation, is_generated, is_updatable, dtd_identifier from information_schema.columns where table_name = 't1' order by ordinal_position;
select column_name, data_type, is_nullable from information_schema.columns where table_name = 'v1' order by ordinal_position;
select table_name, is_updatable, check_option from information_schema.views where table_schema = 'public';
select schema_name from information_schema.schemata where schema_name in ('public', 'information_schema', 'pg_catalog') order by 1;
select count(*) > 0 from information_schema.columns where table_schema = 'pg_catalog' and table_name = 'pg_class';
select table_schema, table_name from information_schema.tables where table_schema = 'information_schema' and table_name in ('tables', 'columns') order by 1, 2;
select character_set_name, character_repertoire from information_schema.character_sets;
select feature_id, feature_name from information_schema.sql_features where feature_id in ('E011', 'F031') and sub_feature_id = '' order by 1;
select nosuch from information_schema.tables;
insert into information_schema.tables (table_name) values ('x');
drop view information_schema.tables;
