-- format_type, pg_typeof, to_regtype and pg_type agree on the names of types.
select format_type(23, null), format_type(1043, 14), format_type(1700, 655366), format_type(1042, 5), format_type(1042, null), format_type(1114, 3), format_type(1186, 6), format_type(0, null), format_type(null, null), format_type(999999, null), format_type(1007, null), format_type(18, null), format_type(1562, 5), format_type(25, 7);
select pg_typeof(1), pg_typeof(null), pg_typeof('x'), pg_typeof(array['x']), pg_typeof(row(1)), pg_typeof(now()), pg_typeof('x'::char(3)), pg_typeof('x'::"char"), pg_typeof(1::oid), pg_typeof('pg_class'::regclass), pg_typeof(pg_typeof(1));
select 'int'::regtype::oid, 'bigint[]'::regtype::oid, 'time with time zone'::regtype::oid, 'double precision'::regtype, 'bit varying(5)'::regtype, 'character'::regtype, 'bpchar'::regtype, 'dec'::regtype, 'float(24)'::regtype, 'float(25)'::regtype;
select 'float(0)'::regtype;
select 'float(54)'::regtype;
select 'int4('::regtype;
select 'numeric(a)'::regtype;
select cast(1 as float(10)), pg_typeof(cast(1 as float(10))), cast(1 as dec(5,2)), pg_typeof(cast('x' as national character varying(3))), cast('abc' as nchar(2)), cast(1 as real);
select typname, typinput, typoutput, typreceive, typsend, typmodin from pg_type where typname in ('int4', 'varchar', 'numeric', 'timestamptz') order by 1;
select castsource::regtype, casttarget::regtype, castcontext, castmethod from pg_cast where castsource = 'int4'::regtype and casttarget in ('int8'::regtype, 'text'::regtype, 'bool'::regtype, 'oid'::regtype, 'numeric'::regtype, 'int2'::regtype) order by casttarget::regtype::text;
select oprname, oprleft::regtype, oprright::regtype, oprresult::regtype, oprcom::regoper, oprnegate::regoper, oprcanmerge, oprcanhash from pg_operator where oprname = '=' and oprleft = 'int4'::regtype order by oprright::regtype::text;
select proname, prorettype::regtype, proargtypes::regtype[], provolatile, proisstrict, proretset, prokind from pg_proc where proname in ('abs', 'now', 'generate_series', 'count') and (pronargs < 2) order by proname, proargtypes::text;
select aggfnoid, aggkind, aggnumdirectargs from pg_aggregate where aggfnoid in ('count(*)'::regprocedure, 'sum(int4)'::regprocedure, 'mode(anyelement)'::regprocedure) order by aggfnoid::text;
select collname, collprovider, collisdeterministic, collencoding from pg_collation where collname in ('default', 'C', 'POSIX', 'ucs_basic', 'pg_c_utf8') order by 1;
select amname, amtype from pg_am order by 1;
select lanname, lanpltrusted from pg_language order by 1;
select encoding, datcollate, datlocprovider, datistemplate, datallowconn from pg_database where datname = 'template1';
select rolname, rolsuper, rolcanlogin, rolcreatedb from pg_roles where rolname in ('postgres', 'pg_read_all_data') order by 1;
