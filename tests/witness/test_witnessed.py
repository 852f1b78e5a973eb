#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_witnessed.py PETAUDIT - an audit whose witness is another process with another key.

The certificate is signed by the witness, says "witnessed", and verifies from the exported transcript; a wrong
fingerprint, an unknown ticket, a body that is no request and a replay are refused; a witness or a site that is killed
in the middle goes on where the transcript ends; a second session of the same claim is counted.
"""
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scenarios"))
from stamp_authority import make_authority, stamp  # noqa: E402

program = sys.argv[1]
LIMIT_S = 240
CLAIM = """center: A witnessed hall
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
session: {window_s: 3, epoch_s: 0.5, alpha: 0.01, openings: 60, interruptions: 3, longest_gap_s: 900}
inflation: report
assurance: witnessed
"""


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        self.env.update(HOME=folder, PETAUDIT_TEST_SHAPE="256x256x256", NO_COLOR="1")
        with open(self.path("claim.yaml"), "w", encoding="utf-8") as file:
            file.write(CLAIM)
        with open(self.path("quick.yaml"), "w", encoding="utf-8") as file:
            file.write(POLICY)
        self.run("keygen", self.path("auditor"))
        self.port, self.witness = 0, None

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments, status=0):
        done = subprocess.run([program, *arguments], env=self.env, capture_output=True, text=True, timeout=LIMIT_S,
                              stdin=subprocess.DEVNULL, check=False)
        check(done.returncode == status, f"{arguments} ended with {done.returncode}, not {status}:\n{done.stdout}{done.stderr}")
        return done

    def start_witness(self):
        # The same port when it is started anew, as an auditor would.
        self.witness = subprocess.Popen([program, "witness", "--key", self.path("auditor"), "--listen",
                                         f"127.0.0.1:{self.port}", "--store", self.path("store")],
                                        env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=open(self.path("witness.log"), "a", encoding="utf-8"))
        lines = [self.witness.stdout.readline().decode() for _ in range(2)]
        check(lines[1].startswith("witness"), f"the witness says {lines}")
        self.url = lines[1].split()[1]
        self.port = int(self.url.split(":")[2].split("#")[0])

    def kill_witness(self):
        self.witness.kill()
        self.witness.wait()

    def audit(self, *arguments, status=2):
        return self.run("audit", *arguments, status=status)

    def start_audit(self, *arguments):
        return subprocess.Popen([program, "audit", *arguments], env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=open(self.path("audit.log"), "a", encoding="utf-8"))

    def ask(self, body, bearer=None):
        """One raw request; returns the status."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), 10) as plain, context.wrap_socket(plain) as link:
            head = f"POST /v1/witness HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            if bearer:
                head += f"Authorization: Bearer {bearer}\r\n"
            answer = b""
            try:
                link.sendall(head.encode() + b"\r\n" + body)
                while chunk := link.recv(65536):
                    answer += chunk
            except OSError:  # closed before all of the body was out
                pass
        return int(answer.split()[1]) if answer else 0


def predicate(path):
    import base64
    with open(path, encoding="utf-8") as file:
        return json.loads(base64.b64decode(json.load(file)["payload"]))["predicate"]


def records(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute("SELECT k, hash FROM record ORDER BY k").fetchall()


def notes(path, kind):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT payload FROM record WHERE type = 10 ORDER BY k").fetchall()
    # u64 epoch | two times | JSON
    found = [json.loads(row[0][24:]) for row in rows]
    return [note for note in found if note["kind"] == kind]


def closed_epochs(path):
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM record WHERE type = 5").fetchone()[0]
    except sqlite3.OperationalError:  # the file is being made
        return 0


def sessions(place):
    return sorted(n for n in os.listdir(place.path("store")) if len(n) == 16)


def an_audit_is_witnessed(place):
    place.audit(place.path("claim.yaml"), "--witness", place.url, "--out", place.path("one"))
    said = predicate(place.path("one/test-result.json"))
    check(said["assurance"] == "witnessed", f"assurance is {said['assurance']}")
    session = sessions(place)[0]
    check(records(place.path("one/evidence.db")) == records(place.path(f"store/{session}/evidence.db")),
          "the site has another transcript than the witness")
    for name in ("test-result.json", "summary.json", "report.html"):
        with open(place.path(f"one/{name}"), "rb") as a, open(place.path(f"store/{session}/{name}"), "rb") as b:
            check(a.read() == b.read(), f"{name} differs between site and witness")
    place.run("witness", "export", session, "--store", place.path("store"), "--out", place.path("copy"))
    place.run("verify", place.path("copy/test-result.json"), "--evidence", place.path("copy/evidence.db"), "--trust",
              place.path("auditor.pub"))
    place.run("keygen", place.path("other"))
    place.run("verify", place.path("one/test-result.json"), "--trust", place.path("other.pub"), status=2)


def stamps_bound_a_session_from_outside(place):
    """Somebody else's clock says that the first challenge was there before the end, and the last root after it."""
    desk, out = Path(place.folder, "stamps"), Path(place.folder, "stamped")
    desk.mkdir()
    make_authority(desk, "timeStamping", "stamper")
    before = set(sessions(place))
    site = place.start_audit(place.path("claim.yaml"), "--witness", place.url, "--out", place.path("bounded"))
    until = time.monotonic() + LIMIT_S
    while not (new := set(sessions(place)) - before) or not Path(place.path("store"), *new, "first-nonce.tsq").exists():
        check(time.monotonic() < until, "no stamp of the first nonce is asked for")
        time.sleep(0.05)
    folder = Path(place.path("store"), *new)
    stamp(desk, folder / "first-nonce.tsq", folder / "first-nonce.tsr")
    asked = (folder / "first-nonce.tsq").read_bytes()
    check(site.wait(timeout=LIMIT_S) == 2, "the stamped audit did not end")
    check((folder / "first-nonce.tsq").read_bytes() == asked, "the first request was written anew")
    stamp(desk, folder / "last-root.tsq", folder / "last-root.tsr")
    place.run("witness", "export", folder.name, "--store", place.path("store"), "--out", str(out))

    def verified():
        done = place.run("verify", str(out / "test-result.json"), "--evidence", str(out / "evidence.db"), "--json")
        found = json.loads(done.stdout)
        return found["first_nonce_stamp"], found["last_root_stamp"]

    first, last = verified()
    check(first["state"] == last["state"] == "holds", f"{first}, {last}")
    check(first["witness_utc"] <= first["utc"] <= last["utc"] and last["witness_utc"] <= last["utc"], f"{first}, {last}")
    words = place.run("verify", str(out / "test-result.json"), "--evidence", str(out / "evidence.db")).stdout
    check("1st nonce  it was there at" in words and "last root  it was there at" in words, words)
    shutil.copy(out / "first-nonce.tsr", out / "last-root.tsr")
    (out / "first-nonce.tsr").unlink()
    first, last = verified()
    check(first["state"] == "none" and last["state"] == "broken", f"a stamp of another moment: {first}, {last}")


def a_second_session_of_the_claim_is_counted(place):
    place.audit(place.path("claim.yaml"), "--witness", place.url, "--out", place.path("two"))
    serials = [predicate(place.path(f"{name}/test-result.json"))["session"]["serial"] for name in ("one", "two")]
    check([str(s) for s in serials] == ["1", "2"], f"serials are {serials}")


def locks_held(process, path):
    """How many POSIX locks the process holds on the file."""
    inode = f":{os.stat(path).st_ino}"
    with open("/proc/locks", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return sum(1 for row in rows if row[1] == "POSIX" and row[4] == str(process.pid) and row[5].endswith(inode))


def a_judgement_leaves_the_locks_of_the_session(place):
    """A witness that stopped between signature and judgement judges when it is asked for the result, beside the store
    that it has open: another process must go on seeing that somebody has it."""
    session = sessions(place)[0]
    evidence = place.path(f"store/{session}/evidence.db")
    place.witness.send_signal(signal.SIGTERM)
    place.witness.wait()
    before = records(evidence)
    os.remove(place.path(f"store/{session}/test-result.json"))
    place.start_witness()
    place.audit("--resume", place.path("one"))
    check(os.path.exists(place.path(f"store/{session}/test-result.json")), "the session was not judged")
    check(locks_held(place.witness, evidence) > 0, "the witness's locks are gone")
    check(records(evidence) == before, "the judgement changed the evidence")


def an_export_respects_the_locks_of_the_session(place):
    """A witness that closes a session writes its log back into the file under a lock: an export in that moment waits
    for it, and is whole."""
    session, out = sessions(place)[0], place.path("beside")
    place.witness.send_signal(signal.SIGTERM)
    place.witness.wait()
    evidence = place.path(f"store/{session}/evidence.db")
    database = sqlite3.connect(evidence)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with open(evidence, "r+b") as file:
        # The bytes that SQLite locks for those who read or write a database.
        fcntl.lockf(file, fcntl.LOCK_EX, 510, 0x40000002)
        export = subprocess.Popen([program, "witness", "export", session, "--store", place.path("store"), "--out", out],
                                  env=place.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            export.wait(1)
        except subprocess.TimeoutExpired:
            pass
        check(export.poll() is None, "the export did not wait for the witness")
    said = export.communicate(timeout=LIMIT_S)[1]
    check(export.returncode == 0, f"the export ended with {export.returncode}: {said}")
    check(records(os.path.join(out, "evidence.db")) == records(evidence), "records are missing")
    place.start_witness()


def strangers_are_refused(place):
    digits = place.url.split("#")[1]
    wrong = place.url.split("#")[0] + "#" + digits[:-1] + ("0" if digits[-1] != "0" else "1")
    done = place.audit(place.path("claim.yaml"), "--witness", wrong, "--out", place.path("wrong"), status=69)
    check("another key" in done.stderr, done.stderr)
    done = place.audit(place.path("claim.yaml"), "--witness", place.url.split("#")[0], "--out", place.path("none"),
                       status=64)
    check("FINGERPRINT" in done.stderr, done.stderr)
    chance = random.Random(1)
    request = (1).to_bytes(4, "little") + (4).to_bytes(4, "little") + (1).to_bytes(8, "little") + bytes(32)
    check(place.ask(request + bytes(8)) == 401, "an unknown ticket is answered")
    check(place.ask(request + bytes(1 << 20)) in (0, 413), "a stranger's long body is taken")
    check(place.ask(b"") in (400, 413), "an empty body is a request")
    for size in (1, 47, 48, 100):
        check(place.ask(chance.randbytes(size)) in (400, 401), "random bytes are a request")
    introductions = [place.ask((1).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(8 + 32 + 32) + b"x")
                     for _ in range(300)]
    check(set(introductions) == {200}, f"introductions: {set(introductions)}")


def a_session_that_the_witness_never_had_is_refused(place):
    """A site has its ticket before the witness has the declaration: whoever dies in between leaves a ticket of nothing."""
    os.mkdir(place.path("early"))
    with open(place.path("one/witness.ticket"), encoding="utf-8") as file:
        address, ticket = file.read().split()
    with open(place.path("early/witness.ticket"), "w", encoding="utf-8") as file:
        file.write(f"{address} {ticket[::-1]}\n")
    done = place.audit("--resume", place.path("early"), status=3)
    check("does not know the session" in done.stderr and "start a new audit" in done.stderr, done.stderr)
    check(os.listdir(place.path("early")) == ["witness.ticket"], "something was left by what was refused")


def either_side_may_be_killed(place):
    expected = None
    for victim in ("site", "witness", "site"):
        out = place.path(f"killed-{victim}-{time.monotonic_ns()}")
        process = place.start_audit(place.path("claim.yaml"), "--witness", place.url, "--out", out)
        # In the middle: once the ticket is there and some epochs are closed.
        began = time.monotonic()
        known = set(sessions(place))
        while time.monotonic() - began < LIMIT_S:
            fresh = set(sessions(place)) - known
            if fresh and process.poll() is None:
                path = place.path(f"store/{fresh.pop()}/evidence.db")
                if closed_epochs(path) >= 2:
                    break
            check(process.poll() is None, "the audit ended before it could be killed")
            time.sleep(0.05)
        if victim == "site":
            process.kill()
            process.wait()
        else:
            place.kill_witness()
            place.start_witness()
            process.wait(timeout=LIMIT_S)
            check(process.returncode == 69, f"the audit ended with {process.returncode} when its witness died")
        before = records(path)
        place.audit("--resume", out)
        after = records(path)
        check(after[: len(before)] == before, "records were lost")
        said = predicate(os.path.join(out, "test-result.json"))
        check(int(said["openings"]["failed"]) == 0, "openings failed")
        check(len(notes(path, "interruption")) == 1, "the interruption is not noted once")
        verdict = said["verdict"]
        expected = expected or verdict
        check(verdict == expected, f"{verdict} after a kill, {expected} before")


def registers_are_exchanged(place):
    """Two witnesses that share register.key: what one saw the other takes in, if it is signed by the one."""
    store, other = place.path("store"), place.path("other-store")
    shown = place.run("witness", "register", "--store", store).stdout
    check("identities 1\n" in shown and "elsewhere 0\n" in shown, f"the register shows {shown}")
    place.run("witness", "export", "register", "--store", store, "--out", place.path("for-others"))
    exported = place.path("for-others/devices")
    place.run("keygen", place.path("stranger"))
    os.mkdir(other, 0o700)
    trust = ("--store", other, "--trust", place.path("auditor.pub"))
    check("another register.key" in place.run("witness", "import", exported, *trust, status=65).stderr, "another key's hashes were taken")
    shutil.copy(os.path.join(store, "register.key"), os.path.join(other, "register.key"))
    place.run("witness", "import", exported, "--store", other, "--trust", place.path("stranger.pub"), status=3)
    place.run("witness", "import", exported, "--store", other, status=64)
    place.run("witness", "import", exported, *trust)
    check("own 0\n" in place.run("witness", "register", "--store", other).stdout, "imported sightings are called own")
    with open(exported, "r+b") as file:
        file.seek(200)
        file.write(b"x")
    place.run("witness", "import", exported, *trust, status=65)


def main():
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        place.start_witness()
        try:
            for test in (an_audit_is_witnessed, a_judgement_leaves_the_locks_of_the_session,
                         an_export_respects_the_locks_of_the_session, a_second_session_of_the_claim_is_counted, strangers_are_refused,
                         a_session_that_the_witness_never_had_is_refused,
                         stamps_bound_a_session_from_outside, either_side_may_be_killed, registers_are_exchanged):
                test(place)
                print(f"ok  {test.__name__.replace('_', ' ')}", flush=True)
        except BaseException:
            for log in ("witness.log", "audit.log"):
                if os.path.exists(place.path(log)):
                    with open(place.path(log), encoding="utf-8", errors="replace") as file:
                        print(log, file.read()[-3000:], file=sys.stderr)
            raise
        finally:
            place.witness.send_signal(signal.SIGTERM)
            place.witness.wait()


main()
