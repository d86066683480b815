"""Run tools/make-connectome again: every member must be the bytes that ship."""

import os
import subprocess
import sys
import tempfile
import zipfile


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def main():
    source = os.environ.get("SPLENIUM_SOURCE", ".")
    shipped = members(os.path.join(source, "data", "dk68.zip"))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "again.zip")
        script = os.path.join(source, "tools", "make-connectome")
        subprocess.run([sys.executable, "-B", script, path], check=True)
        again = members(path)
    if set(again) != set(shipped):
        sys.exit("members differ: %s and %s" % (sorted(again), sorted(shipped)))
    for name in shipped:
        if again[name] != shipped[name]:
            sys.exit("%s differs from what tools/make-connectome writes" % name)
    print("%d members, all equal" % len(shipped))


main()
