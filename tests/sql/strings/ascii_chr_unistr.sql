-- ascii, chr, unistr and normalize know code points.
select ascii('A'), ascii('é'), ascii('日'), ascii('😀'), ascii(''), ascii('abc'), ascii(null);
select chr(65), chr(233), chr(26085), chr(128512), chr(null);
select chr(0);
select chr(-1);
select chr(1114112);
select chr(55296);
select unistr('d\0061t\+000061'), unistr('\u0441\043B\043E\043D'), unistr('a\\b'), unistr('\U0001F600');
select unistr('\xyz');
select unistr('\d800');
select U&'d\0061t\+000061', U&'d!0061t' uescape '!', U&"d\0061t" from (select 1 as "dat") x;
select U&'\0';
select normalize(U&'a\0308') = U&'\00E4', normalize(U&'\00E4', nfd) = U&'a\0308', normalize('ﬁ', nfkc), normalize('x');
select U&'a\0308' is normalized, U&'\00E4' is normalized, U&'\00E4' is nfd normalized, 'abc' is not nfkd normalized;
select normalize('x', abc);
select unicode_assigned('a'), unicode_assigned(U&'\0378');
