"""Runs kosoku's native copy of the Autobahn case list against an echo over the server's own parser, writer and lots.
Leaves out 12 and 13: no compression is offered."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ECHO = os.environ["HUBBUB_ECHO"]
CASES_AT_LEAST = 301


class Conformance(unittest.TestCase):
    def test_every_case_of_rfc_6455_holds(self):
        echo = subprocess.Popen([ECHO, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(echo.communicate)
        self.addCleanup(echo.terminate)
        address = echo.stdout.readline().strip()
        kosoku = Path(sys.executable).with_name("kosoku")
        with tempfile.TemporaryDirectory() as folder:
            command = [kosoku, "-x", "12.*", "-x", "13.*", "-o", folder, address]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
            (results,) = json.loads(Path(folder, "index.json").read_text()).values()
        self.assertGreaterEqual(len(results), CASES_AT_LEAST, ran.stdout)
        good = {"OK", "NON-STRICT", "INFORMATIONAL"}
        bad = {case: found for case, found in results.items() if not {found["behavior"], found["behaviorClose"]} <= good}
        self.assertEqual(bad, {})


if __name__ == "__main__":
    unittest.main()
