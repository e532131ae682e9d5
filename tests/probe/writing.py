"""Things scripts do to files, as programs that check themselves; each works in an empty folder."""

PLAIN = {
    "makedirs, chdir": """\
os.makedirs("runs/1")
os.chdir("runs/1")
open("log.txt", "w").write("epoch 1")
os.chdir("../..")
assert open("runs/1/log.txt").read() == "epoch 1"
""",
    "symlink to the latest run": """\
os.makedirs("logs/1")
open("logs/1/a", "w").close()
os.symlink("1", "logs/latest")
assert os.listdir("logs/latest") == ["a"] and os.readlink("logs/latest") == "1"
""",
    "numpy.savetxt": """\
numpy.savetxt("labels.txt", [1])
assert numpy.loadtxt("labels.txt") == 1
""",
    "touch": "Path('done').touch()\nassert Path('done').exists()\n",
    "temporary file, replaced": """\
with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
    file.write("state")
os.replace(file.name, "state.txt")
assert open("state.txt").read() == "state" and not os.path.exists(file.name)
""",
    "temporary file elsewhere, replaced": """\
descriptor, name = tempfile.mkstemp()
os.write(descriptor, b"state")
os.replace(name, "state2.txt")
assert open("state2.txt").read() == "state" and not os.path.exists(name)
""",
    "os.open": """\
descriptor = os.open("raw", os.O_CREAT | os.O_WRONLY)
os.write(descriptor, b"1")
os.close(descriptor)
assert open("raw").read() == "1"
""",
    "truncate, link": """\
open("long.txt", "w").write("abcdef")
os.truncate("long.txt", 3)
os.link("long.txt", "same.txt")
assert open("same.txt").read() == "abc"
""",
    "looking at a file just written": """\
open("new.txt", "w").write("abc")
assert os.access("new.txt", os.R_OK) and os.lstat("new.txt").st_size == 3
assert os.path.realpath("new.txt") == os.path.join(os.getcwd(), "new.txt")
assert glob.glob("new*") == ["new.txt"] and not os.access("other.txt", os.R_OK)
""",
    "folder of data renamed": """\
os.rename("data", "moved")
assert os.listdir("moved") == ["a.txt"] and not os.path.exists("data")
shutil.rmtree("moved")
os.mkdir("data")
assert os.listdir("data") == []
""",
    "file of the user's written, deleted": """\
open("precious.txt", "a").write(" and more")
assert open("precious.txt").read() == "mine and more"
os.rename("precious.txt", "other.txt")
os.remove("other.txt")
assert not os.path.exists("precious.txt") and not os.path.exists("other.txt")
""",
}
"""What Python's own calls do."""

BELOW_PYTHON = {
    "sqlite": """\
with sqlite3.connect("data.db") as db:
    db.execute("create table seen (x)")
assert os.path.getsize("data.db")
""",
    "another program": """\
subprocess.check_call(["mkdir", "-p", "out/1"])
assert os.path.isdir("out/1")
""",
    "another program reads": """\
open("for-cat.txt", "w").write("abc")
assert subprocess.check_output(["cat", "for-cat.txt"]) == b"abc"
""",
    "in the home folder": """\
path = os.path.expanduser("~/.tlfix-was-here")
subprocess.check_call(["touch", path])
assert os.path.exists(path)
""",
    "in /tmp": """\
subprocess.check_call(["touch", "/tmp/tlfix-was-here"])
assert os.path.exists("/tmp/tlfix-was-here")
""",
}
"""What C libraries and other programs do."""

HEAD = """\
import glob, os, shutil, sqlite3, subprocess, sys, tempfile, traceback
from pathlib import Path

import numpy

failed = []
"""
TAIL = "print(failed)\nsys.exit(len(failed))\n"


def program(parts: dict[str, str]) -> str:
    """All ``parts``, each tried; the exit status counts those that failed, which are printed."""
    tried = [
        "try:\n"
        + "".join(f"    {line}\n" for line in text.splitlines())
        + f"except Exception as error:\n    failed.append(({name!r}, repr(error)))\n"
        for name, text in parts.items()
    ]
    return HEAD + "\n".join(tried) + TAIL
