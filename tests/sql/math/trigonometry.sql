-- Trigonometric functions in radians and degrees, exact in degrees, errors outside their domain.
select sind(30), cosd(60), tand(45), cotd(45), asind(0.5), acosd(0.5), atand(1), atan2d(1, 1);
select sind(0), sind(90), cosd(90), tand(0), sind(180), cosd(180), atan2d(0, -1), atan2d(-1, 0);
select round(sin(1)::numeric, 10), round(cos(1)::numeric, 10), round(tan(1)::numeric, 10), round(cot(1)::numeric, 10);
select round(asin(0.5)::numeric, 10), round(acos(0.5)::numeric, 10), round(atan(0.5)::numeric, 10), round(atan2(1, 2)::numeric, 10);
select round(sinh(1)::numeric, 10), round(cosh(1)::numeric, 10), round(tanh(1)::numeric, 10), round(asinh(1)::numeric, 10), round(acosh(2)::numeric, 10), round(atanh(0.5)::numeric, 10);
select asin(2);
select acos(-1.5);
select acosh(0.5);
select atanh(1.5);
select atanh(1), atanh(-1);
select asind(2);
select sin('infinity');
select sind('infinity');
select sin('NaN'), atan('infinity') = pi() / 2, cos('NaN');
select pi(), degrees(pi()), radians(180) = pi(), degrees(0), radians(0);
select erf(0), erfc(0), round(erf(1)::numeric, 10), round(erfc(1)::numeric, 10), gamma(5), lgamma(1), lgamma(2);
select gamma(-1);
