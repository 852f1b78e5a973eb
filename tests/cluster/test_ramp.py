#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_ramp.py PETAUDIT - a site whose claim lets its load change by 0.5 kW each second: devices start and stop one after
the other, the plan and the messages say so, and the evidence has when each did. Of a sample, those that are not chosen stop
first, by a line of their own."""
import subprocess
import sys
import tempfile

from cluster_site import Hall, check

program = sys.argv[1]
SIZE = 3
STEP_NS = 500_000_000  # 500 W at 0.001 MW/s


def write_claim(hall, site):
    path = hall.path("claim.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(f"site: {{name: Hall 1, region: Here, {site}}}" if line.startswith("site:") else line
                             for line in text.splitlines()) + "\n")


def run_alone(hall, *options):
    return subprocess.run([program, "audit", hall.path("claim.yaml"), "--devices", "cpu", "--out", hall.path("alone"),
                           *options], env=hall.env, capture_output=True, text=True, timeout=240, check=False)


def run_all(hall, *options):
    ranks = [hall.start_rank(rank, SIZE, *hall.arguments(), *options, PETAUDIT_LOCAL_RANK=str(rank),
                             PETAUDIT_LOCAL_SIZE=str(SIZE)) for rank in range(SIZE)]
    hall.end(ranks[0], (2,))
    for rank in range(1, SIZE):
        hall.end(ranks[rank], (0,), f"rank{rank}.log")
    hall.verify()


def check_sampled(hall):
    """One of three was chosen: two stop after the choice, the third when all is done."""
    (chosen,) = hall.notes("sample")[0]["devices"]
    others = [d for d in range(SIZE) if d != chosen]
    up, rest, down = hall.notes("ramp")
    check([note["direction"] for note in (up, rest, down)] == ["up", "rest", "down"], (up, rest, down))
    check(up["planned_ns"] == [STEP_NS * (d + 1) for d in range(SIZE)], up)
    check([rest["planned_ns"][d] for d in others] == [STEP_NS, 2 * STEP_NS] and rest["planned_ns"][chosen] is None, rest)
    check(all(rest["done_ns"][d] >= rest["planned_ns"][d] for d in others) and rest["done_ns"][chosen] is None, rest)
    check(rest["total_ns"] == 2 * STEP_NS and abs(float(rest["watts"]) - 1000) < 1e-3, rest)
    check(down["planned_ns"] == [STEP_NS if d == chosen else None for d in range(SIZE)], down)
    check(down["done_ns"][chosen] >= STEP_NS and all(down["done_ns"][d] is None for d in others), down)
    log = hall.log()
    check("ramp: devices that were not chosen stop one after the other over 1 s" in log, log)
    check("ramp: devices stop one after the other over 0.5 s, at most 0.001 MW/s of 0.0005 MW" in log, log)
    worked = [device["steps"] > 0 for device in hall.summary()["devices"]]
    check(worked == [d == chosen for d in range(SIZE)], f"{worked}, and {chosen} was chosen")


with tempfile.TemporaryDirectory() as home, Hall(home, program, window_s=2) as hall:
    write_claim(hall, "ramp_mw_per_s: 0.001, device_power_w: 500")
    run_all(hall, "--sample", "1")
    check_sampled(hall)

with tempfile.TemporaryDirectory() as home, Hall(home, program, window_s=2) as hall:
    # A processor is in no catalogue: without a word on its power there is no ramp, and no audit without one.
    write_claim(hall, "ramp_mw_per_s: 0.001")
    refused = run_alone(hall)
    check(refused.returncode == 65 and "site.device_power_w" in refused.stderr, refused)
    write_claim(hall, "ramp_mw_per_s: 0.001, device_power_w: 500")
    plan = run_alone(hall, "--plan-only")
    check(plan.returncode == 0, plan)
    check("ramp       at most 0.001 MW/s: 0.0005 MW start over 0.5 s, and stop over as long" in plan.stdout, plan.stdout)

    run_all(hall)
    check("ramp: devices start one after the other over 1.5 s, at most 0.001 MW/s of 0.0015 MW" in hall.log(), hall.log())
    check("ramp: devices stop one after the other over 1.5 s" in hall.log(), hall.log())
    notes = hall.notes("ramp")
    check([note["direction"] for note in notes] == ["up", "down"], notes)
    for note in notes:
        check(note["planned_ns"] == [STEP_NS * (d + 1) for d in range(SIZE)], note)
        check(float(note["mw_per_s"]) == 0.001 and float(note["watts"]) == 1500 and note["total_ns"] == SIZE * STEP_NS, note)
        # By each device's own clock: never before its time.
        check(all(done >= planned for done, planned in zip(note["done_ns"], note["planned_ns"])), note)
    check(all(device["steps"] > 0 for device in hall.summary()["devices"]), hall.summary()["devices"])
