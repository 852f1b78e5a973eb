#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One power watermark in real time: a witness and a site on this machine, and a meter that is simulated.

    python3 bench/watermark_run.py build/release/petaudit [BITS [HALF_BIT_S]]

The load is real: petaudit's products on this machine's processors, on and off as the witness says. The meter is not: a
machine without readable sensors has none, so a CSV is written once a second that says 300 W, 100 W for each processor
that the audit's process used in that second (utime + stime of /proc), and 0.5 % of noise. Work of other processes is
not in it.
"""
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time

CLAIM = "center: This machine\ncapacity: {value: 1, unit: GFLOPS, precision: fp16}\n"
POLICY = """policy: watermark-run
title: one power watermark in real time
source: bench/watermark_run.py, 2026
entitlement: {{mw: 400, per_pflops: 500, rounding: proportional}}
basis: sustained
acceptance: {{rule: guarded, k: 2}}
session: {{window_s: 4, epoch_s: 2, alpha: 0.01, openings: 40, interruptions: 0, longest_gap_s: 0,
          watermark: {{bits: {bits}, half_bit_s: {half}, settle_s: {settle}}}}}
inflation: report
assurance: witnessed
"""


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def meter(path, process, stop):
    noise, before, used, at = random.Random(1), time.time(), 0.0, time.time()
    while not stop.is_set() and process.poll() is None:
        at += 1
        time.sleep(max(0.0, at - time.time()))
        try:
            now, cpu = time.time(), cpu_seconds(process.pid)
        except OSError:
            break
        watts = (300 + 100 * (cpu - used) / (now - before)) * (1 + noise.gauss(0, 0.005))
        before, used = now, cpu
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{now:.3f},{watts:.2f} W\n")


def main():
    program = os.path.abspath(sys.argv[1])
    bits, half = int(sys.argv[2]) if len(sys.argv) > 2 else 32, float(sys.argv[3]) if len(sys.argv) > 3 else 10
    env = dict(os.environ, PETAUDIT_TEST_SHAPE="1024x1024x1024", NO_COLOR="1")
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        for name, text in (("claim.yaml", CLAIM), ("policy.yaml", POLICY.format(bits=bits, half=half, settle=half / 5)),
                           ("meter.csv", "time,power\n")):
            with open(path(name), "w", encoding="utf-8") as file:
                file.write(text)
        env["HOME"] = folder
        subprocess.run([program, "keygen", path("auditor")], check=True, capture_output=True)
        witness = subprocess.Popen([program, "witness", "--key", path("auditor"), "--listen", "127.0.0.1:0", "--store", path("store")],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            witness.stdout.readline()
            url, stop, load = witness.stdout.readline().decode().split()[1], threading.Event(), os.getloadavg()[0]
            with open(path("log"), "w", encoding="utf-8") as log:
                audit = subprocess.Popen([program, "audit", path("claim.yaml"), "--policy", path("policy.yaml"), "--witness", url,
                                          "--out", path("out"), "--meter", f"it=csv:{path('meter.csv')},date=unix,wait=60s"],
                                         env=env, stdout=log, stderr=log)
                watch = threading.Thread(target=meter, args=(path("meter.csv"), audit, stop))
                watch.start()
                status = audit.wait()
            stop.set()
            watch.join()
            if status != 2:
                with open(path("log"), encoding="utf-8") as log:
                    sys.exit(f"the audit ended with {status}:\n{log.read()}")
            with open(path("out/summary.json"), encoding="utf-8") as file:
                summary = json.load(file)
        finally:
            witness.kill()
            witness.wait()
    mark = summary["watermark"]
    print(f"machine:  {platform.machine()}, {os.cpu_count()} processors, load {load:.2f} before the run")
    print(f"petaudit: {summary['tool']['version']} {summary['tool']['commit']}")
    print("meter:    SIMULATED: 300 W + 100 W for each processor that the audit's process used, 0.5 % noise, 1 Hz")
    print(f"session:  {summary['assurance']}, {mark['bits']} bits of 2 x {mark['half_bit_s']} s, {mark['settle_s']} s left out, TEST shapes")
    print(f"found:    {mark['is_found']}, t = {mark['t']}, p = {mark['p']}, {mark['switched_w']} W switched, {mark['usable_bits']} bits usable")
    print("half-bit, seconds, told, watts that the meter read:")
    for number, part in enumerate(mark["halves"]):
        watts = "none" if part["watts"] is None else f"{part['watts']:8.2f}"
        print(f"{number:4d} {part['at_s']:9.3f}  {'on ' if part['is_on'] else 'off'} {watts}")


main()
