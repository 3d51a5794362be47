//! A network that tests can cut, silence and restore: between server and database, or between service and server.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use url::Url;

use crate::Database;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Up,
    /// Connections break, new ones are closed at once.
    Cut,
    /// Connections stay open and new ones are accepted, but no bytes pass.
    Silent,
    /// The test is over.
    Gone,
}

/// A proxy on a port of its own.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    network: Mutex<Network>,
    changed: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Starts a proxy in front of this PostgreSQL database.
    #[must_use]
    pub fn before(database: &Database) -> Self {
        let url = Url::parse(&database.url()).unwrap();
        let port = url.port().unwrap_or(5432);
        let target = (url.host_str().unwrap(), port).to_socket_addrs();
        Self::to(target.unwrap().next().unwrap())
    }

    /// Starts a proxy in front of this address.
    #[must_use]
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let line = Arc::new(Line {
            network: Mutex::new(Network::Up),
            changed: Condvar::new(),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&line);
        thread::spawn(move || accepting.accept(&listener, target));
        Self { addr, line }
    }

    /// The database's URL through this proxy.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        let mut url = Url::parse(&database.url()).unwrap();
        url.set_ip_host(self.addr.ip()).unwrap();
        url.set_port(Some(self.addr.port())).unwrap();
        url.into()
    }

    /// Its address as `http://…`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Closes every connection, and each new one.
    pub fn cut(&self) {
        self.line.set(Network::Cut);
        self.line.hang_up();
    }

    /// Holds all bytes back while connections stay open.
    pub fn silence(&self) {
        self.line.set(Network::Silent);
    }

    /// Restores the network; bytes that were held back are delivered.
    pub fn mend(&self) {
        self.line.set(Network::Up);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.set(Network::Gone);
        self.line.hang_up();
        // Wakes the accepting thread, so that it stops.
        let _woken = TcpStream::connect(self.addr);
    }
}

impl Line {
    fn set(&self, network: Network) {
        *self.network.lock().unwrap() = network;
        self.changed.notify_all();
    }

    fn hang_up(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _already_closed = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits while the network is silent; returns whether it is up afterwards.
    fn is_up(&self) -> bool {
        let network = self.network.lock().unwrap();
        let silent = |network: &mut Network| *network == Network::Silent;
        *self.changed.wait_while(network, silent).unwrap() == Network::Up
    }

    fn accept(self: Arc<Self>, listener: &TcpListener, target: SocketAddr) {
        for client in listener.incoming() {
            if *self.network.lock().unwrap() == Network::Gone {
                return;
            }
            let line = Arc::clone(&self);
            thread::spawn(move || line.connect(client.unwrap(), target));
        }
    }

    fn connect(self: Arc<Self>, client: TcpStream, target: SocketAddr) {
        self.open.lock().unwrap().push(client.try_clone().unwrap());
        if !self.is_up() {
            return self.hang_up();
        }
        let server = TcpStream::connect(target).unwrap();
        self.open.lock().unwrap().push(server.try_clone().unwrap());
        let (back, back_to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let line = Arc::clone(&self);
        thread::spawn(move || line.copy(back, back_to));
        self.copy(client, server);
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_broken) => 0,
            };
            let chunk = buffer.get(..read).unwrap_or_default();
            if chunk.is_empty() || !self.is_up() || to.write_all(chunk).is_err() {
                let _already_closed = to.shutdown(Shutdown::Both);
                let _already_closed = from.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}
