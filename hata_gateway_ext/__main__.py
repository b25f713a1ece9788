"""
`python -m hata_gateway_ext`.
"""
__all__ = ()

from sys import exit

from .cli import main


if __name__ == '__main__':
    exit(main())
