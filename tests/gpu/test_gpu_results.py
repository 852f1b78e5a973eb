#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of results: the comparison with a baseline, and that emulated figures never look real."""
import copy
import json
import os
import tempfile
import unittest

import gpu_results

REAL = {
    "schema": gpu_results.SCHEMA,
    "emulated": False,
    "devices": [{"name": "NVIDIA H100 80GB HBM3"}] * 2,
    "overhead": [
        {"format": "bf16", "ratio": 0.975, "bare_gflops": 700000.0},
        {"format": "int8", "ratio": 0.955, "bare_gflops": 1300000.0},
    ],
    "busbw_gbs": 360.0,
}


class Results(unittest.TestCase):
    def setUp(self):
        self.now = copy.deepcopy(REAL)

    def written(self, results):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.json")
            gpu_results.write_results(path, results)
            with open(path, encoding="utf-8") as file:
                return json.load(file)

    def test_the_same_figures_are_no_regression(self):
        self.assertEqual(gpu_results.regressions(self.now, REAL), [])

    def test_noise_is_no_regression(self):
        self.now["overhead"][0]["ratio"] -= 0.009
        self.now["overhead"][0]["bare_gflops"] *= 0.96
        self.now["busbw_gbs"] *= 0.96
        self.assertEqual(gpu_results.regressions(self.now, REAL), [])

    def test_a_lower_ratio_is_one(self):
        self.now["overhead"][0]["ratio"] -= 0.011
        self.assertIn("bf16: verified/bare 0.9640, it was 0.9750", gpu_results.regressions(self.now, REAL))

    def test_a_slower_library_is_one(self):
        self.now["overhead"][1]["bare_gflops"] *= 0.94
        self.assertEqual(len(gpu_results.regressions(self.now, REAL)), 1)

    def test_a_format_that_is_gone_is_one(self):
        del self.now["overhead"][1]
        self.assertIn("int8 was measured then and is not now", gpu_results.regressions(self.now, REAL))

    def test_a_slower_or_missing_all_reduce_is_one(self):
        for busbw in (300.0, None):
            self.now["busbw_gbs"] = busbw
            self.assertEqual(len(gpu_results.regressions(self.now, REAL)), 1)

    def test_other_devices_are_not_compared(self):
        self.now["devices"] = [{"name": "NVIDIA A100-SXM4-80GB"}]
        self.assertIn("other devices", gpu_results.regressions(self.now, REAL)[0])

    def test_emulated_results_have_no_figures_and_say_so(self):
        self.now["emulated"] = True
        written = self.written(self.now)
        self.assertIn("EMULATED", written)
        self.assertIsNone(written["busbw_gbs"])
        self.assertIsNone(written["overhead"][0]["ratio"])
        self.assertIsNone(written["overhead"][0]["bare_gflops"])

    def test_real_results_are_written_as_they_are(self):
        self.assertEqual(self.written(REAL), REAL)

    def test_emulated_and_foreign_files_are_no_baseline(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file")
            for content in ("", "[]", '{"schema": "other"}', json.dumps(REAL | {"emulated": True})):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content)
                with self.assertRaises(gpu_results.NoBaseline):
                    gpu_results.read_baseline(path)
            gpu_results.write_results(path, REAL)
            self.assertEqual(gpu_results.read_baseline(path), REAL)

    def test_junit_takes_any_text(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "junit.xml")
            cases = [gpu_results.Case("a", 1.0), gpu_results.Case("b", 2.0, failure="x\x1b[31m<&>\ny"),
                     gpu_results.Case("c", 0.0, left_out="not installed")]
            gpu_results.write_junit(path, "suite", cases, {"device": "a & b"})
            import xml.etree.ElementTree as xml
            suite = xml.parse(path).getroot()
            self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("3", "1", "1"))


if __name__ == "__main__":
    unittest.main()
