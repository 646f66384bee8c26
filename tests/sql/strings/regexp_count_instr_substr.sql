-- regexp_count, regexp_instr, regexp_like and regexp_substr take start, occurrence, flags.
select regexp_count('123123', '3'), regexp_count('123123', '3', 4), regexp_count('ABCabc', 'b', 1, 'i'), regexp_count('aaa', ''), regexp_count('aaa', 'x');
select regexp_count('a', 'a', 0);
select regexp_instr('abcabc', 'b'), regexp_instr('abcabc', 'b', 3), regexp_instr('abcabc', 'b', 1, 2), regexp_instr('abcabc', 'b', 1, 2, 1), regexp_instr('abcabc', 'x');
select regexp_instr('abcabc', '(a)(b)(c)', 1, 1, 0, '', 2), regexp_instr('abcabc', 'B', 1, 1, 0, 'i'), regexp_instr('abc', '(a)(x)?', 1, 1, 0, '', 2);
select regexp_instr('a', 'a', 1, 0);
select regexp_instr('a', 'a', 1, 1, 2);
select regexp_instr('a', 'a', 1, 1, 0, '', -1);
select regexp_like('Steven', '^Ste(v|ph)en$'), regexp_like('STEVEN', 'steven'), regexp_like('STEVEN', 'steven', 'i');
select regexp_like('a', 'a', 'g');
select regexp_substr('abcabc', 'b.'), regexp_substr('abcabc', 'b.', 3), regexp_substr('abcabcd', 'b..', 1, 2), regexp_substr('abc', 'x'), regexp_substr('ABC', 'b', 1, 1, 'i'), regexp_substr('abc', '(a)(b)', 1, 1, '', 2);
select regexp_substr('a', 'a', -1);
select regexp_substr('a', 'a', 1, 1, 'g');
select regexp_count(null, 'a'), regexp_like('a', null), regexp_substr(null, 'a');
