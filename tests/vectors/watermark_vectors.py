#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of the power watermark, written from docs/protocol.md alone: slow, and without petaudit.

    python3 tests/vectors/watermark_vectors.py > tests/vectors/watermark.json
"""
import hashlib
import json
import random
import struct
from fractions import Fraction

DRAWS = 99999


def H(tag, data):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + data).digest()


def cut(value, most):
    return max(-most, min(most, value))


def signed(bits):
    sizes = sorted(abs(d) for _, usable, d in bits if usable)
    median = sizes[(len(sizes) - 1) // 2] if sizes else 0
    z = []
    for is_on_first, usable, difference in bits:
        if not usable:
            z.append(-median)
        else:
            z.append(cut(difference, 4 * median) * (1 if is_on_first else -1))
    return z


def t_of(z):
    n = len(z)
    mean = Fraction(sum(z), n)
    variance = sum((Fraction(v) - mean) ** 2 for v in z) / (n - 1) / n
    if variance == 0:
        return 1e6 if mean > 0 else 0.0
    return min(1e6, float(mean) / float(variance) ** 0.5)


def tables(z):
    """For each byte of signs what it adds to the sum: bit b of it is the sign of the b-th value."""
    out = []
    for first in range(0, len(z), 8):
        part = [abs(v) for v in z[first:first + 8]]
        out.append([sum(v if byte >> b & 1 else -v for b, v in enumerate(part)) for byte in range(256)])
    return out


def reached(z, session):
    seen, count, adds = sum(z), 0, tables(z)
    blocks = range(-(-len(z) // 256))
    for draw in range(DRAWS):
        signs = b"".join(H("watermark", session + struct.pack("<II", draw, block)) for block in blocks)
        count += sum(add[byte] for add, byte in zip(adds, signs)) >= seen
    return count


def case(name, seed, count, switched, noise, spoiled=(), wild=()):
    rng = random.Random(seed)
    session = hashlib.sha256(name.encode()).digest()
    bits = []
    for i in range(count):
        is_on_first = rng.random() < 0.5
        difference = round((switched if is_on_first else -switched) + rng.gauss(0, noise))
        if i in wild:
            difference *= 1000
        bits.append([is_on_first, i not in spoiled, difference])
    z = signed(bits)
    count = reached(z, session)
    return {"name": name, "session": session.hex(), "bits": bits, "z": z, "t": repr(t_of(z)), "reached": count,
            "is_found": t_of(z) > 5 and (1 + count) / (1 + DRAWS) <= 1e-4}


cases = [
    case("plain", 1, 32, 30_000_000, 9_000_000),
    case("nothing switched", 2, 32, 0, 9_000_000),
    case("sixteen bits", 3, 16, 300_000, 50_000),
    case("against the commands", 4, 32, -30_000_000, 9_000_000),
    case("four bits unusable", 5, 32, 30_000_000, 3_000_000, spoiled=(3, 8, 17, 31)),
    case("one bit unusable, weak", 6, 32, 5_000_000, 9_000_000, spoiled=(0,)),
    case("two wild bits", 7, 48, 2_000_000, 1_500_000, wild=(11, 12)),
    case("more than one block of signs", 8, 300, 400_000, 2_000_000),
    case("all the same", 9, 20, 1000, 0),
    case("none usable", 10, 16, 1000, 10, spoiled=range(16)),
    case("a megawatt", 11, 24, 1_000_000_000_000, 200_000_000_000),
]
print(json.dumps({"draws": DRAWS, "cases": cases}, indent=1))
