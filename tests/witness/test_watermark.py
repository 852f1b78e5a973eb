#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_watermark.py PETAUDIT - the power watermark in whole audits, with a meter of our own.

The meter is a CSV that this script writes meanwhile: 300 W, 200 W for each core that the audit's process really uses
(utime + stime of /proc), and noise. So it is simulated, but it sees a load that is there, and only that. Three audits run
side by side: a witnessed one, one that is killed in the middle of its watermark and resumed, and one whose meter hangs
on another load.
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

program = sys.argv[1]
LIMIT_S = 300
BITS = 32
CLAIM = "center: A hall with a meter\ncapacity: {value: 1, unit: MFLOPS, precision: fp16}\n"
POLICY = f"""policy: marked
title: a watermark of {BITS} bits
source: tests, 2026
entitlement: {{mw: 400, per_pflops: 500, rounding: proportional}}
basis: sustained
acceptance: {{rule: guarded, k: 2}}
session: {{window_s: 0.6, epoch_s: 0.3, alpha: 0.01, openings: 40, interruptions: 2, longest_gap_s: 900,
          watermark: {{bits: {BITS}, half_bit_s: 0.4, settle_s: 0.12}}}}
inflation: report
assurance: self
"""


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def cpu_seconds(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter(threading.Thread):
    def __init__(self, path, seed):
        super().__init__(daemon=True)
        self.path, self.pid, self.random, self.is_over = path, None, random.Random(seed), False
        with open(path, "w", encoding="utf-8") as file:
            file.write("time,power\n")
        self.start()

    def run(self):
        before, used = time.time(), None
        while not self.is_over:
            time.sleep(0.04)
            now, cpu = time.time(), cpu_seconds(self.pid) if self.pid else None
            cores = max(0.0, (cpu - used) / (now - before)) if cpu is not None and used is not None else 0.0
            before, used = now, cpu
            watts = 300 + 200 * cores + self.random.gauss(0, 5)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(f"{now:.3f},{watts:.2f} W\n")


class Audit:
    def __init__(self, folder, name, *more):
        self.folder, self.name = folder, name
        self.out, self.log = os.path.join(folder, name), os.path.join(folder, name + ".log")
        csv = os.path.join(folder, name + ".csv")
        self.meter = Meter(csv, name)
        self.source = f"it=csv:{csv},date=unix,class=0.5,wait=60s"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        self.env.update(HOME=folder, PETAUDIT_TEST_SHAPE="512x512x512", NO_COLOR="1")
        self.begin("audit", os.path.join(folder, "claim.yaml"), "--policy", os.path.join(folder, "marked.yaml"), "--out", self.out,
                   *more)

    def begin(self, *arguments):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([program, *arguments, "--meter", self.source], env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        if self.name != "elsewhere":
            self.meter.pid = self.process.pid

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def await_watermark(self):
        deadline = time.time() + LIMIT_S
        while "power watermark" not in self.text():
            check(time.time() < deadline and self.process.poll() is None, f"no watermark began: {self.text()}")
            time.sleep(0.05)

    def end(self):
        status = self.process.wait(timeout=LIMIT_S)
        self.meter.is_over = True
        check(status == 2, f"{self.name} ended with {status}: {self.text()}")
        with open(os.path.join(self.out, "summary.json"), encoding="utf-8") as file:
            return json.load(file)

    def run(self, *arguments):
        return subprocess.run([program, *arguments], env=self.env, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def codes(summary):
    return [finding["code"] for finding in summary["findings"]]


def start_witness(folder):
    key = os.path.join(folder, "auditor")
    subprocess.run([program, "keygen", key], check=True, capture_output=True)
    witness = subprocess.Popen([program, "witness", "--key", key, "--listen", "127.0.0.1:0", "--store", os.path.join(folder, "store")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    witness.stdout.readline()
    return witness, witness.stdout.readline().decode().split()[1]


def check_found(summary, audit):
    mark = summary["watermark"]
    check(mark["is_found"] and "WATERMARK_FOUND" in codes(summary), f"{audit.name}: not found: {mark} {audit.text()}")
    check(mark["bits"] == BITS and len(mark["halves"]) == 2 * BITS and mark["t"] > 5 and mark["p"] <= 1e-4, f"{mark}")
    on = [half["watts"] for half in mark["halves"] if half["is_on"] and half["watts"] is not None]
    off = [half["watts"] for half in mark["halves"] if not half["is_on"] and half["watts"] is not None]
    check(len(on) >= BITS - 3 and sum(on) / len(on) > sum(off) / len(off) + 20, f"{audit.name}: on {on}, off {off}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("claim.yaml", CLAIM), ("marked.yaml", POLICY)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        witness, url = start_witness(folder)
        try:
            witnessed = Audit(folder, "witnessed", "--witness", url)
            killed = Audit(folder, "killed")
            elsewhere = Audit(folder, "elsewhere")
            killed.await_watermark()
            time.sleep(2.7)
            killed.process.send_signal(signal.SIGKILL)
            killed.process.wait()
            killed.begin("audit", "--resume", killed.out)
            summaries = [audit.end() for audit in (witnessed, killed, elsewhere)]
        finally:
            witness.kill()
            witness.wait()
        check_found(summaries[0], witnessed)
        check_found(summaries[1], killed)
        check(summaries[0]["assurance"] == "witnessed", summaries[0]["assurance"])
        mark = summaries[2]["watermark"]
        check(not mark["is_found"] and "WATERMARK_NOT_FOUND" in codes(summaries[2]), f"found elsewhere: {mark}")
        # Whoever has the evidence gets the same p and t.
        for audit, summary in zip((witnessed, killed), summaries):
            again = audit.run("judge", os.path.join(audit.out, "evidence.db"), "--json")
            check(json.loads(again.stdout)["watermark"] == summary["watermark"], f"{audit.name}: judged again, another watermark")
        verified = witnessed.run("verify", os.path.join(witnessed.out, "test-result.json"), "--evidence",
                                 os.path.join(witnessed.out, "evidence.db"))
        check(verified.returncode == 0, verified.stdout + verified.stderr)
        # A page that shows it, in both languages.
        for lang, words in (("en", "secret commands of the witness"), ("zh", "保密指令")):
            page = os.path.join(folder, f"{lang}.html")
            done = witnessed.run("report", os.path.join(witnessed.out, "test-result.json"), "--html", page, "--pdf", page + ".pdf",
                                 "--lang", lang)
            check(done.returncode == 0, done.stderr)
            with open(page, encoding="utf-8") as file:
                check(words in file.read(), f"{lang}: no watermark on the page")
        print("witnessed", {k: summaries[0]["watermark"][k] for k in ("t", "p", "switched_w", "usable_bits")})
        print("resumed  ", {k: summaries[1]["watermark"][k] for k in ("t", "p", "switched_w", "usable_bits")})
        print("elsewhere", {k: mark[k] for k in ("t", "p", "switched_w", "usable_bits")})


main()
