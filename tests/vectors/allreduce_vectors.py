#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of the all-reduce, written from docs/protocol.md alone: slow, and without petaudit.

    python3 tests/vectors/allreduce_vectors.py > tests/vectors/allreduce.json
"""
import hashlib
import json
import struct

M32 = 0xFFFFFFFF
CHUNK = 16384


def H(tag, data):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + data).digest()


def philox(k0, k1, c):
    x = list(c)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(p1 >> 32) ^ x[1] ^ k0, p1 & M32, (p0 >> 32) ^ x[3] ^ k1, p0 & M32]
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return x


def inputs(seed, rank, first, count):
    k0, k1, c2, c3, _ = seed
    out = []
    for e in range(first, first + count):
        if e == first or e % 16 == 0:
            x = philox(k0, k1, (e // 16, rank, c2, c3))
        slot = x[e % 16 // 4] >> (8 * (e % 4)) & 255
        out.append(slot - 128)
    return out


def chunk_digest(seed, ranks, size, chunk):
    first = chunk * CHUNK
    count = min(CHUNK, size // 4 - first)
    words = [0] * count
    for rank in range(ranks):
        words = [a + b for a, b in zip(words, inputs(seed, rank, first, count))]
    words = [w & M32 for w in words] + [0] * (count % 2)
    s = seed[4]
    w = [x ^ (s + e * 0x9E3779B1 & M32) for e, x in enumerate(words)]
    return sum(w[e] * w[e + 1] for e in range(0, len(w), 2)) & (2**64 - 1)


def case(key, size, rnd, ranks, draws):
    nonce = H("nonce", key)
    seed = struct.unpack("<5I", H("allreduce", nonce + struct.pack("<QI", size, rnd))[:20])
    chunks = -(-(size // 4) // CHUNK)
    digests = [chunk_digest(seed, ranks, size, c) for c in range(chunks)]
    packed = struct.pack(f"<{chunks}Q", *digests)
    root = H("reduce root", nonce + struct.pack("<QII", size, rnd, ranks) + packed)
    q = H("reduce sample", key + root)
    samples = [
        struct.unpack("<Q", H("draw", q + struct.pack("<I", j))[:8])[0] * chunks >> 64
        for j in range(draws)
    ]
    return {
        "key": key.hex(),
        "bytes": size,
        "round": rnd,
        "ranks": ranks,
        "input_rank_last": inputs(seed, ranks - 1, 0, min(size // 4, 20)),
        "digests": [f"{d:016x}" for d in digests],
        "commitment": root.hex(),
        "samples": samples,
    }


cases = [
    case(bytes(range(32)), 8, 0, 1, 4),
    case(bytes(range(32)), 8, 0, 4, 4),
    case(bytes(range(1, 33)), 4, 3, 2, 4),
    case(bytes(range(2, 34)), 65536, 13, 3, 4),
    case(bytes(range(3, 35)), 65540, 2, 2, 8),
    case(bytes(range(4, 36)), 262144, 15, 5, 16),
    case(bytes(range(5, 37)), 200, 1, 300, 4),
]
print(json.dumps({"schema": "petaudit.vectors.allreduce/1", "cases": cases}, indent=1))
