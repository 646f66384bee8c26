-- Collations: C and C.UTF-8 order by code points; COLLATE is checked.
select x from (values ('b'), ('A'), ('a'), ('B'), ('é'), ('_')) v(x) order by x;
select x from (values ('b'), ('A'), ('a'), ('B'), ('é'), ('_')) v(x) order by x collate "C";
select x from (values ('b'), ('A'), ('a'), ('B')) v(x) order by x collate pg_c_utf8 desc;
select 'a' < 'B' collate "C", 'a' collate "C" < 'B', 'a' < 'B' collate "default", 'a' < 'b' collate ucs_basic;
select 'a' collate "C" < 'b' collate "POSIX";
select 'a' collate nosuch;
select 1 collate "C";
create table ct (a text collate "C", b text collate "POSIX", c text);
insert into ct values ('x', 'y', 'z');
select a < b from ct;
select a || b as ab from ct order by ab;
select a < c, b > c, a < b collate "default" from ct;
select collation for (a), collation for (c), collation for ('x'), collation for ('x' collate "C"), collation for (a || c) from ct;
select collation for (1);
select a from ct union select b from ct order by 1;
create table ct2 (a int collate "C");
select attname, collname from pg_attribute a join pg_collation c on c.oid = attcollation where attrelid = 'ct'::regclass order by attnum;
select upper('i' collate "C"), 'straße' = 'STRASSE' collate "C";
