#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each folder here is a site, a claim and a rule, and what must come out.

    run_scenarios.py SCENARIO_JUDGE PETAUDIT FOLDER...

expected.json of a folder has `verdict`, `findings` (all codes, in any order) and `figures`: paths into summary.json with
the value expected there, numbers within 0.1 %. Where the site's tiles are computed, `petaudit judge` is run on the same
evidence, too, and must say the same and end with the status of its verdict; there must be such a site for each verdict.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

STATUS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 2, "INVALID": 3}


def at(summary, path):
    here = summary
    for part in re.findall(r"[^.\[\]]+", path):
        here = here[int(part)] if isinstance(here, list) else here[part]
    return here


def differences(summary, expected):
    if summary["verdict"] != expected["verdict"]:
        yield f"verdict {summary['verdict']}, not {expected['verdict']}: {summary['reason']}"
    found = sorted({finding["code"] for finding in summary["findings"]})
    if found != sorted(expected["findings"]):
        yield f"findings {found}, not {sorted(expected['findings'])}"
    for path, value in expected.get("figures", {}).items():
        seen = at(summary, path)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        same = is_number and isinstance(seen, (int, float)) and abs(seen - value) <= 1e-3 * abs(value)
        if not same and seen != value:
            yield f"{path} is {seen}, not {value}"
    for word in expected.get("reason_has", []):
        if word not in summary["reason"]:
            yield f"the reason does not say \"{word}\": {summary['reason']}"


def run(program, petaudit, folder, work):
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    with open(os.path.join(folder, "site.json"), encoding="utf-8") as file:
        site = json.load(file)
    evidence = os.path.join(work, os.path.basename(folder) + ".db")
    made = subprocess.run([program, folder, evidence], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return [f"scenario_judge gave {made.returncode}: {made.stderr}"], None
    summary = json.loads(made.stdout)
    complaints = list(differences(summary, expected))
    status = None
    if site.get("is_computed"):
        environment = dict(os.environ, XDG_CONFIG_HOME=work)
        judged = subprocess.run([petaudit, "judge", evidence, "--json"], env=environment, capture_output=True, text=True,
                                check=False)
        status = judged.returncode
        if judged.returncode != STATUS[expected["verdict"]]:
            complaints.append(f"petaudit judge gave {judged.returncode}: {judged.stderr}")
        else:
            complaints += [f"petaudit judge: {text}" for text in differences(json.loads(judged.stdout), expected)]
    return complaints, status


def main():
    program, petaudit, *folders = sys.argv[1:]
    if len(folders) < 12:
        sys.exit(f"only {len(folders)} scenarios")
    failed, statuses = 0, set()
    with tempfile.TemporaryDirectory() as work:
        for folder in folders:
            complaints, status = run(program, petaudit, folder, work)
            statuses.add(status)
            print(f"{os.path.basename(folder)}: {'as expected' if not complaints else '; '.join(complaints)}")
            failed += bool(complaints)
    for verdict, status in STATUS.items():
        if status not in statuses:
            print(f"`petaudit judge` ended with {status} ({verdict}) nowhere")
            failed += 1
    sys.exit(1 if failed else 0)


main()
