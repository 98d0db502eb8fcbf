//! One `Cargo.toml`, and what it may take from the manifest of its workspace.

use toml::{Table, Value};

use super::model::{Given, Publish};

/// A parsed manifest. Values of a wrong type count as not written: Cargo refuses them.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    own: Table,
}

impl Manifest {
    /// Parses a manifest; the error is on one line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let own: Result<Table, toml::de::Error> = text.parse();
        own.map(|own| Self { own }).map_err(|error| error.to_string().lines().collect::<Vec<_>>().join(" "))
    }

    /// A table at the top.
    pub(super) fn table(&self, key: &str) -> Option<&Table> {
        table(&self.own, key)
    }

    /// A value at the top: `[[bin]]` is a list of tables.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.own.get(key)
    }

    /// `[package]`, which is called `[project]` in old manifests.
    pub(super) fn package(&self) -> Option<&Table> {
        self.table("package").or_else(|| self.table("project"))
    }

    /// `[workspace]`
    pub(super) fn workspace(&self) -> Option<&Table> {
        self.table("workspace")
    }

    /// A switch of `[package]`, such as `autobins`.
    pub(super) fn switch(&self, key: &str) -> Option<bool> {
        self.package()?.get(key)?.as_bool()
    }

    /// All tables that may hold dependencies: the manifest itself, and those for a platform with its name.
    pub(super) fn dependency_owners(&self) -> impl Iterator<Item = (Option<&str>, &Table)> {
        let platforms = self.table("target").into_iter().flatten();
        let named = platforms.filter_map(|(name, value)| Some((Some(name.as_str()), value.as_table()?)));
        std::iter::once((None, &self.own)).chain(named)
    }
}

/// A package's manifest with that of its workspace, if it has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithShared<'a> {
    pub(super) own: &'a Manifest,
    pub(super) shared: Option<&'a Table>,
}

impl<'a> WithShared<'a> {
    /// A value of `[package]`, and whether the workspace lends it.
    fn package_value(&self, key: &str) -> Option<(&'a Value, bool)> {
        let value = self.own.package()?.get(key)?;
        if is_inherited(value) {
            let shared = table(self.shared?, "package")?.get(key)?;
            return Some((shared, true));
        }
        Some((value, false))
    }

    /// A text of `[package]`. A number is a text that somebody forgot to quote; Cargo refuses it.
    pub(super) fn package_text(&self, key: &str) -> Option<Given> {
        let (value, inherited) = self.package_value(key)?;
        value.as_str().map(|text| Given { value: text.to_owned(), inherited })
    }

    /// Where the package may be published.
    pub(super) fn publish(&self) -> Publish {
        match self.package_value("publish").map(|(value, _)| value) {
            Some(Value::Boolean(false)) => Publish::Nowhere,
            Some(Value::Array(_)) => {
                let registries =
                    self.package_value("publish").map_or_else(Vec::new, |(it, _)| texts(Some(it)));
                if registries.is_empty() { Publish::Nowhere } else { Publish::Registries(registries) }
            }
            // Without a version there is nothing to publish.
            None if self.package_value("version").is_none() => Publish::Nowhere,
            _ => Publish::Anywhere,
        }
    }

    /// `[workspace.dependencies]`
    pub(super) fn shared_dependency(&self, name: &str) -> Option<&'a Value> {
        table(self.shared?, "dependencies")?.get(name)
    }
}

/// `key.workspace = true`
pub(super) fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// A table in a table.
pub(super) fn table<'a>(owner: &'a Table, key: &str) -> Option<&'a Table> {
    owner.get(key).and_then(Value::as_table)
}

/// A value under its name with a dash or, as older manifests have it, with an underscore.
pub(super) fn either<'a>(owner: &'a Table, key: &str) -> Option<&'a Value> {
    owner.get(key).or_else(|| owner.get(&key.replace('-', "_")))
}

/// The texts of a list.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
