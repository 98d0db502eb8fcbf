"""Writes result files by the report code of benchmark tools whose runs need Docker.

Arguments: the unpacked packages of SWE-bench (two versions), Terminal-Bench and Harbor, and a folder to write to.
What stands around the report code (runners, data sets, containers) is not loaded. Inputs are this file's own.
"""

import importlib
import json
import os
import sys
import types
import typing
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

import typing_extensions

# The packages ask for a newer Python than may be here, for these two names only.
for name in ("TypedDict", "override"):
    setattr(typing, name, getattr(typing_extensions, name))


def bare(root, *names):
    """Packages whose own initialisation is left out: it loads runners."""
    for name in [known for known in sys.modules if known.split(".")[0] == names[0]]:
        del sys.modules[name]
    sys.path.insert(0, str(root))
    for name in names:
        module = types.ModuleType(name)
        module.__path__ = [str(Path(root, *name.split(".")))]
        sys.modules[name] = module


def stub(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


def swebench(root, out, images, **more):
    """Six instances: resolved, failed, out of memory, an empty patch, no report, not submitted."""
    bare(root, "swebench", "swebench.harness", *more.pop("packages"))
    stub(images, list_images=lambda client: [])
    for name, members in more.pop("stubs", {}).items():
        stub(name, **members)
    reporting = importlib.import_module("swebench.harness.reporting")
    os.chdir(out)
    logs = Path(reporting.RUN_EVALUATION_LOG_DIR, "run", "model")
    instances = ["good", "bad", "starved", "empty", "broken", "absent"]
    for name in instances[:3]:
        folder = logs / name
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps({name: {"resolved": name == "good"}}))
        (folder / "test_output.txt").write_text("Cannot allocate memory" if name == "starved" else "1 failed")
        (folder / "run_instance.log").write_text("")
    predictions = {
        name: {"instance_id": name, "model_name_or_path": "model", "model_patch": "" if name == "empty" else "diff"}
        for name in instances[:5]
    }
    reporting.make_run_report(predictions, [{"instance_id": name} for name in instances], "run")
    written = Path("model.run.json")
    assert written.is_file(), list(Path(".").iterdir())


def terminal_bench(root, out):
    bare(root, "terminal_bench", "terminal_bench.harness", "terminal_bench.agents", "terminal_bench.parsers")
    models = importlib.import_module("terminal_bench.harness.models")
    modes = importlib.import_module("terminal_bench.agents.failure_mode").FailureMode

    def trial(task, number, resolved, mode):
        return models.TrialResults(
            trial_name=f"{task}.{number}-of-2.run", task_id=task, instruction="do it", is_resolved=resolved, failure_mode=mode
        )

    results = models.BenchmarkResults(
        results=[
            trial("good", 1, True, modes.UNSET),
            trial("good", 2, True, modes.NONE),
            trial("slow", 1, False, modes.AGENT_TIMEOUT),
            trial("slow", 2, None, modes.CONTEXT_LENGTH_EXCEEDED),
            trial("lost", 1, None, modes.AGENT_INSTALLATION_FAILED),
            trial("lost", 2, True, modes.UNSET),
        ]
    )
    Path(out, "results.json").write_text(results.model_dump_json(indent=4))


def harbor(root, out):
    bare(root, "harbor", "harbor.models")
    result = importlib.import_module("harbor.models.trial.result")
    job = importlib.import_module("harbor.models.job.result")
    config = importlib.import_module("harbor.models.trial.config")
    task = importlib.import_module("harbor.models.task.id")
    verifier = importlib.import_module("harbor.models.verifier.result")
    now = datetime.now(timezone.utc)

    def trial(name, reward, exception):
        trial_name = f"{name}__{uuid4().hex[:7]}"
        info = exception and result.ExceptionInfo(
            exception_type=exception, exception_message="", exception_traceback="", occurred_at=now
        )
        return result.TrialResult(
            task_name=name,
            trial_name=trial_name,
            trial_uri=f"file:///{trial_name}",
            task_id=task.LocalTaskId(path=Path(name)),
            task_checksum="0" * 64,
            config=config.TrialConfig(task=config.TaskConfig(path=Path(name)), trial_name=trial_name),
            agent_info=result.AgentInfo(name="agent", version="1"),
            verifier_result=None if reward is None else verifier.VerifierResult(rewards={"reward": reward}),
            exception_info=info,
            started_at=now,
            finished_at=now,
        )

    trials = [
        trial("good", 1.0, None),
        trial("bad", 0.0, None),
        trial("slow", 0.0, "AgentTimeoutError"),
        trial("lost", None, "EnvironmentStartTimeoutError"),
    ]
    for one in trials:
        folder = Path(out, "job", one.trial_name)
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(one.model_dump_json(indent=4))
    stats = job.JobStats.from_trial_results(trials, n_total_trials=len(trials))
    whole = job.JobResult(id=uuid4(), started_at=now, finished_at=now, n_total_trials=len(trials), stats=stats)
    Path(out, "job", "result.json").write_text(whole.model_dump_json(indent=4, exclude={"trial_results"}))


def main():
    newer, older, terminal, trials, out = (Path(argument).resolve() for argument in sys.argv[1:6])
    for name in ("newer", "older"):
        (out / name).mkdir(parents=True)
    terminal_bench(terminal, out)
    harbor(trials, out)
    swebench(
        newer, out / "newer", "swebench.image_builder.docker_utils", packages=["swebench.image_builder"]
    )
    swebench(
        older,
        out / "older",
        "swebench.harness.docker_utils",
        packages=["swebench.harness.test_spec"],
        stubs={"swebench.harness.test_spec.test_spec": {"make_test_spec": None}},
    )


main()
