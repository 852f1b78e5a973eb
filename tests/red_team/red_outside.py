# SPDX-License-Identifier: Apache-2.0
"""red_outside.py - cheats between processes: what lies on the wire, and what is edited afterwards.

A real `petaudit witness` and real audits of it; a delaying proxy, a man in the middle with a key of its own, and
editors of evidence, certificate and transcript. Each function yields rows as red_team.c prints them.
"""
import base64
import hashlib
import json
import os
import random
import shutil
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

LIMIT_S = 600
CLAIM = """center: A hall behind a wire
site: {name: Hall 1, region: Here}
capacity: {value: 1, unit: MFLOPS, precision: fp16}
policy: ./quick.yaml
"""
EPOCH_S = 0.5
POLICY = f"""policy: quick
title: Some seconds of work
source: tests
entitlement: {{mw: 400, per_pflops: 500, rounding: proportional}}
basis: sustained
acceptance: {{rule: guarded, k: 2}}
session: {{window_s: 2, epoch_s: {EPOCH_S}, alpha: 0.01, openings: 60, interruptions: 1, longest_gap_s: 900}}
inflation: report
assurance: witnessed
"""


class Place:
    """A witness with a store, and a site beside it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        self.env.update(HOME=folder, PETAUDIT_TEST_SHAPE="256x256x256", NO_COLOR="1")
        for name, text in (("claim.yaml", CLAIM), ("quick.yaml", POLICY)):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)
        self.run("keygen", self.path("auditor"))
        self.run("keygen", self.path("forger"))
        self.witness = subprocess.Popen(
            [program, "witness", "--key", self.path("auditor"), "--listen", "127.0.0.1:0", "--store", self.path("store")],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = [self.witness.stdout.readline().decode() for _ in range(2)]
        self.url = lines[1].split()[1]
        self.port = int(self.url.split(":")[2].split("#")[0])

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.env, capture_output=True, text=True, timeout=LIMIT_S,
                              stdin=subprocess.DEVNULL, check=False)

    def audit(self, name, port):
        url = f"https://127.0.0.1:{port}#" + self.url.split("#")[1]
        return self.run("audit", self.path("claim.yaml"), "--witness", url, "--out", self.path(name))

    def verify(self, certificate, evidence, trust="auditor.pub"):
        return self.run("verify", certificate, "--evidence", evidence, "--trust", self.path(trust)).returncode

    def close(self):
        self.witness.terminate()
        self.witness.wait()


def predicate(path):
    with open(path, encoding="utf-8") as file:
        return json.loads(base64.b64decode(json.load(file)["payload"]))["predicate"]


class Proxy:
    """Forwards TCP to a port, each byte `delay_s` later and at `rate` bytes a second; with `tls`, a man in the middle."""

    def __init__(self, to_port, delay_s=0.0, rate=0.0, tls=None):
        self.to_port, self.delay_s, self.rate, self.tls = to_port, delay_s, rate, tls
        self.requests = 0  # that a man in the middle could read
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.join, args=(near,), daemon=True).start()

    def join(self, near):
        try:
            if self.tls is not None:
                near = self.tls.wrap_socket(near, server_side=True)
                if near.recv(65536):
                    self.requests += 1
                near.close()
                return
            far = socket.create_connection(("127.0.0.1", self.to_port), 30)
        except OSError:
            return
        for a, b in ((near, far), (far, near)):
            a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, source, sink):
        """Reads at once and sends late, so that the delay is of the wire and not of each read."""
        queue, ready = [], threading.Condition()

        def send():
            free_at = 0.0
            while True:
                with ready:
                    while not queue:
                        ready.wait()
                    at, data = queue.pop(0)
                begin = max(at + self.delay_s, free_at)
                free_at = begin + (len(data) / self.rate if self.rate else 0)
                time.sleep(max(0.0, free_at - time.monotonic()))
                try:
                    if not data:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(data)
                except OSError:
                    return

        threading.Thread(target=send, daemon=True).start()
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            with ready:
                queue.append((time.monotonic(), data))
                ready.notify()
            if not data:
                return

    def close(self):
        self.listener.close()


def row(cheat, fate, gain, verdict, note, is_predicted):
    return {"cheat": cheat, "fate": fate, "gain": gain, "verdict": verdict, "note": note, "is_predicted": bool(is_predicted)}


def man_in_the_middle(place):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(place.path("forger.crt"), place.path("forger"))
    proxy = Proxy(place.port, tls=tls)
    done = place.audit("middle", proxy.port)
    proxy.close()
    refused = done.returncode == 69 and "another key" in done.stderr and proxy.requests == 0
    said = [line for line in done.stderr.splitlines() if "another key" in line]
    yield row("a man in the middle, with a key of his own", "refused", f"none: {proxy.requests} requests were sent to him",
              f"exit {done.returncode}, no session", (said or ["?"])[0][:200], refused)


def remote_prover(place, delays_ms):
    base = None
    for delay_ms in delays_ms:
        proxy = Proxy(place.port, delay_s=delay_ms / 1e3, rate=125e6)
        name = f"delay{delay_ms}"
        done = place.audit(name, proxy.port)
        proxy.close()
        if done.returncode != 2:
            yield row(f"a remote prover: {delay_ms} ms each way", "bounded", "?", f"exit {done.returncode}", done.stderr[-200:], False)
            continue
        said = predicate(place.path(f"{name}/test-result.json"))
        rate = float(said["verified"]["rate_pflops"])
        base = base or rate
        # From before the nonce leaves until the root is in: never less than the way there and back.
        shortest = min(float(epoch["seconds"]) for epoch in said["epochs"] if epoch["state"] == "closed")
        holds = shortest >= 2 * delay_ms / 1e3 and int(said["openings"]["failed"]) == 0
        yield row(f"a remote prover: {delay_ms} ms each way, 1 Gbit/s", "bounded",
                  f"{rate / base:.3f} of the rate without delay, epochs of {EPOCH_S} s",
                  f"{said['verdict']}, TEST", f"the shortest epoch took {shortest:.3f} s; long epochs prove no place, radius does",
                  holds)


def flip(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1:]


def edit_records(path, chance, repairs_chain):
    """One bit of one record's payload; with `repairs_chain`, and every hash after it made anew."""
    with sqlite3.connect(path) as database:
        for trigger in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger[0]}"')
        rows = database.execute("SELECT k, type, payload, hash FROM record ORDER BY k").fetchall()
        victim = chance.randrange(len(rows))
        before = None
        for index, (k, kind, payload, digest) in enumerate(rows):
            if index == victim:
                payload = flip(payload, chance)
                database.execute("UPDATE record SET payload = ? WHERE k = ?", (payload, k))
            if repairs_chain and before is not None and index >= victim:
                whole = kind.to_bytes(4, "little") + len(payload).to_bytes(4, "little") + payload
                digest = hashlib.sha256(b"record".ljust(16, b"\0") + before + whole).digest()
                database.execute("UPDATE record SET hash = ? WHERE k = ?", (digest, k))
            before = digest
    database.close()


def edited_evidence(place, edits, seed):
    for repairs, name in ((False, "evidence edited"), (True, "a transcript edited, its chain of hashes repaired")):
        chance, found = random.Random(seed), 0
        for _ in range(edits):
            shutil.copy(place.path("honest/evidence.db"), place.path("edited.db"))
            edit_records(place.path("edited.db"), chance, repairs)
            found += place.verify(place.path("honest/test-result.json"), place.path("edited.db")) == 3
        yield row(name, "shown", "whatever was edited in", f"verify: {found} of {edits} edits found, exit 3",
                  "one bit of one record, at random", found == edits)


def edited_certificate(place, edits, seed):
    chance, found = random.Random(seed), 0
    with open(place.path("honest/test-result.json"), "rb") as file:
        honest = file.read()
    evidence = place.path("honest/evidence.db")
    for _ in range(edits):
        with open(place.path("edited.json"), "wb") as file:
            file.write(flip(honest, chance))
        found += place.verify(place.path("edited.json"), evidence) in (3, 65)
    envelope = json.loads(honest)
    statement = base64.b64decode(envelope["payload"])
    verdict = b'"verdict":"INCONCLUSIVE"'
    swapped = statement.replace(verdict, b'"verdict":"PASS"')
    envelope["payload"] = base64.b64encode(swapped).decode()
    with open(place.path("edited.json"), "w", encoding="utf-8") as file:
        json.dump(envelope, file, separators=(",", ":"))
    is_found = swapped != statement and place.verify(place.path("edited.json"), evidence) == 3
    yield row("a certificate edited", "shown", "PASS for INCONCLUSIVE", f"verify: {found} of {edits} edits found, and the swapped verdict",
              "one bit at random; the verdict alone", found == edits and is_found)
    # Judged again by the site and signed with its own key, over the same evidence.
    place.run("judge", evidence, "--key", place.path("forger"), "--out", place.path("forged"))
    status = place.verify(place.path("forged/test-result.json"), evidence)
    yield row("the same evidence signed by another", "shown", "a certificate of one's own", f"verify --trust: exit {status}",
              "authentic, but not of the witness that one trusts", status == 2)


def rows(program, folder, is_full, seed):
    place = Place(program, folder)
    try:
        done = place.audit("honest", place.port)
        if done.returncode != 2:
            raise SystemExit(f"the honest audit ended with {done.returncode}: {done.stderr}")
        yield from man_in_the_middle(place)
        yield from remote_prover(place, (0, 1, 10, 30) if is_full else (30,))
        yield from edited_evidence(place, 40 if is_full else 6, seed)
        yield from edited_certificate(place, 100 if is_full else 12, seed)
    finally:
        place.close()
