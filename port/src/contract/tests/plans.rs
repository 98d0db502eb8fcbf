//! What can be probed, by which expression, and the reason for everything else.

use super::*;

#[test]
fn what_cannot_be_probed_has_a_reason() {
    let plan = built().ready().plan();
    let reason = |item: &str| plan.not_probed.get(&ItemPath::new(item).unwrap()).cloned().unwrap_or_default();
    assert!(reason("tiny::misread").contains("does not compile"), "{plan:?}");
    assert_eq!((reason("tiny::word"), reason("tiny::mute")), (String::new(), String::new()));
    assert!(reason("tiny::mapped").contains("cannot be generated"), "{plan:?}");
    assert!(reason("tiny::PairError").contains("not a function"), "{plan:?}");
    assert!(reason("tiny::gone").contains("no such item"), "{plan:?}");
}

fn signature(item: &mut Item) -> &mut FunctionSignature {
    item.signature.as_mut().unwrap()
}

fn reason(item: Item) -> String {
    let mut snapshot = snapshot();
    let path = item.path.clone();
    snapshot.items.insert(path.clone(), item);
    plan_items(&snapshot, std::slice::from_ref(&path), &BTreeMap::new())
        .not_probed
        .remove(&path)
        .unwrap_or_default()
}

#[test]
fn each_kind_of_item_that_cannot_be_called_has_a_reason_of_its_own() {
    let with = |change: fn(&mut Item)| {
        let mut item = function("tiny::other", &[("text", text())], RustType::named("usize"));
        change(&mut item);
        reason(item)
    };
    assert_eq!(with(|_| {}), "");
    assert_eq!(with(|item| signature(item).is_async = true), "it is async");
    assert_eq!(with(|item| signature(item).is_unsafe = true), "it is unsafe");
    assert_eq!(with(|item| item.is_test = true), "it is test code");
    assert!(with(|item| item.exported = false).contains("cannot be named"));
    assert!(
        with(|item| signature(item).generics = vec!["const N: usize".into()]).contains("const parameter")
    );
    assert!(with(|item| signature(item).generics = vec!["W: std::io::Write".into()]).contains("`W`"));
    assert!(
        with(|item| signature(item).output = RustType::named("Counter"))
            .contains("keeps its fields to itself")
    );
    assert!(
        with(|item| signature(item).output = RustType::named("Elsewhere")).contains("cannot be observed")
    );
    let in_place =
        RustType::Reference { mutable: true, target: Box::new(RustType::Other("dyn Write".to_owned())) };
    let changes = function("tiny::other", &[("into", in_place)], RustType::unit());
    assert!(reason(changes).contains("cannot be generated"));
    let private = Item {
        visibility: Visibility::Private,
        ..method("tiny::Counter::peek", Some(Receiver::Shared), &[], RustType::named("u8"))
    };
    assert!(reason(private).contains("cannot be named"));
}

#[test]
fn a_generic_type_is_called_as_the_alias_by_which_its_crate_makes_it_concrete() {
    let paths = ["tiny::Glob::new", "tiny::Glob::matches"].map(|path| path.parse().unwrap());
    let plan = plan_items(&generic_type(Some("u8")), &paths, &BTreeMap::new());
    assert_eq!(plan.not_probed, BTreeMap::new());
    let [matches, new] = plan.functions.as_slice() else { panic!("{:?}", plan.functions) };
    assert_eq!(new.call, "written(&(::tiny::Plain::new(a0.clone())))");
    assert_eq!(new.observed.keys().collect::<Vec<_>>(), ["::tiny::Plain"]);
    assert_eq!(matches.owned, ["u8", "String"]);
    assert!(matches.call.contains("::tiny::Plain::matches(&receiver, a1.as_str())"), "{}", matches.call);
}

#[test]
fn a_generic_type_that_no_alias_makes_concrete_has_a_reason() {
    let path: ItemPath = "tiny::Glob::matches".parse().unwrap();
    let plan = plan_items(&generic_type(None), std::slice::from_ref(&path), &BTreeMap::new());
    assert_eq!(
        plan.not_probed[&path],
        "its type `Glob` is generic, and nothing known stands for its parameters"
    );
}

#[test]
fn a_re_exported_function_is_called_by_its_public_path() {
    let mut snapshot = snapshot();
    let hidden = Item {
        exported: false,
        ..function("tiny::inner::twice", &[("text", text())], RustType::named("usize"))
    };
    let path = hidden.path.clone();
    snapshot.items.insert(path.clone(), hidden);
    let public_paths = BTreeMap::from([(path.clone(), "tiny::twice".to_owned())]);
    let plan = plan_items(&snapshot, &[path], &public_paths);
    assert_eq!(plan.functions[0].call, "written(&(::tiny::twice(a0.as_str())))");
}
