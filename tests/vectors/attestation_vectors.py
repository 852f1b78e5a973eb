#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Vendor's attestation reports that hold and that do not, with a second verifier that says which.

    attestation_vectors.py --make NVTRUST > attestation.json   (once: ECDSA signatures are random)
    attestation_vectors.py --check                             (each verdict again, by the verifier below)

`vendor` are genuine reports of NVIDIA's GPUs and of a switch, out of a checkout of github.com/NVIDIA/nvtrust,
guest_tools/ppcie-verifier-sdk-cpp/tests/data (Apache-2.0). `made` are under a root of this script's own.
"""
import base64
import datetime
import hashlib
import json
import os
import re
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

NAME = x509.ObjectIdentifier("1.3.6.1.4.1.412.274.1")
FIRMWARE = x509.ObjectIdentifier("2.23.133.5.4.1")
NOW = datetime.datetime(2026, 5, 1)
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


# ---- the second verifier: written from DSP0274 1.1.2 and RFC 5280, not from the C ----

def need(condition, why):
    if not condition:
        raise ValueError(why)


def take(data, count):
    need(len(data) >= count, "short")
    return data[:count], data[count:]


def whole(data):
    return int.from_bytes(data, "little")


def read_report(report):
    request, rest = take(report, 37)
    need(request[0] == 0x11 and request[1] == 0xE0 and request[2] & 1, "request")
    head, rest = take(rest, 8)
    need(head[0] == 0x11 and head[1] == 0x60 and head[4] > 0, "answer")
    record, rest = take(rest, whole(head[5:8]))
    _, rest = take(rest, 32)
    length, rest = take(rest, 2)
    opaque, signature = take(rest, whole(length))
    need(len(signature) == 96, "length")
    for _ in range(head[4]):
        block, record = take(record, 7)
        need(block[0] > 0 and block[1] == 1 and whole(block[2:4]) == whole(block[5:7]) + 3, "block")
        _, record = take(record, whole(block[5:7]))
    need(record == b"", "record")
    fields = {}
    while opaque:
        kind, opaque = take(opaque, 4)
        value, opaque = take(opaque, whole(kind[2:]))
        need(whole(kind[:2]) not in fields or whole(kind[:2]) not in (3, 6, 20), "field twice")
        fields.setdefault(whole(kind[:2]), value)
    return request[4:36], fields, signature


def signed_by(certificate, issuer):
    try:
        issuer.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA384()))
        return True
    except (InvalidSignature, AttributeError, TypeError):
        return False


def extension(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def check_chain(chain, anchor, when):
    if len(chain) > 1 and chain[-1] == anchor:
        chain = chain[:-1]
    whole_chain = chain + [anchor]
    for i, certificate in enumerate(whole_chain):
        key = certificate.public_key()
        need(isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp384r1", "curve")
        need(certificate.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.3", "hash")
        need(certificate.not_valid_before <= when <= certificate.not_valid_after, "dates")
        issuer = whole_chain[min(i + 1, len(whole_chain) - 1)]
        need(certificate.issuer == issuer.subject and signed_by(certificate, issuer), "signature of a certificate")
        basic, usage = extension(certificate, x509.BasicConstraints), extension(certificate, x509.KeyUsage)
        is_ca = basic is not None and basic.ca
        need(is_ca == (i > 0) and usage is not None, "purpose")
        need(usage.key_cert_sign if is_ca else usage.digital_signature, "usage")
    return chain[0]


def name_of(leaf):
    names = extension(leaf, x509.SubjectAlternativeName)
    values = [] if names is None else [n.value for n in names if isinstance(n, x509.OtherName) and n.type_id == NAME]
    need(values and values[0][0] == 0x0C, "name")
    text = values[0][2:].decode()
    need(re.fullmatch(r"[A-Z0-9_]+:G[A-Z0-9_]*:[A-Z0-9_]+", text), "no GPU")
    return text


def firmware_of(leaf):
    for e in leaf.extensions:
        if e.oid == FIRMWARE:
            return e.value.value[-48:]
    return None


def verify(report, chain, nonce, anchor, when):
    inside, fields, signature = read_report(report)
    need(inside == nonce, "nonce")
    leaf = check_chain([x509.load_pem_x509_certificate(c) for c in PEM.findall(chain)], anchor, when)
    der = utils.encode_dss_signature(int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
    leaf.public_key().verify(der, report[:-96], ec.ECDSA(hashes.SHA384()))
    name, firmware = name_of(leaf), firmware_of(leaf)
    need(fields.get(20, firmware) == firmware, "firmware")
    v = fields.get(6, b"")
    return {"device": name, "firmware": (firmware or b"").hex(),
            "driver": fields.get(3, b"").rstrip(b"\0").decode(),
            "vbios": "%02X.%02X.%02X.%02X.%02X" % (v[3], v[2], v[1], v[0], v[4]) if len(v) == 8 else "",
            "key": hashlib.sha256(leaf.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()}


# ---- reports of our own ----

def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certify(subject, key, issuer, issuer_key, ca, name=None, firmware=None, begin=None, end=None, usage=None,
            algorithm=hashes.SHA384()):
    builder = (x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(begin or datetime.datetime(2020, 10, 17))
               .not_valid_after(end or datetime.datetime(2199, 12, 31)))
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    signs, certifies = usage or (not ca, ca)
    builder = builder.add_extension(x509.KeyUsage(signs, False, not signs and not ca, False, False, certifies, False, False, False), True)
    if name is not None:
        value = b"\x0c" + bytes([len(name)]) + name.encode()
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.OtherName(NAME, value)]), False)
    if firmware is not None:
        pair = bytes.fromhex("303d0609608648016503040202") + b"\x04\x30" + firmware
        inner = b"\x02\x01\x01" + b"\x30\x00" + pair
        builder = builder.add_extension(
            x509.UnrecognizedExtension(FIRMWARE, b"\x30" + bytes([len(inner)]) + inner), False)
    return builder.sign(issuer_key, algorithm)


def field(kind, value):
    return kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value


def make_report(key, nonce, firmware, version=0x11, wants=1, blocks=3, block=None, more=b""):
    one = bytes([1, 1, 51, 0, 1, 48, 0]) + bytes(range(48))
    record = b"".join(bytes([i + 1]) + one[1:] for i in range(blocks)) if block is None else block
    opaque = (field(6, bytes.fromhex("009f009601000000")) + field(3, b"550.90.07\0") + field(14, bytes(4)) +
              field(20, firmware) + more)
    body = (bytes([version, 0xE0, wants, 0xFF]) + nonce + b"\0" + bytes([version, 0x60, 0, 0, blocks]) +
            len(record).to_bytes(3, "little") + record + bytes(range(32)) + len(opaque).to_bytes(2, "little") + opaque)
    r, s = utils.decode_dss_signature(key.sign(body, ec.ECDSA(hashes.SHA384())))
    return body + r.to_bytes(48, "big") + s.to_bytes(48, "big")


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def make():
    def new(curve=ec.SECP384R1()):
        return ec.generate_private_key(curve)

    nonce, firmware = bytes(range(1, 33)), bytes(range(100, 148))
    serial = "NVIDIA:GH100:0123456789ABCDEF"
    root_key, maker_key, leaf_key, other_key = new(), new(), new(), new()
    root = certify("test root", root_key, "test root", root_key, True)
    maker = certify("test maker", maker_key, "test root", root_key, True)
    leaf = certify("test leaf", leaf_key, "test maker", maker_key, False, serial, firmware)
    report = make_report(leaf_key, nonce, firmware)
    cases = []

    def case(name, why, report=report, chain=pem(leaf, maker, root), nonce=nonce):
        cases.append({"name": name, "why": why, "nonce": nonce.hex(), "report": report.hex(), "chain": chain.decode()})

    def under(case_name, why, key=leaf_key, **more):
        one = certify("test leaf", key, "test maker", maker_key, more.pop("ca", False),
                      **{"name": serial, "firmware": firmware, **more})
        case(case_name, why, report=make_report(key, nonce, firmware), chain=pem(one, maker, root))

    case("holds", "")
    case("holds_without_the_root", "", chain=pem(leaf, maker))
    bare = certify("test leaf", leaf_key, "test maker", maker_key, False, serial)
    case("names_firmware_without_a_certificate", "firmware", chain=pem(bare, maker, root))
    case("another_nonce", "nonce", nonce=bytes(32))
    case("another_root_behind", "not part of it", chain=pem(leaf, maker, certify("test root", other_key, "test root", other_key, True)))
    fake = certify("test maker", other_key, "test root", other_key, True)
    case("maker_not_signed_by_the_root", "vendor's root", report=make_report(leaf_key, nonce, firmware), chain=pem(
        certify("test leaf", leaf_key, "test maker", other_key, False, serial, firmware), fake, root))
    under("leaf_expired", "vendor's root", end=datetime.datetime(2025, 1, 1))
    under("leaf_not_yet_valid", "vendor's root", begin=datetime.datetime(2027, 1, 1))
    under("leaf_on_another_curve", "P-384", key=new(ec.SECP256R1()))
    under("leaf_signed_with_sha256", "SHA-384", algorithm=hashes.SHA256())
    under("leaf_is_a_ca", "signing key", ca=True, usage=(True, True))
    under("leaf_may_not_sign", "signing key", usage=(False, False))
    under("leaf_without_a_name", "whose key", name=None)
    under("leaf_with_a_strange_name", "whose key", name="NVIDIA:GH100:01:23")
    under("a_switch", "no GPU", name="NVIDIA:LS_10:0123456789ABCDEF")
    under("another_firmware", "firmware", firmware=bytes(48))
    middle = certify("test middle", other_key, "test maker", maker_key, False)
    case("device_certifies_another", "vendor's root", chain=pem(
        certify("test leaf", leaf_key, "test middle", other_key, False, serial, firmware), middle, maker, root))
    case("a_certificate_too_many", "not part of it", chain=pem(leaf, maker, middle, root))
    case("leaf_is_missing", "signing key", chain=pem(maker, root))
    case("chain_is_empty", "in PEM", chain=b"\n")
    small_key = new(ec.SECP256R1())
    small = certify("t", small_key, "t", small_key, False)
    case("chain_is_nine", "in PEM", chain=pem(*[small] * 9))
    case("chain_is_too_long", "the most is", chain=pem(*[leaf] * 9))
    case("chain_is_encrypted", "in PEM", chain=pem(leaf).replace(
        b"BEGIN CERTIFICATE-----\n", b"BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"))
    case("signed_by_another_key", "signature", report=make_report(other_key, nonce, firmware))
    case("spdm_1_2", "version 1.2", report=make_report(leaf_key, nonce, firmware, version=0x12))
    case("unsigned_was_asked_for", "signed measurements", report=make_report(leaf_key, nonce, firmware, wants=0))
    case("no_measurements", "fill their record", report=make_report(leaf_key, nonce, firmware, blocks=0))
    case("block_of_two_sizes", "malformed", report=make_report(
        leaf_key, nonce, firmware, blocks=1, block=bytes([1, 1, 52, 0, 1, 48, 0]) + bytes(48)))
    case("block_beyond_the_record", "fill their record", report=make_report(
        leaf_key, nonce, firmware, blocks=1, block=bytes([1, 1, 51, 0, 1, 48, 0]) + bytes(47)))
    case("bytes_behind_the_blocks", "fill their record", report=make_report(
        leaf_key, nonce, firmware, blocks=1, block=bytes([1, 1, 51, 0, 1, 48, 0]) + bytes(49)))
    case("field_beyond_the_end", "fill their place", report=make_report(leaf_key, nonce, firmware, more=b"\x01\0\x04\0a"))
    case("field_twice", "twice", report=make_report(leaf_key, nonce, firmware, more=field(3, b"1\0")))
    case("cut_short", "short", report=report[:36])
    case("one_byte_less", "longer or shorter", report=report[:-1])
    case("one_byte_more", "longer or shorter", report=report + b"\0")
    return {"utc": int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp()), "anchor": pem(root).decode(), "made": cases}


def vendor(nvtrust):
    data = f"{nvtrust}/guest_tools/ppcie-verifier-sdk-cpp/tests/data"
    found = []
    for kind, numbers in (("gpu", (0, 1)), ("switch", (0,))):
        with open(f"{data}/{kind}_evidence.json", encoding="utf-8") as file:
            evidence = json.load(file)
        for i in numbers:
            found.append({"name": f"{kind}_{i}", "why": "no GPU" if kind == "switch" else "",
                          "nonce": evidence[i]["nonce"], "report": base64.b64decode(evidence[i]["evidence"]).hex(),
                          "chain": base64.b64decode(evidence[i]["certificate"]).decode()})
    return found


def verdict(case, anchor, utc):
    """The case as it should be: with who is attested, or None."""
    try:
        return verify(bytes.fromhex(case["report"]), case["chain"].encode(), bytes.fromhex(case["nonce"]), anchor,
                      datetime.datetime.utcfromtimestamp(utc))
    except (ValueError, InvalidSignature, IndexError):
        return None


def anchors(vectors):
    genuine = PEM.findall(vectors["vendor"][0]["chain"].encode())[-1]
    return {"vendor": x509.load_pem_x509_certificate(genuine),
            "made": x509.load_pem_x509_certificate(vectors["anchor"].encode())}


def main():
    if sys.argv[1:2] == ["--make"]:
        vectors = {**make(), "vendor": vendor(sys.argv[2])}
        for kind, anchor in anchors(vectors).items():
            for case in vectors[kind]:
                case["attested"] = verdict(case, anchor, vectors["utc"])
                assert (case["attested"] is None) == (case["why"] != ""), case["name"]
        json.dump(vectors, sys.stdout, indent=1)
        print()
        return
    with open(os.path.dirname(os.path.abspath(__file__)) + "/attestation.json", encoding="utf-8") as file:
        vectors = json.load(file)
    root = anchors(vectors)
    assert root["vendor"].fingerprint(hashes.SHA256()).hex() == (
        "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48")
    for kind, anchor in root.items():
        for case in vectors[kind]:
            found = verdict(case, anchor, vectors["utc"])
            assert found == case["attested"] and (found is None) == (case["why"] != ""), (kind, case["name"], found)
    print(f"{len(vectors['vendor'])} genuine and {len(vectors['made'])} made reports: as they were")


main()
