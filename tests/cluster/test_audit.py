#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One audit of several processes: test_audit.py PETAUDIT CLAIM mpirun|killed"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

program, claim, way = sys.argv[1:]
env = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX", "SLURM_", "PMI_", "PETAUDIT_"))}
env.update(PETAUDIT_TEST_SHAPE="256x256x256", PETAUDIT_HEARTBEAT="2s", NO_COLOR="1")


def summary_of(folder):
    with open(f"{folder}/summary.json") as file:
        return json.load(file)


def check_allreduce(summary):
    rows = summary["allreduce"]
    assert len(rows) >= 10, rows
    assert all(row["verified"] is True for row in rows), rows
    assert [row["bytes"] for row in rows] == [8 << i for i in range(len(rows))], rows


def check_coupled(summary):
    """As one system: a rate, and a loss against the same devices by themselves."""
    coupled = summary["coupled"]
    assert coupled["state"] == "measured" and coupled["reason"] == "", coupled
    assert coupled["ranks"] == 4 and coupled["hosts"] == 1 and coupled["steps"] >= 4, coupled
    assert coupled["bytes"] == max(row["bytes"] for row in summary["allreduce"]), coupled
    assert coupled["pflops"] > 0 and coupled["sum_pflops"] > 0 and 0 <= coupled["loss"] < 1, coupled
    # Figures have nine digits.
    expected = max(0, 1 - coupled["pflops"] / coupled["sum_pflops"])
    assert abs(coupled["loss"] - expected) < 1e-6, (coupled, expected)


def by_mpirun(home, out):
    """Four ranks under mpirun are one audit of four devices, with one result."""
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "4", program]
    result = subprocess.run(
        command + ["audit", claim, "--duration", "3s", "--devices", "cpu", "--out", out],
        env={**env, "HOME": home},
        timeout=240,
        capture_output=True,
        text=True,
    )
    print(result.stderr)
    # A TEST shape is never a PASS: 2, INCONCLUSIVE.
    assert result.returncode == 2, result.returncode
    summary = summary_of(out)
    assert summary["verdict"] == "INCONCLUSIVE", summary["verdict"]
    assert len(summary["devices"]) == 4, summary["devices"]
    assert len({device["id"] for device in summary["devices"]}) == 4, summary["devices"]
    assert all(device["steps"] > 0 for device in summary["devices"]), summary["devices"]
    check_allreduce(summary)
    check_coupled(summary)
    assert not os.path.exists(f"{out}/hub.json")


def one_killed(home, out):
    """A worker that is killed in an epoch is named by rank and host; the others finish."""
    ranks = []
    for rank in range(4):
        ranks.append(
            subprocess.Popen(
                [program, "audit", claim, "--duration", "8s", "--devices", "cpu", "--out", out],
                env={
                    **env,
                    "HOME": home,
                    "PETAUDIT_RANK": str(rank),
                    "PETAUDIT_SIZE": "4",
                    "PETAUDIT_LOCAL_RANK": str(rank),
                    "PETAUDIT_LOCAL_SIZE": "4",
                },
                stdout=subprocess.DEVNULL,
                stderr=open(f"{home}/rank{rank}.log", "w"),
            )
        )
    deadline = time.monotonic() + 120
    while "epoch 1" not in open(f"{home}/rank0.log").read():
        assert time.monotonic() < deadline and ranks[0].poll() is None, open(f"{home}/rank0.log").read()
        time.sleep(0.05)
    time.sleep(1)
    ranks[2].send_signal(signal.SIGKILL)
    codes = [rank.wait(timeout=200) for rank in ranks]
    log = open(f"{home}/rank0.log").read()
    print(codes, log)
    assert codes[1] == 0 and codes[3] == 0 and codes[2] == -signal.SIGKILL, codes
    assert codes[0] in (1, 2), codes[0]
    assert f"rank 2 on {os.uname().nodename}" in log, log
    summary = summary_of(out)
    steps = [device["steps"] for device in summary["devices"]]
    assert len(steps) == 4 and steps[0] > 0 and steps[1] > 0 and steps[3] > 0, steps
    assert summary["openings"]["failed"] == 0, summary["openings"]


with tempfile.TemporaryDirectory() as home:
    {"mpirun": by_mpirun, "killed": one_killed}[way](home, f"{home}/out")
