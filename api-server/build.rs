//! `embed_migrations!` does not see a new folder by itself, and a test cannot decide at run time to be ignored.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-env-changed=TEST_POSTGRES_URL");
    println!("cargo:rustc-check-cfg=cfg(test_postgres)");
    if std::env::var_os("TEST_POSTGRES_URL").is_some_and(|url| !url.is_empty()) {
        println!("cargo:rustc-cfg=test_postgres");
    }
}
