#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Four times the devices cost four times as much, and no more: counted in messages, bytes and instructions.

    test_scale.py SCALE

SCALE is bench/scale. Two small sites are proven, judged and reported. Nothing here looks at a clock. Instructions come
from the processor's own counter, or from valgrind's cachegrind where the kernel keeps that to itself.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SMALL, LARGE = 300, 1200
# A sort of n things costs n log n; a little is the same at every size.
MOST_RATIO = LARGE / SMALL * 1.12


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=600)


def instructions(scale, folder, counted):
    if counted is not None:
        return counted
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("no counter of instructions: perf events are forbidden and valgrind is missing")
    said = run(valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", scale, "judge",
               folder, "once").stderr
    return int(re.search(r"I\s+refs:\s+([\d,]+)", said).group(1).replace(",", ""))


def measure(scale, devices, folder):
    found = json.loads(run(scale, "prove", devices, folder, 2, 2, 40).stdout)
    found.update(json.loads(run(scale, "judge", folder, "once").stdout))
    found["instructions"] = instructions(scale, folder, found["instructions"])
    return found


def main():
    scale = sys.argv[1]
    with tempfile.TemporaryDirectory() as top:
        small = measure(scale, SMALL, os.path.join(top, "small"))
        large = measure(scale, LARGE, os.path.join(top, "large"))
    wrong = []
    if small["devices"] != SMALL or large["devices"] != LARGE:
        wrong.append("the evidence does not hold all devices")
    # An epoch: challenge, commitment and list, whatever the number of devices; 72 bytes for each.
    if small["exchange_messages"] != 3 or large["exchange_messages"] != 3:
        wrong.append("an epoch is more than three messages")
    each = (large["exchange_bytes"] - small["exchange_bytes"]) / (LARGE - SMALL)
    if abs(each - 72) > 0.01 or small["exchange_bytes"] > 72 * SMALL + 1000:
        wrong.append(f"an epoch exchanges {each} bytes a device")
    # Openings do not grow with the site.
    if large["openings"] != small["openings"] or large["opening_bytes"] > 1.1 * small["opening_bytes"]:
        wrong.append("a larger site opens more")
    names = ["declaration_bytes", "notes", "evidence_bytes", "certificate_bytes", "summary_bytes", "device_list_bytes",
             "html_bytes", "instructions"]
    for name in names:
        ratio = large[name] / small[name]
        print(f"{name}: {small[name]} > {large[name]}, {ratio:.3f} times")
        if ratio > MOST_RATIO:
            wrong.append(f"{name} grows {ratio:.2f} times where devices grow {LARGE / SMALL:.0f} times")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
