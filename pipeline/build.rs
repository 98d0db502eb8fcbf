//! Lists the files of the shipped demo port, so that the binary carries all of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new("../demo/strsim-py");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut list = String::from("[\n");
    for file in &files {
        let name = file.strip_prefix(root).map_err(io::Error::other)?.display().to_string();
        // Told from the crate's folder, which the compiler knows: what was built may have moved since.
        let path = format!("/{}", file.display());
        writeln!(list, "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),")
            .map_err(io::Error::other)?;
    }
    list.push(']');
    let out = out_folder().ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(out.join("demo_files.rs"), list)
}

#[expect(clippy::disallowed_methods, reason = "Cargo tells a build script its folder in no other way")]
fn out_folder() -> Option<PathBuf> {
    env::var_os("OUT_DIR").map(PathBuf::from)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "__pycache__" || name == ".tidelock" || name == ".git" {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
