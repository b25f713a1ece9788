"""
Every way to break connections, by name.
"""
__all__ = ('BREAKAGES',)

from .breakages_line import BREAKAGES_LINE
from .breakages_outage import BREAKAGES_OUTAGE
from .breakages_resume import BREAKAGES_RESUME
from .breakages_session import BREAKAGES_SESSION


BREAKAGES = {
    breakage.name: breakage
    for breakage in (*BREAKAGES_LINE, *BREAKAGES_RESUME, *BREAKAGES_SESSION, *BREAKAGES_OUTAGE)
}
