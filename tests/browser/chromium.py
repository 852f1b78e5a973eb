# SPDX-License-Identifier: Apache-2.0
"""chromium.py - a headless Chromium, driven over its DevTools pipe: JSON messages that end in a zero byte, through file
descriptors 3 and 4 of the browser. Nothing but Python's own library."""
import base64
import json
import os
import select
import shutil
import subprocess
import time

LIMIT_S = 120


class Chromium:
    """One browser with one page. `pin` is the base64 SHA-256 of the only key whose certificate is taken unseen."""

    def __init__(self, folder, pin):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            raise SystemExit("FAILED: no chromium here (Debian package chromium)")
        to_browser, ours_out = os.pipe()
        ours_in, from_browser = os.pipe()

        def place():  # the browser reads 3 and writes 4
            a, b = os.dup(to_browser), os.dup(from_browser)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-first-run",
             "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-extensions",
             "--disable-component-update", "--disable-sync", "--mute-audio", "--hide-scrollbars", "--no-sandbox",
             "--force-color-profile=srgb", f"--ignore-certificate-errors-spki-list={pin}", "about:blank"],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=folder))
        os.close(to_browser)
        os.close(from_browser)
        self.out, self.into, self.left = ours_out, ours_in, b""
        self.number, self.events, self.session = 0, [], None
        page = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def read(self, until):
        """The next message, or None when it is too late."""
        while b"\0" not in self.left:
            if not select.select([self.into], [], [], max(0, until - time.monotonic()))[0]:
                return None
            piece = os.read(self.into, 1 << 16)
            if not piece:
                raise SystemExit("FAILED: the browser ended")
            self.left += piece
        message, self.left = self.left.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        until = time.monotonic() + LIMIT_S
        while (answer := self.read(until)) is not None:
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"FAILED: {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)
        raise SystemExit(f"FAILED: the browser did not answer {method} in {LIMIT_S} s")

    def evaluate(self, expression):
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise SystemExit(f"FAILED: {expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def wait(self, expression, what, seconds=LIMIT_S):
        """Until the expression is true in the page."""
        until = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > until:
                text = self.evaluate("document.body ? document.body.innerText : ''")
                raise SystemExit(f"FAILED: waited {seconds} s for {what}; the page says:\n{text}")
            time.sleep(0.1)

    def open(self, url):
        self.ask("Page.navigate", url="about:blank")  # another fragment alone would not load anew
        self.ask("Page.navigate", url=url)
        self.wait("location.protocol === 'https:' && document.readyState === 'complete'", f"{url} to load")

    def size(self, width, height, is_dark, is_phone=False, scale=1):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=is_phone)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def key(self, key, code=None):
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                     windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Home": 36}[key])

    def picture(self, path, is_whole=False):
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def complaints(self, is_cut_off_fine=False):
        """What the console holds of errors: exceptions, console.error, violations of the page's policy, failed loads.
        Loads may fail while the witness is away; everything else never may."""
        self.evaluate("1")
        found = []
        for event in self.events:
            method, given = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(given["exceptionDetails"].get("exception", {}).get("description") or given["exceptionDetails"]["text"])
            elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "assert", "warning"):
                found.append(str([a.get("value") for a in given["args"]]))
            elif method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
                if not (is_cut_off_fine and given["entry"]["source"] == "network"):
                    found.append(f"{given['entry']['source']}: {given['entry']['text']} {given['entry'].get('url', '')}")
        return found

    def addresses(self):
        """Every address that the page asked for."""
        return {e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"}

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
