//! Raises the process's limit of open files, which is 1024 by default on many systems. Each connection is an open file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Number of open files for other uses than client connections, such as the database and the listening socket.
const RESERVED_FILES: u64 = 128;

/// Raises the limit of open files for `required_connections` if necessary, as far as the system allows. Returns how
/// many connections can be open, at most `required_connections`.
pub(crate) fn raise_open_file_limit(required_connections: usize) -> usize {
    let required_files = u64::try_from(required_connections)
        .unwrap_or(u64::MAX)
        .saturating_add(RESERVED_FILES);
    let limit = getrlimit(Resource::Nofile);
    let hard_limit = limit.maximum.unwrap_or(u64::MAX);
    let soft_limit = limit.current.unwrap_or(u64::MAX);
    if soft_limit < required_files {
        let raised_limit = Rlimit {
            current: Some(required_files.min(hard_limit)),
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised_limit) {
            log::warn!("cannot raise the limit of open files above {soft_limit}: {error}");
            return available_connections(soft_limit).min(required_connections);
        }
    }
    available_connections(hard_limit).min(required_connections)
}

/// Number of connections that fit into a limit of open files, at least 1.
fn available_connections(file_limit: u64) -> usize {
    let connections = file_limit.saturating_sub(RESERVED_FILES).max(1);
    usize::try_from(connections).unwrap_or(usize::MAX)
}
