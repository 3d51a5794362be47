//! Embeds the pages, each file uncompressed and compressed. Also declares the folder of the migrations as an input of
//! the build, because `embed_migrations!` does not notice a new migration.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

const PAGES_FOLDER: &str = "../web";
const CLIENT_SCRIPT: &str = "../clients/javascript/client.js";
/// The HTML document of all pages. It loads the assets: the scripts, the styles and the icon.
const DOCUMENT: &str = "index.html";
/// The text in the HTML document that is replaced by the URL path of the folder of the assets.
const FOLDER_PLACEHOLDER: &str = "{assets}";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed={PAGES_FOLDER}");
    println!("cargo:rerun-if-changed={CLIENT_SCRIPT}");
    embed_pages(&PathBuf::from(env::var("OUT_DIR")?))
}

fn embed_pages(out_dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut paths = vec![PathBuf::from(CLIENT_SCRIPT)];
    for entry in fs::read_dir(PAGES_FOLDER)? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some());
    paths.sort_unstable_by_key(|path| path.file_name().map(OsStr::to_owned));
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(OsStr::to_str).map(str::to_owned);
        files.push((name.ok_or("a page's name is not text")?, fs::read(&path)?));
    }
    // The paths of all assets contain one hash of all files: scripts import each other, and a browser must not mix
    // files of two versions.
    let folder = format!("/assets/{}", hash_files(&files)?);
    let mut assets_code = String::new();
    let mut document_code = String::new();
    for (name, content) in files {
        if name == DOCUMENT {
            let document = String::from_utf8(content)?.replace(FOLDER_PLACEHOLDER, &folder);
            document_code = embed(out_dir, &name, document.as_bytes())?;
        } else {
            writeln!(assets_code, "    {},", embed(out_dir, &name, &content)?)?;
        }
    }
    let code = format!(
        "const ASSETS_FOLDER: &str = {folder:?};\n\
        static DOCUMENT: EmbeddedFile = {document_code};\n\
        static ASSETS: &[EmbeddedFile] = &[\n{assets_code}];\n"
    );
    Ok(fs::write(out_dir.join("pages.rs"), code)?)
}

/// Returns the first 6 bytes of the SHA-256 hash of all files, in hexadecimal.
fn hash_files(files: &[(String, Vec<u8>)]) -> Result<String, Box<dyn Error>> {
    let mut hasher = Sha256::new();
    for (name, content) in files {
        hasher.update(name);
        hasher.update(content.len().to_le_bytes());
        hasher.update(content);
    }
    let mut text = String::new();
    for byte in hasher.finalize().iter().take(6) {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// Writes the file, uncompressed and compressed, and returns the code of an `EmbeddedFile` that includes both versions.
fn embed(out_dir: &Path, name: &str, content: &[u8]) -> Result<String, Box<dyn Error>> {
    let gzip_name = format!("{name}.gz");
    fs::write(out_dir.join(name), content)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    fs::write(out_dir.join(&gzip_name), encoder.finish()?)?;
    let content_type = match Path::new(name).extension().and_then(OsStr::to_str) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return Err(format!("web/{name} is of no kind that is served").into()),
    };
    let plain_bytes = include_code(name);
    let gzip_bytes = include_code(&gzip_name);
    Ok(format!(
        "EmbeddedFile {{ name: {name:?}, content_type: {content_type:?}, \
         plain_bytes: {plain_bytes}, gzip_bytes: {gzip_bytes} }}"
    ))
}

/// Returns the code that includes a file of the output folder.
fn include_code(name: &str) -> String {
    format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))")
}
