//! `[translate.budget]`, checked.

use super::file::{ModelKind, TranslateSection};
use crate::budget::{Budget, Limit, Scope};

/// What is wrong with a bound.
pub(super) struct BudgetFault {
    /// Its key.
    pub(super) key: String,
    pub(super) message: String,
    pub(super) help: String,
}

/// The bounds of a file.
pub(super) fn budget(translate: &TranslateSection) -> Result<Budget, BudgetFault> {
    let section = translate.budget;
    let mut limits = Vec::new();
    for (scope, tokens, usd) in [
        (Scope::Unit, section.unit_tokens, section.unit_usd),
        (Scope::Revision, section.revision_tokens, section.revision_usd),
        (Scope::Run, section.run_tokens, section.run_usd),
        (Scope::Day, section.day_tokens, section.day_usd),
        (Scope::Month, section.month_tokens, section.month_usd),
    ] {
        if let Some(usd) = usd {
            money(translate, scope, usd)?;
        }
        if tokens.is_some() || usd.is_some() {
            limits.push((scope, Limit { tokens, usd }));
        }
    }
    Ok(Budget::new(limits))
}

fn money(translate: &TranslateSection, scope: Scope, usd: f64) -> Result<(), BudgetFault> {
    let key = format!("{}-usd", scope.word());
    if !usd.is_finite() || usd < 0.0 {
        let message = format!("`{key}` is no amount of money");
        return Err(BudgetFault { key, message, help: "write dollars, such as 2.5".to_owned() });
    }
    // A bound in money holds nothing back where a server's model has no price.
    let is_server = |kind| matches!(kind, ModelKind::Chat | ModelKind::Responses | ModelKind::Anthropic);
    match translate.model.iter().find(|model| is_server(model.kind) && model.price.is_empty()) {
        None => Ok(()),
        Some(model) => {
            let message = format!("`{key}` cannot hold back the model `{}`, which has no price", model.name);
            let help =
                format!("give it `price = {{ input = …, output = … }}`, or bound `{}-tokens`", scope.word());
            Err(BudgetFault { key, message, help })
        }
    }
}
