"""`python -m cr8_engine_stand_in`."""

import sys

if "--redis" not in sys.argv:
    # python-socketio imports it wherever it is installed, which is half of a server's start.
    sys.modules["redis"] = None  # type: ignore[assignment]

from cr8_engine_stand_in.errors import EngineError
from cr8_engine_stand_in.options import parse
from cr8_engine_stand_in.server import serve

try:
    serve(parse(sys.argv[1:]))
except EngineError as error:
    sys.exit(f"cr8_engine_stand_in: {error}")
