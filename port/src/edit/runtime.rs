//! Imports of the runtime module: names that it has, by `from … import`, where the port may have it; nothing else.

use std::collections::BTreeSet;

use super::FindingCode;
use crate::language::{Imported, Language};
use crate::runtime::{Importable, NAME, Offer};

/// What is wrong with what a text imports of the runtime module. What the old text imported already may stay.
pub(super) fn wrong_imports(
    offer: &Offer,
    language: &dyn Language,
    file: &str,
    (old, new): (Option<&str>, &str),
) -> Vec<(FindingCode, String)> {
    let key = |import: &Imported| (import.module.clone(), import.name.clone());
    let before = old.map(|old| language.imported(file, old)).unwrap_or_default();
    let before: BTreeSet<_> = before.iter().map(key).collect();
    let new = language.imported(file, new).into_iter().filter(|import| !before.contains(&key(import)));
    new.filter_map(|import| wrong_import(offer, &import)).collect()
}

fn wrong_import(offer: &Offer, import: &Imported) -> Option<(FindingCode, String)> {
    let line = import.line;
    let module = offer.module().map(ToString::to_string);
    let whole = import.name.as_ref().map(|name| format!("{}.{name}", import.module.trim_end_matches('.')));
    let is_module = |path: &str| Some(path) == module.as_deref();
    // A module of that name elsewhere is a mistake, and not another module.
    let is_like_it = |path: &str| path.rsplit('.').next() == Some(NAME);
    // `from package import _tl_rt` and `import package._tl_rt` name the module itself.
    let of_it = is_module(&import.module) || is_like_it(&import.module);
    let itself = whole.as_deref().is_some_and(|whole| is_module(whole) || is_like_it(whole));
    if !of_it && !itself {
        return None;
    }
    match offer {
        Offer::No { why, .. } => Some((
            FindingCode::RuntimeForbidden,
            format!("line {line}: the runtime module is not to be used: {why}"),
        )),
        Offer::Names(Importable { module, .. })
            if !is_module(&import.module) && !whole.as_deref().is_some_and(is_module) =>
        {
            Some((FindingCode::RuntimeImport, format!("line {line}: the runtime module is `{module}`")))
        }
        Offer::Names(Importable { module, names }) => match &import.name {
            Some(name) if is_module(&import.module) && names.contains(name) => None,
            Some(name) if is_module(&import.module) && name != "*" => Some((
                FindingCode::RuntimeName,
                format!("line {line}: `{module}` has no `{name}`; it has {}", listed(names)),
            )),
            Some(_) | None => Some((
                FindingCode::RuntimeImport,
                format!("line {line}: import names of it, by `from {module} import …`"),
            )),
        },
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::python::tests::python;
    use crate::runtime::Runtime;

    fn offer() -> Offer {
        let python = python();
        Runtime::new("p/_tl_rt.py", &python).unwrap().offer(None, &python)
    }

    fn codes_of(offer: &Offer, old: Option<&str>, new: &str) -> Vec<&'static str> {
        let found = wrong_imports(offer, &python(), "p/sub/m.py", (old, new));
        found.into_iter().map(|(code, _)| code.as_str()).collect()
    }

    fn codes(new: &str) -> Vec<&'static str> {
        codes_of(&offer(), None, new)
    }

    #[test]
    fn names_that_it_has_may_be_imported_in_any_place() {
        for good in [
            "from p._tl_rt import wrapping_add, U32",
            "from .._tl_rt import Panic as Halt",
            "def f():\n    from p._tl_rt import f32\n    return f32(1.5)",
            "import math, p.other\nfrom . import sibling\nfrom p import other",
        ] {
            assert_eq!(codes(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn everything_else_of_it_is_refused_by_its_code() {
        for (text, code) in [
            ("from p._tl_rt import wrapping_frobnicate", "runtime-name"),
            ("from p._tl_rt import _quotient", "runtime-name"),
            ("from p._tl_rt import math", "runtime-name"),
            ("from p._tl_rt import *", "runtime-import"),
            ("import p._tl_rt", "runtime-import"),
            ("import p._tl_rt as rt", "runtime-import"),
            ("from p import _tl_rt", "runtime-import"),
            ("from .. import _tl_rt as rt", "runtime-import"),
            ("from ._tl_rt import wrap", "runtime-import"),
            ("from other._tl_rt import wrap", "runtime-import"),
            ("from ....._tl_rt import wrap", "runtime-import"),
            ("def f():\n    import p._tl_rt\n    return 1", "runtime-import"),
        ] {
            assert_eq!(codes(text), [code], "{text}");
        }
        let told = wrong_imports(&offer(), &python(), "p/m.py", (None, "from ._tl_rt import wrapping_ad"));
        assert!(told[0].1.contains("has no `wrapping_ad`; it has") && told[0].1.contains("wrapping_add"));
    }

    #[test]
    fn a_port_without_it_gets_none() {
        let none = Offer::default();
        assert_eq!(codes_of(&none, None, "from p._tl_rt import wrap"), ["runtime-forbidden"]);
        assert_eq!(codes_of(&none, None, "from . import _tl_rt"), ["runtime-forbidden"]);
        assert_eq!(codes_of(&none, None, "import os.path"), [""; 0]);
        let module = offer().module().cloned();
        let named = Offer::No { module, why: "it is somebody else's".to_owned() };
        assert_eq!(codes_of(&named, None, "from p._tl_rt import wrap"), ["runtime-forbidden"]);
    }

    #[test]
    fn what_a_person_imported_may_stay() {
        let old = "def f():\n    import p._tl_rt as rt\n    return rt.wrap(1, rt.U8)";
        assert_eq!(codes_of(&offer(), Some(old), &old.replace('1', "2")), [""; 0]);
        assert_eq!(codes_of(&Offer::default(), Some(old), &old.replace('1', "2")), [""; 0]);
        assert_eq!(codes_of(&offer(), Some("x = 1"), old), ["runtime-import"]);
    }
}
