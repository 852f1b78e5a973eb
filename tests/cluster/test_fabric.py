#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fabric proof in whole audits of several processes: test_fabric.py PETAUDIT shared|mpi|witnessed|killed|alone"""
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile

from cluster_site import Hall, check

program, way = sys.argv[1:]
FABRIC = 8
STAGES = [1, 2, 3, 4, 5] + 32 * [6] + [7]


def hall_in(folder):
    hall = Hall(folder, program, window_s=2)
    with open(hall.path("quick.yaml"), encoding="utf-8") as file:
        policy = file.read().replace("longest_gap_s: 900}", "longest_gap_s: 900, fabric: on}")
    with open(hall.path("quick.yaml"), "w", encoding="utf-8") as file:
        file.write(policy)
    return hall


def stages_of(hall):
    with sqlite3.connect(f"file:{hall.out}/evidence.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT payload FROM record WHERE type = ? ORDER BY k", (FABRIC,)).fetchall()
    return [int.from_bytes(payload[24:28], "little") for (payload,) in rows]


def check_held(hall, devices, transport):
    fabric = hall.statement()["fabric"]
    check(fabric["state"] == "held" and fabric["devices"] == devices, fabric)
    check(fabric["drawn"] == 32 and fabric["failed"] == 0 and fabric["bytes"] == 256 * 256 * 4, fabric)
    check(float(fabric["window_s"]) > float(fabric["exchange_s"]) > 0, fabric)
    check([float(cut["share"]) for cut in fabric["cuts"]] == [0.05, 0.1, 0.2, 0.3, 0.4, 0.5], fabric)
    check(stages_of(hall) == STAGES, stages_of(hall))
    told = [(note["state"], note["transport"]) for note in hall.notes("fabric")]
    check(told == [("measured", transport)], told)
    codes = {finding["code"] for finding in hall.statement()["findings"]}
    check("FABRIC_HELD" in codes and not codes & {"FABRIC_WRONG", "FABRIC_MISSING"}, codes)
    hall.verify()


def run_ranks(hall, size, *arguments):
    ranks = [hall.start_rank(rank, size, *arguments) for rank in range(size)]
    hall.end(ranks[0], (2,))
    for rank in range(1, size):
        hall.end(ranks[rank], (0,), f"rank{rank}.log")


def shared(hall):
    """Three processes on one host, of which one sits out in each round."""
    run_ranks(hall, 3)
    check_held(hall, 3, "shm")


def mpi(hall):
    """The same bytes over MPI."""
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "4", program, "audit", *hall.arguments()]
    hall.end(hall.start(command, "rank0.log", PETAUDIT_ALLREDUCE="mpi"), (2,))
    check_held(hall, 4, "mpi")


def witnessed(hall):
    """The challenge comes from another process, after what it is a challenge of."""
    subprocess.run([program, "keygen", hall.path("auditor")], env=hall.env, check=True, capture_output=True)
    witness = subprocess.Popen(
        [program, "witness", "--key", hall.path("auditor"), "--listen", "127.0.0.1:0", "--live", "off", "--store", hall.path("store")],
        env=hall.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    hall.started.append(witness)
    witness.stdout.readline()
    url = witness.stdout.readline().split()[1]
    run_ranks(hall, 2, *hall.arguments(), "--witness", url)
    check(hall.statement()["assurance"] == "witnessed", hall.statement()["assurance"])
    check_held(hall, 2, "shm")


def killed(hall):
    """A process that dies at its chain is named by rank and host; the others finish, and nothing is claimed."""
    hall.env["PETAUDIT_TEST_SHAPE"] = "1024x1024x4096"
    ranks = [hall.start_rank(rank, 3) for rank in range(3)]
    hall.wait_for("exchanging states", process=ranks[0])
    ranks[1].send_signal(signal.SIGKILL)
    hall.end(ranks[0], (1, 2))
    hall.end(ranks[2], (0,), "rank2.log")
    fabric = hall.statement()["fabric"]
    check(fabric["state"] == "unfinished" and fabric["cuts"] == [], fabric)
    check(stages_of(hall) == [1], stages_of(hall))
    notes = hall.notes("fabric")
    check(len(notes) == 1 and notes[0]["state"] == "lost", notes)
    check(f"rank 1 on {os.uname().nodename}" in notes[0]["reason"], notes)
    found = [finding["text"] for finding in hall.statement()["findings"] if finding["code"] == "FABRIC_MISSING"]
    check(len(found) == 1 and "rank 1 on" in found[0], found)
    hall.verify()


def alone(hall):
    """One device has nobody to exchange with, and it says so."""
    hall.end(hall.start([program, "audit", *hall.arguments()], "rank0.log"), (2,))
    check(hall.statement()["fabric"]["state"] == "none", hall.statement()["fabric"])
    check(stages_of(hall) == [], stages_of(hall))
    codes = {finding["code"] for finding in hall.statement()["findings"]}
    check("FABRIC_ALONE" in codes and "FABRIC_MISSING" not in codes, codes)
    hall.verify()


with tempfile.TemporaryDirectory() as home:
    with hall_in(home) as site:
        {"shared": shared, "mpi": mpi, "witnessed": witnessed, "killed": killed, "alone": alone}[way](site)
