-- statement_timeout ends with its statement: what a commit has to do is not timed.
begin;
declare slow cursor with hold for select 1 as one from pg_sleep(0.4);
set statement_timeout = '150ms';
commit;
fetch all slow;
close slow;
declare slow cursor with hold for select 2 as two from pg_sleep(0.4);
fetch all slow;
close slow;
begin;
declare slow cursor with hold for select 3 as three from pg_sleep(0.4);
commit and chain;
fetch all slow;
rollback;
close slow;
begin \; declare slow cursor with hold for select 4 as four from pg_sleep(0.4) \; commit;
fetch all slow;
-- The next statement of the message has a clock of its own.
begin \; commit \; select pg_sleep(5);
begin;
declare failing cursor with hold for select 1 / (5 - g) as part from pg_sleep(0.4), generate_series(4, 6) g;
commit;
fetch all failing;
select 5 as five;
