"""Named moments at which a process can be made to die, to prove what it leaves behind.

`AFTERGLOW_FAILPOINT=after_mark` kills the process with SIGKILL the first time it comes by, and
`after_mark:3` the third time. Without the variable nothing happens.
"""

import os
import signal

AFTER_CLAIM = "after_claim"
AFTER_GATE = "after_gate"
WHILE_WRITING = "while_writing"
BEFORE_MARK = "before_mark"
AFTER_MARK = "after_mark"
AFTER_CALL = "after_call"
BEFORE_RECORD = "before_record"
AFTER_RECORD = "after_record"
AFTER_TAKING_IN = "after_taking_in"

_name, _, _times = os.environ.get("AFTERGLOW_FAILPOINT", "").partition(":")
_left = int(_times or 1)


def failpoint(name: str) -> None:
    """Die here if the environment says so."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
