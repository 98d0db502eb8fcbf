//! Where a file lies to the module that it most likely is.
//!
//! Main function: [`place`]. Cargo's and the language's conventions decide (The Cargo Book, *Package Layout*;
//! The Rust Reference, *Module Source Filenames*); `#[path]` and targets at unusual places are not seen here.

use toml::Table;

use super::tree_diff::PackageFolder;

/// What a `Cargo.toml` says of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The package.
    package: Option<String>,
    /// The library's crate name, where it differs.
    library: Option<String>,
    /// The library's root, where it is unusual.
    library_path: Option<String>,
}

impl Names {
    /// Reads a manifest; one that cannot be read names nothing.
    pub(super) fn read(manifest: &[u8]) -> Self {
        let text = std::str::from_utf8(manifest).unwrap_or_default();
        let by_line = Self::by_line(text);
        // Cargo and people write `[package]` and a name; whatever else is valid is left to the parser.
        if by_line.package.is_some() || !text.contains("package") { by_line } else { Self::parsed(text) }
    }

    fn by_line(text: &str) -> Self {
        let mut names = Self::default();
        let mut table = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                table = line;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = || value.trim().strip_prefix('"')?.split('"').next().map(str::to_owned);
            match (table, key.trim()) {
                ("[package]", "name") => names.package = value(),
                ("[lib]", "name") => names.library = value(),
                ("[lib]", "path") => names.library_path = value(),
                _ => {}
            }
        }
        names
    }

    fn parsed(text: &str) -> Self {
        let table: Option<Table> = text.parse().ok();
        let text = |section: &str, key: &str| {
            let value = table.as_ref()?.get(section)?.get(key)?.as_str()?;
            Some(value.to_owned())
        };
        Self {
            package: text("package", "name"),
            library: text("lib", "name"),
            library_path: text("lib", "path"),
        }
    }
}

/// What a module is compiled into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A library, whose public items others can use.
    Library,
    /// A program, or a build script.
    Program,
    /// An integration test or a benchmark.
    Test,
    /// An example.
    Example,
}

/// A module, guessed from the place of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The path of the module as an item.
    pub(super) module: String,
    /// What it is compiled into.
    pub(super) target: Target,
    /// Whether all of it is test code.
    pub(super) is_test: bool,
    /// Whether it is the root of a crate, so that no declaration elsewhere can hide it.
    pub(super) is_root: bool,
}

/// The module that a `.rs` file is; `None` for one that lies where no target looks, such as test data.
pub(super) fn place(path: &str, package: Option<&PackageFolder>, names: &Names) -> Option<Place> {
    let folder = package.map_or("", |package| package.folder.as_str());
    let inside = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
    let folder_name = folder.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("crate");
    let package_name = names.package.clone().unwrap_or_else(|| folder_name.to_owned());
    let library = names.library.clone().unwrap_or_else(|| package_name.replace('-', "_"));
    let has_library = names.library_path.is_some() || package.is_some_and(|package| package.has_library);
    let stem = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut segments: Vec<&str> = stem.split('/').collect();
    let other = |kind: &str, name: &str| format!("{package_name}[{kind}:{name}]");
    let (krate, target) = match segments.as_slice() {
        _ if names.library_path.as_deref() == Some(inside) => {
            segments.clear();
            (library, Target::Library)
        }
        ["build"] => {
            segments.clear();
            (other("build", "build"), Target::Program)
        }
        ["src", "bin", name, rest @ ..] => {
            let krate = other("bin", name);
            segments = rest.to_vec();
            (krate, Target::Program)
        }
        ["src", "main"] => {
            segments.clear();
            (other("bin", &package_name), Target::Program)
        }
        ["src", rest @ ..] => {
            segments = rest.to_vec();
            if has_library {
                (library, Target::Library)
            } else {
                (other("bin", &package_name), Target::Program)
            }
        }
        [kind @ ("tests" | "benches" | "examples"), name, rest @ ..] => {
            let (kind, target) = match *kind {
                "tests" => ("test", Target::Test),
                "benches" => ("bench", Target::Test),
                _ => ("example", Target::Example),
            };
            let krate = other(kind, name);
            segments = rest.to_vec();
            (krate, target)
        }
        _ => {
            // A library's root may lie anywhere; its modules lie beside it.
            let root = names.library_path.as_deref()?;
            let beside = root.rsplit_once('/').map_or("", |(folder, _)| folder);
            let rest = stem.strip_prefix(beside)?.trim_start_matches('/');
            segments = rest.split('/').collect();
            (library, Target::Library)
        }
    };
    // Deeper down, `main.rs` is a module of that name.
    if let ["lib" | "main"] | [.., "mod"] = segments.as_slice() {
        segments.pop();
    }
    let is_test = target == Target::Test
        || segments.iter().any(|name| {
            matches!(*name, "test" | "tests" | "benches")
                || name.ends_with("_test")
                || name.ends_with("_tests")
        });
    let is_root = segments.is_empty();
    let module = std::iter::once(krate.as_str()).chain(segments).collect::<Vec<_>>().join("::");
    Some(Place { module, target, is_test, is_root })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str, folder: &str, has_library: bool) -> String {
        let package = PackageFolder {
            folder: folder.to_owned(),
            manifest: gix::ObjectId::null(gix::hash::Kind::Sha1),
            has_library,
        };
        let names = Names { package: Some("tide-pool".to_owned()), ..Names::default() };
        place(path, Some(&package), &names).unwrap().module
    }

    #[test]
    fn files_at_their_usual_places_are_the_modules_that_cargo_makes_of_them() {
        for (path, expected) in [
            ("a/src/lib.rs", "tide_pool"),
            ("a/src/net/mod.rs", "tide_pool::net"),
            ("a/src/net/tcp.rs", "tide_pool::net::tcp"),
            ("a/src/main.rs", "tide-pool[bin:tide-pool]"),
            ("a/src/net/main.rs", "tide_pool::net::main"),
            ("a/src/bin/tool.rs", "tide-pool[bin:tool]"),
            ("a/src/bin/tool/main.rs", "tide-pool[bin:tool]"),
            ("a/tests/all.rs", "tide-pool[test:all]"),
            ("a/tests/all/deep.rs", "tide-pool[test:all]::deep"),
            ("a/build.rs", "tide-pool[build:build]"),
        ] {
            assert_eq!(module(path, "a", true), expected, "{path}");
        }
        assert_eq!(module("src/net.rs", "", false), "tide-pool[bin:tide-pool]::net");
    }

    #[test]
    fn a_file_that_no_target_reaches_is_no_module() {
        assert_eq!(place("test_data/odd.rs", None, &Names::default()), None);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_names_nothing() {
        assert_eq!(Names::read(b"[package\nname = 1"), Names::default());
        assert_eq!(Names::read(b"package = { name = \"pool\" }").package.as_deref(), Some("pool"));
        assert_eq!(Names::read(&[0xff, 0xfe]), Names::default());
    }
}
