#!/usr/bin/env python3
"""The tests that the page of guarantees names exist, and every row names one.

check_guarantees.py PAGE BUILD_FOLDER SOURCE_FOLDER
"""

import json
import pathlib
import re
import sys

page, build, source = (pathlib.Path(word) for word in sys.argv[1:])
intro = json.loads((build / "meson-info" / "intro-tests.json").read_text())
programs = {test["name"]: test["cmd"] for test in intro}
errors = []


def sources(name):
    """Text of the sources of a test program: a script, or what meson built it from."""
    scripts = [pathlib.Path(word) for word in programs[name] if word.endswith(".py")]
    if scripts:
        return scripts[0].read_text()
    targets = json.loads((build / "meson-info" / "intro-targets.json").read_text())
    for target in targets:
        if target["filename"][0] == programs[name][0]:
            parts = target["target_sources"]
            files = [pathlib.Path(file) for part in parts for file in part.get("sources", [])]
            return "".join(file.read_text() for file in files)
    return ""


lines = page.read_text().splitlines()
rows = [line for line in lines if line.startswith("| ") and "proved by" not in line]
for row in rows:
    _, sentence, proofs, _ = row.split("|")
    names = re.findall(r"`([^`]+)`", proofs)
    if not names:
        errors.append(f"no test proves: {sentence.strip()}")
    for name in names:
        program, _, function = name.partition(": ")
        if program not in programs:
            # some programs are made only without sanitizers
            made = "".join(file.read_text() for file in (source / "tests").rglob("meson.build"))
            if f"'{program}'" not in made:
                errors.append(f"there is no test program {program}")
        elif function and not re.search(rf"\b{function}\b", sources(program)):
            errors.append(f"there is no test {function} in {program}")

print("1..1")
print("\n".join("# " + error for error in errors))
print("not ok 1" if errors or len(rows) < 10 else "ok 1")
