#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tries tests/gpu/run on the emulated platform: every case runs, EMULATED is said everywhere, and nothing that it leaves
could be taken for a measurement.

usage: try_emulated.py BUILD FOLDER_OF_THE_PLATFORM
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

build, platform = sys.argv[1:]
RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
# nccl-tests as it prints, for the case that reads it.
NCCL_TESTS = """#!/bin/sh
[ "$1 $3 $5 $6" = "-b -e -d int32" ] || exit 1
echo "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong"
echo "$2 $(($2 / 4)) int32 sum -1 100.0 1.00 0.001 0 100.0 1.00 0.001 0"
"""


def figures(value):
    """Every number with a fraction in what was read from JSON."""
    if isinstance(value, dict):
        return [f for entry in value.values() for f in figures(entry)]
    if isinstance(value, list):
        return [f for entry in value for f in figures(entry)]
    return [value] if isinstance(value, float) else []


def run(env, *words, status=0):
    done = subprocess.run([sys.executable, RUN, "--build", build, *words], env=env, capture_output=True, text=True, check=False)
    if done.returncode != status:
        sys.exit(f"run {' '.join(words)}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    return done


def main(home):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "LD_LIBRARY_PATH"))}
    env |= {"HOME": home, "XDG_CONFIG_HOME": home, "LD_LIBRARY_PATH": platform, "NCCL_TESTS": home,
            "PETAUDIT_EMULATED_GPU": "devices=2"}
    with open(os.path.join(home, "all_reduce_perf"), "w", encoding="ascii") as file:
        file.write(NCCL_TESTS)
    os.chmod(file.name, 0o755)

    out = os.path.join(home, "out")
    done = run(env, "--out", out)
    assert done.stdout.startswith("EMULATED: Emulated GPU 0"), done.stdout
    assert "EMULATED" in done.stdout.splitlines()[-1], done.stdout
    assert not [name for name in os.listdir(out) if name.endswith((".json", ".xml")) and not name.startswith("EMULATED-")]

    with open(os.path.join(out, "EMULATED-results.json"), encoding="utf-8") as file:
        results = json.load(file)
    assert "EMULATED" in results and results["emulated"] and figures(results) == [], figures(results)
    assert [c for c in results["cases"] if c["result"] != "passed"] == [], results["cases"]
    assert {e["format"] for e in results["overhead"]} == {"bf16", "fp16", "fp32", "fp64", "fp8", "int8", "tf32"}
    assert {lib["name"] for lib in results["libraries"]} >= {"libcuda.so.1", "libcublasLt.so.13", "libnccl.so.2"}
    assert all(len(lib["sha256"]) == 64 for lib in results["libraries"])
    suite = xml.parse(os.path.join(out, "EMULATED-junit.xml")).getroot()
    assert suite.get("name") == "EMULATED.petaudit.gpu" and suite.get("failures") == "0", suite.attrib

    # What a user may do wrong, and no GPU at all.
    run(env, "--out", os.path.join(home, "no"), "--record", status=64)
    run(env, "--out", os.path.join(home, "no2"), "--baseline", os.path.join(out, "EMULATED-results.json"), status=64)
    run(env | {"PETAUDIT_EMULATED_GPU": "devices=0"}, "--out", os.path.join(home, "no3"), status=3)
    assert not os.path.exists(os.path.join(home, "no3"))

    # Devices whose products are wrong fail the command, and the case that saw it is named.
    env["PETAUDIT_EMULATED_GPU"] = "devices=1,fault=cublasLtMatmul:*:wrong"
    failed = run(env, "--out", os.path.join(home, "wrong"), "--only", "audit", status=1)
    assert "\nFAILED   a whole audit of all devices" in failed.stdout, failed.stdout

    # So does memory that is not there.
    env["PETAUDIT_EMULATED_GPU"] = "devices=1,memory=32MiB,gpu0.told=128MiB"
    failed = run(env, "--out", os.path.join(home, "less"), "--only", "audit", status=1)
    assert re.search(r"^FAILED   a whole audit of all devices.*: the memory of the devices: ", failed.stdout, re.M), failed.stdout


with tempfile.TemporaryDirectory() as folder:
    main(folder)
