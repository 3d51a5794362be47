//! Without a PostgreSQL its tests are listed as ignored, never left out in silence.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(test_postgres)");
    println!("cargo:rerun-if-env-changed=TEST_POSTGRES_URL");
    if std::env::var_os("TEST_POSTGRES_URL").is_some_and(|url| !url.is_empty()) {
        println!("cargo:rustc-cfg=test_postgres");
    }
}
