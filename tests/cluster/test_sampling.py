#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_sampling.py PETAUDIT self|witnessed - a site of eight processes of which the witness chooses two.

Only the chosen devices compute, in every epoch; the certificate says how many can be missing, and the choice is drawn again
from the witness's key by the recipe of docs/sampling.md. Witnessed, the witness is another process with another key.
"""
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

from cluster_site import Hall, check

program, way = sys.argv[1:]
RANKS, CHOSEN = 8, 2


def tagged(tag, *parts):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + b"".join(parts)).digest()


def choose(key, session):
    q, order = tagged("devices", key, session), list(range(RANKS))
    for i in range(CHOSEN):
        u = struct.unpack("<Q", tagged("draw", q, struct.pack("<I", i))[:8])[0]
        j = i + (u * (RANKS - i) >> 64)
        order[i], order[j] = order[j], order[i]
    return order[:CHOSEN]


def start_witness(hall):
    made = subprocess.run([program, "keygen", hall.path("auditor")], env=hall.env, capture_output=True, check=False)
    check(made.returncode == 0, f"keygen: {made.stderr}")
    with open(hall.path("witness.log"), "w", encoding="utf-8") as log:
        witness = subprocess.Popen([program, "witness", "--key", hall.path("auditor"), "--listen", "127.0.0.1:0", "--store",
                                    hall.path("store")], env=hall.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=log)
    hall.started.append(witness)
    lines = [witness.stdout.readline().decode() for _ in range(2)]
    check(lines[1].startswith("witness"), f"the witness says {lines}")
    return lines[1].split()[1]


def audit(hall):
    arguments = [*hall.arguments(), "--sample", "25%"]
    if way == "witnessed":
        arguments += ["--witness", start_witness(hall)]
    ranks = [hall.start_rank(rank, RANKS, *arguments, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(RANKS))
             for rank in range(RANKS)]
    for rank, process in enumerate(ranks):
        hall.end(process, (2,) if rank == 0 else (0,), f"rank{rank}.log")


def run(folder):
    with Hall(folder, program, window_s=2) as hall:
        audit(hall)
        summary = hall.summary()
        hall.verify()
        sample, (note,) = summary["sample"], hall.notes("sample")
        chosen = choose(bytes.fromhex(note["key"]), bytes.fromhex(summary["session"]["hash"]))
        check(note["devices"] == chosen, f"{note} is not the choice {chosen}")
        check([entry["device"] for entry in sample["chosen"]] == chosen, sample)
        worked = [device for device in range(RANKS) if summary["devices"][device]["steps"] > 0]
        check(worked == sorted(chosen), f"{worked} worked, {chosen} were chosen")
        check(sample["drawn"] == CHOSEN and sample["devices"] == RANKS and sample["key"] == note["key"], sample)
        # Two of eight show little: nothing of the other six.
        check(sample["missing_most"] == RANKS - CHOSEN + sample["failing"] or sample["failing"] > 0, sample)
        check(sample["lower_pflops"] > 0 and sample["lower_pflops"] <= sample["upper_pflops"], sample)
        check(summary["judged"]["pflops"] == sample["lower_pflops"], (summary["judged"], sample))
        check(all(row["ranks"] == CHOSEN and row["verified"] for row in summary["allreduce"]), summary["allreduce"])
        check({"SAMPLED"} <= {finding["code"] for finding in summary["findings"]}, summary["findings"])
        check(sample["confidence_text"] == ("self-declared" if way == "self" else "confidence 99.5 %"), sample)
        check("can be missing" in sample["words"], sample)
        with open(os.path.join(hall.out, "report.html"), encoding="utf-8") as file:
            check("Chosen by the witness, at random" in file.read(), "the report has no section on the sample")


with tempfile.TemporaryDirectory(prefix="petaudit-sampling-") as place:
    run(place)
