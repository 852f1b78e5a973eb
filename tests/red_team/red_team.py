#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""red_team.py RED_TEAM PETAUDIT [--full] [--trials N] [--seed S] [--outside] [--out FOLDER] [--rows FILE]

Every cheat, and the table of what became of them: RED_TEAM is the program with the cheats of one process, PETAUDIT the
one that those between processes are tried on. FOLDER gets rows.jsonl, table.md and detection.svg; --rows takes
the rows of an earlier run instead of running anything, --outside leaves RED_TEAM out. Ends with 1 when a row is not as
docs/red-team.md predicts.

    tests/red_team/red_team.py build/release/tests/red_team/red_team build/release/petaudit --full --out results/red-team
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import red_outside  # noqa: E402
import red_table  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def header(arguments):
    commit = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True,
                            check=False).stdout.strip()
    command = "tests/red_team/red_team.py build/release/tests/red_team/red_team build/release/petaudit"
    command += " --full" if arguments.full else f" --seed {arguments.seed}"
    command += f" --trials {arguments.trials}" if arguments.trials else ""
    return {"header": True, "command": command, "commit": commit or "unknown", "processor": processor(),
            "processors": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 1)}


def run_inside(arguments):
    command = [arguments.red_team, "--seed", str(arguments.seed)]
    command += ["--full"] if arguments.full else []
    command += ["--trials", str(arguments.trials)] if arguments.trials else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode not in (0, 1):
        sys.exit(f"red_team ended with {process.returncode}")


def all_rows(arguments):
    if arguments.rows:
        with open(arguments.rows, encoding="utf-8") as file:
            yield from map(json.loads, file)
        return
    yield header(arguments)
    if not arguments.outside:
        yield from run_inside(arguments)
    with tempfile.TemporaryDirectory() as folder:
        yield from red_outside.rows(arguments.petaudit, folder, arguments.full, arguments.seed)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("red_team")
    parser.add_argument("petaudit")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--outside", action="store_true")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    parser.add_argument("--rows")
    arguments = parser.parse_args()
    found = []
    for row in all_rows(arguments):
        found.append(row)
        if not row.get("header"):
            print(("ok    " if row["is_predicted"] else "WRONG ") + red_table.line(row), flush=True)
    if arguments.out:
        red_table.write(found, arguments.out)
    wrong = [row["cheat"] for row in found if not row.get("header") and not row["is_predicted"]]
    if wrong:
        sys.exit("not as predicted: " + "; ".join(wrong))


main()
