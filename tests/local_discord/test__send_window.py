"""
The send limit of the local Discord.
"""
from hata_gateway_ext.local_discord.send_window import SendWindow


def test__SendWindow__admit():
    """As many as the limit in any interval: it slides."""
    window = SendWindow()
    assert all(window.admit(float(index), 3, 10.0) for index in range(3))
    assert not window.admit(9.9, 3, 10.0)
    # That of 0.0 left, the refused one counts.
    assert not window.admit(10.0, 3, 10.0)
    assert len(window) == 4
    assert window.admit(30.0, 3, 10.0)
    assert len(window) == 1
