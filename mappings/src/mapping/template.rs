//! Templates for symbols and files: text with `{crate}`, `{module}`, `{type}` and `{name}`.

use crate::convention::{Owner, PortNames};

/// A checked template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Crate,
    Module,
    Type,
    Name,
}

impl Template {
    /// Checks a template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, behind)) = rest.split_once('{') {
            let (sign, behind) = behind.split_once('}').ok_or("a `{` is not closed")?;
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(match sign {
                "crate" => Part::Crate,
                "module" => Part::Module,
                "type" => Part::Type,
                "name" => Part::Name,
                _ => {
                    return Err(format!(
                        "`{{{sign}}}` is none of `{{crate}}`, `{{module}}`, `{{type}}`, `{{name}}`"
                    ));
                }
            });
            rest = behind;
        }
        parts.push(Part::Literal(rest.to_owned()));
        parts.retain(|part| *part != Part::Literal(String::new()));
        if parts.is_empty() {
            return Err("it is empty".to_owned());
        }
        if parts.iter().any(|part| matches!(part, Part::Literal(text) if text.contains('}'))) {
            return Err("a `}` closes nothing".to_owned());
        }
        Ok(Self { parts })
    }

    /// The symbol's path; signs that stand for nothing take their dot with them.
    pub(crate) fn symbol(&self, names: &PortNames) -> Result<String, String> {
        let class = names.class()?;
        let with_class = !self.parts.contains(&Part::Type);
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Crate => text.push_str(&names.krate),
                Part::Module => text.push_str(&names.module.join(".")),
                Part::Type => text.push_str(class.unwrap_or_default()),
                Part::Name => {
                    if let Some(class) = class.filter(|_| with_class) {
                        text.push_str(class);
                        text.push('.');
                    }
                    text.push_str(&names.name);
                }
            }
        }
        Ok(text.split('.').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("."))
    }

    /// The file's path.
    pub(crate) fn file(&self, names: &PortNames) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Crate => text.push_str(&names.krate),
                Part::Module if names.module.is_empty() => text.push_str("__init__"),
                Part::Module => text.push_str(&names.module.join("/")),
                Part::Type => text.push_str(names.class()?.unwrap_or_default()),
                Part::Name => text.push_str(&names.name),
            }
        }
        Ok(text)
    }
}

impl PortNames {
    fn class(&self) -> Result<Option<&str>, String> {
        match &self.owner {
            Owner::None => Ok(None),
            Owner::Class(class) => Ok(Some(class)),
            Owner::Foreign(ty) => Err(format!(
                "it is implemented for `{ty}`, which has no class in the port: name its symbol in a `[[link]]`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(module: &[&str], owner: Owner) -> PortNames {
        let module = module.iter().map(|name| (*name).to_owned()).collect();
        PortNames { krate: "krate".to_owned(), module, owner, name: "run".to_owned() }
    }

    #[test]
    fn signs_that_stand_for_nothing_take_their_dot_with_them() {
        let template = Template::parse("port.{module}.{type}.{name}").unwrap();
        assert_eq!(template.symbol(&names(&[], Owner::None)).unwrap(), "port.run");
        let deep = names(&["a", "b"], Owner::Class("Job".to_owned()));
        assert_eq!(template.symbol(&deep).unwrap(), "port.a.b.Job.run");
    }

    #[test]
    fn a_method_keeps_its_class_where_the_template_does_not_name_it() {
        let template = Template::parse("port.{name}").unwrap();
        assert_eq!(template.symbol(&names(&[], Owner::Class("Job".to_owned()))).unwrap(), "port.Job.run");
    }

    #[test]
    fn the_crates_root_is_the_package_file() {
        let template = Template::parse("src/{crate}/{module}.py").unwrap();
        assert_eq!(template.file(&names(&[], Owner::None)).unwrap(), "src/krate/__init__.py");
        assert_eq!(template.file(&names(&["a", "b"], Owner::None)).unwrap(), "src/krate/a/b.py");
    }

    #[test]
    fn a_foreign_type_is_refused_with_what_to_do() {
        let template = Template::parse("port.{name}").unwrap();
        let error = template.symbol(&names(&[], Owner::Foreign("str".to_owned()))).unwrap_err();
        assert!(error.contains("`str`") && error.contains("[[link]]"), "{error}");
    }

    #[test]
    fn broken_templates_are_refused_with_the_reason() {
        for (template, reason) in
            [("", "empty"), ("a.{name", "not closed"), ("a.}name", "closes nothing"), ("{nmae}", "`{nmae}`")]
        {
            let error = Template::parse(template).unwrap_err();
            assert!(error.contains(reason), "{template}: {error}");
        }
    }
}
