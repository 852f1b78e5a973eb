#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_structure.py - what the compiler does not check: arrows between rooms, names, sizes, words, layout.

    check_structure.py arrows|names|words|printing|findings|layout   from the top of the tree

The table of rooms is the one in docs/architecture.md, between the marks `rooms` and `/rooms`: the page that people
read is the page that is enforced.
"""
import os
import re
import subprocess
import sys
from collections import defaultdict

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOST_LINES = 600
SPDX = "SPDX-License-Identifier: Apache-2.0"
# Split, so that this file does not hold the words it looks for.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
PRINTS = re.compile(r"(?<![\w.>])(printf|fprintf|vfprintf|vprintf|puts|fputs|putchar|perror|exit|_exit|quick_exit|abort|err|errx|warnx)\s*\(")


def tracked(*endings):
    skip = {"build", ".git", "__pycache__"}
    found = []
    for folder, folders, files in os.walk(TOP):
        folders[:] = sorted(f for f in folders if f not in skip and not f.startswith("petaudit-"))
        for name in sorted(files):
            if name.endswith(endings):
                found.append(os.path.relpath(os.path.join(folder, name), TOP))
    return found


def lines_of(path):
    # Inputs of tests may hold any byte.
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def code_of(path):
    """The lines of a C file with comments and string literals blanked, so that only code is searched."""
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        text = file.read()

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)
    return text.splitlines()


def room_table():
    table = {}
    inside = False
    for line in lines_of("docs/architecture.md"):
        if "<!-- rooms -->" in line:
            inside = True
        elif "<!-- /rooms -->" in line:
            inside = False
        elif inside and line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            room = cells[0].strip("`")
            table[room] = set(re.findall(r"`([a-z_/.]+)`", cells[1]))
    if len(table) < 10:
        sys.exit("docs/architecture.md: the table of rooms is missing or was cut")
    return table


def check_arrows(complain):
    table = room_table()
    rooms_on_disk = {d for d in os.listdir(os.path.join(TOP, "host")) if os.path.isdir(os.path.join(TOP, "host", d))}
    for room in sorted(rooms_on_disk - set(table)):
        complain(f"host/{room}", "this room is not in the table of docs/architecture.md")
    for room, calls in table.items():
        for target in calls:
            if target.split("/")[0] not in table:
                complain("docs/architecture.md", f"{room} may call {target}, which is no room")
    seen = 0
    for path in tracked(".c", ".h"):
        parts = path.split(os.sep)
        if parts[0] == "kernels":
            room = "kernels"
        elif parts[0] == "host" and len(parts) == 3:
            room = parts[1]
        elif parts[0] == "host":
            room = "command"
        else:
            continue
        allowed = table.get(room, set())
        for number, line in enumerate(lines_of(path), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            seen += 1
            target = match.group(1)
            if target.startswith("../") or "/../" in target:
                complain(f"{path}:{number}", f'"{target}" climbs out of its folder; write "room/header.h"')
                continue
            other = target.split("/")[0] if "/" in target else room
            if other == "host":
                complain(f"{path}:{number}", f'"{target}": rooms are included as "room/header.h"')
            elif other in table and other != room and other not in allowed and target not in allowed:
                complain(f"{path}:{number}", f"{room} may not include {target}: the arrow goes the other way")
    if seen < 100:
        complain("host", f"only {seen} includes were seen: the check looks in the wrong place")


def check_names(complain):
    by_name = defaultdict(list)
    for path in tracked(".c", ".h", ".py", ".sh", ".cl", ".cu"):
        name = os.path.basename(path)
        by_name[name].append(path)
        if not re.fullmatch(r"[a-z][a-z0-9_]*\.(c|h|py|sh|cl|cu)", name):
            complain(path, "file names are snake_case")
        if re.search(r"(^|_)(utils?|common|misc|helpers?)(_|\.)", name):
            complain(path, "name the file after what it does")
        lines = lines_of(path)
        if not any(SPDX in line for line in lines[:3]):
            complain(path, f"no '{SPDX}' in the first lines")
        if len(lines) > MOST_LINES:
            complain(path, f"{len(lines)} lines; {MOST_LINES} are the most: split it by noun")
        # A *_text.h is the text of several translation units, not a header.
        if name.endswith(".h") and not name.endswith("_text.h"):
            code = [line for line in code_of(path) if line.strip()]
            guard = re.match(r"#ifndef (PA_\w+_H)$", code[0]) if code else None
            if not guard or code[1] != f"#define {guard.group(1)}" or not code[-1].startswith("#endif"):
                complain(path, "no include guard of the form PA_..._H around the whole header")
    for path in tracked("CMakeLists.txt", ".cmake"):
        if not any(SPDX in line for line in lines_of(path)[:3]) and os.path.basename(path) == "CMakeLists.txt":
            complain(path, f"no '{SPDX}' in the first lines")
    for name, paths in by_name.items():
        if len(paths) > 1:
            complain(" and ".join(paths), "file names are unique in the tree")


def check_words(complain):
    for path in tracked(".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".yaml", ".cl", ".cu"):
        if path.startswith(("results" + os.sep, os.path.join("tests", "claims"), os.path.join("tests", "policies"))) or os.path.basename(path) == "LICENSE":
            continue
        for number, line in enumerate(lines_of(path), 1):
            if UNFINISHED.search(line):
                complain(f"{path}:{number}", "unfinished work belongs in an issue, not in the tree")
            if len(line) > 200 and path.endswith((".c", ".h", ".py", ".sh")):
                complain(f"{path}:{number}", "a line of more than 200 characters")


def check_printing(complain):
    for path in tracked(".c", ".h"):
        parts = path.split(os.sep)
        if parts[0] not in ("host", "kernels") or len(parts) < 3 or parts[1] == "command":
            continue
        for number, line in enumerate(code_of(path), 1):
            match = PRINTS.search(line)
            # fprintf and fputs to an open memory stream or file are writing, not printing; the standard streams are named.
            if match and not (match.group(1) in ("fprintf", "vfprintf", "fputs") and not re.search(r"\bstd(out|err)\b", line)):
                complain(f"{path}:{number}", f"{match.group(1)}: below host/command/ nothing prints and nothing exits")


def check_findings(complain):
    """Each code of a finding is expected by name in some test; the honest sessions of the tests are its false case."""
    tests = "\n".join("\n".join(lines_of(path)) for path in tracked(".c", ".py", ".json", ".ini") if path.startswith("tests" + os.sep))
    table = os.path.join("host", "judge", "finding_table.c")
    for number, line in enumerate(lines_of(table), 1):
        code = re.match(r'\s*\{"([A-Z_]+)", ', line)
        if code and not re.search(rf'\b{code.group(1)}\b', tests):
            complain(f"{table}:{number}", f"no test expects {code.group(1)}")


def check_layout(complain):
    files = tracked(".c", ".h")
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=TOP, capture_output=True, text=True)
    if run.returncode != 0:
        for path in sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", run.stderr, flags=re.M))):
            complain(path, "clang-format would change this file: run clang-format -i on it")
        if not run.stderr:
            complain("clang-format", f"ended with {run.returncode}")


CHECKS = {"arrows": check_arrows, "names": check_names, "words": check_words, "printing": check_printing, "findings": check_findings,
          "layout": check_layout}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__)
    complaints = []
    CHECKS[sys.argv[1]](lambda where, what: complaints.append(f"{where}: {what}"))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


main()
