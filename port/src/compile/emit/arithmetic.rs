//! Operators on numbers, and casts.

use super::{Emit, Py};
use crate::compile::ir::{Arith, Binds, Kind, Node};
use crate::compile::lower::{holder, mask};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty, told};

impl Emit<'_, '_> {
    pub(super) fn arithmetic(&mut self, node: &Node, operator: Arith, left: &Node, right: &Node) -> Made<Py> {
        let ty = self.ty(node);
        let between = (self.between(left), self.between(right));
        let [left_py, right_py] = self.pair(left, right)?;
        match ty {
            Ty::Bool => {
                let (sign, binds) = bitwise(operator);
                Ok(joined(&left_py, sign, &right_py, binds))
            }
            Ty::Float => self.float(operator, &left_py, right, &right_py),
            Ty::Int(int) => {
                let (Some(left), Some(right)) = between else {
                    return refuse(Reason::Expression, "arithmetic on what is no number");
                };
                self.integer(int, operator, (&left_py, left), (&right_py, right))
            }
            other => refuse(Reason::Expression, format!("arithmetic on {}", told(&other))),
        }
    }

    fn float(&mut self, operator: Arith, left: &Py, right: &Node, right_py: &Py) -> Made<Py> {
        match operator {
            Arith::Add => Ok(joined(left, "+", right_py, Binds::Sum)),
            Arith::Sub => Ok(joined(left, "-", right_py, Binds::Sum)),
            Arith::Mul => Ok(joined(left, "*", right_py, Binds::Product)),
            Arith::Div => {
                let is_nonzero = matches!(&right.kind, Kind::Text(text)
                    if text.parse::<f64>().is_ok_and(|value| value != 0.0));
                if is_nonzero {
                    return Ok(joined(left, "/", right_py, Binds::Product));
                }
                self.needs.helpers.insert("_divide");
                Ok(Py::atom(format!("_divide({}, {})", left.text, right_py.text)))
            }
            _ => refuse(Reason::Function, "this operator of `f64`"),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of several operators, of which others may refuse")]
    fn integer(
        &mut self,
        int: Int,
        operator: Arith,
        (left, left_between): (&Py, (i128, i128)),
        (right, right_between): (&Py, (i128, i128)),
    ) -> Made<Py> {
        let raw = self.raw(operator, left_between, right_between);
        let fits = raw.is_some_and(|(low, high)| low >= int.low() && high <= int.high());
        let plain = left_between.0 >= 0 && right_between.0 >= 0;
        match operator {
            Arith::Add | Arith::Sub | Arith::Mul => {
                let (sign, binds) = match operator {
                    Arith::Add => ("+", Binds::Sum),
                    Arith::Sub => ("-", Binds::Sum),
                    _ => ("*", Binds::Product),
                };
                let py = joined(left, sign, right, binds);
                Ok(if fits { py } else { self.held(int, &py) })
            }
            Arith::Div if plain => Ok(joined(left, "//", right, Binds::Product)),
            Arith::Div => {
                let py = self.helper("_div", &[left, right]);
                let overflows = left_between.0 == int.low() && right_between.0 <= -1 && right_between.1 >= -1;
                Ok(if overflows { self.held(int, &py) } else { py })
            }
            Arith::Rem if plain => Ok(joined(left, "%", right, Binds::Product)),
            Arith::Rem => {
                if left_between.0 == int.low() && right_between.0 <= -1 && right_between.1 >= -1 {
                    // The smallest number by -1 overflows, and the remainder alone does not show it.
                    self.needs.helpers.insert("_div");
                    self.needs.helpers.insert("_rem");
                    self.needs.helpers.insert("_checked_signed_rem");
                    return Ok(Py::atom(format!(
                        "_checked_signed_rem({}, {}, {})",
                        left.text,
                        right.text,
                        int.low()
                    )));
                }
                Ok(self.helper("_rem", &[left, right]))
            }
            Arith::And | Arith::Or | Arith::Xor => {
                let (sign, binds) = bitwise(operator);
                Ok(joined(left, sign, right, binds))
            }
            Arith::Shl | Arith::Shr => {
                let bits = i128::from(int.bits);
                let known = right_between.0 >= 0 && right_between.1 < bits;
                let by = if known {
                    right.clone()
                } else {
                    self.helper("_shift", &[right, &Py::atom(int.bits.to_string())])
                };
                if operator == Arith::Shr {
                    return Ok(joined(left, ">>", &by, Binds::Shift));
                }
                let py = joined(left, "<<", &by, Binds::Shift);
                Ok(match (known && fits, int.signed) {
                    (true, _) => py,
                    (false, false) => {
                        Py::new(format!("{} & {}", py.at(Binds::BitAnd), mask(int)), Binds::BitAnd)
                    }
                    (false, true) => self.helper("_wrap_signed", &[&py, &Py::atom(int.bits.to_string())]),
                })
            }
        }
    }

    fn held(&mut self, int: Int, py: &Py) -> Py {
        self.helper(holder(int), &[py])
    }

    pub(super) fn helper(&mut self, name: &'static str, arguments: &[&Py]) -> Py {
        self.needs.helpers.insert(name);
        let texts: Vec<String> = arguments.iter().map(|argument| argument.at(Binds::Lambda)).collect();
        Py::atom(format!("{name}({})", texts.join(", ")))
    }

    pub(super) fn negated(&mut self, node: &Node, of: &Node) -> Made<Py> {
        let between = self.between(of);
        let py = self.expr(of)?;
        let text = Py::new(format!("-{}", py.at(Binds::Unary)), Binds::Unary);
        match (self.ty(node), between) {
            (Ty::Int(int), Some((low, _))) if int.signed => {
                Ok(if low > int.low() { text } else { self.held(int, &text) })
            }
            (Ty::Float, _) => Ok(text),
            (other, _) => refuse(Reason::Function, format!("`-` of {}", told(&other))),
        }
    }

    pub(super) fn inverted(&mut self, node: &Node, of: &Node) -> Made<Py> {
        let py = self.expr(of)?;
        match self.ty(node) {
            Ty::Int(int) if int.signed => Ok(Py::new(format!("~{}", py.at(Binds::Unary)), Binds::Unary)),
            Ty::Int(int) => Ok(Py::new(format!("{} ^ {}", py.at(Binds::BitXor), mask(int)), Binds::BitXor)),
            other => refuse(Reason::Function, format!("`!` of {}", told(&other))),
        }
    }

    pub(super) fn cast(&mut self, node: &Node, of: &Node) -> Made<Py> {
        let (from, to) = (self.ty(of), self.ty(node));
        let between = self.between(of);
        let py = self.expr(of)?;
        let call = |name: &str, py: &Py| Py::atom(format!("{name}({})", py.text));
        match (from, to) {
            (Ty::Int(_), Ty::Int(int)) => {
                let fits = between.is_some_and(|(low, high)| low >= int.low() && high <= int.high());
                Ok(match (fits, int.signed) {
                    (true, _) => py,
                    (false, false) => {
                        Py::new(format!("{} & {}", py.at(Binds::BitAnd), mask(int)), Binds::BitAnd)
                    }
                    (false, true) => self.helper("_wrap_signed", &[&py, &Py::atom(int.bits.to_string())]),
                })
            }
            (Ty::Char, Ty::Int(int)) => {
                let ord = call("ord", &py);
                Ok(if int.bits >= 32 {
                    ord
                } else if int.signed {
                    self.helper("_wrap_signed", &[&ord, &Py::atom(int.bits.to_string())])
                } else {
                    Py::new(format!("{} & {}", ord.text, mask(int)), Binds::BitAnd)
                })
            }
            (Ty::Int(_), Ty::Char) => Ok(call("chr", &py)),
            (Ty::Bool, Ty::Int(_)) => Ok(call("int", &py)),
            (Ty::Int(_), Ty::Float) => Ok(call("float", &py)),
            (Ty::Float, Ty::Int(int)) => {
                let (low, high) = (Py::atom(int.low().to_string()), Py::atom(int.high().to_string()));
                Ok(self.helper("_float_to_int", &[&py, &low, &high]))
            }
            (one, other) if one == other => Ok(py),
            (one, other) => refuse(Reason::Function, format!("{} as {}", told(&one), told(&other))),
        }
    }
}

fn bitwise(operator: Arith) -> (&'static str, Binds) {
    match operator {
        Arith::And => ("&", Binds::BitAnd),
        Arith::Or => ("|", Binds::BitOr),
        _ => ("^", Binds::BitXor),
    }
}

/// Both sides around an operator that groups to the left.
fn joined(left: &Py, sign: &str, right: &Py, binds: Binds) -> Py {
    let tighter = match binds {
        Binds::Sum => Binds::Product,
        Binds::Product => Binds::Unary,
        Binds::Shift => Binds::Sum,
        Binds::BitAnd => Binds::Shift,
        Binds::BitXor => Binds::BitAnd,
        _ => Binds::BitXor,
    };
    Py::new(format!("{} {sign} {}", left.at(binds), right.at(tighter)), binds)
}
