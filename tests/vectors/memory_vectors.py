#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of the memory proof, written from docs/protocol.md alone: slow, and without petaudit.

    python3 tests/vectors/memory_vectors.py > tests/vectors/memory.json
"""
import hashlib
import json
import struct

M32 = 0xFFFFFFFF
CHUNK = 262144


def H(tag, data):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + data).digest()


def philox(k0, k1, c):
    x = list(c)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(p1 >> 32) ^ x[1] ^ k0, p1 & M32, (p0 >> 32) ^ x[3] ^ k1, p0 & M32]
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return x


def chunk_words(seed, chunk, blocks=CHUNK // 4):
    k0, k1, c2, c3 = seed
    return [x for b in range(blocks) for x in philox(k0, k1, (b, chunk, c2, c3))]


def chunk_digest(words, s):
    w = [x ^ (s + e * 0x9E3779B1 & M32) for e, x in enumerate(words)]
    return sum(w[e] * w[e + 1] for e in range(0, len(w), 2)) & (2**64 - 1)


def draw(q, number, below):
    return struct.unpack("<Q", H("draw", q + struct.pack("<I", number))[:8])[0] * below >> 64


def order_of(q, chunks):
    order = list(range(chunks))
    for i in range(chunks - 1, 0, -1):
        j = draw(q, i, i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def case(key, challenge, device, chunks, draws, has_digests):
    nonce = H("nonce", key)
    place = struct.pack("<QI", device, chunks)
    seed = struct.unpack("<4I", H("memory", nonce + place)[:16])
    q = H("memory order", challenge + nonce + place)
    s = struct.unpack("<I", q[:4])[0]
    order = order_of(q, chunks)
    out = {
        "key": key.hex(),
        "challenge": challenge.hex(),
        "device": device,
        "chunks": chunks,
        "seed": "".join(struct.pack("<I", word).hex() for word in seed),
        "first_words": [f"{x:08x}" for x in chunk_words(seed, chunks - 1, 2)],
        "s": f"{s:08x}",
        "order": order,
    }
    if not has_digests:
        return out
    answers = [chunk_digest(chunk_words(seed, c), s) for c in order]
    root = H("memory root", q + struct.pack(f"<I{chunks}Q", chunks, *answers))
    p = H("memory sample", key + root)
    return out | {
        "digests": [f"{a:016x}" for a in answers],
        "commitment": root.hex(),
        "samples": [draw(p, j, chunks) for j in range(draws)],
    }


key, challenge = bytes(range(32)), bytes(range(100, 132))
cases = [
    case(key, challenge, 0, 1, 4, True),
    case(key, challenge, 3, 3, 6, True),
    case(bytes(range(1, 33)), challenge, 2**32, 2, 6, True),
    case(key, bytes(range(101, 133)), 7, 100, 0, False),
]
print(json.dumps({"cases": cases}, indent=1))
