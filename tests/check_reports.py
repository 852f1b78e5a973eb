#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The PDFs of make_certificates, judged by other people's programs: pdfsig, qpdf, pdfdetach, pdfinfo, pdffonts, pdftotext;
and the QR codes of PDF and HTML, read by zbarimg.

    check_reports.py DIRECTORY
"""
import base64
import hashlib
import json
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
# The last row of the first chart: for what work how many megawatts are due.
ENTITLED = {"fail": "312.9 PFLOPS (250.4 MW)", "pass": "1.592 TFLOPS (0.001274 MW)", "invalid": "0 PFLOPS (0 MW)"}
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
    want(squeezed(ENTITLED.get(kind, "")) in squeezed(front), f"{path.name}: page 1 does not say {ENTITLED.get(kind)}:\n{front}")
    everything = squeezed(run("pdftotext", path, "-"))
    for sentence in SAID[language]:
        want(squeezed(sentence) in everything, f"{path.name}: does not say '{sentence}'")
    want("\ufffd" not in everything, f"{path.name}: a character was lost")


def check_attachment(path, certificate):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "attached"
        run("pdfdetach", "-save", "1", "-o", copy, path)
        want(copy.read_bytes() == certificate.read_bytes(), f"{path.name}: the attached certificate is another one")


def check_qr_code(path, certificate):
    """What a phone reads off the first page, on paper and on a screen, names the signed statement."""
    payload = base64.b64decode(json.loads(certificate.read_text())["payload"])
    due = f"petaudit:sha256:{hashlib.sha256(payload).hexdigest()}"
    html = path.with_suffix(".html").read_text(encoding="utf-8")
    code = re.search(r'<svg class="qr"[^>]*viewBox="-3 -3 (\d+) \1"><path d="([^"]*)"', html)
    want(code is not None, f"{path.name}: the HTML page has no QR code")
    dark, side, scale = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", code[2])}, int(code[1]), 4
    rows = ["".join("\0" if (x // scale - 3, y // scale - 3) in dark else "\xff" for x in range(scale * side))
            for y in range(scale * side)]
    with tempfile.TemporaryDirectory() as folder:
        sheet, screen = pathlib.Path(folder) / "sheet", pathlib.Path(folder) / "screen.pgm"
        run("pdftoppm", "-gray", "-r", "150", "-l", "1", "-singlefile", path, sheet)
        screen.write_bytes(f"P5 {scale * side} {scale * side} 255\n".encode() + "".join(rows).encode("latin-1"))
        for image in (sheet.with_suffix(".pgm"), screen):
            read = run("zbarimg", "--quiet", "--nodbus", "--raw", image, status=(0, 4)).strip()
            want(read == due, f"{path.name}: the QR code of the {image.stem} says '{read}', not {due}")


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
        if paper == "a4":
            check_qr_code(path, path.with_name(f"{kind}.json"))
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
