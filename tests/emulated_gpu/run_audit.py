#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole audits by the unchanged program on the emulated GPU platform.

What must hold of each: every device did steps, every opened tile is right, the certificate verifies against its
evidence, the finding EMULATED is there and the verdict is no PASS; and the platform reports no misuse of the driver.

usage: run_audit.py PETAUDIT FOLDER_OF_THE_PLATFORM SOURCES WAY
"""
import concurrent.futures
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

program, platform, sources, way = sys.argv[1:]
claim, policy = f"{sources}/tests/scenarios/claim.yaml", f"{sources}/tests/scenarios/policy.yaml"
vectors = f"{sources}/tests/vectors/proof.json"
FORMATS = {"fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8"}
DROPPED = ("OMPI_", "PMIX", "SLURM_", "PMI_", "PETAUDIT_", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
INCONCLUSIVE = 2
UNAVAILABLE = 69


def environment(home, conditions, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
    return {
        **env,
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "NO_COLOR": "1",
        "LD_LIBRARY_PATH": platform,
        # Little memory: the proof of it fills and reads all that is free.
        "PETAUDIT_EMULATED_GPU": conditions if "memory=" in conditions else f"{conditions},memory=96MiB",
        "PETAUDIT_EMULATED_REPORT": f"{home}/report",
        "PETAUDIT_TEST_SHAPE": "256x256x128",
        **more,
    }


def reports(home):
    path = f"{home}/report"
    return open(path, encoding="utf-8").read() if os.path.exists(path) else ""


def petaudit(env, *arguments, expected=0):
    run = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, timeout=240, check=False)
    if run.returncode != expected:
        sys.exit(f"petaudit {' '.join(arguments)}: exit {run.returncode}, not {expected}\n{run.stdout}{run.stderr}")
    return run


def notes(folder, kind):
    with sqlite3.connect(f"file:{folder}/evidence.db?mode=ro", uri=True) as evidence:
        found = [json.loads(row[0]) for row in evidence.execute("SELECT json FROM notes")]
    return [note for note in found if note["kind"] == kind]


def check_choices(folder, devices):
    """The evidence has what calibration tried: algorithms and workspaces, timed, and the best chosen."""
    chosen = {note["device"]: (note["format"], note["variant"]) for note in notes(folder, "device")}
    trials = {note["device"]: note["trials"] for note in notes(folder, "calibration")}
    assert len(chosen) == len(trials) == devices, (chosen, trials)
    for device, tried in trials.items():
        names = {trial["variant"] for trial in tried}
        # Where a machine is slow, the time for trials is over after the first.
        if len(tried) >= 8:
            assert len({name.split(" tile ")[0] for name in names}) > 1, names
            assert len({name.split(" ws ")[1] for name in names}) > 1, names
        best = max(tried, key=lambda trial: float(trial["per_second"]))
        assert chosen[device] == (best["format"], best["variant"]), (chosen[device], tried)


def check_identities(folder):
    """Who each device is, by the driver and by NVML."""
    for note in notes(folder, "device"):
        assert note["driver"].startswith("CUDA 1") and note["driver"].endswith("; 580.00.00-emulated"), note
        assert note["serial"] and note["bus"].startswith("0000:"), note
        for part in ("PCI ", "VBIOS ", "ECC on", "power limit", " MiB by NVML", "SM clock up to"):
            assert part in note["details"], (part, note)
        assert "NVML calls it" not in note["details"], note


def check(home, folder, env, devices, formats=None):
    """What every audit of this platform owes."""
    with open(f"{folder}/summary.json", encoding="utf-8") as file:
        summary = json.load(file)
    assert summary["verdict"] == "INCONCLUSIVE", summary["verdict"]
    found = {finding["code"]: finding["severity"] for finding in summary["findings"]}
    assert found.get("EMULATED") == "critical", found
    assert len(summary["devices"]) == devices, summary["devices"]
    for device in summary["devices"]:
        assert device["backend"] == "cuda" and device["is_emulated"] and not device["is_lost"], device
        assert device["steps"] > 0 and device["id"].startswith("GPU-"), device
        assert formats is None or device["format"] in formats, device
        assert device["variant"].startswith("lt algo "), device
    assert len({device["id"] for device in summary["devices"]}) == devices
    assert summary["openings"]["drawn"] > 0 and summary["openings"]["failed"] == 0, summary["openings"]
    sizes = [row["bytes"] for row in summary["allreduce"] if row["verified"]]
    assert sizes == ([8 << i for i in range(len(sizes))] if devices > 1 else []), summary["allreduce"]
    assert len(sizes) >= (10 if devices > 1 else 0), summary["allreduce"]
    coupled = summary["coupled"]
    assert coupled["state"] == ("measured" if devices > 1 else "one device"), coupled
    assert coupled["ranks"] == (devices if devices > 1 else 0), coupled
    libraries = {library["name"]: library for note in notes(folder, "libraries") for library in note["libraries"]}
    for name in ("libcuda.so.1", "libcublasLt.so.13", "libnccl.so.2", "libnvidia-ml.so.1"):
        assert len(libraries[name]["sha256"]) == 64 and libraries[name]["path"].startswith("/"), libraries
    check_choices(folder, devices)
    check_identities(folder)
    assert not os.path.exists(f"{folder}/certificate.json")
    petaudit(env, "verify", f"{folder}/test-result.json", "--evidence", f"{folder}/evidence.db")
    assert reports(home) == "", reports(home)
    return summary


def with_fabric(home):
    """The policy, with a fabric proof."""
    path = f"{home}/fabric.yaml"
    with open(policy, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as copy:
        copy.write(file.read().replace("longest_gap_s: 900}", "longest_gap_s: 900, fabric: on}"))
    return path


def audit(home, conditions, devices, *options, formats=None, rule=policy, **more):
    env = environment(home, conditions, **more)
    folder = f"{home}/out{len(os.listdir(home))}"
    begun = time.monotonic()
    petaudit(env, "audit", claim, "--policy", rule, "--devices", "cuda", "--out", folder, *options,
             expected=INCONCLUSIVE)
    print(f"{conditions} {' '.join(options)}: {time.monotonic() - begun:.1f} s")
    return check(home, folder, env, devices, formats)


def check_transport(home, wanted):
    """How states came from GPU to GPU in the latest audit."""
    latest = max((name for name in os.listdir(home) if name.startswith("out")), key=lambda name: int(name[3:]))
    told = [note.get("transport") for note in notes(f"{home}/{latest}", "fabric")]
    assert told == [wanted], told


def one(home):
    """One GPU, with work that runs when it is waited for and with work that runs at once."""
    audit(home, "devices=1", 1)
    audit(home, "devices=1,order=eager", 1)


def bindings(pid):
    """On which processors each thread of a process may run, as the kernel has it."""
    found = set()
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
                found |= {line.split()[1] for line in file if line.startswith("Cpus_allowed_list:")}
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def near(home):
    """The thread that drives a GPU runs near it, and the evidence says so."""
    far, close = sorted(os.sched_getaffinity(0))[:2]
    with open(f"{sources}/tests/emulated_gpu/two_sockets.xml", encoding="utf-8") as file:
        machine = file.read().format(near=close, far=far, near_mask=hex(1 << close), far_mask=hex(1 << far),
                                     both=hex(1 << close | 1 << far))
    with open(f"{home}/machine.xml", "w", encoding="utf-8") as file:
        file.write(machine)
    env = environment(home, "devices=1", HWLOC_XMLFILE=f"{home}/machine.xml", HWLOC_THISSYSTEM="1")
    command = [program, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", f"{home}/out"]
    audit_of = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seen = set()
    while audit_of.poll() is None:
        seen |= bindings(audit_of.pid)
        time.sleep(0.02)
    assert audit_of.returncode == INCONCLUSIVE, audit_of.stderr.read()
    check(home, f"{home}/out", env, 1)
    told = ["; driven from 1 of the 1 processors near it" in note["details"] for note in notes(f"{home}/out", "device")]
    assert told == [True], told
    assert str(close) in seen and str(far) not in seen, seen


def two(home):
    """Two GPUs in one process, each with a thread that drives it and one that watches it."""
    audit(home, "devices=2,seed=3", 2)


def eight(home):
    """Eight GPUs, a thread each."""
    audit(home, "devices=8,memory=48MiB", 8)


def check_planned(home, rule):
    """A plan tells what the fabric proof takes, and counts it."""
    env = environment(home, "devices=2")
    shown = ("audit", claim, "--devices", "cuda", "--plan-only", "--policy")
    plan = json.loads(petaudit(env, *shown, rule, "--json").stdout)
    assert 0 < plan["fabric_s"] < plan["expected_s"], plan
    assert "fabric     about" in petaudit(env, *shown, rule).stdout
    assert json.loads(petaudit(env, *shown, policy, "--json").stdout)["fabric_s"] == 0


def formats(home):
    """Every format. Of the four that dense16 can be proven in each GPU is left one. In each two GPUs exchange what they
    folded, and the witness computes it again."""
    rule = with_fabric(home)
    check_planned(home, rule)
    halves = {"bf16", "fp16", "fp32", "tf32"}
    for first, second in (("bf16", "fp16"), ("tf32", "fp32")):
        without = ("+".join(sorted(halves - {left})) for left in (first, second))
        conditions = "devices=2," + ",".join(f"gpu{i}.without={formats}" for i, formats in enumerate(without))
        summary = audit(home, conditions, 2, "--precision", "bf16", rule=rule)
        assert summary["fabric"]["state"] == "held" and summary["fabric"]["devices"] == 2, summary["fabric"]
        assert [device["format"] for device in summary["devices"]] == [first, second], summary["devices"]
    for precision in ("fp8", "int8", "fp64"):
        summary = audit(home, "devices=2", 2, "--precision", precision, formats={precision}, rule=rule)
        assert summary["fabric"]["state"] == "held", summary["fabric"]
        check_transport(home, "nccl")
    summary = audit(home, "devices=2", 2, "--precision", "int8", rule=rule, PETAUDIT_ALLREDUCE="shm")
    assert summary["fabric"]["state"] == "held", summary["fabric"]
    check_transport(home, "shm")


def older(home):
    """Older GPUs and drivers: what they lack is refused with the reason, the rest is proven."""
    audit(home, "devices=1,sm=75,driver=12000", 1, formats={"fp16", "fp32"})
    env = environment(home, "devices=1,sm=80")
    listed = json.loads(petaudit(env, "devices", "--json").stdout)["devices"][0]
    told = {entry["format"]: entry for entry in listed["formats"]}
    assert not told["fp8"]["runs"] and "8.9" in told["fp8"]["why_not"], told["fp8"]
    assert told["bf16"]["runs"] and told["bf16"]["peak_pflops"] > 0, told["bf16"]
    listed = petaudit(environment(home, "devices=1,driver=11040"), "devices").stdout
    assert "cuda: the driver is made for CUDA 11.4" in listed, listed


def absent(home):
    """Without a driver, or with one that shows nothing, one line says why and the processor is still there."""
    linked = subprocess.run(["readelf", "--dynamic", program], capture_output=True, text=True, check=True).stdout
    assert "NEEDED" in linked and not re.search(r"NEEDED.*(cuda|cublas|nccl|nvidia|nvrtc)", linked), linked
    env = environment(home, "devices=1")
    del env["LD_LIBRARY_PATH"]
    if not os.path.exists("/dev/nvidiactl"):
        listed = petaudit(env, "devices").stdout
        assert "\ncuda: libcuda.so.1" in listed and "cpu:0" in listed, listed
        run = petaudit(env, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", f"{home}/none",
                       expected=UNAVAILABLE)
        assert "cuda: libcuda.so.1" in run.stderr, run.stderr
    # A copy that broke off is refused by its name, before the loader maps what is not there.
    os.mkdir(f"{home}/half")
    with open(f"{platform}/libcuda.so.1", "rb") as file, open(f"{home}/half/libcuda.so.1", "wb") as half:
        half.write(file.read(65536))
    listed = petaudit(environment(home, "devices=1", LD_LIBRARY_PATH=f"{home}/half"), "devices").stdout
    assert f"\ncuda: {home}/half/libcuda.so.1 is cut short" in listed and "cpu:0" in listed, listed
    listed = petaudit(environment(home, "devices=0"), "devices").stdout
    assert "\ncuda: " in listed and "cpu:0" in listed, listed
    listed = petaudit(environment(home, "devices=1,fault=cuInit:*:code=34"), "devices").stdout
    assert "\ncuda: libcuda.so.1 is the toolkit's stub" in listed, listed
    for hidden in ("", "-1", "7", "GPU-0", "nonsense", "1,,0,0"):
        env = environment(home, "devices=2", CUDA_VISIBLE_DEVICES=hidden)
        listed = json.loads(petaudit(env, "devices", "--json").stdout)
        names = [device["name"] for device in listed["devices"] if device["backend"] == "cuda"]
        assert names == (["Emulated GPU 1"] if hidden[:1] == "1" else []), (hidden, names)
        assert names or "CUDA_ERROR_NO_DEVICE" in json.dumps(listed["absent"]), listed


def incomplete(home):
    """Libraries that are there and broken: each is named with the loader's words, and the rest goes on without."""
    folder = f"{home}/libraries"
    os.mkdir(folder)
    os.symlink(f"{platform}/libcuda.so.1", f"{folder}/libcuda.so.1")
    for name in ("libcublasLt.so.13", "libcublasLt.so.12", "libnccl.so.2", "libnvidia-ml.so.1"):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write("no library\n")
    env = environment(home, "devices=1", LD_LIBRARY_PATH=folder)
    listed = petaudit(env, "devices").stdout
    for line in ("  bf16  no: ", "  without telemetry: ", "  without all-reduce: "):
        assert re.search(f"^{line}.*/lib.*so[.].*: (file too short|invalid ELF header)", listed, re.M), listed
    # The older cuBLASLt is taken where the younger one cannot be loaded.
    os.unlink(f"{folder}/libcublasLt.so.12")
    os.symlink(f"{platform}/libcublasLt.so.13", f"{folder}/libcublasLt.so.12")
    out = f"{home}/out"
    petaudit(env, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", out, expected=INCONCLUSIVE)
    names = {library["name"] for note in notes(out, "libraries") for library in note["libraries"]}
    assert names == {"libcuda.so.1", "libcublasLt.so.12"}, names
    assert reports(home) == "", reports(home)


def selftest(home):
    """Every known answer that a device can compute, computed by the device."""
    env = environment(home, "devices=2")
    report = json.loads(petaudit(env, "selftest", "--devices", "cuda", "--json").stdout)
    exact = {(e["device"], e["class"], e["format"]) for e in report["exactness"] if e["result"] == "exact"}
    assert report["passed"] and len({device for device, _, _ in exact}) == 2, report
    assert {f for _, _, f in exact} == FORMATS, exact
    report = json.loads(petaudit(env, "selftest", "--devices", "cuda", "--vectors", vectors, "--json").stdout)
    told = {(entry["device"], entry["format"]): entry for entry in report["devices"]}
    assert report["passed"] and len(told) == 2 * len(FORMATS), report["devices"]
    # Operands, a digest, chains of the class and their states: tens of comparisons, none of them wrong.
    assert all(entry["checks"] > 50 and entry["mismatches"] == 0 for entry in told.values()), report["devices"]
    assert reports(home) == "", reports(home)
    # A device that computes nothing has not passed.
    env = environment(home, "devices=2,fault=cuDeviceGetUuid_v2@1:*:code=999")
    run = petaudit(env, "selftest", "--devices", "cuda", "--vectors", vectors, "--json", expected=1)
    report = json.loads(run.stdout)
    silent = [entry for entry in report["devices"] if entry["checks"] == 0]
    assert not report["passed"] and [entry["device"] for entry in silent] == ["cuda:1"], report["devices"]
    assert "cuDeviceGetUuid_v2: 999" in silent[0]["first_mismatch"], silent


def wait_for(process, log, text):
    deadline = time.monotonic() + 240
    while text not in open(log, encoding="utf-8").read():
        assert time.monotonic() < deadline and process.poll() is None, open(log, encoding="utf-8").read()
        time.sleep(0.01)


def resumed(home):
    """Chains that died with their process are computed again. A GPU that hangs in that is given up, and another one does
    it; where there is none the audit ends without a result, and is resumed once the GPU works."""
    many = f"{home}/policy.yaml"  # epochs, so that it is still at their chains when it is ordered to hang
    with open(policy, encoding="utf-8") as file, open(many, "w", encoding="utf-8") as copy:
        copy.write(file.read().replace("window_s: 0.2, epoch_s: 0.1,", "window_s: 1.2, epoch_s: 0.2,"))
    for devices, status in ((2, INCONCLUSIVE), (1, UNAVAILABLE)):
        out, log, trigger = f"{home}/out{devices}", f"{home}/log{devices}", f"{home}/hang{devices}"
        hang = f"devices={devices},memory=32MiB,fault=cuEventQuery@0:1:hang:when={trigger}"
        env = environment(home, hang, PETAUDIT_PATIENCE="3s")
        command = [program, "audit", claim, "--policy", many, "--devices", "cuda", "--out", out]
        with open(log, "w", encoding="utf-8") as file:
            first = subprocess.Popen(command, env=env, stdout=file, stderr=file)
        wait_for(first, log, "epoch 6")
        first.kill()
        first.wait()
        with open(log, "w", encoding="utf-8") as file:
            second = subprocess.Popen([program, "audit", "--resume", out, "--devices", "cuda"], env=env, stdout=file, stderr=file)
        wait_for(second, log, "computing")
        open(trigger, "w", encoding="utf-8").close()
        begun = time.monotonic()
        code = second.wait(timeout=240)
        said = open(log, encoding="utf-8").read()
        assert code == status, (code, said)
        assert time.monotonic() - begun > 2.9, "it did not hang"
        assert "cuEventQuery has not come back for" in said, said
        if status == UNAVAILABLE:
            assert "audit --resume" in said and not os.path.exists(f"{out}/summary.json"), said
            well = environment(home, f"devices={devices},memory=32MiB")
            petaudit(well, "audit", "--resume", out, "--devices", "cuda", expected=INCONCLUSIVE)
        with open(f"{out}/summary.json", encoding="utf-8") as file:
            summary = json.load(file)
        assert summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"]
        assert [device["is_lost"] for device in summary["devices"]] == [True, False][:devices], summary["devices"]


def cut_off(home, place, noted):
    """One audit that is killed there, with `noted` behind it, and resumed."""
    os.mkdir(home)
    out, absent = f"{home}/out", "devices=2,memory=32MiB,gpu1.told=128MiB"
    petaudit(environment(home, f"{absent},fault={place}"), "audit", claim, "--policy", policy, "--devices", "cuda",
             "--out", out, expected=-signal.SIGKILL)
    parts = ("attestation", "raw", "memory", "allreduce", "coupled")
    before = {part: notes(out, part) for part in parts}
    assert {part for part in parts if before[part]} == noted, (place, before)
    env = environment(home, absent)
    petaudit(env, "audit", "--resume", out, "--devices", "cuda", expected=INCONCLUSIVE)
    after = {part: notes(out, part) for part in parts}
    for part in noted:
        assert after[part] == before[part], (place, part, after[part])
    counts = {part: len(after[part]) for part in ("attestation", "raw", "memory", "coupled")}
    assert counts == {"attestation": 2, "raw": 2, "memory": 2, "coupled": 1}, (place, counts)
    with open(f"{out}/summary.json", encoding="utf-8") as file:
        summary = json.load(file)
    found = {finding["code"] for finding in summary["findings"]}
    assert "MEMORY_ABSENT" in found and "MEMORY_PROOF_FAILED" not in found, found
    sizes = [row["bytes"] for row in summary["allreduce"] if row["verified"]]
    assert sizes == [8 << i for i in range(len(sizes))] and len(sizes) >= 10, summary["allreduce"]
    assert summary["coupled"]["state"] == "measured", summary["coupled"]
    petaudit(env, "verify", f"{out}/test-result.json", "--evidence", f"{out}/evidence.db")


def unfinished(home):
    """An audit that is killed after its epochs, in each of the parts that follow: what was noted stays, what was not is
    measured when it is resumed. Memory that is not there is found all the same."""
    after_reports = {"attestation", "raw"}
    places = (("cuMemAlloc_v2@0:1:die:after=nvmlDeviceGetConfComputeGpuAttestationReport/2", after_reports),
              ("ncclAllReduce@0:20:die", after_reports | {"memory"}),
              ("ncclAllReduce@0:1:die:after=ncclCommInitRankConfig/3", after_reports | {"memory", "allreduce"}))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda i: cut_off(f"{home}/{i}", *places[i]), range(len(places))))


def several(home, conditions, devices, visible=None):
    """Two processes on one host, each of which sees all GPUs, or those that its launcher left it."""
    folder = f"{home}/site{len(os.listdir(home))}"
    ranks = []
    for rank in range(2):
        env = environment(home, conditions, PETAUDIT_RANK=str(rank), PETAUDIT_SIZE="2",
                          PETAUDIT_LOCAL_RANK=str(rank), PETAUDIT_LOCAL_SIZE="2")
        if visible:
            env["CUDA_VISIBLE_DEVICES"] = visible[rank]
        command = [program, "audit", claim, "--policy", policy, "--devices", "cuda", "--out", folder]
        ranks.append(subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    words = [rank.communicate(timeout=240)[1] for rank in ranks]
    codes = [rank.returncode for rank in ranks]
    assert codes == [INCONCLUSIVE, 0], (codes, words)
    return check(home, folder, environment(home, conditions), devices)


def processes(home):
    """Two processes share eight GPUs."""
    several(home, "devices=8,memory=48MiB", 8)


def launched(home):
    """Two processes, each of which was given one of two GPUs, as Slurm and Kubernetes do."""
    summary = several(home, "devices=2", 2, visible=("1", "GPU-70657461-7564-6974-2d65-6d756c000000"))
    assert [device["name"][-1] for device in summary["devices"]] == ["1", "0"], summary["devices"]


def everything(home):
    """--devices all: GPUs and the processor in one audit; the all-reduce is among the GPUs, and says so."""
    env = environment(home, "devices=2")
    folder = f"{home}/all"
    petaudit(env, "audit", claim, "--policy", policy, "--devices", "all", "--out", folder, expected=INCONCLUSIVE)
    with open(f"{folder}/summary.json", encoding="utf-8") as file:
        summary = json.load(file)
    assert [d["backend"] for d in summary["devices"]] == ["cuda", "cuda", "cpu"], summary["devices"]
    assert all(d["steps"] > 0 for d in summary["devices"]), summary["devices"]
    assert [d["is_emulated"] for d in summary["devices"]] == [True, True, False], summary["devices"]
    assert "ALLREDUCE_PARTIAL" in {finding["code"] for finding in summary["findings"]}, summary["findings"]


WAYS = {f.__name__: f for f in (one, near, two, eight, formats, older, absent, incomplete, selftest, processes, launched, everything, resumed, unfinished)}
with tempfile.TemporaryDirectory() as folder_of_all:
    WAYS[way](folder_of_all)
