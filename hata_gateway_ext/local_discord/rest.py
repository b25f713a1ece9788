"""
REST: who asks, what is asked, and Discord's headers around the answer. The answers themselves are in `rest_routes.py`.
"""
__all__ = ('Rest',)

from asyncio import Event, sleep
from time import time

from aiohttp.web import Response

from .payloads import decode_json, encode_json
from .records import RequestRecord
from .rest_faults import RestFaultScript
from .rest_request import RestRequest
from .rest_routes import PUBLIC_PATHS, find_route

# Discord docs, Rate Limits: "Header Format". The numbers are ours: high enough that nobody ever waits here.
RATE_LIMIT = 1000
RATE_LIMIT_RESET_AFTER = 1.0
RATE_LIMIT_BUCKET = 'local-discord'

API_PREFIX = '/api'


def _strip_prefix(path):
    """
    Takes `/api` and the version off a path.

    Parameters
    ----------
    path : `str`
        The path.

    Returns
    -------
    path : `str`
    """
    if path.startswith(API_PREFIX + '/'):
        path = path[len(API_PREFIX):]
        first, slash, rest = path[1:].partition('/')
        if first.startswith('v') and first[1:].isdigit():
            path = slash + rest

    return path


def _build_rate_limit_headers():
    """
    Builds the headers that every answer of Discord's has. hata waits for ever for an answer without them.

    Returns
    -------
    headers : `dict<str, str>`
    """
    return {
        'X-RateLimit-Limit': str(RATE_LIMIT),
        'X-RateLimit-Remaining': str(RATE_LIMIT - 1),
        'X-RateLimit-Reset': f'{time() + RATE_LIMIT_RESET_AFTER:.3f}',
        'X-RateLimit-Reset-After': f'{RATE_LIMIT_RESET_AFTER:.3f}',
        'X-RateLimit-Bucket': RATE_LIMIT_BUCKET,
    }


class Rest:
    """
    Answers REST requests.

    Attributes
    ----------
    core : ``Core``
        The local Discord.

    faults : ``RestFaultScript``
        The scripted faults.
    """
    __slots__ = ('core', 'faults')

    def __new__(cls, core):
        """
        Creates it.

        Parameters
        ----------
        core : ``Core``
            The local Discord.
        """
        self = object.__new__(cls)
        self.core = core
        self.faults = RestFaultScript()
        return self


    async def handle(self, request):
        """
        Handles a request.

        This method is a coroutine.

        Parameters
        ----------
        request : `aiohttp.web.BaseRequest`
            The request.

        Returns
        -------
        response : `aiohttp.web.Response`
        """
        core = self.core
        method = request.method
        path = _strip_prefix(request.path)
        record = RequestRecord(at = core.now(), method = method, path = path)
        core.recording.requests.append(record)
        core.recording.changed()

        body = await request.read()
        headers = _build_rate_limit_headers()
        fault = self.faults.find(method, path, core.now())

        if (fault is not None):
            if fault.hang:
                await self._hang(fault)

            if fault.delay:
                await sleep(fault.delay)

            headers.update(fault.headers)

        if (fault is not None) and (fault.status is not None):
            status = fault.status
            data = {'message': f'{status}: scripted', 'code': 0} if fault.body is None else fault.body
        else:
            status, data = self._answer(request, method, path, body)
            if (fault is not None) and (fault.body is not None):
                data = fault.body

        record.status = status
        core.recording.changed()

        if data is None:
            return Response(status = status, headers = headers)

        if isinstance(data, bytes):
            return Response(status = status, headers = headers, body = data)

        headers['Content-Type'] = 'application/json'
        return Response(status = status, headers = headers, body = encode_json(data))


    async def _hang(self, fault):
        """
        Waits until a fault is healed.

        This method is a coroutine.

        Parameters
        ----------
        fault : ``RestFault``
            The fault.
        """
        waiter = Event()
        fault.waiters.add(waiter)
        try:
            await waiter.wait()
        finally:
            fault.waiters.discard(waiter)


    def _answer(self, request, method, path, body):
        """
        Answers a request.

        Parameters
        ----------
        request : `aiohttp.web.BaseRequest`
            The request.

        method : `str`
            Its method.

        path : `str`
            Its path, without prefix.

        body : `bytes`
            Its body.

        Returns
        -------
        status : `int`
        data : `None | bytes | dict<str, object> | list<object>`
        """
        authorization = request.headers.get('Authorization', '')
        application = self.core.applications.get(authorization[4:] if authorization.startswith('Bot ') else None)
        if (application is None) and (path not in PUBLIC_PATHS):
            return 401, {'message': '401: Unauthorized', 'code': 0}

        route, parameters = find_route(method, path)
        if route is None:
            return 404, {'message': '404: Not Found', 'code': 0}

        data = None
        if body and request.content_type == 'application/json':
            try:
                data = decode_json(body)
            except ValueError:
                # Discord docs, JSON Error Codes: 50109.
                return 400, {'message': 'The request body contains invalid JSON.', 'code': 50109}

        return route(RestRequest(self.core, application, parameters, data))
