# SPDX-License-Identifier: Apache-2.0
"""What the tests of several processes share: a claim of some seconds, processes with logs, and a look at what is left."""
import base64
import json
import os
import sqlite3
import subprocess
import time

LIMIT_S = 240
LAUNCHERS = ("PETAUDIT_", "OMPI_", "PMI", "SLURM_")
CLAIM = """center: A hall of several hosts
site: {name: Hall 1, region: Here}
capacity: {value: 1, unit: MFLOPS, precision: fp16}
policy: ./quick.yaml
"""
POLICY = """policy: quick
title: Some seconds of work
source: tests, 2026
entitlement: {mw: 400, per_pflops: 500, rounding: proportional}
basis: sustained
acceptance: {rule: guarded, k: 2}
session: {window_s: WINDOW, epoch_s: 1, alpha: 0.01, openings: 60, interruptions: 3, longest_gap_s: 900}
inflation: report
assurance: self
"""


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def records(folder):
    """All of the evidence in a folder."""
    with sqlite3.connect(f"file:{os.path.join(folder, 'evidence.db')}?mode=ro", uri=True) as database:
        return database.execute("SELECT k, type, payload, hash FROM record ORDER BY k").fetchall()


def notes(path, kind):
    """The notes of a kind, each with the epoch of its record (None: of none) and its time."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT payload FROM record WHERE type = 10 ORDER BY k").fetchall()
    found = []
    for (payload,) in rows:
        # u64 epoch | two times | JSON
        note = json.loads(payload[24:])
        epoch = int.from_bytes(payload[:8], "little")
        if note["kind"] == kind:
            found.append({**note, "epoch": epoch if epoch < 1 << 63 else None})
    return found


class Hall:
    """A folder with a claim and its policy, and processes that are killed with it."""

    def __init__(self, folder, program, window_s=4):
        self.folder, self.program, self.out = folder, program, os.path.join(folder, "out")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHERS)}
        self.env.update(HOME=folder, PETAUDIT_TEST_SHAPE="256x256x256", PETAUDIT_HEARTBEAT="3s", NO_COLOR="1")
        self.started = []
        with open(self.path("claim.yaml"), "w", encoding="utf-8") as file:
            file.write(CLAIM)
        with open(self.path("quick.yaml"), "w", encoding="utf-8") as file:
            file.write(POLICY.replace("WINDOW", str(window_s)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, command, log, **env):
        """A process whose messages go to the end of the file `log`."""
        with open(self.path(log), "a", encoding="utf-8") as file:
            process = subprocess.Popen(command, env={**self.env, **env}, stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=file)
        self.started.append(process)
        return process

    def start_witness(self, port=0, *options):
        """Another process with another key; on the port of before when it is started anew. The process and its address."""
        if not os.path.exists(self.path("auditor")):
            made = subprocess.run([self.program, "keygen", self.path("auditor")], env=self.env, capture_output=True, check=False)
            check(made.returncode == 0, f"keygen: {made.stderr}")
        with open(self.path("witness.log"), "a", encoding="utf-8") as log:
            witness = subprocess.Popen([self.program, "witness", "--key", self.path("auditor"), "--listen", f"127.0.0.1:{port}",
                                        "--live", "off", "--store", self.path("store"), *options], env=self.env,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        self.started.append(witness)
        lines = [witness.stdout.readline().decode() for _ in range(2)]
        check(lines[1].startswith("witness"), f"the witness says {lines}:\n{self.log('witness.log')}")
        return witness, lines[1].split()[1]

    def witness_sessions(self):
        """The folders of the sessions that the witness keeps."""
        names = os.listdir(self.path("store")) if os.path.exists(self.path("store")) else []
        return [os.path.join(self.path("store"), name) for name in sorted(names) if len(name) == 16]

    def start_rank(self, rank, size, *arguments, prefix=(), program=None, **env):
        command = [*prefix, program or self.program, "audit", *(arguments or self.arguments())]
        return self.start(command, f"rank{rank}.log", PETAUDIT_RANK=str(rank), PETAUDIT_SIZE=str(size),
                          PETAUDIT_JOB="hall", **env)

    def arguments(self):
        return self.path("claim.yaml"), "--devices", "cpu", "--out", self.out

    def log(self, name="rank0.log"):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, text, name="rank0.log", process=None):
        """Wait until a log has `text`: what the test does next then falls into that phase."""
        deadline = time.monotonic() + LIMIT_S
        while text not in self.log(name):
            check(time.monotonic() < deadline, f"no \"{text}\" in {name} within {LIMIT_S} s:\n{self.log(name)}")
            check(process is None or process.poll() is None, f"{name} ended before \"{text}\":\n{self.log(name)}")
            time.sleep(0.02)

    def end(self, process, statuses, name="rank0.log"):
        try:
            status = process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"FAILED: {name} hangs:\n{self.log(name)}") from None
        check(status in statuses, f"{name} ended with {status}, not one of {statuses}:\n{self.log(name)}")
        return status

    def summary(self):
        with open(os.path.join(self.out, "summary.json"), encoding="utf-8") as file:
            return json.load(file)

    def statement(self):
        """What was signed: the predicate of the result."""
        with open(os.path.join(self.out, "test-result.json"), encoding="utf-8") as file:
            return json.loads(base64.b64decode(json.load(file)["payload"]))["predicate"]

    def notes(self, kind):
        return notes(os.path.join(self.out, "evidence.db"), kind)

    def verify(self):
        """The result is authentic and is what its evidence says, to somebody who knows nothing else."""
        done = subprocess.run([self.program, "verify", os.path.join(self.out, "test-result.json"), "--evidence",
                               os.path.join(self.out, "evidence.db")], env=self.env, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        check(done.returncode == 0, f"verify ended with {done.returncode}:\n{done.stdout}{done.stderr}")
