-- Sequences are shared by sessions and roll back in none.
-- session a
create sequence s cache 1;
select nextval('s');
-- session b
select nextval('s');
select currval('s'), lastval();
-- session a
select currval('s');
-- session c
select currval('s');
-- session a
begin;
select nextval('s');
-- session b
select nextval('s');
-- session a
rollback;
select nextval('s');
select setval('s', 100);
-- session b
select nextval('s'), lastval();
create table t (id serial primary key, v text);
begin;
insert into t (v) values ('rolled') returning id;
rollback;
-- session a
insert into t (v) values ('kept') returning id;
-- session c
select lastval();
-- session a
drop sequence s;
-- session b
select nextval('s');
