"""Spoil the finished change in one place each, and say where the mistake stands.

Written from what the kernel does, before any run of the tool. Every mutation is folded into the
change, so the tool sees it as part of the patch. What is known to be missed or to draw findings
elsewhere says so in `verdict`; the test fails when that is no longer true.
"""

from __future__ import annotations

from .mutations_core import CORE_MUTATIONS
from .mutations_drivers import DRIVER_MUTATIONS

MUTATIONS = (*DRIVER_MUTATIONS, *CORE_MUTATIONS)
