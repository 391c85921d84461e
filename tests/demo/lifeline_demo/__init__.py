"""Watch a real Blender lose its server, count down, save, close and come back."""
