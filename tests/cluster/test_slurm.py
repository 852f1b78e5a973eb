#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_slurm.py PETAUDIT SBATCH - audits under a real Slurm of four nodes on this machine.

munged, slurmctld and four slurmd are started here, with a configuration of their own, and stopped again. One audit is
whole; in the next everything that runs on one node is killed in the middle (slurmd, its step daemon, its rank); a
third is a batch job by contrib/slurm/petaudit.sbatch whose hub is killed and that goes on by itself.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cluster_site import Hall, LIMIT_S, check

program, sbatch = sys.argv[1:]
NODES = 4
HOST = socket.gethostname().split(".")[0]
CONF = """ClusterName=petaudit
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerType=sched/backfill
MpiDefault=none
ReturnToService=2
SlurmdTimeout=300
KillWait=5
SchedulerParameters=sched_interval=1,requeue_delay=1
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} State=UNKNOWN
PartitionName=hall Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=YES State=UP
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, **options)
    check(done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def free_ports(count):
    """So many free ports in a row."""
    for first in range(20000 + os.getpid() % 20000, 60000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise SystemExit("FAILED: no free ports")


class Slurm:
    """Its daemons in the foreground as our children, so that none outlives the test."""

    def __init__(self, folder, hall):
        self.folder, self.hall, self.nodes = folder, hall, {}
        self.conf = os.path.join(folder, "slurm.conf")
        hall.env["SLURM_CONF"] = self.conf
        for name in ("munge", "state"):
            os.mkdir(os.path.join(folder, name), 0o700)
        for node in range(1, NODES + 1):
            for name in ("spool", "tmp"):
                os.mkdir(os.path.join(folder, f"{name}.n{node}"))

    def __enter__(self):
        # munged wants a directory that others may enter for its socket, and a key that they may not read.
        munge = os.path.join(self.folder, "munge")
        os.chmod(munge, 0o711)
        key = os.path.join(munge, "key")
        with open(key, "wb") as file:
            file.write(os.urandom(128))
        os.chmod(key, 0o400)
        self.hall.start(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}/socket",
                         f"--pid-file={munge}/pid", f"--seed-file={munge}/seed", f"--log-file={munge}/log"],
                        "munged.log")
        self.until(lambda: os.path.exists(f"{munge}/socket"), "munged does not start")
        first = free_ports(NODES + 1)
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(CONF.format(host=HOST, folder=self.folder, nodes=NODES, control=first, first=first + 1,
                                   last=first + NODES, cpus=os.cpu_count()))
        self.hall.start(["slurmctld", "-D", "-i"], "slurmctld.out")
        for node in range(1, NODES + 1):
            self.start_node(node)
        self.until(lambda: self.states() == {f"n{node}": "idle" for node in range(1, NODES + 1)},
                   "the nodes do not come up")
        return self

    def start_node(self, node):
        self.nodes[node] = self.hall.start(["slurmd", "-D", "-N", f"n{node}"], f"slurmd{node}.out")

    def __exit__(self, *_):
        subprocess.run(["scancel", "--me"], env=self.hall.env, capture_output=True, check=False)
        for node in self.nodes:
            self.kill_node(node)

    def states(self):
        done = subprocess.run(["sinfo", "-h", "-N", "-o", "%N %T"], env=self.hall.env, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        return dict(line.split() for line in done.stdout.splitlines())

    def resume_nodes(self):
        """A node whose death the controller noticed only now is there again, and would be left out."""
        for node, state in self.states().items():
            if state.startswith(("down", "drain")):
                subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"], env=self.hall.env, capture_output=True,
                               check=False)

    def until(self, holds, what):
        deadline = time.monotonic() + 120
        while not holds():
            logs = ("munged.log", "slurmctld.log", "slurmctld.out", "slurmd.n1.log", "slurmd1.out")
            check(time.monotonic() < deadline,
                  what + "".join(f"\n--- {name}\n{self.hall.log(name)[-2000:]}" for name in logs))
            time.sleep(0.1)

    def pids(self, node):
        """The processes that jobs of this Slurm have on a node."""
        found, mark = [], f"SLURMD_NODENAME=n{node}".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    variables = file.read().split(b"\0")
            except OSError:
                continue
            if mark in variables and f"SLURM_CONF={self.conf}".encode() in variables:
                found.append(int(pid))
        return found

    def kill_node(self, node):
        """As when its power is cut."""
        self.nodes[node].kill()
        self.nodes[node].wait()
        for pid in self.pids(node):
            # With the rank its step daemon: it is the parent.
            for victim in (parent_of(pid), pid):
                if victim > 1 and name_of(victim) in ("slurmstepd", os.path.basename(program)):
                    kill(victim)


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def srun(hall, out):
    return hall.start(["srun", "-N", str(NODES), "-n", str(NODES), "--no-kill", "--kill-on-bad-exit=0", "--wait=0", program,
                       "audit", hall.path("claim.yaml"), "--devices", "cpu", "--out", out], f"{os.path.basename(out)}.log")


def expect(hall, lost):
    hall.verify()
    summary = hall.summary()
    check(summary["verdict"] == "INCONCLUSIVE", summary["reason"])  # a TEST shape is never more
    check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"])
    devices = summary["devices"]
    check([device["is_lost"] for device in devices] == [rank == lost for rank in range(NODES)], devices)
    check(all(device["steps"] > 0 for device in devices), devices)
    host = hall.notes("host")[0]
    check(host["launcher"] == "slurm" and host["size"] == NODES and host["nodes"] == f"n[1-{NODES}]", host)
    check(host["job"].isdigit(), host)
    return devices


def whole(hall):
    hall.out = hall.path("whole")
    hall.end(srun(hall, hall.out), (2,), "whole.log")
    expect(hall, lost=None)
    rows = hall.summary()["allreduce"]
    check(rows and all(row["verified"] for row in rows), rows)


def one_node_killed(hall, slurm):
    hall.out = hall.path("node")
    step = srun(hall, hall.out)
    hall.wait_for("epoch 2", "node.log", step)
    slurm.kill_node(3)
    deadline = time.monotonic() + LIMIT_S
    while not os.path.exists(os.path.join(hall.out, "report.pdf")):
        check(time.monotonic() < deadline, hall.log("node.log"))
        time.sleep(0.1)
    slurm.until(lambda: "certificate)" in hall.log("node.log"), "the audit does not end")
    devices = expect(hall, lost=2)
    check("rank 2 on" in hall.log("node.log"), hall.log("node.log"))
    check(devices[2]["lost_text"].startswith("rank 2 on"), devices[2])
    # srun itself waits for a node that does not answer; the job is done for us.
    step.terminate()
    step.wait()
    subprocess.run(["scancel", "--me"], env=hall.env, capture_output=True, check=False)
    slurm.start_node(3)
    slurm.until(lambda: slurm.states().get("n3") == "idle", "n3 does not come back")


def hub_killed(hall, slurm):
    hall.out = hall.path("batch")
    job = run("sbatch", "--nodes", str(NODES), "--output", hall.path("batch.log"), "--chdir", hall.folder, sbatch,
        hall.path("claim.yaml"), "--devices", "cpu",
        env={**hall.env, "OUT": hall.out, "PETAUDIT": program}).split()[-1]
    hall.wait_for("epoch 2", "batch.log")
    # The hub is the one that holds the evidence open.
    hubs = [int(pid) for pid in filter(str.isdigit, os.listdir("/proc"))
            if name_of(int(pid)) == os.path.basename(program) and holds(pid, os.path.join(hall.out, "evidence.db"))]
    check(len(hubs) == 1, f"hubs: {hubs}")
    kill(hubs[0])
    pending_since = None
    deadline = time.monotonic() + LIMIT_S
    while not os.path.exists(os.path.join(hall.out, "report.pdf")):
        if time.monotonic() > deadline:
            shown = [subprocess.run(c, env=hall.env, capture_output=True, text=True, check=False).stdout
                     for c in (["sinfo", "-N", "-l"], ["sinfo", "-R"], ["scontrol", "show", "job", job])]
            check(False, "\n".join([hall.log("batch.log"), *shown, hall.log("slurmctld.log")[-3000:]]))
        slurm.resume_nodes()
        # A job that was put back into the queue waits two minutes, of which some seconds are needed: while what it ran
        # before is still ending, the controller would take that end for the end of the new run.
        state = subprocess.run(["squeue", "-h", "-j", job, "-o", "%T"], env=hall.env, capture_output=True, text=True,
                               check=False)
        is_pending = state.stdout.strip() == "PENDING"
        pending_since = (pending_since or time.monotonic()) if is_pending else None
        if is_pending and time.monotonic() - pending_since > 5 and not any(slurm.pids(node) for node in slurm.nodes):
            subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], env=hall.env, capture_output=True,
                           check=False)
        time.sleep(0.3)
    expect(hall, lost=None)
    codes = [finding["code"] for finding in hall.summary()["findings"]]
    check("INTERRUPTED" in codes, codes)


def holds(pid, path):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") == path for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


check(os.geteuid() == 0, "Slurm's daemons need root")
for needed in ("munged", "slurmctld", "slurmd", "srun", "sbatch"):
    check(shutil.which(needed) is not None, f"{needed} is not installed")
with tempfile.TemporaryDirectory() as home:
    os.chmod(home, 0o755)
    with Hall(home, program, window_s=3) as hall, Slurm(home, hall) as slurm:
        began = time.monotonic()
        whole(hall)
        print(f"whole: {time.monotonic() - began:.1f} s")
        one_node_killed(hall, slurm)
        print(f"node killed: {time.monotonic() - began:.1f} s")
        hub_killed(hall, slurm)
        print(f"hub killed: {time.monotonic() - began:.1f} s")
