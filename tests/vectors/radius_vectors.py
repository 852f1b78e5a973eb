#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers for the radius: declarations with probes, the order that nonces draw, and the points of the curve.

Written from the text of docs/protocol.md alone, with nothing but the standard library.

    python3 tests/vectors/radius_vectors.py > tests/vectors/radius.json
"""
import hashlib
import json
import math
import struct

LIGHT = 299792458


def tagged(tag, *parts):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + b"".join(parts)).digest()


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def secret(name, number):
    return hashlib.sha256(f"{name} {number}".encode()).digest()


def text(value):
    return bytes([len(value.encode())]) + value.encode()


def declaration_bytes(devices, case):
    out = u32(1) + u32(1) + u32(8192) + u32(case["epochs"]) + u64(case["epoch_ns"]) + u32(case["openings"])
    out += u32(0) + u64(0) + u32(case["serial"]) + u64(case["alpha_ppm"])
    out += secret("claim", 1) + secret("policy", 1) + b"\x04" + bytes(range(64)) + b"\x04" + bytes(range(64, 128))
    out += text("Hall 1") + u32(len(devices))
    for number, (m, n) in enumerate(devices):
        out += u32(m) + u32(n) + text(f"device {number}")
    if case["probes"]:
        out += u32(1) + u32(len(case["probes"]))
    for probe in case["probes"]:
        out += u64(probe["length_ns"]) + u32(probe["epochs"]) + u32(probe["openings"])
        for m, n in probe["shapes"]:
            out += u32(m) + u32(n)
    return out


def order(case, nonces):
    """The kind of each epoch: one of those that are left, drawn by its nonce."""
    left = [case["epochs"]] + [probe["epochs"] for probe in case["probes"]]
    kinds = []
    for nonce in nonces:
        index = struct.unpack("<Q", tagged("kind", nonce)[:8])[0] * sum(left) >> 64
        bag = [kind for kind, count in enumerate(left) for _ in range(count)]
        kinds.append(bag[index])
        left[bag[index]] -= 1
    return kinds


def points(case, epochs):
    alpha = case["alpha_ppm"] / 1e6 / (case["serial"] * (case["serial"] + 1))
    kinds = [(case["epoch_ns"], case["openings"])] + [(p["length_ns"], p["openings"]) for p in case["probes"]]
    out = []
    for kind, (length, openings) in enumerate(kinds):
        mine = [epoch for epoch in epochs if epoch["kind"] == kind]
        closed = [epoch for epoch in mine if epoch["t1_ns"] is not None]
        work = [float(epoch["operations"]) for epoch in closed]
        times = [epoch["t1_ns"] - epoch["t0_ns"] for epoch in closed]
        seconds = (sum(times) + (len(mine) - len(closed)) * length) / 1e9
        point = {"closed": len(closed), "aborted": len(mine) - len(closed), "rate": 0.0, "verified_rate": 0.0,
                 "radius_m": LIGHT * max(times, default=0) / 1e9 / 2, "remote_share": 1.0}
        if sum(work) > 0:
            n = min(openings * sum(work) / w for w in work if w > 0)
            point["rate"] = sum(work) / seconds
            point["verified_rate"] = point["rate"] * max(0.0, 1 - math.log(1 / alpha) / n)
        if kind > 0 and out[0]["rate"] > 0:
            point["remote_share"] = min(1.0, max(0.0, 1 - point["verified_rate"] / out[0]["rate"]))
        out.append(point)
    # Twelve digits: the last ones of a logarithm differ between C libraries.
    return [{key: float(f"{value:.12g}") if isinstance(value, float) else value for key, value in p.items()} for p in out]


def cases():
    devices = [(32768, 8192), (4096, 2048)]
    second = 10**9

    def probe(length_ns, epochs, openings, *shapes):
        return {"length_ns": length_ns, "epochs": epochs, "openings": openings, "shapes": shapes}

    three = [probe(second, 5, 200, (32768, 8192), (4096, 2048)), probe(second // 10, 5, 200, (8192, 4096), (2048, 1024)),
             probe(second // 100, 4, 64, (2048, 1024), (1024, 128))]
    for number, (epochs, openings, serial, probes, aborted) in enumerate([
        (6, 167, 1, three, ()),
        (6, 167, 3, three, (2, 7, 11)),
        (2, 1000, 1, [probe(2 * second, 40, 1, (128, 128), (128, 128))], ()),
        (4, 250, 1, [], ()),
    ]):  # fmt: skip
        case = {"epochs": epochs, "epoch_ns": 10 * second, "openings": openings, "serial": serial, "alpha_ppm": 10000,
                "probes": probes}
        nonces = [secret(f"nonce {number}", e) for e in range(epochs + sum(p["epochs"] for p in probes))]
        kinds = order(case, nonces)
        clock, ran = 5 * second, []
        for e, kind in enumerate(kinds):
            length = case["epoch_ns"] if kind == 0 else probes[kind - 1]["length_ns"]
            took = length + length // 50 + (e * 1234567) % 1000003
            ran.append({"kind": kind, "t0_ns": clock, "t1_ns": None if e in aborted else clock + took,
                        "operations": 0 if e in aborted else length * (700 - 50 * kind - e)})
            clock += took + 2000000
        raw = declaration_bytes(devices, case)
        yield {"declaration": raw.hex(), "session": tagged("session", raw).hex(), "nonces": [n.hex() for n in nonces],
               "epochs": ran, "points": points(case, ran),
               "credited": [True] + [all(m >= 2048 and n >= 1024 for m, n in p["shapes"]) for p in probes]}


def main():
    print(json.dumps({
        "version": 1,
        "note": "made by tests/vectors/radius_vectors.py from docs/protocol.md; hashes and bytes in hexadecimal",
        "sessions": list(cases()),
    }, indent=None, separators=(",", ":")).replace('{"declaration', '\n{"declaration'))  # fmt: skip


if __name__ == "__main__":
    main()
