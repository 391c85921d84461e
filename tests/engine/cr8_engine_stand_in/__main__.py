"""`python -m cr8_engine_stand_in`."""

import sys

from cr8_engine_stand_in.errors import EngineError
from cr8_engine_stand_in.options import parse
from cr8_engine_stand_in.server import serve

try:
    serve(parse(sys.argv[1:]))
except EngineError as error:
    sys.exit(f"cr8_engine_stand_in: {error}")
