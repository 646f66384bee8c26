//! The built-in types: OID constants and the facts that conversions need.
//!
//! Recorded by `tools/record_oids.sh` from PostgreSQL 18; edit the script, not this file. The type
//! `xid` is 8 bytes wide here.

/// What is known of a built-in type without a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinType {
    /// `pg_type.oid`
    pub oid: u32,
    /// `pg_type.typname`
    pub name: &'static str,
    /// `pg_type.typlen`: bytes, -1 for varlena, -2 for cstring.
    pub len: i16,
    /// `pg_type.typtype`
    pub kind: u8,
    /// `pg_type.typcategory`
    pub category: u8,
    /// `pg_type.typdelim`
    pub delimiter: u8,
    /// `pg_type.typelem`, 0 if none.
    pub element: u32,
    /// `pg_type.typarray`, 0 if none.
    pub array: u32,
    /// Whether values of the type are true arrays (input by `array_in`).
    pub is_array: bool,
}

/// boolean
pub const BOOL: u32 = 16;
/// bytea
pub const BYTEA: u32 = 17;
/// "char"
pub const CHAR: u32 = 18;
/// name
pub const NAME: u32 = 19;
/// bigint
pub const INT8: u32 = 20;
/// smallint
pub const INT2: u32 = 21;
/// int2vector
pub const INT2VECTOR: u32 = 22;
/// integer
pub const INT4: u32 = 23;
/// regproc
pub const REGPROC: u32 = 24;
/// text
pub const TEXT: u32 = 25;
/// oid
pub const OID: u32 = 26;
/// tid
pub const TID: u32 = 27;
/// xid
pub const XID: u32 = 28;
/// cid
pub const CID: u32 = 29;
/// oidvector
pub const OIDVECTOR: u32 = 30;
/// pg_ddl_command
pub const PG_DDL_COMMAND: u32 = 32;
/// json
pub const JSON: u32 = 114;
/// xml
pub const XML: u32 = 142;
/// xml[]
pub const XML_ARRAY: u32 = 143;
/// pg_node_tree
pub const PG_NODE_TREE: u32 = 194;
/// json[]
pub const JSON_ARRAY: u32 = 199;
/// table_am_handler
pub const TABLE_AM_HANDLER: u32 = 269;
/// xid8[]
pub const XID8_ARRAY: u32 = 271;
/// index_am_handler
pub const INDEX_AM_HANDLER: u32 = 325;
/// point
pub const POINT: u32 = 600;
/// lseg
pub const LSEG: u32 = 601;
/// path
pub const PATH: u32 = 602;
/// box
pub const BOX: u32 = 603;
/// polygon
pub const POLYGON: u32 = 604;
/// line
pub const LINE: u32 = 628;
/// line[]
pub const LINE_ARRAY: u32 = 629;
/// cidr
pub const CIDR: u32 = 650;
/// cidr[]
pub const CIDR_ARRAY: u32 = 651;
/// real
pub const FLOAT4: u32 = 700;
/// double precision
pub const FLOAT8: u32 = 701;
/// unknown
pub const UNKNOWN: u32 = 705;
/// circle
pub const CIRCLE: u32 = 718;
/// circle[]
pub const CIRCLE_ARRAY: u32 = 719;
/// macaddr8
pub const MACADDR8: u32 = 774;
/// macaddr8[]
pub const MACADDR8_ARRAY: u32 = 775;
/// money
pub const MONEY: u32 = 790;
/// money[]
pub const MONEY_ARRAY: u32 = 791;
/// macaddr
pub const MACADDR: u32 = 829;
/// inet
pub const INET: u32 = 869;
/// boolean[]
pub const BOOL_ARRAY: u32 = 1000;
/// bytea[]
pub const BYTEA_ARRAY: u32 = 1001;
/// "char"[]
pub const CHAR_ARRAY: u32 = 1002;
/// name[]
pub const NAME_ARRAY: u32 = 1003;
/// smallint[]
pub const INT2_ARRAY: u32 = 1005;
/// int2vector[]
pub const INT2VECTOR_ARRAY: u32 = 1006;
/// integer[]
pub const INT4_ARRAY: u32 = 1007;
/// regproc[]
pub const REGPROC_ARRAY: u32 = 1008;
/// text[]
pub const TEXT_ARRAY: u32 = 1009;
/// tid[]
pub const TID_ARRAY: u32 = 1010;
/// xid[]
pub const XID_ARRAY: u32 = 1011;
/// cid[]
pub const CID_ARRAY: u32 = 1012;
/// oidvector[]
pub const OIDVECTOR_ARRAY: u32 = 1013;
/// character[]
pub const BPCHAR_ARRAY: u32 = 1014;
/// character varying[]
pub const VARCHAR_ARRAY: u32 = 1015;
/// bigint[]
pub const INT8_ARRAY: u32 = 1016;
/// point[]
pub const POINT_ARRAY: u32 = 1017;
/// lseg[]
pub const LSEG_ARRAY: u32 = 1018;
/// path[]
pub const PATH_ARRAY: u32 = 1019;
/// box[]
pub const BOX_ARRAY: u32 = 1020;
/// real[]
pub const FLOAT4_ARRAY: u32 = 1021;
/// double precision[]
pub const FLOAT8_ARRAY: u32 = 1022;
/// polygon[]
pub const POLYGON_ARRAY: u32 = 1027;
/// oid[]
pub const OID_ARRAY: u32 = 1028;
/// aclitem
pub const ACLITEM: u32 = 1033;
/// aclitem[]
pub const ACLITEM_ARRAY: u32 = 1034;
/// macaddr[]
pub const MACADDR_ARRAY: u32 = 1040;
/// inet[]
pub const INET_ARRAY: u32 = 1041;
/// character
pub const BPCHAR: u32 = 1042;
/// character varying
pub const VARCHAR: u32 = 1043;
/// date
pub const DATE: u32 = 1082;
/// time without time zone
pub const TIME: u32 = 1083;
/// timestamp without time zone
pub const TIMESTAMP: u32 = 1114;
/// timestamp without time zone[]
pub const TIMESTAMP_ARRAY: u32 = 1115;
/// date[]
pub const DATE_ARRAY: u32 = 1182;
/// time without time zone[]
pub const TIME_ARRAY: u32 = 1183;
/// timestamp with time zone
pub const TIMESTAMPTZ: u32 = 1184;
/// timestamp with time zone[]
pub const TIMESTAMPTZ_ARRAY: u32 = 1185;
/// interval
pub const INTERVAL: u32 = 1186;
/// interval[]
pub const INTERVAL_ARRAY: u32 = 1187;
/// numeric[]
pub const NUMERIC_ARRAY: u32 = 1231;
/// cstring[]
pub const CSTRING_ARRAY: u32 = 1263;
/// time with time zone
pub const TIMETZ: u32 = 1266;
/// time with time zone[]
pub const TIMETZ_ARRAY: u32 = 1270;
/// bit
pub const BIT: u32 = 1560;
/// bit[]
pub const BIT_ARRAY: u32 = 1561;
/// bit varying
pub const VARBIT: u32 = 1562;
/// bit varying[]
pub const VARBIT_ARRAY: u32 = 1563;
/// numeric
pub const NUMERIC: u32 = 1700;
/// refcursor
pub const REFCURSOR: u32 = 1790;
/// refcursor[]
pub const REFCURSOR_ARRAY: u32 = 2201;
/// regprocedure
pub const REGPROCEDURE: u32 = 2202;
/// regoper
pub const REGOPER: u32 = 2203;
/// regoperator
pub const REGOPERATOR: u32 = 2204;
/// regclass
pub const REGCLASS: u32 = 2205;
/// regtype
pub const REGTYPE: u32 = 2206;
/// regprocedure[]
pub const REGPROCEDURE_ARRAY: u32 = 2207;
/// regoper[]
pub const REGOPER_ARRAY: u32 = 2208;
/// regoperator[]
pub const REGOPERATOR_ARRAY: u32 = 2209;
/// regclass[]
pub const REGCLASS_ARRAY: u32 = 2210;
/// regtype[]
pub const REGTYPE_ARRAY: u32 = 2211;
/// record
pub const RECORD: u32 = 2249;
/// cstring
pub const CSTRING: u32 = 2275;
/// "any"
pub const ANY: u32 = 2276;
/// anyarray
pub const ANYARRAY: u32 = 2277;
/// void
pub const VOID: u32 = 2278;
/// trigger
pub const TRIGGER: u32 = 2279;
/// language_handler
pub const LANGUAGE_HANDLER: u32 = 2280;
/// internal
pub const INTERNAL: u32 = 2281;
/// anyelement
pub const ANYELEMENT: u32 = 2283;
/// record[]
pub const RECORD_ARRAY: u32 = 2287;
/// anynonarray
pub const ANYNONARRAY: u32 = 2776;
/// txid_snapshot[]
pub const TXID_SNAPSHOT_ARRAY: u32 = 2949;
/// uuid
pub const UUID: u32 = 2950;
/// uuid[]
pub const UUID_ARRAY: u32 = 2951;
/// txid_snapshot
pub const TXID_SNAPSHOT: u32 = 2970;
/// fdw_handler
pub const FDW_HANDLER: u32 = 3115;
/// pg_lsn
pub const PG_LSN: u32 = 3220;
/// pg_lsn[]
pub const PG_LSN_ARRAY: u32 = 3221;
/// tsm_handler
pub const TSM_HANDLER: u32 = 3310;
/// pg_ndistinct
pub const PG_NDISTINCT: u32 = 3361;
/// pg_dependencies
pub const PG_DEPENDENCIES: u32 = 3402;
/// anyenum
pub const ANYENUM: u32 = 3500;
/// tsvector
pub const TSVECTOR: u32 = 3614;
/// tsquery
pub const TSQUERY: u32 = 3615;
/// gtsvector
pub const GTSVECTOR: u32 = 3642;
/// tsvector[]
pub const TSVECTOR_ARRAY: u32 = 3643;
/// gtsvector[]
pub const GTSVECTOR_ARRAY: u32 = 3644;
/// tsquery[]
pub const TSQUERY_ARRAY: u32 = 3645;
/// regconfig
pub const REGCONFIG: u32 = 3734;
/// regconfig[]
pub const REGCONFIG_ARRAY: u32 = 3735;
/// regdictionary
pub const REGDICTIONARY: u32 = 3769;
/// regdictionary[]
pub const REGDICTIONARY_ARRAY: u32 = 3770;
/// jsonb
pub const JSONB: u32 = 3802;
/// jsonb[]
pub const JSONB_ARRAY: u32 = 3807;
/// anyrange
pub const ANYRANGE: u32 = 3831;
/// event_trigger
pub const EVENT_TRIGGER: u32 = 3838;
/// int4range
pub const INT4RANGE: u32 = 3904;
/// int4range[]
pub const INT4RANGE_ARRAY: u32 = 3905;
/// numrange
pub const NUMRANGE: u32 = 3906;
/// numrange[]
pub const NUMRANGE_ARRAY: u32 = 3907;
/// tsrange
pub const TSRANGE: u32 = 3908;
/// tsrange[]
pub const TSRANGE_ARRAY: u32 = 3909;
/// tstzrange
pub const TSTZRANGE: u32 = 3910;
/// tstzrange[]
pub const TSTZRANGE_ARRAY: u32 = 3911;
/// daterange
pub const DATERANGE: u32 = 3912;
/// daterange[]
pub const DATERANGE_ARRAY: u32 = 3913;
/// int8range
pub const INT8RANGE: u32 = 3926;
/// int8range[]
pub const INT8RANGE_ARRAY: u32 = 3927;
/// jsonpath
pub const JSONPATH: u32 = 4072;
/// jsonpath[]
pub const JSONPATH_ARRAY: u32 = 4073;
/// regnamespace
pub const REGNAMESPACE: u32 = 4089;
/// regnamespace[]
pub const REGNAMESPACE_ARRAY: u32 = 4090;
/// regrole
pub const REGROLE: u32 = 4096;
/// regrole[]
pub const REGROLE_ARRAY: u32 = 4097;
/// regcollation
pub const REGCOLLATION: u32 = 4191;
/// regcollation[]
pub const REGCOLLATION_ARRAY: u32 = 4192;
/// int4multirange
pub const INT4MULTIRANGE: u32 = 4451;
/// nummultirange
pub const NUMMULTIRANGE: u32 = 4532;
/// tsmultirange
pub const TSMULTIRANGE: u32 = 4533;
/// tstzmultirange
pub const TSTZMULTIRANGE: u32 = 4534;
/// datemultirange
pub const DATEMULTIRANGE: u32 = 4535;
/// int8multirange
pub const INT8MULTIRANGE: u32 = 4536;
/// anymultirange
pub const ANYMULTIRANGE: u32 = 4537;
/// anycompatiblemultirange
pub const ANYCOMPATIBLEMULTIRANGE: u32 = 4538;
/// pg_brin_bloom_summary
pub const PG_BRIN_BLOOM_SUMMARY: u32 = 4600;
/// pg_brin_minmax_multi_summary
pub const PG_BRIN_MINMAX_MULTI_SUMMARY: u32 = 4601;
/// pg_mcv_list
pub const PG_MCV_LIST: u32 = 5017;
/// pg_snapshot
pub const PG_SNAPSHOT: u32 = 5038;
/// pg_snapshot[]
pub const PG_SNAPSHOT_ARRAY: u32 = 5039;
/// xid8
pub const XID8: u32 = 5069;
/// anycompatible
pub const ANYCOMPATIBLE: u32 = 5077;
/// anycompatiblearray
pub const ANYCOMPATIBLEARRAY: u32 = 5078;
/// anycompatiblenonarray
pub const ANYCOMPATIBLENONARRAY: u32 = 5079;
/// anycompatiblerange
pub const ANYCOMPATIBLERANGE: u32 = 5080;
/// int4multirange[]
pub const INT4MULTIRANGE_ARRAY: u32 = 6150;
/// nummultirange[]
pub const NUMMULTIRANGE_ARRAY: u32 = 6151;
/// tsmultirange[]
pub const TSMULTIRANGE_ARRAY: u32 = 6152;
/// tstzmultirange[]
pub const TSTZMULTIRANGE_ARRAY: u32 = 6153;
/// datemultirange[]
pub const DATEMULTIRANGE_ARRAY: u32 = 6155;
/// int8multirange[]
pub const INT8MULTIRANGE_ARRAY: u32 = 6157;

/// One row a type, with the columns of [`BuiltinType`].
macro_rules! builtin_types {
    ($($oid:literal $name:literal $len:literal $kind:literal $category:literal $delimiter:literal
       $element:literal $array:literal $is_array:literal)+) => {
        /// All built-in types in the order of their OIDs.
        pub static BUILTIN_TYPES: &[BuiltinType] = &[$(BuiltinType {
            oid: $oid,
            name: $name,
            len: $len,
            kind: $kind,
            category: $category,
            delimiter: $delimiter,
            element: $element,
            array: $array,
            is_array: $is_array,
        }),+];
    };
}

builtin_types! {
    16 "bool" 1 b'b' b'B' b',' 0 1000 false
    17 "bytea" -1 b'b' b'U' b',' 0 1001 false
    18 "char" 1 b'b' b'Z' b',' 0 1002 false
    19 "name" 64 b'b' b'S' b',' 18 1003 false
    20 "int8" 8 b'b' b'N' b',' 0 1016 false
    21 "int2" 2 b'b' b'N' b',' 0 1005 false
    22 "int2vector" -1 b'b' b'A' b',' 21 1006 false
    23 "int4" 4 b'b' b'N' b',' 0 1007 false
    24 "regproc" 4 b'b' b'N' b',' 0 1008 false
    25 "text" -1 b'b' b'S' b',' 0 1009 false
    26 "oid" 4 b'b' b'N' b',' 0 1028 false
    27 "tid" 6 b'b' b'U' b',' 0 1010 false
    28 "xid" 8 b'b' b'U' b',' 0 1011 false
    29 "cid" 4 b'b' b'U' b',' 0 1012 false
    30 "oidvector" -1 b'b' b'A' b',' 26 1013 false
    32 "pg_ddl_command" 8 b'p' b'P' b',' 0 0 false
    114 "json" -1 b'b' b'U' b',' 0 199 false
    142 "xml" -1 b'b' b'U' b',' 0 143 false
    143 "_xml" -1 b'b' b'A' b',' 142 0 true
    194 "pg_node_tree" -1 b'b' b'Z' b',' 0 0 false
    199 "_json" -1 b'b' b'A' b',' 114 0 true
    269 "table_am_handler" 4 b'p' b'P' b',' 0 0 false
    271 "_xid8" -1 b'b' b'A' b',' 5069 0 true
    325 "index_am_handler" 4 b'p' b'P' b',' 0 0 false
    600 "point" 16 b'b' b'G' b',' 701 1017 false
    601 "lseg" 32 b'b' b'G' b',' 600 1018 false
    602 "path" -1 b'b' b'G' b',' 0 1019 false
    603 "box" 32 b'b' b'G' b';' 600 1020 false
    604 "polygon" -1 b'b' b'G' b',' 0 1027 false
    628 "line" 24 b'b' b'G' b',' 701 629 false
    629 "_line" -1 b'b' b'A' b',' 628 0 true
    650 "cidr" -1 b'b' b'I' b',' 0 651 false
    651 "_cidr" -1 b'b' b'A' b',' 650 0 true
    700 "float4" 4 b'b' b'N' b',' 0 1021 false
    701 "float8" 8 b'b' b'N' b',' 0 1022 false
    705 "unknown" -2 b'p' b'X' b',' 0 0 false
    718 "circle" 24 b'b' b'G' b',' 0 719 false
    719 "_circle" -1 b'b' b'A' b',' 718 0 true
    774 "macaddr8" 8 b'b' b'U' b',' 0 775 false
    775 "_macaddr8" -1 b'b' b'A' b',' 774 0 true
    790 "money" 8 b'b' b'N' b',' 0 791 false
    791 "_money" -1 b'b' b'A' b',' 790 0 true
    829 "macaddr" 6 b'b' b'U' b',' 0 1040 false
    869 "inet" -1 b'b' b'I' b',' 0 1041 false
    1000 "_bool" -1 b'b' b'A' b',' 16 0 true
    1001 "_bytea" -1 b'b' b'A' b',' 17 0 true
    1002 "_char" -1 b'b' b'A' b',' 18 0 true
    1003 "_name" -1 b'b' b'A' b',' 19 0 true
    1005 "_int2" -1 b'b' b'A' b',' 21 0 true
    1006 "_int2vector" -1 b'b' b'A' b',' 22 0 true
    1007 "_int4" -1 b'b' b'A' b',' 23 0 true
    1008 "_regproc" -1 b'b' b'A' b',' 24 0 true
    1009 "_text" -1 b'b' b'A' b',' 25 0 true
    1010 "_tid" -1 b'b' b'A' b',' 27 0 true
    1011 "_xid" -1 b'b' b'A' b',' 28 0 true
    1012 "_cid" -1 b'b' b'A' b',' 29 0 true
    1013 "_oidvector" -1 b'b' b'A' b',' 30 0 true
    1014 "_bpchar" -1 b'b' b'A' b',' 1042 0 true
    1015 "_varchar" -1 b'b' b'A' b',' 1043 0 true
    1016 "_int8" -1 b'b' b'A' b',' 20 0 true
    1017 "_point" -1 b'b' b'A' b',' 600 0 true
    1018 "_lseg" -1 b'b' b'A' b',' 601 0 true
    1019 "_path" -1 b'b' b'A' b',' 602 0 true
    1020 "_box" -1 b'b' b'A' b';' 603 0 true
    1021 "_float4" -1 b'b' b'A' b',' 700 0 true
    1022 "_float8" -1 b'b' b'A' b',' 701 0 true
    1027 "_polygon" -1 b'b' b'A' b',' 604 0 true
    1028 "_oid" -1 b'b' b'A' b',' 26 0 true
    1033 "aclitem" 16 b'b' b'U' b',' 0 1034 false
    1034 "_aclitem" -1 b'b' b'A' b',' 1033 0 true
    1040 "_macaddr" -1 b'b' b'A' b',' 829 0 true
    1041 "_inet" -1 b'b' b'A' b',' 869 0 true
    1042 "bpchar" -1 b'b' b'S' b',' 0 1014 false
    1043 "varchar" -1 b'b' b'S' b',' 0 1015 false
    1082 "date" 4 b'b' b'D' b',' 0 1182 false
    1083 "time" 8 b'b' b'D' b',' 0 1183 false
    1114 "timestamp" 8 b'b' b'D' b',' 0 1115 false
    1115 "_timestamp" -1 b'b' b'A' b',' 1114 0 true
    1182 "_date" -1 b'b' b'A' b',' 1082 0 true
    1183 "_time" -1 b'b' b'A' b',' 1083 0 true
    1184 "timestamptz" 8 b'b' b'D' b',' 0 1185 false
    1185 "_timestamptz" -1 b'b' b'A' b',' 1184 0 true
    1186 "interval" 16 b'b' b'T' b',' 0 1187 false
    1187 "_interval" -1 b'b' b'A' b',' 1186 0 true
    1231 "_numeric" -1 b'b' b'A' b',' 1700 0 true
    1263 "_cstring" -1 b'b' b'A' b',' 2275 0 true
    1266 "timetz" 12 b'b' b'D' b',' 0 1270 false
    1270 "_timetz" -1 b'b' b'A' b',' 1266 0 true
    1560 "bit" -1 b'b' b'V' b',' 0 1561 false
    1561 "_bit" -1 b'b' b'A' b',' 1560 0 true
    1562 "varbit" -1 b'b' b'V' b',' 0 1563 false
    1563 "_varbit" -1 b'b' b'A' b',' 1562 0 true
    1700 "numeric" -1 b'b' b'N' b',' 0 1231 false
    1790 "refcursor" -1 b'b' b'U' b',' 0 2201 false
    2201 "_refcursor" -1 b'b' b'A' b',' 1790 0 true
    2202 "regprocedure" 4 b'b' b'N' b',' 0 2207 false
    2203 "regoper" 4 b'b' b'N' b',' 0 2208 false
    2204 "regoperator" 4 b'b' b'N' b',' 0 2209 false
    2205 "regclass" 4 b'b' b'N' b',' 0 2210 false
    2206 "regtype" 4 b'b' b'N' b',' 0 2211 false
    2207 "_regprocedure" -1 b'b' b'A' b',' 2202 0 true
    2208 "_regoper" -1 b'b' b'A' b',' 2203 0 true
    2209 "_regoperator" -1 b'b' b'A' b',' 2204 0 true
    2210 "_regclass" -1 b'b' b'A' b',' 2205 0 true
    2211 "_regtype" -1 b'b' b'A' b',' 2206 0 true
    2249 "record" -1 b'p' b'P' b',' 0 2287 false
    2275 "cstring" -2 b'p' b'P' b',' 0 1263 false
    2276 "any" 4 b'p' b'P' b',' 0 0 false
    2277 "anyarray" -1 b'p' b'P' b',' 0 0 false
    2278 "void" 4 b'p' b'P' b',' 0 0 false
    2279 "trigger" 4 b'p' b'P' b',' 0 0 false
    2280 "language_handler" 4 b'p' b'P' b',' 0 0 false
    2281 "internal" 8 b'p' b'P' b',' 0 0 false
    2283 "anyelement" 4 b'p' b'P' b',' 0 0 false
    2287 "_record" -1 b'p' b'P' b',' 2249 0 true
    2776 "anynonarray" 4 b'p' b'P' b',' 0 0 false
    2949 "_txid_snapshot" -1 b'b' b'A' b',' 2970 0 true
    2950 "uuid" 16 b'b' b'U' b',' 0 2951 false
    2951 "_uuid" -1 b'b' b'A' b',' 2950 0 true
    2970 "txid_snapshot" -1 b'b' b'U' b',' 0 2949 false
    3115 "fdw_handler" 4 b'p' b'P' b',' 0 0 false
    3220 "pg_lsn" 8 b'b' b'U' b',' 0 3221 false
    3221 "_pg_lsn" -1 b'b' b'A' b',' 3220 0 true
    3310 "tsm_handler" 4 b'p' b'P' b',' 0 0 false
    3361 "pg_ndistinct" -1 b'b' b'Z' b',' 0 0 false
    3402 "pg_dependencies" -1 b'b' b'Z' b',' 0 0 false
    3500 "anyenum" 4 b'p' b'P' b',' 0 0 false
    3614 "tsvector" -1 b'b' b'U' b',' 0 3643 false
    3615 "tsquery" -1 b'b' b'U' b',' 0 3645 false
    3642 "gtsvector" -1 b'b' b'U' b',' 0 3644 false
    3643 "_tsvector" -1 b'b' b'A' b',' 3614 0 true
    3644 "_gtsvector" -1 b'b' b'A' b',' 3642 0 true
    3645 "_tsquery" -1 b'b' b'A' b',' 3615 0 true
    3734 "regconfig" 4 b'b' b'N' b',' 0 3735 false
    3735 "_regconfig" -1 b'b' b'A' b',' 3734 0 true
    3769 "regdictionary" 4 b'b' b'N' b',' 0 3770 false
    3770 "_regdictionary" -1 b'b' b'A' b',' 3769 0 true
    3802 "jsonb" -1 b'b' b'U' b',' 0 3807 false
    3807 "_jsonb" -1 b'b' b'A' b',' 3802 0 true
    3831 "anyrange" -1 b'p' b'P' b',' 0 0 false
    3838 "event_trigger" 4 b'p' b'P' b',' 0 0 false
    3904 "int4range" -1 b'r' b'R' b',' 0 3905 false
    3905 "_int4range" -1 b'b' b'A' b',' 3904 0 true
    3906 "numrange" -1 b'r' b'R' b',' 0 3907 false
    3907 "_numrange" -1 b'b' b'A' b',' 3906 0 true
    3908 "tsrange" -1 b'r' b'R' b',' 0 3909 false
    3909 "_tsrange" -1 b'b' b'A' b',' 3908 0 true
    3910 "tstzrange" -1 b'r' b'R' b',' 0 3911 false
    3911 "_tstzrange" -1 b'b' b'A' b',' 3910 0 true
    3912 "daterange" -1 b'r' b'R' b',' 0 3913 false
    3913 "_daterange" -1 b'b' b'A' b',' 3912 0 true
    3926 "int8range" -1 b'r' b'R' b',' 0 3927 false
    3927 "_int8range" -1 b'b' b'A' b',' 3926 0 true
    4072 "jsonpath" -1 b'b' b'U' b',' 0 4073 false
    4073 "_jsonpath" -1 b'b' b'A' b',' 4072 0 true
    4089 "regnamespace" 4 b'b' b'N' b',' 0 4090 false
    4090 "_regnamespace" -1 b'b' b'A' b',' 4089 0 true
    4096 "regrole" 4 b'b' b'N' b',' 0 4097 false
    4097 "_regrole" -1 b'b' b'A' b',' 4096 0 true
    4191 "regcollation" 4 b'b' b'N' b',' 0 4192 false
    4192 "_regcollation" -1 b'b' b'A' b',' 4191 0 true
    4451 "int4multirange" -1 b'm' b'R' b',' 0 6150 false
    4532 "nummultirange" -1 b'm' b'R' b',' 0 6151 false
    4533 "tsmultirange" -1 b'm' b'R' b',' 0 6152 false
    4534 "tstzmultirange" -1 b'm' b'R' b',' 0 6153 false
    4535 "datemultirange" -1 b'm' b'R' b',' 0 6155 false
    4536 "int8multirange" -1 b'm' b'R' b',' 0 6157 false
    4537 "anymultirange" -1 b'p' b'P' b',' 0 0 false
    4538 "anycompatiblemultirange" -1 b'p' b'P' b',' 0 0 false
    4600 "pg_brin_bloom_summary" -1 b'b' b'Z' b',' 0 0 false
    4601 "pg_brin_minmax_multi_summary" -1 b'b' b'Z' b',' 0 0 false
    5017 "pg_mcv_list" -1 b'b' b'Z' b',' 0 0 false
    5038 "pg_snapshot" -1 b'b' b'U' b',' 0 5039 false
    5039 "_pg_snapshot" -1 b'b' b'A' b',' 5038 0 true
    5069 "xid8" 8 b'b' b'U' b',' 0 271 false
    5077 "anycompatible" 4 b'p' b'P' b',' 0 0 false
    5078 "anycompatiblearray" -1 b'p' b'P' b',' 0 0 false
    5079 "anycompatiblenonarray" 4 b'p' b'P' b',' 0 0 false
    5080 "anycompatiblerange" -1 b'p' b'P' b',' 0 0 false
    6150 "_int4multirange" -1 b'b' b'A' b',' 4451 0 true
    6151 "_nummultirange" -1 b'b' b'A' b',' 4532 0 true
    6152 "_tsmultirange" -1 b'b' b'A' b',' 4533 0 true
    6153 "_tstzmultirange" -1 b'b' b'A' b',' 4534 0 true
    6155 "_datemultirange" -1 b'b' b'A' b',' 4535 0 true
    6157 "_int8multirange" -1 b'b' b'A' b',' 4536 0 true
}

/// The facts of a built-in type.
pub fn builtin(oid: u32) -> Option<&'static BuiltinType> {
    BUILTIN_TYPES.binary_search_by_key(&oid, |t| t.oid).ok().map(|at| &BUILTIN_TYPES[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_find_every_type_and_nothing_else() {
        for t in BUILTIN_TYPES {
            assert_eq!(builtin(t.oid), Some(t));
            assert!(t.array == 0 || builtin(t.array).is_some_and(|a| a.element == t.oid));
        }
        assert_eq!(builtin(0), None);
    }
}
