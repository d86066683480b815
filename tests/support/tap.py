"""A runner for test programs in Python: functions marked @test, results as TAP for Meson.

A single test runs with `program NAME`.
"""

import os
import sys
import tempfile
import traceback

tests = []


class Skip(Exception):
    """Raised by a test whose requirements are absent."""


def test(function):
    tests.append(function)
    return function


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"\n  found    {found!r}\n  expected {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def shared(name):
    """Path of a file below the shared folder; skips the test if it is absent."""
    path = os.path.join(os.environ.get("SPLENIUM_SHARED", "../shared"), name)
    if not os.path.exists(path):
        raise Skip(f"{path} is absent (set SPLENIUM_SHARED)")
    return path


def run_one(function):
    """Run a test in an empty folder of its own."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="splenium-test-") as folder:
        os.chdir(folder)
        try:
            function()
            return "ok", ""
        except Skip as reason:
            return "ok", f" # SKIP {reason}"
        except Exception:
            for line in traceback.format_exc().rstrip().split("\n"):
                print("#", line)
            return "not ok", ""
        finally:
            os.chdir(here)


def main(names):
    chosen = [t for t in tests if not names or t.__name__ in names]
    print(f"1..{len(chosen)}")
    for number, function in enumerate(chosen, 1):
        result, directive = run_one(function)
        print(f"{result} {number} {function.__name__}{directive}")
        sys.stdout.flush()
