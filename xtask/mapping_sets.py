"""Makes evaluation sets for `cargo xtask measure mapping` from repositories that record their correspondence.

    python3 xtask/mapping_sets.py pairs  REPOSITORY OUT    function pairs in the layout of RustRepoTrans
    python3 xtask/mapping_sets.py tables UPSTREAM@REV PORT@REV MODULES.jsonl TESTS.jsonl OUT
    python3 xtask/mapping_sets.py anchors UPSTREAM@REV PORT@REV OUT               contracts that list anchors of both sides

Nothing of the repositories is copied into this one: sets are written to OUT, which is outside of it. The format
is described in docs/mapping.md. Pairs are split by a hash of their file into `dev` and `held`.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys


def half(name):
    """The same half for the same name on every machine."""
    return "dev" if hashlib.sha256(name.encode()).digest()[0] % 2 else "held"


def git(repository, *arguments):
    return subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True).stdout


def write(folder, record, pairs):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "set.json").write_text(json.dumps(record, indent=1) + "\n")
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    print(f"{folder}: {len(pairs)} pairs")


def line_of(repository, path, text):
    """The line on which a recorded text begins in a file, or None."""
    source = git(repository, "show", f"HEAD:{path}").decode(errors="replace").replace("\r\n", "\n")
    lines = [line.strip() for line in text.strip("\n").split("\n")]
    found = [line.strip() for line in source.split("\n")]
    for at in range(len(found)):
        if found[at : at + len(lines)] == lines:
            return at + 1
    return None


def pairs(repository, out):
    base = "Evaluate/function_pair_with_identical_functionality"
    names = git(repository, "ls-tree", "-r", "--name-only", "HEAD", base).decode().split("\n")
    by_project = {}
    for name in sorted(name for name in names if "/rust__python/" in name):
        project = name.split("/")[2]
        text = git(repository, "show", f"HEAD:{name}").decode(errors="replace").replace("\r\n", "\n")
        found = re.findall(r"<path>\n(.*?)\n</path>\n<function>\n(.*?)</function>", text, re.S)
        if len(found) != 2:
            continue
        (rust, rust_text), (python, python_text) = found
        item, symbol = re.search(r"fn\s+(\w+)", rust_text), re.search(r"def\s+(\w+)", python_text)
        rust_root, python_root = (f"projects/{project}/{side}/" for side in ("rust", "python"))
        # The line of `fn` or `def` itself: attributes and decorators may stand in front of it.
        below = lambda text, at: text[: at.start()].count("\n") - (len(text) - len(text.lstrip("\n")))
        lines = line_of(repository, f"Evaluate/{rust}", rust_text), line_of(repository, f"Evaluate/{python}", python_text)
        by_project.setdefault(project, []).append({
            "kind": "item",
            "group": "pairs",
            "upstream_file": rust.removeprefix(rust_root),
            "item": item.group(1),
            "line": lines[0] and lines[0] + below(rust_text, item),
            "port_file": python.removeprefix(python_root),
            "symbol": symbol.group(1),
            "symbol_line": lines[1],
        })
    for project, found in sorted(by_project.items()):
        record = {
            "name": project,
            "upstream": f"{repository}@HEAD:Evaluate/projects/{project}/rust",
            "port": f"{repository}@HEAD:Evaluate/projects/{project}/python",
        }
        write(f"{out}/{project}", record, found)


def tables(upstream, port, modules, tests, out):
    found = []
    for row in map(json.loads, open(modules)):
        group = ("rule" if row["path_rule_hit"] else "hard") + "-" + half(row["rust_path"])
        found.append({
            "kind": "module", "group": group,
            "upstream_file": row["rust_path"], "port_file": row["python_path"],
        })
    for row in map(json.loads, open(tests)):
        if len(row["rust_tests"]) == 1 and len(row["rust_files"]) == 1:
            found.append({
                "kind": "item", "group": "test-" + half(row["rust_files"][0]),
                "upstream_file": row["rust_files"][0], "item": row["rust_tests"][0],
                "port_file": row["py_file"], "symbol": row["py_test"], "symbol_line": row["line"],
            })
    write(out, {"name": pathlib.Path(out).name, "upstream": upstream, "port": port, "source_root": ""}, found)


def anchors(upstream, port, out):
    """Contracts that list the anchors of a module on both sides, in the same order."""
    repository, revision = port.split("@")
    names = git(repository, "ls-tree", "-r", "--name-only", revision).decode().split("\n")
    found = []
    for name in sorted(name for name in names if "/contracts/accepted/" in name and name.endswith(".json")):
        contract = json.loads(git(repository, "show", f"{revision}:{name}"))
        rust, python = contract.get("rust", {}), contract.get("python", {})
        one, other, files = rust.get("anchors", []), python.get("anchors", []), python.get("implementation_files", [])
        if len(one) != len(other) or len(files) != 1 or not rust.get("source"):
            continue
        source = rust["source"].removeprefix("codex/")
        for item, symbol in zip(one, other):
            if re.fullmatch(r"\w+", item) and re.fullmatch(r"\w+", symbol):
                found.append({
                    "kind": "item", "group": "anchor-" + half(source),
                    "upstream_file": source, "item": item, "port_file": files[0], "symbol": symbol,
                })
    write(out, {"name": pathlib.Path(out).name, "upstream": upstream, "port": port, "source_root": ""}, found)


if __name__ == "__main__":
    makers = {"pairs": pairs, "tables": tables, "anchors": anchors}
    makers[sys.argv[1]](*sys.argv[2:])
