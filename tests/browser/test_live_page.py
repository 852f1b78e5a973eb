#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_live_page.py PETAUDIT PETAUDIT_FAULTY MAKE_HALL - the witness's live page in a headless Chromium.

It loads without a session; follows a real audit to its verdict, and shows the figures of its summary; comes back by
itself when the witness is killed and started anew; says in words that openings failed; takes names that are markup as
text; fits a phone, in dark, and can be used by keyboard; draws ten thousand devices. The console stays free of errors,
and nothing but the witness is asked for anything.
"""
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.parse

from chromium import Chromium
from hall import Hall, check, finish, wait_until

program, faulty, make_hall = sys.argv[1:4]
TEXT = "document.getElementById('{}').textContent"
CLOSED = "Number(/(\\d+) of \\d+ epochs closed/.exec(document.getElementById('phase').textContent)?.[1] ?? 0)"


def text(browser, name):
    return browser.evaluate(TEXT.format(name))


def clean(browser, what, is_cut_off_fine=False):
    found = browser.complaints(is_cut_off_fine)
    check(not found, f"{what}: the console holds {found}")
    browser.events.clear()


def it_loads_before_there_is_a_session(hall, browser):
    browser.size(1280, 900, is_dark=False)
    browser.open(hall.page)
    browser.wait(f"{TEXT.format('phase')} === 'Waiting for a session'", "a page without a session")
    check(text(browser, "link") == "live", "the page is not live")
    asked = browser.addresses()
    origin = hall.page.split("/#")[0]
    check(all(a.startswith((origin + "/", "about:")) for a in asked), f"the page asks others than the witness: {asked}")
    check(len(asked) >= 6, f"only {asked} were asked for")
    clean(browser, "before a session")


def a_wrong_token_shows_nothing(hall, browser):
    wrong = hall.page[:-1] + ("0" if hall.page[-1] != "0" else "1")
    browser.open(wrong)
    browser.wait("!document.getElementById('gate').hidden", "being asked for the token")
    browser.wait("document.getElementById('gate_reason').textContent.includes('does not know')", "the reason")
    browser.evaluate(f"document.getElementById('token').value = '{hall.page.split('#')[1]}'; document.getElementById('enter').click()")
    browser.wait(f"{TEXT.format('phase')} === 'Waiting for a session'", "the page after the right token")
    check(browser.evaluate("document.getElementById('gate').hidden"), "the token is still asked for")
    clean(browser, "after a wrong token", is_cut_off_fine=True)


def ask(hall, path, method="GET"):
    """Status, headers and the beginning of the body of a plain request."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", hall.live_port), 30) as plain, context.wrap_socket(plain) as link:
        link.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := link.recv(65536)):
            answer += piece
    head = answer.split(b"\r\n\r\n")[0].decode().split("\r\n")
    return int(head[0].split()[1]), dict(line.split(": ", 1) for line in head[1:])


def the_server_gives_little(hall, browser):
    token = hall.page.split("#")[1]
    status, headers = ask(hall, "/")
    policy = headers["Content-Security-Policy"]
    check(status == 200 and "default-src 'none'" in policy and "unsafe" not in policy, f"{status}, {policy}")
    check(headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer", f"{headers}")
    for path, expected in (("/v1/live", 401), (f"/v1/live?token={token[:-1]}", 401), (f"/v1/live?token={'0' * 64}", 401),
                           (f"/v1/live?token={token}&session=../../etc", 404), (f"/v1/live?token={token}", 200),
                           ("/v1/witness", 401), ("/../auditor", 401)):
        status, headers = ask(hall, urllib.parse.quote(path, safe="/?=&"))
        check(status == expected, f"{path} answers {status}, not {expected}")
    check(headers.get("Content-Security-Policy") == policy, "a refusal has no policy")
    for method in ("POST", "PUT", "DELETE"):
        check(ask(hall, "/v1/live?token=" + token, method)[0] in (401, 404, 405), f"{method} is taken")
    del browser


def a_real_run_is_followed_to_its_verdict(hall, browser):
    browser.open(hall.page)
    site = hall.start_audit(hall.claim(center="<b>A</b> hall & <img src=x onerror=\"document.title='broken'\">", radius="[0.2]"), "--witness",
                            hall.url, "--out", hall.path("one"))
    seen = set()
    while site.poll() is None:
        seen.add(browser.evaluate(CLOSED))
        if len(seen) == 4:
            check("Committed" in text(browser, "basis"), f"work that is not opened is called: {text(browser, 'basis')}")
            check(browser.evaluate("document.querySelectorAll('#chart .dot').length > 0"), "no epoch is drawn")
    finish(site, 1, "the audit")
    check(len(seen) >= 4, f"the page has only seen {seen} epochs closed")
    browser.wait("document.getElementById('verdict').textContent.includes('Verdict: FAIL')", "the verdict")
    with open(hall.path("one", "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    shown, unit = float(text(browser, "lower")), text(browser, "unit")
    proven = summary["verified"]["pflops"] * {"GFLOPS": 1e6, "TFLOPS": 1e3, "MFLOPS": 1e9}[unit]
    check(abs(shown - proven) <= 1e-3 * proven, f"the page says {shown} {unit}, the summary {proven}")
    check("every opening held" in text(browser, "basis"), text(browser, "basis"))
    check(f"{summary['openings']['drawn']} drawn" in text(browser, "openings_sum"), text(browser, "openings_sum"))
    check(browser.evaluate("document.querySelectorAll('#openings li').length") == 10, "the last openings are missing")
    check("onerror" in text(browser, "center") and browser.evaluate("document.querySelectorAll('bdi img').length") == 0,
          "the centre's name is not text")
    check("broken" not in browser.evaluate("document.title.replace(/onerror=.*/, '')"), "markup was carried out")
    check(browser.evaluate("document.querySelectorAll('#chart .ring').length") == 5, "the five probes are not rings in the chart")
    check("a probe of 0.2 s" in text(browser, "epochs"), f"the probes are not in the table: {text(browser, 'epochs')}")
    check(text(browser, "facts").count("but for probes") == 1, text(browser, "facts"))
    check("FAIL" in text(browser, "summary"), f"the summary for screen readers: {text(browser, 'summary')}")
    clean(browser, "during an audit")


def a_killed_witness_comes_back_by_itself(hall, browser):
    browser.open(hall.page)
    browser.evaluate("window.stays = 'the same page'")
    out = hall.path("two")
    before = set(hall.sessions())
    site = hall.start_audit(hall.claim(window_s=6), "--witness", hall.url, "--out", out)
    wait_until(lambda: set(hall.sessions()) - before, "a second session")
    browser.wait(f"{CLOSED} >= 2 && {CLOSED} < 12", "the second session")
    hall.kill_witness()
    browser.wait(f"{TEXT.format('link')}.includes('connection lost')", "the loss to be shown")
    # The site would wait two minutes for its witness; it dies as well.
    site.kill()
    site.wait()
    hall.start_witness()
    browser.wait(f"{TEXT.format('link')} === 'live' && {CLOSED} >= 2", "the page to come back")
    check(browser.evaluate("window.stays") == "the same page", "the page was loaded anew")
    site = hall.start_audit("--resume", out)
    finish(site, 1, "the resumed audit")
    browser.wait("document.getElementById('verdict').textContent.includes('Verdict: FAIL')", "the verdict")
    check("INTERRUPTION" in text(browser, "findings"), f"the interruption is not shown: {text(browser, 'findings')}")
    check("after a gap" in text(browser, "epochs"), "the gap is not in the table")
    clean(browser, "over a restart", is_cut_off_fine=True)


def a_failed_opening_is_said_in_words(hall, browser):
    browser.open(hall.page)
    site = hall.start_audit(hall.claim(window_s=2, openings=80), "--witness", hall.url, "--out", hall.path("three"), program=faulty,
                            fault="tiles:0.3:7:40")
    finish(site, 3, "an audit that falsifies")
    browser.wait("document.getElementById('verdict').textContent.includes('Verdict: INVALID')", "the verdict")
    browser.wait("/Not proven: \\d+ of 80 openings failed/.test(document.getElementById('basis').textContent)", "the failure")
    check(text(browser, "lower") == "0", f"the rate is {text(browser, 'lower')}")
    check("FAILED" in text(browser, "openings_sum"), text(browser, "openings_sum"))
    findings = text(browser, "findings")
    check("Critical: OPENINGS_FAILED" in findings and "the witness computes" in findings and "device 0, step" in findings, findings)
    check("TEST_BUILD" in findings, "a falsifying build is not named")
    check(browser.evaluate("document.querySelectorAll('#chart .cross').length > 0"), "no cross in the chart")
    colours = browser.evaluate("[getComputedStyle(document.getElementById('basis')).color, getComputedStyle(document.body).color]")
    check(colours[0] != colours[1], "a failure has the colour of any text")
    check("failed" in text(browser, "summary"), f"the summary for screen readers: {text(browser, 'summary')}")
    clean(browser, "with failed openings")


CONTRAST = """(() => {
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const under = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.startsWith('rgba(0, 0, 0, 0')) return c; } return 'rgb(255, 255, 255)'; };
  let worst = [99, ''];
  for (const e of document.querySelectorAll('h1, h2, p, dt, dd, li, td, th, label, summary, button, small, b'))
    if (e.offsetParent && e.textContent.trim() && !e.disabled) {
      const [a, b] = [light(getComputedStyle(e).color), light(under(e))].sort((x, y) => y - x);
      const ratio = (a + .05) / (b + .05);
      if (ratio < worst[0]) worst = [ratio, e.textContent.slice(0, 60)];
    }
  return worst;
})()"""


def it_fits_a_phone_in_the_dark_and_a_keyboard(hall, browser):
    browser.open(hall.page)
    browser.wait("document.getElementById('verdict').textContent.includes('Verdict')", "the finished session")
    for is_dark in (False, True):
        for width in (320, 390, 1280):
            browser.size(width, 800, is_dark, is_phone=width < 500)
            browser.wait(f"innerWidth === {width}", f"a page of {width} pixels")
            wide = browser.evaluate("document.documentElement.scrollWidth")
            check(wide <= width, f"the page is {wide} pixels wide on a screen of {width}")
        worst = browser.evaluate(CONTRAST)
        check(worst[0] >= 4.5, f"{'dark' if is_dark else 'light'}: contrast {worst[0]:.2f} of \"{worst[1]}\"")
    browser.size(390, 844, is_dark=True, is_phone=True)
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    check(sum(int(v) for v in background[4:-1].split(",")) < 150, f"dark is {background}")
    browser.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(12):
        browser.key("Tab")
        reached.append(browser.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.localName"))
        style = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        check(style == "solid", f"the focus on {reached[-1]} cannot be seen")
        if reached[-1] == "map":
            break
    check(reached[0] == "skip" and "map" in reached, f"the keyboard reaches {reached}")
    browser.key("ArrowRight")
    browser.wait(f"{TEXT.format('device')}.startsWith('Device 0: ')", "a device chosen by keyboard")
    unnamed = browser.evaluate("""[...document.querySelectorAll('select, button, input, canvas, svg, [role=region]')].filter((e) =>
        !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.getAttribute('aria-hidden') && !e.textContent.trim()
        && !(e.labels?.length)).map((e) => e.outerHTML.slice(0, 80))""")
    check(not unnamed, f"controls without a name: {unnamed}")
    clean(browser, "on a phone")


def ten_thousand_devices_are_drawn(hall, browser):
    subprocess.run([make_hall, hall.path("store"), "10000", "8", "4", "hostile"], check=True, stdout=subprocess.DEVNULL)
    browser.size(1280, 900, is_dark=False)
    browser.open(hall.page)
    browser.wait(f"{TEXT.format('map_h')}.startsWith('10000 declared') && {CLOSED} === 4", "ten thousand devices")
    legend = text(browser, "legend")
    check("9830 working" in legend and "47 slow" in legend and "103 throttled" in legend and "20 lost" in legend, legend)
    browser.wait("document.getElementById('map').height > 100", "the map")
    counted = browser.evaluate("""(() => { const c = document.getElementById('map'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, seen = {};
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) { const k = `${d[i]},${d[i + 1]},${d[i + 2]}`; seen[k] = (seen[k] ?? 0) + 1; } return seen; })()""")
    blue = counted.get("27,102,184", 0)
    check(blue > 50000 and counted.get("179,38,30", 0) > 20, f"the map's colours: {sorted(counted.items(), key=lambda c: -c[1])[:6]}")
    browser.evaluate("document.getElementById('map').focus()")
    browser.key("End")
    browser.wait(f"{TEXT.format('device')}.startsWith('Device 9999: <b>gpu</b>9999&lt;')", "the last device")
    browser.evaluate("document.getElementById('filter').value = 'troubled'; document.getElementById('devices_box').open = true")
    browser.wait("document.querySelectorAll('#devices tr').length === 50", "the table of devices")
    check("1 to 50 of 170" in text(browser, "range"), text(browser, "range"))
    browser.evaluate("for (let i = 0; i < 3; i++) document.getElementById('later').click()")
    check("151 to 170 of 170" in text(browser, "range"), text(browser, "range"))
    check(browser.evaluate("document.querySelectorAll('main img, main script, main b b').length") == 0, "names became markup")
    check("broken" not in browser.evaluate("document.title"), "a name was carried out")
    clean(browser, "with ten thousand devices")


TESTS = (it_loads_before_there_is_a_session, a_wrong_token_shows_nothing, the_server_gives_little,
         a_real_run_is_followed_to_its_verdict, a_killed_witness_comes_back_by_itself, a_failed_opening_is_said_in_words,
         it_fits_a_phone_in_the_dark_and_a_keyboard, ten_thousand_devices_are_drawn)


def main():
    folder = tempfile.mkdtemp()
    browser, hall = None, Hall(program, folder)
    try:
        hall.start_witness()
        browser = Chromium(os.path.join(folder, "browser"), hall.pin)
        for test in TESTS:
            test(hall, browser)
            print(f"ok  {test.__name__.replace('_', ' ')}", flush=True)
        hall.stop_witness()
    except BaseException:
        print(hall.logs(), file=sys.stderr)
        raise
    finally:
        if browser:
            browser.close()
        if hall.witness and hall.witness.poll() is None:
            hall.kill_witness()
        shutil.rmtree(folder, ignore_errors=True)


main()
