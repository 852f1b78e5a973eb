#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_passphrase.py PETAUDIT - a key that keygen locked: by a file, on a terminal, and without either.

A witness is what uses a key for long, so it is a witness that unlocks it here.
"""
import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

petaudit = sys.argv[1]
LIMIT_S = 120


def check(holds, message):
    if not holds:
        sys.exit(f"FAILED: {message}")


def environment(folder, **more):
    base = {k: v for k, v in os.environ.items() if not k.startswith("PETAUDIT_")}
    return dict(base, HOME=str(folder), **{k: str(v) for k, v in more.items()})


def write(path, text, mode=0o600):
    path.write_bytes(text)
    path.chmod(mode)
    return path


def refused(folder, *words, **env):
    done = subprocess.run([petaudit, "witness", "--key", folder / "key", "--store", folder / "store", "--listen", "127.0.0.1:0"],
                          env=environment(folder, **env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S)
    check(done.returncode == 65, f"exit {done.returncode}, not 65: {done.stderr}")
    for word in words:
        check(word in done.stderr, f"{word!r} is not in: {done.stderr}")


def starts(folder, typed=None, **env):
    """A witness that comes up; what its terminal showed until then."""
    ours, theirs = pty.openpty()
    witness = subprocess.Popen([petaudit, "witness", "--key", folder / "key", "--store", folder / "store", "--listen", "127.0.0.1:0", "--live", "off"],
                               env=environment(folder, **env), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
                               preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0), text=True)
    os.close(theirs)
    shown = b""
    while typed and b"Passphrase of" not in shown:
        shown += os.read(ours, 1000)
    if typed:
        os.write(ours, typed + b"\n")
    said = witness.stdout.readline()
    if not said:
        witness.wait(LIMIT_S)
        shown += os.read(ours, 10000)
    witness.kill()
    witness.wait()
    os.close(ours)
    return said, shown


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        right = write(folder / "right", "two words, and ü\nnot this line\n".encode())
        made = subprocess.run([petaudit, "keygen", folder / "key"], env=environment(folder, PETAUDIT_PASSPHRASE_FILE=right),
                              capture_output=True, text=True, timeout=LIMIT_S)
        check(made.returncode == 0 and "locked" in made.stderr, made.stderr)
        check(b"ENCRYPTED" in (folder / "key").read_bytes(), "the key is not locked")
        read = subprocess.run(["openssl", "pkey", "-in", folder / "key", "-passin", "pass:two words, and ü", "-pubout"],
                              capture_output=True, check=True)
        check(read.stdout == (folder / "key.pub").read_bytes(), "openssl reads another key")

        said, shown = starts(folder, PETAUDIT_PASSPHRASE_FILE=right)
        check('fingerprint' in said, f"the file does not unlock: {said!r} {shown!r}")
        said, shown = starts(folder, "two words, and ü".encode())
        check('fingerprint' in said, f"the terminal does not unlock: {shown!r}")
        check(b"two words" not in shown, f"the passphrase is shown: {shown!r}")
        said, shown = starts(folder, b"wrong")
        check(said == "" and b"passphrase is wrong" in shown, f"{said!r} {shown!r}")

        refused(folder, "PETAUDIT_PASSPHRASE_FILE", "no terminal")
        refused(folder, "passphrase is wrong", PETAUDIT_PASSPHRASE_FILE=write(folder / "wrong", b"two words\n"))
        refused(folder, "first line is empty", PETAUDIT_PASSPHRASE_FILE=write(folder / "empty", b"\ntwo words\n"))
        refused(folder, "chmod 600", PETAUDIT_PASSPHRASE_FILE=write(folder / "open", b"two words, and \xc3\xbc\n", 0o644))
        refused(folder, "larger than the 1024 bytes", PETAUDIT_PASSPHRASE_FILE=write(folder / "long", b"a" * 1025))


main()
