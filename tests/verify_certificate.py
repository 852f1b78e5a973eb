#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent check of petaudit's certificates: nothing is shared with the C code but the documents.

    verify_certificate.py CERTIFICATE.json...            verify; exit 1 and the reason at the first that fails
    verify_certificate.py --self-test DIRECTORY          verify every sample of make_certificates, hold statement and
                                                         summary against docs/schema, and refuse flipped copies
"""
import base64
import hashlib
import json
import pathlib
import random
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PAYLOAD_TYPE = "application/vnd.in-toto+json"
SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "docs" / "schema"


class Refused(Exception):
    pass


def want(holds, what):
    if not holds:
        raise Refused(what)


def strict_json(data):
    def no_duplicates(pairs):
        want(len(dict(pairs)) == len(pairs), "a member is repeated")
        return dict(pairs)

    def no_float(text):
        raise Refused("binary floats are not signed: " + text)

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=no_duplicates, parse_float=no_float)
    except ValueError as error:
        raise Refused(f"not JSON: {error}") from error
    again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    want(again == data, "not in canonical form")
    return value


def strict_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused(f"base64: {error}") from error
    want(base64.b64encode(data).decode() == text, "base64 in another spelling")
    return data


def verify(data):
    """The statement of a certificate, or Refused."""
    want(data.endswith(b"\n"), "no newline at the end")
    envelope = strict_json(data[:-1])
    want(isinstance(envelope, dict) and set(envelope) == {"payload", "payloadType", "signatures"}, "members of the envelope")
    want(envelope["payloadType"] == PAYLOAD_TYPE, "payload type")
    want(isinstance(envelope["signatures"], list) and len(envelope["signatures"]) == 1, "number of signatures")
    signature = envelope["signatures"][0]
    want(isinstance(signature, dict) and set(signature) == {"keyid", "sig"}, "members of the signature")
    payload = strict_base64(envelope["payload"])
    statement = strict_json(payload)
    want(isinstance(statement, dict) and isinstance(statement.get("predicate"), dict), "no predicate")
    point = strict_base64(statement["predicate"]["signer"]["public_key"])
    key_id = hashlib.sha256(point).hexdigest()
    want(signature["keyid"] == key_id == statement["predicate"]["signer"]["key_id"], "key id")
    pae = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    der = strict_base64(signature["sig"])
    try:
        r, s = utils.decode_dss_signature(der)
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        want(utils.encode_dss_signature(r, s) == der and 0 < s <= ORDER // 2, "signature in another spelling")
        key.verify(der, pae, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise Refused("signature") from error
    return statement


def self_test(directory):
    import jsonschema

    rng = random.Random(1)
    schemas = {name: json.loads((SCHEMAS / f"{name}.json").read_text()) for name in ("statement", "summary")}
    samples = [p for p in sorted(directory.glob("*.json")) if not p.name.endswith(".summary.json")]
    want(len(samples) >= 5, f"no samples in {directory}")
    for path in samples:
        data = path.read_bytes()
        statement = verify(data)
        jsonschema.Draft202012Validator(schemas["statement"]).validate(statement)
        summary = json.loads(path.with_suffix(".summary.json").read_text())
        jsonschema.Draft202012Validator(schemas["summary"]).validate(summary)
        want(abs(summary["verified"]["pflops"] - float(statement["predicate"]["verified"]["pflops"])) <= 1e-8 * abs(summary["verified"]["pflops"]), "summary differs")
        for position in rng.sample(range(len(data)), 300):
            flipped = bytearray(data)
            flipped[position] ^= 1 << rng.randrange(8)
            try:
                verify(bytes(flipped))
            except (Refused, KeyError, TypeError, UnicodeDecodeError):
                continue
            raise Refused(f"{path.name}: byte {position} does not matter")
        print(f"{path.name}: authentic, {statement['predicate']['verdict']}, 300 flips refused")


def main(arguments):
    try:
        if len(arguments) == 2 and arguments[0] == "--self-test":
            self_test(pathlib.Path(arguments[1]))
            return 0
        if not arguments or arguments[0].startswith("-"):
            print(__doc__, file=sys.stderr)
            return 64
        for name in arguments:
            statement = verify(pathlib.Path(name).read_bytes())
            print(f"{name}: authentic, {statement['predicate']['verdict']}")
    except (Refused, KeyError, TypeError, UnicodeDecodeError) as error:
        print(f"refused: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
