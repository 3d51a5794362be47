//! Each connection is an open file, of which many systems allow 1024 unless asked for more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are no connections: the database, the log, the listener.
const RESERVED_FILES: u64 = 128;

/// Asks for as many open files as there may be connections; gives how many connections the system allows.
pub(crate) fn allow_open_files(connections: usize) -> usize {
    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(RESERVED_FILES);
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    let current = limit.current.unwrap_or(u64::MAX);
    if current < wanted {
        let raised = Rlimit {
            current: Some(wanted.min(allowed)),
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            log::warn!("the limit of open files stays at {current}: {error}");
            return available_connections(current).min(connections);
        }
    }
    available_connections(allowed).min(connections)
}

fn available_connections(files: u64) -> usize {
    let available = files.saturating_sub(RESERVED_FILES).max(1);
    usize::try_from(available).unwrap_or(usize::MAX)
}
