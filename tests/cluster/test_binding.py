#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_binding.py PETAUDIT - the processors of one host, divided among two processes on it.

Unbound, each takes its half; bound by a launcher (taskset plays it), each keeps what it was given, and is not taken for
one of two on the same processors. What a process drives is its device's id in the certificate: "cpu:0/2-3".
"""
import os
import re
import sys
import tempfile

from cluster_site import Hall, check

(program,) = sys.argv[1:]
MINE = sorted(os.sched_getaffinity(0))
check(len(MINE) >= 2, f"this test needs two processors: {MINE}")


def processors_of(device):
    check(re.fullmatch(r"cpu:0/[0-9,-]+", device["id"]), f"not a part of a processor, all its own: {device['id']}")
    found = set()
    for part in device["id"].removeprefix("cpu:0/").split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def audit(prefixes):
    with tempfile.TemporaryDirectory() as home, Hall(home, program, window_s=1) as hall:
        ranks = [hall.start_rank(rank, 2, prefix=prefix, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE="2")
                 for rank, prefix in enumerate(prefixes)]
        hall.end(ranks[0], (2,))
        hall.end(ranks[1], (0,), "rank1.log")
        devices = hall.summary()["devices"]
        check(len(devices) == 2 and all(device["steps"] > 0 for device in devices), devices)
        return [processors_of(device) for device in devices]


first, second = audit(((), ()))
check(not first & second and first | second == set(MINE), f"{first} and {second} of {MINE}")
given = ({MINE[-1]}, {MINE[0]})
found = audit([("taskset", "--cpu-list", str(min(processors))) for processors in given])
check(found == list(given), f"bound to {given}, they used {found}")
print("ok")
