//! What a model costs, from which day on: `price` of a `[[translate.model]]`, checked.

use std::collections::BTreeMap;

use mappings::decision::{Day, day};
use port::translate::price::Price;

use super::file::PriceSection;

/// The kinds of tokens that have prices of their own.
const KINDS: [&str; 4] = ["input", "cached-input", "written-input", "output"];

/// Prices, each with the day from which on it is asked; the earliest first. One without a day was always asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices(Vec<(Option<Day>, Price)>);

impl Prices {
    /// The prices of a section.
    pub(super) fn of(section: &PriceSection) -> Result<Self, String> {
        match section {
            PriceSection::One(rates) if rates.is_empty() => Ok(Self::default()),
            PriceSection::One(rates) => Ok(Self(vec![(None, price(rates)?)])),
            PriceSection::Dated(dated) => {
                let mut prices = Vec::new();
                for one in dated {
                    let from = day(&one.from)?;
                    if prices.iter().any(|(known, _)| *known == Some(from)) {
                        return Err(format!("two prices begin on {from}"));
                    }
                    prices.push((Some(from), price(&one.rates)?));
                }
                prices.sort_by_key(|(from, _)| *from);
                Ok(Self(prices))
            }
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The price of a day; `None` before the first one.
    pub fn on(&self, today: Day) -> Option<Price> {
        let begun = self.0.iter().take_while(|(from, _)| from.is_none_or(|from| from <= today));
        begun.last().map(|(_, price)| *price)
    }
}

fn price(rates: &BTreeMap<String, f64>) -> Result<Price, String> {
    for (kind, dollars) in rates {
        if !KINDS.contains(&kind.as_str()) {
            return Err(format!("`{kind}` is no kind of price: there are `{}`", KINDS.join("`, `")));
        }
        if !dollars.is_finite() || *dollars < 0.0 {
            return Err(format!("`{kind}` is no amount of money"));
        }
    }
    let of = |kind: &str| rates.get(kind).copied();
    match (of("input"), of("output")) {
        (Some(input), Some(output)) => {
            Ok(Price { input, cached_input: of("cached-input"), written_input: of("written-input"), output })
        }
        (None | Some(_), None | Some(_)) => {
            Err("a price needs `input` and `output`, in dollars for a million tokens".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(text: &str) -> Result<Prices, String> {
        #[derive(serde::Deserialize)]
        struct File {
            price: PriceSection,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        Prices::of(&file.price)
    }

    #[test]
    fn the_price_of_a_day_is_the_last_that_began_until_then() {
        let dated = "price = [{ from = '2026-10-01', input = 2.0, output = 10.0 }, \
                     { from = '2026-01-01', input = 3.0, output = 15.0, cached-input = 0.3 }]";
        let prices = prices(dated).unwrap();
        let input = |text: &str| prices.on(day(text).unwrap()).map(|price| price.input);
        assert_eq!(input("2025-12-31"), None);
        assert_eq!(input("2026-01-01"), Some(3.0));
        assert_eq!(input("2026-09-30"), Some(3.0));
        assert_eq!(input("2026-10-01"), Some(2.0));
        assert_eq!(input("2030-01-01"), Some(2.0));
    }

    #[test]
    fn one_price_is_that_of_all_days_and_none_is_none() {
        let one = prices("price = { input = 1.0, output = 2.0 }").unwrap();
        assert_eq!(one.on(day("1999-01-01").unwrap()).map(|price| price.output), Some(2.0));
        assert!(prices("price = {}").unwrap().is_empty());
        assert!(prices("price = []").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_price_is_refused_by_what_is_wrong_with_it() {
        for (text, expected) in [
            ("price = { input = 1.0 }", "needs `input` and `output`"),
            ("price = { input = 1.0, output = -2.0 }", "`output` is no amount"),
            ("price = { input = nan, output = 2.0 }", "`input` is no amount"),
            ("price = { input = 1.0, output = 2.0, cached = 1.0 }", "`cached` is no kind"),
            ("price = [{ from = 'soon', input = 1.0, output = 2.0 }]", "soon"),
            (
                "price = [{ from = '2026-01-01', input = 1.0, output = 2.0 }, { from = '2026-01-01', input = 1.0, output = 2.0 }]",
                "two prices begin",
            ),
            ("price = [{ input = 1.0, output = 2.0 }]", "price"),
            ("price = 3", "price"),
        ] {
            let error = prices(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
