//! Project files read, and environments really made: from a wheel that is written here, without any network.

use std::path::Path;

use upstream::process::{Invocation, ProcessRunner as _, SystemProcessRunner};

use super::environments::{EnvironmentError, EnvironmentRequest, Environments};
use super::project::Project;
use crate::language::python::Interpreter;

/// Writes a wheel of a package with one module, which says its version.
const WHEEL_SCRIPT: &str = r#"
import sys, zipfile
folder, name, version = sys.argv[1:]
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    info = f"{name}-{version}.dist-info"
    wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", "")
"#;

fn project(files: &[(&str, &str)], groups: &[&str]) -> Result<Project, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
    Project::read(folder.path(), &groups).map_err(|error| error.to_string())
}

fn lines(files: &[(&str, &str)], groups: &[&str]) -> Vec<String> {
    project(files, groups).unwrap().requirements.into_iter().collect()
}

#[test]
fn a_port_without_project_files_asks_for_nothing() {
    let project = project(&[("tally/__init__.py", "")], &[]).unwrap();
    assert!(!project.needs_packages());
    assert_eq!(project, Project::default());
}

#[test]
fn requirements_are_read_with_what_they_name() {
    let files = [
        (
            "requirements.txt",
            "# what it needs\nSix >= 1.0 \\\n  , < 2\n-r more/base.txt # and more\n-c pins.txt\n-e .\n--pre\n",
        ),
        (
            "more/base.txt",
            "\u{feff}attrs[tests]==23.1.0 ; python_version < '4' --hash=sha256:00ff\n-r ../requirements.txt\n",
        ),
        ("pins.txt", "pluggy==1.0\n"),
    ];
    let project = project(&files, &[]).unwrap();
    let lines: Vec<&str> = project.requirements.iter().map(String::as_str).collect();
    assert_eq!(lines, ["attrs[tests]==23.1.0 ; python_full_version < '4' --hash=sha256:00ff", "six>=1.0,<2"]);
    assert_eq!(project.pinned.first().map(String::as_str), Some("pluggy==1.0"));
    assert_eq!(project.options, ["--pre"]);
    assert_eq!(project.files, ["requirements.txt", "more/base.txt", "pins.txt"]);
}

#[test]
fn what_would_run_foreign_code_or_lead_elsewhere_is_refused_by_name() {
    let built = "is built from sources, and only built packages (wheels) are installed";
    for (line, told) in [
        ("six @ git+https://localhost/six.git", built),
        ("six @ https://localhost/six-1.0.tar.gz", built),
        ("six @ http://localhost/six-1.0-py3-none-any.whl", built),
        ("-e ../other", built),
        ("-r ../outside.txt", "leads out of the port"),
        ("-r /etc/passwd", "leads out of the port"),
        ("-r missing.txt", "there is no such file"),
        ("--trusted-host localhost", "is an option that is not known here"),
        ("--no-binary :all:", "is an option that is not known here"),
        ("six ==", "is no requirement"),
        ("./six", "is no requirement"),
        ("six==1.0 --hash=md5:zz", "is no hash"),
    ] {
        let error = project(&[("requirements.txt", line)], &[]).unwrap_err();
        assert!(error.contains(told), "{line}: {error}");
    }
}

#[test]
fn pyproject_is_read_with_its_groups() {
    let text = "[project]\nname = \"My-Port\"\nrequires-python = \">=3.10\"\ndependencies = [\"six>=1\"]\n\
                [project.optional-dependencies]\nfast = [\"numpy\"]\nall = [\"my_port[fast]\"]\n\
                [dependency-groups]\ntest = [\"pytest\", { include-group = \"typing\" }]\ntyping = [\"mypy\"]\n";
    assert_eq!(lines(&[("pyproject.toml", text)], &[]), ["mypy", "pytest", "six>=1"], "`test` by itself");
    assert_eq!(
        lines(&[("pyproject.toml", text)], &["all"]),
        ["numpy", "six>=1"],
        "no other where one is named"
    );
    let error = project(&[("pyproject.toml", text)], &["docs"]).unwrap_err();
    assert_eq!(
        error,
        "`pyproject.toml`: there is no group `docs` of dependencies (known: all, fast, test, typing)"
    );
}

#[test]
fn poetry_is_read() {
    let text = "[tool.poetry]\nname = \"p\"\n[tool.poetry.dependencies]\npython = \"^3.10\"\nsix = \"^1.2.3\"\n\
                zero = \"^0.2.3\"\ntilde = \"~1.2\"\nany = \"*\"\nexact = \"1.0\"\n\
                rich = { version = \">=1\", extras = [\"x\"], python = \"<3.12\" }\nleft = { version = \"1\", optional = true }\n\
                [tool.poetry.group.dev.dependencies]\npytest = \"1.*\"\n";
    assert_eq!(
        lines(&[("pyproject.toml", text)], &[]),
        [
            "any",
            "exact==1.0",
            "pytest==1.*",
            "rich[x]>=1 ; python_full_version < '3.12'",
            "six>=1.2.3,<2",
            "tilde>=1.2,<1.3",
            "zero>=0.2.3,<0.3"
        ]
    );
    let git = "[tool.poetry.dependencies]\nsix = { git = \"https://localhost/six\" }\n";
    assert!(project(&[("pyproject.toml", git)], &[]).unwrap_err().contains("is taken from sources"));
    let either = "[tool.poetry.dependencies]\nsix = \"^1 || ^2\"\n";
    assert!(
        project(&[("pyproject.toml", either)], &[]).unwrap_err().contains("no version that is understood")
    );
}

#[test]
fn a_lock_file_pins_what_it_names_once() {
    let wanted = "[project]\nname = \"p\"\ndependencies = [\"six\"]\n";
    let locked = "version = 1\n[[package]]\nname = \"p\"\nversion = \"0.1\"\nsource = { editable = \".\" }\n\
                  [[package]]\nname = \"Six\"\nversion = \"1.16.0\"\nsource = { registry = \"https://localhost\" }\n\
                  [[package]]\nname = \"two\"\nversion = \"1\"\n[[package]]\nname = \"two\"\nversion = \"2\"\n";
    let pinned = project(&[("pyproject.toml", wanted), ("uv.lock", locked)], &[]).unwrap().pinned;
    assert_eq!(pinned.iter().collect::<Vec<_>>(), ["six==1.16.0"]);
    let poetry =
        [("pyproject.toml", wanted), ("poetry.lock", "[[package]]\nname = \"six\"\nversion = \"1.15.0\"\n")];
    assert_eq!(project(&poetry, &[]).unwrap().pinned.first().unwrap(), "six==1.15.0");
    for (broken, told) in [
        ("[[package]]\nname = \"six\"\nversion = \"one\"\n", "`six` at `one`"),
        ("[[package]]\nname = \"six\"\n", "a package without a name or a version"),
        ("[[package]]\nname = \"-r x\"\nversion = \"1\"\n", "is no name of a package"),
        ("[[package", "it is not TOML"),
    ] {
        let error = project(&[("pyproject.toml", wanted), ("uv.lock", broken)], &[]).unwrap_err();
        assert!(error.starts_with("`uv.lock`: ") && error.contains(told), "{error}");
    }
}

#[test]
fn broken_project_files_are_named_with_what_is_wrong() {
    for (text, told) in [
        ("[project", "it is not TOML"),
        ("[project]\ndependencies = \"six\"\n", "[project] dependencies is no list"),
        ("[project]\ndependencies = [1]\n", "an entry that is no requirement"),
        ("[project]\nrequires-python = \"new\"\n", "requires-python"),
        ("[project]\ndynamic = [\"dependencies\"]\n", "its build backend makes the dependencies"),
        ("[dependency-groups]\ntest = [{ include-group = \"test2\" }]\n", "there is no group `test2`"),
        ("[dependency-groups]\ntest = [{ other = \"test2\" }]\n", "no `include-group`"),
    ] {
        let error = project(&[("pyproject.toml", text)], &[]).unwrap_err();
        assert!(error.starts_with("`pyproject.toml`: ") && error.contains(told), "{text}: {error}");
    }
    let listed = [
        (
            "pyproject.toml",
            "[project]\ndynamic = [\"dependencies\"]\n[tool.setuptools.dynamic]\ndependencies = { file = \"needs.txt\" }\n",
        ),
        ("needs.txt", "six\n"),
    ];
    assert_eq!(lines(&listed, &[]), ["six"]);
}

/// A folder with wheels of a package, and a project that takes them from there alone.
struct Made {
    folder: tempfile::TempDir,
    base: Interpreter,
    runner: SystemProcessRunner,
}

impl Made {
    fn new() -> Self {
        let runner = SystemProcessRunner::default();
        let base = Interpreter::locate(&runner, None).unwrap();
        let made = Self { folder: tempfile::tempdir().unwrap(), base, runner };
        std::fs::create_dir(made.path("wheels")).unwrap();
        for version in ["1.0", "2.0"] {
            let wheels = made.path("wheels");
            let invocation = Invocation::new(made.base.program(), made.folder.path()).args([
                "-c",
                WHEEL_SCRIPT,
                wheels.to_str().unwrap(),
                "tidelockling",
                version,
            ]);
            assert!(made.runner.run(&invocation).unwrap().succeeded());
        }
        made
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn project(&self, wanted: &str) -> Project {
        let text = format!("--no-index\n--find-links wheels\n{wanted}\n");
        std::fs::write(self.path("requirements.txt"), text).unwrap();
        Project::read(self.folder.path(), &[]).unwrap()
    }

    fn request<'a>(&'a self, project: &'a Project) -> EnvironmentRequest<'a> {
        EnvironmentRequest {
            project,
            folder: self.folder.path(),
            base: &self.base,
            runner: &self.runner,
            disk_bytes_max: 1 << 30,
        }
    }

    fn says(&self, python: &Interpreter) -> String {
        let script = "import tidelockling; print(tidelockling.VERSION)";
        let invocation = Invocation::new(python.program(), "/").args(["-I", "-B", "-c", script]);
        let finished = self.runner.run(&invocation).unwrap();
        assert!(finished.succeeded(), "{}", finished.tail(5));
        String::from_utf8(finished.stdout).unwrap().trim().to_owned()
    }
}

#[test]
fn an_environment_is_made_once_for_the_same_content_and_again_for_another() {
    let made = Made::new();
    let environments = Environments::in_folder(&made.path("environments"));
    let old = made.project("tidelockling==1.0");
    assert!(environments.find(&made.request(&old)).unwrap().is_none(), "nothing is ready yet");
    let first = environments.make(&made.request(&old)).unwrap();
    assert_eq!(first.packages, ["tidelockling 1.0"]);
    assert_eq!(made.says(&first.interpreter), "1.0");
    // In another checkout it is the same one: there nobody would find a wheel.
    let elsewhere = tempfile::tempdir().unwrap();
    let copied = Made { folder: elsewhere, base: made.base.clone(), runner: SystemProcessRunner::default() };
    std::fs::create_dir(copied.path("wheels")).unwrap();
    for name in ["tidelockling-1.0-py3-none-any.whl", "tidelockling-2.0-py3-none-any.whl"] {
        std::fs::copy(made.path("wheels").join(name), copied.path("wheels").join(name)).unwrap();
    }
    assert_eq!(copied.project("tidelockling==1.0"), old);
    std::fs::remove_dir_all(copied.path("wheels")).unwrap();
    let again = environments.make(&copied.request(&old)).unwrap();
    assert_eq!(again.interpreter, first.interpreter);
    let other = made.project("tidelockling");
    let newer = environments.make(&made.request(&other)).unwrap();
    assert_eq!(made.says(&newer.interpreter), "2.0");
    assert_ne!(newer.interpreter, first.interpreter);
    // An environment whose interpreter is gone is none.
    let program = Path::new(newer.interpreter.program()).to_owned();
    drop(newer);
    std::fs::remove_file(&program).unwrap();
    assert!(environments.find(&made.request(&other)).unwrap().is_none());
    assert_eq!(made.says(&environments.make(&made.request(&other)).unwrap().interpreter), "2.0");
}

#[test]
fn what_cannot_be_installed_is_said_with_its_cause_and_leaves_nothing_behind() {
    let made = Made::new();
    let environments = Environments::in_folder(&made.path("environments"));
    let missing = made.project("tidelockling==3.0");
    let error = environments.make(&made.request(&missing)).unwrap_err();
    assert!(matches!(error, EnvironmentError::Install { .. }), "{error}");
    assert!(error.to_string().contains("tidelockling==3.0"), "{error}");
    let left = std::fs::read_dir(made.path("environments")).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.path().is_dir()).count(), 0);

    let mut wanted = made.project("tidelockling");
    wanted.python = Some("<3".parse().unwrap());
    let error = environments.make(&made.request(&wanted)).unwrap_err();
    assert!(error.to_string().starts_with("the port asks for Python <3, and `"), "{error}");
    assert!(error.hint().contains("`interpreter`"), "{}", error.hint());
}
