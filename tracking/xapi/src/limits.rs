//! The named bounds on what is read from outside.

/// How much one body may ask of us. Sizes of bodies are the HTTP surface's to bound before anything is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Statements in one POST.
    pub statements: usize,
    /// Bytes of one statement.
    pub statement_bytes: usize,
    /// How deep JSON may be nested.
    pub depth: usize,
}

impl Limits {
    /// What the box accepts: well over what any known client sends.
    pub const DEFAULT: Self = Self {
        statements: 10_000,
        statement_bytes: 1024 * 1024,
        depth: 64,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
