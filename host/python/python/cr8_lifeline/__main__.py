"""`python -m cr8_lifeline`: the command `lifeline`, for people who write policies."""

import signal
import sys

from cr8_lifeline._native import _command_line

if __name__ == "__main__":
    # Python would only look at Ctrl-C when the command is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    sys.exit(_command_line(sys.argv[1:]))
