import pytest
from hypothesis import given, settings, strategies

from hata_gateway_ext.demo.account import Account


def create_account(*sent, shard_count = 2):
    """Creates an account, into which numbers were sent: `(number, shard_id)`."""
    account = Account(shard_count)
    for number, shard_id in sent:
        account.send(number, shard_id)
    
    return account


def test__Account__clean():
    """Everything was seen once and in order, shards interleaved."""
    account = create_account((0, 0), (1, 1), (2, 0), (3, 1))
    for number in (1, 0, 3, 2):
        account.see(number)
    
    assert account.is_clean
    assert account.is_settled
    assert (account.sum('sent'), account.sum('seen')) == (4, 4)


def test__Account__on_its_way():
    """What was sent after the last that was seen is on its way, and not lost."""
    account = create_account((0, 0), (1, 0), (2, 0))
    account.see(0)
    
    assert account.is_clean
    assert not account.is_settled
    assert account.sum('lost') == 0


def test__Account__lost():
    """What was left out is lost as soon as a later one was seen, and not before."""
    account = create_account((0, 0), (1, 0), (2, 1), (3, 0))
    account.see(2)
    assert account.sum('lost') == 0
    
    account.see(3)
    assert account.shards[0].lost_numbers == [0, 1]
    assert account.shards[1].lost == 0
    assert account.is_settled
    assert not account.is_clean


def test__Account__close():
    """At the end what was not seen is lost."""
    account = create_account((0, 0), (1, 0))
    account.see(0)
    account.close()
    
    assert account.shards[0].lost_numbers == [1]


def test__Account__doubled():
    """What comes again is doubled each time."""
    account = create_account((0, 0), (1, 0))
    for number in (0, 1, 1, 0):
        account.see(number)
    
    assert account.sum('doubled') == 2
    assert account.sum('seen') == 2
    assert account.sum('disordered') == 0
    assert not account.is_clean


def test__Account__disordered():
    """What comes after a later one is out of order, and not lost any more."""
    account = create_account((0, 0), (1, 0))
    account.see(1)
    account.see(0)
    
    assert account.sum('disordered') == 1
    assert account.sum('lost') == 0
    assert account.sum('seen') == 2
    assert not account.is_clean


@pytest.mark.parametrize('number', (-1, 1, 3, 1000))
def test__Account__unknown(number):
    """What was never sent, or only to somebody else, makes an account unclean."""
    account = create_account((0, 0), (2, 1))
    account.see(number)
    
    assert account.unknown == 1
    assert not account.is_clean


def test__Account__allow_repeats():
    """What may come again may do so once; it is counted, and others still count as doubled."""
    account = create_account((0, 0), (1, 0), (2, 0))
    for number in (0, 1, 2):
        account.see(number)
    
    account.allow_repeats((1, 2))
    account.see(1)
    account.see(2)
    assert account.sum('repeated') == 2
    assert account.is_clean
    
    account.see(0)
    account.see(2)
    assert account.sum('doubled') == 2
    assert not account.is_clean


@given(
    strategies.lists(strategies.integers(0, 2), max_size = 30),
    strategies.lists(strategies.integers(0, 29), max_size = 60),
)
@settings(deadline = None, max_examples = 300)
def test__Account__any_order(shard_ids, seen):
    """In whatever order and how often things are seen, the account says what counting afterwards says."""
    account = create_account(*enumerate(shard_ids), shard_count = 3)
    for number in seen:
        account.see(number)
    
    account.close()
    
    known = [number for number in seen if number < len(shard_ids)]
    assert account.unknown == len(seen) - len(known)
    assert account.sum('sent') == len(shard_ids)
    assert account.sum('seen') == len(set(known))
    assert account.sum('doubled') == len(known) - len(set(known))
    assert account.sum('lost') == len(shard_ids) - len(set(known))
    
    first_seen = list(dict.fromkeys(known))
    assert account.sum('disordered') == sum(
        any(shard_ids[other] == shard_ids[number] and other > number for other in first_seen[:index])
        for index, number in enumerate(first_seen)
    )
