//! A connection to an SMTP server, encrypted or not, whose reads and writes end at a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use native_tls::{TlsConnector, TlsStream};

/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 4;

/// A connection to an SMTP server.
#[derive(Debug)]
pub(super) enum SmtpStream {
    Plain(TimedStream),
    Encrypted(Box<TlsStream<TimedStream>>),
}

impl SmtpStream {
    /// Connects to the first address of the host that accepts. Each address may take the whole time limit.
    pub(super) fn connect(host: &str, port: u16, limit: Duration) -> io::Result<Self> {
        let mut outcome = Err(io::Error::new(
            ErrorKind::NotFound,
            "the host has no address",
        ));
        for address in (host, port).to_socket_addrs()?.take(MAX_ADDRESSES) {
            outcome = TimedStream::connect(address, limit).map(Self::Plain);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Encrypts the connection. The certificate of the server must be valid for the host.
    pub(super) fn encrypt(self, connector: &TlsConnector, host: &str) -> io::Result<Self> {
        match self {
            Self::Plain(stream) => {
                let encrypted = connector.connect(host, stream).map_err(io::Error::other)?;
                Ok(Self::Encrypted(Box::new(encrypted)))
            }
            Self::Encrypted(_) => Ok(self),
        }
    }

    /// Sets the time limit, from now on, for all reads and writes together until the next call.
    pub(super) fn set_time_limit(&mut self, limit: Duration) {
        self.tcp_mut().deadline = Instant::now() + limit;
    }

    /// Returns the local IP address of the connection.
    pub(super) fn local_address(&mut self) -> io::Result<IpAddr> {
        Ok(self.tcp_mut().tcp.local_addr()?.ip())
    }

    fn tcp_mut(&mut self) -> &mut TimedStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream.get_mut(),
        }
    }
}

impl Read for SmtpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for SmtpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// A TCP connection whose reads and writes fail after the deadline, even if single bytes arrive until then.
#[derive(Debug)]
pub(super) struct TimedStream {
    tcp: TcpStream,
    deadline: Instant,
}

impl TimedStream {
    fn connect(address: SocketAddr, limit: Duration) -> io::Result<Self> {
        Ok(Self {
            tcp: TcpStream::connect_timeout(&address, limit)?,
            deadline: Instant::now() + limit,
        })
    }

    fn remaining_time(&self) -> io::Result<Duration> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(timed_out());
        }
        Ok(remaining)
    }
}

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.remaining_time()?))?;
        self.tcp.read(buffer).map_err(map_timeout)
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.remaining_time()?))?;
        self.tcp.write(bytes).map_err(map_timeout)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// Replaces the error with which the system reports that the time limit of a socket has passed.
fn map_timeout(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => timed_out(),
        _ => error,
    }
}

fn timed_out() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "the server did not reply in time")
}
