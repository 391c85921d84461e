"""Programs that do one thing and say how long it took, each in a process of its own.

`pace.serve` is how they speak: a line in, seconds out.
"""
