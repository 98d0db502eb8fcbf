//! The package before anything is in it: its files, how it is built and tested, and what it hands on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mappings::bootstrap::First;
use reports::visible_line;
use upstream::snapshot::{Package, surface};
use upstream::{Item, ItemKind, Snapshot};

use super::layout::{Module, module_of};

/// The longest line of documentation that is taken over, in characters.
const DOC_MAX: usize = 90;

/// The file that tests the port as a whole.
pub(super) const OWN_TEST: &str = "tests/test_port_itself.py";

/// The symbols by which a module hands on what stands in others, as a pattern.
pub(super) const HANDING_ON: &str = "**.{_PUBLIC,__getattr__,__dir__}";

/// What the skeleton is made from.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) first: &'a First,
    pub(super) snapshot: &'a Snapshot,
    /// The crate's package.
    pub(super) krate: &'a Package,
    /// The port's package.
    pub(super) package: &'a str,
    pub(super) with_tests: bool,
    /// Whether the interpreter has no pytest, so that the port has to ask for it.
    pub(super) lacks_pytest: bool,
}

/// All files by path, but for the configuration and the lock.
pub(super) fn files(plan: Plan<'_>) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([
        (".gitignore".to_owned(), ".tidelock/\n__pycache__/\n*.egg-info/\n.pytest_cache/\n".to_owned()),
        ("pyproject.toml".to_owned(), project(plan)),
    ]);
    let handed_on = handed_on(plan);
    for module in modules(plan) {
        files.insert(file_of(plan, &module), module_text(plan, &module, handed_on.get(&module)));
    }
    // The folders of a dotted name are packages as well.
    let parts: Vec<&str> = plan.package.split('.').collect();
    for length in 1..parts.len() {
        let folder = parts.iter().take(length).copied().collect::<Vec<_>>().join("/");
        files.insert(format!("{folder}/__init__.py"), String::new());
    }
    if plan.with_tests {
        files.insert(OWN_TEST.to_owned(), own_test(plan.package));
    }
    files
}

/// The modules of the port that hold anything, and those above them.
fn modules(plan: Plan<'_>) -> BTreeSet<Module> {
    let own = plan.first.files.values().filter_map(|file| module_of(file, plan.package));
    own.flat_map(|module| (0..=module.len()).map(move |length| module.iter().take(length).cloned().collect()))
        .chain([Module::new()])
        .collect()
}

fn file_of(plan: Plan<'_>, module: &Module) -> String {
    let root = plan.package.replace('.', "/");
    let path = module.iter().fold(root, |path, name| format!("{path}/{name}"));
    let plain = format!("{path}.py");
    let is_file = plan.first.files.values().any(|file| *file == plain);
    if is_file { plain } else { format!("{path}/__init__.py") }
}

fn dotted(package: &str, module: &Module) -> String {
    module.iter().fold(package.to_owned(), |path, name| format!("{path}.{name}"))
}

fn module_text(
    plan: Plan<'_>,
    module: &Module,
    handed_on: Option<&BTreeMap<String, (String, String)>>,
) -> String {
    let library = plan.krate.library.as_deref().unwrap_or_default();
    let path = module.iter().fold(library.to_owned(), |path, name| format!("{path}::{name}"));
    let docs = plan.snapshot.items.values().find(|item| item.path.as_str() == path).map(first_line);
    let docs = docs.filter(|docs| !docs.is_empty());
    let mut text = match docs {
        Some(docs) => format!("\"\"\"{docs}\"\"\"\n"),
        None => format!("\"\"\"What the module `{path}` of the Rust crate holds.\"\"\"\n"),
    };
    if let Some(names) = handed_on {
        text.push_str("\nimport importlib\n\n# What users find here, and where it stands.\n_PUBLIC = {\n");
        for (name, (module, attribute)) in names {
            writeln!(text, "    \"{name}\": (\"{module}\", \"{attribute}\"),")
                .expect("a text takes anything");
        }
        text.push_str(HAND_ON);
    }
    text
}

/// What stands elsewhere is brought when it is first asked for, so that no circle of imports can come of it.
const HAND_ON: &str = r#"}


def __getattr__(name):
    """Bring what stands in another module."""
    try:
        module, attribute = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(module), attribute)


def __dir__():
    """Tell what stands here and what is brought."""
    return sorted({*globals(), *_PUBLIC})
"#;

/// The public names of each module that stand in another one: name to module and name there.
fn handed_on(plan: Plan<'_>) -> BTreeMap<Module, BTreeMap<String, (String, String)>> {
    let surface = surface(plan.snapshot);
    let library = plan.krate.library.as_deref().unwrap_or_default();
    let there = modules(plan);
    let mut found: BTreeMap<Module, BTreeMap<String, (String, String)>> = BTreeMap::new();
    for (path, file) in &plan.first.files {
        let (Some(item), Some(waiting)) = (plan.snapshot.items.get(path), plan.first.lock.parked.get(path))
        else {
            continue;
        };
        let Some(home) = module_of(file, plan.package).filter(|_| stands_in_a_module(item)) else { continue };
        for public in surface.of(path) {
            let segments: Vec<&str> = public.split("::").collect();
            let Some(([krate, above @ ..], name)) = segments.split_last().map(|(name, above)| (above, *name))
            else {
                continue;
            };
            let module: Module = above.iter().map(|name| (*name).to_owned()).collect();
            // Under another name, or in another module.
            let own = waiting.symbol.name();
            let name = if name == item.path.name() { own } else { name };
            if *krate == library && there.contains(&module) && module != home && is_plain(name) {
                let place = (dotted(plan.package, &home), own.to_owned());
                found.entry(module).or_default().insert(name.to_owned(), place);
            }
        }
    }
    found
}

fn is_plain(name: &str) -> bool {
    name.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
}

fn stands_in_a_module(item: &Item) -> bool {
    let is_free = match item.kind {
        ItemKind::Function
        | ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Union
        | ItemKind::Trait
        | ItemKind::TypeAlias
        | ItemKind::Const
        | ItemKind::Static => true,
        ItemKind::Method | ItemKind::Impl | ItemKind::Macro | ItemKind::Module => false,
    };
    is_free && !item.is_test
}

/// The first line of an item's documentation, as a line that no text can break out of.
fn first_line(item: &Item) -> String {
    let line = item.docs.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = visible_line(line.trim_start_matches(['#', ' ']));
    line.chars().filter(|letter| !matches!(letter, '"' | '\\')).take(DOC_MAX).collect()
}

fn project(plan: Plan<'_>) -> String {
    let is_version = |version: &&String| version.split('.').all(|part| part.parse::<u32>().is_ok());
    let version = plan.krate.version.as_ref().filter(is_version).map_or("0.0.0", String::as_str);
    let name = plan.package.replace(['.', '_'], "-");
    let top = plan.package.split('.').next().unwrap_or_default();
    let tests = if plan.with_tests {
        "\n[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\npythonpath = [\".\"]\n"
    } else {
        ""
    };
    let wanted = if plan.with_tests && plan.lacks_pytest {
        "\n[dependency-groups]\ntest = [\"pytest>=7\"]\n"
    } else {
        ""
    };
    format!(
        "[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
         [project]\nname = \"{name}\"\nversion = \"{version}\"\n\
         description = \"A Python port of the Rust crate {}\"\nrequires-python = \">=3.10\"\n\n\
         [tool.setuptools.packages.find]\ninclude = [\"{top}*\"]\n{tests}{wanted}",
        plan.krate.name,
    )
}

fn own_test(package: &str) -> String {
    format!(
        "\"\"\"The port as a whole.\"\"\"\n\nimport importlib\nimport pkgutil\n\nimport {package}\n\n\n\
         def test_every_module_can_be_imported():\n    \
         for module in pkgutil.walk_packages({package}.__path__, \"{package}.\"):\n        \
         assert importlib.import_module(module.name).__name__ == module.name\n"
    )
}
