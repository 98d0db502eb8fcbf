//! The page about the engine's states, drawn from what the engine does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use pipeline::engine::chart::{Chart, EVENTS, STATES, chart};

const HEAD: &str = "# The states of a run

What `step` makes of every event in every state, found by trying all of them on a small run. `docs/journal.md` says how
effects are carried out and why each may be carried out again.

This page is generated from the code by `cargo xtask generate`.
";

pub(crate) fn page() -> Result<String> {
    let chart = chart();
    let mut text = HEAD.to_owned();
    drawing(&mut text, &chart)?;
    table(&mut text, &chart)?;
    refusals(&mut text, &chart)?;
    Ok(text)
}

fn drawing(text: &mut String, chart: &Chart) -> Result<()> {
    text.push_str("\n```mermaid\nstateDiagram-v2\n    [*] --> new\n");
    for (transition, when) in &chart.transitions {
        let (from, to) = (STATES[transition.from], STATES[transition.to]);
        // What leads to several states tells none of them apart.
        let apart = |when: &&str| {
            chart.transitions.iter().all(|(other, others)| {
                let rival =
                    other != transition && (other.from, other.event) == (transition.from, transition.event);
                !(when.is_empty() || rival && others.contains(when))
            })
        };
        let when: Vec<&str> = when.iter().copied().filter(apart).collect();
        let event = EVENTS[transition.event];
        let said = if when.is_empty() { event.to_owned() } else { format!("{event} ({})", when.join(", ")) };
        writeln!(text, "    {from} --> {to}: {said}")?;
    }
    text.push_str("    over --> [*]\n```\n");
    Ok(())
}

fn table(text: &mut String, chart: &Chart) -> Result<()> {
    text.push_str("\n## Every event in every state\n\nThe states that may follow; where there is none, the event is refused by ");
    text.push_str("name (`IllegalEvent`) and changes nothing.\n\n| state | asks for |");
    for event in EVENTS {
        write!(text, " {event} |")?;
    }
    writeln!(text, "\n|{}", " --- |".repeat(EVENTS.len() + 2))?;
    for (from, state) in STATES.iter().enumerate() {
        let effect = chart.effects.get(&from).copied().flatten().unwrap_or("nothing");
        write!(text, "| **{state}** | {effect} |")?;
        for kind in 0..EVENTS.len() {
            let next = chart.transitions.keys().filter(|found| (found.from, found.event) == (from, kind));
            let names: Vec<&str> = next.map(|found| STATES[found.to]).collect();
            write!(text, " {} |", names.join(", "))?;
        }
        text.push('\n');
    }
    Ok(())
}

/// Where a state takes an event, but not everything that may be said in it.
fn refusals(text: &mut String, chart: &Chart) -> Result<()> {
    text.push_str("\n## What contradicts the run\n\nRefused although the state takes that event:\n\n");
    let mut lines: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for (&(from, event), when) in &chart.refusals {
        if chart.transitions.keys().any(|found| (found.from, found.event) == (from, event)) {
            lines.entry((from, event)).or_default().extend(when);
        }
    }
    for ((from, event), when) in lines {
        writeln!(text, "- {}: {} {}", STATES[from], EVENTS[event], when.join("; "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_every_event_is_on_the_page() {
        let page = page().unwrap();
        for state in STATES {
            assert!(page.contains(&format!("| **{state}** |")), "{page}");
        }
        assert!(page.contains("advancing --> planning: branch moved"), "{page}");
        assert!(page.contains("- gating: gated "), "{page}");
    }
}
