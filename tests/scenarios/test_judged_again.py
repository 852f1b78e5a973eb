#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A statement that judges old evidence by another policy points to the first, and both verify against the evidence.

usage: test_judged_again.py SCENARIO_JUDGE PETAUDIT SCENARIO_FOLDER
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

program, petaudit, folder = sys.argv[1:]


def check(condition, what):
    if not condition:
        sys.exit(what)


def statement_of(path):
    with open(path, encoding="utf-8") as file:
        payload = base64.b64decode(json.load(file)["payload"])
    return json.loads(payload)["predicate"], hashlib.sha256(payload).hexdigest()


with tempfile.TemporaryDirectory() as work:
    environment = dict(os.environ, XDG_CONFIG_HOME=work)
    evidence, other = f"{work}/evidence.db", f"{work}/other.yaml"
    with open(f"{folder}/policy.yaml", encoding="utf-8") as file:
        rule = file.read()
    with open(other, "w", encoding="utf-8") as file:
        file.write(rule.replace("rounding: proportional", "rounding: whole_blocks").replace("scenario-rule", "later-rule"))

    def call(*arguments, status):
        run = subprocess.run([petaudit, *arguments], env=environment, capture_output=True, text=True, check=False)
        check(run.returncode == status, f"{arguments} gave {run.returncode}: {run.stdout}{run.stderr}")
        return run

    made = subprocess.run([program, folder, evidence], capture_output=True, text=True, check=False)
    check(made.returncode == 0, made.stderr)
    call("judge", evidence, "--out", work, status=0)
    first, first_hash = statement_of(f"{work}/certificate.json")
    check(first["judges_again"] == {"statement_sha256": None, "verdict": ""}, f"the first points to {first['judges_again']}")

    call("judge", evidence, "--policy", other, "--out", f"{work}/again", status=0)
    again, again_hash = statement_of(f"{work}/again/certificate.json")
    check(again["judges_again"] == {"statement_sha256": first_hash, "verdict": "PASS"}, f"the second points to {again['judges_again']}")
    check("REJUDGED" in {finding["code"] for finding in again["findings"]}, "the second does not say that it judges again")
    check(again["policy"]["name"] == "later-rule" and again["entitlement"]["mw"] == "0", f"{again['entitlement']}")
    for place in (work, f"{work}/again"):
        call("verify", f"{place}/certificate.json", "--evidence", evidence, status=0)

    call("judge", evidence, "--policy", other, "--out", f"{work}/again", "--again", f"{work}/certificate.json", status=0)
    check(statement_of(f"{work}/again/certificate.json")[1] == again_hash, "the same judgement gave other bytes")
    call("judge", evidence, "--out", work, status=0)
    check(statement_of(f"{work}/certificate.json")[1] == first_hash, "judging by the first policy gave other bytes")
    with open(f"{work}/foreign.json", "wb") as file, open(os.path.join(folder, "..", "..", "certificates", "pass.json"), "rb") as source:
        file.write(source.read())
    refused = call("judge", evidence, "--policy", other, "--again", f"{work}/foreign.json", status=65)
    check("of other evidence" in refused.stderr, refused.stderr)
