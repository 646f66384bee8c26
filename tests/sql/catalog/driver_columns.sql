-- The queries by which drivers read the columns of tables and their types.
create table people (id serial primary key, name varchar(40) not null, born date, pay numeric(10,2) default 0, tags text[], doc jsonb, at timestamptz(3));
comment on column people.name is 'full name';
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef from pg_attribute a where a.attrelid = 'people'::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum;
select n.nspname, c.relname, a.attname, a.attnotnull or (t.typtype = 'd' and t.typnotnull) as attnotnull, a.atttypmod, a.attlen, t.typtypmod, row_number() over (partition by a.attrelid order by a.attnum) as attnum, nullif(a.attidentity, '') as attidentity, nullif(a.attgenerated, '') as attgenerated, dsc.description, t.typbasetype, t.typtype from pg_catalog.pg_namespace n join pg_catalog.pg_class c on (c.relnamespace = n.oid) join pg_catalog.pg_attribute a on (a.attrelid = c.oid) join pg_catalog.pg_type t on (a.atttypid = t.oid) left join pg_catalog.pg_attrdef def on (a.attrelid = def.adrelid and a.attnum = def.adnum) left join pg_catalog.pg_description dsc on (c.oid = dsc.objoid and a.attnum = dsc.objsubid) where c.relkind in ('r', 'p', 'v', 'f', 'm') and a.attnum > 0 and not a.attisdropped and n.nspname like 'public' and c.relname like 'people' order by nspname, c.relname, attnum;
select typname, typlen, typbyval, typtype, typcategory, typdelim, typelem::regtype, typarray::regtype, typalign, typstorage from pg_type where oid in (16, 20, 21, 23, 25, 700, 701, 1043, 1082, 1114, 1184, 1700, 2950, 3802) order by oid;
select t.oid, t.typname from pg_type t where t.typname in ('bool', 'int4', 'int8', 'text', 'timestamptz', 'jsonb', 'uuid', '_int4', '_text') order by t.oid;
select oid, typname, typelem from pg_type where typname in ('int4', '_int4', 'text', '_text') order by oid;
select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey) where i.indrelid = 'people'::regclass and i.indisprimary;
select c.relname, c.relkind, c.relpersistence, c.relhasindex, c.relnatts, c.relchecks, c.relhastriggers, c.relispartition from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' order by 1;
select tablename, tableowner, hasindexes, hasrules, rowsecurity from pg_tables where schemaname = 'public';
select schemaname, tablename, indexname, tablespace from pg_indexes where tablename = 'people';
select nspname from pg_namespace where nspname !~ '^pg_toast|^pg_temp' order by 1;
select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S';
select pg_catalog.obj_description('people'::regclass, 'pg_class') is null, pg_table_is_visible('people'::regclass), pg_type_is_visible('int4'::regtype);
select nosuch from pg_class;
select * from pg_nosuch;
