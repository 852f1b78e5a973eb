#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the fault table: each entry orders faults of the emulated platform and says what the unchanged `petaudit audit`
must make of them.

usage: run_fault_table.py PETAUDIT EMULATED_FOLDER TABLE [--only REGEX] [--jobs N] [--quick] [--slow FACTOR]

The table is an INI file; a section is an entry. Keys:
  why            one sentence, for readers (required)
  emulate        orders, one a line, joined by commas into PETAUDIT_EMULATED_GPU, after memory=32MiB
  arguments      further words of the command line
  environment    further variables, NAME=VALUE, one a line
  class          precision that is claimed (int8, which runs in one format)
  claim          further lines of the claim
  processes      ranks, each with its share of the GPUs (1)
  without        names to take out: a library, or a function of the four libraries
  status         exit status, or several that are all right (required)
  says           regular expressions, one a line, each of which must match what is printed on stderr
  reason         a regular expression that the certificate's reason for each lost device must match
  lost           numbers of the devices that are lost, in the order of the certificate
  works          numbers of the devices that must have done steps
  findings       codes that the result must have; -CODE must not be there
  evidence       regular expressions, one a line, each of which must match a note in the evidence
  reports        how many mistakes of petaudit's own the platform may report (0)
  result         "no": there must be no result; else there must be one, and `verify` must accept it with the evidence
  verify         exit status of `verify` (0)
  patience_s     seconds that petaudit waits for a device that does not answer: short where something hangs (30)
  leaks          "yes": a lost GPU whose context is well for the driver keeps what it had, which the platform reports
  seconds        the most time that the epochs may have counted: far above what they need, below one wait for a library
  limit_s        seconds that the audit may take; far above what it needs, as it is there to find a hang (60)
  openings       how many tiles are opened, in place of the policy's 24: what is wrong in a share of them must not be missed
  fabric         "yes": the policy wants a fabric proof
  sanitized      "no": not run with --slow, which is for sanitizer builds; `why` is at the entry
  quick          "yes": the entry is part of the subset that sanitizer builds run
"""
import argparse
import concurrent.futures
import configparser
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

LIBRARIES = ("libcuda.so.1", "libcublasLt.so.13", "libnccl.so.2", "libnvidia-ml.so.1")
KEYS = {"why", "emulate", "arguments", "environment", "class", "claim", "processes", "without", "status", "says", "reason",
        "lost", "works", "findings", "evidence", "reports", "result", "verify", "limit_s", "patience_s", "leaks",
        "quick", "openings", "seconds", "fabric", "sanitized"}
BAD_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion")
FOLDER = os.path.dirname(os.path.abspath(__file__)) + "/fault_table"


class Wrong(Exception):
    """What an entry expects is not so."""


def check(condition, text):
    if not condition:
        raise Wrong(text)


def lines(entry, key):
    return [line.strip() for line in entry.get(key, "").strip().splitlines() if line.strip()]


def numbers(entry, key):
    return [int(word) for word in entry.get(key, "").split()]


def take_out(emulated, names, folder):
    """A copy of the emulated libraries without some of them, or without some functions: their names are spoiled in the
    string table, so that no lookup finds them."""
    os.mkdir(folder)
    image = open(f"{emulated}/libcuda.so.1", "rb").read()
    for name in names:
        if name in LIBRARIES:
            continue
        spoiled = b"\0" + name.encode()[:-1] + b"#\0"
        check(b"\0" + name.encode() + b"\0" in image, f"the emulated libraries have no {name}")
        image = image.replace(b"\0" + name.encode() + b"\0", spoiled)
    with open(f"{folder}/libcuda.so.1", "wb") as file:
        file.write(image)
    for library in LIBRARIES[1:]:
        if library not in names:
            os.symlink("libcuda.so.1", f"{folder}/{library}")
    if "libcuda.so.1" in names:
        os.rename(f"{folder}/libcuda.so.1", f"{folder}/all")
        for library in LIBRARIES[1:]:
            os.unlink(f"{folder}/{library}")
            os.symlink("all", f"{folder}/{library}")
    return folder


def environment_of(entry, home, emulated, slow):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX", "SLURM_", "PMI_", "PETAUDIT_"))}
    env.update(
        LD_LIBRARY_PATH=emulated,
        PETAUDIT_EMULATED_GPU=",".join(["memory=32MiB"] + lines(entry, "emulate")),
        PETAUDIT_EMULATED_REPORT=f"{home}/reports",
        PETAUDIT_TEST_SHAPE="256x256x128",
        PETAUDIT_PATIENCE=f"{float(entry.get('patience_s', '30')) * slow:g}s",
        PETAUDIT_HEARTBEAT="1s",
        HOME=home,
        XDG_CONFIG_HOME=home,
        NO_COLOR="1",
    )
    env.pop("CUDA_VISIBLE_DEVICES", None)
    for line in lines(entry, "environment"):
        name, _, value = line.partition("=")
        env[name] = value
    return env


def start_rank(command, env, rank, ranks, home):
    if ranks > 1:
        env = dict(env, PETAUDIT_RANK=str(rank), PETAUDIT_SIZE=str(ranks), PETAUDIT_LOCAL_RANK=str(rank),
                   PETAUDIT_LOCAL_SIZE=str(ranks))
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=open(f"{home}/out{rank}", "wb"),
                            stderr=open(f"{home}/err{rank}", "wb"), start_new_session=True)


def run_audit(entry, program, home, env, limit_s):
    claim = open(f"{FOLDER}/claim.yaml", encoding="utf-8").read()
    with open(f"{home}/claim.yaml", "w", encoding="utf-8") as file:
        file.write(claim.replace("precision: fp16", f"precision: {entry.get('class', 'int8')}"))
        file.writelines(f"{line}\n" for line in lines(entry, "claim"))
    policy = open(f"{FOLDER}/policy.yaml", encoding="utf-8").read()
    with open(f"{home}/policy.yaml", "w", encoding="utf-8") as file:
        policy = policy.replace("openings: 24", f"openings: {entry.get('openings', '24')}")
        file.write(policy.replace("}\ninflation", ", fabric: on}\ninflation") if entry.get("fabric") == "yes" else policy)
    command = [program, "audit", f"{home}/claim.yaml", "--policy", f"{home}/policy.yaml", "--devices", "cuda", "--out",
               f"{home}/audit", "--json"] + entry.get("arguments", "").split()
    ranks = int(entry.get("processes", "1"))
    begun = time.monotonic()
    started = [start_rank(command, env, rank, ranks, home) for rank in range(ranks)]
    try:
        for process in started:
            process.wait(timeout=max(0.1, begun + limit_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Wrong(f"it hangs: no end after {limit_s} s") from None
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    said = "".join(open(f"{home}/err{rank}", encoding="utf-8", errors="replace").read() for rank in range(ranks))
    printed = open(f"{home}/out0", encoding="utf-8").read()
    return started[0].returncode, printed, said


def check_devices(entry, summary):
    devices = summary["devices"]
    lost = [i for i, device in enumerate(devices) if device["is_lost"]]
    check(lost == numbers(entry, "lost"), f"lost devices: {lost}: {[device.get('lost_text') for device in devices]}")
    for i in lost:
        text = devices[i]["lost_text"]
        check(re.search(entry.get("reason", "."), text), f"device {i} is lost for the reason: {text}")
    for i in numbers(entry, "works"):
        check(i < len(devices) and devices[i]["steps"] > 0, f"device {i} did no step")
    check(summary["verdict"] != "PASS", "an emulated audit passed")


def check_findings(entry, summary):
    found = {finding["code"] for finding in summary["findings"]}
    for code in entry.get("findings", "").split():
        if code.startswith("-"):
            check(code[1:] not in found, f"there is a finding {code[1:]}: {summary['findings']}")
        else:
            check(code in found, f"no finding {code} among {sorted(found)}")
    check("EMULATED" in found, f"the result does not say that it is emulated: {sorted(found)}")


def check_evidence(entry, program, home, env):
    with sqlite3.connect(f"file:{home}/audit/evidence.db?mode=ro", uri=True) as database:
        notes = [row[0].decode("utf-8", "replace") for row in database.execute("select payload from record where type = 10")]
    for pattern in lines(entry, "evidence"):
        check(any(re.search(pattern, note) for note in notes), f"no note in the evidence matches {pattern}")
    verified = subprocess.run([program, "verify", f"{home}/audit/test-result.json", "--evidence", f"{home}/audit/evidence.db"],
                              env=env, capture_output=True, text=True, timeout=60, check=False)
    check(verified.returncode == int(entry.get("verify", "0")),
          f"verify ended with {verified.returncode}: {verified.stdout}{verified.stderr}")


def run_entry(name, entry, program, emulated, slow):
    with tempfile.TemporaryDirectory(prefix="petaudit-fault-") as home:
        if "without" in entry:
            emulated = take_out(emulated, entry["without"].split(), f"{home}/libraries")
        env = environment_of(entry, home, emulated, slow)
        begun = time.monotonic()
        said = ""
        try:
            status, printed, said = run_audit(entry, program, home, env, float(entry.get("limit_s", "60")) * slow)
            took = time.monotonic() - begun
            check(not any(word in said for word in BAD_WORDS), "a sanitizer or an assertion spoke")
            check(status in numbers(entry, "status"), f"exit status {status}")
            for pattern in lines(entry, "says"):
                check(re.search(pattern, said), f"nothing that is said matches {pattern}")
            reports = open(f"{home}/reports", encoding="utf-8").readlines() if os.path.exists(f"{home}/reports") else []
            if entry.get("leaks") == "yes":
                reports = [line for line in reports if "leak of" not in line and "without releasing" not in line]
            check(len(reports) <= int(entry.get("reports", "0")), f"the platform reports misuse: {''.join(reports)}")
            if entry.get("result", "yes") == "no":
                check(not os.path.exists(f"{home}/audit/test-result.json"), "there is a result")
            else:
                summary = json.loads(printed)
                check_devices(entry, summary)
                check_findings(entry, summary)
                seconds = float(summary["verified"]["seconds"])
                check(seconds <= float(entry.get("seconds", "inf")) * slow, f"the epochs counted {seconds} s")
                check_evidence(entry, program, home, env)
            return name, took, None, said
        except (Wrong, OSError, ValueError, KeyError, sqlite3.Error) as cause:
            if isinstance(cause, Wrong):
                said = said or "".join(open(f"{home}/err0", encoding="utf-8", errors="replace").read()
                                       for _ in (0,) if os.path.exists(f"{home}/err0"))
            return name, time.monotonic() - begun, f"{type(cause).__name__}: {cause}", said


def read_table(path, only, quick):
    table = configparser.ConfigParser(interpolation=None, delimiters=("=",), default_section="every entry")
    table.optionxform = str
    with open(path, encoding="utf-8") as file:
        table.read_file(file)
    for name in table.sections():
        unknown = set(table[name]) - KEYS
        if unknown or "status" not in table[name] or "why" not in table[name]:
            sys.exit(f"{path}: [{name}]: unknown keys {sorted(unknown)}, or no status or no why")
    return [(name, table[name]) for name in table.sections()
            if re.search(only, name) and (not quick or table[name].get("quick") == "yes")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("emulated")
    parser.add_argument("table")
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=min(4, 2 * (os.cpu_count() or 1)))
    parser.add_argument("--slow", type=float, default=1.0)
    options = parser.parse_args()
    entries = read_table(options.table, options.only, options.quick)
    entries = [(name, entry) for name, entry in entries if options.slow == 1 or entry.get("sanitized") != "no"]
    if not entries:
        sys.exit("no entry is selected")
    begun, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(run_entry, name, entry, options.program, options.emulated, options.slow)
                   for name, entry in entries]
        for future in concurrent.futures.as_completed(waiting):
            name, took, wrong, said = future.result()
            print(f"{'ok' if wrong is None else 'WRONG'} {took:5.1f} s  {name}", flush=True)
            if wrong is not None:
                failed += 1
                print(f"      {wrong}\n" + "".join(f"      | {line}\n" for line in said.splitlines()[-12:]), flush=True)
    print(f"{len(entries)} entries, {failed} wrong, {time.monotonic() - begun:.1f} s")
    sys.exit(1 if failed else 0)


main()
