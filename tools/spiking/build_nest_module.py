"""Make the NEST module of izh_cond.nestml.

    build_nest_module.py FOLDER

NESTML writes the C++ text; it is compiled here, because nest-config of the package from PyPI
names folders of the machine that built it. Needs g++ and Debian's libltdl-dev and
libboost-dev. NEST finds the module through LD_LIBRARY_PATH.
"""

import glob
import os
import subprocess
import sys

import nest
from pynestml.exceptions.invalid_path_exception import InvalidPathException
from pynestml.frontend.pynestml_frontend import generate_target

HERE = os.path.dirname(os.path.abspath(__file__))
# The package is built with the old layout of std::string.
FLAGS = ["-O3", "-DNDEBUG", "-march=native", "-std=c++20", "-fPIC", "-fopenmp", "-w",
         "-D_GLIBCXX_USE_CXX11_ABI=0"]


def main(folder):
    try:
        generate_target(os.path.join(HERE, "izh_cond.nestml"), "NEST", target_path=folder,
                        logging_level="ERROR", module_name="izhcond_module")
    except InvalidPathException:
        pass  # its own compilation; the text is there
    include = os.path.join(os.path.dirname(nest.__file__), "include", "nest")
    sources = glob.glob(os.path.join(folder, "*.cpp"))
    subprocess.run(["g++", *FLAGS, "-shared", "-I" + include, "-I" + folder, *sources, "-o",
                    os.path.join(folder, "izhcond_module.so")], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
