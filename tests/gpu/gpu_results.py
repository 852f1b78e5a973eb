# SPDX-License-Identifier: Apache-2.0
"""gpu_results.py - what a run on GPUs leaves behind: JUnit, a results file, and the comparison with an earlier one."""
import json
import xml.etree.ElementTree as xml

SCHEMA = "petaudit-gpu-results/1"
# What may be lost against a baseline before it counts as a regression: noise of repeated runs on one machine.
RATIO_MAY_LOSE = 0.01
RATE_MAY_LOSE = 0.05


class Case:
    """One test: passed, failed with a text, or left out with a reason."""

    def __init__(self, name, seconds, failure=None, left_out=None):
        self.name, self.seconds, self.failure, self.left_out = name, seconds, failure, left_out

    def word(self):
        return "FAILED" if self.failure else "LEFT OUT" if self.left_out else "passed"


def write_junit(path, suite, cases, properties):
    top = xml.Element("testsuite", name=suite, tests=str(len(cases)), failures=str(sum(bool(c.failure) for c in cases)),
                      skipped=str(sum(bool(c.left_out) for c in cases)), time=f"{sum(c.seconds for c in cases):.1f}")
    listed = xml.SubElement(top, "properties")
    for name, value in properties.items():
        xml.SubElement(listed, "property", name=name, value=str(value))
    for case in cases:
        entry = xml.SubElement(top, "testcase", classname=suite, name=case.name, time=f"{case.seconds:.1f}")
        if case.failure:
            xml.SubElement(entry, "failure", message=printable(case.failure.splitlines()[0])).text = printable(case.failure)
        elif case.left_out:
            xml.SubElement(entry, "skipped", message=printable(case.left_out))
    xml.ElementTree(top).write(path, encoding="utf-8", xml_declaration=True)


def printable(text):
    """XML knows no control characters, and a vendor's message may hold any."""
    return "".join(c if c in "\n\t" or c.isprintable() else "?" for c in text)


def rates_removed(value):
    """A rate of software that plays a device says nothing of any device: figures become null."""
    if isinstance(value, dict):
        return {key: rates_removed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rates_removed(entry) for entry in value]
    return None if isinstance(value, float) else value


def write_results(path, results):
    if results["emulated"]:
        results = {"EMULATED": "no GPU was there: software played it, and nothing here is a measurement"} | rates_removed(results)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


class NoBaseline(Exception):
    pass


def read_baseline(path):
    try:
        with open(path, encoding="utf-8") as file:
            baseline = json.load(file)
    except (OSError, ValueError) as error:
        raise NoBaseline(f"{path} cannot be read as results: {error}") from error
    if not isinstance(baseline, dict) or baseline.get("schema") != SCHEMA:
        raise NoBaseline(f"{path} is no results file of this test ({SCHEMA})")
    if baseline["emulated"]:
        raise NoBaseline(f"{path} comes from an emulated device, whose figures say nothing")
    return baseline


def models(results):
    return sorted(device["name"] for device in results["devices"])


def regressions(results, baseline):
    """What is worse than in `baseline`, one sentence each."""
    if models(results) != models(baseline):
        return [f"the baseline is of other devices: {', '.join(models(baseline))}"]
    found = []
    now_by_format = {entry["format"]: entry for entry in results["overhead"]}
    for before in baseline["overhead"]:
        name, now = before["format"], now_by_format.get(before["format"])
        if now is None:
            found.append(f"{name} was measured then and is not now")
            continue
        if now["ratio"] < before["ratio"] - RATIO_MAY_LOSE:
            found.append(f"{name}: verified/bare {now['ratio']:.4f}, it was {before['ratio']:.4f}")
        if now["bare_gflops"] < before["bare_gflops"] * (1 - RATE_MAY_LOSE):
            found.append(f"{name}: the library alone {now['bare_gflops']:.0f} G/s, it was {before['bare_gflops']:.0f}")
    if baseline["busbw_gbs"] is not None:
        now_busbw = results["busbw_gbs"]
        if now_busbw is None or now_busbw < baseline["busbw_gbs"] * (1 - RATE_MAY_LOSE):
            found.append(f"all-reduce: {now_busbw or 0:.1f} GB/s bus bandwidth, it was {baseline['busbw_gbs']:.1f}")
    return found
