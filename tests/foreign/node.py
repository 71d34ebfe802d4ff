"""A real node to test against: one process on a folder of its own. Tests nothing itself. HUBBUB_BIN names the node's program."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

DEADLINE_S = 90


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Node:
    """One node on a folder of its own, which may be killed and started again."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(f"{self.folder.name}.log", "ab")
        self.http, self.admin = free_port(), free_port()
        self.address = f"127.0.0.1:{self.http}"
        self.start()

    def start(self):
        environment = os.environ | {
            "HUBBUB_NODE_DATA_DIR": self.folder.name,
            "HUBBUB_LISTEN_HTTP": self.address,
            "HUBBUB_LISTEN_ADMIN": f"127.0.0.1:{self.admin}",
            "HUBBUB_LIMITS_USER_EVENTS_PER_MINUTE": "1000000",
            "HUBBUB_LIMITS_USER_EVENTS_BURST": "10000",
            # A test that reads slowly on purpose is not to be cut off because the machine is slow too.
            "HUBBUB_LIMITS_SLOW_MS": "600000",
        }
        self.process = subprocess.Popen([os.environ["HUBBUB_BIN"], "serve"], env=environment, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + DEADLINE_S
        while not self.is_ready():
            assert self.process.poll() is None, "the node ended by itself"
            assert time.monotonic() < deadline, "the node does not get ready"
            time.sleep(0.05)  # poll

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        os.unlink(self.log.name)
        self.folder.cleanup()
