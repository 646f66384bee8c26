//! The one-letter codes of the catalogs, as enums.

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal),+ $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[expect(missing_docs, reason = "the variants are PostgreSQL's words")]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// The code in the catalog.
            pub const fn code(self) -> u8 {
                match self { $($name::$variant => $code),+ }
            }

            /// The variant with a code.
            pub const fn from_code(code: u8) -> Option<$name> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }
        }
    )*};
}

codes! {
    /// `typtype`
    TypeKind {
        Base = b'b', Composite = b'c', Domain = b'd', Enum = b'e', Pseudo = b'p',
        Range = b'r', Multirange = b'm',
    }
    /// `prokind`
    ProcKind { Function = b'f', Aggregate = b'a', Window = b'w', Procedure = b'p' }
    /// `provolatile`
    Volatility { Immutable = b'i', Stable = b's', Volatile = b'v' }
    /// `proparallel`
    Parallel { Safe = b's', Restricted = b'r', Unsafe = b'u' }
    /// `proargmodes`
    ArgMode { In = b'i', Out = b'o', InOut = b'b', Variadic = b'v', Table = b't' }
    /// `oprkind`
    OperatorKind { Binary = b'b', Prefix = b'l' }
    /// `castcontext`, from the strictest to the most willing.
    CastContext { Explicit = b'e', Assignment = b'a', Implicit = b'i' }
    /// `castmethod`
    CastMethod { Function = b'f', Binary = b'b', InOut = b'i' }
    /// `aggkind`
    AggregateKind { Normal = b'n', OrderedSet = b'o', Hypothetical = b'h' }
    /// `aggfinalmodify`
    FinalModify { ReadOnly = b'r', Shareable = b's', ReadWrite = b'w' }
    /// `amoppurpose`
    AmOpPurpose { Search = b's', Order = b'o' }
    /// `collprovider`
    CollationProvider { Default = b'd', Builtin = b'b', Libc = b'c', Icu = b'i' }
    /// `relkind`
    RelationKind {
        Table = b'r', Index = b'i', Sequence = b'S', Toast = b't', View = b'v',
        MaterializedView = b'm', Composite = b'c', Foreign = b'f',
        PartitionedTable = b'p', PartitionedIndex = b'I',
    }
    /// `relpersistence`
    Persistence { Permanent = b'p', Unlogged = b'u', Temporary = b't' }
    /// `contype`
    ConstraintKind {
        Check = b'c', Foreign = b'f', NotNull = b'n', Primary = b'p', Unique = b'u',
        Trigger = b't', Exclusion = b'x',
    }
    /// `confupdtype` and `confdeltype`
    ForeignAction {
        NoAction = b'a', Restrict = b'r', Cascade = b'c', SetNull = b'n', SetDefault = b'd',
    }
    /// `confmatchtype`
    ForeignMatch { Full = b'f', Partial = b'p', Simple = b's' }
    /// `attidentity`, where there is one.
    Identity { Always = b'a', ByDefault = b'd' }
    /// `attgenerated`, where it is one.
    Generated { Stored = b's', Virtual = b'v' }
    /// `deptype`
    DependencyKind {
        Normal = b'n', Auto = b'a', Internal = b'i', Extension = b'e', AutoExtension = b'x',
        PartitionPrimary = b'P', PartitionSecondary = b'S',
    }
    /// `deptype` of `pg_shdepend`
    SharedDependencyKind {
        Owner = b'o', Acl = b'a', InitPrivileges = b'i', Policy = b'r', Tablespace = b't',
    }
    /// `relreplident`
    ReplicaIdentity { Default = b'd', Nothing = b'n', Full = b'f', Index = b'i' }
}
