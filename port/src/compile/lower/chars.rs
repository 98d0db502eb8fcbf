//! Methods of characters.

use syn::Expr;

use super::Lower;
use crate::compile::ir::{Binds, Kind, Node};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty};

impl Lower<'_> {
    pub(super) fn char_method(&mut self, letter: Node, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let test =
            |text: &str, letter: Node| Ok(Node::template(Ty::Bool, text, vec![letter], Binds::Compare));
        let both = |text: &str, letter: Node| {
            // Two questions about one character: it has to have a name.
            match letter.kind {
                Kind::Local(_) => Ok(Node::template(Ty::Bool, text, vec![letter], Binds::And)),
                _ => Ok(Node::helper(
                    Ty::Bool,
                    "_is_ascii_and",
                    vec![
                        letter,
                        Node::text(
                            Ty::Str,
                            format!(
                                "str.{}",
                                text.rsplit('.').next().unwrap_or_default().trim_end_matches("()")
                            ),
                        ),
                    ],
                )),
            }
        };
        match (name, arguments) {
            ("is_ascii", []) => Ok(Node::atom(Ty::Bool, "{0}.isascii()", vec![letter])),
            ("is_ascii_digit", []) => test("\"0\" <= {c0} <= \"9\"", letter),
            ("is_ascii_uppercase", []) => test("\"A\" <= {c0} <= \"Z\"", letter),
            ("is_ascii_lowercase", []) => test("\"a\" <= {c0} <= \"z\"", letter),
            ("is_ascii_whitespace", []) => test("{c0} in \" \\t\\n\\x0c\\r\"", letter),
            ("is_ascii_hexdigit", []) => test("{c0} in \"0123456789abcdefABCDEF\"", letter),
            ("is_ascii_alphabetic", []) => both("{0}.isascii() and {0}.isalpha()", letter),
            ("is_ascii_alphanumeric", []) => both("{0}.isascii() and {0}.isalnum()", letter),
            ("is_ascii_control", []) => test("({c0} < \" \" or {c0} == \"\\x7f\")", letter),
            // Both languages take these from the property of Unicode with the same name.
            ("is_uppercase", []) => Ok(Node::atom(Ty::Bool, "{0}.isupper()", vec![letter])),
            ("is_lowercase", []) => Ok(Node::atom(Ty::Bool, "{0}.islower()", vec![letter])),
            ("is_whitespace", []) => Ok(Node::helper(Ty::Bool, "_is_whitespace", vec![letter])),
            ("is_control", []) => {
                let text = "unicodedata.category(<0>) == \"Cc\"";
                Ok(Node::template(Ty::Bool, text, vec![letter], Binds::Compare).needing("unicodedata"))
            }
            ("is_numeric", []) => {
                let text = "unicodedata.category(<0>) in (\"Nd\", \"Nl\", \"No\")";
                Ok(Node::template(Ty::Bool, text, vec![letter], Binds::Compare).needing("unicodedata"))
            }
            ("is_alphabetic" | "is_alphanumeric", []) => refuse(
                Reason::CharacterTables,
                format!("`{name}` of `char`: Python's letters are not those of Rust"),
            ),
            ("to_ascii_lowercase" | "to_ascii_uppercase", []) => {
                let helper = if name == "to_ascii_lowercase" { "_ascii_lower" } else { "_ascii_upper" };
                Ok(Node::helper(Ty::Char, helper, vec![letter]))
            }
            ("to_lowercase" | "to_uppercase", []) => {
                let method = if name == "to_lowercase" { "lower" } else { "upper" };
                let text = Node::atom(Ty::Str, format!("{{0}}.{method}()"), vec![letter]);
                Ok(Node::new(Ty::iter(Ty::Char), Kind::Seq(Box::new(text))))
            }
            ("to_string", []) => Ok(Node::new(Ty::Str, letter.kind)),
            ("len_utf8", []) => Ok(Node::atom(Ty::usize(), "len({0}.encode())", vec![letter]).between(1, 4)),
            ("eq_ignore_ascii_case", [_]) => {
                let other = self.one_of(arguments, &Ty::Char)?;
                let lower = |node| Node::helper(Ty::Char, "_ascii_lower", vec![node]);
                self.comparison("==", lower(letter), lower(other))
            }
            ("is_digit", [radix]) => {
                let radix = self.expr(radix)?;
                self.expect(&radix, &Ty::Int(Int::U32))?;
                let digit = Node::helper(Ty::option(Ty::Int(Int::U32)), "_to_digit", vec![letter, radix]);
                Ok(Node::template(Ty::Bool, "{c0} is not None", vec![digit], Binds::Compare))
            }
            ("to_digit", [radix]) => {
                let radix = self.expr(radix)?;
                self.expect(&radix, &Ty::Int(Int::U32))?;
                Ok(Node::helper(Ty::option(Ty::Int(Int::U32)), "_to_digit", vec![letter, radix]))
            }
            ("cmp", [_]) => {
                let other = self.one_of(arguments, &Ty::Char)?;
                Ok(Node::helper(Ty::Ordering, "_compare", vec![letter, other]))
            }
            _ => refuse(Reason::Method, format!("`{name}` of `char`")),
        }
    }
}
