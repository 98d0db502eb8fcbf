//! What tokens cost, where the configuration says so, and how many there are before anybody counted.

use serde::{Deserialize, Serialize};

use super::Usage;

/// Bytes that one token stands for in an estimate. Measured on Rust source with one common vocabulary it is
/// 4.3; 4 errs towards a budget that is a little too large. A bill is made from the provider's own count.
pub const BYTES_PER_TOKEN: u64 = 4;

/// What a request of a batch costs, as a share of its price by itself. Both Anthropic (Message Batches) and `OpenAI`
/// (Batch) publish half, for tokens of every kind.
pub const BATCH_PRICE_SHARE: f64 = 0.5;

/// United States dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens sent.
    pub input: f64,
    /// Tokens read from the provider's cache; as `input` where none is given.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Tokens written to the provider's cache; as `input` where none is given.
    #[serde(default)]
    pub written_input: Option<f64>,
    /// Tokens received, reasoning included.
    pub output: f64,
}

impl Price {
    /// What this usage costs. Cached tokens are part of the input tokens and are charged once.
    #[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^52")]
    pub fn cost_usd(&self, usage: &Usage) -> f64 {
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let written = usage.written_tokens.min(usage.input_tokens - cached);
        let fresh = usage.input_tokens - cached - written;
        let dollars_per_million = fresh as f64 * self.input
            + cached as f64 * self.cached_input.unwrap_or(self.input)
            + written as f64 * self.written_input.unwrap_or(self.input)
            + usage.output_tokens as f64 * self.output;
        dollars_per_million / 1_000_000.0
    }
}

impl Price {
    /// This share of it, for tokens of every kind.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        let of = |dollars: f64| dollars * share;
        Self {
            input: of(self.input),
            cached_input: self.cached_input.map(of),
            written_input: self.written_input.map(of),
            output: of(self.output),
        }
    }

    /// The most that this usage can cost: as if everything that was sent had the dearest kind of price.
    #[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^52")]
    pub fn most_usd(&self, usage: &Usage) -> f64 {
        let kinds = [self.cached_input, self.written_input];
        let dearest = kinds.into_iter().flatten().fold(self.input, f64::max);
        (usage.input_tokens as f64 * dearest + usage.output_tokens as f64 * self.output) / 1_000_000.0
    }
}

/// How many tokens a text has, estimated from its length in bytes.
pub fn estimate_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_PER_TOKEN)
}

/// The most tokens that a text may have, for what must not be passed: half its bytes. No common vocabulary takes
/// more for source code, and few do for other scripts.
pub fn most_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input_tokens: u64, cached_tokens: u64, output_tokens: u64) -> Usage {
        Usage { input_tokens, cached_tokens, output_tokens, ..Usage::default() }
    }

    #[test]
    fn cached_tokens_are_charged_once_and_at_their_own_price() {
        let price = Price { input: 2.0, cached_input: Some(0.2), written_input: Some(2.5), output: 10.0 };
        let cost = price.cost_usd(&usage(1_000_000, 500_000, 100_000));
        assert!((cost - (1.0 + 0.1 + 1.0)).abs() < 1e-9, "{cost}");
        let writing = Usage { written_tokens: 400_000, ..usage(1_000_000, 500_000, 0) };
        let cost = price.cost_usd(&writing);
        assert!((cost - (0.2 + 0.1 + 1.0)).abs() < 1e-9, "{cost}");
        let most = price.most_usd(&usage(1_000_000, 0, 100_000));
        assert!((most - (2.5 + 1.0)).abs() < 1e-9, "{most}");
    }

    #[test]
    fn more_cached_tokens_than_input_never_make_a_negative_cost() {
        let price = Price { input: 2.0, cached_input: None, written_input: None, output: 0.0 };
        let cost = price.cost_usd(&usage(10, 20, 0));
        assert!((cost - 2e-5).abs() < 1e-12, "{cost}");
    }

    #[test]
    fn a_share_is_of_every_kind_of_token() {
        let price = Price { input: 2.0, cached_input: Some(0.2), written_input: None, output: 10.0 };
        let half = Price { input: 1.0, cached_input: Some(0.1), written_input: None, output: 5.0 };
        assert_eq!(price.share(BATCH_PRICE_SHARE), half);
    }

    #[test]
    fn an_estimate_rounds_up() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("abcde"), 2);
        assert_eq!(most_tokens("abcde"), 3);
    }
}
