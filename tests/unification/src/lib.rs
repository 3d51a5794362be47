//! An empty library; the tests are in `tests/both_backends.rs`.
