-- A read-only transaction may see a state that no serial order explains: somebody has to go.
-- session s
create table bank_account (id text primary key, balance numeric not null);
insert into bank_account values ('X', 0), ('Y', 0);
-- Without the reader, all is well.
-- session s1
begin isolation level serializable;
-- session s2
begin isolation level serializable;
select balance from bank_account where id = 'X';
select balance from bank_account where id = 'Y';
-- session s1
select balance from bank_account where id = 'Y';
update bank_account set balance = 20 where id = 'Y';
commit;
-- session s2
update bank_account set balance = -11 where id = 'X';
commit;
-- session s
update bank_account set balance = 0;
-- With the reader between, the writer that commits last fails.
-- session s2
begin isolation level serializable;
select balance from bank_account where id = 'X';
select balance from bank_account where id = 'Y';
-- session s1
begin isolation level serializable;
select balance from bank_account where id = 'Y';
update bank_account set balance = 20 where id = 'Y';
commit;
-- session s3
begin isolation level serializable;
select id, balance from bank_account where id in ('X', 'Y') order by id;
commit;
-- session s2
update bank_account set balance = -11 where id = 'X';
commit;
-- session s
update bank_account set balance = 0;
-- The writer commits first: then the reader fails.
-- session s2
begin isolation level serializable;
select balance from bank_account where id = 'X';
select balance from bank_account where id = 'Y';
-- session s1
begin isolation level serializable;
update bank_account set balance = 20 where id = 'Y';
commit;
-- session s3
begin isolation level serializable read only;
select 1;
-- session s2
update bank_account set balance = -11 where id = 'X';
commit;
-- session s3
select balance > 0 from bank_account where id = 'Y';
commit;
-- session s
update bank_account set balance = 0;
-- READ ONLY DEFERRABLE waits for a snapshot with which nothing can go wrong.
-- session s2
begin isolation level serializable;
select balance from bank_account where id = 'X';
select balance from bank_account where id = 'Y';
-- session s1
begin isolation level serializable;
select balance from bank_account where id = 'Y';
update bank_account set balance = 20 where id = 'Y';
commit;
-- session s3
begin isolation level serializable read only deferrable;
show transaction_deferrable;
-- session s3 waits
select id, balance from bank_account where id in ('X', 'Y') order by id;
-- session s2
update bank_account set balance = -11 where id = 'X';
commit;
-- session s3
commit;
-- Nobody writes: it does not wait.
-- session s3
begin isolation level serializable read only deferrable;
select id, balance from bank_account where id in ('X', 'Y') order by id;
commit;
-- A wait can be ended.
-- session s2
begin isolation level serializable;
select balance from bank_account where id = 'X';
update bank_account set balance = 1 where id = 'X';
-- session s3
set statement_timeout = '200ms';
begin isolation level serializable read only deferrable;
select 1;
rollback;
reset statement_timeout;
-- session s2
commit;
