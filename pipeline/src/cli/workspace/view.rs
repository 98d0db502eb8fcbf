//! Workspaces for people: a tree of folders, with counts.

use std::collections::{BTreeMap, BTreeSet};

use reports::{count, visible_line};
use upstream::Revision;
use upstream::workspace::{
    Dependency, DependencyKind, Given, Module, ModuleForm, Origin, Package, Publish, Standing, Target,
    TargetKind, Workspace, Workspaces,
};

use super::super::Context;
use super::super::args::Workspace as Args;
use super::super::console::Ink;

/// Entries shown of a long list of files or complaints; `--format json` has them all.
const LISTED_MAX: usize = 20;
/// Kinds of targets with their names.
const KINDS: [(TargetKind, &str); 6] = [
    (TargetKind::Library, "lib"),
    (TargetKind::Binary, "bin"),
    (TargetKind::Example, "example"),
    (TargetKind::Test, "test"),
    (TargetKind::Bench, "bench"),
    (TargetKind::BuildScript, "build script"),
];

/// Which packages use each package, by its folder.
pub(super) struct Users(BTreeMap<String, BTreeSet<String>>);

impl Users {
    /// The users of all packages.
    pub(super) fn of(found: &Workspaces) -> Self {
        let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in &found.packages {
            for (_, used) in package.inner_dependencies(found) {
                users.entry(used.folder.clone()).or_default().insert(package.name.clone());
            }
        }
        Self(users)
    }

    fn of_package(&self, package: &Package) -> Vec<&str> {
        self.0.get(&package.folder).into_iter().flatten().map(String::as_str).collect()
    }

    /// Whether a dependency is a package of this repository.
    fn has(&self, dependency: &Dependency) -> bool {
        matches!(&dependency.origin, Origin::Path { folder: Some(folder) } if self.0.contains_key(folder))
    }
}

/// Everything that the text is made of.
pub(super) struct View<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a Args,
    pub(super) found: &'a Workspaces,
    pub(super) users: &'a Users,
}

impl View<'_> {
    /// The whole text.
    pub(super) fn text(&self, revision: &Revision) -> String {
        let mut lines = vec![format!(
            "{}  {}",
            self.ink(Ink::Yellow, revision.label.as_str()),
            self.ink(Ink::Dim, &revision.summary)
        )];
        for workspace in &self.found.workspaces {
            let packages = self.packages(|package| package.workspace.as_ref() == Some(&workspace.folder));
            if packages.is_empty() && self.args.package.is_some() {
                continue;
            }
            lines.push(String::new());
            lines.extend(self.head(workspace, &packages));
            lines.extend(self.rows(&packages));
        }
        for (standing, head) in [
            (Standing::Alone, "in no workspace"),
            (
                Standing::Unclaimed,
                "below a workspace that neither has nor excludes it: Cargo refuses to build it",
            ),
        ] {
            let packages = self.packages(|package| package.standing == standing);
            if !packages.is_empty() {
                let number = count(packages.len() as u64, "package");
                lines.push(String::new());
                lines.push(format!("{}  {head}", self.ink(Ink::Bold, &number)));
                lines.extend(self.rows(&packages));
            }
        }
        if self.found.packages.is_empty() {
            lines.push("no package: this revision has no `Cargo.toml` that can be read".to_owned());
        }
        lines.extend(self.complaints());
        lines.join("\n") + "\n"
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        self.context.console.data_ink(ink, &visible_line(text))
    }

    fn packages(&self, wanted: impl Fn(&Package) -> bool) -> Vec<&Package> {
        self.found.packages.iter().filter(|package| wanted(package)).collect()
    }

    /// What is true of a workspace as a whole.
    fn head(&self, workspace: &Workspace, packages: &[&Package]) -> Vec<String> {
        let place = if workspace.folder.is_empty() { "the root" } else { &workspace.folder };
        let mut facts = vec![count(workspace.members.len() as u64, "package")];
        if workspace.is_virtual {
            facts.push("no package of its own".to_owned());
        }
        if workspace.default_members.len() != workspace.members.len() {
            facts.push(count(workspace.default_members.len() as u64, "default member"));
        }
        facts.extend(workspace.resolver.as_ref().map(|resolver| format!("resolver {resolver}")));
        let title = self.ink(Ink::Bold, &format!("workspace at {place}"));
        let mut lines = vec![format!("{title}  {}", visible_line(&facts.join(", ")))];
        if self.args.package.is_none() {
            let targets = packages.iter().flat_map(|package| &package.targets);
            lines.push(format!("  targets   {}", kinds(targets)));
        }
        let list = |name: &str, list: &[String]| {
            (!list.is_empty()).then(|| format!("  {name:<9} {}", visible_line(&list.join(", "))))
        };
        lines.extend(list("members", &workspace.patterns.members));
        lines.extend(list("exclude", &workspace.patterns.exclude));
        let mut shared = workspace.shared_keys.clone();
        if !workspace.shared_dependencies.is_empty() {
            shared.push(count(workspace.shared_dependencies.len() as u64, "dependency"));
        }
        lines.extend(list("shares", &shared));
        lines
    }

    /// The packages as a table under their folders, each with what else was asked for below it.
    fn rows(&self, packages: &[&Package]) -> Vec<String> {
        let cells: Vec<[String; 6]> = packages.iter().map(|package| self.cells(package)).collect();
        let width = |column: usize| {
            let widths = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            widths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..6).map(width).collect();
        let mut lines = Vec::new();
        for (at, (package, row)) in packages.iter().zip(&cells).enumerate() {
            let is_last = at + 1 == packages.len();
            let (branch, below) = if is_last { ("└─", "  ") } else { ("├─", "│ ") };
            let mut line = branch.to_owned();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padded = format!("{cell:<width$}");
                let shown = match column {
                    0 => self.context.console.data_ink(Ink::Bold, &padded),
                    5 => self.context.console.data_ink(Ink::Dim, &padded),
                    _ => padded,
                };
                line.push_str(if column == 0 { " " } else { "  " });
                line.push_str(&shown);
            }
            lines.push(line.trim_end().to_owned());
            lines.extend(self.details(package).into_iter().map(|detail| format!("{below}     {detail}")));
        }
        lines
    }

    fn cells(&self, package: &Package) -> [String; 6] {
        let given = |given: &Given| format!("{}{}", given.value, if given.inherited { "*" } else { "" });
        let inner = package.dependencies.iter().filter(|it| self.users.has(it)).count();
        let dependencies = match (package.dependencies.len(), inner) {
            (0, _) => String::new(),
            (all, 0) => count(all as u64, "dependency"),
            (all, inner) => format!("{} ({inner} here)", count(all as u64, "dependency")),
        };
        let mut ends = Vec::new();
        if !package.features.is_empty() {
            ends.push(count(package.features.len() as u64, "feature"));
        }
        if package.publish == Publish::Nowhere {
            ends.push("not published".to_owned());
        }
        let folder = if package.folder.is_empty() { "." } else { &package.folder };
        ends.push(folder.to_owned());
        let cells = [
            package.name.clone(),
            package.version.as_ref().map_or_else(|| "-".to_owned(), given),
            given(&package.edition),
            kinds(&package.targets),
            dependencies,
            ends.join(", "),
        ];
        cells.map(|cell| visible_line(&cell))
    }

    /// What was asked for beside the row.
    fn details(&self, package: &Package) -> Vec<String> {
        let mut lines = Vec::new();
        let (show, whole) = (&self.args.show, self.args.package.is_some());
        if show.targets || show.modules || whole {
            for target in &package.targets {
                lines.push(self.target(target));
                lines.extend(
                    target.modules.iter().flat_map(|tree| &tree.modules).map(|module| self.module(module)),
                );
            }
        }
        if whole {
            lines.extend(package.features.iter().map(|(name, feature)| {
                let implicit = if feature.implicit { " (of the optional dependency)" } else { "" };
                let text = format!("feature {name} = [{}]{implicit}", feature.enables.join(", "));
                visible_line(&text)
            }));
        }
        if show.dependencies || whole {
            lines.extend(package.dependencies.iter().map(|dependency| self.dependency(dependency)));
            let users = self.users.of_package(package);
            if !users.is_empty() {
                lines.push(self.ink(Ink::Dim, &format!("used by {}", users.join(", "))));
            }
        }
        lines
    }

    fn target(&self, target: &Target) -> String {
        let kind = KINDS.iter().find(|(kind, _)| *kind == target.kind).map_or("", |(_, name)| name);
        let mut parts = vec![format!("{kind} {}", target.name), target.root.clone()];
        let is_usual = |it: &String| matches!(it.as_str(), "lib" | "bin");
        if !target.crate_types.iter().all(is_usual) {
            parts.push(format!("[{}]", target.crate_types.join(", ")));
        }
        if !target.required_features.is_empty() {
            parts.push(format!("needs {}", target.required_features.join(", ")));
        }
        let missing =
            if target.present { String::new() } else { self.ink(Ink::Red, "  the file is missing") };
        visible_line(&parts.join("  ")) + &missing
    }

    fn module(&self, module: &Module) -> String {
        let depth = module.path.matches("::").count();
        let name = module.path.rsplit("::").next().unwrap_or(&module.path);
        let how = match module.form {
            ModuleForm::Root | ModuleForm::File => module.file.clone().unwrap_or_default(),
            ModuleForm::Inline => String::new(),
            ModuleForm::Included => format!("includes {}", module.file.as_deref().unwrap_or_default()),
            ModuleForm::Generated => "includes a file that is made while building".to_owned(),
            ModuleForm::Missing => "the file is missing".to_owned(),
            ModuleForm::Cycle => "is already around itself".to_owned(),
        };
        let is_wrong = matches!(module.form, ModuleForm::Missing | ModuleForm::Cycle);
        let how = self.ink(if is_wrong { Ink::Red } else { Ink::Dim }, &how);
        let conditions: Vec<String> = module.conditions.iter().map(|it| format!("  if {it}")).collect();
        let conditions = self.ink(Ink::Yellow, &conditions.concat());
        format!("{}{}  {how}{conditions}", "  ".repeat(depth + 1), visible_line(name)).trim_end().to_owned()
    }

    fn dependency(&self, dependency: &Dependency) -> String {
        let mut words = match dependency.kind {
            DependencyKind::Normal => Vec::new(),
            DependencyKind::Dev => vec!["dev".to_owned()],
            DependencyKind::Build => vec!["build".to_owned()],
        };
        if self.users.has(dependency) {
            words.push("->".to_owned());
        }
        words.push(dependency.name.clone());
        if dependency.package != dependency.name {
            words.push(format!("(the package {})", dependency.package));
        }
        let star = if dependency.inherited { "*" } else { "" };
        words.push(format!("{}{star}", origin(dependency)));
        let mut parts = vec![words.join(" ")];
        if dependency.optional {
            parts.push("optional".to_owned());
        }
        if !dependency.default_features {
            parts.push("without default features".to_owned());
        }
        if !dependency.features.is_empty() {
            parts.push(format!("with {}", dependency.features.join(", ")));
        }
        parts.extend(dependency.platform.as_ref().map(|platform| format!("for {platform}")));
        visible_line(&parts.join(", "))
    }

    /// Orphans, problems and files that could not be read.
    fn complaints(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut section = |head: &str, entries: Vec<String>| {
            if entries.is_empty() {
                return;
            }
            lines.push(String::new());
            lines.push(self.ink(Ink::Bold, &format!("{head} ({})", entries.len())));
            let more = entries.len().saturating_sub(LISTED_MAX);
            lines.extend(
                entries.into_iter().take(LISTED_MAX).map(|entry| format!("  {}", visible_line(&entry))),
            );
            if more > 0 {
                lines.push(self.ink(Ink::Dim, &format!("  and {more} more: `--format json` has them all")));
            }
        };
        let orphans = self.found.orphans.iter().flatten();
        section("files in no module", orphans.map(|orphan| orphan.file.clone()).collect());
        let told = |it: &upstream::workspace::Complaint| format!("{}: {}", it.file, it.reason);
        section("does not fit", self.found.problems.iter().map(told).collect());
        section("could not be read", self.found.unread.iter().map(told).collect());
        lines
    }
}

/// Where a dependency comes from, with its requirement where that counts.
fn origin(dependency: &Dependency) -> String {
    match &dependency.origin {
        Origin::CratesIo => dependency.requirement.clone(),
        Origin::Registry(name) => format!("{} from the registry {name}", dependency.requirement),
        Origin::Git { url, reference: Some((kind, name)) } => format!("from {url}, {kind} {name}"),
        Origin::Git { url, reference: None } => format!("from {url}"),
        Origin::Path { folder: Some(folder) } => format!("at {folder}"),
        Origin::Path { folder: None } => "at a path out of the repository".to_owned(),
    }
}

/// How many targets there are of each kind.
fn kinds<'a>(targets: impl IntoIterator<Item = &'a Target>) -> String {
    let mut numbers: BTreeMap<TargetKind, u64> = BTreeMap::new();
    let mut macros = 0;
    for target in targets {
        if target.crate_types.iter().any(|kind| kind == "proc-macro") {
            macros += 1;
        } else {
            *numbers.entry(target.kind).or_default() += 1;
        }
    }
    let cell = |number: u64, name: &str| if number == 1 { name.to_owned() } else { count(number, name) };
    let mut cells: Vec<String> = Vec::new();
    if macros > 0 {
        cells.push(cell(macros, "proc-macro"));
    }
    for (kind, name) in KINDS {
        cells.extend(numbers.get(&kind).map(|number| cell(*number, name)));
    }
    cells.join(", ")
}
