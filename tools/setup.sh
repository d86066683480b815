# shellcheck shell=sh
# What tools/quickstart, tools/check and .ci/run share: packages and builds. POSIX shell,
# to be read in by ". tools/setup.sh" in the top folder of the source tree.

missing=

# need PACKAGE COMMAND...: the package is missing if the command fails. What was installed
# in another way (meson from pip, say) counts.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has_header() {
    echo "#include <$1>" | "${CC:-cc}" -E -
}

has_module() {
    "$(system_python)" -c "import $1"
}

# Debian's own Python has the modules of Debian's packages; one found first in PATH may not.
system_python() {
    if [ -x /usr/bin/python3 ]; then
        echo /usr/bin/python3
    else
        echo python3
    fi
}

need_for_build() {
    need gcc command -v "${CC:-cc}"
    need libc6-dev has_header stdio.h
    need meson meson --version
    need ninja-build ninja --version
    need pkg-config pkg-config --version
    need libhdf5-dev pkg-config --exists hdf5-serial
    need libopenblas-dev pkg-config --exists openblas
    need libarchive-dev pkg-config --exists libarchive
    need libyaml-dev pkg-config --exists yaml-0.1
    need nettle-dev pkg-config --exists nettle
}

need_for_tests() {
    need check pkg-config --exists check
    need librandom123-dev has_header Random123/philox.h
    need python3 python3 --version
    need python3-h5py has_module h5py
    need python3-xarray has_module xarray
    need python3-h5netcdf has_module h5netcdf
    need python3-netcdf4 has_module netCDF4
    need python3-mpmath has_module mpmath
}

need_for_ci() {
    need git git --version
    need ccache command -v ccache
    need clang command -v clang
    need libclang-rt-14-dev clang_links -fsanitize=address,undefined,fuzzer-no-link
    need libomp-dev clang_links -fopenmp
    need clang-format-14 command -v clang-format-14
    need valgrind valgrind --version
}

clang_links() {
    echo 'int main(void) { return 0; }' | clang "$@" -x c -o /dev/null -
}

# Install what is missing with apt-get: as root, or through sudo.
install_missing() {
    if [ -z "$missing" ]; then
        return
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
    fi
    if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }
    then
        echo "$0: missing packages; as root: apt-get install$missing" >&2
        exit 1
    fi
    echo "Installing$missing"
    $as_root apt-get -q update
    # shellcheck disable=SC2086  # the list is words
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y install --no-install-recommends $missing
}

# configure FOLDER OPTION...: only the first time.
configure() {
    folder=$1
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        meson setup "$folder" "$@"
    fi
}

# build FOLDER OPTION...: configure and bring up to date.
build() {
    configure "$@"
    meson compile -C "$1"
}

# Fuzz targets and tests alike: clang, AddressSanitizer, UBSan. gold links twice as fast.
configure_sanitized() {
    CC=clang CC_LD=gold configure build-fuzz --buildtype=debugoptimized -Dfuzz=true \
        -Dwerror="${WERROR:-false}" -Db_sanitize=address,undefined \
        -Dc_args='-g1 -fno-sanitize-recover=undefined' -Db_lundef=false
}

# build_release FOLDER OPTION...: as for users, with names and lines for debuggers and
# valgrind; where variables lie would take half of the compiler's time. .ci/run sets WERROR
# to true.
build_release() {
    build "$@" --buildtype=release -Ddebug=true -Dc_args=-g1 -Dwerror="${WERROR:-false}"
}

# run_tests FOLDER OPTION...: meson test, with the Python that has the modules first. What
# failed is told once more at the end, for logs that are kept in part.
run_tests() {
    folder=$1
    shift
    PATH=$(dirname "$(command -v "$(system_python)")"):$PATH \
        meson test -C "$folder" --print-errorlogs "$@" && return
    # shellcheck disable=SC2012  # the newest
    python3 - "$(ls -t "$folder"/meson-logs/testlog*.json | head -n 1)" <<'END'
import json
import sys

for test in map(json.loads, open(sys.argv[1], errors="replace")):
    if test["result"] in ("OK", "SKIP"):
        continue
    said = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
    ends = [n + 1 for n, line in enumerate(said) if line.startswith("not ok")]
    for end in ends[:4] or [len(said)]:
        print(*said[max(end - 20, 0) : end], sep="\n")
    print("{result} after {duration:.0f} s: {name}".format(**test))
END
    return 1
}
