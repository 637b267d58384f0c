"""Keep what surrounds the tests out of what they run: a cache, and that interrupts are ignored."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="offlint-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["OFFLINT_CACHE_DIR"] = _FOLDER
# A shell starts what runs in the background with interrupts ignored; so would be what is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)
