#!/usr/bin/env python3
"""The library as others see it: headers, symbols, installation, and who includes what.

test_api.py SOURCE BUILD CC...      the source and build folders, the C compiler
"""

import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.tap import Skip, equal, holds, main, test  # noqa: E402
from support.under import under  # noqa: E402

SOURCE = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2])
CC = sys.argv[3:]
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
HEADERS = sorted((SOURCE / "include/splenium").glob("*.h"))


def run(command, **options):
    return subprocess.run(
        [str(word) for word in command], text=True, capture_output=True, **options
    )


def succeed(command, **options):
    result = run(command, **options)
    holds(result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}")
    return result.stdout


def compile_alone(header, language, standard):
    """Included twice, so that the guard is tested too."""
    line = f'#include "splenium/{header.name}"\n'
    flags = [f"-std={standard}", *STRICT, "-fsyntax-only", "-I", SOURCE / "include"]
    succeed([*CC, *flags, "-x", language, "-"], input=2 * line + "int x;\n")


@test
def every_header_compiles_alone_as_c11():
    holds(len(HEADERS) > 8, "headers not found")
    for header in HEADERS:
        compile_alone(header, "c", "c11")


@test
def every_header_compiles_alone_as_cxx():
    if run(
        [*CC, "-fsyntax-only", "-x", "c++", "-"], input="#include <cstddef>\n"
    ).returncode:
        raise Skip("the compiler has no C++")
    for header in HEADERS:
        compile_alone(header, "c++", "c++11")


@test
def the_umbrella_includes_every_header():
    text = (SOURCE / "include/splenium/splenium.h").read_text()
    for header in HEADERS:
        if header.name != "splenium.h":
            holds(f'#include "splenium/{header.name}"' in text, header.name)


def exported():
    listing = succeed(["nm", "-D", "--defined-only", BUILD / "src/libsplenium.so"])
    names = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    return names - {"__bss_start", "_edata", "_end"}  # gold shows its own


def declared():
    names = set()
    for header in HEADERS:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
        for declaration in re.findall(r"^SPL_API\b[^;]*;", text, re.MULTILINE):
            names.add(re.search(r"\b(spl_\w+)\s*\(", declaration.replace("\n", " "))[1])
    return names


@test
def the_library_exports_what_the_headers_declare():
    names = declared()
    holds(len(names) > 40, f"only {len(names)} declarations found")
    equal(sorted(exported() - names), [])
    equal(sorted(names - exported()), [])


@test
def only_allowed_modules_are_included():
    result = run([SOURCE / ".ci/check-includes", SOURCE])
    equal((result.returncode, result.stdout), (0, ""))


def edge(name, line):
    """What the checker says of a tree whose only sin is one line in one file."""
    root = pathlib.Path("tree")
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("src/base", "src/model", "include/splenium", "tools"):
        (root / folder).mkdir(parents=True)
    (root / "src/base/base.h").write_text("#include <stdio.h>\n")
    (root / "src/model/ok.c").write_text(
        '#include "base/base.h"\n#include "splenium/model.h"\n#include "model/model_list.h"\n'
    )
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(line + "\n")
    result = run([SOURCE / ".ci/check-includes", root])
    return result.returncode, result.stdout.strip()


@test
def the_checker_sees_wrong_edges():
    equal(edge("src/model/fine.c", '#include "rng/rng.h"'), (0, ""))
    equal(
        edge("src/base/bad.c", '#include "model/kernel.h"'),
        (1, "tree/src/base/bad.c: base may not include model"),
    )
    equal(
        edge("src/model/bad.c", '#  include "output/output.h"'),
        (1, "tree/src/model/bad.c: model may not include output"),
    )
    equal(
        edge("src/model/bad.c", "#include <yaml.h>"),
        (1, "tree/src/model/bad.c: <yaml.h> belongs to config"),
    )
    equal(edge("src/new/new.c", ""), (1, "tree/src/new: a module that is not in the table"))
    equal(
        edge("tools/bad.c", '#include "base/str.h"'),
        (1, 'tree/tools/bad.c: "base/str.h" is no public header'),
    )
    equal(
        edge("tools/bad.c", "#include <hdf5.h>"),
        (1, "tree/tools/bad.c: <hdf5.h> belongs to h5, connectome, output"),
    )
    equal(
        edge("include/splenium/bad.h", '#include "model/kernel.h"'),
        (1, 'tree/include/splenium/bad.h: "model/kernel.h" is no public header'),
    )


def link_flags(config, pc, static):
    """A program takes the static library and the shared ones below it: their own static
    forms need more development packages than ours."""
    if not static:
        return succeed([*config, "--libs", "splenium"]).split()
    text = pc.read_text()
    needs = re.search(r"^Requires.private: *(.*)$", text, re.MULTILINE)[1]
    more = re.search(r"^Libs.private: *(.*)$", text, re.MULTILINE)[1]
    packages = [name.split()[0] for name in needs.split(",")]
    libs = succeed(["pkg-config", "--libs", *packages]).split()
    return [f"{pc.parent.parent}/libsplenium.a", *libs, *more.split(), "-lm"]


def build_example(config, pc, static):
    """Compile the example by what pkg-config says and run it."""
    flags = succeed([*config, "--cflags", "splenium"]).split()
    libs = link_flags(config, pc, static)
    program = pathlib.Path("example_static" if static else "example").resolve()
    example = SOURCE / "tests/api/example.c"
    succeed([*CC, "-std=c11", *STRICT, *flags, example, "-o", program, *libs])
    libraries = "" if static else str(pc.parent.parent)
    return succeed([*under(), program], env={"LD_LIBRARY_PATH": libraries})


@test
def an_installed_library_serves_a_program():
    stage = pathlib.Path("stage").resolve()
    succeed(["meson", "install", "--no-rebuild", "-C", BUILD, "--destdir", stage])
    pc = next(stage.rglob("splenium.pc"))
    prefix = re.search(r"^prefix=(.*)$", pc.read_text(), re.MULTILINE)[1]
    staged = str(stage) + prefix
    config = [
        "env",
        f"PKG_CONFIG_PATH={pc.parent}",
        "pkg-config",
        f"--define-variable=prefix={staged}",
    ]
    expected = "2000 values, mean V "
    shared = build_example(config, pc, False)
    holds(shared.startswith(expected), shared)
    equal(build_example(config, pc, True), shared)
    version = succeed([pathlib.Path(staged) / "bin/splenium", "--version"])
    holds(version.startswith("splenium "), version)


if __name__ == "__main__":
    main([])
