#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutant.py - builds petaudit with one named mistake and wants the named test to notice.

    mutant.py prepare SOURCE TREE [MUTANT...]   copy the source to TREE, build, run the tests unharmed: they must pass
    mutant.py kill SOURCE TREE MUTANT           make the mistake, build, run its test: it must fail; undo the mistake

A mutant is a text file: a line `wrong:` says what is wrong, `killed-by:` names the test program, and then one or more
times `file:` with the text between `<<<<` and `====` replaced by the text up to `>>>>`. The old text must occur exactly
once: a mutant that no longer fits the code is a failure, not a pass. A hang counts as noticed.
"""
import filecmp
import os
import re
import shutil
import subprocess
import sys

COPIED = ["CMakeLists.txt", "CMakePresets.json", "cmake", "kernels", "host", "bench", "tests", "examples", "docs"]
SECONDS = 300


def read_mutant(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    wrong = re.search(r"^wrong: (.+)$", text, re.M)
    killer = re.search(r"^killed-by: (\w+)$", text, re.M)
    edits = re.findall(r"^file: (\S+)\n<<<<\n(.*?)\n====\n(.*?)>>>>$", text, re.M | re.S)
    if not (wrong and killer and edits):
        sys.exit(f"{path}: not a mutant (see mutant.py)")
    return wrong.group(1), killer.group(1), [(name, old, new.rstrip("\n")) for name, old, new in edits]


def copy_changed(source, target):
    """Copy what differs and keep the rest as it is, so that only what changed is compiled again."""
    os.makedirs(target, exist_ok=True)
    for folder, folders, files in os.walk(source):
        folders[:] = [f for f in folders if f not in ("build", "__pycache__", "corpus")]
        there = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(there, exist_ok=True)
        for name in files:
            old, new = os.path.join(folder, name), os.path.join(there, name)
            if not os.path.exists(new) or not filecmp.cmp(old, new, shallow=False):
                shutil.copyfile(old, new)
                shutil.copymode(old, new)


def sync(source, tree):
    for name in COPIED:
        path = os.path.join(source, name)
        if os.path.isdir(path):
            copy_changed(path, os.path.join(tree, name))
        elif os.path.exists(path):
            new = os.path.join(tree, name)
            if not os.path.exists(new) or not filecmp.cmp(path, new, shallow=False):
                shutil.copyfile(path, new)
    for data in ["tests/fuzz/corpus"]:
        shutil.copytree(os.path.join(source, data), os.path.join(tree, data), dirs_exist_ok=True)


def build(tree, targets):
    run = subprocess.run(["cmake", "--build", os.path.join(tree, "build"), "--target", *targets],
                         capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"building {' '.join(targets)} failed:\n{(run.stdout + run.stderr)[-4000:]}")


def passes(tree, test):
    program = next(path for room in ("unit", "emulated_gpu")
                   if os.path.exists(path := os.path.join(tree, "build", "tests", room, test)))
    # Tests of device code find the emulated driver, whose reports are failures.
    emulated = os.environ | {"LD_LIBRARY_PATH": os.path.join(tree, "build", "emulated_gpu")}
    try:
        run = subprocess.run([program], cwd=os.path.dirname(program), capture_output=True, timeout=SECONDS,
                             stdin=subprocess.DEVNULL, env=emulated)
    except subprocess.TimeoutExpired:
        return False, "it hangs"
    output = (run.stdout + run.stderr).decode(errors="replace")
    failed = re.findall(r"\[  FAILED  \] (?:tests: )?(\w+)", output)
    if "emulated GPU: " in output:
        return False, output[output.index("emulated GPU: ") :]
    return run.returncode == 0, ", ".join(sorted(set(failed))) or f"status {run.returncode}\n{output[-1500:]}"


def prepare(source, tree, mutants):
    os.makedirs(tree, exist_ok=True)
    sync(source, tree)
    tests = sorted({read_mutant(path)[1] for path in mutants})
    run = subprocess.run(["cmake", "-S", tree, "-B", os.path.join(tree, "build"), "-G", "Ninja", "-DCMAKE_C_COMPILER=gcc",
                          "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_C_FLAGS=-O1", "-DPETAUDIT_WERROR=OFF"],
                         capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stdout + run.stderr)
    build(tree, tests)
    for test in tests:
        good, how = passes(tree, test)
        if not good:
            sys.exit(f"{test} fails without any mutant: {how}")
    print(f"{len(mutants)} mutants, {len(tests)} tests that pass without them")


def kill(source, tree, path):
    wrong, test, edits = read_mutant(path)
    sync(source, tree)
    try:
        for name, old, new in edits:
            file_path = os.path.join(tree, name)
            with open(file_path, encoding="utf-8") as file:
                text = file.read()
            if text.count(old) != 1:
                sys.exit(f"{path}: its text occurs {text.count(old)} times in {name}, not once: bring the mutant up to date")
            with open(file_path, "w", encoding="utf-8") as file:
                file.write(text.replace(old, new))
        build(tree, [test])
        good, how = passes(tree, test)
    finally:
        sync(source, tree)
    if good:
        sys.exit(f"SURVIVED: {wrong}; {test} did not notice")
    print(f"killed ({wrong}) by {test}: {how.splitlines()[0]}")


def main():
    if len(sys.argv) >= 4 and sys.argv[1] == "prepare":
        prepare(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif len(sys.argv) == 5 and sys.argv[1] == "kill":
        kill(*sys.argv[2:5])
    else:
        sys.exit(__doc__)


main()
