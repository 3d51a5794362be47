//! Opens the input of an import of JSON Lines: a file, or standard input. A read fails when a signal arrives, also
//! while it waits for input, and counts the bytes of a regular file for the progress.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::TransferError;
use crate::progress::{Progress, Unit, Work};

/// Time between two checks whether a signal has arrived.
const POLL_INTERVAL: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// An input whose bytes or lines are counted.
pub(super) struct JsonInput {
    pub(super) reader: BufReader<CountingFile>,
    pub(super) work: Work,
    /// Whether the caller counts the lines, because the number of bytes is unknown.
    pub(super) counts_lines: bool,
}

impl JsonInput {
    /// Opens the file, or standard input if `path` is `None`.
    pub(super) fn open(path: Option<&Path>, progress: &Progress) -> Result<Self, TransferError> {
        let file = match path {
            Some(path) => {
                File::open(path).map_err(|error| format!("{} (--from): {error}", path.display()))?
            }
            None => File::from(io::stdin().as_fd().try_clone_to_owned()?),
        };
        let metadata = file.metadata()?;
        let counts_lines = !metadata.is_file();
        let work = if counts_lines {
            progress.start("import", Unit::Lines, None)
        } else {
            progress.start("import", Unit::Bytes, Some(metadata.len()))
        };
        let byte_count = if counts_lines {
            Arc::default()
        } else {
            work.counter()
        };
        let counting_file = CountingFile {
            file,
            byte_count,
            progress: progress.clone(),
        };
        Ok(Self {
            reader: BufReader::new(counting_file),
            work,
            counts_lines,
        })
    }
}

pub(super) struct CountingFile {
    file: File,
    byte_count: Arc<AtomicU64>,
    progress: Progress,
}

impl CountingFile {
    /// Waits until the file can be read, or has ended. Fails when a signal arrives.
    fn wait(&self) -> io::Result<()> {
        loop {
            self.progress
                .check_interrupted()
                .map_err(io::Error::other)?;
            let mut files = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut files, Some(&POLL_INTERVAL)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_ready) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for CountingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        let count = self.file.read(buffer)?;
        let bytes = count.try_into().unwrap_or_default();
        self.byte_count.fetch_add(bytes, Ordering::Relaxed);
        Ok(count)
    }
}
