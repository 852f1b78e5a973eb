#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_sampling.py PETAUDIT self|witnessed|resumed|resumed_witnessed - a site of which the witness chooses two devices.

Only the chosen devices compute, in every epoch; the certificate says how many can be missing, and the choice is drawn again
from the witness's key by the recipe of docs/sampling.md. Witnessed, the witness is another process with another key.

Resumed, the whole site is killed in the middle of its epochs, and its witness with it, and the site again at its openings.
Without a witness of its own one process that was not chosen stays away after that. The choice is the one of before, nobody
else works, and what was proven counts.
"""
import hashlib
import json
import os
import signal
import struct
import sys
import tempfile

from cluster_site import Hall, check, records

program, way = sys.argv[1:]
WITNESSED, RESUMED = way.endswith("witnessed"), way.startswith("resumed")
RANKS, CHOSEN = 5 if RESUMED else 8, 2


def tagged(tag, *parts):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + b"".join(parts)).digest()


def choose(key, session):
    q, order = tagged("devices", key, session), list(range(RANKS))
    for i in range(CHOSEN):
        u = struct.unpack("<Q", tagged("draw", q, struct.pack("<I", i))[:8])[0]
        j = i + (u * (RANKS - i) >> 64)
        order[i], order[j] = order[j], order[i]
    return order[:CHOSEN]


def witnessed(hall):
    """The witness's process, its address, and what tells an audit of it."""
    if not WITNESSED:
        return None, None, ()
    witness, url = hall.start_witness()
    return witness, url, ("--witness", url)


def start_all(hall, *arguments, absent=None):
    """By rank; a site that waits for one that does not come gives up soon."""
    gather = "60s" if absent is None else "10s"
    return {rank: hall.start_rank(rank, RANKS, *arguments, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(RANKS),
                                  PETAUDIT_GATHER=gather) for rank in range(RANKS) if rank != absent}


def end_all(hall, ranks):
    for rank, process in ranks.items():
        hall.end(process, (2,) if rank == 0 else (0,), f"rank{rank}.log")


def audit(hall):
    _, _, witness = witnessed(hall)
    end_all(hall, start_all(hall, *hall.arguments(), "--sample", "25%", *witness))


def kept(hall):
    """All that the witness has of the session."""
    return records(*hall.witness_sessions()) if WITNESSED else records(hall.out)


def kill_site(hall, ranks, moment):
    hall.wait_for(moment, process=ranks[0])
    for process in ranks.values():
        process.send_signal(signal.SIGKILL)
    for process in ranks.values():
        process.wait()
    os.rename(hall.path("rank0.log"), hall.path(f"rank0-until-{moment.replace(' ', '-')}.log"))
    return kept(hall)


def noted_choice(rows):
    found = [json.loads(payload[24:]) for _, kind, payload, _ in rows if kind == 10]
    (note,) = [note for note in found if note["kind"] == "sample"]
    return note["devices"]


def audit_in_pieces(hall):
    """Killed in an epoch, gone on with; killed at its openings, gone on with."""
    witness, url, by = witnessed(hall)
    before = kill_site(hall, start_all(hall, *hall.arguments(), "--sample", "40%", *by), "epoch 2")
    if WITNESSED:
        witness.kill()
        witness.wait()
        hall.start_witness(url.split(":")[2].split("#")[0])
    chosen = noted_choice(before)
    check(any(kind == 5 for _, kind, _, _ in before), "no epoch was closed before the kill")
    resume = ("--resume", hall.out, "--devices", "cpu")
    between = kill_site(hall, start_all(hall, *resume), "opening tiles")
    check(between[: len(before)] == before, "records were lost at the first kill")
    told = f"the witness chose {CHOSEN} of {RANKS} devices: {chosen[0]}, {chosen[1]}"
    check(told in hall.log("rank0-until-opening-tiles.log"), hall.log("rank0-until-opening-tiles.log"))
    absent = None if WITNESSED else min(set(range(1, RANKS)) - set(chosen))
    end_all(hall, start_all(hall, *resume, absent=absent))
    after = kept(hall)
    check(after[: len(between)] == between, "records were lost at the second kill")
    check(noted_choice(after) == chosen, "another choice after the kills")
    summary = hall.summary()
    check(len(hall.notes("interruption")) == 1, hall.notes("interruption"))
    check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"])
    # Who rests need not answer: one of them that is away is no device of the sample that is missing.
    check("INTERRUPTED" in {finding["code"] for finding in summary["findings"]}, summary["findings"])


def run(folder):
    with Hall(folder, program, window_s=3 if RESUMED else 2) as hall:
        if RESUMED:
            audit_in_pieces(hall)
        else:
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
        # Of devices that share a processor one may be far slower than another, when it warms up or when it works: two of
        # eight then bound nothing. What a bound is worth is the unit tests' to say.
        check(0 <= sample["lower_pflops"] <= sample["upper_pflops"], sample)
        check(summary["judged"]["pflops"] == sample["lower_pflops"], (summary["judged"], sample))
        check(all(row["ranks"] == CHOSEN and row["verified"] for row in summary["allreduce"]), summary["allreduce"])
        check({"SAMPLED"} <= {finding["code"] for finding in summary["findings"]}, summary["findings"])
        check(sample["confidence_text"] == ("confidence 99.5 %" if WITNESSED else "self-declared"), sample)
        check("can be missing" in sample["words"], sample)
        with open(os.path.join(hall.out, "report.html"), encoding="utf-8") as file:
            check("Chosen by the witness, at random" in file.read(), "the report has no section on the sample")


with tempfile.TemporaryDirectory(prefix="petaudit-sampling-") as place:
    run(place)
