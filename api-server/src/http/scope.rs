//! Defines the scopes of this server's own API (RFC 6749 § 3.3). A handler names its scope in the type of its caller:
//! `Caller<scope::AccountRead>`.

/// A part of the API to which an access token can be limited. A token without scopes may use every part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    TasksRead,
    TasksWrite,
    AccountRead,
    AccountWrite,
    Sessions,
}

impl Scope {
    pub(crate) const ALL: [Self; 5] = [
        Self::TasksRead,
        Self::TasksWrite,
        Self::AccountRead,
        Self::AccountWrite,
        Self::Sessions,
    ];

    /// Returns the scope with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TasksRead => "tasks:read",
            Self::TasksWrite => "tasks:write",
            Self::AccountRead => "account:read",
            Self::AccountWrite => "account:write",
            Self::Sessions => "sessions",
        }
    }
}

/// The scope that a handler requires, as a type.
pub(crate) trait RequiredScope: 'static {
    /// `None` if a token with any scopes will do.
    const SCOPE: Option<Scope>;
}

macro_rules! required_scopes {
    ($($(#[$doc:meta])* $name:ident = $scope:expr,)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $name;

            impl RequiredScope for $name {
                const SCOPE: Option<Scope> = $scope;
            }
        )*
    };
}

required_scopes! {
    TasksRead = Some(Scope::TasksRead),
    TasksWrite = Some(Scope::TasksWrite),
    AccountRead = Some(Scope::AccountRead),
    AccountWrite = Some(Scope::AccountWrite),
    Sessions = Some(Scope::Sessions),
    /// For a request that uses only the token itself, such as its exchange for a token that can do less.
    AnyScope = None,
}
