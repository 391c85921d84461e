"""The twin of `cr8_engine`, the server that owns a Blender.

The same stack and wire behaviour as the real one: python-socketio under uvicorn, path
`/ws/socket.io/`, namespaces `/blender` and `/browser`. Run `python -m cr8_engine_stand_in --help`.
"""
