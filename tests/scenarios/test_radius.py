#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Short epochs among the long ones: an audit whose policy wants a radius, interrupted and resumed, verified from its
evidence, and reported in both languages.

usage: test_radius.py PETAUDIT SCENARIO_FOLDER
"""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

NONCE = 2
LIGHT_KM = 299792.458


def check(condition, what):
    if not condition:
        sys.exit(what)


def nonces(evidence):
    try:
        with sqlite3.connect(f"file:{evidence}?mode=ro", uri=True) as database:
            return database.execute("select count(*) from record where type = ?", (NONCE,)).fetchone()[0]
    except sqlite3.Error:
        return 0


def run(command, environment, wanted):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    check(done.returncode == wanted, f"{command} gave exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def check_radius(summary):
    points, probes = summary["radius"], [epoch for epoch in summary["epochs"] if epoch["is_probe"]]
    check([point["length_s"] for point in points] == [0.3, 0.1, 0.02], f"lengths: {points}")
    check(len(probes) == 10 and summary["epoch_count"] == 14, f"{len(probes)} probes of {summary['epoch_count']} epochs")
    for point in points:
        check(point["closed"] == point["declared"] and point["aborted"] == 0, f"not all were closed: {point}")
        check(abs(point["radius_km"] - LIGHT_KM * point["longest_s"] / 2) < 1e-6 * point["radius_km"], f"radius: {point}")
        check(0 < point["verified_pflops"] < point["rate_pflops"], f"rates: {point}")
    check(points[0]["remote_share_most"] is None, "long epochs bound the place")
    for point in points[1:]:
        share = 1 - point["verified_pflops"] / points[0]["rate_pflops"]
        check(abs(point["remote_share_most"] - min(1, max(0, share))) < 1e-6, f"share: {point}")
        check(not point["is_credited"], "a probe of a small shape counts for the capacity")
    work = sum(epoch["pflops"] * epoch["seconds"] for epoch in summary["epochs"] if not epoch["is_probe"]) * 1e15
    check(abs(summary["verified"]["operations"] / work - 1) < 1e-6, "the credit counts other work than the long epochs'")
    time_of_all = sum(epoch["seconds"] for epoch in summary["epochs"])
    check(summary["verified"]["seconds"] > time_of_all * 0.999 - summary["verified"]["gap_s"], "probes took no time")


def main():
    program, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        environment = dict(os.environ, PETAUDIT_TEST_SHAPE="256x256x256", XDG_CONFIG_HOME=out)
        audit, evidence = f"{out}/audit", f"{out}/audit/evidence.db"
        policy = open(f"{folder}/policy.yaml", encoding="utf-8").read()
        policy = policy.replace("window_s: 0.2, epoch_s: 0.1", "window_s: 1.2, epoch_s: 0.3, radius: [0.1, 0.02]")
        with open(f"{out}/policy.yaml", "w", encoding="utf-8") as file:
            file.write(policy)
        process = subprocess.Popen([program, "audit", f"{folder}/claim.yaml", "--policy", f"{out}/policy.yaml", "--out",
                                    audit], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while nonces(evidence) < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=120)[1]
        # What was drawn before the interruption is not drawn again after it.
        if process.returncode == 130:
            summary = json.loads(run([program, "audit", "--resume", audit, "--json"], environment, 2))
        else:
            check(process.returncode == 2, f"the audit gave exit {process.returncode}: {told}")
            summary = json.load(open(f"{audit}/summary.json", encoding="utf-8"))
        check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, f"{summary['openings']}")
        check_radius(summary)
        codes = {finding["code"] for finding in summary["findings"]}
        check("BELOW_POLICY" not in codes and "FEWER_EPOCHS" not in codes, f"findings: {codes}")
        run([program, "verify", f"{audit}/test-result.json", "--evidence", evidence], environment, 0)
        for language, word in (("en", "Farther away, at most"), ("zh", "更远处份额上限")):
            run([program, "report", f"{audit}/test-result.json", "--html", f"{out}/{language}.html", "--pdf",
                 f"{out}/{language}.pdf", "--lang", language], environment, 0)
            check(word in open(f"{out}/{language}.html", encoding="utf-8").read(), f"no radius in the report ({language})")
        # Another policy wants a shorter epoch than was declared.
        with open(f"{out}/stricter.yaml", "w", encoding="utf-8") as file:
            file.write(policy.replace("[0.1, 0.02]", "[0.1, 0.01]"))
        judged = json.loads(run([program, "judge", evidence, "--policy", f"{out}/stricter.yaml", "--json"], environment, 2))
        check("BELOW_POLICY" in {f["code"] for f in judged["findings"]}, "probes that are too long satisfy a policy")


main()
