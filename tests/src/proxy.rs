//! A TCP proxy between a server and its database, or between a service and the server. A test can break and pause the
//! connections of the proxy.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use url::Url;

use crate::Database;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForwardingState {
    /// Bytes are forwarded.
    Up,
    /// Existing connections are closed, and each new connection is closed at once.
    Cut,
    /// Connections stay open and new connections are accepted, but no bytes are forwarded.
    Silent,
    /// The proxy was dropped, and its threads stop.
    Dropped,
}

/// A proxy that listens on a port of its own.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    shared_state: Arc<SharedState>,
}

/// The state that the proxy shares with its threads.
#[derive(Debug)]
struct SharedState {
    forwarding_state: Mutex<ForwardingState>,
    state_changed: Condvar,
    connections: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Starts a proxy that forwards to this PostgreSQL database.
    #[must_use]
    pub fn for_database(database: &Database) -> Self {
        let url = Url::parse(&database.url()).unwrap();
        let port = url.port().unwrap_or(5432);
        let mut socket_addresses = (url.host_str().unwrap(), port).to_socket_addrs().unwrap();
        Self::for_server(socket_addresses.next().unwrap())
    }

    /// Starts a proxy that forwards to the server at this socket address.
    #[must_use]
    pub fn for_server(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shared_state = Arc::new(SharedState {
            forwarding_state: Mutex::new(ForwardingState::Up),
            state_changed: Condvar::new(),
            connections: Mutex::default(),
        });
        let thread_state = Arc::clone(&shared_state);
        thread::spawn(move || thread_state.accept(&listener, target));
        Self { addr, shared_state }
    }

    /// Returns the database's URL with the address of this proxy.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        let mut url = Url::parse(&database.url()).unwrap();
        url.set_ip_host(self.addr.ip()).unwrap();
        url.set_port(Some(self.addr.port())).unwrap();
        url.into()
    }

    /// Returns the URL of the proxy, as `http://…`.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Closes every open connection. Until [`resume`](Self::resume), closes each new connection at once.
    pub fn cut(&self) {
        self.shared_state.set(ForwardingState::Cut);
        self.shared_state.close_connections();
    }

    /// Stops forwarding bytes, but keeps the connections open.
    pub fn silence(&self) {
        self.shared_state.set(ForwardingState::Silent);
    }

    /// Forwards bytes again. After [`silence`](Self::silence), first forwards the bytes that have arrived meanwhile.
    pub fn resume(&self) {
        self.shared_state.set(ForwardingState::Up);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared_state.set(ForwardingState::Dropped);
        self.shared_state.close_connections();
        // Wakes the accepting thread, so that the thread stops.
        let _woken = TcpStream::connect(self.addr);
    }
}

impl SharedState {
    fn set(&self, state: ForwardingState) {
        *self.forwarding_state.lock().unwrap() = state;
        self.state_changed.notify_all();
    }

    fn close_connections(&self) {
        for stream in self.connections.lock().unwrap().drain(..) {
            let _already_closed = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits while the proxy is silent. Returns whether bytes may then be forwarded.
    fn wait_until_not_silent(&self) -> bool {
        let state = self.forwarding_state.lock().unwrap();
        let is_silent = |state: &mut ForwardingState| *state == ForwardingState::Silent;
        *self.state_changed.wait_while(state, is_silent).unwrap() == ForwardingState::Up
    }

    fn accept(self: Arc<Self>, listener: &TcpListener, target: SocketAddr) {
        for client in listener.incoming() {
            if *self.forwarding_state.lock().unwrap() == ForwardingState::Dropped {
                return;
            }
            let shared_state = Arc::clone(&self);
            thread::spawn(move || shared_state.connect(client.unwrap(), target));
        }
    }

    fn connect(self: Arc<Self>, client: TcpStream, target: SocketAddr) {
        self.connections
            .lock()
            .unwrap()
            .push(client.try_clone().unwrap());
        if !self.wait_until_not_silent() {
            return self.close_connections();
        }
        let server = TcpStream::connect(target).unwrap();
        self.connections
            .lock()
            .unwrap()
            .push(server.try_clone().unwrap());
        let (server_reader, client_writer) =
            (server.try_clone().unwrap(), client.try_clone().unwrap());
        let shared_state = Arc::clone(&self);
        thread::spawn(move || shared_state.forward(server_reader, client_writer));
        self.forward(client, server);
    }

    fn forward(&self, mut reader: TcpStream, mut writer: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        loop {
            let length = match reader.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_broken) => 0,
            };
            let chunk = buffer.get(..length).unwrap_or_default();
            if chunk.is_empty() || !self.wait_until_not_silent() || writer.write_all(chunk).is_err()
            {
                let _already_closed = writer.shutdown(Shutdown::Both);
                let _already_closed = reader.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}
