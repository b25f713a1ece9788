"""
What is told through `client.events.error`: each trouble once.
"""
import pytest

from hata_gateway_ext.errors import GatewayReport
from hata_gateway_ext.gateway.reports import REPORT_EVENT_NAME, Reports
from hata_gateway_ext.local_discord import LocalDiscord


@pytest.fixture
async def bot(make_bot):
    """A bot that does not run."""
    async with LocalDiscord() as discord:
        yield make_bot(discord)


@pytest.fixture
def reports(bot):
    """Reports to its owner."""
    return Reports(bot.client)


async def test__Reports__report(bot, reports):
    """What is reported reaches the error handler, each time."""
    exceptions = [GatewayReport('One.'), GatewayReport('Two.', 3)]
    for exception in exceptions:
        await bot.call(reports.report, exception)
    
    await bot.wait_for(lambda: len(bot.errors) == 2)
    assert bot.errors == exceptions
    assert str(exceptions[1]) == 'Shard 3: Two.'


async def test__Reports__names_the_event(bot, reports):
    """The error handler is told that it is about the gateway."""
    names = []
    
    async def error(client, name, exception):
        names.append(name)
        bot._notify()
    
    bot.client.events(error, overwrite = True)
    await bot.call(reports.report, GatewayReport('One.'))
    await bot.wait_for(lambda: names)
    assert names == [REPORT_EVENT_NAME]


async def test__Reports__report_once(bot, reports):
    """The same trouble is reported once until it is settled, or until its reason changes."""
    async def test():
        return [
            reports.report_once('a', GatewayReport('1')),
            reports.report_once('a', GatewayReport('2')),
            reports.report_once('b', GatewayReport('3')),
            reports.report_once('b', GatewayReport('4'), 'reason'),
            reports.report_once('b', GatewayReport('5'), 'reason'),
            reports.settle('a'),
            reports.settle('a'),
            reports.report_once('a', GatewayReport('6')),
            reports.report_once('b', GatewayReport('7'), 'reason'),
            reports.report_once('b', GatewayReport('8')),
        ]
    
    assert await bot.run(test()) == [True, False, True, True, False, True, False, True, False, True]
    await bot.wait_for(lambda: len(bot.errors) == 5)
    assert [str(error) for error in bot.errors] == ['1', '3', '4', '6', '8']
    assert repr(reports) == '<Reports open = [\'a\', \'b\']>'


async def test__Reports__holds_tasks(bot, reports):
    """A report on its way is held, and let go of when it is made: the loop holds tasks weakly."""
    await bot.call(reports.report, GatewayReport('One.'))
    await bot.wait_for_gateway(lambda: not reports._tasks)
    assert len(bot.errors) == 1


async def test__Reports__handler_raises(bot, reports, capfd):
    """An error handler that raises does not reach whoever reports, and is called for the next report all the same."""
    reported = []
    
    async def error(client, name, exception):
        reported.append(exception)
        raise RuntimeError
    
    bot.client.events(error, overwrite = True)
    exceptions = [GatewayReport('One.'), GatewayReport('Two.')]
    for exception in exceptions:
        await bot.call(reports.report, exception)
    
    await bot.wait_for_gateway(lambda: not reports._tasks)
    assert reported == exceptions
