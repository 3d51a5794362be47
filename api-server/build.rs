//! Embeds the pages, compressed, and declares the inputs of the build: `embed_migrations!` does not notice a new folder.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

const PAGES: &str = "../web";
const CLIENT: &str = "../clients/javascript/client.js";
/// The one document, which names the folder of all other files.
const SHELL: &str = "index.html";
const FOLDER: &str = "{assets}";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed={PAGES}");
    println!("cargo:rerun-if-changed={CLIENT}");
    embed_pages(&PathBuf::from(env::var("OUT_DIR")?))
}

fn embed_pages(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut paths = vec![PathBuf::from(CLIENT)];
    for entry in fs::read_dir(PAGES)? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some());
    paths.sort_unstable_by_key(|path| path.file_name().map(OsStr::to_owned));
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(OsStr::to_str).map(str::to_owned);
        files.push((name.ok_or("a page's name is not text")?, fs::read(&path)?));
    }
    // One hash for all files: modules import each other, so an open tab must not mix files of two versions.
    let folder = format!("/assets/{}", hash(&files)?);
    let mut list = String::new();
    let mut shell = String::new();
    for (name, content) in files {
        if name == SHELL {
            let page = String::from_utf8(content)?.replace(FOLDER, &folder);
            shell = embed(out, &name, page.as_bytes())?;
        } else {
            writeln!(list, "    {},", embed(out, &name, &content)?)?;
        }
    }
    let code = format!(
        "const FOLDER: &str = {folder:?};\n\
        static SHELL: File = {shell};\n\
        static ASSETS: &[File] = &[\n{list}];\n"
    );
    Ok(fs::write(out.join("pages.rs"), code)?)
}

fn hash(files: &[(String, Vec<u8>)]) -> Result<String, Box<dyn Error>> {
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

/// Writes the file, plain and compressed, and returns the code that includes both.
fn embed(out: &Path, name: &str, content: &[u8]) -> Result<String, Box<dyn Error>> {
    let compressed = format!("{name}.gz");
    fs::write(out.join(name), content)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    fs::write(out.join(&compressed), encoder.finish()?)?;
    let kind = match Path::new(name).extension().and_then(OsStr::to_str) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return Err(format!("web/{name} is of no kind that is served").into()),
    };
    let plain = include(name);
    let gzip = include(&compressed);
    Ok(format!(
        "File {{ name: {name:?}, kind: {kind:?}, plain: {plain}, gzip: {gzip} }}"
    ))
}

fn include(name: &str) -> String {
    format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))")
}
