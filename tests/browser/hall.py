# SPDX-License-Identifier: Apache-2.0
"""hall.py - a witness and the audits of a site, as processes, for the tests of the live page."""
import base64
import json
import os
import signal
import subprocess
import time

LIMIT_S = 300
CLAIM = """center: {center}
site: {{name: Hall 1, region: Here}}
capacity: {{value: 500, unit: TFLOPS, precision: fp16}}
policy: ./quick.yaml
"""
POLICY = """policy: quick
title: Some seconds of work
source: tests
entitlement: {{mw: 400, per_pflops: 500, rounding: proportional}}
basis: sustained
acceptance: {{rule: guarded, k: 2}}
session: {{window_s: {window_s}, epoch_s: 0.5, alpha: 0.01, openings: {openings}, interruptions: 3, longest_gap_s: 900{radius}}}
inflation: report
assurance: witnessed
"""


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


class Hall:
    """`program` is petaudit; its keys and the witness's store lie in `folder`."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        self.env.update(HOME=folder, PETAUDIT_TEST_SHAPE="256x256x256", NO_COLOR="1")
        self.witness, self.port, self.live_port = None, 0, 0
        if not os.path.exists(self.path("auditor")):
            subprocess.run([program, "keygen", self.path("auditor")], env=self.env, check=True, capture_output=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start_witness(self, *more):
        """On the same ports when it is started anew, as an auditor would."""
        with open(self.path("witness.log"), "a", encoding="utf-8") as log:
            self.witness = subprocess.Popen(
                [self.program, "witness", "--key", self.path("auditor"), "--listen", f"127.0.0.1:{self.port}", "--live",
                 f"127.0.0.1:{self.live_port}", "--store", self.path("store"), *more],
                env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        said = {}
        for _ in range(3):
            line = self.witness.stdout.readline()
            said[line[:12].strip()] = line[12:].strip()
        check("live page" in said, f"the witness says {said}; {open(self.path('witness.log'), encoding='utf-8').read()}")
        self.url, self.page = said["witness"], said["live page"]
        self.pin = base64.b64encode(bytes.fromhex(said["fingerprint"])).decode()
        self.port = int(self.url.split(":")[2].split("#")[0])
        self.live_port = int(self.page.split(":")[2].split("/")[0])

    def kill_witness(self):
        self.witness.kill()
        self.witness.wait()
        self.witness.stdout.close()

    def stop_witness(self):
        self.witness.send_signal(signal.SIGTERM)
        check(self.witness.wait(timeout=LIMIT_S) == 0, "the witness did not end well")
        self.witness.stdout.close()

    def claim(self, center="A watched hall", window_s=6, openings=60, radius=""):
        with open(self.path("quick.yaml"), "w", encoding="utf-8") as file:
            file.write(POLICY.format(window_s=window_s, openings=openings, radius=radius and f", radius: {radius}"))
        with open(self.path("claim.yaml"), "w", encoding="utf-8") as file:
            file.write(CLAIM.format(center=json.dumps(center)))
        return self.path("claim.yaml")

    def start_audit(self, *arguments, program=None, fault=None):
        env = dict(self.env, PETAUDIT_FAULT=fault) if fault else self.env
        with open(self.path("audit.log"), "a", encoding="utf-8") as log:
            return subprocess.Popen([program or self.program, "audit", *arguments], env=env, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=log)

    def sessions(self):
        return sorted(n for n in os.listdir(self.path("store")) if len(n) == 16)

    def logs(self):
        out = ""
        for name in ("witness.log", "audit.log"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), encoding="utf-8", errors="replace") as file:
                    out += f"{name}:\n{file.read()[-3000:]}\n"
        return out


def finish(process, status, what):
    try:
        code = process.wait(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        code = "no end"
    check(code == status, f"{what} ended with {code}, not {status}")


def wait_until(question, what, seconds=LIMIT_S):
    until = time.monotonic() + seconds
    while not question():
        check(time.monotonic() < until, f"waited {seconds} s for {what}")
        time.sleep(0.1)
