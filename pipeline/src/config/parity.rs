//! `[parity]`: how the port's extensions are switched off while it is compared with the upstream.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The most variables.
const VARIABLES_MAX: usize = 100;

/// Beginnings of names that decide how a program runs at all.
const RESERVED: &[&str] = &["PYTHON", "LD_", "DYLD_"];

/// Names of the same kind.
const RESERVED_NAMES: &[&str] = &["PATH", "HOME", "TMPDIR", "SHELL", "USER"];

/// `[parity]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ParitySection {
    /// Variables that switch the port's extensions off. The contract, the port's tests, the timing and the parity mode
    /// of benchmarks run with them. Every `flag` of an `[[extension]]` must be among them.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// Checks the variables: the first complaint, with what to write.
pub(super) fn check(section: &ParitySection) -> Result<(), (String, &'static str)> {
    if section.environment.len() > VARIABLES_MAX {
        let message = format!("more than {VARIABLES_MAX} variables");
        return Err((message, "set fewer"));
    }
    for (name, value) in &section.environment {
        let is_sign = |sign: char| sign == '_' || sign.is_ascii_alphanumeric();
        if name.is_empty()
            || !name.chars().all(is_sign)
            || name.starts_with(|first: char| first.is_ascii_digit())
        {
            return Err((format!("`{name}` is not the name of a variable"), "use letters, digits and `_`"));
        }
        if RESERVED_NAMES.contains(&name.as_str()) || RESERVED.iter().any(|begin| name.starts_with(begin)) {
            let message = format!("`{name}` decides how programs run, and is no switch of the port's");
            return Err((message, "name a variable that the port itself reads"));
        }
        if value.contains('\0') {
            return Err((format!("the value of `{name}` holds a null byte"), "write a plain text"));
        }
    }
    Ok(())
}
