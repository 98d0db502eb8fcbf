//! Which calls count for whom, and which are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use upstream::ContentHash;

/// A class and one of its members, or of what can be asked of a class besides.
pub(super) type Asked = (String, String);
/// The outcomes of a side, by what was asked and by call. What a side does not have has no calls.
pub(super) type Answers = BTreeMap<Asked, BTreeMap<String, String>>;
/// How the values of each class are made that its members are asked on.
pub(super) type Values = BTreeMap<String, Vec<String>>;

/// The most values of a class.
const VALUES_MAX: usize = 4;

/// The three sides of a commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    /// The library in Rust at the commit.
    pub(super) rust: &'a Answers,
    /// Its twin in Python at the commit.
    pub(super) author: &'a Answers,
    /// The twin at the commit's parent.
    pub(super) parent: &'a Answers,
}

/// What the calls of a commit came to.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Calls that at least one side has.
    pub(super) calls: usize,
    /// Both Pythons do the same and Rust does not: the commit has no part in it, so it is asked of nobody.
    pub(super) left_out: usize,
    /// The parent's Python differs from Rust and the author's does not.
    pub(super) parent_differs: usize,
    /// The author's Python differs from Rust and the parent's does not.
    pub(super) author_differs: usize,
    /// Both differ from Rust, and from each other.
    pub(super) both_differ: usize,
}

/// A call on which not all sides do the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Differing {
    pub(super) class: String,
    pub(super) member: String,
    pub(super) call: String,
    pub(super) rust: Option<String>,
    pub(super) author: Option<String>,
    pub(super) parent: Option<String>,
}

/// Everything that is told of a commit's calls.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) counts: Counts,
    /// The calls that are left out, by what was asked.
    pub(super) left_out: BTreeMap<Asked, Vec<String>>,
    /// The others that differ.
    pub(super) differing: Vec<Differing>,
}

/// Counts every call of every side.
pub(super) fn count(sides: Sides<'_>) -> Counted {
    let mut counted = Counted::default();
    let all = [sides.rust, sides.author, sides.parent];
    let asked: BTreeSet<&Asked> = all.iter().flat_map(|side| side.keys()).collect();
    for asked in asked {
        let of = all.map(|side| side.get(asked));
        let calls: BTreeSet<&String> = of.iter().flatten().flat_map(|calls| calls.keys()).collect();
        for call in calls {
            let told = of.map(|calls| calls.and_then(|calls| calls.get(call)));
            counted.take(asked, call, told);
        }
    }
    counted
}

impl Counted {
    fn take(&mut self, asked: &Asked, call: &str, [rust, author, parent]: [Option<&String>; 3]) {
        let counts = &mut self.counts;
        counts.calls += 1;
        if author == parent {
            if rust != author {
                counts.left_out += 1;
                self.left_out.entry(asked.clone()).or_default().push(call.to_owned());
            }
            return;
        }
        let times = if author == rust {
            &mut counts.parent_differs
        } else if parent == rust {
            &mut counts.author_differs
        } else {
            &mut counts.both_differ
        };
        *times += 1;
        let (class, member) = asked.clone();
        let [rust, author, parent] = [rust, author, parent].map(Option::<&String>::cloned);
        self.differing.push(Differing { class, member, call: call.to_owned(), rust, author, parent });
    }
}

/// The values of each class that members are asked on: such as Rust and its twin can both make, a few of them, drawn so that
/// one that a side cannot make moves no other. `made` is the text of each value by how it is made.
pub(super) fn chosen(rust: &Answers, author: &Answers) -> Values {
    let mut values = Values::new();
    for (asked, made) in rust.iter().filter(|((_, member), _)| member == "values") {
        let Some(also) = author.get(asked) else { continue };
        let mut drawn: Vec<_> = made.iter().filter(|(how, text)| also.get(*how) == Some(*text)).collect();
        drawn.sort_by_cached_key(|(how, _)| ContentHash::of(how).to_string());
        let mut texts = BTreeSet::new();
        drawn.retain(|(_, text)| texts.insert(*text));
        let hows = drawn.into_iter().take(VALUES_MAX).map(|(how, _)| how.clone()).collect();
        values.insert(asked.0.clone(), hows);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(calls: &[(&str, &str)]) -> Answers {
        let calls = calls.iter().map(|(call, said)| ((*call).to_owned(), (*said).to_owned())).collect();
        Answers::from([(("Box".to_owned(), "grow".to_owned()), calls)])
    }

    #[test]
    fn each_call_counts_for_who_differs_and_what_stood_before_for_nobody() {
        let rust = side(&[("same", "1"), ("stood", "1"), ("parent", "1"), ("author", "1"), ("both", "1")]);
        let author = side(&[("same", "1"), ("stood", "2"), ("parent", "1"), ("author", "2"), ("both", "2")]);
        let parent = side(&[("same", "1"), ("stood", "2"), ("parent", "2"), ("author", "1"), ("both", "3")]);
        let counted = count(Sides { rust: &rust, author: &author, parent: &parent });
        let counts = Counts { calls: 5, left_out: 1, parent_differs: 1, author_differs: 1, both_differ: 1 };
        assert_eq!(counted.counts, counts);
        assert_eq!(counted.left_out.values().flatten().collect::<Vec<_>>(), ["stood"]);
        let differing: Vec<_> = counted.differing.iter().map(|one| one.call.as_str()).collect();
        assert_eq!(differing, ["author", "both", "parent"]);
    }

    #[test]
    fn what_a_side_does_not_have_is_an_answer_too() {
        let (rust, nothing) = (side(&[("new", "1")]), Answers::new());
        let of = |author, parent| count(Sides { rust: &rust, author, parent }).counts;
        assert_eq!(of(&rust, &nothing).parent_differs, 1, "the parent lacks the member");
        assert_eq!(of(&nothing, &nothing).left_out, 1, "neither Python ever had it");
        let gone = side(&[("old", "1")]);
        let counts = count(Sides { rust: &nothing, author: &nothing, parent: &gone }).counts;
        assert_eq!((counts.calls, counts.parent_differs), (1, 1), "the parent still has it");
    }

    #[test]
    fn values_are_those_of_both_twins_and_one_more_moves_no_other() {
        let made = |count: usize| {
            let calls = (0..count).map(|at| (format!("({at})"), format!("Box({at})"))).collect();
            Answers::from([(("Box".to_owned(), "values".to_owned()), calls)])
        };
        let few = chosen(&made(9), &made(9));
        assert_eq!(few["Box"].len(), VALUES_MAX);
        assert_eq!(chosen(&made(9), &made(12)), few, "Rust cannot make the others");
        let mut twice = made(9);
        let calls = twice.values_mut().next().unwrap();
        for text in calls.values_mut() {
            "Box(0)".clone_into(text);
        }
        assert_eq!(chosen(&twice, &twice)["Box"].len(), 1, "one value, however it is made");
        assert!(chosen(&made(9), &Answers::new()).is_empty());
    }
}
