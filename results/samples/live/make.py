#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make.py - make the pictures of the live page beside this file anew; about a minute. Needs the release build with tests,
and chromium.

run.png          a real audit of this machine under way, at the shapes of the tests
failed.png       a real audit on a device that falsifies tiles on purpose, judged; a phone, in dark
hall.png         an invented hall of 512 devices in its 37th epoch of 60 (tests/browser/make_hall)
hall-phone.png   the same on a phone, in dark
"""
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.join(TOP, "build", "release")
sys.path.insert(0, os.path.join(TOP, "tests", "browser"))
from chromium import Chromium  # noqa: E402
from hall import Hall, finish  # noqa: E402

CLOSED = "Number(/(\\d+) of/.exec(document.getElementById('phase').textContent)?.[1] ?? 0)"


def picture(browser, name, is_whole=True):
    time.sleep(1)  # what is drawn in the next frame
    browser.picture(os.path.join(HERE, name), is_whole)


def invented(hall, browser):
    subprocess.run([f"{BUILD}/tests/browser/make_hall", hall.path("store"), "512", "60", "37"], check=True, stdout=subprocess.DEVNULL)
    browser.size(1280, 860, is_dark=False)
    browser.open(hall.page)
    browser.wait(f"{CLOSED} === 37", "the hall")
    picture(browser, "hall.png")
    browser.size(390, 844, is_dark=True, is_phone=True, scale=2)
    picture(browser, "hall-phone.png")


def real(hall, browser):
    site = hall.start_audit(hall.claim("This machine", window_s=12, openings=400), "--witness", hall.url, "--meter", "it=rapl",
                            "--out", hall.path("one")) if os.path.exists("/sys/class/powercap/intel-rapl:0/energy_uj") else \
        hall.start_audit(hall.claim("This machine", window_s=12, openings=400), "--witness", hall.url, "--out", hall.path("one"))
    browser.size(1280, 860, is_dark=False)
    browser.open(hall.page)
    browser.wait(f"{CLOSED} >= 15", "fifteen epochs")
    picture(browser, "run.png")
    finish(site, 1, "the audit")


def falsified(hall, browser):
    site = hall.start_audit(hall.claim("This machine", window_s=3, openings=80), "--witness", hall.url, "--out", hall.path("two"),
                            program=f"{BUILD}/tests/scenarios/petaudit_faulty", fault="tiles:0.05:7:40")
    finish(site, 3, "an audit that falsifies")
    browser.size(390, 844, is_dark=True, is_phone=True, scale=2)
    browser.open(hall.page)
    browser.wait("document.getElementById('verdict').textContent.includes('INVALID')", "the verdict")
    picture(browser, "failed.png")


def main():
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(f"{BUILD}/petaudit", folder)
        hall.start_witness()
        browser = Chromium(os.path.join(folder, "browser"), hall.pin)
        try:
            real(hall, browser)
            falsified(hall, browser)
            invented(hall, browser)
        finally:
            browser.close()
            hall.stop_witness()


main()
