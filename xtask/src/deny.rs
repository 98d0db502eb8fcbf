//! `cargo xtask deny`: the licences and sources of everything that is built in, offline.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
}

#[derive(Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

/// Fails with the packages that the policy in `deny.toml` does not allow, or the licences that it allows and
/// nothing needs: each of those would let something in unseen.
pub(crate) fn run(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("deny.toml")).context("cannot read deny.toml")?;
    let policy: Policy = toml::from_str(&text).context("cannot read deny.toml")?;
    let invocation = Invocation::new("cargo", root)
        .args(["metadata", "--format-version", "1", "--locked"])
        .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("cargo metadata failed:\n{}", finished.tail(10));
    }
    let metadata: Metadata = serde_json::from_slice(&finished.stdout)?;
    let refused: Vec<String> =
        metadata.packages.iter().filter_map(|package| complaint(package, &policy.licenses.allow)).collect();
    if !refused.is_empty() {
        bail!("not allowed by deny.toml:\n{}", refused.join("\n"));
    }
    let licences: Vec<&str> =
        metadata.packages.iter().filter_map(|package| package.license.as_deref()).collect();
    let idle = unneeded(&licences, &policy.licenses.allow);
    if !idle.is_empty() {
        bail!("allowed by deny.toml and needed by nothing; take it out:\n{}", idle.join("\n"));
    }
    Ok(())
}

/// The allowed licences without which everything would still be met.
fn unneeded<'a>(expressions: &[&str], allowed: &'a BTreeSet<String>) -> Vec<&'a str> {
    let needed = |licence: &String| {
        let mut others = allowed.clone();
        others.remove(licence);
        expressions.iter().any(|expression| !satisfied(expression, &others))
    };
    allowed.iter().filter(|licence| !needed(licence)).map(String::as_str).collect()
}

fn complaint(package: &Package, allowed: &BTreeSet<String>) -> Option<String> {
    let named = format!("{} {}", package.name, package.version);
    if package
        .source
        .as_deref()
        .is_some_and(|source| !source.starts_with("registry+") && !source.starts_with("sparse+"))
    {
        return Some(format!("{named}: its source is not a registry"));
    }
    match &package.license {
        None => Some(format!("{named}: it names no licence")),
        Some(licence) if !satisfied(licence, allowed) => Some(format!("{named}: {licence}")),
        Some(_) => None,
    }
}

/// Whether an SPDX expression can be met with allowed licences alone. `/` is the old form of `OR`.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any_of(&mut rest, allowed);
    met && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(words, allowed);
    while let Some((&"OR", rest)) = words.split_first() {
        *words = rest;
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, allowed);
    while let Some((&"AND", rest)) = words.split_first() {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    *words = rest;
    if *first == "(" {
        let met = any_of(words, allowed);
        if let Some((&")", rest)) = words.split_first() {
            *words = rest;
        }
        return met;
    }
    let mut licence = (*first).to_owned();
    if let [with, exception, rest @ ..] = *words
        && *with == "WITH"
    {
        licence = format!("{first} WITH {exception}");
        *words = rest;
    }
    allowed.contains(&licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_that_nothing_needs_is_named() {
        let allowed = ["MIT", "0BSD", "Zlib"].map(str::to_owned).into();
        assert_eq!(unneeded(&["MIT", "Zlib", "MIT OR 0BSD"], &allowed), ["0BSD"]);
        assert!(unneeded(&["MIT", "Zlib", "0BSD"], &allowed).is_empty());
    }

    #[test]
    fn expressions_are_met_by_what_is_allowed() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        let met = |expression| satisfied(expression, &allowed);
        assert!(met("MIT OR GPL-3.0"));
        assert!(met("GPL-3.0/MIT"));
        assert!(met("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(!met("MIT AND GPL-3.0"));
        assert!(!met("Apache-2.0"));
        assert!(!met(""));
    }
}
