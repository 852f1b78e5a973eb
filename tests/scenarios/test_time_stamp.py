#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_time_stamp.py PETAUDIT CERTIFICATE.json REQUEST.tsq

`openssl ts` is the authority: it stamps a certificate by the request that lies beside it, and petaudit and openssl must say
the same of the stamp, of a stamp of another file, and of a damaged one.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

from stamp_authority import make_authority, run, stamp, want

def main(petaudit, certificate, request):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        mine = folder / "certificate.json"
        answer = folder / "certificate.json.tsr"
        shutil.copy(certificate, mine)

        def verdict(**environment):
            said = run(petaudit, "verify", mine, "--json", environment={**os.environ, **environment})
            return json.loads(said)["time_stamp"]

        want(verdict()["state"] == "none", "a stamp was found where none is")
        query = run("openssl", "ts", "-query", "-in", request, "-text")
        want("Hash Algorithm: sha256" in query and "Certificate required: yes" in query, query)
        make_authority(folder, "timeStamping", "stamper")
        stamp(folder, request, answer)
        run("openssl", "ts", "-verify", "-data", mine, "-in", answer, "-CAfile", folder / "stamper-root.crt")
        found = verdict()
        want(found["state"] == "holds" and not found["known"] and "stamper" in found["authority"], found)
        printed = re.search(r"Time stamp: (.*)", run("openssl", "ts", "-reply", "-in", answer, "-text")).group(1)
        theirs = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.strptime(printed, "%b %d %H:%M:%S %Y GMT"))
        want(found["utc"] == theirs, f"{found['utc']} is not {theirs}")
        words = run(petaudit, "verify", mine)
        want(theirs in words and "does not know" in words, words)
        # The system's trust: what SSL_CERT_FILE names.
        want(verdict(SSL_CERT_FILE=str(folder / "stamper-root.crt"))["known"], "a root that is trusted was not known")

        whole = answer.read_bytes()
        # The signature, the time and the hash that it is over; certificates that travel along are the authority's affair.
        stamped = whole.index(hashlib.sha256(mine.read_bytes()).digest())
        for position in (len(whole) - 5, stamped + 3, whole.index(theirs[:4].encode(), stamped) + 9):
            flipped = bytearray(whole)
            flipped[position] ^= 1
            answer.write_bytes(flipped)
            want(verdict()["state"] == "broken", f"byte {position} of the stamp does not matter")
        for damaged in (b"", whole[:-1], whole + b"x", b"\xff" * 70000):
            answer.write_bytes(damaged)
            want(verdict()["state"] == "broken", "a damaged stamp holds")
        want("PROVES NOTHING" in run(petaudit, "verify", mine), "a damaged stamp is not told")

        other = folder / "other"
        other.write_bytes(b"another file")
        run("openssl", "ts", "-query", "-data", other, "-sha256", "-cert", "-out", folder / "other.tsq")
        stamp(folder, folder / "other.tsq", answer)
        want(verdict()["state"] == "broken", "a stamp of another file holds")
        answer.write_bytes(whole)
        want(verdict()["state"] == "holds", "the stamp no longer holds")
        print("stamped, verified by openssl and by petaudit, and refused when damaged")


if __name__ == "__main__":
    main(*[pathlib.Path(argument).resolve() for argument in sys.argv[1:4]])
