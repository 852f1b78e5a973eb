# SPDX-License-Identifier: Apache-2.0
"""An authority for time stamps out of `openssl ts`, in a folder of its own."""
import subprocess
import sys

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def want(holds, what):
    if not holds:
        sys.exit(f"wrong: {what}")


def run(*arguments, status=0, environment=None):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=120, env=environment)
    want(done.returncode == status, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def make_authority(folder, purpose, name):
    """A root and a certificate under it with that extended key usage."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / f"{name}-root.key",
        "-out", folder / f"{name}-root.crt", "-subj", f"/CN={name} root", "-days", "30")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / f"{name}.key",
        "-out", folder / f"{name}.csr", "-subj", f"/O=Clockmakers/CN={name}")
    (folder / f"{name}.ext").write_text(f"extendedKeyUsage=critical,{purpose}\nkeyUsage=critical,digitalSignature\nbasicConstraints=CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{name}-root.crt", "-CAkey", folder / f"{name}-root.key",
        "-CAcreateserial", "-out", folder / f"{name}.crt", "-days", "30", "-extfile", folder / f"{name}.ext")


def stamp(folder, request, answer, name="stamper"):
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    run("openssl", "ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", request, "-signer", folder / f"{name}.crt",
        "-inkey", folder / f"{name}.key", "-chain", folder / f"{name}-root.crt", "-out", answer)
