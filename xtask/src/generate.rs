//! `cargo xtask generate`: documentation that is written from the code, so that it cannot be untrue.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use pipeline::cli::ExitCode;
use pipeline::config::daemon::DaemonFile;
use pipeline::config::{ConfigFile, env};
use serde_json::Value;

/// Writes the files, or with `check` fails where one differs.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let mut files = vec![
        ("docs/configuration.md".to_owned(), configuration()?),
        ("docs/cli.md".to_owned(), command_line()?),
        ("docs/states.md".to_owned(), crate::states::page()?),
        ("docs/schemas/run-record.json".to_owned(), reports::render::schema() + "\n"),
        ("docs/schemas/lock.json".to_owned(), mappings::lock::schema()),
        ("docs/schemas/backtest.json".to_owned(), pipeline::backtest::schema()),
    ];
    let schemas = upstream::schemas::schemas().into_iter();
    files.extend(schemas.map(|(name, text)| (format!("docs/schemas/{name}.json"), text)));
    let of_workspaces = pipeline::cli::workspace_schemas().into_iter();
    files.extend(of_workspaces.map(|(path, text)| (path.to_owned(), text)));
    let mut stale = Vec::new();
    for (name, text) in files {
        let path = root.join(&name);
        if std::fs::read_to_string(&path).is_ok_and(|found| found.trim_end() == text.trim_end()) {
            continue;
        }
        if check {
            stale.push(name);
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, text).with_context(|| format!("cannot write {name}"))?;
    }
    if !stale.is_empty() {
        bail!("not up to date: {}; run `cargo xtask generate`", stale.join(", "));
    }
    Ok(())
}

const CONFIGURATION_HEAD: &str = "# Configuration

`tidelock.toml` stands at the root of the port's repository. `tidelock init` writes one with comments. An
unknown key, a wrong type or a mapping to a missing file is shown with file, line and column.

This page is generated from the code by `cargo xtask generate`.
";

fn configuration() -> Result<String> {
    let schema = serde_json::to_value(schemars::schema_for!(ConfigFile))?;
    let mut text = CONFIGURATION_HEAD.to_owned();
    writeln!(text, "\n## Top level\n")?;
    text.push_str(&rows(&schema, &schema)?);
    let tables = schema["properties"].as_object().context("the schema has no properties")?;
    for (key, property) in tables {
        nested(&mut text, &schema, key, property)?;
    }
    let daemon = serde_json::to_value(schemars::schema_for!(DaemonFile))?;
    writeln!(
        text,
        "\n## The file of a daemon\n\nFor `tidelock watch --config FILE`: see [The daemon](daemon.md).\n"
    )?;
    text.push_str(&rows(&daemon, &daemon)?);
    for (key, property) in daemon["properties"].as_object().context("the schema has no properties")? {
        let mut section = String::new();
        nested(&mut section, &daemon, key, property)?;
        text.push_str(&section.replacen("\n## ", "\n### ", 1));
    }
    writeln!(text, "\n## Environment variables\n\n| variable | meaning |\n| --- | --- |")?;
    for (name, meaning) in env::VARIABLES {
        writeln!(text, "| `{name}` | {meaning} |")?;
    }
    Ok(text)
}

/// A section for each table below a key, and for the tables inside it.
fn nested(text: &mut String, schema: &Value, key: &str, property: &Value) -> Result<()> {
    let (table, is_list) = match resolve(schema, property) {
        (found, true) => (found, true),
        (found, false) => (found, false),
    };
    let Some(properties) = table["properties"].as_object() else { return Ok(()) };
    let head = if is_list { format!("[[{key}]]") } else { format!("[{key}]") };
    writeln!(text, "\n## `{head}`\n")?;
    let about = property["description"].as_str().or(table["description"].as_str()).unwrap_or_default();
    writeln!(text, "{}\n", one_line(about))?;
    text.push_str(&rows(schema, table)?);
    for (name, inner) in properties {
        nested(text, schema, &format!("{key}.{name}"), inner)?;
    }
    Ok(())
}

fn rows(schema: &Value, table: &Value) -> Result<String> {
    let mut text = "| key | type | meaning |\n| --- | --- | --- |\n".to_owned();
    let required: Vec<&str> =
        table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, property) in table["properties"].as_object().into_iter().flatten() {
        let needed = if required.contains(&key.as_str()) { " **Required.**" } else { "" };
        let meaning = one_line(property["description"].as_str().unwrap_or_default());
        writeln!(text, "| `{key}` | {} | {meaning}{needed} |", type_name(schema, property))?;
    }
    Ok(text)
}

/// What a property refers to, and whether it is a list of that.
fn resolve<'a>(schema: &'a Value, property: &'a Value) -> (&'a Value, bool) {
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return (&schema["$defs"][name], false);
    }
    if let Some(options) = property["anyOf"].as_array() {
        let named = options.iter().find(|option| option["type"] != "null");
        return named.map_or((property, false), |option| resolve(schema, option));
    }
    if property["type"] == "array" {
        return (resolve(schema, &property["items"]).0, true);
    }
    (property, false)
}

fn type_name(schema: &Value, property: &Value) -> String {
    let (found, is_list) = resolve(schema, property);
    let choices = found["oneOf"].as_array().map(|options| {
        let names = options.iter().filter_map(|option| option["const"].as_str());
        names.map(|name| format!("`\"{name}\"`")).collect::<Vec<_>>().join(" or ")
    });
    let name = match choices.filter(|choices| !choices.is_empty()) {
        Some(choices) => choices,
        None => match &found["type"] {
            Value::String(name) if name == "object" => "table".to_owned(),
            Value::String(name) => name.clone(),
            Value::Array(names) => {
                let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
                names.collect::<Vec<_>>().join(" or ")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => "value".to_owned(),
        },
    };
    // A list that may be left out has its items beside the list of its types.
    let is_list = is_list || name == "array";
    let name = if name == "array" {
        resolve(schema, &found["items"]).0["type"].as_str().unwrap_or("value").to_owned()
    } else {
        name
    };
    if is_list { format!("list of {name}") } else { name }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn command_line() -> Result<String> {
    let mut command = pipeline::cli::command().term_width(100);
    command.build();
    let mut text =
        "# Command line\n\nThis page is generated from the code by `cargo xtask generate`.\n".to_owned();
    writeln!(text, "\n```text\n{}```", command.render_long_help())?;
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
        .map(|inner| inner.get_name().to_owned())
        .collect();
    for name in names {
        let inner = command.find_subcommand_mut(&name).context("a subcommand is gone")?;
        writeln!(text, "\n## `tidelock {name}`\n\n```text\n{}```", inner.render_long_help())?;
    }
    writeln!(
        text,
        "\n## Exit codes\n\nDocumented API: scripts may rely on them. Data goes to standard output, everything for \
         people to\nstandard error.\n\n| code | meaning |\n| --- | --- |"
    )?;
    for (code, meaning) in ExitCode::TABLE {
        writeln!(text, "| {} | {meaning} |", *code as u8)?;
    }
    let lines = text.lines().map(str::trim_end);
    Ok(lines.collect::<Vec<_>>().join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_of_the_configuration_is_explained() {
        let text = configuration().unwrap();
        for head in [
            "`[upstream]`",
            "`[[map]]`",
            "`[[translate.model]]`",
            "`[gate.timing]`",
            "`[[alert.notify]]`",
            "`[webhook]`",
        ] {
            assert!(text.contains(&format!("## {head}")), "{head} is missing:\n{text}");
        }
        assert!(!text.contains("|  |\n"), "a key has no meaning:\n{text}");
    }

    #[test]
    fn every_command_is_explained() {
        let text = command_line().unwrap();
        for name in ["init", "status", "plan", "sync", "watch", "verify", "report", "doctor", "demo"] {
            assert!(text.contains(&format!("## `tidelock {name}`")), "{name} is missing");
        }
    }
}
