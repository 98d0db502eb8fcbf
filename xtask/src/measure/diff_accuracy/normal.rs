//! What formatting may do to tokens, undone: two parts are the same where what is left is the same.
//!
//! Main function: [`same`]. Only parts whose tokens differ come here; they are parsed, laid out by
//! `prettyplease`, and freed of the signs that `rustfmt` adds and takes away.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Item, Pat, ReturnType, Stmt, Type};

use super::read::{Part, imported};

/// Whether two parts differ in formatting alone.
pub(super) fn same(one: &Part, other: &Part) -> bool {
    let (first, second) = (one.tokens.to_string(), other.tokens.to_string());
    // `syn` reads the old `...` of patterns as `..=`.
    let old_ranges = |text: &str| text.matches("...").count();
    first == second || (old_ranges(&first) == old_ranges(&second) && normal(one) == normal(other))
}

fn normal(part: &Part) -> String {
    let laid_out = part.around.filter(|_| !part.tokens.is_empty()).and_then(|(before, behind)| {
        let mut file = syn::parse_file(&format!("{before} {} {behind}", part.tokens)).ok()?;
        Undo.visit_file_mut(&mut file);
        // The printer gives up on syntax that it does not know; tokens are compared then.
        let text = std::panic::catch_unwind(|| prettyplease::unparse(&file)).ok()?;
        text.parse::<TokenStream>().ok()
    });
    without_trailing_commas(laid_out.unwrap_or_else(|| part.tokens.clone())).to_string()
}

/// Tokens without the comma before a closing bracket, except where it makes a tuple of one.
pub(super) fn without_trailing_commas(tokens: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept: Vec<TokenTree> = Vec::new();
    for tree in trees {
        let tree = match tree {
            TokenTree::Group(group) => {
                let mut inside: Vec<TokenTree> =
                    without_trailing_commas(group.stream()).into_iter().collect();
                let comma =
                    |tree: &TokenTree| matches!(tree, TokenTree::Punct(sign) if sign.as_char() == ',');
                let is_alone = inside.iter().filter(|tree| comma(tree)).count() == 1;
                let may_be_tuple = group.delimiter() == Delimiter::Parenthesis
                    && !matches!(kept.last(), Some(TokenTree::Ident(_)))
                    && !matches!(kept.last(), Some(TokenTree::Group(it)) if it.delimiter() == Delimiter::Parenthesis)
                    && !matches!(kept.last(), Some(TokenTree::Punct(sign)) if matches!(sign.as_char(), '!' | '>'));
                if inside.last().is_some_and(comma) && !(is_alone && may_be_tuple) {
                    inside.pop();
                }
                TokenTree::Group(Group::new(group.delimiter(), inside.into_iter().collect()))
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => tree,
        };
        // Angle brackets are no group.
        let closes = matches!(&tree, TokenTree::Punct(sign) if sign.as_char() == '>');
        if closes && matches!(kept.last(), Some(TokenTree::Punct(sign)) if sign.as_char() == ',') {
            kept.pop();
        }
        kept.push(tree);
    }
    kept.into_iter().collect()
}

/// Takes out what `rustfmt` may add or take away and the printer keeps.
struct Undo;

impl VisitMut for Undo {
    fn visit_block_mut(&mut self, block: &mut Block) {
        let (mut lines, mut kept) = (Vec::new(), Vec::new());
        for statement in std::mem::take(&mut block.stmts) {
            match statement {
                Stmt::Item(Item::Use(it)) => lines.extend(imported(&it)),
                // A semicolon by itself.
                Stmt::Expr(Expr::Verbatim(tokens), _) if tokens.is_empty() => {}
                other @ (Stmt::Local(_) | Stmt::Item(_) | Stmt::Expr(..) | Stmt::Macro(_)) => {
                    kept.push(other);
                }
            }
        }
        lines.sort();
        let literal = |line: &String| {
            let lit = syn::Lit::new(proc_macro2::Literal::string(line));
            Stmt::Expr(Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit }), Some(syn::token::Semi::default()))
        };
        block.stmts = lines.iter().map(literal).chain(kept).collect();
        if let Some(Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), semicolon)) =
            block.stmts.last_mut()
        {
            *semicolon = Some(syn::token::Semi::default());
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut syn::ExprClosure) {
        visit_mut::visit_expr_closure_mut(self, closure);
        if matches!(closure.output, ReturnType::Default) {
            unwrap_block(&mut closure.body);
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        visit_mut::visit_arm_mut(self, arm);
        unwrap_block(&mut arm.body);
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::Paren(outer) = expression
            && matches!(*outer.expr, Expr::Paren(_))
        {
            let inner = std::mem::replace(&mut *outer.expr, Expr::Verbatim(TokenStream::new()));
            *expression = inner;
        }
    }

    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        visit_mut::visit_pat_mut(self, pattern);
        if let Pat::Or(or) = pattern {
            or.leading_vert = None;
            if or.cases.len() == 1
                && let Some(only) = or.cases.pop()
            {
                *pattern = only.into_value();
            }
        }
    }

    fn visit_return_type_mut(&mut self, output: &mut ReturnType) {
        visit_mut::visit_return_type_mut(self, output);
        if matches!(output, ReturnType::Type(_, ty) if matches!(&**ty, Type::Tuple(it) if it.elems.is_empty()))
        {
            *output = ReturnType::Default;
        }
    }

    fn visit_abi_mut(&mut self, abi: &mut syn::Abi) {
        abi.name.get_or_insert_with(|| syn::LitStr::new("C", proc_macro2::Span::call_site()));
    }

    fn visit_macro_mut(&mut self, mac: &mut syn::Macro) {
        mac.tokens = without_trailing_commas(std::mem::take(&mut mac.tokens));
    }
}

/// The one expression of a block, in place of the block.
fn unwrap_block(body: &mut Box<Expr>) {
    if let Expr::Block(it) = &mut **body
        && it.attrs.is_empty()
        && it.label.is_none()
        && let [Stmt::Expr(_, None) | Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _)] =
            it.block.stmts.as_slice()
        && let Some(Stmt::Expr(only, _)) = it.block.stmts.pop()
    {
        **body = only;
    }
}
