//! The proof that a tree passed the gate: the only thing that lands work.

use reports::Verdict;
use reports::record::GateRecord;
use upstream::TreeId;

/// A tree passed every gate. It cannot be made anywhere else, and it is bound to that tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatePass {
    tree: TreeId,
}

impl GatePass {
    /// The proof for a tree, if every gate passed it and the gates that must be there are.
    pub fn judge(tree: &TreeId, gates: &[GateRecord]) -> Option<Self> {
        (overall(gates) == Verdict::Pass).then(|| Self { tree: tree.clone() })
    }

    /// The tree that passed.
    pub fn tree(&self) -> &TreeId {
        &self.tree
    }
}

/// The gates that no candidate lands without.
const REQUIRED: [&str; 3] = ["validity", "spec", "numeric"];

/// All gates together: one failure fails, then one doubt makes it inconclusive. A later gain never buys
/// back an earlier failure, and a required gate that did not run is a doubt.
pub fn overall(gates: &[GateRecord]) -> Verdict {
    let missing = REQUIRED.iter().any(|name| !gates.iter().any(|gate| gate.gate == *name));
    if gates.iter().any(|gate| gate.verdict == Verdict::Fail) {
        Verdict::Fail
    } else if missing || gates.iter().any(|gate| gate.verdict == Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(name: &str, verdict: Verdict) -> GateRecord {
        GateRecord {
            gate: name.to_owned(),
            verdict,
            reason: String::new(),
            findings: Vec::new(),
            evidence: Vec::new(),
            counterexamples: Vec::new(),
            timings: Vec::new(),
            benches: Vec::new(),
            sessions: Vec::new(),
            arithmetic: Vec::new(),
            duration_ms: 0,
        }
    }

    fn tree() -> TreeId {
        TreeId::new("0123456789abcdef0123456789abcdef01234567").unwrap()
    }

    #[test]
    fn a_tree_passes_only_when_every_required_gate_ran_and_all_passed() {
        let pass = REQUIRED.map(|name| gate(name, Verdict::Pass));
        assert_eq!(GatePass::judge(&tree(), &pass).map(|pass| pass.tree().clone()), Some(tree()));
        assert_eq!(GatePass::judge(&tree(), &[]), None);
        assert_eq!(GatePass::judge(&tree(), &pass[..2]), None);
        let mut gates = pass.to_vec();
        gates.push(gate("tests", Verdict::Inconclusive));
        assert_eq!(overall(&gates), Verdict::Inconclusive);
        gates.push(gate("timing", Verdict::Fail));
        assert_eq!(overall(&gates), Verdict::Fail);
        assert_eq!(GatePass::judge(&tree(), &gates), None);
    }
}
