//! The Test Anything Protocol, versions 12 to 14.

use super::{Attempts, Outcome, ReadError, Reading, Row};

const FORMAT: &str = "tap";

pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut plan: Option<usize> = None;
    let mut block_of_yaml = false;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(ReadError::truncated(FORMAT, "its last line does not end"));
    }
    for line in text.lines() {
        // Subtests are indented, and their parent's point sums them up.
        let indented = line.starts_with(' ');
        match line.trim() {
            "---" if indented => block_of_yaml = true,
            "..." if indented => block_of_yaml = false,
            _ if indented || block_of_yaml => {}
            line => {
                if let Some(reason) = line.strip_prefix("Bail out!") {
                    return Err(ReadError::truncated(FORMAT, format!("it bailed out:{reason}")));
                }
                if let Some(count) = plan_of(line) {
                    let count = count?;
                    if plan.replace(count).is_some() {
                        return Err(ReadError::contradiction(FORMAT, "it has two plans"));
                    }
                } else if let Some(rest) = line.strip_prefix("not ok") {
                    rows.push(point(rest, false, rows.len() + 1)?);
                } else if let Some(rest) = line.strip_prefix("ok") {
                    rows.push(point(rest, true, rows.len() + 1)?);
                } else if let Some(version) = line.strip_prefix("TAP version ")
                    && !["12", "13", "14"].contains(&version)
                {
                    return Err(ReadError::malformed(FORMAT, format!("version {version} is unknown")));
                }
            }
        }
    }
    let plan = plan.ok_or_else(|| ReadError::truncated(FORMAT, "it has no plan"))?;
    if rows.len() < plan {
        return Err(ReadError::truncated(FORMAT, format!("{} of {plan} points", rows.len())));
    }
    if rows.len() > plan {
        return Err(ReadError::contradiction(FORMAT, format!("{} points, {plan} planned", rows.len())));
    }
    Reading::of(FORMAT, rows, Attempts::Retries)
}

/// `1..4`
fn plan_of(line: &str) -> Option<Result<usize, ReadError>> {
    let rest = line.strip_prefix("1..")?;
    let number = rest.split('#').next().unwrap_or_default().trim();
    Some(number.parse().map_err(|error| ReadError::malformed(FORMAT, format!("the plan `{line}`: {error}"))))
}

/// `ok 2 - name # SKIP why`: what comes behind `ok` or `not ok`.
fn point(rest: &str, ok: bool, expected: usize) -> Result<Row, ReadError> {
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return Err(ReadError::malformed(FORMAT, format!("`ok{rest}` is no point")));
    }
    let rest = rest.trim();
    let (number, description) = match rest.split_once(' ').unwrap_or((rest, "")) {
        (first, behind) if first.parse::<usize>().is_ok() => (first.parse().unwrap_or(expected), behind),
        _ => (expected, rest),
    };
    if number != expected {
        let reason = format!("point {number} stands where {expected} belongs");
        return Err(ReadError::contradiction(FORMAT, reason));
    }
    let (name, directive) = match description.split_once(" #").or_else(|| description.split_once('#')) {
        Some((name, directive)) => (name, directive.trim().to_ascii_uppercase()),
        None => (description, String::new()),
    };
    let name = name.trim().trim_start_matches('-').trim();
    let outcome = if directive.starts_with("SKIP") {
        Outcome::Skip
    } else if ok || directive.starts_with("TODO") {
        // What is known to fail does not count as failed.
        Outcome::Pass
    } else {
        Outcome::Fail
    };
    let task = if name.is_empty() { number.to_string() } else { name.to_owned() };
    Ok(Row::task(task, outcome))
}
