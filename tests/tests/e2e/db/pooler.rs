//! Tests how the server detects a pooler between itself and PostgreSQL, and that it then prepares no statement. The
//! poolers of these tests treat options of a session as real ones do, and pass on everything else.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;

use api_server::db::{DatabaseUrl, Db, DbConnection, WaitingJobLimits};
use api_server::metrics::Metrics;
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use e2e::{Database, Engine, on_postgres};
use url::Url;

on_postgres! {
    the_parameter_pgbouncer_says_whether_statements_are_prepared,
    a_pooler_that_rejects_options_is_found,
    a_pooler_that_ignores_options_is_found,
    a_proxy_that_passes_options_on_is_no_pooler,
    the_server_works_without_prepared_statements,
}

/// A proxy in front of PostgreSQL: what it does with the startup parameter `options`.
#[derive(Debug, Clone, Copy)]
enum Pooler {
    Rejects,
    Ignores,
    PassesOn,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Returns whether a statement stays prepared on a connection to this URL.
async fn is_prepared(url: &Url) -> bool {
    let db = Db::new(
        DatabaseUrl::parse(url.as_str()).unwrap(),
        1,
        WaitingJobLimits::new(1, 1),
        Metrics::default(),
    )
    .unwrap();
    let counts = db.read(|connection| {
        let DbConnection::Postgres(postgres) = connection else {
            unreachable!("a URL of PostgreSQL");
        };
        let _one: i32 = diesel::select(1.into_sql::<Integer>()).get_result(postgres)?;
        diesel::sql_query("SELECT count(*) FROM pg_prepared_statements").get_result(postgres)
    });
    let count: Count = counts.await.unwrap();
    count.count > 0
}

fn with_parameter(url: &str, name: &str, value: &str) -> Url {
    let mut url = Url::parse(url).unwrap();
    url.query_pairs_mut().append_pair(name, value);
    url
}

/// Starts a pooler in front of the database. Returns the URL of the database through the pooler.
fn start_pooler(database: &Database, pooler: Pooler) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut url = with_parameter(&database.url(), "sslmode", "disable");
    let server = url.socket_addrs(|| Some(5432)).unwrap()[0];
    url.set_ip_host(addr.ip()).unwrap();
    url.set_port(Some(addr.port())).unwrap();
    spawn(move || {
        for client in listener.incoming() {
            spawn(move || serve(client.unwrap(), server, pooler));
        }
    });
    url
}

/// Reads the first message of a client, which has the parameters of the session, and then forwards all bytes.
fn serve(mut client: TcpStream, server: SocketAddr, pooler: Pooler) -> io::Result<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut message)?;
    let (version, parameters) = message.split_at(4);
    let mut parts = parameters.split(|byte| *byte == 0);
    let mut passed_on = version.to_vec();
    while let (Some(name), Some(value)) = (parts.next(), parts.next())
        && !name.is_empty()
    {
        match pooler {
            Pooler::Rejects if name == b"options" => {
                return client.write_all(&error_response("unsupported startup parameter: options"));
            }
            Pooler::Ignores if name == b"options" => continue,
            _ => passed_on.extend([name, b"\0", value, b"\0"].concat()),
        }
    }
    passed_on.push(0);
    let mut server = TcpStream::connect(server)?;
    server.write_all(&u32::try_from(passed_on.len() + 4).unwrap().to_be_bytes())?;
    server.write_all(&passed_on)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    spawn(move || {
        io::copy(&mut from_client, &mut to_server).ok();
        to_server.shutdown(Shutdown::Write).ok();
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

/// Encodes an error message of PostgreSQL's protocol that ends a connection.
fn error_response(text: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0C08P01\0M{text}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [b"E", &length[..], fields.as_bytes()].concat()
}

async fn the_parameter_pgbouncer_says_whether_statements_are_prepared(engine: Engine) {
    let database = Database::new(engine);
    assert!(is_prepared(&Url::parse(&database.url()).unwrap()).await);
    assert!(is_prepared(&with_parameter(&database.url(), "pgbouncer", "false")).await);
    assert!(!is_prepared(&with_parameter(&database.url(), "pgbouncer", "true")).await);
}

async fn a_pooler_that_rejects_options_is_found(engine: Engine) {
    let database = Database::new(engine);
    assert!(!is_prepared(&start_pooler(&database, Pooler::Rejects)).await);
}

async fn a_pooler_that_ignores_options_is_found(engine: Engine) {
    let database = Database::new(engine);
    let url = start_pooler(&database, Pooler::Ignores);
    assert!(!is_prepared(&url).await);
    assert!(is_prepared(&with_parameter(url.as_str(), "pgbouncer", "false")).await);
}

async fn a_proxy_that_passes_options_on_is_no_pooler(engine: Engine) {
    let database = Database::new(engine);
    assert!(is_prepared(&start_pooler(&database, Pooler::PassesOn)).await);
}

async fn the_server_works_without_prepared_statements(engine: Engine) {
    let database = Database::new(engine);
    let url = start_pooler(&database, Pooler::Rejects);
    let app = e2e::Options::new(database)
        .set("database-url", url.as_str())
        .start();
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    assert_eq!(ada.all_tasks().await, serde_json::json!([task]));
    let ada = app.login_again(&ada).await;
    ada.post("/api/auth/logout", serde_json::json!({}))
        .await
        .ok();
    ada.get("/api/auth/session")
        .await
        .problem(401, "TOKEN_REVOKED");
}
