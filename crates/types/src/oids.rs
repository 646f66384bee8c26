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

/// All built-in types in the order of their OIDs.
pub static BUILTIN_TYPES: &[BuiltinType] = &[
    BuiltinType {
        oid: 16,
        name: "bool",
        len: 1,
        kind: b'b',
        category: b'B',
        delimiter: b',',
        element: 0,
        array: 1000,
        is_array: false,
    },
    BuiltinType {
        oid: 17,
        name: "bytea",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 1001,
        is_array: false,
    },
    BuiltinType {
        oid: 18,
        name: "char",
        len: 1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 1002,
        is_array: false,
    },
    BuiltinType {
        oid: 19,
        name: "name",
        len: 64,
        kind: b'b',
        category: b'S',
        delimiter: b',',
        element: 18,
        array: 1003,
        is_array: false,
    },
    BuiltinType {
        oid: 20,
        name: "int8",
        len: 8,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1016,
        is_array: false,
    },
    BuiltinType {
        oid: 21,
        name: "int2",
        len: 2,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1005,
        is_array: false,
    },
    BuiltinType {
        oid: 22,
        name: "int2vector",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 21,
        array: 1006,
        is_array: false,
    },
    BuiltinType {
        oid: 23,
        name: "int4",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1007,
        is_array: false,
    },
    BuiltinType {
        oid: 24,
        name: "regproc",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1008,
        is_array: false,
    },
    BuiltinType {
        oid: 25,
        name: "text",
        len: -1,
        kind: b'b',
        category: b'S',
        delimiter: b',',
        element: 0,
        array: 1009,
        is_array: false,
    },
    BuiltinType {
        oid: 26,
        name: "oid",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1028,
        is_array: false,
    },
    BuiltinType {
        oid: 27,
        name: "tid",
        len: 6,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 1010,
        is_array: false,
    },
    BuiltinType {
        oid: 28,
        name: "xid",
        len: 8,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 1011,
        is_array: false,
    },
    BuiltinType {
        oid: 29,
        name: "cid",
        len: 4,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 1012,
        is_array: false,
    },
    BuiltinType {
        oid: 30,
        name: "oidvector",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 26,
        array: 1013,
        is_array: false,
    },
    BuiltinType {
        oid: 32,
        name: "pg_ddl_command",
        len: 8,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 114,
        name: "json",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 199,
        is_array: false,
    },
    BuiltinType {
        oid: 142,
        name: "xml",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 143,
        is_array: false,
    },
    BuiltinType {
        oid: 143,
        name: "_xml",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 142,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 194,
        name: "pg_node_tree",
        len: -1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 199,
        name: "_json",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 114,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 269,
        name: "table_am_handler",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 271,
        name: "_xid8",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 5069,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 325,
        name: "index_am_handler",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 600,
        name: "point",
        len: 16,
        kind: b'b',
        category: b'G',
        delimiter: b',',
        element: 701,
        array: 1017,
        is_array: false,
    },
    BuiltinType {
        oid: 601,
        name: "lseg",
        len: 32,
        kind: b'b',
        category: b'G',
        delimiter: b',',
        element: 600,
        array: 1018,
        is_array: false,
    },
    BuiltinType {
        oid: 602,
        name: "path",
        len: -1,
        kind: b'b',
        category: b'G',
        delimiter: b',',
        element: 0,
        array: 1019,
        is_array: false,
    },
    BuiltinType {
        oid: 603,
        name: "box",
        len: 32,
        kind: b'b',
        category: b'G',
        delimiter: b';',
        element: 600,
        array: 1020,
        is_array: false,
    },
    BuiltinType {
        oid: 604,
        name: "polygon",
        len: -1,
        kind: b'b',
        category: b'G',
        delimiter: b',',
        element: 0,
        array: 1027,
        is_array: false,
    },
    BuiltinType {
        oid: 628,
        name: "line",
        len: 24,
        kind: b'b',
        category: b'G',
        delimiter: b',',
        element: 701,
        array: 629,
        is_array: false,
    },
    BuiltinType {
        oid: 629,
        name: "_line",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 628,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 650,
        name: "cidr",
        len: -1,
        kind: b'b',
        category: b'I',
        delimiter: b',',
        element: 0,
        array: 651,
        is_array: false,
    },
    BuiltinType {
        oid: 651,
        name: "_cidr",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 650,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 700,
        name: "float4",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1021,
        is_array: false,
    },
    BuiltinType {
        oid: 701,
        name: "float8",
        len: 8,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1022,
        is_array: false,
    },
    BuiltinType {
        oid: 705,
        name: "unknown",
        len: -2,
        kind: b'p',
        category: b'X',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 718,
        name: "circle",
        len: 24,
        kind: b'b',
        category: b'G',
        delimiter: b',',
        element: 0,
        array: 719,
        is_array: false,
    },
    BuiltinType {
        oid: 719,
        name: "_circle",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 718,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 774,
        name: "macaddr8",
        len: 8,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 775,
        is_array: false,
    },
    BuiltinType {
        oid: 775,
        name: "_macaddr8",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 774,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 790,
        name: "money",
        len: 8,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 791,
        is_array: false,
    },
    BuiltinType {
        oid: 791,
        name: "_money",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 790,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 829,
        name: "macaddr",
        len: 6,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 1040,
        is_array: false,
    },
    BuiltinType {
        oid: 869,
        name: "inet",
        len: -1,
        kind: b'b',
        category: b'I',
        delimiter: b',',
        element: 0,
        array: 1041,
        is_array: false,
    },
    BuiltinType {
        oid: 1000,
        name: "_bool",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 16,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1001,
        name: "_bytea",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 17,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1002,
        name: "_char",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 18,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1003,
        name: "_name",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 19,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1005,
        name: "_int2",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 21,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1006,
        name: "_int2vector",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 22,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1007,
        name: "_int4",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 23,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1008,
        name: "_regproc",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 24,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1009,
        name: "_text",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 25,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1010,
        name: "_tid",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 27,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1011,
        name: "_xid",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 28,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1012,
        name: "_cid",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 29,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1013,
        name: "_oidvector",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 30,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1014,
        name: "_bpchar",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1042,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1015,
        name: "_varchar",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1043,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1016,
        name: "_int8",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 20,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1017,
        name: "_point",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 600,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1018,
        name: "_lseg",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 601,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1019,
        name: "_path",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 602,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1020,
        name: "_box",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b';',
        element: 603,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1021,
        name: "_float4",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 700,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1022,
        name: "_float8",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 701,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1027,
        name: "_polygon",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 604,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1028,
        name: "_oid",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 26,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1033,
        name: "aclitem",
        len: 16,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 1034,
        is_array: false,
    },
    BuiltinType {
        oid: 1034,
        name: "_aclitem",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1033,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1040,
        name: "_macaddr",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 829,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1041,
        name: "_inet",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 869,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1042,
        name: "bpchar",
        len: -1,
        kind: b'b',
        category: b'S',
        delimiter: b',',
        element: 0,
        array: 1014,
        is_array: false,
    },
    BuiltinType {
        oid: 1043,
        name: "varchar",
        len: -1,
        kind: b'b',
        category: b'S',
        delimiter: b',',
        element: 0,
        array: 1015,
        is_array: false,
    },
    BuiltinType {
        oid: 1082,
        name: "date",
        len: 4,
        kind: b'b',
        category: b'D',
        delimiter: b',',
        element: 0,
        array: 1182,
        is_array: false,
    },
    BuiltinType {
        oid: 1083,
        name: "time",
        len: 8,
        kind: b'b',
        category: b'D',
        delimiter: b',',
        element: 0,
        array: 1183,
        is_array: false,
    },
    BuiltinType {
        oid: 1114,
        name: "timestamp",
        len: 8,
        kind: b'b',
        category: b'D',
        delimiter: b',',
        element: 0,
        array: 1115,
        is_array: false,
    },
    BuiltinType {
        oid: 1115,
        name: "_timestamp",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1114,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1182,
        name: "_date",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1082,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1183,
        name: "_time",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1083,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1184,
        name: "timestamptz",
        len: 8,
        kind: b'b',
        category: b'D',
        delimiter: b',',
        element: 0,
        array: 1185,
        is_array: false,
    },
    BuiltinType {
        oid: 1185,
        name: "_timestamptz",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1184,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1186,
        name: "interval",
        len: 16,
        kind: b'b',
        category: b'T',
        delimiter: b',',
        element: 0,
        array: 1187,
        is_array: false,
    },
    BuiltinType {
        oid: 1187,
        name: "_interval",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1186,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1231,
        name: "_numeric",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1700,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1263,
        name: "_cstring",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2275,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1266,
        name: "timetz",
        len: 12,
        kind: b'b',
        category: b'D',
        delimiter: b',',
        element: 0,
        array: 1270,
        is_array: false,
    },
    BuiltinType {
        oid: 1270,
        name: "_timetz",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1266,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1560,
        name: "bit",
        len: -1,
        kind: b'b',
        category: b'V',
        delimiter: b',',
        element: 0,
        array: 1561,
        is_array: false,
    },
    BuiltinType {
        oid: 1561,
        name: "_bit",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1560,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1562,
        name: "varbit",
        len: -1,
        kind: b'b',
        category: b'V',
        delimiter: b',',
        element: 0,
        array: 1563,
        is_array: false,
    },
    BuiltinType {
        oid: 1563,
        name: "_varbit",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1562,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 1700,
        name: "numeric",
        len: -1,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 1231,
        is_array: false,
    },
    BuiltinType {
        oid: 1790,
        name: "refcursor",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 2201,
        is_array: false,
    },
    BuiltinType {
        oid: 2201,
        name: "_refcursor",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 1790,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2202,
        name: "regprocedure",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 2207,
        is_array: false,
    },
    BuiltinType {
        oid: 2203,
        name: "regoper",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 2208,
        is_array: false,
    },
    BuiltinType {
        oid: 2204,
        name: "regoperator",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 2209,
        is_array: false,
    },
    BuiltinType {
        oid: 2205,
        name: "regclass",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 2210,
        is_array: false,
    },
    BuiltinType {
        oid: 2206,
        name: "regtype",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 2211,
        is_array: false,
    },
    BuiltinType {
        oid: 2207,
        name: "_regprocedure",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2202,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2208,
        name: "_regoper",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2203,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2209,
        name: "_regoperator",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2204,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2210,
        name: "_regclass",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2205,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2211,
        name: "_regtype",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2206,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2249,
        name: "record",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 2287,
        is_array: false,
    },
    BuiltinType {
        oid: 2275,
        name: "cstring",
        len: -2,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 1263,
        is_array: false,
    },
    BuiltinType {
        oid: 2276,
        name: "any",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2277,
        name: "anyarray",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2278,
        name: "void",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2279,
        name: "trigger",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2280,
        name: "language_handler",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2281,
        name: "internal",
        len: 8,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2283,
        name: "anyelement",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2287,
        name: "_record",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 2249,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2776,
        name: "anynonarray",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 2949,
        name: "_txid_snapshot",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2970,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2950,
        name: "uuid",
        len: 16,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 2951,
        is_array: false,
    },
    BuiltinType {
        oid: 2951,
        name: "_uuid",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 2950,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 2970,
        name: "txid_snapshot",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 2949,
        is_array: false,
    },
    BuiltinType {
        oid: 3115,
        name: "fdw_handler",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3220,
        name: "pg_lsn",
        len: 8,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 3221,
        is_array: false,
    },
    BuiltinType {
        oid: 3221,
        name: "_pg_lsn",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3220,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3310,
        name: "tsm_handler",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3361,
        name: "pg_ndistinct",
        len: -1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3402,
        name: "pg_dependencies",
        len: -1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3500,
        name: "anyenum",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3614,
        name: "tsvector",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 3643,
        is_array: false,
    },
    BuiltinType {
        oid: 3615,
        name: "tsquery",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 3645,
        is_array: false,
    },
    BuiltinType {
        oid: 3642,
        name: "gtsvector",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 3644,
        is_array: false,
    },
    BuiltinType {
        oid: 3643,
        name: "_tsvector",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3614,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3644,
        name: "_gtsvector",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3642,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3645,
        name: "_tsquery",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3615,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3734,
        name: "regconfig",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 3735,
        is_array: false,
    },
    BuiltinType {
        oid: 3735,
        name: "_regconfig",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3734,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3769,
        name: "regdictionary",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 3770,
        is_array: false,
    },
    BuiltinType {
        oid: 3770,
        name: "_regdictionary",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3769,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3802,
        name: "jsonb",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 3807,
        is_array: false,
    },
    BuiltinType {
        oid: 3807,
        name: "_jsonb",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3802,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3831,
        name: "anyrange",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3838,
        name: "event_trigger",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 3904,
        name: "int4range",
        len: -1,
        kind: b'r',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 3905,
        is_array: false,
    },
    BuiltinType {
        oid: 3905,
        name: "_int4range",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3904,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3906,
        name: "numrange",
        len: -1,
        kind: b'r',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 3907,
        is_array: false,
    },
    BuiltinType {
        oid: 3907,
        name: "_numrange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3906,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3908,
        name: "tsrange",
        len: -1,
        kind: b'r',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 3909,
        is_array: false,
    },
    BuiltinType {
        oid: 3909,
        name: "_tsrange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3908,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3910,
        name: "tstzrange",
        len: -1,
        kind: b'r',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 3911,
        is_array: false,
    },
    BuiltinType {
        oid: 3911,
        name: "_tstzrange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3910,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3912,
        name: "daterange",
        len: -1,
        kind: b'r',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 3913,
        is_array: false,
    },
    BuiltinType {
        oid: 3913,
        name: "_daterange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3912,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 3926,
        name: "int8range",
        len: -1,
        kind: b'r',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 3927,
        is_array: false,
    },
    BuiltinType {
        oid: 3927,
        name: "_int8range",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 3926,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 4072,
        name: "jsonpath",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 4073,
        is_array: false,
    },
    BuiltinType {
        oid: 4073,
        name: "_jsonpath",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4072,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 4089,
        name: "regnamespace",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 4090,
        is_array: false,
    },
    BuiltinType {
        oid: 4090,
        name: "_regnamespace",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4089,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 4096,
        name: "regrole",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 4097,
        is_array: false,
    },
    BuiltinType {
        oid: 4097,
        name: "_regrole",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4096,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 4191,
        name: "regcollation",
        len: 4,
        kind: b'b',
        category: b'N',
        delimiter: b',',
        element: 0,
        array: 4192,
        is_array: false,
    },
    BuiltinType {
        oid: 4192,
        name: "_regcollation",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4191,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 4451,
        name: "int4multirange",
        len: -1,
        kind: b'm',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 6150,
        is_array: false,
    },
    BuiltinType {
        oid: 4532,
        name: "nummultirange",
        len: -1,
        kind: b'm',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 6151,
        is_array: false,
    },
    BuiltinType {
        oid: 4533,
        name: "tsmultirange",
        len: -1,
        kind: b'm',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 6152,
        is_array: false,
    },
    BuiltinType {
        oid: 4534,
        name: "tstzmultirange",
        len: -1,
        kind: b'm',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 6153,
        is_array: false,
    },
    BuiltinType {
        oid: 4535,
        name: "datemultirange",
        len: -1,
        kind: b'm',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 6155,
        is_array: false,
    },
    BuiltinType {
        oid: 4536,
        name: "int8multirange",
        len: -1,
        kind: b'm',
        category: b'R',
        delimiter: b',',
        element: 0,
        array: 6157,
        is_array: false,
    },
    BuiltinType {
        oid: 4537,
        name: "anymultirange",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 4538,
        name: "anycompatiblemultirange",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 4600,
        name: "pg_brin_bloom_summary",
        len: -1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 4601,
        name: "pg_brin_minmax_multi_summary",
        len: -1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 5017,
        name: "pg_mcv_list",
        len: -1,
        kind: b'b',
        category: b'Z',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 5038,
        name: "pg_snapshot",
        len: -1,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 5039,
        is_array: false,
    },
    BuiltinType {
        oid: 5039,
        name: "_pg_snapshot",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 5038,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 5069,
        name: "xid8",
        len: 8,
        kind: b'b',
        category: b'U',
        delimiter: b',',
        element: 0,
        array: 271,
        is_array: false,
    },
    BuiltinType {
        oid: 5077,
        name: "anycompatible",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 5078,
        name: "anycompatiblearray",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 5079,
        name: "anycompatiblenonarray",
        len: 4,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 5080,
        name: "anycompatiblerange",
        len: -1,
        kind: b'p',
        category: b'P',
        delimiter: b',',
        element: 0,
        array: 0,
        is_array: false,
    },
    BuiltinType {
        oid: 6150,
        name: "_int4multirange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4451,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 6151,
        name: "_nummultirange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4532,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 6152,
        name: "_tsmultirange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4533,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 6153,
        name: "_tstzmultirange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4534,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 6155,
        name: "_datemultirange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4535,
        array: 0,
        is_array: true,
    },
    BuiltinType {
        oid: 6157,
        name: "_int8multirange",
        len: -1,
        kind: b'b',
        category: b'A',
        delimiter: b',',
        element: 4536,
        array: 0,
        is_array: true,
    },
];

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
