"""Stands for Blender where only its process counts.

Started as `fake_blender.py NOTES ARGUMENT…`: it writes its arguments and variables to a file in the
folder NOTES, named after its process, once it is ready for signals. With CR8_STUBBORN it takes no
notice of SIGTERM.
"""

import json
import os
import signal
import sys
from pathlib import Path

if os.environ.get("CR8_STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

notes, *arguments = sys.argv[1:]
content = json.dumps({"arguments": arguments, "environment": dict(os.environ)})
draft = Path(notes) / f"{os.getpid()}.draft"
draft.write_text(content, encoding="utf-8")
draft.replace(draft.with_suffix(".json"))
signal.pause()
