#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_fault_table.py PETAUDIT PETAUDIT_FAULTY ROW - what goes wrong at a site of three processes, and what is left.

Each row of TABLE is one audit with one fault. Whatever the fault: the audit ends by itself, its message names rank and
host of the lost, every opening is answered, what the lost had proven before counts, and the result verifies from its
evidence. docs/fleet.md has the same table for operators; this one is compared with it.
"""
import calendar
import os
import signal
import subprocess
import sys
import tempfile
import time

from cluster_site import LIMIT_S, Hall, check

program, faulty, wanted = sys.argv[1:]
HOST = os.uname().nodename
SIZE = 3
LOST = 2  # the rank that the fault befalls


def start_all(hall):
    return [hall.start_rank(rank, SIZE, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(SIZE))
            for rank in range(SIZE)]


def begin(hall):
    ranks = start_all(hall)
    hall.wait_for("epoch 2", process=ranks[0])
    return ranks


def expect_result(hall, ranks):
    """Exit status 2: a result of TEST shapes is never more than INCONCLUSIVE."""
    hall.end(ranks[0], (2,))
    hall.end(ranks[1], (0,), "rank1.log")
    hall.verify()
    summary = hall.summary()
    check(summary["verdict"] == "INCONCLUSIVE", summary["reason"])
    check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"])
    return summary


def expect_lost(hall, ranks, why):
    """The device of rank LOST is lost, the others worked on; what it did before counts."""
    summary = expect_result(hall, ranks)
    check(f"rank {LOST} on {HOST}" in hall.log(), f"the message names no rank and host:\n{hall.log()}")
    lost = hall.notes("lost")
    check([note["device"] for note in lost] == [LOST], lost)
    check(lost[0]["rank"] == LOST and lost[0]["host"] == HOST and why in lost[0]["text"], lost)
    devices = summary["devices"]
    check([device["is_lost"] for device in devices] == [rank == LOST for rank in range(SIZE)], devices)
    check(why in devices[LOST]["lost_text"], devices[LOST])
    check(f"(epoch {lost[0]['epoch']}, 20" in devices[LOST]["lost_text"], devices[LOST])
    check(all(device["steps"] > 0 for device in devices if not device["is_lost"]), devices)
    check(devices[LOST]["steps"] > 0, devices[LOST])
    check(devices[LOST]["steps"] < min(devices[0]["steps"], devices[1]["steps"]), devices)
    check("LOST_DEVICE" in [finding["code"] for finding in summary["findings"]], summary["findings"])
    ranks_of_reduce = {row["ranks"] for row in hall.notes("allreduce")}
    check(ranks_of_reduce == {SIZE - 1}, f"the communicator was not made of those that live: {ranks_of_reduce}")
    coupled = summary["coupled"]
    check(coupled["state"] == "measured" and coupled["ranks"] == SIZE - 1, coupled)
    return summary


def killed(hall):
    ranks = begin(hall)
    ranks[LOST].kill()
    expect_lost(hall, ranks, "its connections ended")


def killed_at_openings(hall):
    # It dies with chains on its shelf that are to be opened: others compute them again.
    ranks = start_all(hall)
    hall.wait_for("opening", process=ranks[0])
    ranks[LOST].kill()
    summary = expect_result(hall, ranks)
    check("computing" in hall.log(), hall.log())
    check(summary["devices"][LOST]["steps"] > 0, summary["devices"])


def frozen(hall):
    ranks = begin(hall)
    ranks[LOST].send_signal(signal.SIGSTOP)
    expect_lost(hall, ranks, "nothing heard from it for")
    # It comes back from its sleep to a hub that is done.
    ranks[LOST].send_signal(signal.SIGCONT)
    hall.end(ranks[LOST], (69,), f"rank{LOST}.log")


def killed_as_one_system(hall):
    # Its device stops in the first product that another waits for, and then the process dies.
    fault = {"PETAUDIT_FAULT": f"heard:as one system:{hall.path('rank0.log')}"}
    ranks = [hall.start_rank(rank, SIZE, program=faulty, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(SIZE),
                             **(fault if rank == LOST else {})) for rank in range(SIZE)]
    hall.wait_for("as one system", process=ranks[0])
    time.sleep(1)
    ranks[LOST].kill()
    summary = expect_result(hall, ranks)
    coupled = summary["coupled"]
    check(coupled["state"] == "lost" and coupled["pflops"] is None and coupled["loss"] is None, coupled)
    check(coupled["reason"].startswith(f"rank {LOST} on {HOST} is lost: its connections ended"), coupled)
    found = [finding for finding in summary["findings"] if finding["code"] == "COUPLED_LOST"]
    check(len(found) == 1 and f"rank {LOST} on {HOST}" in found[0]["text"], summary["findings"])
    check([note["device"] for note in hall.notes("lost")] == [LOST], hall.notes("lost"))
    check([device["is_lost"] for device in summary["devices"]] == [rank == LOST for rank in range(SIZE)], summary)
    check(all(row["verified"] and row["ranks"] == SIZE for row in summary["allreduce"]), summary["allreduce"])


def slow(hall):
    # Half the speed of its like. Each keeps a pace that leaves the processors idle, so that how they are shared here
    # says nothing. In groups of fewer than four nobody is called slow.
    size, pace = 6, {rank: "pace:40" if rank == LOST else "pace:20" for rank in range(6)}
    ranks = [hall.start_rank(rank, size, program=faulty, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(size),
                             PETAUDIT_FAULT=pace[rank]) for rank in range(size)]
    summary = expect_result(hall, ranks)
    devices = summary["devices"]
    check(len(devices) == size and not any(device["is_lost"] for device in devices), devices)
    steps = [device["steps"] for device in devices]
    check(1.5 * steps[LOST] < min(steps[:LOST] + steps[LOST + 1:]), f"a slow device slows the others: {steps}")
    (straggler,) = hall.statement()["stragglers"]
    check(straggler["device"] == LOST and straggler["host"] == HOST and straggler["id"] == devices[LOST]["id"], straggler)
    check(0.35 < float(straggler["share_of_median"]) < 0.65 and float(straggler["score"]) > 5, straggler)
    check(hall.notes("device")[LOST]["rank"] == LOST, "the evidence does not say which process drives it")
    found = [finding for finding in summary["findings"] if finding["code"] == "STRAGGLER"]
    check(len(found) == 1 and f"{devices[LOST]['id']} on {HOST}" in found[0]["text"], summary["findings"])


def stopped_device(hall):
    stop = hall.path("stop")
    ranks = [
        hall.start_rank(rank, SIZE, program=faulty, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(SIZE),
                        PETAUDIT_PATIENCE="3s", **({"PETAUDIT_FAULT": f"stop:{stop}"} if rank == LOST else {}))
        for rank in range(SIZE)]
    hall.wait_for("epoch 2", process=ranks[0])
    open(stop, "w", encoding="utf-8").close()
    summary = expect_result(hall, ranks)
    lost = hall.notes("lost")
    check([note["device"] for note in lost] == [LOST] and "not done by its deadline" in lost[0]["text"], lost)
    check(lost[0]["rank"] == LOST and lost[0]["host"] == HOST, lost)
    check(0 < summary["devices"][LOST]["steps"] < summary["devices"][0]["steps"], summary["devices"])
    # The process lives, ends in order, and is not waited for in vain.
    hall.end(ranks[LOST], (0,), f"rank{LOST}.log")


def out_of_disk(hall):
    os.mkdir(hall.out)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", hall.out], check=True)
    try:
        ranks = start_all(hall)
        hall.end(ranks[0], (73,))
        check("No space left" in hall.log() or "full" in hall.log(), hall.log())
        for rank in (1, 2):
            hall.end(ranks[rank], (0, 69), f"rank{rank}.log")
        before = hall.notes("claim")
        check(len(before) == 1, "the evidence so far is gone")
        subprocess.run(["mount", "-o", "remount,size=64m", hall.out], check=True)
        ranks = [hall.start_rank(rank, SIZE, "--resume", hall.out, "--devices", "cpu", PETAUDIT_LOCAL_RANK=str(rank),
                                 PETAUDIT_LOCAL_SIZE=str(SIZE)) for rank in range(SIZE)]
        summary = expect_result(hall, ranks)
        check(all(device["steps"] > 0 for device in summary["devices"]), summary["devices"])
    finally:
        subprocess.run(["umount", "-l", hall.out], check=True)


# Its own view of every file system is one that takes nothing more; memory that processes share is no disk.
FULL = """for mount in $(awk '$2 !~ "^/(proc|sys|dev)" {print $2}' /proc/mounts); do mount -o remount,bind,ro "$mount" || exit 99; done
touch "$0" && exit 98
exec "$@"
"""


def worker_out_of_disk(hall):
    # A worker writes no file: not into --out, not at home, not anywhere.
    ranks = [hall.start_rank(rank, SIZE, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(SIZE),
                             prefix=("unshare", "--mount", "sh", "-c", FULL, hall.path("probe")) if rank == LOST else ())
             for rank in range(SIZE)]
    summary = expect_result(hall, ranks)
    hall.end(ranks[LOST], (0,), f"rank{LOST}.log")
    check(not os.path.exists(hall.path("probe")), "the worker's disk was not full")
    check(len(summary["devices"]) == SIZE and not any(device["is_lost"] for device in summary["devices"]), summary["devices"])
    check(all(device["steps"] > 0 for device in summary["devices"]), summary["devices"])


def wrong_clock(hall):
    # Time is the witness's: a worker three years ahead changes nothing but what the evidence says of its clock.
    # Without the second variable faketime ends every wait of a thread at once.
    ranks = [hall.start_rank(rank, SIZE, PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE=str(SIZE),
                             prefix=("faketime", "-m", "-f", "+1000d") if rank == LOST else (),
                             FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_FORCE_MONOTONIC_FIX="0")
             for rank in range(SIZE)]
    summary = expect_result(hall, ranks)
    check(not any(device["is_lost"] for device in summary["devices"]), summary["devices"])
    check(all(device["steps"] > 0 for device in summary["devices"]), summary["devices"])
    codes = [finding["code"] for finding in summary["findings"]]
    check("CLOCK_STEP" not in codes and "INTERRUPTED" not in codes, codes)
    check(len(summary["devices"]) == SIZE and "ABSENT_RANKS" not in codes, "the worker with the wrong clock did not come")
    (ranks_note,) = hall.notes("ranks")
    ahead, shift = ranks_note["ahead_s"], 1000 * 86400
    check(len(ahead) == SIZE and ahead[0] == 0, ahead)
    check(abs(ahead[LOST] - shift) < LIMIT_S, f"the worker's clock was not shifted, or nobody saw it: {ahead}")
    check(all(abs(seconds) < LIMIT_S for rank, seconds in enumerate(ahead) if rank != LOST), ahead)
    # What the audit is dated by is the hub's clock, here and now.
    begun = calendar.timegm(time.strptime(hall.statement()["session"]["begun_utc"], "%Y-%m-%dT%H:%M:%SZ"))
    check(abs(begun - time.time()) < LIMIT_S, f"the session is dated by another clock: {begun}")


def late(hall):
    ranks = [hall.start_rank(rank, SIZE, PETAUDIT_GATHER="3s") for rank in range(SIZE - 1)]
    hall.wait_for("going on without", process=ranks[0])
    ranks.append(hall.start_rank(LOST, SIZE, PETAUDIT_GATHER="60s"))
    hall.end(ranks[LOST], (69,), f"rank{LOST}.log")
    check(f"goes on without rank {LOST}" in hall.log(f"rank{LOST}.log"), hall.log(f"rank{LOST}.log"))
    summary = expect_result(hall, ranks)
    check(len(summary["devices"]) == 2, summary["devices"])
    check([note["hosts"] for note in hall.notes("ranks")] == [[HOST, HOST, None]], hall.notes("ranks"))
    found = [finding for finding in summary["findings"] if finding["code"] == "ABSENT_RANKS"]
    check(len(found) == 1 and found[0]["text"] == "1 of 3 processes did not come: rank 2", found)


def hub_killed(hall, absent=False):
    ranks = begin(hall)
    ranks[0].kill()
    for rank in (1, 2):
        hall.end(ranks[rank], (69,), f"rank{rank}.log")
        check("lost its hub" in hall.log(f"rank{rank}.log"), hall.log(f"rank{rank}.log"))
    proven = len(hall.notes("device"))
    check(proven == SIZE, f"{proven} devices in the evidence")
    here = range(SIZE - 1) if absent else range(SIZE)
    ranks = [hall.start_rank(rank, SIZE, "--resume", hall.out, "--devices", "cpu", PETAUDIT_LOCAL_RANK=str(rank),
                             PETAUDIT_LOCAL_SIZE=str(SIZE), PETAUDIT_GATHER="20s" if absent and rank == 0 else "60s") for rank in here]
    summary = expect_result(hall, ranks)
    check(summary["devices"][0]["steps"] > 0 and len(summary["devices"]) == SIZE, summary["devices"])
    check(summary["devices"][LOST]["is_lost"] == absent, summary["devices"][LOST])
    codes = [finding["code"] for finding in summary["findings"]]
    check("INTERRUPTED" in codes, codes)
    return summary


def hub_killed_with_a_host(hall):
    summary = hub_killed(hall, absent=True)
    check("did not come back" in summary["devices"][LOST]["lost_text"], summary["devices"][LOST])
    check(summary["devices"][LOST]["steps"] > 0, "what the lost had proven before is gone")


TABLE = {row.__name__: row for row in (killed, killed_at_openings, killed_as_one_system, frozen, slow, stopped_device,
                                       out_of_disk, worker_out_of_disk, wrong_clock, late, hub_killed,
                                       hub_killed_with_a_host)}

with open(os.path.join(os.path.dirname(__file__), "../../docs/fleet.md"), encoding="utf-8") as page:
    documented = {line.split("`")[1] for line in page if line.startswith("| `")}
check(documented == set(TABLE), f"docs/fleet.md and the table differ: {documented ^ set(TABLE)}")
with tempfile.TemporaryDirectory() as home, Hall(home, program, window_s=3) as hall:
    began = time.monotonic()
    TABLE[wanted](hall)
    print(f"{wanted}: {time.monotonic() - began:.1f} s")
