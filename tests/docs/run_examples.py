"""Run the examples of a page of the manual, in their order, in one empty folder.

    run_examples.py PAGE.md SPLENIUM

sh       run with sh -eu; the block "output" that follows must be what it printed, where
         "..." stands for any text and a line of "..." for any lines
python   run with a Python that has the modules it imports, skipped if there is none
yaml     written to the file that its first line names ("# rest.yaml: ..."), then validated

Other blocks (text, console) are not run. The folder data/ of the source tree is there.
"""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from support import under  # noqa: E402

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = os.path.abspath(os.environ.get("SPLENIUM_SOURCE", "."))


def blocks(path):
    """Yield (line, language, text) of every fenced block."""
    with open(path, encoding="utf-8") as page:
        text = page.read()
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def matches(expected, printed):
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else
        ".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
        for line in expected.splitlines())
    return re.fullmatch(pattern, printed) is not None


def find_python(code):
    """A Python that can import what the code imports, or None."""
    modules = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE))
    test = "import " + ", ".join(sorted(modules)) if modules else "pass"
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run(
                [python, "-c", test], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


class Page:
    def __init__(self, path, command, folder):
        self.path, self.folder = path, folder
        self.printed = ""
        commands = os.path.dirname(os.path.abspath(command))
        if under.WORDS:
            commands = folder + "/.commands"
            os.mkdir(commands)
            under.write_script(commands + "/splenium", os.path.abspath(command))
        self.environment = dict(os.environ, NO_COLOR="1", SPLENIUM_DATA=SOURCE + "/data",
                                PATH=commands + ":" + os.environ["PATH"])
        os.symlink(SOURCE + "/data", folder + "/data")

    def fail(self, line, message):
        sys.exit("%s:%d: %s" % (self.path, line, message))

    def call(self, line, command):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.printed = done.stdout
        if done.returncode != 0:
            self.fail(line, "exit code %d\n%s" % (done.returncode, done.stdout))

    def sh(self, line, text):
        self.call(line, ["sh", "-eu", "-c", text])

    def output(self, line, text):
        if not matches(text, self.printed):
            self.fail(line, "printed was\n" + self.printed)

    def python(self, line, text):
        python = find_python(text)
        if python is None:
            print("%s:%d: skipped, a module is missing" % (self.path, line))
        else:
            self.call(line, [python, "-B", "-W", "ignore", "-c", text])

    def yaml(self, line, text):
        name = re.match(r"# (\S+\.yaml)\b", text)
        if name is None:
            self.fail(line, "the first line must name the file: # NAME.yaml: ...")
        with open(os.path.join(self.folder, name.group(1)), "w", encoding="utf-8") as out:
            out.write(text)
        self.call(line, ["splenium", "validate", name.group(1)])


def main(path, command):
    n_run = 0
    with tempfile.TemporaryDirectory() as folder:
        page = Page(path, command, folder)
        for line, language, text in blocks(path):
            if language in ("sh", "output", "python", "yaml"):
                getattr(page, language)(line, text)
                n_run += 1
    print("%s: %d blocks" % (path, n_run))


main(*sys.argv[1:])
