"""
What a measurement ran on, so that figures can be compared with sense.
"""
__all__ = ('describe_machine',)

import os
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ('hata', 'scarletio', 'orjson', 'backports.zstd', 'hikari', 'discord.py', 'aiohttp', 'zstandard')


def describe_machine():
    """
    Describes the machine, Python and the libraries.
    
    Returns
    -------
    description : `dict<str, object>`
    """
    libraries = {}
    for name in PACKAGES:
        # Python 3.9 finds a package only under the very name with which it was built.
        for spelling in (name, name.replace('.', '-'), name.replace('.', '_')):
            try:
                libraries[name] = version(spelling)
            except PackageNotFoundError:
                continue
            
            break
    
    return {
        'system': platform.system(),
        'machine': platform.machine(),
        'processor': _get_processor_name(),
        'processor_count': os.cpu_count(),
        'python': f'{platform.python_implementation()} {platform.python_version()}',
        'libraries': libraries,
    }


def _get_processor_name():
    """
    Returns the processor's name.
    
    Returns
    -------
    name : `str`
    """
    try:
        with open('/proc/cpuinfo') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.partition(':')[2].strip()
    except FileNotFoundError:
        # Not Linux.
        return platform.processor()
    
    return platform.processor()
