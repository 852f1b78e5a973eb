#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C: the running epoch is brought to its end, the evidence stays, `--resume` finishes the audit.

usage: test_interrupted.py PETAUDIT SCENARIO_FOLDER
"""
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

NONCE, ROOT = 2, 3


def count(evidence, record_type):
    try:
        with sqlite3.connect(f"file:{evidence}?mode=ro", uri=True) as database:
            return database.execute("select count(*) from record where type = ?", (record_type,)).fetchone()[0]
    except sqlite3.Error:
        return 0


def check(condition, what):
    if not condition:
        sys.exit(what)


def main():
    program, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        environment = dict(os.environ, PETAUDIT_TEST_SHAPE="256x256x256", XDG_CONFIG_HOME=out)
        audit, evidence = f"{out}/audit", f"{out}/audit/evidence.db"
        policy = open(f"{folder}/policy.yaml", encoding="utf-8").read().replace("window_s: 0.2", "window_s: 2")
        policy = policy.replace("epoch_s: 0.1", "epoch_s: 0.5")
        with open(f"{out}/policy.yaml", "w", encoding="utf-8") as file:
            file.write(policy)
        run = subprocess.Popen([program, "audit", f"{folder}/claim.yaml", "--policy", f"{out}/policy.yaml", "--out",
                                audit], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while count(evidence, NONCE) < 2 and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        printed, told = run.communicate(timeout=120)
        check(run.returncode == 130, f"Ctrl-C gave exit {run.returncode}: {told}")
        check(printed == "" and "--resume" in told, f"the user was not told how to go on: {told}")
        check(not os.path.exists(f"{audit}/test-result.json"), "an interrupted audit left a result")
        closed = count(evidence, ROOT)
        check(count(evidence, NONCE) == closed, "the running epoch was not closed")
        judged = subprocess.run([program, "judge", evidence, "--json"], env=environment, capture_output=True, text=True,
                                check=False)
        check(judged.returncode == 2, f"unfinished evidence was judged with exit {judged.returncode}")
        again = subprocess.run([program, "audit", "--resume", audit, "--json"], env=environment, capture_output=True,
                               text=True, timeout=300, check=False)
        check(again.returncode == 2, f"the resumed audit gave exit {again.returncode}: {again.stderr}")
        summary = json.loads(again.stdout)
        with open(program, "rb") as file:
            check(summary["tool"]["sha256"] == hashlib.sha256(file.read()).hexdigest(), f"measured by {summary['tool']}")
        check(summary["openings"]["failed"] == 0 and summary["openings"]["drawn"] >= 40, f"{summary['openings']}")
        check(count(evidence, ROOT) == 4, "an epoch was lost or run twice")
        codes = {finding["code"] for finding in summary["findings"]}
        check("INTERRUPTED" in codes and "SHORT_WINDOW" not in codes, f"findings: {codes}")
        verified = subprocess.run([program, "verify", f"{audit}/test-result.json", "--evidence", evidence],
                                  env=environment, capture_output=True, text=True, check=False)
        check(verified.returncode == 0, verified.stdout + verified.stderr)


main()
