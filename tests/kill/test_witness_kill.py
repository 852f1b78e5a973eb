#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_witness_kill.py PETAUDIT - `kill -9` of a witness, of its site or of both at random moments, then both go on.

Nothing that was in the witness's transcript when somebody died may be missing or different afterwards; a session that
was killed several times ends with every opening right, and `verify` accepts it from the witness's own evidence. A third
of PETAUDIT_KILLS (default 25) are made, at moments that PETAUDIT_KILL_SEED draws.
"""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

program = sys.argv[1]
kills_wanted = max(1, int(os.environ.get("PETAUDIT_KILLS", "25")) // 3)
seed = int(os.environ.get("PETAUDIT_KILL_SEED", "1"))
chance = random.Random(seed)
KILLS_A_SESSION = 5
LIMIT_S = 300
ROOT, KEY = 3, 5
TICKET = "witness.ticket"
CLAIM = """center: A hall whose machines die
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
session: {window_s: 2, epoch_s: 0.25, alpha: 0.01, openings: 60, interruptions: 9, longest_gap_s: 900}
inflation: report
assurance: witnessed
"""


class Hall:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.log = open(self.folder / "log", "a", encoding="utf-8")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        # A site that waits for a dead witness gives up soon: the two are started anew together.
        self.env.update(HOME=str(folder), PETAUDIT_TEST_SHAPE="256x256x256", PETAUDIT_PATIENCE="6s", NO_COLOR="1")
        (self.folder / "claim.yaml").write_text(CLAIM, encoding="utf-8")
        (self.folder / "quick.yaml").write_text(POLICY, encoding="utf-8")
        self.store, self.port, self.witness, self.out = self.folder / "store", 0, None, None
        subprocess.run([program, "keygen", self.folder / "auditor"], env=self.env, check=True, capture_output=True)

    def fail(self, what):
        sys.exit(f"seed {seed}: {what}\n{(self.folder / 'log').read_text(encoding='utf-8', errors='replace')[-4000:]}")

    def start_witness(self):
        self.witness = subprocess.Popen([program, "witness", "--key", self.folder / "auditor", "--listen", f"127.0.0.1:{self.port}",
                                         "--live", "off", "--store", self.store], env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.witness.stdout.readline()
        self.url = self.witness.stdout.readline().split()[1]
        self.port = int(self.url.split(":")[2].split("#")[0])

    def kill_witness(self):
        self.witness.kill()
        self.witness.wait()
        self.witness.stdout.close()
        self.witness = None

    def sessions(self):
        """A folder without a ticket is no session: the same declaration, sent again, gets that folder."""
        return {n for n in os.listdir(self.store) if (self.store / n / "ticket").exists()} if self.store.exists() else set()

    def start_site(self):
        """A new audit, or the one that has a ticket."""
        if self.out and (self.out / TICKET).exists():
            arguments = ["--resume", self.out]
        else:
            self.out = self.folder / f"out-{time.monotonic_ns()}"
            arguments = [self.folder / "claim.yaml", "--witness", self.url, "--out", self.out]
        return subprocess.Popen([program, "audit", *arguments], env=self.env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def rows(self, session):
        """(number, type, hash) of a transcript, out of a copy: looking must not repair what a kill left."""
        if session is None:
            return []
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("evidence.db", "evidence.db-wal"):
                if (self.store / session / name).exists():
                    shutil.copy(self.store / session / name, scratch)
            path = os.path.join(scratch, "evidence.db")
            if not os.path.exists(path):
                return []
            with sqlite3.connect(path) as database:
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone():
                    return []
                return database.execute("SELECT k, type, hash FROM record ORDER BY k").fetchall()


def wait(hall, process):
    try:
        return process.wait(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return hall.fail(f"the audit did not end within {LIMIT_S} s")


def is_cut_off(hall, status):
    """Killed before its devices were described or its witness had the declaration, a session cannot go on, and says so;
    nothing was measured in it."""
    return status == 3 and "start a new audit" in (hall.folder / "log").read_text(encoding="utf-8", errors="replace")[-300:]


def kill_one(hall, whole):
    """True; False when the audit was done before, None when it was cut off."""
    site = hall.start_site()
    try:
        status = site.wait(timeout=chance.uniform(0.05, whole))
        if is_cut_off(hall, status):
            return None
        if status != 2:
            hall.fail(f"the audit ended with {status} before anybody was killed")
        return False
    except subprocess.TimeoutExpired:
        pass
    victim = chance.choice(("site", "witness", "both"))
    if victim != "site":
        hall.kill_witness()
    if victim != "witness":
        site.kill()
    if victim == "witness" and wait(hall, site) not in (69, 2):  # 2: all was said already
        hall.fail(f"the audit ended with {site.returncode} when its witness died")
    site.wait()
    return True


def finish(hall, session):
    status = wait(hall, hall.start_site())
    if is_cut_off(hall, status):
        hall.known, hall.out, session = hall.sessions(), None, None
        status = wait(hall, hall.start_site())
    if status != 2:
        hall.fail(f"the audit ended with {status} after it was killed")
    session = session or (hall.sessions() - hall.known).pop()
    result = hall.store / session / "test-result.json"
    summary = json.loads((hall.store / session / "summary.json").read_text(encoding="utf-8"))
    if summary["openings"]["failed"] != 0 or summary["assurance"] != "witnessed":
        hall.fail(f"{summary['assurance']}, {summary['openings']}")
    done = subprocess.run([program, "verify", result, "--evidence", hall.store / session / "evidence.db", "--trust",
                           hall.folder / "auditor.pub"], env=hall.env, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode != 0:
        hall.fail(f"verify ended with {done.returncode}: {done.stdout}{done.stderr}")


def one_session(hall, wanted, whole):
    """Kills made, and epochs that were closed at them."""
    hall.out, hall.known = None, hall.sessions()
    session, before, kills, closed = None, [], 0, 0
    for _ in range(wanted):
        if hall.witness is None:
            hall.start_witness()
        was_killed = kill_one(hall, whole)
        if was_killed is None:
            if any(row[1] == ROOT for row in before):
                hall.fail("a session with a closed epoch cannot go on")
            hall.known, hall.out, session, before = hall.sessions(), None, None, []
            continue
        if not was_killed:
            break
        kills += 1
        # A session that the site never heard of has no ticket there and stays as it is.
        declared = hall.sessions() - hall.known
        if not (hall.out / TICKET).exists():
            hall.known |= declared
        elif session is None and declared:
            session = declared.pop()
        after = hall.rows(session)
        if after[: len(before)] != before:
            hall.fail(f"kill {kills}: records that were there are gone ({len(before)}, now {len(after)})")
        kinds = [row[1] for row in after]
        if kinds.count(ROOT) != kinds.count(KEY):
            hall.fail(f"kill {kills}: an epoch has a root and no key, so that it can never be opened")
        before, closed = after, closed + kinds.count(ROOT)
    if hall.witness is None:
        hall.start_witness()
    finish(hall, session)
    if hall.rows(session)[: len(before)] != before:
        hall.fail("records are gone after the session was finished")
    return kills, closed


def main():
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(folder)
        try:
            hall.start_witness()
            began = time.monotonic()
            one_session(hall, 0, 0)
            whole = time.monotonic() - began
            kills = sessions = closed = 0
            while kills < kills_wanted:
                made, at = one_session(hall, min(KILLS_A_SESSION, kills_wanted - kills), whole)
                kills, closed, sessions = kills + made, closed + at, sessions + 1
        finally:
            if hall.witness:
                hall.kill_witness()
    if kills >= 8 and closed == 0:
        sys.exit("no epoch was closed at any kill: the moments miss what they are meant to test")
    print(f"{kills} kills of witness, site or both in {sessions} sessions, {closed} closed epochs at those moments, none lost; seed {seed}")


main()
