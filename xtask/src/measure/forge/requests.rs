//! Each request as it was sent, against the description that its forge publishes: method, path, parameters and body,
//! by a validator of JSON schemas.

use std::collections::BTreeMap;
use std::rc::Rc;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::fake::operations;
use super::fake::state::Sent;
use super::schemas::resolved;

/// A published description, with what of it was needed so far.
pub(super) struct Published {
    /// The name of its file.
    pub(super) name: String,
    pub(super) kind: &'static str,
    prefix: &'static str,
    document: Value,
    /// Its paths, by themselves without the names of their parameters.
    paths: BTreeMap<String, String>,
    /// Our own list of operations, which names those that a forge describes in prose alone.
    ours: Value,
    described: BTreeMap<String, Option<Rc<Described>>>,
    validators: BTreeMap<String, Result<Validator, String>>,
}

/// What was found of one kind of forge.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) checked: usize,
    /// Requests that are described nowhere but in prose, by operation.
    pub(super) in_prose: BTreeMap<String, usize>,
    /// What is not as published, by what it is.
    pub(super) wrong: BTreeMap<String, usize>,
}

impl Published {
    pub(super) fn new(
        name: String,
        kind: &'static str,
        prefix: &'static str,
        document: Value,
        ours: Value,
    ) -> Self {
        let all = document["paths"].as_object().into_iter().flat_map(Map::keys);
        let paths = all.map(|path| (plain(path), path.clone())).collect();
        let (described, validators) = (BTreeMap::new(), BTreeMap::new());
        Self { name, kind, prefix, document, paths, ours, described, validators }
    }

    /// Checks a request.
    pub(super) fn check(&mut self, sent: &Sent, found: &mut Found) {
        let Sent { method, path, query, body } = sent;
        let Some((name, values)) = operations::find(&self.ours, method, path) else {
            *found.wrong.entry(format!("{method} {path}: we have no such operation")).or_default() += 1;
            return;
        };
        // GraphQL is described by a schema of its own.
        if self.ours[&name]["in_prose"].is_string() || self.ours[&name]["rest"] == false {
            *found.in_prose.entry(name).or_default() += 1;
            return;
        }
        let Some(described) = self.described(&name) else {
            *found.wrong.entry(format!("{name}: there is no such operation")).or_default() += 1;
            return;
        };
        found.checked += 1;
        for wrong in self.wrong(&name, &described, &values, query, body) {
            *found.wrong.entry(format!("{name}: {wrong}")).or_default() += 1;
        }
    }

    /// The published operation that is meant by one of ours, whatever its parameters are called.
    fn described(&mut self, name: &str) -> Option<Rc<Described>> {
        if let Some(known) = self.described.get(name) {
            return known.clone();
        }
        let (method, template) = name.split_once(' ')?;
        let template = self.paths.get(&plain(&format!("{}{template}", self.prefix)));
        let described =
            template.and_then(|template| Described::of(&self.document, template, &method.to_lowercase()));
        let described = described.map(Rc::new);
        self.described.insert(name.to_owned(), described.clone());
        described
    }

    fn wrong(
        &mut self,
        name: &str,
        described: &Described,
        values: &[String],
        query: &[(String, String)],
        body: &Value,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        // What is published of a few parameters is not what the forge's documentation says, and not what it does.
        let in_prose = self.ours[name]["parameters_in_prose"].clone();
        for (parameter, value) in described.path.iter().zip(values) {
            if let Some(schema) = described.parameter("path", parameter)
                && !in_prose[parameter].is_string()
            {
                wrong.extend(self.value(name, schema, parameter, value));
            }
        }
        for (parameter, value) in query {
            match described.parameter("query", parameter) {
                Some(schema) => wrong.extend(self.value(name, schema, parameter, value)),
                None => wrong.push(format!("there is no query parameter `{parameter}`")),
            }
        }
        for needed in described.needed_queries() {
            if !query.iter().any(|(parameter, _)| parameter == needed) {
                wrong.push(format!("the query parameter `{needed}` is missing"));
            }
        }
        match (body, &described.body) {
            (Value::Null, Some(Body { required: true, .. })) => wrong.push("the body is missing".to_owned()),
            (Value::Null, _) => {}
            (_, None) => wrong.push("there is a body, and none is described".to_owned()),
            (body, Some(Body { schema, .. })) => {
                for field in body.as_object().into_iter().flat_map(Map::keys) {
                    if !has_field(&self.document, schema, field) {
                        wrong.push(format!("there is no field `{field}`"));
                    }
                }
                wrong.extend(self.validated(name, schema, body));
            }
        }
        wrong
    }

    /// A parameter's value, which is text on the wire.
    fn value(&mut self, operation: &str, parameter: &Value, name: &str, text: &str) -> Option<String> {
        let schema = parameter.get("schema").cloned().unwrap_or_else(|| {
            // Swagger 2 writes the schema into the parameter itself.
            let keys = ["type", "enum", "items"].into_iter();
            keys.filter_map(|key| Some((key.to_owned(), parameter.get(key)?.clone()))).collect()
        });
        let plain = resolved(&self.document, &schema);
        let value = match plain["type"].as_str() {
            Some("integer" | "number") => {
                text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
            }
            Some("boolean") => text.parse::<bool>().map_or_else(|_| json!(text), |is| json!(is)),
            Some("array") => text.split(',').map(str::to_owned).collect::<Vec<_>>().into(),
            Some(_) | None => json!(text),
        };
        self.validated(&format!("{operation} {name}"), &schema, &value)
            .map(|said| format!("`{name}`: {said}"))
    }

    fn validated(&mut self, key: &str, schema: &Value, value: &Value) -> Option<String> {
        if !self.validators.contains_key(key) {
            let whole = bundled(&self.document, schema);
            let made = jsonschema::options().with_draft(Draft::Draft4).build(&whole);
            self.validators.insert(key.to_owned(), made.map_err(|error| error.to_string()));
        }
        match self.validators.get(key)? {
            Ok(validator) => {
                let said = validator.iter_errors(value).map(|error| {
                    let at = error.instance_path().to_string();
                    format!("{}{error}", if at.is_empty() { at } else { format!("{at}: ") })
                });
                let said: Vec<String> = said.collect();
                (!said.is_empty()).then(|| said.join("; "))
            }
            Err(error) => Some(format!("its published schema is no schema: {error}")),
        }
    }
}

/// An operation's parameters and body.
struct Described {
    /// The names of the parameters in its path, in their order.
    path: Vec<String>,
    parameters: Vec<Value>,
    body: Option<Body>,
}

/// What an operation takes as its body.
struct Body {
    schema: Value,
    required: bool,
}

impl Described {
    fn of(document: &Value, template: &str, method: &str) -> Option<Self> {
        let item = &document["paths"][template];
        let operation = item.get(method)?;
        let both = [&operation["parameters"], &item["parameters"]];
        let all = both.into_iter().filter_map(Value::as_array).flatten();
        let parameters: Vec<Value> = all.map(|one| resolved(document, one).clone()).collect();
        let three = resolved(document, &operation["requestBody"]);
        let two = parameters.iter().find(|one| one["in"] == "body");
        let found = match three["content"]["application/json"].get("schema") {
            Some(schema) => Some((schema, &three["required"])),
            None => two.map(|two| (&two["schema"], &two["required"])),
        };
        let body =
            found.map(|(schema, required)| Body { schema: schema.clone(), required: *required == true });
        let path = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        Some(Self { path: path.map(str::to_owned).collect(), body, parameters })
    }

    fn parameter(&self, place: &str, name: &str) -> Option<&Value> {
        self.parameters.iter().find(|one| one["in"] == place && one["name"] == name)
    }

    fn needed_queries(&self) -> impl Iterator<Item = &str> {
        let needed = self.parameters.iter().filter(|one| one["in"] == "query" && one["required"] == true);
        needed.filter_map(|one| one["name"].as_str())
    }
}

/// A path without the names of its parameters. Of a part that holds more than one parameter nothing is meant.
fn plain(path: &str) -> String {
    let is_one = |part: &str| part.starts_with('{') && part.ends_with('}') && part.matches('{').count() == 1;
    let parts = path.split('/').map(|part| if is_one(part) { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a schema has a field, in any of its forms.
fn has_field(document: &Value, schema: &Value, field: &str) -> bool {
    let schema = resolved(document, schema);
    let forms = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    schema["properties"].get(field).is_some()
        || schema["additionalProperties"].is_object()
        || forms.into_iter().any(|form| has_field(document, form, field))
}

/// A schema with everything that it refers to, at the places where it refers to it.
fn bundled(document: &Value, schema: &Value) -> Value {
    let mut whole = json!({ "allOf": [as_json_schema(schema)] });
    let mut left = references(schema);
    while let Some(pointer) = left.pop() {
        if whole.pointer(&pointer).is_some() {
            continue;
        }
        let Some(target) = document.pointer(&pointer) else { continue };
        left.extend(references(target));
        let mut at = &mut whole;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            at = at.as_object_mut().expect("made of objects alone").entry(part).or_insert_with(|| json!({}));
        }
        *at = as_json_schema(target);
    }
    whole
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
            own.map(str::to_owned).into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(values) => values.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// What `OpenAPI` 3.0 says with words of its own, as JSON Schema says it.
fn as_json_schema(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let told =
                ["nullable", "example", "examples", "discriminator", "xml", "externalDocs", "deprecated"];
            let plain = fields.iter().filter(|(key, value)| {
                // A property may have any name, and is an object.
                !told.contains(&key.as_str()) || (value.is_object() && value.get("type").is_some())
            });
            let plain: Map<String, Value> =
                plain.map(|(key, value)| (key.clone(), as_json_schema(value))).collect();
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                json!({ "anyOf": [{ "type": "null" }, plain] })
            } else {
                Value::Object(plain)
            }
        }
        Value::Array(values) => values.iter().map(as_json_schema).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Published {
        let document = json!({
            "components": {
                "schemas": { "New": {
                    "type": "object",
                    "required": ["head"],
                    "properties": {
                        "head": { "type": "string" },
                        "labels": { "type": "array", "items": { "type": "string" }, "nullable": true },
                    },
                } },
                "parameters": { "size": { "in": "query", "name": "per_page", "schema": { "type": "integer" } } },
            },
            "paths": { "/pulls/{number}.{format}": { "get": {} }, "/pulls/{number}": {
                "parameters": [{ "in": "path", "name": "number", "schema": { "type": "integer" } }],
                "post": {
                    "parameters": [{ "$ref": "#/components/parameters/size" }],
                    "requestBody": { "required": true, "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/New" } } } },
                },
            } },
        });
        let ours = json!({
            "GET /prose": { "in_prose": "https://forge.example/docs" },
            "POST /pulls/{n}": {},
            "PUT /pulls/{n}": {},
        });
        Published::new("published".to_owned(), "github", "", document, ours)
    }

    fn check(method: &str, path: &str, query: &[(&str, &str)], body: Value) -> Found {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sent = Sent { method: method.to_owned(), path: path.to_owned(), query, body };
        let mut found = Found::default();
        published().check(&sent, &mut found);
        found
    }

    #[test]
    fn what_is_as_published_passes() {
        let body = json!({ "head": "x", "labels": null });
        let found = check("POST", "/pulls/3", &[("per_page", "50")], body);
        assert_eq!((found.checked, found.wrong), (1, BTreeMap::new()));
        let found = check("GET", "/prose", &[], Value::Null);
        assert_eq!((found.checked, found.in_prose.len(), found.wrong.len()), (0, 1, 0));
    }

    #[test]
    fn what_is_not_is_told_by_what_it_is() {
        let good = json!({ "head": "x" });
        let cases = [
            (check("PUT", "/pulls/3", &[], good.clone()), "no such operation"),
            (check("POST", "/pulls/three", &[], good.clone()), "`number`"),
            (check("POST", "/pulls/3", &[("per_page", "many")], good.clone()), "`per_page`"),
            (check("POST", "/pulls/3", &[("size", "5")], good), "no query parameter `size`"),
            (check("POST", "/pulls/3", &[], Value::Null), "the body is missing"),
            (check("POST", "/pulls/3", &[], json!({ "labels": [] })), "\"head\" is a required property"),
            (check("POST", "/pulls/3", &[], json!({ "head": 3 })), "/head"),
            (check("POST", "/pulls/3", &[], json!({ "head": "x", "labels": "a" })), "/labels"),
            (check("POST", "/pulls/3", &[], json!({ "head": "x", "base": "y" })), "no field `base`"),
        ];
        for (found, words) in cases {
            let told: Vec<&String> = found.wrong.keys().collect();
            assert!(told.len() == 1 && told[0].contains(words), "{words}: {told:?}");
        }
    }
}
