"""
REST of the local Discord.
"""
import asyncio

import aiohttp
import pytest

from hata_gateway_ext.local_discord import LocalDiscord


@pytest.fixture
async def request_(discord):
    """Requests: `await request_('GET', '/gateway')` returns the response and its data."""
    async with aiohttp.ClientSession() as http:
        async def request(method, path, data = None, token = None, **parameters):
            authorization = {'Authorization': f'Bot {discord.token if token is None else token}'}
            async with http.request(
                method, discord.api_endpoint + path, json = data, headers = authorization, **parameters
            ) as response:
                text = await response.text()
                return response, (await response.json() if response.content_type == 'application/json' else text)


        yield request


async def test__rest__rate_limit_headers(request_):
    """Every answer has them, good or bad: hata waits for ever otherwise."""
    for path, status in (('/gateway', 200), ('/users/@me', 200), ('/nothing', 404)):
        response, _ = await request_('GET', path)
        assert response.status == status
        for name in ('Limit', 'Remaining', 'Reset', 'Reset-After', 'Bucket'):
            assert f'X-RateLimit-{name}' in response.headers


async def test__rest__unauthorized(discord, request_):
    """A wrong token gets 401, and the recording has no token."""
    response, data = await request_('GET', '/users/@me', token = 'wrong')
    assert response.status == 401
    (record,) = discord.recording.requests
    assert (record.method, record.path, record.status) == ('GET', '/users/@me', 401)
    assert 'wrong' not in repr(record)


async def test__rest__gateway_bot(discord, request_):
    """What `/gateway/bot` tells follows the options."""
    discord.options.shards = 5
    discord.options.max_concurrency = 3
    _, data = await request_('GET', '/gateway/bot')
    assert data['url'] == discord.gateway_url
    assert data['shards'] == 5
    limit = data['session_start_limit']
    assert (limit['total'], limit['remaining'], limit['max_concurrency']) == (1000, 1000, 3)
    assert 86399000 < limit['reset_after'] <= 86400000

    discord.options.required_shards = 8
    _, data = await request_('GET', '/gateway/bot')
    assert data['shards'] == 8


async def test__rest__login(discord, request_):
    """The user and the application that a bot asks for."""
    _, user = await request_('GET', '/users/@me')
    _, application = await request_('GET', '/oauth2/applications/@me')
    assert user['id'] == application['id'] == str(discord.application_id)
    assert user['bot']


async def test__rest__commands(discord, request_):
    """Application commands are kept: created, replaced, edited, deleted; globally and of a guild."""
    path = f'/applications/{discord.application_id}/commands'
    response, ping = await request_('POST', path, {'name': 'ping', 'description': 'Pong.'})
    assert response.status == 201
    response, again = await request_('POST', path, {'name': 'ping', 'description': 'Pong!'})
    assert (response.status, again['id']) == (200, ping['id'])
    assert again['version'] != ping['version']

    response, commands = await request_('PUT', path, [{'name': 'ping'}, {'name': 'pong'}])
    assert [command['name'] for command in commands] == ['ping', 'pong']
    assert commands[0]['id'] == ping['id']

    _, edited = await request_('PATCH', f'{path}/{ping["id"]}', {'description': 'x'})
    assert (edited['name'], edited['description']) == ('ping', 'x')

    response, _ = await request_('DELETE', f'{path}/{ping["id"]}')
    assert response.status == 204
    response, _ = await request_('GET', f'{path}/{ping["id"]}')
    assert response.status == 404
    _, commands = await request_('GET', path)
    assert [command['name'] for command in commands] == ['pong']

    _, commands = await request_('GET', f'/applications/{discord.application_id}/guilds/1/commands')
    assert commands == []
    response, _ = await request_('POST', path, {'no': 'name'})
    assert response.status == 400


async def test__rest__message(discord, request_, connect):
    """A message that is created is dispatched on the guild's shard too."""
    discord.options.guilds = 1
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    channel_id = discord.world.get_text_channel_id(discord.world.guild_ids[0])
    _, message = await request_('POST', f'/channels/{channel_id}/messages', {'content': 'hello'})
    event = await peer.expect_event('MESSAGE_CREATE')
    assert event['id'] == message['id']
    assert event['author']['id'] == str(discord.application_id)
    assert event['content'] == 'hello'

    response, _ = await request_('DELETE', f'/channels/{channel_id}/messages/{message["id"]}')
    assert response.status == 204
    assert (await peer.expect_event('MESSAGE_DELETE'))['id'] == message['id']

    response, _ = await request_('POST', '/channels/1/messages', {'content': 'hello'})
    assert response.status == 404


async def test__rest_fault__status(discord, request_):
    """An answer with another status and further headers, as often as told, and only for its path and method."""
    discord.rest_fault('/gateway', method = 'GET', status = 503, headers = {'Retry-After': '1'}, times = 2)
    assert (await request_('GET', '/users/@me'))[0].status == 200
    for _ in range(2):
        response, _ = await request_('GET', '/gateway/bot')
        assert (response.status, response.headers['Retry-After']) == (503, '1')

    assert (await request_('GET', '/gateway/bot'))[0].status == 200


async def test__rest_fault__hang(discord, request_):
    """Nothing is answered until it is healed."""
    fault = discord.rest_fault('/gateway', hang = True)
    task = asyncio.ensure_future(request_('GET', '/gateway'))
    await discord.wait_for(lambda recording: fault.count)
    assert not task.done()
    assert discord.recording.requests[0].status is None
    fault.heal()
    response, _ = await task
    assert response.status == 200


async def test__rest_fault__body(discord, request_):
    """An answer with the right status and a wrong body; and one that is delayed."""
    discord.rest_fault('/gateway', body = 'no json')
    assert (await request_('GET', '/gateway'))[1] == 'no json'
    with discord.rest_fault('/gateway', delay = 0.01, times = None) as fault:
        assert (await request_('GET', '/gateway'))[1] == {'url': discord.gateway_url}

    assert (fault.count, fault.is_healed) == (1, True)


async def test__rest__token_reset(discord, request_):
    """After its token was reset a bot gets 401."""
    discord.applications[0].is_token_reset = True
    assert (await request_('GET', '/users/@me'))[0].status == 401


async def test__rest__invalid_json():
    """A body that is no JSON is refused."""
    async with LocalDiscord() as discord, aiohttp.ClientSession() as http:
        async with http.post(
            f'{discord.api_endpoint}/applications/1/commands', data = b'{',
            headers = {'Authorization': f'Bot {discord.token}', 'Content-Type': 'application/json'},
        ) as response:
            assert response.status == 400
