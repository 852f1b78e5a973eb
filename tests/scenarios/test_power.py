#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Audits with meters: RAPL on a tree of our own beside CSVs that loggers write meanwhile, a CSV that comes late, one
that is of another day, and one with a bad line. The evidence alone gives all figures again.

usage: test_power.py PETAUDIT SCENARIO_FOLDER
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

RANGE = 262143328850


def check(condition, what):
    if not condition:
        sys.exit(what)


def put(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


class Site:
    """A processor of 100 W whose counter starts again meanwhile, a facility of 250 W, and PV of 500 W."""

    def __init__(self, folder):
        self.folder, self.begun, self.is_over = folder, time.time(), False
        for domain, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl-mmio:0", "package-0")):
            os.makedirs(f"{folder}/powercap/{domain}")
            put(f"{folder}/powercap/{domain}/name", name + "\n")
            put(f"{folder}/powercap/{domain}/max_energy_range_uj", f"{RANGE}\n")
            put(f"{folder}/powercap/{domain}/energy_uj", "0\n")
        self.count()
        put(f"{folder}/main.csv", "\ufeff时间;总功率(kW)\r\n")
        put(f"{folder}/pv.csv", "time,power\n")
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def count(self):
        energy = int(RANGE - 30e6 + (time.time() - self.begun) * 100e6) % RANGE
        put(f"{self.folder}/powercap/intel-rapl:0/energy_uj", f"{energy}\n")

    def run(self):
        while not self.is_over:
            self.count()
            now = time.time()
            local = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 8 * 3600)) + ".%03d" % (now * 1000 % 1000)
            with open(f"{self.folder}/main.csv", "a", encoding="utf-8") as file:
                file.write(f"{local};0,250\r\n")
            with open(f"{self.folder}/pv.csv", "a", encoding="utf-8") as file:
                file.write(f"{now:.3f},500 W\n")
            time.sleep(0.05)

    def stop(self):
        self.is_over = True
        self.thread.join()


def call(program, out, *arguments):
    environment = dict(os.environ, PETAUDIT_TEST_SHAPE="256x256x256", XDG_CONFIG_HOME=out)
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False)


def main():
    program, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        policy = open(f"{folder}/policy.yaml", encoding="utf-8").read()
        policy = policy.replace("window_s: 0.2", "window_s: 1.5").replace("epoch_s: 0.1", "epoch_s: 0.5")
        put(f"{out}/policy.yaml", policy)
        audit = ("audit", f"{folder}/claim.yaml", "--policy", f"{out}/policy.yaml", "--json")
        rapl = ("--meter", f"rapl:{out}/powercap,interval=50ms")
        main_csv = ("--meter", f"facility=csv:{out}/main.csv,zone=+08:00,decimal=comma,class=0.5,wait=20s,time=时间,power=总功率")
        pv = ("--meter", f"pv=csv:{out}/pv.csv,date=unix,class=1,wait=20s")
        site = Site(out)
        try:
            whole = call(program, out, *audit, *rapl, *main_csv, *pv, "--out", f"{out}/whole")
            late = call(program, out, *audit, "--meter", f"facility=csv:{out}/late.csv,zone=+08:00,decimal=comma,time=1,power=2",
                        "--out", f"{out}/late")
        finally:
            site.stop()
        # All meters together.
        check(whole.returncode == 2, f"exit {whole.returncode}: {whole.stderr}")
        power = json.loads(whole.stdout)["power"]
        check(power["source"] == "rapl, csv" and power["scope"] == "facility", f"{power['source']}, {power['scope']}")
        check(abs(power["watts"] - 250) < 1e-6, f"facility {power['watts']} W")
        check(60 < power["it_w"] < 140, f"RAPL {power['it_w']} W: the counter that starts again was not followed")
        check(power["meters"][0]["details"] == "package-0", f"domains: {power['meters'][0]['details']}")
        check(power["meters"][0]["is_component"] and power["pue"] is None, "a PUE of a sensor inside of the machine")
        check(power["green_share"] == 1 and abs(power["generated_w"] - 500) < 1e-6, "generation covers the load")
        check(power["level"] == "none" and "60 s are needed" in power["level_reason"], power["level_reason"])
        check(power["pflops_per_mw"] > 0 and power["energy_kwh"] > 0, "no efficiency")
        for meter in power["meters"]:
            check(meter["covered_s"] > 0.99 * power["window_s"], f"{meter['name']} covers {meter['covered_s']} s")
        # The evidence alone gives the same again.
        again = call(program, out, "judge", f"{out}/whole/evidence.db", "--json")
        check(json.loads(again.stdout)["power"] == power, "judging again gives other figures of power")
        verified = call(program, out, "verify", f"{out}/whole/test-result.json", "--evidence", f"{out}/whole/evidence.db")
        check(verified.returncode == 0, verified.stdout + verified.stderr)
        # A file that is not there at the end: the session waits for it.
        check(late.returncode == 66 and "--resume" in late.stderr, f"a missing file gave {late.returncode}: {late.stderr}")
        check(not os.path.exists(f"{out}/late/test-result.json"), "a result without its meter")
        os.link(f"{out}/main.csv", f"{out}/late.csv")
        bad = ("audit", "--resume", f"{out}/late", "--json", "--meter")
        zone = call(program, out, *bad, f"facility=csv:{out}/late.csv,zone=UTC,decimal=comma,time=1,power=2")
        check(zone.returncode == 66 and "is zone= right?" in zone.stderr, f"a wrong zone gave {zone.returncode}: {zone.stderr}")
        comma = call(program, out, *bad, f"facility=csv:{out}/late.csv,zone=+08:00,time=1,power=2")
        check(comma.returncode == 65 and "late.csv:2: " in comma.stderr and "decimal=comma" in comma.stderr, comma.stderr)
        other = call(program, out, *bad, f"it=csv:{out}/main.csv,zone=+08:00,decimal=comma,time=1,power=2")
        check(other.returncode == 64 and "not begun with" in other.stderr, other.stderr)
        done = call(program, out, *bad, f"facility=csv:{out}/late.csv,zone=+08:00,decimal=comma,time=1,power=2")
        check(done.returncode == 2, f"the resumed audit gave {done.returncode}: {done.stderr}")
        check(abs(json.loads(done.stdout)["power"]["watts"] - 250) < 1e-6, "the late file was not read")
        # What cannot work is said before anything is measured.
        for meter, code, words in ((f"rapl:{out}/nothing", 69, "powercap"), ("csv:x.csv,zon=UTC", 64, "did you mean zone"),
                                   (f"it=csv:{out}/pv.csv,date=unix,power=watt", 65, "say power=NAME"),
                                   ("modbus:127.0.0.1:1,sunspec", 69, "Connection refused")):
            refused = call(program, out, *audit, "--out", f"{out}/refused", "--meter", meter)
            check(refused.returncode == code and words in refused.stderr, f"{meter}: {refused.returncode} {refused.stderr}")
            check(not os.path.exists(f"{out}/refused"), f"{meter}: something was measured")
        plain = call(program, out, *audit, "--out", f"{out}/plain")
        check(json.loads(plain.stdout)["power"]["source"] == "none", "power without a meter")


main()
