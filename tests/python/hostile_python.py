"""Read hostile code, case by case, each in a process of its own; print what came of it as JSON.

`python hostile_python.py FILE SECONDS STEP START` reads every STEP-th case from START on, each in
at most SECONDS.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import textwrap
from pathlib import Path
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.program import Program

IMPORTS = """import numpy as np, math, torch, scipy
import jax.numpy as jnp
import torch.nn.functional as F
"""


def text_of(body: str) -> str:
    """A case as a function of x that returns the name that it gives last."""
    text = f"{IMPORTS}def f(x):\n{textwrap.indent(body, '    ')}\n"
    names = re.findall(r"^(\w+)(?:, \*\w+)? (?:[-+*]?=)", body, re.MULTILINE)
    if not body.rsplit("\n", maxsplit=1)[-1].startswith("return"):
        text += f"    return {names[-1] if names else 'x'}\n"
    return text


def outcome(body: str, seconds: float) -> dict[str, Any]:
    """What the command would do."""
    text = text_of(body)
    try:
        program = Program(text, name="hostile.py", function="f", time_limit=seconds)
        program.evaluate(x=1.5, gradient=False, check=False)
    except GradcliError as error:
        place = None if error.span is None else text[error.span.start : error.span.end]
        return {"kind": str(error.kind), "message": error.message, "place": place}
    return {"kind": "value", "message": "", "place": "it runs"}


def read_all(cases: list[str], seconds: float) -> None:
    """Each case in a child, measured by the system when it ends."""
    outcome("y = np.sum(np.sin(x))", 2.0)  # what is imported late is there for all
    for body in cases:
        read_end, write_end = os.pipe()
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
            os.write(write_end, json.dumps(outcome(body, seconds)).encode()[:60_000])
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as stream:
            written = stream.read()
        _, status, usage = os.wait4(child, 0)
        found: dict[str, Any] = (
            json.loads(written) if written else {"kind": "died", "message": "", "place": None}
        )
        found |= {"case": body, "status": status, "seconds": usage.ru_utime + usage.ru_stime}
        found["megabytes"] = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    path, limit, step, start = sys.argv[1:]
    every = Path(path).read_text(encoding="utf-8").strip("\n").split("\n---\n")
    read_all(every[int(start) :: int(step)], float(limit))
