# SPDX-License-Identifier: Apache-2.0
"""A site of which only the ticket is left: requests to its witness as docs/protocol.md 12 has them, one after the other."""
import http.client
import os
import ssl
import struct
from urllib.parse import urlsplit

INTRODUCE, NOTE, FINISH, RESULT, RESUME = 1, 3, 12, 14, 15
NO_EPOCH = (1 << 64) - 1


class WitnessClient:
    """Of the session whose site left `folder`; of none where that is None and `url` says where the witness is."""

    def __init__(self, folder=None, url=None, limit_s=240):
        self.ticket, self.sequence = bytes(32), 0
        if folder is not None:
            with open(os.path.join(folder, "witness.ticket"), encoding="ascii") as file:
                url, ticket = file.read().split()
            self.ticket = bytes.fromhex(ticket)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        place = urlsplit(url)
        self.link = http.client.HTTPSConnection(place.hostname, place.port, timeout=limit_s, context=context)

    def ask(self, operation, body=b"", sequence=None):
        """The code of the answer, its text and its body."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        headers = {"Authorization": f"Bearer {self.ticket.hex()}"} if any(self.ticket) else {}
        self.link.request("POST", "/v1/witness", struct.pack("<IIQ", 1, operation, sequence) + self.ticket + body, headers)
        reply = self.link.getresponse()
        answer = reply.read()
        if reply.status != 200:
            return reply.status, answer.decode(errors="replace"), b""
        _, code, length = struct.unpack_from("<IiH", answer)
        return code, answer[10: 10 + length].decode(), answer[10 + length:]

    def introduce(self):
        return self.ask(INTRODUCE, bytes(32) + b"nowhere", 0)

    def resume(self):
        return self.ask(RESUME)

    def note(self, json):
        return self.ask(NOTE, struct.pack("<Q", NO_EPOCH) + json)
