//! Values read from the texts that Rust writes for programmers.
//!
//! Main function: [`read`]. It knows what derived `Debug` writes; a text in another form is kept as it is, and
//! agrees with nothing.

use std::iter::Peekable;
use std::str::Chars;

use super::value::{Record, Value};

/// How deep values nest at most.
const DEPTH_MAX: usize = 60;

/// The value that a `Debug` text stands for.
pub(super) fn read(text: &str) -> Value {
    let mut reader = Reader { chars: text.chars().peekable(), depth: 0 };
    let value = reader.value().filter(|_| reader.chars.peek().is_none());
    value.unwrap_or_else(|| Value::Opaque { class: String::new(), text: text.to_owned() })
}

struct Reader<'t> {
    chars: Peekable<Chars<'t>>,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Value> {
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let value = match self.chars.peek()? {
            '"' => Some(Value::Text(self.quoted('"')?)),
            '\'' => {
                let text = self.quoted('\'')?;
                let mut chars = text.chars();
                chars.next().filter(|_| chars.next().is_none()).map(Value::Char)
            }
            '[' => self.list('[', ']').map(Value::List),
            '(' => {
                self.list('(', ')').map(|all| if all.is_empty() { Value::Unit } else { Value::Tuple(all) })
            }
            '{' => self.braced(),
            '-' | '0'..='9' => self.number(),
            char if char.is_alphabetic() || *char == '_' => self.named(),
            _ => None,
        };
        self.depth -= 1;
        value
    }

    fn spaces(&mut self) {
        while self.chars.next_if(|char| *char == ' ').is_some() {}
    }

    fn is_next(&mut self, wanted: char) -> bool {
        self.chars.next_if_eq(&wanted).is_some()
    }

    fn list(&mut self, open: char, close: char) -> Option<Vec<Value>> {
        if !self.is_next(open) {
            return None;
        }
        let mut all = Vec::new();
        loop {
            self.spaces();
            if self.is_next(close) {
                return Some(all);
            }
            all.push(self.value()?);
            self.spaces();
            if !self.is_next(',') && self.chars.peek() != Some(&close) {
                return None;
            }
        }
    }

    /// A map or a set; of an empty one nothing tells which.
    fn braced(&mut self) -> Option<Value> {
        self.chars.next();
        let (mut entries, mut elements) = (Vec::new(), Vec::new());
        loop {
            self.spaces();
            if self.is_next('}') {
                break;
            }
            let one = self.value()?;
            self.spaces();
            if self.is_next(':') {
                self.spaces();
                entries.push((one, self.value()?));
            } else {
                elements.push(one);
            }
            self.spaces();
            if !self.is_next(',') && self.chars.peek() != Some(&'}') {
                return None;
            }
        }
        match (entries.is_empty(), elements.is_empty()) {
            (false, true) => Some(Value::Map(entries)),
            (true, false) => Some(Value::Set(elements)),
            (_, _) => None,
        }
    }

    fn number(&mut self) -> Option<Value> {
        let mut text = String::new();
        while let Some(char) =
            self.chars.next_if(|char| char.is_ascii_alphanumeric() || "+-.".contains(*char))
        {
            text.push(char);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return text
                .parse::<i128>()
                .ok()
                .map(Value::int)
                .or_else(|| text.parse::<u128>().ok().map(|number| Value::Int(number.to_string())));
        }
        text.parse().ok().map(Value::float)
    }

    fn named(&mut self) -> Option<Value> {
        let mut name = String::new();
        while let Some(char) = self.chars.next_if(|char| char.is_alphanumeric() || *char == '_') {
            name.push(char);
        }
        let boxed = |reader: &mut Self| {
            let mut inside = reader.list('(', ')')?;
            inside.pop().filter(|_| inside.is_empty()).map(Box::new)
        };
        match name.as_str() {
            "true" => return Some(Value::Bool(true)),
            "false" => return Some(Value::Bool(false)),
            "None" => return Some(Value::Nothing),
            "NaN" => return Some(Value::float(f64::NAN)),
            "inf" => return Some(Value::float(f64::INFINITY)),
            "Some" => return boxed(self).map(Value::Some),
            "Ok" => return boxed(self).map(Value::Ok),
            "Err" => return boxed(self).map(Value::Err),
            _ => {}
        }
        let record = |fields, is_positional, variant| {
            Value::Record(Record { class: name.clone(), lineage: Vec::new(), variant, fields, is_positional })
        };
        if self.chars.peek() == Some(&'(') {
            let fields = self.list('(', ')')?.into_iter().enumerate();
            return Some(record(fields.map(|(at, value)| (at.to_string(), value)).collect(), true, None));
        }
        let mut ahead = self.chars.clone();
        if ahead.next() == Some(' ') && ahead.next() == Some('{') {
            self.spaces();
            let fields = self.fields()?;
            return Some(record(fields, false, None));
        }
        // A variant, or a struct without fields.
        let variant = Some(name.clone());
        Some(record(Vec::new(), false, variant))
    }

    fn fields(&mut self) -> Option<Vec<(String, Value)>> {
        self.chars.next();
        let mut fields = Vec::new();
        loop {
            self.spaces();
            if self.is_next('}') {
                return Some(fields);
            }
            if self.is_next('.') {
                self.chars.next();
                fields.push((String::new(), Value::Unit));
                continue;
            }
            let mut name = String::new();
            while let Some(char) = self.chars.next_if(|char| *char != ':' && *char != '}') {
                name.push(char);
            }
            if !self.is_next(':') {
                return None;
            }
            self.spaces();
            fields.push((name.trim_start_matches("r#").to_owned(), self.value()?));
            self.spaces();
            if !self.is_next(',') && self.chars.peek() != Some(&'}') {
                return None;
            }
        }
    }

    fn quoted(&mut self, end: char) -> Option<String> {
        self.chars.next();
        let mut text = String::new();
        loop {
            match self.chars.next()? {
                char if char == end => return Some(text),
                '\\' => text.push(match self.chars.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '0' => '\0',
                    'u' => self.code()?,
                    other => other,
                }),
                char => text.push(char),
            }
        }
    }

    fn code(&mut self) -> Option<char> {
        if !self.is_next('{') {
            return None;
        }
        let mut digits = String::new();
        while let Some(char) = self.chars.next_if(char::is_ascii_hexdigit) {
            digits.push(char);
        }
        char::from_u32(u32::from_str_radix(&digits, 16).ok()?).filter(|_| self.is_next('}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_opaque(text: &str) -> bool {
        matches!(read(text), Value::Opaque { .. })
    }

    #[test]
    fn derived_texts_are_read() {
        assert_eq!(read("-12"), Value::int(-12));
        assert_eq!(read("1.5"), Value::float(1.5));
        assert_eq!(read("-0.0"), Value::float(-0.0));
        assert_eq!(read("inf"), Value::float(f64::INFINITY));
        assert_eq!(read("()"), Value::Unit);
        assert_eq!(read("Some(\"a\\\"\\u{301}\\n\")"), Value::Some(Box::new(Value::text("a\"\u{301}\n"))));
        assert_eq!(read("[('\\'', true)]").to_python(), "[('\\'', True)]");
        assert_eq!(read("{1: \"a\", 2: \"b\"}").to_python(), "{1: 'a', 2: 'b'}");
        assert_eq!(read("Step { at: 1, r#in: [2], .. }").to_python(), "Step(at=1, in=[2], ...)");
        assert_eq!(read("Err(ParseError(3, Deep { x: 1 }))").to_python(), "Err(ParseError(3, Deep(x=1)))");
        assert_eq!(
            read(&format!("{:?}", (1, "x", Some(2.5), vec![Some('\t')]))).to_python(),
            "(1, 'x', 2.5, ['\\t'])"
        );
    }

    #[test]
    fn what_is_in_another_form_is_kept_as_it_is() {
        for text in ["", "1s", "{}", "Point(1", "a b", "[1 2]", "Name { x }", "\"open", "'ab'", "<opaque>"] {
            assert!(is_opaque(text), "{text}");
        }
        assert!(is_opaque(&"[".repeat(500)));
    }
}
