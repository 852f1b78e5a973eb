#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_kill.py PETAUDIT SOURCE - `kill -9` of a real audit at random moments, then `audit --resume`.

Nothing that was in the evidence when the process died may be missing or different afterwards: the rows before the kill
are a prefix of the rows after it. A session that was killed several times ends with the same verdict as an unbroken
one, with every opening right, and `verify` accepts its result. PETAUDIT_KILLS says how many kills (default 25),
PETAUDIT_KILL_SEED which moments.
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

program, source = sys.argv[1:]
kills_wanted = int(os.environ.get("PETAUDIT_KILLS", "25"))
seed = int(os.environ.get("PETAUDIT_KILL_SEED", "1"))
chance = random.Random(seed)
KILLS_A_SESSION = 5
ROOT, KEY = 3, 5
LIMIT_S = 300
# Whatever machine this is, and whoever else is on it: the verdict must not depend on its rate.
CLAIM = """center: A hall whose machines die
site: {name: Hall 1, region: Here}
capacity: {value: 1, unit: MFLOPS, precision: fp16}
"""


def rows_of(folder, scratch):
    """(number, type, hash) of every record of a session that can be resumed. Works on a copy: looking must not repair what
    the kill left."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    for name in ("evidence.db", "evidence.db-wal"):
        if os.path.exists(os.path.join(folder, name)):
            shutil.copy(os.path.join(folder, name), scratch)
    if not os.path.exists(os.path.join(scratch, "evidence.db")):
        return []
    with sqlite3.connect(os.path.join(scratch, "evidence.db")) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchone():
            return []
        # Without its terms it has measured nothing: `--resume` says so, and to start a new audit.
        kinds = {json.loads(text)["kind"] for (text,) in database.execute("SELECT json FROM notes")}
        if not {"claim", "policy"} <= kinds:
            return []
        return database.execute("SELECT k, type, hash FROM record ORDER BY k").fetchall()


class Session:
    def __init__(self, home):
        self.home, self.out = home, os.path.join(home, "out")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        self.env.update(HOME=home, PETAUDIT_TEST_SHAPE="256x256x256", NO_COLOR="1")
        self.log = os.path.join(home, "log")

    def start(self):
        resumes = bool(rows_of(self.out, os.path.join(self.home, "scratch")))
        if resumes:
            arguments = ["--resume", self.out]
        else:
            # Killed before the session was declared, or its terms noted: there is nothing to resume.
            shutil.rmtree(self.out, ignore_errors=True)
            claim = os.path.join(self.home, "claim.yaml")
            with open(claim, "w", encoding="utf-8") as file:
                file.write(CLAIM)
            arguments = [claim, "--out", self.out, "--policy",
                         os.path.join(source, "tests", "kill", "short_policy.yaml")]
        with open(self.log, "a", encoding="utf-8") as log:
            return subprocess.Popen([program, "audit", *arguments], env=self.env, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def fail(self, what):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            sys.exit(f"seed {seed}: {what}\n{log.read()[-4000:]}")

    def finish(self):
        process = self.start()
        try:
            status = process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f"the audit did not end within {LIMIT_S} s")
        with open(os.path.join(self.out, "summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        if summary["openings"]["failed"] != 0:
            self.fail(f"openings failed: {summary['openings']}")
        verify = subprocess.run([program, "verify", os.path.join(self.out, "test-result.json"), "--evidence",
                                 os.path.join(self.out, "evidence.db")], env=self.env, capture_output=True, text=True)
        if verify.returncode != 0:
            self.fail(f"verify ended with {verify.returncode}: {verify.stdout}{verify.stderr}")
        return status, summary["verdict"]

    def kill_after(self, seconds):
        """False when the audit was done before the kill."""
        process = self.start()
        try:
            status = process.wait(timeout=seconds)
            if status not in (0, 1, 2):
                self.fail(f"the audit ended with {status} before it was killed")
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True


def is_prefix(before, after):
    return after[: len(before)] == before


def main():
    with tempfile.TemporaryDirectory() as home:
        unbroken = Session(home)
        began = time.monotonic()
        expected = unbroken.finish()
        whole = time.monotonic() - began
    kills = sessions = closed_at_kills = 0
    while kills < kills_wanted:
        with tempfile.TemporaryDirectory() as home:
            session = Session(home)
            scratch = os.path.join(home, "scratch")
            before, is_done = [], False
            for _ in range(min(KILLS_A_SESSION, kills_wanted - kills)):
                if not session.kill_after(chance.uniform(0.05, whole)):
                    is_done = True
                    break
                kills += 1
                after = rows_of(session.out, scratch)
                if not is_prefix(before, after):
                    session.fail(f"kill {kills}: records that were there are gone ({len(before)}, now {len(after)})")
                before = after
                closed_at_kills += sum(1 for row in after if row[1] == ROOT)
                if [row[1] for row in after].count(ROOT) != [row[1] for row in after].count(KEY):
                    session.fail(f"kill {kills}: an epoch has a root and no key, so that it can never be opened")
            if not is_done:
                found = session.finish()
                if found != expected:
                    session.fail(f"an unbroken session ends with {expected}, a resumed one with {found}")
            if not is_prefix(before, rows_of(session.out, scratch)):
                session.fail("records are gone after the session was finished")
            sessions += 1
    if closed_at_kills == 0:
        sys.exit("no epoch was closed at any kill: the moments miss what they are meant to test")
    print(f"{kills} kills in {sessions} sessions, {closed_at_kills} closed epochs at those moments, none lost; seed {seed}")


main()
