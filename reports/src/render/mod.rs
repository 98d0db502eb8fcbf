//! One record in four forms. All are pure; all foreign text is made visible, then escaped for the form.

/// Adds formatted text to a `String`, which cannot fail.
macro_rules! add {
    ($out:expr, $($text:tt)*) => {
        std::fmt::Write::write_fmt(&mut $out, format_args!($($text)*)).expect("a string takes any text")
    };
}

/// The same, and a line end.
macro_rules! add_line {
    ($out:expr, $($text:tt)*) => {{
        add!($out, $($text)*);
        $out.push('\n');
    }};
}

pub mod board;
mod escape;
mod facts;
mod html;
mod markdown;
mod text;

use crate::record::RunRecord;

pub use html::html;
pub use markdown::{MARKDOWN_BYTES_MAX, markdown};
pub use text::text;

/// Why a record could not be rendered. Each is a fault of this program, not of the record.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The page's template does not fit what it is given.
    #[error("cannot render the HTML report: the template does not fit its data")]
    Template(#[from] minijinja::Error),
    /// The record has no form in JSON.
    #[error("cannot write the run record as JSON")]
    Json(#[from] serde_json::Error),
}

/// The record as JSON, as it is; [`schema`] describes it.
pub fn json(record: &RunRecord) -> Result<String, RenderError> {
    let mut json = serde_json::to_string_pretty(record)?;
    json.push('\n');
    Ok(json)
}

/// The JSON Schema of a record.
pub fn schema() -> String {
    let mut schema = format!("{:#}", schemars::schema_for!(RunRecord).as_value());
    schema.push('\n');
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn json_is_the_record() {
        let record = sample::parked();
        assert_eq!(RunRecord::read(&json(&record).unwrap()).unwrap(), record);
    }

    #[test]
    fn the_schema_names_every_field_of_a_record() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        let record = serde_json::to_value(sample::done()).unwrap();
        for field in record.as_object().unwrap().keys() {
            assert!(schema["properties"].get(field).is_some(), "{field}");
        }
    }
}
