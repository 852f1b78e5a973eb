#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers for what docs/protocol.md adds to proof.json: declarations, signed hashes, the bytes of openings, credit.

Written from the text of docs/protocol.md alone, with nothing but the standard library; slow on purpose.

    python3 tests/vectors/protocol_vectors.py > tests/vectors/protocol.json
"""
import hashlib
import json
import math
import struct

SECOND = 10**9


def tagged(tag, *parts):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + b"".join(parts)).digest()


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


class Source:
    """Bytes that are the same on every run."""

    def __init__(self, name):
        self.name, self.count = name, 0

    def hash(self):
        self.count += 1
        return hashlib.sha256(f"{self.name} {self.count}".encode()).digest()

    def word(self):
        return struct.unpack("<Q", self.hash()[:8])[0]


def name_bytes(text):
    raw = text.encode()
    return bytes([len(raw)]) + raw


def declaration_bytes(d):
    out = u32(1) + u32(d["class"]) + u32(d["K"]) + u32(d["epochs"]) + u64(d["epoch_ns"]) + u32(d["openings"])
    out += u32(d["interruptions"]) + u64(d["longest_gap_ns"]) + u32(d["serial"]) + u64(d["alpha_ppm"])
    out += bytes.fromhex(d["claim"]) + bytes.fromhex(d["policy"])
    out += bytes.fromhex(d["witness_key"]) + bytes.fromhex(d["prover_key"])
    out += name_bytes(d["site"]) + u32(len(d["devices"]))
    for device in d["devices"]:
        out += u32(device["M"]) + u32(device["N"]) + name_bytes(device["name"])
    return out


def declarations():
    source = Source("declaration")
    for class_id, k, devices, site, serial in [
        (1, 8192, [(2048, 1024, "NVIDIA H800 80GB HBM3")], "Hall 1", 1),
        (2, 8192, [(32768, 8192, "a"), (16384, 2048, ""), (2048, 1024, "昇腾 910B")], "乌鲁木齐 二号楼", 3),
        (3, 256, [(128, 128, "x" * 127)], "", 1),
        (4, 8192, [(4096, 4096, f"device {i}") for i in range(9)], "é", 4294967295),
    ]:
        d = {
            "class": class_id, "K": k, "epochs": 6 * serial % 1048576 + 1, "epoch_ns": 10 * SECOND, "openings": 1000,
            "interruptions": 1, "longest_gap_ns": 900 * SECOND, "serial": serial, "alpha_ppm": 10000,
            "claim": source.hash().hex(), "policy": source.hash().hex(),
            "witness_key": "04" + source.hash().hex() + source.hash().hex(),
            "prover_key": "04" + source.hash().hex() + source.hash().hex(),
            "site": site, "devices": [{"M": m, "N": n, "name": name} for m, n, name in devices],
        }  # fmt: skip
        raw = declaration_bytes(d)
        yield {"declaration": d, "bytes": raw.hex(), "session": tagged("session", raw).hex()}


def signed_hashes():
    source = Source("signed")
    for epoch in [0, 1, 2**32, 2**63 - 1]:
        session, root, chain = source.hash(), source.hash(), source.hash()
        yield {
            "session": session.hex(), "epoch": epoch, "root": root.hex(), "last_record": chain.hex(),
            "commit": tagged("commit", session, u64(epoch), root).hex(),
            "transcript": tagged("transcript", chain).hex(),
        }  # fmt: skip


def split(count):
    part = 1
    while part * 2 < count:
        part *= 2
    return part


def tree(leaves):
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return leaves[0]
    part = split(len(leaves))
    return tagged("node", tree(leaves[:part]), tree(leaves[part:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    part = split(len(leaves))
    if index < part:
        return path(index, leaves[:part]) + [tree(leaves[part:])]
    return path(index - part, leaves[part:]) + [tree(leaves[:part])]


def openings():
    source = Source("opening")
    for rows, columns, steps, opened in [(1, 1, 1, [1]), (2, 3, 2, [1, 2]), (3, 2, 6, [1, 2, 3, 4, 6]), (1, 4, 13, [9, 13])]:
        start = h = source.hash()
        chain, tiles = [], []
        for t in range(1, steps + 1):
            step = [[source.word() for _ in range(columns)] for _ in range(rows)]
            digests = [tagged("row", *[u64(word) for word in line]) for line in step]
            d = tagged("step", *digests)
            h = tagged("chain", h, u32(t), d)
            chain.append((h, d, digests))
            tiles.append(step)
        leaves = [tagged("leaf", u32(t + 1), chain[t][0], chain[t][1]) for t in range(steps)]
        entry = {
            "M": 128 * rows, "N": 128 * columns, "start": start.hex(),
            "tiles": [[[f"{word:016x}" for word in line] for line in step] for step in tiles],
            "last": h.hex(), "tree": tree(leaves).hex(), "openings": [],
        }  # fmt: skip
        for t in opened:
            row = t % rows
            raw = b""
            for i in range(max(1, t - 2), t + 1):
                raw += chain[i - 1][0] + chain[i - 1][1] + b"".join(path(i - 1, leaves))
            raw += b"".join(chain[t - 1][2]) + b"".join(u64(word) for word in tiles[t - 1][row])
            entry["openings"].append({"t": t, "row": row, "bytes": raw.hex()})
        yield entry


def credit(case):
    """Time segment by segment, as the section on credit says it."""
    segments = [[]]
    for epoch in case["epochs"]:
        if epoch["gap_ns"] is not None:
            segments.append([])
        segments[-1].append(epoch)
    time = 0
    for segment in segments:
        closed = [i for i, epoch in enumerate(segment) if epoch["t1_ns"] is not None]
        if not closed:
            time += len(segment) * case["epoch_ns"]
            continue
        first, last = closed[0], closed[-1]
        time += max(segment[i]["t1_ns"] for i in closed) - segment[first]["t0_ns"]
        time += (first + len(segment) - 1 - last) * case["epoch_ns"]
        for here, following in zip(closed, closed[1:]):
            before = max(segment[i]["t1_ns"] for i in closed if i <= here)
            between = max(0, segment[following]["t0_ns"] - before)
            time += max(0, (following - here - 1) * case["epoch_ns"] - between)
    work = [float(epoch["operations"]) for epoch in case["epochs"] if epoch["t1_ns"] is not None]
    total = sum(work)
    alpha = case["alpha_ppm"] / 1e6 / (case["serial"] * (case["serial"] + 1))
    answer = {"time_ns": time, "operations": total, "alpha_r": alpha, "n_effective": 0.0, "honest_fraction": 0.0, "verified_rate": 0.0}
    if total > 0:
        n = min(case["openings"] * total / w for w in work if w > 0)
        fraction = max(0.0, 1 - math.log(1 / alpha) / n)
        answer.update(n_effective=n, honest_fraction=fraction, verified_rate=total / (time / 1e9) * fraction)
    # Twelve digits: the last ones of a logarithm differ between C libraries.
    return {key: float(f"{value:.12g}") if isinstance(value, float) else value for key, value in answer.items()}


def credits():
    def closed(t0, t1, operations, gap=None):
        return {"t0_ns": t0 * SECOND, "t1_ns": t1 * SECOND, "operations": operations, "gap_ns": gap}

    def aborted(t0, gap=None):
        return {"t0_ns": t0 * SECOND, "t1_ns": None, "operations": 0, "gap_ns": gap}

    tera = 10**12
    for openings, serial, epochs in [
        (300, 1, [closed(0, 10, 7 * tera)]),
        (1000, 1, [closed(0, 10, 7 * tera)]),
        (4605, 1, [closed(0, 10, 7 * tera)]),
        (1000, 3, [closed(0, 10, 7 * tera), closed(11, 21, 8 * tera), closed(20, 31, 6 * tera)]),
        (10, 1, [closed(5, 15, tera), aborted(15), closed(18, 28, tera), aborted(29), aborted(40)]),
        (1000, 2, [aborted(1), closed(12, 22, tera), aborted(22), closed(500, 510, tera, 300 * SECOND), closed(511, 521, 0)]),
        (1000, 1, [aborted(1), aborted(2)]),
        (1000, 1, [closed(100, 110, tera), aborted(3, 77 * SECOND), closed(14, 24, tera)]),
        (1000, 1, [closed(0, 30, tera), closed(10, 22, tera), aborted(23), closed(28, 35, 3 * tera)]),
        (3, 1, [closed(0, 10, tera)]),
    ]:
        case = {"epoch_ns": 10 * SECOND, "openings": openings, "serial": serial, "alpha_ppm": 20000, "epochs": epochs}
        yield {**case, **credit(case)}


def main():
    vectors = {
        "version": 1,
        "note": "made by tests/vectors/protocol_vectors.py from docs/protocol.md; hashes and bytes in hexadecimal",
        "declarations": list(declarations()), "signed": list(signed_hashes()),
        "openings": list(openings()), "credit": list(credits()),
    }  # fmt: skip
    print(json.dumps(vectors, indent=1, ensure_ascii=True))


if __name__ == "__main__":
    main()
