"""
`python -m benchmarks`
"""
__all__ = ()

from sys import exit

from .run import main


if __name__ == '__main__':
    exit(main())
