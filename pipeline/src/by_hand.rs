//! What was found, as commands that a person may run in a shell: texts alone, nothing here runs them.

use mappings::SymbolPath;
use reports::record::CounterexampleRecord;

/// Shows what the port gives for a counterexample, from the port's folder. `module` holds its symbol. `None` where the
/// record holds only the beginning of the call.
pub(crate) fn counterexample(
    source_root: &str,
    module: &str,
    example: &CounterexampleRecord,
) -> Option<String> {
    if let Some(line) = example.commands.last() {
        return Some(line.clone());
    }
    let path = if source_root.is_empty() { "." } else { source_root };
    let code = if !example.program.is_empty() {
        format!("import {module}\n{}", example.program.join("\n"))
    } else if port::contract::was_cut(&example.call) {
        return None;
    } else {
        format!("import {module}; print(repr({}))", example.call)
    };
    Some(format!("PYTHONPATH={} python3 -c {}", quoted(path), quoted(&code)))
}

/// The module that a symbol stands in: what contains it and is no symbol itself.
pub(crate) fn module_of(symbol: &str, is_symbol: impl Fn(&str) -> bool) -> String {
    let Ok(mut at) = SymbolPath::new(symbol) else { return symbol.to_owned() };
    while let Some(parent) = at.parent() {
        let is_inner = is_symbol(parent.as_str());
        at = parent;
        if !is_inner {
            break;
        }
    }
    at.to_string()
}

/// A text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(call: &str) -> CounterexampleRecord {
        CounterexampleRecord {
            symbol: "p.m.f".to_owned(),
            call: call.to_owned(),
            upstream: "1".to_owned(),
            port: "2".to_owned(),
            program: Vec::new(),
            divergence: None,
            commands: Vec::new(),
        }
    }

    #[test]
    fn a_command_survives_the_shell() {
        assert_eq!(quoted("a'b"), "'a'\\''b'");
        let mut example = example("p.m.f('x')");
        assert_eq!(
            counterexample("src", "p.m", &example).unwrap(),
            "PYTHONPATH='src' python3 -c 'import p.m; print(repr(p.m.f('\\''x'\\'')))'"
        );
        example.program = ["it = p.m.T('x')", "print(repr(it.f()))"].map(str::to_owned).to_vec();
        assert_eq!(
            counterexample("", "p.m", &example).unwrap(),
            "PYTHONPATH='.' python3 -c 'import p.m\nit = p.m.T('\\''x'\\'')\nprint(repr(it.f()))'"
        );
    }

    #[test]
    fn a_call_of_which_only_the_beginning_is_known_has_no_command() {
        assert_eq!(counterexample("", "p.m", &example(&"x".repeat(3000))), None);
    }

    #[test]
    fn a_symbol_of_a_class_stands_in_the_module_of_the_class() {
        assert_eq!(module_of("p.m.f", |_| false), "p.m");
        assert_eq!(module_of("p.m.T.f", |path| path == "p.m.T"), "p.m");
        assert_eq!(module_of("", |_| false), "");
    }
}
