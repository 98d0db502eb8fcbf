//! How probes are drawn.

use super::*;

const NO_EXAMPLES: Examples<'static> =
    Examples { harvested: &[], recorded: &Recorded { calls: BTreeMap::new(), notes: Vec::new() } };
use crate::contract::pools::{CORNERS_MAX, Drawn, draw};

#[test]
fn the_deciding_pool_changes_with_its_seed_alone() {
    let plan = &built().ready().plan().functions;
    let other = Pools { deciding_seed: "other".into(), ..pools() };
    let Drawn { development, deciding, .. } = draw(plan, &|_| true, NO_EXAMPLES, &pools());
    let Drawn { development: same, deciding: different, .. } = draw(plan, &|_| true, NO_EXAMPLES, &other);
    assert_eq!(development, same);
    assert_ne!(deciding, different);
    assert!(deciding.iter().all(|probe| {
        !probe.may_be_shown
            && !development
                .iter()
                .any(|known| known.function == probe.function && known.arguments == probe.arguments)
    }));
}

/// A plan of one function of these parameters.
fn taking(parameters: &[&str]) -> FunctionPlan {
    let parameters: Vec<_> = parameters.iter().map(|ty| ("x", RustType::named(ty))).collect();
    let item = function("tiny::other", &parameters, RustType::named("u8"));
    let (path, mut snapshot) = (item.path.clone(), snapshot());
    snapshot.items.insert(path.clone(), item);
    plan_items(&snapshot, &[path], &BTreeMap::new()).functions.remove(0)
}

#[test]
fn a_boundary_of_a_parameter_is_in_the_smallest_pool_whatever_the_seed() {
    let plan = [taking(&["u8"]), taking(&["u8", "i64", "String"])];
    for seed in 0..20 {
        let pools =
            Pools { development_seed: format!("{seed}"), deciding_seed: "secret".into(), probes_max: 1 };
        let drawn = draw(&plan, &|_| true, NO_EXAMPLES, &pools);
        let has = |function: usize, at: usize, value: &Value| {
            drawn.development.iter().any(|probe| probe.function == function && probe.arguments[at] == *value)
        };
        for byte in [0, 1, 127, 128, 254, 255] {
            assert!(has(0, 0, &Value::int(byte)) && has(1, 0, &Value::int(byte)), "{seed}: {byte}");
        }
        assert!(has(1, 1, &Value::int(i64::MIN)) && has(1, 1, &Value::int(i64::MAX)), "{seed}");
        assert!(has(1, 2, &Value::text("")) && has(1, 2, &Value::text("é")), "{seed}");
        assert_eq!(drawn.left_out, BTreeMap::new());
    }
}

#[test]
fn boundary_values_beyond_the_bound_are_counted() {
    let drawn = draw(&[taking(&["String"; 14])], &|_| true, NO_EXAMPLES, &pools());
    assert!(drawn.left_out[&0] > 0, "{:?}", drawn.left_out);
    assert!(drawn.development.len() <= CORNERS_MAX + pools().probes_max, "{}", drawn.development.len());
}

#[test]
fn pairs_of_boundaries_take_half_of_what_is_left() {
    let pools = Pools { probes_max: 1000, ..pools() };
    let drawn = draw(&[taking(&["bool", "u8"])], &|_| true, NO_EXAMPLES, &pools);
    let has = |truth: bool, byte: u8| {
        let wanted = [Value::Bool(truth), Value::int(byte)];
        drawn.development.iter().any(|probe| probe.arguments == wanted)
    };
    for byte in [0, 127, 128, 255] {
        assert!(has(false, byte) && has(true, byte), "{byte}");
    }
}
