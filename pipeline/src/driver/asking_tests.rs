use std::sync::atomic::AtomicUsize;

use mappings::{UnitKind, WorkUnit};
use port::translate::{Route, Translator};
use upstream::{CommitId, Revision, RevisionLabel, TreeId};

use super::*;

/// A translator that answers when so many requests are under way with it, and panics where it is told to.
#[derive(Debug)]
struct Crowd {
    wanted: usize,
    now: Mutex<usize>,
    changed: Condvar,
    most: AtomicUsize,
}

impl Crowd {
    fn link(wanted: usize) -> (Arc<Self>, Arc<Link>) {
        let crowd =
            Arc::new(Self { wanted, now: Mutex::new(0), changed: Condvar::new(), most: AtomicUsize::new(0) });
        (Arc::clone(&crowd), Arc::new(Link::Translator(Box::new(Handle(crowd)))))
    }
}

#[derive(Debug)]
struct Handle(Arc<Crowd>);

impl Translator for Handle {
    fn name(&self) -> String {
        "crowd".to_owned()
    }

    fn route(&self) -> Route {
        Route::Model
    }

    fn attempts_max(&self) -> u32 {
        1
    }

    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        assert_ne!(request.style, "panic", "as it was told");
        let crowd = &self.0;
        let mut now = crowd.now.lock().unwrap();
        *now += 1;
        crowd.most.fetch_max(*now, Ordering::SeqCst);
        crowd.changed.notify_all();
        while *now < crowd.wanted {
            now = crowd.changed.wait(now).unwrap();
        }
        let usage = Usage { input_tokens: 7, ..Usage::default() };
        let answer = match request.style.as_str() {
            "need" => Answer::Need { symbols: vec![SymbolPath::new("pkg.f").unwrap()] },
            _ => Answer::NoChange { reason: request.unit.id.to_string() },
        };
        Ok(Translation::Answered { answer, origin: "crowd".to_owned(), usage })
    }
}

fn asking() -> Asking {
    Asking::new(8, Arc::default())
}

fn effect(unit: &str, attempt: u32) -> Effect {
    let tree = TreeId::new("1".repeat(40)).unwrap();
    Effect::Attempt {
        unit: UnitId::new(unit).unwrap(),
        translator: 0,
        attempt,
        feedback: None,
        tree: tree.clone(),
        shown: tree,
    }
}

fn key(unit: &str) -> TurnKey {
    TurnKey::of(&effect(unit, 1)).unwrap()
}

fn request(unit: &str, style: &str) -> TranslationRequest {
    TranslationRequest {
        revision: Revision {
            label: RevisionLabel::new("1.0.0").unwrap(),
            commit: CommitId::new("a".repeat(40)).unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        },
        unit: WorkUnit {
            id: UnitId::new(unit).unwrap(),
            kind: UnitKind::Change,
            members: Vec::new(),
            reason: String::new(),
            impacted: Vec::new(),
            after: Vec::new(),
            wave: 0,
            tokens_estimate: 0,
        },
        symbols: Vec::new(),
        hidden: Vec::new(),
        neighbours: Vec::new(),
        signatures: Vec::new(),
        uses: Vec::new(),
        wanted: Vec::new(),
        surroundings: None,
        digest: String::new(),
        candidate: 0,
        imports: Vec::new(),
        runtime: None,
        style: style.to_owned(),
        attempt: 1,
        feedback: None,
    }
}

const TEN: Spent = Spent { tokens: 10, usd: 0.0 };

fn ask(asking: &mut Asking, link: &Arc<Link>, unit: &str, style: &str) {
    asking.ask(key(unit), (effect(unit, 1), link), request(unit, style), TEN);
}

fn answer(asking: &mut Asking, unit: &str, round: usize, request: &TranslationRequest) -> Option<Outcome> {
    while asking.is_under_way(&key(unit), round) {
        asking.wait();
    }
    asking.take(&key(unit), round, request)
}

#[test]
fn requests_are_under_way_together_and_answers_are_taken_in_any_order() {
    let (crowd, link) = Crowd::link(5);
    let mut asking = asking();
    for unit in ["a", "b", "c", "d", "e"] {
        ask(&mut asking, &link, unit, "");
    }
    for unit in ["e", "a", "c", "b", "d"] {
        let outcome = answer(&mut asking, unit, 0, &request(unit, ""));
        let Some(Ok(Translation::Answered { answer: Answer::NoChange { reason }, .. })) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(reason, unit);
    }
    assert_eq!(crowd.most.load(Ordering::SeqCst), 5);
}

#[test]
fn no_more_are_under_way_than_configured() {
    let (crowd, link) = Crowd::link(0);
    let mut asking = Asking::new(2, Arc::default());
    let units: Vec<String> = (0..20).map(|number| format!("u{number}")).collect();
    for unit in &units {
        ask(&mut asking, &link, unit, "");
    }
    for unit in &units {
        assert!(answer(&mut asking, unit, 0, &request(unit, "")).is_some());
    }
    assert_eq!(asking.threads, 2);
    assert_eq!(*crowd.now.lock().unwrap(), 20);
}

#[test]
fn an_answer_to_another_request_is_not_used() {
    let (_crowd, link) = Crowd::link(1);
    let mut asking = asking();
    ask(&mut asking, &link, "a", "");
    assert!(answer(&mut asking, "a", 0, &request("a", "another")).is_none());
    assert!(answer(&mut asking, "b", 0, &request("b", "")).is_none(), "nobody asked");
    assert!(answer(&mut asking, "a", 0, &request("a", "")).is_some());
}

#[test]
fn a_translator_that_panics_is_an_error_and_the_others_go_on() {
    let (_crowd, link) = Crowd::link(1);
    let mut asking = asking();
    ask(&mut asking, &link, "a", "panic");
    ask(&mut asking, &link, "b", "");
    let outcome = answer(&mut asking, "a", 0, &request("a", "panic"));
    let Some(Err(error)) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("broke down"), "{error}");
    assert!(answer(&mut asking, "b", 0, &request("b", "")).is_some());
}

#[test]
fn who_needs_more_is_asked_once_more_and_counted_until_it_is_over() {
    let (_crowd, link) = Crowd::link(1);
    let mut asking = asking();
    ask(&mut asking, &link, "a", "need");
    ask(&mut asking, &link, "b", "");
    while asking.others_are_under_way(&key("none")) {
        asking.wait();
    }
    assert_eq!(asking.promised(&key("none")).1.tokens, 20, "answers that came count as promised");
    assert_eq!(asking.promised(&key("b")).1.tokens, 10);
    let (own, others) = asking.promised(&key("b").of_candidate(1));
    assert_eq!((own.tokens, others.tokens), (10, 10), "another candidate of the unit is its own");
    assert_eq!(asking.spent(&key("none")).1.tokens, 14);
    let in_need = asking.in_need();
    assert_eq!(in_need.iter().map(|(turn, ..)| turn.clone()).collect::<Vec<_>>(), [key("a")]);
    asking.ask_more(&key("a"), request("a", "more"));
    assert!(asking.in_need().is_empty(), "it is asked for already");
    assert!(answer(&mut asking, "a", 1, &request("a", "more")).is_some());
    asking.forget(&key("a"));
    asking.forget(&key("b"));
    assert_eq!(asking.promised(&key("none")), (Spent::default(), Spent::default()));
}

#[test]
fn what_waits_is_not_sent_any_more_when_all_is_over() {
    let (crowd, link) = Crowd::link(1);
    let mut asking = Asking::new(1, Arc::new(AtomicBool::new(true)));
    ask(&mut asking, &link, "a", "");
    assert!(answer(&mut asking, "a", 0, &request("a", "")).is_some());
    let desk = Arc::clone(&asking.desk);
    drop(asking);
    assert!(desk.next().is_none());
    assert_eq!(*crowd.now.lock().unwrap(), 1);
}
