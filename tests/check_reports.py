#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The PDFs of make_certificates, judged by other people's programs: pdfsig, qpdf, pdfdetach, pdfinfo, pdffonts, pdftotext.

    check_reports.py DIRECTORY
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

VERDICTS = {"en": {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE", "invalid": "INVALID", "test": "INCONCLUSIVE"},
            "zh": {"pass": "合格", "fail": "不合格", "inconclusive": "不能判定", "invalid": "无效", "test": "不能判定"}}
# What every report says, whatever it is about.
SAID = {"en": ["What this does not prove", "How it was measured"],
        "zh": ["本证书不能证明的事项", "测量方法"]}
SIZES = {"a4": "595.276 x 841.89 pts (A4)", "letter": "612 x 792 pts (letter)"}


class Wrong(Exception):
    pass


def want(holds, what):
    if not holds:
        raise Wrong(what)


def run(*arguments, status=(0,)):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    want(done.returncode in status, f"{' '.join(map(str, arguments))} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def squeezed(text):
    return re.sub(r"\s+", "", text).lower()


def check_form(path, paper, language, kind):
    run("qpdf", "--check", path)
    info = run("pdfinfo", path)
    want(SIZES[paper] in info, f"{path.name}: not on {paper}:\n{info}")
    fonts = run("pdffonts", path).splitlines()[2:]
    want(fonts and all(re.search(r"\byes yes yes\b", line) for line in fonts), f"{path.name}: a font is not embedded:\n{fonts}")
    front = run("pdftotext", "-l", "1", path, "-")
    want(squeezed(VERDICTS[language][kind]) in squeezed(front), f"{path.name}: page 1 does not say {VERDICTS[language][kind]}:\n{front}")
    everything = squeezed(run("pdftotext", path, "-"))
    for sentence in SAID[language]:
        want(squeezed(sentence) in everything, f"{path.name}: does not say '{sentence}'")
    want("\ufffd" not in everything, f"{path.name}: a character was lost")


def check_attachment(path, certificate):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "attached"
        run("pdfdetach", "-save", "1", "-o", copy, path)
        want(copy.read_bytes() == certificate.read_bytes(), f"{path.name}: the attached certificate is another one")


def check_signature(path, rng):
    said = run("pdfsig", "-nocert", path)
    want("Signature is Valid." in said and "Total document signed" in said and "ETSI.CAdES.detached" in said, f"{path.name}: {said}")
    data = path.read_bytes()
    contents = data.rindex(b"/Contents <")
    covered = [*range(len(data) // 2, len(data) // 2 + 4), rng.randrange(20, contents), rng.randrange(20, contents),
               data.rindex(b"/EmbeddedFiles") + 3]
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "flipped.pdf"
        for position in covered:
            flipped = bytearray(data)
            flipped[position] ^= 1
            copy.write_bytes(flipped)
            # A flip may also break the PDF so far that no reader finds the signature: not valid either.
            said = run("pdfsig", "-nocert", copy, status=range(256))
            want("Signature is Valid" not in said, f"{path.name}: byte {position} does not matter:\n{said}")
        # Inside of a stream, where nothing but the digest can notice.
        flipped = bytearray(data)
        flipped[data.index(b"stream\n", len(data) // 4) + 60] ^= 1
        copy.write_bytes(flipped)
        want("Digest Mismatch" in run("pdfsig", "-nocert", copy), f"{path.name}: no digest mismatch")
        copy.write_bytes(data + b"% more\n")
        said = run("pdfsig", "-nocert", copy, status=range(256))
        want("Total document signed" not in said or "Signature is Valid" not in said, f"{path.name}: what is appended counts as signed")


def main(directory):
    rng = random.Random(6)
    seen = 0
    for path in sorted(pathlib.Path(directory).glob("*.pdf")):
        kind, language, paper, *rest = path.name.split(".")
        check_form(path, paper, language, kind)
        check_attachment(path, path.with_name(f"{kind}.json"))
        if "signed" in rest:
            check_signature(path, rng)
        else:
            want("does not contain any signatures" in run("pdfsig", path, status=(0, 2)), f"{path.name}: signed by nobody")
        print(f"{path.name}: sound")
        seen += 1
    want(seen >= 20, f"only {seen} PDFs in {directory}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except Wrong as wrong:
        sys.exit(str(wrong))
