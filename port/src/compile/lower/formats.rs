//! Format strings.

use syn::Expr;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;

use super::Lower;
use crate::compile::ir::{Binds, Kind, Node};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Ty, told};
use crate::translate::rules::value::python_text;

/// `"…", a, name = b`
pub(super) struct Arguments {
    text: String,
    positional: Vec<Expr>,
    named: Vec<(String, Expr)>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let text: syn::LitStr = input.parse()?;
        let mut arguments = Self { text: text.value(), positional: Vec::new(), named: Vec::new() };
        if input.is_empty() {
            return Ok(arguments);
        }
        input.parse::<syn::Token![,]>()?;
        let rest = Punctuated::<Expr, syn::Token![,]>::parse_terminated(input)?;
        for expr in rest {
            match expr {
                Expr::Assign(assign) => {
                    let name = match &*assign.left {
                        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
                        _ => None,
                    };
                    let name = name.ok_or_else(|| input.error("no name before `=`"))?;
                    arguments.named.push((name, *assign.right));
                }
                other => arguments.positional.push(other),
            }
        }
        Ok(arguments)
    }
}

impl Lower<'_> {
    /// A formatted text.
    pub(super) fn formatted(&mut self, arguments: &Arguments) -> Made<Node> {
        let mut out = String::new();
        let mut nodes: Vec<Node> = Vec::new();
        let mut next = 0;
        let mut letters = arguments.text.chars().peekable();
        let mut literal = String::new();
        let flush = |literal: &mut String, out: &mut String| {
            let text = python_text(literal, '"');
            let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
            out.push_str(&inner.replace('{', "{{").replace('}', "}}"));
            literal.clear();
        };
        while let Some(letter) = letters.next() {
            match letter {
                '{' if letters.peek() == Some(&'{') => {
                    letters.next();
                    literal.push('{');
                }
                '}' => {
                    letters.next();
                    literal.push('}');
                }
                '{' => {
                    flush(&mut literal, &mut out);
                    let mut inside = String::new();
                    for letter in letters.by_ref() {
                        if letter == '}' {
                            break;
                        }
                        inside.push(letter);
                    }
                    let (name, spec) = inside.split_once(':').unwrap_or((inside.as_str(), ""));
                    let node = self.format_argument(name.trim(), arguments, &mut next)?;
                    let spec = self.specification(&node, spec)?;
                    let node = self.shown(node, &spec)?;
                    let at = nodes.len();
                    nodes.push(node);
                    let spec = if spec.is_empty() { String::new() } else { format!(":{spec}") };
                    out.extend(["{[", &at.to_string(), "]", &spec, "}"]);
                }
                other => literal.push(other),
            }
        }
        flush(&mut literal, &mut out);
        if nodes.is_empty() {
            return Ok(Node::text(Ty::Str, python_text(&unescaped(&out), '"')));
        }
        if out == "{[0]}"
            && let Some(only) = nodes.first()
            && matches!(self.types.bare(&only.ty), Ty::Str | Ty::Char)
        {
            return Ok(Node::new(Ty::Str, only.kind.clone()));
        }
        Ok(Node::new(
            Ty::Str,
            Kind::Template(crate::compile::ir::Template {
                text: format!("f\"{out}\""),
                arguments: nodes,
                binds: Binds::Atom,
                helpers: Vec::new(),
                runtime: Vec::new(),
                modules: Vec::new(),
                effects: false,
                between: None,
            }),
        ))
    }

    fn format_argument(&mut self, name: &str, arguments: &Arguments, next: &mut usize) -> Made<Node> {
        let missing = || refuse(Reason::Format, "an argument that is not there");
        if name.is_empty() || name.chars().all(|letter| letter.is_ascii_digit()) {
            let at = if name.is_empty() { *next } else { name.parse().unwrap_or(usize::MAX) };
            if name.is_empty() {
                *next += 1;
            }
            return match arguments.positional.get(at) {
                Some(expr) => self.expr(expr),
                None => missing(),
            };
        }
        if let Some((_, expr)) = arguments.named.iter().find(|(own, _)| own == name) {
            return self.expr(expr);
        }
        match syn::parse_str::<Expr>(name) {
            Ok(expr @ Expr::Path(_)) => self.expr(&expr),
            Ok(_) | Err(_) => missing(),
        }
    }

    /// The specification as Python writes it.
    fn specification(&mut self, node: &Node, spec: &str) -> Made<String> {
        let is_text = matches!(self.types.bare(&node.ty), Ty::Str | Ty::Char);
        let unsigned = match self.types.full(&self.types.bare(&node.ty)) {
            Ty::Int(int) => Some(!int.signed),
            _ => None,
        };
        let unknown = || refuse(Reason::Format, format!("`{{:{spec}}}`"));
        if spec.is_empty() {
            return Ok(String::new());
        }
        if spec.contains(['$', '*', '.', '?', 'e', 'E', '+']) {
            return unknown();
        }
        let kind = spec.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        let lead = spec.strip_suffix(kind).unwrap_or(spec);
        let zeros = lead.strip_prefix("#0").or_else(|| lead.strip_prefix('0'));
        let plain_width = |width: &str| width.chars().all(|letter| letter.is_ascii_digit());
        match kind {
            "x" | "X" | "b" | "o" if unsigned == Some(true) => {
                // Rust writes `0x` also before capital digits, Python `0X`.
                if kind == "X" && lead.starts_with('#') {
                    return unknown();
                }
                let rest = zeros.unwrap_or_else(|| lead.trim_start_matches('#'));
                if plain_width(rest) { Ok(spec.to_owned()) } else { unknown() }
            }
            "" if unsigned.is_some() => {
                let rest = lead.trim_start_matches(['<', '>', '^']);
                if plain_width(rest) && !lead.starts_with('#') { Ok(spec.to_owned()) } else { unknown() }
            }
            "" if is_text => {
                let rest = lead.trim_start_matches(['<', '>', '^']);
                if plain_width(rest) && !rest.starts_with('0') { Ok(spec.to_owned()) } else { unknown() }
            }
            _ => unknown(),
        }
    }

    /// A value as `Display` writes it, where Python writes it alike.
    fn shown(&mut self, node: Node, spec: &str) -> Made<Node> {
        match self.types.bare(&node.ty) {
            Ty::Str | Ty::Char | Ty::Int(_) | Ty::IntVar(_) => Ok(node),
            Ty::Bool if spec.is_empty() => Ok(Node::atom(Ty::Str, "str(<0>).lower()", vec![node])),
            Ty::Own(path) if spec.is_empty() => {
                let display = self.program.trait_member(&path, "Display", "fmt");
                match display {
                    Some(placed) if placed.symbol.name() == "__str__" => Ok(node),
                    Some(_) | None => refuse(Reason::Format, format!("`{}` has no text", path.name())),
                }
            }
            other => refuse(Reason::Format, format!("the text of {}", told(&other))),
        }
    }

    pub(super) fn formatter_method(&mut self, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let ty = Ty::Result(Box::new(Ty::Unit), Box::new(Ty::Formatter));
        match (name, arguments) {
            ("write_str" | "write_char" | "pad", [_]) => {
                let text = self.one(arguments)?;
                if !matches!(self.types.bare(&text.ty), Ty::Str | Ty::Char) {
                    return refuse(Reason::Format, "what is written is no text");
                }
                Ok(Node::new(ty, Kind::Write(Box::new(text))))
            }
            _ => refuse(Reason::Method, format!("`{name}` of a formatter")),
        }
    }
}

/// Undoes the doubling of braces, and Python's escapes come again.
fn unescaped(text: &str) -> String {
    let text = text.replace("{{", "{").replace("}}", "}");
    let tokens = crate::translate::rules::python::scan(&format!("\"{text}\"")).unwrap_or_default();
    match tokens.into_iter().next().and_then(|token| token.value) {
        Some(crate::translate::rules::value::Value::Text(text)) => text,
        Some(_) | None => text,
    }
}
