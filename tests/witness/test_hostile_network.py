#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_hostile_network.py PETAUDIT - a witnessed audit through a network that cuts, truncates, delays, repeats and
reorders what goes through, while others hold 220 connections with an introduction each, speak nonsense and promise
bodies that never come, and somebody at another address takes all the connections that he can get.

The site's requests pass a proxy of our own. The first connections are spoiled after some bytes, each in one way; TLS
notices, the site sends again, and the witness carries each request out once. The audit ends, no opening is lost, and
the transcript verifies.
"""
import concurrent.futures
import json
import os
import random
import resource
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

program = sys.argv[1]
LIMIT_S = 240
WAYS = ("cut", "truncate", "repeat", "reorder", "flip")
SPOILED = 15
HELD = 220
CLAIM = "center: A hall behind a bad line\ncapacity: {value: 1, unit: MFLOPS, precision: fp16}\n"
POLICY = """policy: bad-line
title: some seconds of work
source: tests, 2026
entitlement: {mw: 400, per_pflops: 500, rounding: proportional}
basis: sustained
acceptance: {rule: guarded, k: 2}
session: {window_s: 1.5, epoch_s: 0.25, alpha: 0.01, openings: 60, interruptions: 0, longest_gap_s: 0}
inflation: report
assurance: witnessed
"""


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


class Line(threading.Thread):
    """The proxy: the first connections are spoiled, each in the next way, after a number of bytes drawn from a fixed seed."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.random, self.spoiled, self.connections = port, random.Random(7), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.start()

    def run(self):
        while True:
            site, _ = self.listener.accept()
            number, self.connections = self.connections, self.connections + 1
            # The handshake is about 2 kB; some lines break in it, most later.
            after = self.random.randrange(1200, 4000) if number < SPOILED else None
            threading.Thread(target=self.pass_on, args=(site, after), daemon=True).start()

    def pass_on(self, site, after):
        witness = socket.create_connection(("127.0.0.1", self.port))
        state = {"seen": 0, "done": after is None}
        ends = [threading.Thread(target=self.pump, args=(a, b, after, state), daemon=True)
                for a, b in ((site, witness), (witness, site))]
        for end in ends:
            end.start()

    def pump(self, source, target, after, state):
        try:
            while data := source.recv(1024):
                time.sleep(0.002)
                state["seen"] += len(data)
                if not state["done"] and state["seen"] >= after:
                    state["done"] = True
                    way = WAYS[len(self.spoiled) % len(WAYS)]
                    self.spoiled.append(way)
                    if way == "cut":
                        break
                    if way == "truncate":
                        target.sendall(data[: len(data) // 2])
                        break
                    half = len(data) // 2
                    data = {"repeat": data + data, "reorder": data[half:] + data[:half],
                            "flip": bytes([data[0] ^ 1]) + data[1:]}[way]
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def speak_nonsense(port, stop):
    """Bad clients, over and over: bytes that are no TLS, TLS without HTTP, a body without end, one that is too large."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    texts = (b"\x00" * 64, b"NONSENSE\r\n\r\n", b"POST /v1/witness HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
             b"POST /v1/witness HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\nshort", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n")
    number = 0
    while not stop.is_set():
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout=2)
            if number % 3 == 0:
                plain.sendall(os.urandom(300))
                plain.close()
            else:
                with context.wrap_socket(plain) as sock:
                    sock.sendall(texts[number % len(texts)])
                    sock.settimeout(0.5)
                    sock.recv(100)
        except OSError:
            pass
        number += 1
        time.sleep(0.05)


def introduce(port):
    """A connection on which the witness has answered, and which stays."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    link = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S))
    body = struct.pack("<IIQ", 1, 1, 0) + bytes(32 + 32) + b"nowhere"
    link.sendall(b"POST /v1/witness HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    check(link.recv(4096).startswith(b"HTTP/1.1 200"), "an introduction among many was not answered")
    return link


def take_all(port):
    """Connections from another address, more than one may have: those that the witness leaves open."""
    links = [socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) for _ in range(400)]
    time.sleep(1)
    kept = []
    for link in links:
        link.settimeout(0.001)
        try:
            link.recv(1)
            link.close()  # what is refused is closed
        except TimeoutError:
            kept.append(link)
        except OSError:
            link.close()
    return kept


def main():
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PETAUDIT_", "OMPI_", "PMI", "SLURM_"))}
        env.update(HOME=folder, PETAUDIT_TEST_SHAPE="256x256x256", NO_COLOR="1")
        for name, text in (("claim.yaml", CLAIM), ("policy.yaml", POLICY)):
            with open(path(name), "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run([program, "keygen", path("auditor")], check=True, capture_output=True, env=env)
        witness = subprocess.Popen([program, "witness", "--key", path("auditor"), "--listen", "127.0.0.1:0", "--live", "off",
                                    "--store", path("store")], env=env, stdout=subprocess.PIPE,
                                   stderr=open(path("witness.log"), "w", encoding="utf-8"))
        held, stop = [], threading.Event()
        try:
            witness.stdout.readline()
            address, fingerprint = witness.stdout.readline().decode().split()[1].split("#")
            port = int(address.rsplit(":", 1)[1])
            line = Line(port)
            with concurrent.futures.ThreadPoolExecutor(HELD) as pool:
                held = list(pool.map(introduce, [port] * HELD))
            taken = take_all(port)
            held += taken
            check(0 < len(taken) <= 256, f"one address has {len(taken)} connections")
            threading.Thread(target=speak_nonsense, args=(port, stop), daemon=True).start()
            url = f"https://127.0.0.1:{line.listener.getsockname()[1]}#{fingerprint}"
            audit = subprocess.run([program, "audit", path("claim.yaml"), "--policy", path("policy.yaml"), "--witness", url, "--out",
                                    path("out")], env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
            check(audit.returncode == 2, f"the audit ended with {audit.returncode}: {audit.stdout}{audit.stderr}")
            check(witness.poll() is None, "the witness ended")
            missing = set(WAYS) - set(line.spoiled)
            check(not missing, f"no line was spoiled by {missing}: {line.spoiled}, {line.connections} connections")
            # A wrong fingerprint is refused before anything is told.
            wrong = subprocess.run([program, "audit", path("claim.yaml"), "--policy", path("policy.yaml"), "--witness",
                                    f"https://127.0.0.1:{port}#{'00' * 32}", "--out", path("wrong")], env=env, capture_output=True,
                                   text=True, timeout=LIMIT_S, check=False)
            check(wrong.returncode == 69 and not os.path.exists(path("wrong/evidence.db")), f"{wrong.returncode}: {wrong.stderr}")
        finally:
            stop.set()
            for sock in held:
                sock.close()
            witness.kill()
            witness.wait()
        with open(path("out/summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        check(summary["openings"]["failed"] == 0 and summary["openings"]["drawn"] >= 60, f"openings: {summary['openings']}")
        check(summary["assurance"] == "witnessed", summary["assurance"])
        verified = subprocess.run([program, "verify", path("out/test-result.json"), "--evidence", path("out/evidence.db")], env=env,
                                  capture_output=True, text=True, timeout=LIMIT_S, check=False)
        check(verified.returncode == 0, verified.stdout + verified.stderr)
        print(f"{line.connections} connections, spoiled: {' '.join(line.spoiled)}")


main()
