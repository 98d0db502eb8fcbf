use port::translate::model::{Finish, ModelError};
use serde_json::json;
use upstream::ManualClock;

use super::*;
use crate::chain::Gates;

struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The book as another process finds it, in a run of this name.
    fn book(&self, run: &str) -> Book {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1000));
        let gates = Gates::new(1, Arc::clone(&clock));
        let asker = Asker { clock, gates: &gates, is_dry: false };
        let book = Book::open(folder(self.folder.path(), "later"), "later", &asker).unwrap();
        let exchanges = Arc::new(RunExchanges::below(self.folder.path()));
        exchanges.begin(run);
        book.count_for(&exchanges);
        book
    }
}

fn tag() -> BatchTag {
    BatchTag::of("port", "later")
}

fn task(digit: char) -> TaskId {
    TaskId::new(&digit.to_string().repeat(32)).unwrap()
}

fn label(text: &str) -> RevisionLabel {
    RevisionLabel::new(text).unwrap()
}

fn question(digit: char, revision: &str) -> Question {
    Question {
        task: task(digit),
        unit: format!("a::{digit}"),
        revision: label(revision),
        nonce: "abc".to_owned(),
        body: json!({ "model": "m" }),
        most: Usage { input_tokens: 10, cost_usd: Some(1.0), ..Usage::default() },
    }
}

fn completion() -> Completion {
    let usage = Usage { input_tokens: 7, cost_usd: Some(0.25), ..Usage::default() };
    Completion { text: "an answer".to_owned(), usage, finish: Finish::Complete }
}

fn id(digit: char) -> RequestId {
    RequestId::new(&tag(), task(digit), "abc")
}

fn sent(tasks: &[char]) -> Sent {
    let tasks = tasks.iter().map(|digit| task(*digit).as_str().to_owned()).collect();
    Sent { id: Some("batch_1".to_owned()), tasks, at_ms: 1, reads: 0, is_found: false }
}

/// What an attempt would have to pay.
fn paid(standing: &Standing) -> Option<f64> {
    let Standing::Answered { completion, .. } = standing else { panic!("{standing:?}") };
    completion.usage.cost_usd
}

#[test]
fn an_answer_is_counted_once_and_used_as_often_as_it_is_asked_for() {
    let scene = Scene::new();
    let book = scene.book("one");
    book.gather(question('a', "1")).unwrap();
    assert_eq!(book.committed().cost_usd, Some(1.0), "what it may cost is held");
    book.keep_sent("n", &sent(&['a'])).unwrap();
    assert_eq!(book.peek(&task('a')).unwrap(), Standing::UnderWay);
    assert!(!book.has_news());
    book.keep_answer(&id('a'), Ok(completion())).unwrap();
    book.end_batch("n").unwrap();
    assert_eq!(book.committed().cost_usd, Some(0.25), "what it did cost is held");
    assert!(book.has_news());
    assert_eq!(paid(&book.take(&task('a'), &label("1")).unwrap()), Some(0.25));
    assert_eq!(book.committed(), Usage::default(), "an attempt counts it now");
    // Killed before the attempt was stored, and gone on with.
    let again = scene.book("one");
    assert_eq!(paid(&again.take(&task('a'), &label("1")).unwrap()), Some(0.25));
    assert_eq!(paid(&again.take(&task('a'), &label("2")).unwrap()), None, "another attempt");
    assert_eq!(paid(&scene.book("two").take(&task('a'), &label("1")).unwrap()), None, "another run");
    assert!(!again.keep_answer(&id('a'), Ok(completion())).unwrap(), "told twice it is kept once");
    assert!(!scene.book("two").has_news());
}

#[test]
fn what_is_gathered_survives_and_what_is_withdrawn_does_not() {
    let scene = Scene::new();
    for (digit, revision) in [('a', "1"), ('b', "1"), ('c', "2")] {
        scene.book("one").gather(question(digit, revision)).unwrap();
    }
    let book = scene.book("one");
    book.gather(question('b', "2")).unwrap();
    book.keep_sent("n", &sent(&['c'])).unwrap();
    assert_eq!(book.withdraw(Some(&label("2"))).unwrap(), 1);
    let unsent: Vec<String> = scene.book("two").unsent().unwrap().into_iter().map(|(task, _)| task).collect();
    assert_eq!(unsent, [task('b').as_str()]);
    assert_eq!(book.withdraw(None).unwrap(), 1);
    assert_eq!(
        scene.book("two").peek(&task('c')).unwrap(),
        Standing::UnderWay,
        "what is sent is not withdrawn"
    );
    assert_eq!(std::fs::read_dir(book.folder.join("asked")).unwrap().count(), 2, "no body is left behind");
}

#[test]
fn what_comes_back_unanswered_is_sent_so_often_and_no_oftener() {
    let scene = Scene::new();
    let book = scene.book("one");
    book.gather(question('a', "1")).unwrap();
    for _ in 1..SENT_MAX {
        assert!(!book.keep_answer(&id('a'), Err(BatchFailure::Expired)).unwrap());
        assert_eq!(scene.book("one").peek(&task('a')).unwrap(), Standing::Gathered);
    }
    assert!(book.keep_answer(&id('a'), Err(BatchFailure::Expired)).unwrap());
    let Standing::Failed { reason } = book.take(&task('a'), &label("1")).unwrap() else { panic!() };
    assert_eq!(reason, "sent 3 times: the batch expired before it was done");
}

#[test]
fn a_failure_is_told_to_a_whole_run_and_the_next_one_may_ask_anew() {
    let scene = Scene::new();
    let book = scene.book("one");
    book.gather(question('a', "1")).unwrap();
    let bad = BatchFailure::Fault(ModelError::InvalidRequest { status: 400, reason: "bad".to_owned() });
    book.keep_answer(&id('a'), Err(bad)).unwrap();
    assert!(book.has_news(), "somebody has to be told");
    for revision in ["1", "2"] {
        assert!(matches!(book.take(&task('a'), &label(revision)), Ok(Standing::Failed { .. })));
    }
    assert!(!book.has_news(), "nobody goes on with it by himself");
    let next = scene.book("two");
    assert_eq!(next.peek(&task('a')).unwrap(), Standing::Unasked);
    assert_eq!(next.take(&task('a'), &label("2")).unwrap(), Standing::Unasked);
}

#[test]
fn answers_that_nobody_asks_for_are_kept_and_what_they_took_is_known() {
    let scene = Scene::new();
    let book = scene.book("one");
    for digit in ['a', 'b'] {
        book.gather(question(digit, "1")).unwrap();
        book.keep_answer(&id(digit), Ok(completion())).unwrap();
    }
    let unused = book.give_up(&BTreeSet::from(["a::b"])).unwrap();
    assert_eq!(unused.iter().map(|usage| usage.cost_usd).collect::<Vec<_>>(), [Some(0.25)]);
    assert_eq!(book.unused().unwrap(), [(1000, completion().usage)]);
    assert_eq!(
        paid(&scene.book("two").take(&task('a'), &label("9")).unwrap()),
        None,
        "it is counted already"
    );
    assert_eq!(paid(&book.take(&task('b'), &label("1")).unwrap()), Some(0.25));
}

#[test]
fn what_is_damaged_or_of_a_later_format_is_an_error_and_no_second_purchase() {
    let scene = Scene::new();
    let book = scene.book("one");
    book.gather(question('a', "1")).unwrap();
    book.keep_answer(&id('a'), Ok(completion())).unwrap();
    let path = book.path("answers", task('a').as_str());
    let opened = || {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
        let gates = Gates::new(1, Arc::clone(&clock));
        let asker = Asker { clock, gates: &gates, is_dry: false };
        Book::open(book.folder.clone(), "later", &asker).map(|_| ()).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(opened(), Ok(()));
    std::fs::write(&path, "{\"unit\":").unwrap();
    assert!(opened().unwrap_err().contains("is damaged"));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(book.folder.join("provider.json"), "{\"format\":2}").unwrap();
    assert!(opened().unwrap_err().contains("is of format 2"));
}
