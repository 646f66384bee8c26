-- constraints, indexes and defaults read as PostgreSQL prints them
create table item (id integer primary key, name text not null default 'none', price numeric(10,2) default 9.99 check (price > 0), "Select" varchar(20), kind char(3) default 'a', made timestamp default now(), constraint named unique (name, kind), check (id > 0 and (name <> '' or price < 100) and not (kind = 'x')));
create table part (id bigint generated always as identity, item integer references item(id) on delete cascade on update set null, qty int not null default 1, twice int generated always as (qty * 2) stored, tags text[] default '{}', data jsonb default '{"a": 1}', primary key (id), foreign key (item) references item deferrable initially deferred);
create table serialed (id serial, b bool default true, d date default current_date, ts timestamptz default current_timestamp, f float8 default -1.5, n int default -3, t text default upper('a' || 'b'), c "char" default 'x', iv interval default '1 day', u uuid);
create index item_lower on item (lower(name));
create unique index item_part on item (price desc nulls last, (id + 1)) where price > 10 and kind is not null;
create index item_cov on item (kind) include (name, price);
create index item_coll on item (name collate "C" text_pattern_ops, made nulls first);
create schema other;
create table other.t2 (a int, b int);
create table "Odd Name" ("a b" int default 1, "select" text check ("select" like 'x%'), plain int unique nulls not distinct, constraint "K" primary key ("a b") include (plain));
create index on "Odd Name" (("a b" + plain), ("select" || 'x')) where "select" is not null;
create table refers (a int, b int, c int references "Odd Name" on update restrict, foreign key (a) references item match full on delete set default);
alter table refers add foreign key (b) references item not valid;
select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) from pg_constraint where connamespace in ('public'::regnamespace, 'other'::regnamespace) order by 1;
select indexrelid::regclass::text, pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid, 0, true), pg_get_indexdef(indexrelid, 1, true), pg_get_indexdef(indexrelid, 2, false), pg_get_expr(indpred, indrelid), pg_get_expr(indpred, indrelid, true) from pg_index where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace) order by 1;
select adrelid::regclass::text, adnum, pg_get_expr(adbin, adrelid), pg_get_expr(adbin, adrelid, true) from pg_attrdef order by 1, 2;
select pg_get_expr(adbin, 0) from pg_attrdef where adrelid = 'part'::regclass and adnum = 4;
select pg_get_expr(adbin, 0) from pg_attrdef where adrelid = 'part'::regclass and adnum = 3;
select pg_get_indexdef(0), pg_get_constraintdef(0), pg_get_triggerdef(0), pg_get_partkeydef('item'::regclass), pg_get_partition_constraintdef('item'::regclass), pg_get_statisticsobjdef(0), pg_get_statisticsobjdef_columns(0);
select pg_get_indexdef('pg_class_oid_index'::regclass), pg_get_indexdef('pg_class_oid_index'::regclass, 1, true);
select pg_relation_is_publishable('item'), pg_relation_is_publishable('pg_class'), pg_relation_is_publishable('item_pkey');
-- messages show the keys of indexes
create table keyed (a int, b text);
create unique index on keyed ((a + 1), lower(b));
create index on keyed (a, b) include (a);
insert into keyed values (1, 'X'), (1, 'x');
select relname from pg_class where relname like 'keyed%' order by 1;
select attname from pg_attribute where attrelid = 'keyed_expr_lower_idx'::regclass order by attnum;
