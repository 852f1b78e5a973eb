#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_store_room.py PETAUDIT - a witness whose disk is short of room, and a site that sends notes without end.

With less room than --keep-free says no session begins, however many ask; the audit that runs ends as if nothing were,
the operator is told once, and sessions begin again when there is room. A site that floods its own session with notes
is refused at some hundreds of megabytes, can end that session all the same, and nobody else notices.
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cluster"))
from cluster_site import LIMIT_S, Hall, check, records  # noqa: E402
from witness_client import FINISH, RESULT, WitnessClient  # noqa: E402

program = sys.argv[1]
KEY = 5  # one for each closed epoch
MIB = 1 << 20
STORE_MIB, KEPT_MIB, LEFT_MIB = 64, 24, 12


def audit(hall, out, log, *options):
    return hall.start([program, "audit", hall.path("claim.yaml"), "--devices", "cpu", "--out", hall.path(out), *options], log)


def wait_for_epoch(hall, process, log, known=()):
    """The session's folder, once an epoch is closed in it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        check(process.poll() is None, f"the audit ended too soon:\n{hall.log(log)}")
        fresh = [folder for folder in hall.witness_sessions() if folder not in known]
        try:
            if fresh and any(row[1] == KEY for row in records(fresh[0])):
                return fresh[0]
        except Exception as error:  # it is being made
            check("database" in str(error) or "table" in str(error), str(error))
        time.sleep(0.05)
    raise SystemExit(f"FAILED: no epoch was closed within {LIMIT_S} s")


def leave(folder, mib):
    """Take all room but this much."""
    facts = os.statvfs(folder)
    left = facts.f_bavail * facts.f_frsize - mib * MIB
    check(left > 0, f"{folder} has {left} bytes less than {mib} MiB free")
    with open(os.path.join(folder, "ballast"), "wb") as file:
        os.posix_fallocate(file.fileno(), 0, left)


def without_room_only_the_session_that_runs_goes_on(hall):
    store = hall.path("store")
    witness, url = hall.start_witness(0, "--keep-free", f"{KEPT_MIB}MiB")
    site = audit(hall, "running", "running.log", "--witness", url)
    wait_for_epoch(hall, site, "running.log")
    leave(store, LEFT_MIB)
    for turn in range(2):
        hall.end(audit(hall, f"refused{turn}", "refused.log", "--witness", url), (69,), "refused.log")
    said = hall.log("refused.log")
    check("no room for a new session" in said and "Ask the auditor to make room" in said, f"the site is not told why:\n{said}")
    stranger = WitnessClient(url=url)
    for _ in range(30):
        code, text, _ = stranger.introduce()
        check(code != 0 and "no room" in text, f"a stranger was introduced: {code} {text}")
    check(len(hall.witness_sessions()) == 1, hall.witness_sessions())
    hall.end(site, (2,), "running.log")
    hall.out = hall.path("running")
    hall.verify()
    check(hall.summary()["openings"]["missing"] == 0, hall.summary()["openings"])
    told = hall.log("witness.log")
    check(told.count("new sessions are refused") == 1 and f"{KEPT_MIB} MiB of --keep-free" in told and store in told,
          f"the operator was not told once:\n{told}")
    os.remove(os.path.join(store, "ballast"))
    hall.end(audit(hall, "later", "later.log", "--witness", url), (2,), "later.log")
    check(hall.log("witness.log").count("there is room again") == 1, hall.log("witness.log"))
    witness.terminate()
    witness.wait()


def sizes_are_strict(hall):
    for text in ("1G", "1GB", "-1GiB", "0GiB", "many", "1 GiB"):
        done = subprocess.run([program, "witness", "--key", hall.path("auditor"), "--keep-free", text], env=hall.env,
                              capture_output=True, text=True, check=False, timeout=LIMIT_S)
        check(done.returncode == 64 and "--keep-free" in done.stderr, f"--keep-free {text}: {done.returncode} {done.stderr}")


def a_flood_of_notes_ends_and_so_can_its_session(hall):
    _, url = hall.start_witness()
    site = audit(hall, "flood", "flood.log", "--witness", url)
    session = wait_for_epoch(hall, site, "flood.log")
    site.kill()
    site.wait()
    flood = WitnessClient(hall.path("flood"))
    check(flood.resume()[0] == 0, "the session is not resumed")
    note = b'{"kind":"remark","text":"' + bytes([ord("x")]) * (12 * MIB) + b'"}'
    told = 0
    while True:
        code, text, _ = flood.note(note)
        if code != 0:
            break
        told += len(note)
        check(told < 1 << 30, "notes are taken without end")
    check("MiB that its declaration allows" in text and "end the session" in text, text)
    check(told > 128 * MIB, f"refused after {told} bytes")
    before = len(records(session))
    check(flood.note(note)[0] != 0 and len(records(session)) == before, "what is refused is kept")
    size = sum(os.path.getsize(os.path.join(session, name)) for name in os.listdir(session))
    check(size < told + 64 * MIB, f"{size} bytes are on the disk, {told} were told")
    check(flood.note(b'{"kind":"remark"}')[0] == 0, "a short note fits no more")
    # The epoch under work died with its site; it counts, and what was never opened has failed.
    code, text, _ = flood.ask(FINISH)
    check(code == 0, f"the session cannot be ended: {text}")
    code, text, body = flood.ask(RESULT)
    check(code == 0 and b"test-result.json" in body[:40], f"there is no result: {text}")
    hall.end(audit(hall, "another", "another.log", "--witness", url), (2,), "another.log")
    print(f"    {told // MIB} MiB of notes were taken, {size // MIB} MiB are on the disk", flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="petaudit-store-room-") as folder, Hall(folder, program, window_s=4) as hall:
        os.mkdir(hall.path("store"), 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STORE_MIB}m,mode=0700", "tmpfs", hall.path("store")], check=True)
        try:
            without_room_only_the_session_that_runs_goes_on(hall)
            print("ok  without room only the session that runs goes on", flush=True)
            sizes_are_strict(hall)
            print("ok  sizes are strict", flush=True)
        finally:
            subprocess.run(["umount", "-l", hall.path("store")], check=True)
        a_flood_of_notes_ends_and_so_can_its_session(hall)
        print("ok  a flood of notes ends, and so can its session", flush=True)


main()
