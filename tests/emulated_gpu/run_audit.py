#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole audits by the unchanged program on the emulated GPU platform.

What must hold of each: every device did steps, every opened tile is right, the certificate verifies against its
evidence, the finding EMULATED is there and the verdict is no PASS; and the platform reports no misuse of the driver.

usage: run_audit.py PETAUDIT FOLDER_OF_THE_PLATFORM SOURCES WAY
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

program, platform, sources, way = sys.argv[1:]
claim, policy = f"{sources}/tests/scenarios/claim.yaml", f"{sources}/tests/scenarios/policy.yaml"
vectors = f"{sources}/tests/vectors/proof.json"
FORMATS = {"fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8"}
DROPPED = ("OMPI_", "PMIX", "SLURM_", "PMI_", "PETAUDIT_", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
INCONCLUSIVE = 2


def environment(home, conditions, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
    return {
        **env,
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "NO_COLOR": "1",
        "LD_LIBRARY_PATH": platform,
        # Little memory: the proof of it fills and reads all that is free.
        "PETAUDIT_EMULATED_GPU": f"{conditions},memory=96MiB",
        "PETAUDIT_EMULATED_REPORT": f"{home}/report",
        "PETAUDIT_TEST_SHAPE": "256x256x128",
        **more,
    }


def reports(home):
    path = f"{home}/report"
    return open(path, encoding="utf-8").read() if os.path.exists(path) else ""


def petaudit(env, *arguments, expected=0):
    run = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, timeout=240, check=False)
    if run.returncode != expected:
        sys.exit(f"petaudit {' '.join(arguments)}: exit {run.returncode}, not {expected}\n{run.stdout}{run.stderr}")
    return run


def notes(folder, kind):
    with sqlite3.connect(f"file:{folder}/evidence.db?mode=ro", uri=True) as evidence:
        found = [json.loads(row[0]) for row in evidence.execute("SELECT json FROM notes")]
    return [note for note in found if note["kind"] == kind]


def check(home, folder, env, devices, formats=None):
    """What every audit of this platform owes."""
    with open(f"{folder}/summary.json", encoding="utf-8") as file:
        summary = json.load(file)
    assert summary["verdict"] == "INCONCLUSIVE", summary["verdict"]
    found = {finding["code"]: finding["severity"] for finding in summary["findings"]}
    assert found.get("EMULATED") == "critical", found
    assert len(summary["devices"]) == devices, summary["devices"]
    for device in summary["devices"]:
        assert device["backend"] == "cuda" and device["is_emulated"] and not device["is_lost"], device
        assert device["steps"] > 0 and device["id"].startswith("GPU-"), device
        assert formats is None or device["format"] in formats, device
        assert device["variant"].startswith("lt algo "), device
    assert len({device["id"] for device in summary["devices"]}) == devices
    assert summary["openings"]["drawn"] > 0 and summary["openings"]["failed"] == 0, summary["openings"]
    sizes = [row["bytes"] for row in summary["allreduce"] if row["verified"]]
    assert sizes == ([8 << i for i in range(len(sizes))] if devices > 1 else []), summary["allreduce"]
    assert len(sizes) >= (10 if devices > 1 else 0), summary["allreduce"]
    libraries = {library["name"]: library for note in notes(folder, "libraries") for library in note["libraries"]}
    for name in ("libcuda.so.1", "libcublasLt.so.13"):
        assert len(libraries[name]["sha256"]) == 64 and libraries[name]["path"].startswith("/"), libraries
    assert not os.path.exists(f"{folder}/certificate.json")
    petaudit(env, "verify", f"{folder}/test-result.json", "--evidence", f"{folder}/evidence.db")
    assert reports(home) == "", reports(home)
    return summary


def audit(home, conditions, devices, *options, formats=None, **more):
    env = environment(home, conditions, **more)
    folder = f"{home}/out{len(os.listdir(home))}"
    begun = time.monotonic()
    petaudit(env, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", folder, *options,
             expected=INCONCLUSIVE)
    print(f"{conditions} {' '.join(options)}: {time.monotonic() - begun:.1f} s")
    return check(home, folder, env, devices, formats)


def one(home):
    """One GPU, with work that runs when it is waited for and with work that runs at once."""
    audit(home, "devices=1", 1)
    audit(home, "devices=1,order=eager", 1)


def two(home):
    """Two GPUs in one process, each with a thread that drives it and one that watches it."""
    audit(home, "devices=2,seed=3", 2)


def eight(home):
    """Eight GPUs, a thread each."""
    audit(home, "devices=8", 8)


def formats(home):
    """Every class of work; the format is whichever sustains most."""
    audit(home, "devices=2", 2, "--precision", "bf16", formats={"bf16", "fp16", "fp32", "tf32"})
    audit(home, "devices=2", 2, "--precision", "fp8", formats={"fp8", "bf16"})
    audit(home, "devices=2", 2, "--precision", "int8", formats={"int8"})
    audit(home, "devices=2", 2, "--precision", "fp64", formats={"fp64"})


def older(home):
    """Older GPUs and drivers: what they lack is refused with the reason, the rest is proven."""
    audit(home, "devices=1,sm=75,driver=12000", 1, formats={"fp16", "fp32"})
    env = environment(home, "devices=1,sm=80")
    listed = json.loads(petaudit(env, "devices", "--json").stdout)["devices"][0]
    told = {entry["format"]: entry for entry in listed["formats"]}
    assert not told["fp8"]["runs"] and "8.9" in told["fp8"]["why_not"], told["fp8"]
    assert told["bf16"]["runs"] and told["bf16"]["peak_pflops"] > 0, told["bf16"]
    listed = petaudit(environment(home, "devices=1,driver=11040"), "devices").stdout
    assert "cuda: the driver is made for CUDA 11.4" in listed, listed


def absent(home):
    """Without a driver, or with one that shows nothing, one line says why and the processor is still there."""
    env = environment(home, "devices=1")
    del env["LD_LIBRARY_PATH"]
    if not os.path.exists("/dev/nvidiactl"):
        listed = petaudit(env, "devices").stdout
        assert "\ncuda: libcuda.so.1" in listed and "cpu:0" in listed, listed
        run = petaudit(env, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", f"{home}/none",
                       expected=69)
        assert "cuda: libcuda.so.1" in run.stderr, run.stderr
    listed = petaudit(environment(home, "devices=0"), "devices").stdout
    assert "\ncuda: " in listed and "cpu:0" in listed, listed


def selftest(home):
    """Every known answer that a device can compute, computed by the device."""
    env = environment(home, "devices=2")
    report = json.loads(petaudit(env, "selftest", "--devices", "cuda", "--json").stdout)
    exact = {(e["device"], e["class"], e["format"]) for e in report["exactness"] if e["result"] == "exact"}
    assert report["passed"] and len({device for device, _, _ in exact}) == 2, report
    assert {f for _, _, f in exact} == FORMATS, exact
    report = json.loads(petaudit(env, "selftest", "--devices", "cuda", "--vectors", vectors, "--json").stdout)
    told = {(entry["device"], entry["format"]): entry for entry in report["devices"]}
    assert report["passed"] and len(told) == 2 * len(FORMATS), report["devices"]
    # Operands, a digest and chains of the class: tens of comparisons, none of them wrong.
    assert all(entry["checks"] > 50 and entry["mismatches"] == 0 for entry in told.values()), report["devices"]
    assert reports(home) == "", reports(home)


def processes(home):
    """Two processes on one host share its four GPUs."""
    folder = f"{home}/site"
    ranks = []
    for rank in range(2):
        env = environment(home, "devices=4", PETAUDIT_RANK=str(rank), PETAUDIT_SIZE="2",
                          PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE="2")
        command = [program, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", folder]
        ranks.append(subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    words = [rank.communicate(timeout=240)[1] for rank in ranks]
    codes = [rank.returncode for rank in ranks]
    assert codes == [INCONCLUSIVE, 0], (codes, words)
    check(home, folder, environment(home, "devices=4"), 4)


def everything(home):
    """--devices all: GPUs and the processor in one audit."""
    env = environment(home, "devices=1")
    folder = f"{home}/all"
    petaudit(env, "audit", claim, "--policy", policy, "--devices", "all", "--out", folder, expected=INCONCLUSIVE)
    with open(f"{folder}/summary.json", encoding="utf-8") as file:
        summary = json.load(file)
    assert [d["backend"] for d in summary["devices"]] == ["cuda", "cpu"], summary["devices"]
    assert all(d["steps"] > 0 for d in summary["devices"]), summary["devices"]
    assert [d["is_emulated"] for d in summary["devices"]] == [True, False], summary["devices"]


WAYS = {f.__name__: f for f in (one, two, eight, formats, older, absent, selftest, processes, everything)}
with tempfile.TemporaryDirectory() as folder_of_all:
    WAYS[way](folder_of_all)
