#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers for audits of some of the devices: which are chosen, and what they say of all.

Written from the text of docs/protocol.md and docs/sampling.md alone, with nothing but the standard library. The
hypergeometric bounds are exact (whole numbers and fractions).

    python3 tests/vectors/sampling_vectors.py > tests/vectors/sampling.json
"""
import hashlib
import json
import math
import random
import struct
from fractions import Fraction

SHARES = [(1, 0.5)] + [(share, 0.05) for share in (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)]


def tagged(tag, *parts):
    return hashlib.sha256(tag.encode().ljust(16, b"\0") + b"".join(parts)).digest()


def secret(name, number):
    return hashlib.sha256(f"{name} {number}".encode()).digest()


def choose(count, devices, key, session):
    """A bag of numbers, of which one is taken after the other; its first takes the place of the one taken."""
    q = tagged("devices", key, session)
    bag, out = {}, []
    for i in range(count):
        u = struct.unpack("<Q", tagged("draw", q, struct.pack("<I", i))[:8])[0]
        j = i + (u * (devices - i) >> 64)
        out.append(bag.get(j, j))
        bag[j] = bag.get(i, i)
    return out


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value):
    return bytes([len(value.encode())]) + value.encode()


def declaration_bytes(rates, count, with_probes):
    out = u32(1) + u32(1) + u32(8192) + u32(6) + u64(10**10) + u32(167) + u32(1) + u64(9 * 10**11) + u32(2) + u64(10000)
    out += secret("claim", 1) + secret("policy", 1) + b"\x04" + bytes(range(64)) + b"\x04" + bytes(range(64, 128))
    out += text("Hall 1") + u32(len(rates))
    for number in range(len(rates)):
        out += u32(32768) + u32(8192) + text(f"device {number}")
    if with_probes:
        out += u32(1) + u32(1) + u64(10**9) + u32(5) + u32(200) + b"".join(u32(2048) + u32(1024) for _ in rates)
    return out + u32(2) + u32(count) + b"".join(u64(rate) for rate in rates)


def failing_most(devices, count, failing, error):
    best = failing
    for bad in range(failing, devices - count + failing + 1):
        ways = sum(math.comb(bad, i) * math.comb(devices - bad, count - i) for i in range(failing + 1))
        if Fraction(ways, math.comb(devices, count)) > error:
            best = bad
    return best


def log(value):
    return math.log(value) if value > 0 else -math.inf


def one_value_goes(values, devices, taken, mean, share):
    """All of `taken` from one value; those that are smaller count as nothing."""
    sizes, seen, dearest, total = [], 0, 0, 0
    for t, value in enumerate(values):
        left = (devices * mean - seen + taken) / (devices - t)
        seen += value
        if value < taken:
            total += log(1 - share)
            continue
        whole = log(1 - share + share * value / left)
        total += whole
        dearest = max(dearest, whole - log(1 - share + share * (value - taken) / left))
    return total - dearest


def whole_values_go(values, devices, taken, mean, share):
    """A knapsack of `taken` that is filled with whole values, the last one in part, to do the most harm."""
    total, seen, harms = 0, 0, []
    for t, value in enumerate(values):
        left = (devices * mean - seen + taken) / (devices - t)
        seen += value
        whole = log(1 - share + share * value / left)
        total += whole
        if value > 0:
            harms.append(((whole - log(1 - share)) / value, value))
    for rate, value in sorted(harms, reverse=True):
        part = min(value, taken)
        taken -= part
        total -= rate * part
        if taken <= 0:
            break
    return total


def refuted(values, devices, taken, mean, error):
    seen = 0
    for t, value in enumerate(values):
        if devices * mean - seen + taken <= 0:
            return True
        seen += value
    if seen - taken > devices * mean:
        return True
    capital = 0
    for share, weight in SHARES:
        if taken == 0:
            best = whole_values_go(values, devices, 0, mean, share) if share < 1 else \
                one_value_goes(values, devices, 0, mean, 1)
        else:
            best = one_value_goes(values, devices, taken, mean, share)
            if share < 1:
                best = max(best, whole_values_go(values, devices, taken, mean, share))
        capital += weight * math.exp(best)
    return capital >= 1 / error


def mean_lower(values, devices, taken, error):
    low, high = 0.0, 1.0
    for _ in range(48):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(values, devices, taken, middle, error) else (low, middle)
    return low


def bound(case):
    units = list(zip(case["declared"], case["shown"]))
    devices, most, error = case["devices"], case["declared_most"], case["error"]
    taken = (1 - case["honest_fraction"]) * sum(case["shown"])
    margins = sorted(x - c / 2 for c, x in units if x >= c / 2 and x > 0)
    failing, left = len(units) - len(margins), taken
    for margin in margins:
        if left <= 0 or margin > left:
            break
        left -= margin
        failing += 1
    counted = [min(x, c) for c, x in units]
    there = [1 - (c - z) / most for (c, _), z in zip(units, counted)]
    lower = max(sum(counted) - taken, 0,
                case["declared_total"] - devices * most * (1 - mean_lower(there, devices, taken / most, error)))
    upper = case["declared_total"] - devices * most * mean_lower([1 - w for w in there], devices, 0, error)
    return {"failing": failing, "missing_most": failing_most(devices, len(units), failing, Fraction(str(error))),
            "estimate": case["declared_total"] * sum(case["shown"]) / sum(case["declared"]),
            "lower": lower, "upper": max(lower, upper)}


def cases():
    source = random.Random(7)

    def case(devices, n, rates, honest, error, absent=0, low=0.96, high=1.02):
        declared = [float(source.choice(rates)) for _ in range(devices)]
        chosen = declared[:n]
        shown = [round(c * source.uniform(low, high), 6) for c in chosen]
        for i in source.sample(range(n), absent):
            shown[i] = 0.0
        return {"devices": devices, "declared_total": sum(declared), "declared_most": max(declared),
                "honest_fraction": honest, "error": error, "declared": chosen, "shown": shown}

    yield case(1000, 50, [700], 0.9954, 0.0025)
    yield case(1000, 50, [700], 0.9954, 0.0025, absent=1)
    yield case(1000, 50, [700, 120], 0.9954, 0.0025)
    yield case(8, 2, [1], 1.0, 0.0025)
    yield case(8, 8, [1], 1.0, 0.0025)
    yield case(8, 8, [1, 3], 0.99, 0.0025, absent=3)
    yield case(2400, 120, [700], 0.98, 0.0025, absent=4)
    yield case(400, 40, [700], 0.97, 0.0008, low=0.45, high=0.6)
    yield case(30, 3, [5], 0.5, 0.05)
    yield case(30, 3, [5], 0.0, 0.05)


def main():
    draws = [{"devices": devices, "count": count, "key": secret("key", i).hex(), "session": secret("session", i).hex(),
              "chosen": choose(count, devices, secret("key", i), secret("session", i))}
             for i, (devices, count) in enumerate([(8, 2), (8, 2), (8, 8), (1, 1), (1000, 50), (1 << 20, 16)])]
    tails = [{"devices": n, "count": c, "failing": k, "error": e, "most": failing_most(n, c, k, Fraction(str(e)))}
             for n, c, k, e in [(1000, 50, 0, 0.005), (1000, 50, 1, 0.005), (8, 2, 0, 0.005), (8, 8, 3, 0.005),
                                (400, 20, 20, 0.01), (1500, 75, 3, 0.0025), (100, 99, 0, 0.5)]]
    rates = [7 * 10**14, 1, 1 << 62, 123456789]
    declarations = [{"declaration": raw.hex(), "session": tagged("session", raw).hex(), "count": count, "rates": rates}
                    for count, raw in ((n, declaration_bytes(rates, n, probes)) for n, probes in ((1, False), (4, True)))]
    bounds = [{**case, **{key: float(f"{value:.12g}") if isinstance(value, float) else value
                          for key, value in bound(case).items()}} for case in cases()]
    print(json.dumps({"version": 1, "note": "made by tests/vectors/sampling_vectors.py from docs/protocol.md and "
                      "docs/sampling.md; hashes in hexadecimal", "declarations": declarations, "draws": draws, "tails": tails, "bounds": bounds},
                     separators=(",", ":")).replace('{"devices', '\n{"devices'))  # fmt: skip


if __name__ == "__main__":
    main()
