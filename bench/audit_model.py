#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""audit_model.py - how long a whole audit of a large centre takes, on paper, term by term.

    bench/audit_model.py            print the model, as results/audit-model.txt keeps it
    bench/audit_model.py --check    results/audit-model.txt is what is printed now, and each audit is below its limit

Every term is one of: measured (a file in results/), a limit that the program itself keeps (host/measure/plan.c, the policy
xinjiang-2024), or a data sheet. Nothing here was measured on a centre: none was at hand.
"""
import json
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULT = os.path.join(TOP, "results", "audit-model.txt")
LIMIT_S = 15 * 60

# NVIDIA H100 SXM data sheet (2023): dense fp16, memory; NDR InfiniBand, one port a GPU; a 10 Gb/s control network.
PEAK_TFLOPS, MEMORY_BYTES, MEMORY_BYTES_S = 989.4, 80e9, 3.35e12
FABRIC_BYTES_S, CONTROL_BYTES_S = 400e9 / 8, 10e9 / 8
GPUS_A_NODE = 8
GPU_W, RAMP_W_S = 700, 0.5e6  # data sheet: H100 SXM at most; a site's 0.5 MW/s, as docs/fleet.md's example
OPENING_BYTES = 9760  # results/witness_cost.txt


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def limits():
    plan, policy = read("host", "measure", "plan.c"), read("host", "claim", "policies", "xinjiang-2024.yaml")
    found = {name: int(re.search(rf"{name} = (\d+)", plan).group(1)) for name in ("CALIBRATE_S", "WARM_UP_MOST_S", "RAW_S", "COUPLED_S")}
    found.update({name: int(re.search(rf"{name}: (\d+)", policy).group(1)) for name in ("window_s", "epoch_s", "openings")})
    return found


def audit(gpus):
    """(what, seconds, where it is from), with a witness on another machine."""
    runs, plan = json.loads(read("results", "scale.json"))["runs"], limits()
    tile_s = float(re.search(r"dense16\s+avx2:\s+([\d.]+)", read("results", "witness_cost.txt")).group(1)) * 1e-3

    def at(name):
        """Measured with so many devices or the next size up, in proportion; a small site as the smallest run."""
        run = next((run for run in runs if run["devices"] >= gpus), runs[-1])
        return run[name] * max(gpus, runs[0]["devices"]) / run["devices"]

    crowd = read("results", "fleet-crowd.txt")
    join_s = float(re.search(r"hub's joining: ([\d.]+)", crowd).group(1)) / int(re.search(r"workers: (\d+)", crowd).group(1))
    most = int(re.search(r"PA_FLEET_MOST_RANKS = (\d+)", read("host", "fleet", "fleet_wire.h")).group(1))
    nodes, epochs = -(-gpus // GPUS_A_NODE), plan["window_s"] // plan["epoch_s"]
    if nodes > most:
        sys.exit(f"{gpus} GPUs are {nodes} processes; a hub leads {most}")
    request_s = json.loads(read("results", "scale-request.json"))["witness_request_ns"] * 1e-9
    rounds = 6 + epochs  # hello, calibrate, prepare, raw twice, memory; one an epoch
    notes = gpus * (3 + epochs)
    # 8 B to 4 GiB: 20 of each size up to 1 MiB, then fewer, at least 4, and as many before the clock starts; 2 (n-1) / n of
    # the bytes over each link (host/measure/allreduce.c).
    moved = 2 * sum(2 * 2**i * min(20, max(4, (20 << 20) // 2**i)) for i in range(3, 33))
    return [
        (f"hub and processes: {rounds} rounds of {nodes} messages on one processor", rounds * nodes * request_s,
         "scale-request.json, witness_request_ns: a request over TLS"),
        (f"{nodes} processes join, the hub's processor", nodes * join_s, "fleet-crowd.txt, hub's joining"),
        ("attestation: a message a GPU; what the GPU takes for it is not known and not counted", gpus * request_s,
         "scale-request.json"),
        (f"load ramped by {RAMP_W_S / 1e6} MW/s: in calibration, in the warm-up, at the end", 3 * gpus * GPU_W / RAMP_W_S,
         f"data sheet: {GPU_W} W a GPU"),
        ("calibration, shapes and variants", 2 * plan["CALIBRATE_S"], "limit in plan.c"),
        ("warm-up", plan["WARM_UP_MOST_S"], "limit in plan.c"),
        ("declaration", at("declare_ns") * 1e-9, "scale.json, declare_ns"),
        ("the library alone, twice", 2 * plan["RAW_S"], "limit in plan.c"),
        (f"the window: {epochs} epochs", plan["window_s"], "xinjiang-2024, window_s"),
        ("exchanges: the witness's processor", epochs * at("witness_exchange_ns") * 1e-9, "scale.json, witness_exchange_ns"),
        ("exchanges: lists on the wire", epochs * at("exchange_bytes") / CONTROL_BYTES_S, "exchange_bytes over 10 Gb/s"),
        (f"notes: {notes} of them, the witness's processor", notes * runs[-1]["witness_notes_ns"] * 1e-9 / runs[-1]["notes"],
         "scale.json, witness_notes_ns"),
        ("memory filled and read back", 2 * MEMORY_BYTES / MEMORY_BYTES_S, "data sheet: 80 GB at 3.35 TB/s"),
        ("all-reduce, 8 B to 4 GiB", moved / FABRIC_BYTES_S, "data sheet: 400 Gb/s a GPU"),
        ("all-reduce: 60 rounds of messages", 60 * (gpus * 40 / CONTROL_BYTES_S + nodes * request_s),
         "40 bytes a rank over 10 Gb/s, a request a node"),
        ("devices as one system, twice", 2 * plan["COUPLED_S"], "limit in plan.c"),
        (f"openings: {plan['openings']} tiles on one processor", plan["openings"] * tile_s, "witness_cost.txt, AVX2"),
        ("openings: asked for and sent", plan["openings"] * (request_s + OPENING_BYTES / CONTROL_BYTES_S),
         f"a request each, {OPENING_BYTES} bytes over 10 Gb/s"),
        ("judging, certificate, report", at("judging_cpu_ns") * 1e-9, "scale.json, judging_cpu_ns"),
        ("evidence to the site, checked and judged again", at("evidence_bytes") / CONTROL_BYTES_S
         + (at("all_cpu_ns") - at("report_cpu_ns")) * 1e-9, "scale.json, evidence_bytes and all_cpu_ns"),
    ]


def text():
    out = []
    for name, gpus in (("500 PFLOPS", 512), ("100,000 GPUs", 100000)):
        terms = audit(gpus)
        total = sum(seconds for _, seconds, _ in terms)
        out.append(f"{name}: {gpus:,} GPUs of {PEAK_TFLOPS} TFLOPS dense fp16 (H100 SXM), {gpus // GPUS_A_NODE:,} nodes")
        out.extend(f"  {seconds:8.2f} s  {what}; {source}" for what, seconds, source in terms)
        out.append(f"  {total:8.2f} s  in all: {total / 60:.1f} min; the limit is {LIMIT_S // 60} min"
                   + (", TOO LONG" if total >= LIMIT_S else ""))
    return "\n".join(out) + "\n"


def main():
    if sys.argv[1:] != ["--check"]:
        print(text(), end="")
        return
    kept = read("results", "audit-model.txt")
    if kept != text():
        sys.exit("results/audit-model.txt is not what bench/audit_model.py prints: write it anew")
    sys.exit(1 if "TOO LONG" in kept else 0)


if __name__ == "__main__":
    main()
