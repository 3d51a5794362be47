//! Asks the running server whether it works, for the probes of containers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use native_tls::{HandshakeError, TlsConnector};

/// The time limit for the connection and the response together. The server takes up to 2.5 s to report that the
/// database does not respond.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(4);
/// The number of bytes after which reading stops, even if the first line, such as `HTTP/1.1 200 OK`, has not ended.
const MAX_BYTES: usize = 1024;

/// Requests the path from the server that listens at `bind_addr`, encrypted if the server has TLS. Returns the URL if
/// the response has the status 200, otherwise the reason for the failure.
pub(crate) fn check_path(
    bind_addr: SocketAddr,
    has_tls: bool,
    path: &str,
    timeout: Duration,
) -> Result<String, String> {
    let addr = reachable_address(bind_addr);
    let scheme = if has_tls { "https" } else { "http" };
    let url = format!("{scheme}://{addr}{path}");
    let outcome = connect(addr, Instant::now() + timeout).and_then(|stream| {
        if has_tls {
            request_status(&mut encrypt(stream)?, addr, path)
        } else {
            request_status(&mut { stream }, addr, path)
        }
    });
    match outcome {
        Ok(200) => Ok(url),
        Ok(status) => Err(format!(
            "{url}: the status is {status}, see the log of the server"
        )),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            Err(format!("{url}: no server listens there (BIND_ADDR)"))
        }
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            Err(format!("{url}: no response within {timeout:?}"))
        }
        Err(error) => Err(format!("{url}: {error}")),
    }
}

/// Returns the address at which the server can be reached: the loopback address if it listens on all addresses.
fn reachable_address(bind_addr: SocketAddr) -> SocketAddr {
    let ip = match bind_addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind_addr.port())
}

/// A connection whose reads and writes fail after the deadline.
#[derive(Debug)]
struct TimedStream {
    tcp: TcpStream,
    deadline: Instant,
}

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(time_left(self.deadline)?))?;
        self.tcp.read(buffer)
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp
            .set_write_timeout(Some(time_left(self.deadline)?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

fn connect(addr: SocketAddr, deadline: Instant) -> io::Result<TimedStream> {
    let tcp = TcpStream::connect_timeout(&addr, time_left(deadline)?)?;
    Ok(TimedStream { tcp, deadline })
}

/// Encrypts the connection and accepts any certificate: the probe connects to an IP address, for which a certificate is
/// rarely valid, and the request has no secret.
fn encrypt(stream: TimedStream) -> io::Result<impl Read + Write> {
    let connector = TlsConnector::builder()
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .use_sni(false)
        .build()
        .map_err(io::Error::other)?;
    connector
        .connect("api-server", stream)
        .map_err(|error| match error {
            HandshakeError::WouldBlock(_) => ErrorKind::TimedOut.into(),
            HandshakeError::Failure(error) => io::Error::other(error),
        })
}

fn request_status(
    stream: &mut (impl Read + Write),
    addr: SocketAddr,
    path: &str,
) -> io::Result<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    let mut buffer = [0; 256];
    while !response.contains(&b'\n') && response.len() < MAX_BYTES {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        response.extend_from_slice(buffer.get(..length).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&response);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| io::Error::other("the response is not HTTP/1.1"))
}

fn time_left(deadline: Instant) -> io::Result<Duration> {
    let time_left = deadline.saturating_duration_since(Instant::now());
    if time_left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(time_left)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{SocketAddr, TcpListener};
    use std::thread::spawn;
    use std::time::Duration;

    use super::{check_path, reachable_address};

    /// Starts a server that sends these bytes to its first client and keeps the connection open until the client closes
    /// it. Returns the result of a request with this timeout.
    fn ask_server(response: &'static [u8], timeout: Duration) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let thread = spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(response).unwrap();
            std::io::copy(&mut stream, &mut std::io::sink()).ok();
        });
        let result = check_path(addr, false, "/healthz", timeout);
        thread.join().unwrap();
        result.map_err(|error| error.replace(&addr.to_string(), "ADDRESS"))
    }

    #[test]
    fn only_the_status_200_is_healthy() {
        let timeout = Duration::from_secs(60);
        assert!(
            ask_server(b"HTTP/1.1 200 OK\r\n", timeout)
                .unwrap()
                .ends_with("/healthz")
        );
        for (response, error) in [
            (
                &b"HTTP/1.1 503 Service Unavailable\r\n\r\n"[..],
                "the status is 503",
            ),
            (b"HTTP/1.1 204 No Content\r\n", "the status is 204"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
            (b"HTTP/1.1 \n", "not HTTP"),
            ("HTTP/1.1 2\u{e9}\n".as_bytes(), "not HTTP"),
            (&[b'x'; 2000], "not HTTP"),
        ] {
            let outcome = ask_server(response, timeout);
            assert!(outcome.as_ref().unwrap_err().contains(error), "{outcome:?}");
        }
    }

    #[test]
    fn a_silent_server_is_given_up_after_the_timeout() {
        let outcome = ask_server(b"HTTP/1.1 20", Duration::from_millis(50));
        let message = "http://ADDRESS/healthz: no response within 50ms";
        assert_eq!(outcome.unwrap_err(), message);
    }

    #[test]
    fn an_address_without_a_server_is_named_with_its_variable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        let error = check_path(addr, false, "/readyz", Duration::from_secs(60)).unwrap_err();
        assert_eq!(
            error,
            format!("http://{addr}/readyz: no server listens there (BIND_ADDR)")
        );
    }

    #[test]
    fn a_server_at_all_addresses_is_asked_at_the_loopback_address() {
        for (bind_addr, addr) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            let bind_addr: SocketAddr = bind_addr.parse().unwrap();
            assert_eq!(reachable_address(bind_addr).to_string(), addr);
        }
    }
}
