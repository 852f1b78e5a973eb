#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of the fabric proof, written from docs/protocol.md alone: slow, and without petaudit.

    python3 tests/vectors/fabric_vectors.py > tests/vectors/fabric.json
"""
import hashlib
import json
import struct

M32, M64 = 0xFFFFFFFF, 2**64 - 1
GOLDEN = 0x9E3779B1
# name: class number, slot width, bits, words
CLASSES = {"dense16": (1, 16, 9, "f32"), "dense8": (2, 8, 8, "i32"), "fp8": (3, 4, 4, "f32"), "dense64": (4, 32, 23, "f64")}


def H(tag, data):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + data).digest()


def u32(x):
    return struct.pack("<I", x)


def u64(x):
    return struct.pack("<Q", x)


def philox(k0, k1, c):
    x = list(c)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(p1 >> 32) ^ x[1] ^ k0, p1 & M32, (p0 >> 32) ^ x[3] ^ k1, p0 & M32]
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return x


def vector(seed, v, k, width, bits):
    k0, k1, c2, c3 = struct.unpack("<4I", seed[:16])
    out, per = [], 128 // width
    for block in range(k // per):
        out0, out1, out2, out3 = philox(k0, k1, (block, v, c2, c3))
        whole = out0 | out1 << 32 | out2 << 64 | out3 << 96
        out += [(whole >> i * width & (1 << bits) - 1) - (1 << bits - 1) for i in range(per)]
    return out


def words_of(kind, element):
    if kind == "i32":
        return [element & M32]
    if kind == "f32":
        return list(struct.unpack("<I", struct.pack("<f", float(element))))
    return list(struct.unpack("<2I", struct.pack("<d", float(element))))


def chunk_words(name, n, k, start, digests, chunk):
    _, width, bits, kind = CLASSES[name]
    count = 64 if kind == "f64" else 128
    row, column = divmod(chunk * count, n)
    a = vector(H("A", start), row, k, width, bits)
    h, x = [start, start], [0] * 128
    for t, d in enumerate(digests, 1):
        b_seed = H("B", h[-2] + u32(t))
        words = []
        for c in range(column, column + count):
            b = vector(b_seed, c, k, width, bits)
            words += words_of(kind, sum(p * q for p, q in zip(a, b)))
        x = [(s ^ w) * GOLDEN & M32 for s, w in zip(x, words)]
        h.append(H("chain", h[-1] + u32(t) + d))
    return x, h[-1]


def chunk_digest(words, s):
    w = [x ^ (s + e * GOLDEN & M32) for e, x in enumerate(words)]
    return sum(w[e] * w[e + 1] for e in range(0, len(w), 2)) & M64


def chunk_sum(x, y, sx, sy, chunk, turned):
    total = 0
    for e in range(128):
        i = 128 * chunk + e
        total += (x[e] + sx + i * GOLDEN & M32) * (y[(e + turned) % 128] + sy + i * GOLDEN & M32)
    return total & M64


def met(nonce, chunks, chunk):
    """What a chunk meets: a chunk, and by how many words that is turned."""
    k = struct.unpack("<8I", H("fabric shuffle", nonce))
    bits = (chunks - 1).bit_length()
    mask, shift, c = (1 << bits) - 1, (bits + 1) // 2, chunk
    while True:
        for i in range(8):
            c = c * (k[i] | 1) + k[(i + 1) % 8] & mask
            c ^= c >> shift
        if c < chunks:
            break
    x = (chunk ^ k[7]) * GOLDEN & M32
    return c, ((x ^ x >> 15) * 0x85EBCA6B & M32) >> 25


def list_hash(tag, values):
    blocks = [values[i : i + 1024] for i in range(0, len(values), 1024)]
    return H(tag, u32(len(values)) + b"".join(H("fabric block", b"".join(map(u64, b))) for b in blocks))


def draw(q, number, below):
    return struct.unpack("<Q", H("draw", q + u32(number))[:8])[0] * below >> 64


def match(devices, nonce):
    order = list(devices)
    for i in range(len(order) - 1, 0, -1):
        j = draw(nonce, i, i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def key_of(nonce, device):
    return struct.unpack("<I", H("fabric weight", nonce + u64(device))[:4])[0]


def chunk_case(name, n, k, steps, chunk):
    starts = [hashlib.sha256(name.encode() + bytes([i])).digest() for i in range(2)]
    lists = [[hashlib.sha256(s + u32(t)).digest() for t in range(steps)] for s in starts]
    states = [chunk_words(name, n, k, s, d, chunk) for s, d in zip(starts, lists)]
    nonce = hashlib.sha256(name.encode()).digest()
    keys = [key_of(nonce, d) for d in (3, 2**33)]
    return {
        "class": name, "n": n, "k": k, "steps": steps, "chunk": chunk, "nonce": nonce.hex(),
        "starts": [s.hex() for s in starts],
        "d": [[d.hex() for d in ds] for ds in lists],
        "words": [[f"{w:08x}" for w in x] for x, _ in states],
        "last": [h.hex() for _, h in states],
        "digests": [f"{chunk_digest(x, struct.unpack('<I', h[:4])[0]):016x}" for x, h in states],
        "weights": [f"{s:08x}" for s in keys],
        "sums": [f"{chunk_sum(states[0][0], states[1][0], *keys, chunk, turned):016x}" for turned in (0, 1, 50, 127)],
    }  # fmt: skip


def list_case(count):
    values = [struct.unpack("<Q", hashlib.sha256(u32(i)).digest()[:8])[0] for i in range(count)]
    return {"count": count, "fabric": list_hash("fabric", values).hex(), "answer": list_hash("fabric answer", values).hex()}


def round_case(devices, chunks):
    key = hashlib.sha256(b"key" + bytes([len(devices)])).digest()
    nonce, challenge = H("nonce", key), hashlib.sha256(b"challenge").digest()
    tails = [u64(64) + b"".join(hashlib.sha256(bytes([d % 256, i])).digest() for i in range(3)) for d in devices]
    root = H("root", nonce + b"".join(tails))
    nonces, orders, answers, pairs = [H("fabric nonce", challenge + root)], [], b"", len(devices) // 2
    for r in range(2):
        orders.append(match(devices, nonces[-1]))
        ours = b"".join(hashlib.sha256(bytes([r, i])).digest() for i in range(pairs))
        answers += ours
        nonces.append(H("fabric nonce", nonces[-1] + ours))
    q = H("fabric sample", key + answers)
    samples = [draw(q, j, 2 * pairs * chunks) for j in range(32)]
    return {
        "key": key.hex(), "nonce": nonce.hex(), "challenge": challenge.hex(), "devices": devices, "chunks": chunks,
        "tails": [t.hex() for t in tails], "root": root.hex(), "nonces": [n.hex() for n in nonces[:2]],
        "orders": orders, "met": [[met(n, chunks, c) for c in range(min(chunks, 24))] for n in nonces[:2]], "answers": answers.hex(),
        "samples": [[i // (pairs * chunks), i // chunks % pairs, i % chunks] for i in samples],
    }  # fmt: skip


print(
    json.dumps(
        {
            "chunks": [
                chunk_case("dense16", 128, 16, 64, 5),
                chunk_case("dense16", 256, 8, 3, 511),
                chunk_case("dense8", 256, 16, 5, 3),
                chunk_case("fp8", 128, 32, 4, 127),
                chunk_case("dense64", 128, 8, 4, 3),
            ],
            "lists": [list_case(n) for n in (1, 1023, 1024, 1025, 2100)],
            "rounds": [round_case([0, 1], 1), round_case([0, 1, 2, 4, 7], 1000), round_case(list(range(9)), 2**21)],
        },
        indent=1,
    )
)
