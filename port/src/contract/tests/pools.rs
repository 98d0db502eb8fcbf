//! How probes are drawn.

use super::*;

#[test]
fn the_deciding_pool_changes_with_its_seed_alone() {
    let plan = &built().ready().plan().functions;
    let other = Pools { deciding_seed: "other".into(), ..pools() };
    let ((development, deciding), (same, different)) =
        (crate::contract::pools::draw(plan, &[], &pools()), crate::contract::pools::draw(plan, &[], &other));
    assert_eq!(development, same);
    assert_ne!(deciding, different);
    assert!(deciding.iter().all(|probe| {
        !probe.may_be_shown
            && !development
                .iter()
                .any(|known| known.function == probe.function && known.arguments == probe.arguments)
    }));
}
