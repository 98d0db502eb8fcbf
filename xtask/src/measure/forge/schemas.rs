//! Our description of the operations that are used, against the one that a forge publishes: `OpenAPI` 3 or Swagger 2.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What one of our operations has that the published description does not.
pub(super) fn compare(ours: &Value, published: &Value, prefix: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, operation) in ours.as_object().into_iter().flatten() {
        if operation["rest"] == false || operation["in_prose"].is_string() {
            continue;
        }
        let Some((method, path)) = name.split_once(' ') else { continue };
        let Some(found) = find(published, &method.to_lowercase(), &format!("{prefix}{path}")) else {
            wrong.push(format!("{name}: there is no such operation"));
            continue;
        };
        let query = parameters(published, found);
        for asked in operation["query"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !query.iter().any(|known| known == asked) {
                wrong.push(format!("{name}: there is no query parameter `{asked}`"));
            }
        }
        let Some(fields) = operation["body"].as_object() else { continue };
        let schemas = bodies(published, found);
        for (field, kind) in fields {
            let kind = kind.as_str().unwrap_or_default();
            let property = schemas.iter().find_map(|schema| property(published, schema, field));
            let Some(property) = property else {
                wrong.push(format!("{name}: there is no field `{field}`"));
                continue;
            };
            if !is_of(published, property, kind.trim_end_matches('!')) {
                wrong.push(format!("{name}: the field `{field}` is not of the type {kind}"));
            }
        }
        for schema in &schemas {
            let needed = resolved(published, schema)["required"].as_array().cloned().unwrap_or_default();
            for field in needed.iter().filter_map(Value::as_str) {
                let sent = fields.get(field).and_then(Value::as_str);
                if schemas.len() == 1 && !sent.is_some_and(|kind| kind.ends_with('!')) && field != "title" {
                    wrong.push(format!("{name}: the field `{field}` is required, and may be missing"));
                }
            }
        }
    }
    wrong
}

/// The operation at a path, whatever its parameters are called.
fn find<'a>(published: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let plain = |path: &str| -> Vec<String> {
        let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
        path.split('/').map(part).collect()
    };
    let wanted = plain(path);
    let mut paths = published["paths"].as_object()?.iter();
    paths.find_map(|(known, item)| (plain(known) == wanted).then(|| item.get(method)).flatten())
}

pub(super) fn resolved<'a>(published: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => published.pointer(pointer).map_or(value, |found| resolved(published, found)),
        None => value,
    }
}

fn parameters(published: &Value, operation: &Value) -> Vec<String> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let query = all.map(|one| resolved(published, one)).filter(|one| one["in"] == "query");
    query.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
}

/// The forms that a body may have.
fn bodies<'a>(published: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let three = &operation["requestBody"]["content"]["application/json"]["schema"];
    let two = operation["parameters"].as_array().into_iter().flatten().find(|one| one["in"] == "body");
    let schema = resolved(published, two.map_or(three, |one| &one["schema"]));
    let forms = ["oneOf", "anyOf"].into_iter().find_map(|key| schema[key].as_array());
    match forms {
        Some(forms) => forms.iter().map(|form| resolved(published, form)).collect(),
        None => vec![schema],
    }
}

fn property<'a>(published: &'a Value, schema: &'a Value, field: &str) -> Option<&'a Value> {
    resolved(published, schema)["properties"].get(field).map(|found| resolved(published, found))
}

fn is_of(published: &Value, property: &Value, kind: &str) -> bool {
    let says = |value: &Value| match &value["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        // Without a type it takes any.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.get("oneOf").is_none(),
    };
    let forms = ["oneOf", "anyOf"].into_iter().filter_map(|key| property[key].as_array()).flatten();
    says(property) || forms.map(|form| resolved(published, form)).any(says)
}

/// The descriptions at a path: of a file, or of each file of a folder.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| {
        file.extension().is_some_and(|ending| ["json", "yaml", "yml"].iter().any(|known| ending == *known))
    });
    files.sort();
    if files.is_empty() {
        bail!("`{}` holds no description: put a `.json` or `.yaml` file there", path.display());
    }
    Ok(files)
}

/// Reads a published description, and says whose it is and what stands before its paths.
pub(super) fn read(path: &Path) -> Result<(&'static str, &'static str, Value)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    let value: Value = if is_json {
        serde_json::from_str(&text).with_context(|| format!("`{}` is no JSON", path.display()))?
    } else {
        serde_saphyr::from_str(&text).with_context(|| format!("`{}` is no YAML", path.display()))?
    };
    let Some(title) = value["info"]["title"].as_str() else {
        bail!("`{}` is no OpenAPI description: it has no `info.title`", path.display());
    };
    let title = title.to_lowercase();
    if title.contains("github") {
        Ok(("github", "", value))
    } else if title.contains("gitea") || title.contains("forgejo") {
        Ok(("gitea", "", value))
    } else if title.contains("gitlab") {
        let has_prefix =
            value["paths"].as_object().is_some_and(|all| all.keys().any(|key| key.starts_with("/api/v4/")));
        Ok(("gitlab", if has_prefix { "/api/v4" } else { "" }, value))
    } else {
        bail!("`{}` describes `{title}`, which is none of GitHub, GitLab, Gitea and Forgejo", path.display())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_description_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            format!("{:#}", read(&path).unwrap_err())
        };
        assert!(format!("{:#}", files(folder.path()).unwrap_err()).contains("put a `.json`"));
        assert!(said("a.json", "{").contains("is no JSON"));
        assert!(said("a.yaml", "a: [").contains("is no YAML"));
        assert!(said("b.yaml", "a: 1").contains("no `info.title`"));
        assert!(said("c.yaml", "info: { title: Bugzilla }").contains("none of GitHub"));
        assert!(format!("{:#}", read(&folder.path().join("none.json")).unwrap_err()).contains("cannot read"));
        std::fs::write(folder.path().join("d.yml"), "info: { title: Gitea API }\npaths: {}").unwrap();
        assert_eq!(read(&folder.path().join("d.yml")).unwrap().0, "gitea");
        assert_eq!(files(folder.path()).unwrap().len(), 5);
    }

    #[test]
    fn what_is_not_published_is_found() {
        let published = json!({
            "components": { "schemas": { "New": { "required": ["head"], "properties": { "head": { "type": "string" } } } } },
            "paths": { "/pulls/{number}": { "post": {
                "parameters": [{ "in": "query", "name": "page" }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/New" } } } },
            } } },
        });
        let right = json!({ "POST /pulls/{n}": { "query": ["page"], "body": { "head": "string!" } } });
        assert_eq!(compare(&right, &published, ""), Vec::<String>::new());
        let wrong = json!({
            "POST /pulls/{n}": { "query": ["size"], "body": { "head": "array", "base": "string" } },
            "GET /pulls/{n}": {},
        });
        let found = compare(&wrong, &published, "");
        assert_eq!(found.len(), 5, "{found:?}");
    }
}
