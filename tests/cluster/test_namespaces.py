#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_namespaces.py PETAUDIT WAY - three hosts as network namespaces of one machine, with names and addresses of their own.

layers: two ranks of mpirun on each; the all-reduce goes inside of the hosts first, then across.
mpirun: ranks that mpirun starts on all three; the one on the third host is killed in the middle.
cut:    processes started by hand with --hub and no folder in common; the third host loses its network in the middle.
killed: the same; everything that runs on the third host is killed, as when its power is cut.
witnessed: the witness alone on the first host, behind 10 ms of delay each way, hub and worker on the two others; somebody
        who has no network at all verifies what came out of it.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from cluster_site import Hall, check

program, way = sys.argv[1:]
TAG = f"pa{os.getpid() % 100000}"
HOSTS = ("alpha", "beta", "gamma")
LOST = 2


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Network:
    """A bridge and a namespace a host, 10.213.X.1 to .3; all of it is gone at the end."""

    def __init__(self):
        # What a test that was killed left behind must not answer for us.
        taken = run("ip", "-br", "address")
        numbers = ((os.getpid() + i) % 250 for i in range(250))
        self.bridge, self.net = f"{TAG}b", next(f"10.213.{n}" for n in numbers if f" 10.213.{n}." not in taken)

    def space(self, host):
        return f"{TAG}{HOSTS[host][0]}"

    def address(self, host):
        return f"{self.net}.{host + 1}"

    def __enter__(self):
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "addr", "add", f"{self.net}.100/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")
        for host in range(len(HOSTS)):
            space = self.space(host)
            run("ip", "netns", "add", space)
            run("ip", "link", "add", f"{space}v", "type", "veth", "peer", "name", "eth0", "netns", space)
            run("ip", "link", "set", f"{space}v", "master", self.bridge, "up")
            run("ip", "-n", space, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
            run("ip", "-n", space, "link", "set", "eth0", "up")
            run("ip", "-n", space, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for host in range(len(HOSTS)):
            self.kill_all(host)
            subprocess.run(["ip", "netns", "del", self.space(host)], check=False)
        subprocess.run(["ip", "link", "del", self.bridge], check=False)

    def on(self, host):
        """What a command needs in front to run there; the name of the host is its own, too."""
        return ("ip", "netns", "exec", self.space(host), "unshare", "--uts", "sh", "-c",
                f"hostname {HOSTS[host]} && exec \"$@\"", "on")

    def pids(self, host):
        return [int(pid) for pid in run("ip", "netns", "pids", self.space(host)).split()]

    def kill_all(self, host):
        for pid in self.pids(host):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def cut(self, host):
        """As a pulled cable: nothing arrives any more, and nobody is told."""
        run("ip", "link", "set", f"{self.space(host)}v", "nomaster")


def expect(hall, why):
    hall.verify()
    summary = hall.summary()
    check(summary["verdict"] == "INCONCLUSIVE", summary["reason"])  # a TEST shape is never more
    check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"])
    devices = summary["devices"]
    check([device["host"] for device in devices] == list(HOSTS), devices)
    check([device["is_lost"] for device in devices] == [False, False, True], devices)
    check(all(device["steps"] > 0 for device in devices), devices)
    check(devices[LOST]["lost_text"].startswith(f"rank 2 on gamma: {why}"), devices[LOST]["lost_text"])
    check("rank 2 on gamma is lost" in hall.log(), hall.log())
    check([note["hosts"] for note in hall.notes("ranks")] == [list(HOSTS)], hall.notes("ranks"))


def start_mpirun(hall, network, ranks, *options):
    agent = hall.path("agent")
    with open(agent, "w", encoding="utf-8") as file:
        # mpirun calls: agent [options] ADDRESS command...
        lines = "".join(f"{network.address(host)}) set -- {network.space(host)} {HOSTS[host]} \"$@\" ;;\n"
                        for host in range(len(HOSTS)))
        file.write(f"""#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
where=$1; shift
case $where in
{lines}*) echo "no host $where" >&2; exit 1 ;;
esac
space=$1 name=$2; shift 2
exec ip netns exec "$space" unshare --uts sh -c "hostname $name; $*"
""")
    os.chmod(agent, 0o755)
    mask = f"{network.net}.0/24"
    hosts = ",".join(network.address(host) for host in range(len(HOSTS)))
    return hall.start(
        ["mpirun", "--allow-run-as-root", "--oversubscribe", *options, "-np", str(ranks), "--host", hosts,
         "--map-by", "node", "--bind-to", "none", "--mca", "plm_rsh_agent", agent, "--mca", "btl", "tcp,self", "--mca",
         "btl_tcp_if_include", mask, "--mca", "oob_tcp_if_include", mask, "-x", "HOME", "-x", "NO_COLOR", "-x",
         "PETAUDIT_TEST_SHAPE", "-x", "PETAUDIT_HEARTBEAT", program, "audit", *hall.arguments()], "rank0.log")


def by_mpirun(hall, network):
    process = start_mpirun(hall, network, len(HOSTS), "--enable-recovery")
    hall.wait_for("epoch 2", process=process)
    victims = [pid for pid in network.pids(LOST)
               if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == os.path.basename(program)]
    check(len(victims) == 1, f"{victims} run there")
    os.kill(victims[0], signal.SIGKILL)
    hall.end(process, range(256))  # mpirun's status is that of the dead
    expect(hall, "its connections ended")
    # MPI cannot go on without one of its world, and would wait for it: the all-reduce is marked as lost.
    codes = [finding["code"] for finding in hall.summary()["findings"]]
    check("ALLREDUCE_FAILED" in codes and not hall.summary()["allreduce"], codes)
    host = hall.notes("host")[0]
    check(host["launcher"] == "openmpi" and host["size"] == 3 and host["job"] != "", host)


def in_layers(hall, network):
    process = start_mpirun(hall, network, 2 * len(HOSTS))
    hall.end(process, (2,))
    hall.verify()
    summary = hall.summary()
    check(sorted(device["host"] for device in summary["devices"]) == sorted(2 * HOSTS), summary["devices"])
    rows = summary["allreduce"]
    check(len(rows) >= 10 and all(row["verified"] and row["ranks"] == 6 for row in rows), rows)
    coupled = summary["coupled"]
    check(coupled["state"] == "measured" and coupled["ranks"] == 6 and coupled["hosts"] == 3, coupled)
    check(0 <= coupled["loss"] < 1 and coupled["pflops"] > 0, coupled)
    check([note["transport"] for note in hall.notes("coupled")] == ["mpi"], hall.notes("coupled"))


def hub_of(hall, process):
    """The address that the hub wrote, token and all."""
    deadline = time.monotonic() + 120
    while not os.path.exists(os.path.join(hall.out, "hub.json")):
        check(process.poll() is None and time.monotonic() < deadline, hall.log())
        time.sleep(0.05)
    with open(os.path.join(hall.out, "hub.json"), encoding="utf-8") as file:
        return json.load(file)["hub"]


def by_hand(hall, network, is_cut):
    # Nothing in common but the address: each host has a folder of its own.
    ranks = [hall.start_rank(0, 3, *hall.arguments(), "--hub", f"{network.address(0)}:0", prefix=network.on(0))]
    hub = hub_of(hall, ranks[0])
    check(hub.startswith(f"https://{network.address(0)}:"), hub)
    for rank in (1, 2):
        ranks.append(hall.start_rank(rank, 3, hall.path("claim.yaml"), "--devices", "cpu", "--hub", hub,
                                     "--out", hall.path(f"out{rank}"), prefix=network.on(rank)))
    hall.wait_for("epoch 2", process=ranks[0])
    if is_cut:
        network.cut(LOST)
    else:
        network.kill_all(LOST)
    hall.end(ranks[0], (2,))
    hall.end(ranks[1], (0,), "rank1.log")
    expect(hall, "nothing heard from it for" if is_cut else "its connections ended")
    if is_cut:
        hall.end(ranks[LOST], (69,), "rank2.log")  # it does not wait for ever, either
        check("cannot reach the hub" in hall.log("rank2.log") or "in time" in hall.log("rank2.log"),
              hall.log("rank2.log"))


class Line(threading.Thread):
    """Between all hosts and one of them: what comes is passed on 10 ms later, in both directions."""

    DELAY_S = 0.01

    def __init__(self, host, port, to):
        super().__init__(daemon=True)
        self.to, self.listener, self.connections = to, socket.create_server((host, port)), 0
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            near, _ = self.listener.accept()
            self.connections += 1
            far = socket.create_connection(self.to)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(source, target), daemon=True).start()

    def pump(self, source, target):
        try:
            while data := source.recv(1 << 16):
                time.sleep(self.DELAY_S)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            target.close()


def by_witness(hall, network):
    with open(hall.path("quick.yaml"), encoding="utf-8") as file:
        policy = file.read()
    with open(hall.path("quick.yaml"), "w", encoding="utf-8") as file:
        file.write(policy.replace("assurance: self", "assurance: witnessed"))
    # Nothing in common with the site but the line: a home, a key and a store of its own.
    auditor = hall.path("auditor")
    os.mkdir(auditor)
    subprocess.run([program, "keygen", f"{auditor}/key"], env={**hall.env, "HOME": auditor}, check=True, capture_output=True)
    witness = hall.start([*network.on(0), program, "witness", "--key", f"{auditor}/key", "--store", f"{auditor}/store", "--listen",
                          f"{network.address(0)}:0", "--live", "off"], "witness.log", HOME=auditor)
    hall.wait_for("#", "witness.log", process=witness)
    url = re.search(r"https://[0-9.]+:([0-9]+)#([0-9a-f]{64})", hall.log("witness.log"))
    line = Line(f"{network.net}.100", 0, (network.address(0), int(url[1])))
    hub = hall.start_rank(0, 2, *hall.arguments(), "--hub", f"{network.address(1)}:0", "--witness",
                          f"https://{network.net}.100:{line.port}#{url[2]}", prefix=network.on(1))
    address = hub_of(hall, hub)
    worker = hall.start_rank(1, 2, hall.path("claim.yaml"), "--devices", "cpu", "--hub", address, "--out", hall.path("out1"),
                             prefix=network.on(2))
    hall.end(hub, (2,))
    hall.end(worker, (0,), "rank1.log")
    check(line.connections > 0, "the witness was asked by another way")
    summary = hall.summary()
    check(summary["assurance"] == "witnessed" and summary["verdict"] == "INCONCLUSIVE", summary["reason"])
    check(summary["openings"]["failed"] == 0 and summary["openings"]["missing"] == 0, summary["openings"])
    check([device["host"] for device in summary["devices"]] == list(HOSTS[1:]), summary["devices"])
    check(all(device["steps"] > 0 and not device["is_lost"] for device in summary["devices"]), summary["devices"])
    # A third machine, which reaches nobody and has three files.
    with tempfile.TemporaryDirectory() as third:
        for path in (f"{hall.out}/test-result.json", f"{hall.out}/evidence.db", f"{auditor}/key.pub"):
            shutil.copy(path, third)
        done = subprocess.run(["unshare", "--net", program, "verify", f"{third}/test-result.json", "--evidence",
                               f"{third}/evidence.db", "--trust", f"{third}/key.pub"], env={**hall.env, "HOME": third},
                              capture_output=True, text=True, timeout=300, check=False)
    check(done.returncode == 0 and "witness" in done.stdout, f"verify ended with {done.returncode}:\n{done.stdout}{done.stderr}")


check(os.geteuid() == 0 and shutil.which("ip") is not None, "network namespaces need root and iproute2")
with tempfile.TemporaryDirectory() as home, Hall(home, program, window_s=3) as hall, Network() as network:
    if way == "witnessed":
        by_witness(hall, network)
    elif way == "mpirun":
        by_mpirun(hall, network)
    elif way == "layers":
        in_layers(hall, network)
    else:
        by_hand(hall, network, way == "cut")
