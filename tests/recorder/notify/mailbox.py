"""A real SMTP server that takes every mail, and keeps what it was given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import Queue
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import NamedTuple


class Mail(NamedTuple):
    """A mail, and to whom it was really sent."""

    recipients: list[str]
    message: EmailMessage


class Mailbox:
    """``received`` has the mails in the order in which they came."""

    def __init__(self) -> None:
        received = self.received = Queue[Mail]()

        class Handler(StreamRequestHandler):
            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

            def handle(self) -> None:
                recipients: list[str] = []
                self.say("220 mailbox")
                while line := self.rfile.readline():
                    command = line.decode().strip()
                    if command.upper().startswith("RCPT TO:"):
                        recipients.append(command[8:].partition(" ")[0].strip("<>"))
                    if command.upper() == "DATA":
                        self.say("354 go on")
                        received.put(Mail(recipients, self.read_message()))
                    self.say("221 bye" if command.upper() == "QUIT" else "250 ok")

            def read_message(self) -> EmailMessage:
                lines = list(iter(self.rfile.readline, b".\r\n"))
                content = b"".join(line.removeprefix(b".") for line in lines)
                return message_from_bytes(content, EmailMessage, policy=policy.default)

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def taking_mail() -> Iterator[Mailbox]:
    """A mailbox for a block."""
    mailbox = Mailbox()
    try:
        yield mailbox
    finally:
        mailbox.close()
