"""
The ledger of numbered messages.
"""
from hata_gateway_ext.local_discord import parse_number
from hata_gateway_ext.local_discord.ledger import Ledger, format_number
from hata_gateway_ext.local_discord.session import Session


def create_session(shard_id):
    """A session of a shard."""
    return Session(None, 1, 'id', shard_id, 2, 0, 10)


def test__parse_number():
    """What `format_number` makes is read back; anything else is not numbered."""
    assert parse_number(format_number(12)) == 12
    for content in (None, '', '#', '#x', '12', '#-1', 'hello #1'):
        assert parse_number(content) is None


def test__Ledger__account__clean():
    """Everything seen once and in order, whatever the order between shards."""
    ledger = Ledger(100)
    sessions = [create_session(0), create_session(1)]
    for number in range(6):
        ledger.add((sessions[number % 2],))

    account = ledger.account([1, 0, 2, 4, 3, 5])
    assert account.is_clean
    assert (account.sent, account.seen) == (6, 6)


def test__Ledger__account__unclean():
    """Lost, doubled, disordered and unknown numbers are told."""
    ledger = Ledger(100)
    session = create_session(0)
    for _ in range(5):
        ledger.add((session,))

    account = ledger.account([0, 2, 2, 1, 9])
    assert not account.is_clean
    assert account.lost == (3, 4)
    assert account.doubled == (2,)
    assert account.disordered == (1,)
    assert account.unknown == (9,)
    assert (account.sent, account.seen) == (5, 3)


def test__Ledger__account__forfeited():
    """What Discord itself took away is not lost by the client; what the client's own close took away is."""
    ledger = Ledger(100)
    forfeited, closed = create_session(0), create_session(1)
    ledger.add((forfeited,))
    ledger.add((closed,))
    ledger.add((forfeited, closed))
    forfeited.end('invalidated')
    closed.end('client')
    account = ledger.account([])
    assert account.forfeited == (0,)
    assert account.lost == (1, 2)


def test__Ledger__account__of_a_shard():
    """Only a shard's numbers count; what was sent while there was no session counts nowhere."""
    ledger = Ledger(100)
    ledger.add((create_session(0),))
    ledger.add((create_session(1),))
    ledger.add(())
    account = ledger.account([1], 1)
    assert account.is_clean
    assert (account.sent, account.seen) == (1, 1)
    assert ledger.sent_numbers() == [0, 1]


def test__Ledger__bound():
    """What is older than the bound counts nowhere; numbers go on."""
    ledger = Ledger(3)
    session = create_session(0)
    for _ in range(5):
        ledger.add((session,))

    assert ledger.next_number == 5
    assert ledger.sent_numbers() == [2, 3, 4]
    account = ledger.account([0, 1, 2, 4])
    assert (account.sent, account.seen, account.lost, account.unknown) == (3, 2, (3,), ())
