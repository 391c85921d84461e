"""A real Blender, a real server and a display, under a test's control.

Linux only: what is said about processes is read in `/proc`.
"""
