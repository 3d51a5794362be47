//! Tests the maximum number of connections, and which connection the server closes to accept a new one.

use std::time::Duration;

use e2e::{App, Connection, Engine, on_both_engines};
use tokio::time::timeout;

use super::gets_200;

on_both_engines! {
    the_setting_limits_the_number_of_connections,
    the_network_with_the_most_connections_loses_a_connection,
}

/// Opens connections from this IP address until `count` of them have received a response with status 200.
async fn open_connections(app: &App, source_ip: &str, count: usize) -> Vec<Connection> {
    let mut connections = Vec::new();
    while connections.len() < count {
        let mut connection = Connection::open_from(source_ip, app.addr()).await;
        // If the server has not yet noticed that another connection was closed, it may close the new connection.
        if gets_200(&mut connection).await {
            connections.push(connection);
        }
    }
    connections
}

async fn the_setting_limits_the_number_of_connections(engine: Engine) {
    let app = App::on(engine).set("max-connections", "3").start();
    let mut connections = open_connections(&app, "127.0.0.2", 3).await;
    assert!(!gets_200(&mut app.connect().await).await);
    for connection in &mut connections {
        assert!(gets_200(connection).await);
    }
    drop(connections.pop());
    let replacement_future = timeout(
        Duration::from_secs(30),
        open_connections(&app, "127.0.0.3", 1),
    );
    replacement_future
        .await
        .expect("a connection after another one closed");
    for connection in &mut connections {
        assert!(gets_200(connection).await);
    }
}

async fn the_network_with_the_most_connections_loses_a_connection(engine: Engine) {
    let app = App::on(engine)
        .set("max-connections", "4")
        .limits(|limits| limits.counts_loopback = true)
        .start();
    let mut busiest_network_connections = open_connections(&app, "127.0.0.2", 4).await;
    let mut other_network_connections = open_connections(&app, "127.0.0.3", 1).await;
    other_network_connections.extend(open_connections(&app, "127.0.0.4", 1).await);
    for (number, connection) in busiest_network_connections.iter_mut().enumerate() {
        assert_eq!(gets_200(connection).await, number >= 2, "{number}");
    }
    // Each new connection from 127.0.0.2 replaces a connection from 127.0.0.2, not a connection of another network.
    open_connections(&app, "127.0.0.2", 5).await;
    for connection in &mut other_network_connections {
        assert!(gets_200(connection).await);
    }
}
