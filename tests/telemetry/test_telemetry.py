#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`audit --telemetry` as Prometheus sees it: promtool reads the file, a server scrapes the endpoint while an audit runs and
answers every query of the dashboard.

    test_telemetry.py PETAUDIT TOP
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

PATIENCE_S = 240
CLAIM = """center: a test
capacity: {value: 1, unit: MFLOPS, precision: fp32}
policy: policy.yaml
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def audit(petaudit, folder, telemetry, duration):
    environment = dict(os.environ, PETAUDIT_TEST_SHAPE="256x256x256", XDG_CONFIG_HOME=os.path.join(folder, "config"),
                       PETAUDIT_PATIENCE="600s")
    os.makedirs(environment["XDG_CONFIG_HOME"], exist_ok=True)
    out = os.path.join(folder, "out-" + re.sub(r"\W", "_", telemetry)[-40:])
    return subprocess.Popen([petaudit, "audit", os.path.join(folder, "claim.yaml"), "--devices", "cpu", "--duration", duration,
                             "--out", out, "--telemetry", telemetry], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def finish(process):
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2, f"exit {process.returncode}\n{out}\n{errors}"  # a TEST result
    return errors


def samples(text):
    """{name: {labels: value}} of an OpenMetrics text, whose form is checked as well."""
    assert text.endswith("# EOF\n") and text.count("# EOF") == 1, text[-200:]
    found, family = {}, None
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            family = line.split()[2]
            assert family not in found, f"{family} comes twice"
            found[family] = {}
        elif line.startswith("# UNIT "):
            assert line.split()[2] == family and family.endswith("_" + line.split()[3]), line
        elif not line.startswith("# HELP "):
            match = re.fullmatch(r'([a-z_]+)(\{.*\})? (\S+)', line)
            assert match and match.group(1) == family, line
            assert (match.group(2) or "") not in found[family], f"a sample twice: {line}"
            found[family][match.group(2) or ""] = float(match.group(3))
    return found


def check_file(petaudit, folder):
    path = os.path.join(folder, "petaudit.prom")
    finish(audit(petaudit, folder, path, "2s"))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = samples(text)
    assert found["petaudit_epochs_closed"][""] == found["petaudit_epochs_declared"][""] == 2, found
    assert sum(found["petaudit_phase"].values()) == 1
    (labels, rate), = found["petaudit_device_operations_per_second"].items()
    assert rate > 0 and rate == found["petaudit_operations_per_second"][""]
    assert re.fullmatch(r'\{gpu="0",UUID="cpu:0",modelName="[^"]+",Hostname="[^"]+"\}', labels), labels
    assert found["petaudit_device_steps"][labels] > 0 and found["petaudit_device_lost"][labels] == 0
    assert "petaudit_device_ecc_corrected" not in found, "a processor tells no ECC errors"
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    # The labels are those of NVIDIA's exporter, which promtool's taste does not share; nothing else may be wrong.
    said = [line for line in (checked.stdout + checked.stderr).splitlines() if line.strip()]
    taste = "label names should be written in 'snake_case' not 'camelCase'"
    assert checked.returncode in (0, 3) and all(taste in line for line in said), said
    assert os.listdir(folder).count("petaudit.prom") == 1
    assert not [name for name in os.listdir(folder) if name.startswith("petaudit.prom.")], "a part of a file was left"


def ask(port, path, **query):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
        return json.load(answer)["data"]


def value_of(port, expression):
    result = ask(port, "/api/v1/query", query=expression)["result"]
    return float(result[0]["value"][1]) if result else None


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come within {PATIENCE_S} s")


def check_refusals(port):
    for path, method, status in (("/", "GET", 404), ("/metrics/x", "GET", 404), ("/metrics", "PUT", 405)):
        try:
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=30)
            raise AssertionError(f"{method} {path} was answered")
        except urllib.error.HTTPError as refused:
            assert refused.code == status, refused


def check_dashboard(top, server):
    with open(os.path.join(top, "contrib", "grafana", "petaudit.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    asked = 0
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$Hostname", ".*").replace("$modelName", ".*")
            ask(server, "/api/v1/query", query=expression)  # 400 for an expression that is none
            asked += 1
    assert asked >= 8


def check_endpoint(petaudit, folder, top):
    port, server = free_port(), free_port()
    config = os.path.join(folder, "prometheus.yml")
    with open(config, "w", encoding="utf-8") as file:
        file.write("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: petaudit\n  static_configs:\n"
                   f"  - targets: ['127.0.0.1:{port}']\n")
    with open(os.path.join(folder, "prometheus.log"), "w", encoding="utf-8") as log:
        prometheus = subprocess.Popen(["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{server}",
                                       f"--storage.tsdb.path={folder}/tsdb"], stdout=log, stderr=subprocess.STDOUT)
    running = None
    try:
        wait_for("Prometheus", lambda: ask(server, "/api/v1/query", query="1"))
        running = audit(petaudit, folder, f"127.0.0.1:{port}", "12s")
        wait_for("a scrape of a closed epoch", lambda: (value_of(server, "max_over_time(petaudit_epochs_closed[10m])") or 0) > 0)
        check_refusals(port)
        check_dashboard(top, server)
        target, = ask(server, "/api/v1/targets")["activeTargets"]
        assert target["lastError"] == "" and target["health"] == "up", target
        assert value_of(server, "max_over_time(petaudit_device_operations_per_second[10m])") > 0
        finish(running)
        running = None
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30)
            raise AssertionError("the endpoint outlives its audit")
        except urllib.error.URLError:
            pass
    finally:
        for process in (running, prometheus):
            if process is not None:
                process.kill()
                process.wait()


def check_bad_names(petaudit, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for named, status in ((f"127.0.0.1:{taken.getsockname()[1]}", 64), ("127.0.0.1:99999", 64),
                              (os.path.join(folder, "nowhere", "x.prom"), 73)):
            process = audit(petaudit, folder, named, "1s")
            out, errors = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == status, f"{named}: {process.returncode}\n{out}\n{errors}"
            assert "--telemetry" in errors, errors


def main():
    petaudit, top = sys.argv[1:]
    for needed in ("prometheus", "promtool"):
        assert shutil.which(needed), f"{needed} is missing: apt-get install prometheus"
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "claim.yaml"), "w", encoding="utf-8") as file:
            file.write(CLAIM)
        with open(os.path.join(top, "host", "claim", "policies", "xinjiang-2024.yaml"), encoding="utf-8") as file:
            policy = re.sub(r"epoch_s: \d+", "epoch_s: 1", file.read())
        policy = re.sub(r"openings: \d+", "openings: 40", policy)
        with open(os.path.join(folder, "policy.yaml"), "w", encoding="utf-8") as file:
            file.write(policy)
        check_bad_names(petaudit, folder)
        check_file(petaudit, folder)
        check_endpoint(petaudit, folder, top)


if __name__ == "__main__":
    main()
