#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers for POWER records, written from docs/protocol.md 9 alone; slow on purpose.

    python3 tests/vectors/power_vectors.py > tests/vectors/power.json
"""
import hashlib
import json
import struct

NONE, UNTOLD_POWER, UNTOLD_ENERGY = 2**64 - 1, -(2**63), 2**64 - 1


def record(at, meter, readings, count=None, epoch=NONE, rest=b""):
    payload = struct.pack("<QQQII", epoch, *at, meter, len(readings) if count is None else count)
    for raw, utc, milliwatts, millijoules in readings:
        payload += struct.pack("<QQqQ", raw, utc, UNTOLD_POWER if milliwatts is None else milliwatts,
                               UNTOLD_ENERGY if millijoules is None else millijoules)
    payload += rest
    return struct.pack("<II", 9, len(payload)) + payload


def number(name, limit):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") % limit


def accepted():
    cases = []
    for case in range(12):
        is_delivered, readings, raw, utc = case % 2 == 1, [], 10**12 * (case + 1), 1795478400 * 10**9
        for i in range(1 + number(f"count {case}", 5)):
            step = 1 + number(f"step {case} {i}", 2 * 10**9)
            raw, utc = raw + step, utc + step
            has_power, has_energy = case % 3 != 1, case % 3 != 0
            readings.append((0 if is_delivered else raw, utc,
                             number(f"power {case} {i}", 2 * 10**15 + 1) - 10**15 if has_power else None,
                             number(f"energy {case} {i}", 2**63) if has_energy else None))
        at, meter = (raw + 5, utc + 5), number(f"meter {case}", 64)
        cases.append({"at": at, "meter": meter, "readings": readings, "record": record(at, meter, readings).hex()})
    return cases


def refused():
    at, a, b = (9, 9), (1, 11, 5, None), (2, 12, None, 7)
    bad = {
        "an epoch": record(at, 0, [a], epoch=0), "meter 64": record(at, 64, [a]), "no reading": record(at, 0, []),
        "count too large": record(at, 0, [a], count=2), "count too small": record(at, 0, [a, b], count=1),
        "a byte more": record(at, 0, [a], rest=b"\0"), "nothing told": record(at, 0, [(1, 11, None, None)]),
        "more than 1 TW": record(at, 0, [(1, 11, 10**15 + 1, None)]), "less than -1 TW": record(at, 0, [(1, 11, -(10**15) - 1, None)]),
        "energy of 2^63": record(at, 0, [(1, 11, None, 2**63)]), "raw goes back": record(at, 0, [b, a]),
        "raw stands still": record(at, 0, [a, (1, 12, 5, None)]), "two clocks": record(at, 0, [a, (0, 12, 5, None)]),
        "utc stands still": record(at, 0, [(0, 11, 5, None), (0, 11, 6, None)]), "raw of 2^63": record(at, 0, [(2**63, 11, 5, None)]),
        "written at 2^63": record((2**63, 9), 0, [a]),
    }
    return [{"why": why, "record": data.hex()} for why, data in bad.items()]


print(json.dumps({"accepted": accepted(), "refused": refused()}, indent=1))
