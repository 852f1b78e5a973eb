#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_full_disk.py PETAUDIT - the disk of a witness fills while audits run, and sessions that come back too late.

A witness whose disk is full tells the site so and lives on; what it has of the session is whole, and the session goes on
when there is room again. With a full disk no session begins, and none is counted. A session that ends on a full disk is
not lost: it ends when there is room. A site that stays away for longer than its declaration allows is told that the
session is over; nothing of it changes.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cluster"))
from cluster_site import LIMIT_S, Hall, check, records  # noqa: E402
from witness_client import FINISH, RESULT, WitnessClient  # noqa: E402

program = sys.argv[1]
CLOSED = 5  # a KEY: one for each closed epoch
SIGNATURE = 11


def audit(hall, *arguments):
    return hall.start([program, "audit", *arguments], "audit.log")


def declared(hall, out, *options):
    return audit(hall, hall.path("claim.yaml"), "--devices", "cpu", "--out", hall.path(out), *options)


def said_last(hall):
    """What the last audit said."""
    text = hall.log("audit.log")
    os.remove(hall.path("audit.log"))
    return text


def wait_for_epochs(hall, process, known, count):
    """The session's folder, once so many epochs are closed in it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        check(process.poll() is None, f"the audit ended too soon:\n{hall.log('audit.log')}")
        fresh = [folder for folder in hall.witness_sessions() if folder not in known]
        try:
            if fresh and sum(1 for row in records(fresh[0]) if row[1] == CLOSED) >= count:
                return fresh[0]
        except Exception as error:  # it is being made
            check("database" in str(error) or "table" in str(error), str(error))
        time.sleep(0.05)
    raise SystemExit(f"FAILED: no epoch was closed within {LIMIT_S} s")


def fill(folder):
    """Take all room there is."""
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def make_room(folder):
    os.remove(os.path.join(folder, "ballast"))


def a_full_disk_keeps_the_session(hall, url, witness):
    site = declared(hall, "filled", "--witness", url)
    session = wait_for_epochs(hall, site, [], 1)
    fill(hall.path("store"))
    hall.end(site, (69,), "audit.log")
    said = said_last(hall)
    check("the witness: " in said and re.search("full|No space left", said), f"the site is not told why:\n{said}")
    check("--resume" in said, f"the site is not told what to do:\n{said}")
    check(witness.poll() is None, "the witness died of a full disk")
    before = records(session)
    make_room(hall.path("store"))
    hall.end(audit(hall, "--resume", hall.path("filled"), "--devices", "cpu"), (2,), "audit.log")
    after = records(session)
    check(after[: len(before)] == before, "records were lost")
    check(records(hall.path("filled")) == after, "the site has another transcript")
    hall.out = hall.path("filled")
    hall.verify()
    summary = hall.summary()
    check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"])
    check(summary["assurance"] == "witnessed" and str(hall.statement()["session"]["serial"]) == "1", summary["assurance"])


def a_full_disk_begins_no_session(hall, url, witness):
    known = hall.witness_sessions()
    fill(hall.path("store"))
    hall.end(declared(hall, "refused", "--witness", url), (69,), "audit.log")
    said = said_last(hall)
    check("the witness: " in said and re.search("full|No space left", said), f"the site is not told why:\n{said}")
    left = [os.listdir(folder) for folder in hall.witness_sessions() if folder not in known]
    check(not left, f"half a session is left: {left}")
    check(witness.poll() is None, "the witness died of a full disk")
    make_room(hall.path("store"))
    # Its ticket is that of no session: there is nothing to go on with, and the next one has the next number.
    hall.end(audit(hall, "--resume", hall.path("refused"), "--devices", "cpu"), (3,), "audit.log")
    check("start a new audit" in said_last(hall), "the site is not told what to do")
    hall.end(declared(hall, "second", "--witness", url), (2,), "audit.log")
    hall.out = hall.path("second")
    check(str(hall.statement()["session"]["serial"]) == "2", hall.statement()["session"])


def a_full_disk_at_the_end_takes_no_result_away(hall, url, witness):
    known = hall.witness_sessions()
    site = declared(hall, "last", "--witness", url)
    session = wait_for_epochs(hall, site, known, 1)
    site.kill()
    site.wait()
    said_last(hall)
    client = WitnessClient(hall.path("last"))
    check(client.resume()[0] == 0, "the session is not resumed")
    # More than SQLite's log may still have room for.
    check(client.note(b'{"kind":"remark","text":"' + bytes([ord("x")]) * (1 << 20) + b'"}')[0] == 0, "a note is refused")
    before = records(session)
    fill(hall.path("store"))
    for _ in range(2):
        code, text, _ = client.ask(FINISH)
        check(code != 0 and re.search("full|No space|write|finished", text), f"the end on a full disk: {code} {text}")
    check(witness.poll() is None, "the witness died of a full disk")
    make_room(hall.path("store"))
    code, text, _ = client.ask(FINISH)
    check(code == 0 or "finished" in text, f"the session cannot be ended: {text}")
    code, text, body = client.ask(RESULT)
    check(code == 0 and b"test-result.json" in body[:40], f"there is no result: {text}")
    after = records(session)
    check(after[: len(before)] == before and after[-1][1] == SIGNATURE, "records were lost, or it is not signed")
    check(sum(1 for row in after if row[1] == SIGNATURE) == 1, "it is signed more than once")


def who_comes_back_too_late_is_told(hall, url):
    known = hall.witness_sessions()
    with open(hall.path("quick.yaml"), encoding="utf-8") as file:
        policy = file.read()
    with open(hall.path("quick.yaml"), "w", encoding="utf-8") as file:
        file.write(policy.replace("longest_gap_s: 900", "longest_gap_s: 1"))
    site = declared(hall, "late", "--witness", url)
    session = wait_for_epochs(hall, site, known, 1)
    site.kill()
    site.wait()
    said_last(hall)
    before = records(session)
    time.sleep(2)
    for _ in range(2):
        hall.end(audit(hall, "--resume", hall.path("late"), "--devices", "cpu"), (3,), "audit.log")
        said = said_last(hall)
        check("longer than the 1 s that the declaration allows" in said and "Start a new audit" in said, said)
        check(records(session) == before, "a session that is over was changed")
    check(records(hall.path("late")) == before, "the site does not have what was proven")
    check(not os.path.exists(hall.path("late/certificate.json")), "a session that is over has a certificate")


def main():
    with tempfile.TemporaryDirectory(prefix="petaudit-full-disk-") as folder, Hall(folder, program, window_s=3) as hall:
        os.mkdir(hall.path("store"), 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", hall.path("store")], check=True)
        try:
            # What is kept free for sessions that run (test_store_room.py) would stop short of a full disk.
            witness, url = hall.start_witness(0, "--keep-free", "off")
            for test in (a_full_disk_keeps_the_session, a_full_disk_begins_no_session, a_full_disk_at_the_end_takes_no_result_away):
                test(hall, url, witness)
                print(f"ok  {test.__name__.replace('_', ' ')}", flush=True)
            who_comes_back_too_late_is_told(hall, url)
            print("ok  who comes back too late is told", flush=True)
        finally:
            subprocess.run(["umount", "-l", hall.path("store")], check=True)


main()
