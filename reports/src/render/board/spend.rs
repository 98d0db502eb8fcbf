//! What models cost, by day and by model. A day is one of UTC, and a run counts on the day on which it began, as the
//! budgets count it.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::data::PortNow;
use super::digest::{RunDigest, Spend};
use super::page::{Board, Head, Tab};
use crate::render::RenderError;
use crate::render::html::markup::Markup;
use crate::visible;
use crate::words;

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;
/// Days that are drawn, the last ones with any cost.
const DAYS_DRAWN: usize = 30;
/// Days from one that is named below the chart to the next, where not all have room.
const DAYS_NAMED: usize = 7;
/// Days in the table.
const DAYS_LISTED: usize = 31;
/// Models that have a colour of their own; the others share one.
const MODELS_DRAWN: usize = 5;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 14.0;

impl Board {
    /// What models cost, over these runs.
    pub fn costs<'a>(
        &self,
        port: &PortNow,
        runs: impl IntoIterator<Item = &'a RunDigest>,
    ) -> Result<String, RenderError> {
        let costs = Value::from(Serde(costs(runs)));
        let title = format!("Costs of {}", port.name);
        self.page("costs.html", Head::of(port, Tab::Costs, &title), context! { costs })
    }
}

/// What the page of costs shows.
#[derive(Debug, Serialize)]
struct Costs {
    models: Vec<Row>,
    days: Vec<Row>,
    days_more: usize,
    chart: Option<Value>,
    /// `dollars` or `tokens`.
    drawn: &'static str,
    total: Row,
}

/// One line of the tables.
#[derive(Debug, Clone, Default, Serialize)]
struct Row {
    day: String,
    model: String,
    /// Which colour.
    class: &'static str,
    requests: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: Option<f64>,
    unpriced: u64,
}

impl Row {
    fn add(&mut self, spend: &Spend) {
        self.requests += spend.requests;
        self.input_tokens = self.input_tokens.saturating_add(spend.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(spend.output_tokens);
        self.unpriced += spend.unpriced;
        if let Some(cost) = spend.cost_usd {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + cost);
        }
    }
}

/// Adds up runs, in any order.
fn costs<'a>(runs: impl IntoIterator<Item = &'a RunDigest>) -> Costs {
    let mut by_model: BTreeMap<&str, Row> = BTreeMap::new();
    let mut by_day: BTreeMap<(i64, &str), Row> = BTreeMap::new();
    let mut total = Row::default();
    for run in runs {
        let day = run.started_ms.div_euclid(DAY_MS);
        for spend in &run.spend {
            total.add(spend);
            by_model.entry(&spend.model).or_default().add(spend);
            by_day.entry((day, &spend.model)).or_default().add(spend);
        }
    }
    let in_dollars = by_model.values().any(|row| row.cost_usd.is_some_and(|cost| cost > 0.0));
    let weight = |row: &Row| {
        if in_dollars { row.cost_usd.unwrap_or(0.0) } else { tokens(row) }
    };
    let mut models: Vec<Row> =
        by_model.into_iter().map(|(model, row)| Row { model: model.to_owned(), ..row }).collect();
    models.sort_by(|one, other| {
        weight(other).total_cmp(&weight(one)).then_with(|| one.model.cmp(&other.model))
    });
    for (at, row) in models.iter_mut().enumerate() {
        row.class = CLASSES.get(at).copied().unwrap_or("s5");
    }
    let class_of = |model: &str| models.iter().find(|row| row.model == model).map_or("s5", |row| row.class);
    let days: Vec<Row> = by_day
        .into_iter()
        .rev()
        .map(|((day, model), row)| {
            let day = words::date(day.saturating_mul(DAY_MS / 1000)).unwrap_or_else(|| "no day".to_owned());
            Row { day, model: model.to_owned(), class: class_of(model), ..row }
        })
        .collect();
    let names: BTreeSet<&str> = days.iter().map(|row| row.day.as_str()).collect();
    let drawn: Vec<&str> = names.iter().rev().take(DAYS_DRAWN).rev().copied().collect();
    let chart = (!drawn.is_empty()).then(|| chart(&drawn, &days, &weight, in_dollars));
    let listed: BTreeSet<&str> = names.iter().rev().take(DAYS_LISTED).copied().collect();
    let kept: Vec<Row> = days.iter().filter(|row| listed.contains(row.day.as_str())).cloned().collect();
    let days_more = names.len() - listed.len();
    Costs {
        models,
        days: kept,
        days_more,
        chart,
        drawn: if in_dollars { "dollars" } else { "tokens" },
        total,
    }
}

const CLASSES: [&str; MODELS_DRAWN] = ["s0", "s1", "s2", "s3", "s4"];

fn tokens(row: &Row) -> f64 {
    let number = row.input_tokens.saturating_add(row.output_tokens);
    // Exact up to 2^52, which no one will pay for.
    f64::from(u32::try_from(number >> 20).unwrap_or(u32::MAX)) * 1_048_576.0
        + f64::from(u32::try_from(number & 0xf_ffff).unwrap_or(0))
}

fn chart(days: &[&str], rows: &[Row], weight: &dyn Fn(&Row) -> f64, in_dollars: bool) -> Value {
    let of_day = |day: &str| -> Vec<&Row> { rows.iter().filter(|row| row.day == day).collect() };
    let sums = days.iter().map(|day| of_day(day).into_iter().map(weight).sum::<f64>());
    let most = sums.fold(0.0, f64::max);
    let scale = if most > 0.0 { (HEIGHT - TOP - BOTTOM) / most } else { 0.0 };
    let shown = |value: f64| if in_dollars { words::cost(value) } else { format!("{value:.0} tokens") };
    let step = (WIDTH - LEFT) / f64::from(u32::try_from(days.len().max(7)).unwrap_or(7));
    let mut out = Markup::default();
    out.raw("<svg class=spend role=img aria-labelledby=spend-title viewBox=\"0 0 720 220\"><title id=spend-title>");
    out.raw(if in_dollars { "Dollars by day and model" } else { "Tokens by day and model" });
    out.raw("</title><path class=axis d=\"M60 196H720M60 105H720M60 14H720\"/><text x=\"0\" y=\"18\">");
    out.text(&shown(most));
    out.raw("</text><text x=\"0\" y=\"109\">");
    out.text(&shown(most / 2.0));
    out.raw("</text><text x=\"0\" y=\"200\">0</text>");
    for (at, day) in days.iter().enumerate() {
        let x = LEFT + f64::from(u32::try_from(at).unwrap_or(0)) * step;
        let mut base = HEIGHT - BOTTOM;
        for row in of_day(day) {
            let height = weight(row) * scale;
            base -= height;
            out.raw("<rect class=\"");
            out.raw(row.class);
            out.raw("\" x=\"");
            out.place(x + step * 0.12);
            out.raw("\" y=\"");
            out.place(base);
            out.raw("\" width=\"");
            out.place(step * 0.76);
            out.raw("\" height=\"");
            out.place(height);
            out.raw("\"><title>");
            out.text(&format!("{day}, {}: {}", visible::line(&row.model), shown(weight(row))));
            out.raw("</title></rect>");
        }
        // Every seventh day has room for its name, from the last one backwards.
        let back = days.len() - 1 - at;
        if days.len() <= DAYS_NAMED || back.is_multiple_of(DAYS_NAMED) {
            let last = days.len() > DAYS_NAMED && back == 0;
            out.raw(if last { "<text text-anchor=end x=\"" } else { "<text x=\"" });
            out.place(if last { x + step } else { x });
            out.raw("\" y=\"214\">");
            out.text(day);
            out.raw("</text>");
        }
    }
    out.raw("</svg>");
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn costs_are_added_up_by_the_day_on_which_a_run_began_and_by_model() {
        let mut one = RunDigest::of(&sample::done(), false);
        let spend = |model: &str, cost_usd| Spend {
            model: model.to_owned(),
            requests: 1,
            input_tokens: 10,
            output_tokens: 5,
            cost_usd,
            unpriced: u64::from(cost_usd.is_none()),
        };
        one.started_ms = 86_400_000;
        one.spend = vec![spend("<b>m", Some(0.25)), spend("free", None)];
        let mut other = one.clone();
        other.started_ms = 86_400_000 + 86_399_999;
        let mut before = one.clone();
        before.started_ms = 86_399_999;
        let costs = costs([&one, &other, &before]);
        let days: Vec<_> =
            costs.days.iter().map(|row| (row.day.as_str(), row.model.as_str(), row.requests)).collect();
        let expected = [
            ("1970-01-02", "free", 2),
            ("1970-01-02", "<b>m", 2),
            ("1970-01-01", "free", 1),
            ("1970-01-01", "<b>m", 1),
        ];
        assert_eq!(days, expected);
        assert_eq!(costs.models[0].cost_usd, Some(0.75));
        assert_eq!((costs.total.unpriced, costs.drawn), (3, "dollars"));
        let svg = costs.chart.unwrap().to_string();
        assert!(svg.contains("1970-01-02, &lt;b&gt;m: $0.50") && !svg.contains("<b>m"), "{svg}");
    }

    #[test]
    fn without_prices_tokens_are_drawn_and_without_models_nothing() {
        let mut run = RunDigest::of(&sample::done(), false);
        run.spend.iter_mut().for_each(|spend| spend.cost_usd = None);
        assert_eq!(costs([&run]).drawn, "tokens");
        run.spend.clear();
        assert!(costs([&run]).chart.is_none());
    }
}
