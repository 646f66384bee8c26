-- Elements and slices: missing ones are NULL or empty, bounds may be left out.
create table ar (id int, a int[], m int[][], t text[]);
insert into ar values (1, '{10,20,30}', '{{1,2,3},{4,5,6}}', '{x,y}'), (2, '[0:1]={7,8}', null, '{}');
select id, a[1], a[0], a[4], a[-1], a[null] from ar order by id;
select id, m[1][2], m[2][3], m[1], m[3][1], m[1][2][3] from ar order by id;
select id, a[1:2], a[2:], a[:2], a[:], a[5:6], a[3:1], a[null:2] from ar order by id;
select id, m[1:1], m[1:2][2:3], m[2][1:2], m[:][2:2], m[1:1][1] from ar order by id;
select (array[1, 2, 3])[2], ('{4,5}'::int[])[1], (array['a', 'b'])[1:1], (select a from ar where id = 1)[2];
select array[1, 2][1], (array[[1, 2], [3, 4]])[2][1];
select a['1'] from ar order by id;
select a['x'] from ar;
select a[1.5] from ar where id = 1;
select a['a':'b'] from ar;
select id[1] from ar;
select (1)[1];
select t[1], t[2], t[1:1] from ar order by id;
select a[1][1] from ar order by id;
select a[1][2:3] from ar where id = 1;
