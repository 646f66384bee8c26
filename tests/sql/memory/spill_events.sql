-- Foreign keys are checked the same when what is to be checked goes to a file; so are keys of recursion.
set work_mem = '64kB';
create table p (a int primary key, b text unique);
insert into p select g, 'key number ' || g from generate_series(1, 6000) g;
create table c (id int primary key, a int references p on delete cascade on update cascade,
  b text references p (b) deferrable initially deferred);
create index on c (a);
create index on c (b);
insert into c select g, g, 'key number ' || g from generate_series(1, 5000) g;
select count(*), sum(a), md5(string_agg(b, ',' order by id)) from c;
-- the first row that fails is named, wherever it is
insert into c select 10000 + g, case when g in (4500, 4800) then -g else g end, null from generate_series(1, 5000) g;
begin;
insert into c select 10000 + g, null, 'key number ' || g from generate_series(3001, 9000) g;
update c set b = null where id > 16000;
commit;
select count(*) from c;
-- savepoints forget their part of what waits
begin;
insert into c select 10000 + g, null, 'key number ' || g from generate_series(1, 3000) g;
savepoint s;
insert into c select 20000 + g, null, 'no key ' || g from generate_series(1, 3000) g;
rollback to s;
insert into c select 20000 + g, null, 'key number ' || g from generate_series(1, 3000) g;
savepoint r;
insert into c select 30000 + g, null, 'no key ' || g from generate_series(1, 10) g;
set constraints all immediate;
rollback to r;
set constraints all immediate;
commit;
select count(*), count(b), sum(a) from c;
begin;
insert into c values (90001, null, 'key number 1');
savepoint s;
insert into c select 40000 + g, null, 'no key' from generate_series(1, 4000) g;
alter table p add column n int;
rollback to s;
alter table c add column n int;
rollback;
-- actions on many keys
update p set a = a + 100000 where a <= 4000;
select count(*), sum(a) from c where a > 100000;
delete from c where b is not null and a is null;
update c set b = null;
delete from p where a > 100000;
select count(*), sum(a) from c;
delete from p where a > 4500 and a < 4600;
select count(*), sum(a) from c;
-- two keys of which the second refers to its own table
create table s (id int primary key, up int references s, a int references p);
create index on s (up);
insert into s select g, nullif(g % 3000 + 1, 1), 5500 + g % 100 from generate_series(1, 3000) g;
select count(*), count(up) from s;
delete from s where id % 2 = 0;
delete from s;
select count(*) from s;
-- recursion
with recursive r(n, t) as (select 1, repeat('k', 200) union select (n * 7 + i) % 6000, repeat('k', 200) || (n * 7 + i) % 6000
    from r, generate_series(1, 2) i)
  select count(*), count(distinct n), md5(string_agg(right(t, 10), ',' order by n, t)) from r;
with recursive r(n) as (values (null::int), (1) union select n + 1 from r where n < 60000)
  select count(*), sum(n), count(n) from r;
drop table s, c, p;
