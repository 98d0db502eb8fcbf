//! Secrets planted wherever a user keeps them, and code of the upstream's and the port's that looks for them: in
//! nothing that a sync writes, sends or says is any of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner, inherited};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::providers::{answer, runtime};
use crate::world::{Ran, World};

/// Each begins alike, so that a piece of one is found as well.
const CANARY: &str = "canary-7f3a";
/// Where the keys are.
const VARIABLES: &[&str] = &["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"];
/// Files of the home folder with something to hide.
const FILES: &[&str] =
    &[".ssh/id_ed25519", ".netrc", ".git-credentials", ".cargo/credentials.toml", ".pypirc"];

/// Answers in turn as a provider would that is broken, or hostile, or right: it says the key again and again.
struct Echo;

impl Respond for Echo {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let key = request.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        let body: Value = request.body_json().unwrap();
        let prompt: String = body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["content"].as_str().unwrap())
            .collect();
        let error = |status, text: String| {
            ResponseTemplate::new(status)
                .insert_header("x-echo", key.as_str())
                .set_body_json(json!({"error": {"message": text, "type": "e", "code": key}}))
        };
        let right = answer(&prompt);
        let text = match body["model"].as_str().unwrap() {
            "refuses" => return error(401, format!("Incorrect API key provided: {key}")),
            "rejects" => return error(400, format!("bad request with Bearer {key}")),
            "breaks" => return error(500, format!("traceback: authorization={key}")),
            "garbles" => {
                return ResponseTemplate::new(200).set_body_string(format!("<html>{key}</html>"));
            }
            "malformed" => format!("Here is your key: {key}"),
            "comments" => right.replace("    return (n + 1)", &format!("    # {key}\n    return (n + 1)")),
            "answers" => right,
            other => panic!("no model is called {other}"),
        };
        ResponseTemplate::new(200).set_body_json(json!({
            "id": key, "object": "chat.completion", "created": 1, "model": key,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        }))
    }
}

/// Rust that says everything it can find: its environment, that of other processes, the files.
fn search(files: &[PathBuf]) -> String {
    let mut text =
        "fn found() -> String {\n    let mut text = format!(\"{:?}\", std::env::vars_os());\n".to_owned();
    for file in files {
        let file = file.to_string_lossy();
        writeln!(text, "    text += &format!(\"{{:?}}\", std::fs::read_to_string({file:?}));").unwrap();
    }
    text += "    for process in std::fs::read_dir(\"/proc\").into_iter().flatten().flatten() {\n        \
             text += &String::from_utf8_lossy(&std::fs::read(process.path().join(\"environ\")).unwrap_or_default());\n    \
             }\n    text.replace('\\n', \" \")\n}\n";
    text
}

#[test]
fn no_secret_is_in_anything_that_a_sync_writes_sends_or_says() {
    let runtime = runtime();
    let server = runtime.block_on(MockServer::start());
    runtime.block_on(Mock::given(method("POST")).respond_with(Echo).mount(&server));
    let world = World::new();
    let mut files: Vec<PathBuf> = FILES.iter().map(|file| world.path("home").join(file)).collect();
    for (at, file) in FILES.iter().enumerate() {
        world.write(&format!("home/{file}"), &format!("secret = \"{CANARY}-file-{at}\"\n"));
    }
    let config = world.read("port/.git/config");
    let remote = format!("[remote \"origin\"]\n\turl = https://me:{CANARY}-remote@host.invalid/port\n");
    world.write("port/.git/config", &format!("{config}{remote}"));
    files.push(world.path("port/.git/config"));

    // The port's own tests look for them as well, and fail with what they find.
    let tests = world.read("port/tests/test_tally.py");
    let reading = format!(
        "{tests}\n    def test_found(self):\n        import os, glob\n        found = repr(os.environ)\n        \
         for file in {:?} + glob.glob('/proc/*/environ'):\n            try:\n                \
         found += open(file, errors='replace').read()\n            except OSError as error:\n                \
         found += repr(error)\n        print(found)\n        self.fail(found)\n",
        files.iter().map(|file| file.to_string_lossy().into_owned()).collect::<Vec<_>>()
    );
    world.write("port/tests/test_tally.py", &reading);
    world.commit("port", "a test that fails");
    world.write(
        "upstream/build.rs",
        &format!("{}fn main() {{ println!(\"cargo:warning={{}}\", found()); }}\n", search(&files)),
    );
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");

    let mut said = String::new();
    let mut sync = |model: &str, expected: &[i32]| {
        let who = format!("chat:{model}@{}/v1", server.uri());
        let invocation = secretly(&world, &["sync", "--retry", "--translator", &who]);
        let ran = Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() };
        assert!(expected.contains(&ran.code()), "{model}: {ran}");
        writeln!(said, "== {model}\n{}{}", ran.stdout(), ran.stderr()).unwrap();
        for rendering in ["text", "markdown", "html", "json"] {
            let report = world.tidelock(&["report", "--render", rendering]);
            writeln!(said, "== {model} {rendering}\n{}", report.stdout()).unwrap();
        }
    };
    for model in ["refuses", "rejects", "breaks", "garbles", "malformed", "comments"] {
        sync(model, &[5]);
    }
    sync("answers", &[0]);
    assert!(world.read("port/tally/__init__.py").contains("% 256"));

    // A build that fails says why, and that is shown to people.
    world.write(
        "upstream/build.rs",
        &format!("{}fn main() {{ panic!(\"LOOKED {{}}\", found()); }}\n", search(&files)),
    );
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "a build that fails");
    sync("answers", &[5, 6]);
    assert!(said.contains("LOOKED"), "what the build found would be shown:\n{said}");

    let requests = runtime.block_on(server.received_requests()).unwrap();
    assert!(requests.len() >= 7, "{}", requests.len());
    for request in &requests {
        let headers = request.headers.iter().filter(|(name, _)| *name != "authorization");
        writeln!(said, "{:?}", headers.collect::<Vec<_>>()).unwrap();
        said += &String::from_utf8_lossy(&request.body);
    }
    said += &world.git("port", &["log", "--all", "-p", "--format=fuller"]);
    let leaks: Vec<&str> = said.lines().filter(|line| line.contains(CANARY)).collect();
    assert!(leaks.is_empty(), "said or sent:\n{}", leaks.join("\n"));
    let mut leaks = Vec::new();
    search_folder(world.root.path(), &files, &mut leaks);
    assert!(leaks.is_empty(), "written: {leaks:#?}");
}

/// The program with secrets in its environment and its home, as a user would run it.
fn secretly(world: &World, arguments: &[&str]) -> Invocation {
    let home = PathBuf::from(inherited("HOME").unwrap());
    let real = |name: &str, folder: &str| inherited(name).unwrap_or_else(|| home.join(folder).into());
    let invocation = world
        .invocation("port", arguments)
        .env("CARGO_HOME", real("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", real("RUSTUP_HOME", ".rustup"))
        .env("HOME", world.path("home"))
        .env("TIDELOCK_LOG", "trace");
    VARIABLES.iter().fold(invocation, |invocation, name| invocation.env(name, format!("{CANARY}-{name}")))
}

/// Files below a folder that hold a canary, but for those in which they were planted.
fn search_folder(folder: &Path, planted: &[PathBuf], leaks: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if planted.contains(&path) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            search_folder(&path, planted, leaks);
        } else if std::fs::read(&path)
            .unwrap()
            .windows(CANARY.len())
            .any(|window| window == CANARY.as_bytes())
        {
            leaks.push(path);
        }
    }
}

#[test]
fn an_address_with_a_password_in_it_is_refused_without_saying_it() {
    let world = World::new();
    let config = world.read("port/tidelock.toml");
    for address in
        [format!("https://me:{CANARY}@host.invalid/up"), format!("https://{CANARY}@host.invalid/up")]
    {
        world.write("port/tidelock.toml", &config.replace("../upstream", &address));
        for command in [["status"].as_slice(), &["sync"], &["plan"], &["doctor"], &["verify"]] {
            let ran = world.tidelock(command);
            let said = format!("{}{}", ran.stdout(), ran.stderr());
            // The doctor lists what it finds, and this is among it.
            assert!(ran.code() != 0 || command == ["doctor"], "{command:?}: {ran}");
            assert!(said.contains("a user's name or a password"), "{command:?}: {ran}");
            assert!(!said.contains(CANARY), "{command:?}: {said}");
        }
    }
    let ran =
        world.tidelock_in("upstream", &["init", "--git", &format!("https://me:{CANARY}@host.invalid/up")]);
    assert!(!format!("{}{}", ran.stdout(), ran.stderr()).contains(CANARY), "{ran}");
}
