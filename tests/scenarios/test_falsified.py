#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole audits on a device that falsifies a share of its tiles.

A session that draws n tiles misses a share f of wrong ones with probability (1-f)^n, and each drawn tile is wrong with
probability f (docs/protocol.md, "Credit"). Both counts over many audits must lie in the middle 1 - 2e-6 of their
binomial distributions; the witness draws its keys anew in every run.

usage: test_falsified.py PETAUDIT_FAULTY SCENARIO_FOLDER
"""
import json
import math
import os
import subprocess
import sys
import tempfile

AUDITS, SHARE, TAIL = 24, 0.02, 1e-6
# Calibration compares fewer tiles than this and must find the device exact, or it is refused before the audit.
SPARED = 40


def binomial(n, k, p):
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))


def expect_within(what, n, p, seen):
    below = sum(binomial(n, k, p) for k in range(seen + 1))
    above = sum(binomial(n, k, p) for k in range(seen, n + 1))
    print(f"{what}: {seen} of {n}, expected {n * p:.1f}; tails {below:.2e} and {above:.2e}")
    if below < TAIL or above < TAIL:
        sys.exit(f"{what}: {seen} of {n} is not what a probability of {p:.4f} gives")


def audit(program, folder, out, fault):
    environment = dict(os.environ, PETAUDIT_TEST_SHAPE="256x256x256", XDG_CONFIG_HOME=out, PETAUDIT_FAULT=fault)
    run = subprocess.run(
        [program, "audit", f"{folder}/claim.yaml", "--policy", f"{folder}/policy.yaml", "--out", f"{out}/audit",
         "--json"],
        env=environment, capture_output=True, text=True, timeout=300, check=False)
    if run.returncode not in (1, 2, 3):
        sys.exit(f"the audit ended with {run.returncode}: {run.stderr}")
    summary = json.loads(run.stdout)
    if "TEST_BUILD" not in {finding["code"] for finding in summary["findings"]}:
        sys.exit("a build that falsifies results did not say so")
    drawn, failed = summary["openings"]["drawn"], summary["openings"]["failed"]
    if (failed > 0) != (summary["verdict"] == "INVALID") or (failed > 0) != (run.returncode == 3):
        sys.exit(f"{failed} failed openings gave {summary['verdict']}, exit {run.returncode}")
    return drawn, failed


def main():
    program, folder = sys.argv[1:]
    drawn = failed = caught = 0
    expected = []
    for seed in range(AUDITS):
        with tempfile.TemporaryDirectory() as out:
            n, k = audit(program, folder, out, f"tiles:{SHARE}:{seed}:{SPARED}")
        drawn, failed, caught = drawn + n, failed + k, caught + (k > 0)
        expected.append(n)
    if len(set(expected)) != 1:
        sys.exit(f"audits drew different numbers of tiles: {expected}")
    expect_within("falsified tiles found", drawn, SHARE, failed)
    expect_within("audits caught", AUDITS, 1 - (1 - SHARE) ** expected[0], caught)
    with tempfile.TemporaryDirectory() as out:
        if audit(program, folder, out, "tiles:0:1")[1] != 0:
            sys.exit("openings failed although nothing was falsified")


main()
