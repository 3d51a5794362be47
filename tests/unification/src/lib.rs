//! See `tests/both_backends.rs`.
