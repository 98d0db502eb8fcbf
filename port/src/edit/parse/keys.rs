//! The keys of a block's first line: each known, there once, and of its form.

use mappings::SymbolPath;

use super::{AnswerDefect, AnswerError, Block, InsertPlace};

/// The keys of a block's first line.
pub(super) struct Keys<'b> {
    block: &'b Block,
    values: Vec<(&'b str, &'b str)>,
}

impl<'b> Keys<'b> {
    pub(super) fn read(block: &'b Block, known: &[&str]) -> Result<Self, AnswerError> {
        let mut values: Vec<(&str, &str)> = Vec::new();
        for word in block.keys.split_whitespace() {
            let Some((key, value)) = word.split_once('=') else {
                return Err(
                    block.error(AnswerDefect::BadValue, format!("`{word}` is not of the form key=value"))
                );
            };
            if !known.contains(&key) {
                let detail = format!("{} has no key `{key}`", block.operation);
                return Err(block.error(AnswerDefect::UnknownKey, detail));
            }
            if values.iter().any(|(earlier, _)| *earlier == key) {
                return Err(block.error(AnswerDefect::DuplicateKey, format!("`{key}=` stands twice")));
            }
            values.push((key, value));
        }
        Ok(Self { block, values })
    }

    fn optional(&self, key: &str) -> Option<&'b str> {
        self.values.iter().find(|(known, value)| *known == key && !value.is_empty()).map(|(_, value)| *value)
    }

    pub(super) fn required(&self, key: &str) -> Result<&'b str, AnswerError> {
        self.optional(key).ok_or_else(|| {
            self.block.error(AnswerDefect::MissingKey, format!("{} needs `{key}=`", self.block.operation))
        })
    }

    pub(super) fn symbol(&self, key: &str) -> Result<SymbolPath, AnswerError> {
        SymbolPath::new(self.required(key)?)
            .map_err(|error| self.block.error(AnswerDefect::BadValue, error.to_string()))
    }

    pub(super) fn hash(&self) -> Result<String, AnswerError> {
        let hash = self.required("sha")?;
        let is_hash = (8..=32).contains(&hash.len())
            && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash {
            return Ok(hash.to_owned());
        }
        Err(self.block.error(AnswerDefect::BadValue, "`sha=` is 8 to 32 lower-case hexadecimal digits"))
    }

    pub(super) fn place(&self) -> Result<InsertPlace, AnswerError> {
        let given: Vec<&str> =
            ["after", "in", "file"].into_iter().filter(|key| self.optional(key).is_some()).collect();
        match given.as_slice() {
            ["after"] => Ok(InsertPlace::After(self.symbol("after")?)),
            ["in"] => Ok(InsertPlace::InClass(self.symbol("in")?)),
            ["file"] => Ok(InsertPlace::InFile(self.required("file")?.to_owned())),
            [] => {
                Err(self.block.error(AnswerDefect::MissingKey, "it needs one of `after=`, `in=` and `file=`"))
            }
            _ => Err(self
                .block
                .error(AnswerDefect::DuplicateKey, "it takes only one of `after=`, `in=` and `file=`")),
        }
    }
}
