"""
Starts a module of a measurement without what it does not need: `python launch.py MODULE [ARGUMENT ...]`.

`hata_gateway_ext` imports hata, and hata starts a thread. Neither belongs into the process of the server, of the floor or
of another library. So the package is entered here without being run: its modules can be imported, its `__init__` is not.
"""
__all__ = ('main',)

import sys
from os import getcwd
from os.path import abspath, dirname
from runpy import run_module
from types import ModuleType


def main():
    """
    Runs the module that is named first on the command line, as `python -m` would.
    """
    package_path = dirname(dirname(abspath(__file__)))
    package = ModuleType('hata_gateway_ext')
    package.__path__ = [package_path]
    sys.modules['hata_gateway_ext'] = package
    
    # `python -m` puts the working directory here; running a file by its path puts the file's directory.
    sys.path[0] = getcwd()
    del sys.argv[0]
    run_module(sys.argv[0], run_name = '__main__', alter_sys = True)


if __name__ == '__main__':
    main()
