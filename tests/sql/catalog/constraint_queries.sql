-- pg_constraint as ORMs read it: keys, columns, actions.
create table par (id int primary key, code text unique, x int, y int, unique (x, y));
create table chi (id int, par_id int references par on delete cascade, code text references par (code) on update set null, x int, y int, foreign key (y, x) references par (y, x) match full, check (x > 0));
create table chi (id int, par_id int references par on delete cascade, code text references par (code) on update set null, x int, y int, foreign key (x, y) references par (x, y) match full, check (x > 0));
select conname, contype, conkey, confrelid::regclass, confkey, confupdtype, confdeltype, confmatchtype, condeferrable, convalidated from pg_constraint where conrelid = 'chi'::regclass order by conname;
select conname, contype, conkey, conindid::regclass from pg_constraint where conrelid = 'par'::regclass and contype in ('p', 'u') order by conname;
select c.conname, a.attname, af.attname from pg_constraint c cross join lateral unnest(c.conkey, c.confkey) with ordinality as u(k, fk, n) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = u.k join pg_attribute af on af.attrelid = c.confrelid and af.attnum = u.fk where c.contype = 'f' and c.conrelid = 'chi'::regclass order by c.conname, u.n;
select i.relname, ix.indisunique, ix.indisprimary, array(select a.attname from unnest(ix.indkey) with ordinality k(n, o) join pg_attribute a on a.attrelid = ix.indrelid and a.attnum = k.n order by k.o) as cols from pg_index ix join pg_class i on i.oid = ix.indexrelid where ix.indrelid = 'par'::regclass order by 1;
select indkey, indnatts, indclass::text <> '', indoption, indisvalid, indisready, indislive, indimmediate, indnullsnotdistinct from pg_index where indrelid = 'par'::regclass order by indexrelid::regclass::text;
select am.amname, opc.opcname from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am am on am.oid = c.relam join pg_opclass opc on opc.oid = i.indclass[0] where i.indexrelid = 'par_pkey'::regclass;
select count(*) from pg_trigger where tgrelid = 'chi'::regclass and not tgisinternal;
select deptype, count(*) from pg_depend where refobjid = 'par'::regclass group by 1 order by 1;
select tgisinternal, tgenabled, count(*) from pg_trigger where tgrelid in ('par'::regclass, 'chi'::regclass) group by 1, 2 order by 1, 2;
select conname from pg_constraint where conname = 'nosuch';
select conname from pg_constraint where connamespace = 'public'::regnamespace and contype = 'c';
select 'par_pkey'::regclass = conindid from pg_constraint where conname = 'par_pkey';
alter table chi rename column par_id to pid;
select conname, conkey from pg_constraint where conrelid = 'chi'::regclass and contype = 'f' order by 1;
