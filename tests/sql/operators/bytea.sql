-- Operators whose first operand is bytea, NULL operands included.
select '\x0102'::bytea !~~ '\xff'::bytea as v, '\xff'::bytea !~~ '\x0102'::bytea as w, null::bytea !~~ '\x0102'::bytea as n;
select '\x0102'::bytea < '\xff'::bytea as v, '\xff'::bytea < '\x0102'::bytea as w, null::bytea < '\x0102'::bytea as n;
select '\x0102'::bytea <= '\xff'::bytea as v, '\xff'::bytea <= '\x0102'::bytea as w, null::bytea <= '\x0102'::bytea as n;
select '\x0102'::bytea <> '\xff'::bytea as v, '\xff'::bytea <> '\x0102'::bytea as w, null::bytea <> '\x0102'::bytea as n;
select '\x0102'::bytea = '\xff'::bytea as v, '\xff'::bytea = '\x0102'::bytea as w, null::bytea = '\x0102'::bytea as n;
select '\x0102'::bytea > '\xff'::bytea as v, '\xff'::bytea > '\x0102'::bytea as w, null::bytea > '\x0102'::bytea as n;
select '\x0102'::bytea >= '\xff'::bytea as v, '\xff'::bytea >= '\x0102'::bytea as w, null::bytea >= '\x0102'::bytea as n;
select '\x0102'::bytea || '\xff'::bytea as v, '\xff'::bytea || '\x0102'::bytea as w, null::bytea || '\x0102'::bytea as n;
select '\x0102'::bytea ~~ '\xff'::bytea as v, '\xff'::bytea ~~ '\x0102'::bytea as w, null::bytea ~~ '\x0102'::bytea as n;
