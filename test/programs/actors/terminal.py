"""Runs a program on a terminal of its own, types what it is told once a text has appeared, and
passes on what the program printed, and its exit code: terminal.py TEXT KEYS PROGRAM ARGS..."""

import os
import pty
import sys

text, keys, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
printed = b""
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # EIO: the program has closed the terminal.
        break
    if not chunk:
        break
    had = text.encode() in printed
    printed += chunk
    if not had and text.encode() in printed:
        os.write(terminal, keys.encode().decode("unicode_escape").encode())
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(printed)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(status) % 256)
