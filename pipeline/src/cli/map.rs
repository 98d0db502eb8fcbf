//! `tidelock map`: propose a mapping for a port that exists, say why an item is where it is, and what is open.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use mappings::coverage::{Coverage, CoverageInput, coverage};
use mappings::decision::day_at;
use mappings::infer::{InferInput, ProposedLink, Records, Role, infer};
use mappings::mapping::{Explanation, LinkRule, Placement, RULES_MAX};
use mappings::{Lock, Mapping, Proposal, SymbolPath, SymbolTable};
use serde::Serialize;
use upstream::{ItemPath, Snapshot};

use super::args::{Map, MapCheck, MapCommand, MapExplain, MapInfer};
use super::{CliError, Context, ExitCode, session_error};
use crate::config::{CONFIG_NAME, Settings};
use crate::pair::{PairError, Side};
use crate::session::{Session, SessionError};

/// How many lines of one kind are shown to people; programs get all.
const LINES_MAX: usize = 40;

pub(super) fn run(context: &Context, args: &Map) -> Result<ExitCode, CliError> {
    match &args.command {
        MapCommand::Infer(args) => propose(context, args),
        MapCommand::Explain(args) => explain(context, args),
        MapCommand::Check(args) => check(context, args),
    }
}

/// Both sides, and what is known of the mapping already.
struct Sides {
    snapshot: Snapshot,
    port: Side,
    source_root: Option<String>,
    settings: Option<Settings>,
    lock: Option<Arc<Lock>>,
}

fn propose(context: &Context, args: &MapInfer) -> Result<ExitCode, CliError> {
    let sides = sides(context, args)?;
    let runner = &*context.machine.runner;
    let outline = sides.port.outline(runner, sides.source_root.as_deref()).map_err(pair_error)?;
    let accepted = accepted(&sides, &outline.symbols);
    let records = if args.without_records { Records::Masked } else { Records::Used };
    let input = InferInput { snapshot: &sides.snapshot, outline: &outline, accepted: &accepted, records };
    let proposal = infer(&input);
    if let Some(above) = args.accept {
        let Some(settings) = &sides.settings else {
            let error = anyhow!("there is no `{CONFIG_NAME}` that links could be written to");
            return Err(
                CliError::usage(error).hint("run `tidelock init` in the port, or leave `--accept` out")
            );
        };
        accept(context, settings, &sides.snapshot, &proposal, above)?;
    }
    if context.format.is_json() {
        context.json(&proposal)?;
    } else {
        context.console.data(&proposal_text(&proposal));
    }
    let open = proposal.links.iter().any(|link| link.role != Role::Accepted);
    Ok(if open { ExitCode::Done } else { ExitCode::NothingToDo })
}

/// Both sides as the command line names them, or as the configuration does.
fn sides(context: &Context, args: &MapInfer) -> Result<Sides, CliError> {
    let runner = &*context.machine.runner;
    let parse =
        |text: &String| text.parse::<Side>().map_err(|reason| CliError::usage(anyhow!("`{text}`: {reason}")));
    let upstream = args.upstream.as_ref().map(parse).transpose()?;
    let port = args.port.as_ref().map(parse).transpose()?;
    if let (Some(upstream), Some(port)) = (&upstream, &port) {
        let snapshot = upstream.snapshot(runner).map_err(pair_error)?;
        return Ok(Sides { snapshot, port: port.clone(), source_root: None, settings: None, lock: None });
    }
    let settings = context.settings()?;
    let session = context.session(settings.clone())?;
    let (lock, baseline) = baseline(&session)?;
    let snapshot = match upstream {
        Some(upstream) => upstream.snapshot(runner).map_err(pair_error)?,
        None => (*baseline).clone(),
    };
    let of_settings =
        Side { path: settings.root.clone(), revision: session.branch.clone(), folder: String::new() };
    let source_root = port.is_none().then(|| settings.source_root.clone());
    Ok(Sides { snapshot, port: port.unwrap_or(of_settings), source_root, settings: Some(settings), lock })
}

/// The lock where there is one, and the upstream at its baseline; without a lock the upstream as last seen.
fn baseline(session: &Session) -> Result<(Option<Arc<Lock>>, Arc<Snapshot>), CliError> {
    let head = session.head().map_err(session_error)?;
    let lock = match session.lock(&head.tree) {
        Ok(lock) => Some(lock),
        Err(SessionError::NoLock { .. }) => None,
        Err(error) => return Err(session_error(error)),
    };
    let revision = if let Some(lock) = &lock {
        session.revision(lock.baseline.as_str()).map_err(session_error)?
    } else {
        session.poll(None).map_err(session_error)?;
        let known = session.revisions().map_err(session_error)?;
        let newest = known.iter().rfind(|revision| !revision.withdrawn).cloned();
        newest.ok_or_else(|| CliError::usage(anyhow!("the upstream has no revision yet")))?
    };
    Ok((lock, session.snapshot(&revision).map_err(session_error)?))
}

/// What was accepted before: links of the lock, and what the configuration says where its symbol is there.
fn accepted(sides: &Sides, symbols: &SymbolTable) -> BTreeMap<ItemPath, SymbolPath> {
    let mut accepted = BTreeMap::new();
    if let Some(settings) = &sides.settings {
        for item in sides.snapshot.items.values() {
            if let Ok(Placement::Mapped { symbol, .. }) = settings.mapping.place(item)
                && symbols.get(&symbol).is_some()
            {
                accepted.insert(item.path.clone(), symbol);
            }
        }
    }
    let links = sides.lock.iter().flat_map(|lock| lock.links.values());
    accepted.extend(links.map(|link| (link.item.clone(), link.symbol.clone())));
    accepted
}

/// Writes the links that are sure enough behind those that the configuration has; what it has is left alone.
fn accept(
    context: &Context,
    settings: &Settings,
    snapshot: &Snapshot,
    proposal: &Proposal,
    above: f64,
) -> Result<(), CliError> {
    let is_open = |link: &&ProposedLink| {
        let item = snapshot.items.get(&link.item);
        let decided = item.is_some_and(|item| is_decided(&settings.mapping, item));
        link.role != Role::Accepted && link.confidence >= above && !decided && rule_of(link).is_valid()
    };
    let links: Vec<&ProposedLink> = proposal.links.iter().filter(is_open).collect();
    if settings.mapping.linked_items().count() + links.len() > RULES_MAX {
        let error = anyhow!("{} links would be added, and {RULES_MAX} are the most in all", links.len());
        return Err(CliError::usage(error)
            .hint("write `[convention]` or `[[map]]` rules that cover most of them, and infer again"));
    }
    write_links(&settings.root.join(CONFIG_NAME), &links)?;
    context
        .console
        .say(&format!("wrote {} links to `{CONFIG_NAME}`; read them before you commit", links.len()));
    Ok(())
}

/// The link as the configuration has it.
fn rule_of(link: &ProposedLink) -> LinkRule {
    LinkRule::new(link.item.as_str(), link.symbol.as_str(), link.file.as_str())
}

/// Whether the configuration already says something of an item that a link would contradict.
fn is_decided(mapping: &Mapping, item: &upstream::Item) -> bool {
    use mappings::unit::SkipReason;
    match mapping.place(item) {
        Ok(Placement::Mapped { rule, .. }) => rule != mappings::mapping::Ground::Convention,
        Ok(Placement::Skipped { why, .. }) => why != SkipReason::Unmapped && why != SkipReason::NoCounterpart,
        Err(_) => false,
    }
}

fn write_links(path: &Path, links: &[&ProposedLink]) -> Result<(), CliError> {
    let read = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut document: toml_edit::DocumentMut =
        read.parse().with_context(|| format!("cannot read `{}`", path.display()))?;
    let entry = document
        .entry("link")
        .or_insert_with(|| toml_edit::Item::ArrayOfTables(toml_edit::ArrayOfTables::new()));
    let tables = entry.as_array_of_tables_mut().ok_or_else(|| {
        CliError::usage(anyhow!("`link` in `{}` is not written as `[[link]]` tables", path.display()))
    })?;
    for link in links {
        let mut table = toml_edit::Table::new();
        table.insert("item", toml_edit::value(link.item.as_str()));
        table.insert("symbol", toml_edit::value(link.symbol.as_str()));
        table.insert("file", toml_edit::value(link.file.as_str()));
        tables.push(table);
    }
    std::fs::write(path, document.to_string())
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

/// What is printed as JSON for one item or symbol.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    rules: Explanation,
    locked: Option<SymbolPath>,
    proposed: Option<ProposedLink>,
}

/// What is printed as JSON for a name.
#[derive(Serialize)]
struct ExplainedAll {
    /// The items of that path, and those that come to the symbol of that path.
    items: Vec<Explained>,
    /// The symbol of that path, where the port has it.
    symbol: Option<ExplainedSymbol>,
}

/// A symbol of the port.
#[derive(Serialize)]
struct ExplainedSymbol {
    symbol: SymbolPath,
    file: String,
    line: u32,
    /// Who declares it an extension.
    extension: Option<String>,
    /// What the extension is for.
    reason: Option<String>,
}

fn explain(context: &Context, args: &MapExplain) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    let mapping = settings.mapping.on(day_at(context.machine.clock.now_ms()));
    let infer_args = MapInfer::default();
    let sides = sides(context, &infer_args)?;
    let outline =
        sides.port.outline(&*context.machine.runner, sides.source_root.as_deref()).map_err(pair_error)?;
    let nothing = BTreeMap::new();
    let input = InferInput {
        snapshot: &sides.snapshot,
        outline: &outline,
        accepted: &nothing,
        records: Records::Used,
    };
    let proposal = infer(&input);
    let locked = |item: &ItemPath| {
        sides.lock.as_ref().and_then(|lock| lock.links.get(item)).map(|link| link.symbol.clone())
    };
    let means = |item: &&upstream::Item| {
        let is_it = |symbol: &SymbolPath| symbol.as_str() == args.name;
        let placed = || match mapping.place(item) {
            Ok(Placement::Mapped { symbol, split, .. }) => {
                is_it(&symbol) || split.iter().any(|part| is_it(&part.symbol))
            }
            Ok(Placement::Skipped { .. }) | Err(_) => false,
        };
        let proposed = || {
            let link = proposal.links.binary_search_by(|link| link.item.cmp(&item.path)).ok();
            link.and_then(|at| proposal.links.get(at)).is_some_and(|link| link.symbol.as_str() == args.name)
        };
        item.path.as_str() == args.name
            || locked(&item.path).is_some_and(|symbol| symbol.as_str() == args.name)
            || placed()
            || proposed()
    };
    let explained: Vec<Explained> = sides
        .snapshot
        .items
        .values()
        .filter(means)
        .map(|item| Explained {
            rules: mapping.explain(item),
            locked: locked(&item.path),
            proposed: proposal.links.iter().find(|link| link.item == item.path).cloned(),
        })
        .collect();
    let symbol = explained_symbol(&mapping, &outline.symbols, &args.name);
    if explained.is_empty() && symbol.is_none() {
        return Err(CliError::usage(anyhow!(
            "no item has the path `{}`, none comes to such a symbol, and the port has none",
            args.name
        ))
        .hint("paths are as in `tidelock map check --format json`, such as `krate::module::name`"));
    }
    if context.format.is_json() {
        context.json(&ExplainedAll { items: explained, symbol })?;
    } else {
        let items: String = explained.iter().map(explained_text).collect();
        let symbol = symbol.map(|symbol| symbol_text(&symbol, explained.is_empty())).unwrap_or_default();
        context.console.data(&format!("{symbol}{items}"));
    }
    Ok(ExitCode::Done)
}

/// A symbol of the port by that name, and who declares it an extension.
fn explained_symbol(mapping: &Mapping, symbols: &SymbolTable, name: &str) -> Option<ExplainedSymbol> {
    let path = SymbolPath::new(name).ok()?;
    let symbol = symbols.get(&path)?;
    let declared = mapping.extensions(symbols).into_iter().find(|one| one.symbols.contains(&path));
    Some(ExplainedSymbol {
        file: symbol.file.clone(),
        line: symbol.line,
        extension: declared.as_ref().map(ToString::to_string),
        reason: declared.as_ref().and_then(|extension| extension.reason.clone()),
        symbol: path,
    })
}

fn symbol_text(explained: &ExplainedSymbol, is_alone: bool) -> String {
    let ExplainedSymbol { symbol, file, line, extension, reason } = explained;
    let mut lines = vec![format!("{symbol} in {file}, line {line}")];
    if let Some(extension) = extension {
        lines.push(format!("  declared by {extension}: never drift, never edited"));
    }
    lines.extend(reason.iter().map(|reason| format!("  {reason}")));
    if is_alone {
        lines.push("  no item comes to it".to_owned());
    }
    lines.join("\n") + "\n"
}

fn check(context: &Context, args: &MapCheck) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    let session = context.session(settings)?;
    let (lock, snapshot) = baseline(&session)?;
    let head = session.head().map_err(session_error)?;
    let symbols = session.symbols(&head.tree).map_err(session_error)?;
    let mapping = &session.settings.mapping;
    let found =
        coverage(&CoverageInput { snapshot: &snapshot, symbols: &symbols, mapping, lock: lock.as_deref() });
    if context.format.is_json() {
        context.json(&found)?;
    } else {
        context.console.data(&coverage_text(&found));
    }
    let wrong = !found.ambiguous.is_empty() || !found.stale.is_empty() || (args.strict && found.is_open());
    Ok(if wrong { ExitCode::GateFailed } else { ExitCode::Done })
}

fn pair_error(error: PairError) -> CliError {
    let usage = matches!(
        error,
        PairError::UnknownRevision { .. }
            | PairError::Repository(upstream::repo::RepoError::NotARepository { .. })
    );
    if usage { CliError::usage(error) } else { CliError::from(anyhow!(error)) }
}

fn proposal_text(proposal: &Proposal) -> String {
    let mut lines = vec![format!("{} files with an origin", proposal.modules.len())];
    let modules: Vec<String> = proposal
        .modules
        .iter()
        .map(|link| {
            let split = if link.split { " (a part)" } else { "" };
            format!("  {:.2}  {} <- {}{split}", link.confidence, link.port, link.upstream)
        })
        .collect();
    push_bounded(&mut lines, modules);
    let new = proposal.links.iter().filter(|link| link.role != Role::Accepted).count();
    let sure =
        proposal.links.iter().filter(|link| link.role != Role::Accepted && link.confidence >= 0.9).count();
    lines.push(format!(
        "\n{new} proposed links, {sure} of them with a confidence of at least 0.9; {} kept; {} items and {} symbols have none",
        proposal.links.len() - new,
        proposal.items_without,
        proposal.symbols_without
    ));
    if proposal.pairs_cut > 0 {
        lines.push(format!("{} weak pairs were not looked at: too much hangs together", proposal.pairs_cut));
    }
    let links: Vec<String> =
        proposal.links.iter().filter(|link| link.role != Role::Accepted).map(link_line).collect();
    push_bounded(&mut lines, links);
    lines.push(
        "\n`--accept 0.9` writes those of at least 0.9 as `[[link]]` entries; `--format json` has all"
            .to_owned(),
    );
    lines.join("\n") + "\n"
}

fn link_line(link: &ProposedLink) -> String {
    let evidence: Vec<String> =
        link.evidence.iter().take(3).map(|one| format!("{} {:+.1}", one.what, one.weight)).collect();
    let role = match link.role {
        Role::Primary => "",
        Role::MergedInto => " (merged into)",
        Role::Accepted => " (accepted)",
    };
    format!("  {:.2}  {} -> {}{role}  [{}]", link.confidence, link.item, link.symbol, evidence.join(", "))
}

/// Adds lines up to the bound, and says how many there are more.
fn push_bounded(lines: &mut Vec<String>, more: Vec<String>) {
    let over = more.len().saturating_sub(LINES_MAX);
    lines.extend(more.into_iter().take(LINES_MAX));
    if over > 0 {
        lines.push(format!("  and {over} more"));
    }
}

fn explained_text(explained: &Explained) -> String {
    let mut lines = vec![explained.rules.item.to_string()];
    lines.push(match (&explained.rules.placement, &explained.rules.problem) {
        (Some(Placement::Mapped { symbol, file, split, merged, rule }), _) => {
            let merged = if *merged { " (several items were merged into it)" } else { "" };
            let told = |part: &mappings::mapping::Part| format!("\n  and {} in {}", part.symbol, part.file);
            let split = split.iter().map(told).collect::<Vec<_>>().concat();
            format!("  -> {symbol} in {file}, by {rule}{merged}{split}")
        }
        (Some(Placement::Skipped { reason, rule, .. }), _) => format!("  left alone: {reason} ({rule})"),
        (None, problem) => format!("  {}", problem.as_deref().unwrap_or("no rule speaks of it")),
    });
    let others = explained.rules.matched.iter();
    lines.extend(others.map(|matched| {
        let ended = matched.ended.as_ref().map(|day| format!(", which ended on {day}")).unwrap_or_default();
        format!("  matched by {} with {} wildcards{ended}", matched.rule, matched.wildcards)
    }));
    if let Some(symbol) = &explained.locked {
        lines.push(format!("  the lock has it linked to {symbol}"));
    }
    if let Some(link) = &explained.proposed {
        lines.push(format!("  inferred: {} with confidence {:.2}", link.symbol, link.confidence));
        lines.extend(link.evidence.iter().map(|one| format!("    {:+.2}  {}", one.weight, one.what)));
        lines.extend(
            link.alternatives.iter().map(|(symbol, share)| format!("    else {symbol} ({share:.2})")),
        );
    }
    lines.join("\n") + "\n"
}

fn coverage_text(found: &Coverage) -> String {
    let mut lines = vec![format!(
        "{} items mapped, {} left alone with a reason, {} unmapped, {} without their symbol; {} orphaned symbols; {} ambiguous",
        found.mapped,
        found.left_alone,
        found.unmapped.len(),
        found.missing.len(),
        found.orphaned.len(),
        found.ambiguous.len()
    )];
    let mut part = |head: &str, more: Vec<String>| {
        if !more.is_empty() {
            lines.push(format!("\n{head}"));
            push_bounded(&mut lines, more);
        }
    };
    part("ambiguous", found.ambiguous.values().map(|problem| format!("  {problem}")).collect());
    part("links to items that are gone", found.stale.iter().map(|item| format!("  {item}")).collect());
    part("unmapped", found.unmapped.iter().map(|(item, why)| format!("  {item}: {why}")).collect());
    part(
        "not in the port",
        found.missing.iter().map(|(item, symbol)| format!("  {item} -> {symbol}")).collect(),
    );
    part("orphaned", found.orphaned.iter().map(|symbol| format!("  {symbol}")).collect());
    part(
        "several items in one symbol",
        found
            .shared
            .iter()
            .map(|(symbol, items)| {
                let items: Vec<&str> = items.iter().map(ItemPath::as_str).collect();
                format!("  {symbol} <- {}", items.join(", "))
            })
            .collect(),
    );
    lines.join("\n") + "\n"
}
