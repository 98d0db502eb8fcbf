//! Poetry's way to write versions, as PEP 508 says them.

use toml::{Table, Value};

/// The requirements of a table of poetry's, optional ones left out.
pub(super) fn lines(table: &Table) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for (name, value) in table.iter().filter(|(name, _)| *name != "python") {
        match value {
            Value::Array(several) => {
                for one in several {
                    lines.extend(line(name, one)?);
                }
            }
            Value::String(_)
            | Value::Table(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => lines.extend(line(name, value)?),
        }
    }
    Ok(lines)
}

fn line(name: &str, value: &Value) -> Result<Option<String>, String> {
    let stated = |text: &str| {
        specifiers(text).ok_or_else(|| format!("`{name} = \"{text}\"` is no version that is understood"))
    };
    match value {
        Value::String(text) => Ok(Some(format!("{name}{}", stated(text)?))),
        Value::Table(table) => {
            if table.get("optional").and_then(Value::as_bool) == Some(true) {
                return Ok(None);
            }
            let text = |key: &str| table.get(key).and_then(Value::as_str);
            let Some(version) = text("version") else {
                return Err(format!(
                    "`{name}` is taken from sources, and only built packages (wheels) are installed"
                ));
            };
            let extras: Vec<&str> = table
                .get("extras")
                .and_then(Value::as_array)
                .map(|extras| extras.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
            let python = text("python").map(python_marker).transpose()?;
            let platform = text("platform").map(|platform| format!("sys_platform == '{platform}'"));
            let markers: Vec<String> =
                [text("markers").map(|marker| format!("({marker})")), python, platform]
                    .into_iter()
                    .flatten()
                    .collect();
            let markers =
                if markers.is_empty() { String::new() } else { format!(" ; {}", markers.join(" and ")) };
            Ok(Some(format!("{name}{extras}{}{markers}", stated(version)?)))
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {
            Err(format!("`{name}` is no version"))
        }
    }
}

/// `>=3.8,<3.12` as a marker.
fn python_marker(text: &str) -> Result<String, String> {
    let unknown = || format!("`python = \"{text}\"` is not understood");
    let specifiers = specifiers(text).ok_or_else(unknown)?;
    let one = |specifier: &str| {
        let at = specifier.find(|sign: char| sign.is_ascii_digit())?;
        let (operator, version) = specifier.split_at_checked(at)?;
        Some(format!("python_full_version {operator} '{version}'"))
    };
    let all: Option<Vec<String>> = specifiers.split(',').map(|part| one(part.trim())).collect();
    all.map(|all| all.join(" and ")).ok_or_else(unknown)
}

/// A version as poetry writes it in the form of PEP 440; empty for any version, `None` where it is not understood.
pub(super) fn specifiers(text: &str) -> Option<String> {
    let parts: Option<Vec<String>> = text.split(',').map(|part| specifier(part.trim())).collect();
    Some(parts?.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(","))
}

fn specifier(text: &str) -> Option<String> {
    if text == "*" || text.is_empty() {
        return Some(String::new());
    }
    if text.contains('|') || text.contains(' ') && !text.starts_with(['<', '>', '=', '!', '~']) {
        return None;
    }
    if let Some(version) = text.strip_prefix('^') {
        let numbers = numbers(version)?;
        // The first number that is not 0 may not change.
        let fixed = numbers.iter().position(|number| *number != 0).unwrap_or(numbers.len().saturating_sub(1));
        return Some(format!(">={},<{}", version.trim(), raised(&numbers, fixed)?));
    }
    if let Some(version) = text.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        let numbers = numbers(version)?;
        let fixed = usize::from(numbers.len() > 1);
        return Some(format!(">={},<{}", version.trim(), raised(&numbers, fixed)?));
    }
    if text.starts_with(['<', '>', '=', '!', '~']) {
        let spaceless: String = text.split_whitespace().collect();
        // Poetry takes a single sign for equal as well.
        let single = spaceless.starts_with('=') && !spaceless.starts_with("==");
        return Some(if single { format!("={spaceless}") } else { spaceless });
    }
    text.starts_with(|sign: char| sign.is_ascii_digit()).then(|| format!("=={text}"))
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    // `1.2.3rc1` counts as `1.2.3` for the bound above.
    let part = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    version.trim().split('.').map(part).collect()
}

/// The first numbers with the one at a place raised by one.
fn raised(numbers: &[u64], at: usize) -> Option<String> {
    let mut kept = numbers.get(..=at)?.to_vec();
    let last = kept.last_mut()?;
    *last = last.checked_add(1)?;
    Some(kept.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}
