-- trim, ltrim, rtrim and btrim remove characters of a set from one end or both.
select '[' || trim('  ab  ') || ']', '[' || trim(both from '  ab ') || ']', '[' || trim(leading from '  ab ') || ']', '[' || trim(trailing from '  ab ') || ']';
select trim('xy' from 'xyxabcyx'), trim(leading 'xy' from 'xyxabcyx'), trim(trailing 'xy' from 'xyxabcyx'), trim(both 'xy' from 'yxy');
select btrim('xxaxx', 'x'), ltrim('xxaxx', 'x'), rtrim('xxaxx', 'x');
select btrim('  a '), ltrim('  a ') || '|', rtrim('  a ') || '|';
select btrim('abc', ''), btrim('', 'abc'), btrim(null, 'a'), btrim('abc', null);
select trim('é' from 'éabcé'), ltrim('日本語', '日'), rtrim('日本語', '語本');
select trim(both '\x00'::bytea from '\x00ab00cd00'::bytea), btrim('\x1234'::bytea, '\x34'::bytea), ltrim('\x0001'::bytea, '\x00'), rtrim('\x0100'::bytea, '\x00');
select trim('a', 'b', 'c');
select trim(from 'x  ') || '|';
select trim(both from 'a  ', 'a ') || '|';
select btrim(12, '1');
select trim(E'\t' from E'\ta\t'), trim(E'\ta ') = E'\ta';
