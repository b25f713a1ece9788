"""
REST: who asks, what is asked, and Discord's headers around the answer. The answers themselves are in `routes.py`.
"""
__all__ = ('Rest', 'RestRequest')

from asyncio import Event, sleep
from re import compile as re_compile
from time import time
from typing import NamedTuple

from aiohttp.web import Response

from .application import TOKEN_PREFIX
from .payloads import decode_json, encode_json
from .recording import RequestRecord
from .routes import PUBLIC_PATHS, find_route

# Discord docs, Rate Limits: "Header Format". The numbers are ours: high enough that nobody ever waits here.
RATE_LIMIT = 1000
RATE_LIMIT_RESET_AFTER = 1.0
RATE_LIMIT_BUCKET = 'local-discord'

PREFIX_PATTERN = re_compile('/api(?:/v[0-9]+)?(?=/)')

UNAUTHORIZED = 401, {'message': '401: Unauthorized', 'code': 0}
NOT_FOUND = 404, {'message': '404: Not Found', 'code': 0}
# Discord docs, JSON Error Codes.
INVALID_JSON = 400, {'message': 'The request body contains invalid JSON.', 'code': 50109}


class RestRequest(NamedTuple):
    """A request as a route gets it: who asks, the parameters of the path, the query, and the decoded body."""
    core: object
    application: object
    parameters: dict
    query: dict
    data: object


def _build_rate_limit_headers():
    """Builds the headers that every answer of Discord's has. hata waits for ever for an answer without them."""
    return {
        'X-RateLimit-Limit': str(RATE_LIMIT),
        'X-RateLimit-Remaining': str(RATE_LIMIT - 1),
        'X-RateLimit-Reset': f'{time() + RATE_LIMIT_RESET_AFTER:.3f}',
        'X-RateLimit-Reset-After': f'{RATE_LIMIT_RESET_AFTER:.3f}',
        'X-RateLimit-Bucket': RATE_LIMIT_BUCKET,
    }


async def _read_body(request):
    """Returns the decoded body; `None` if there is none. Raises `ValueError` for what is no JSON."""
    if request.content_type.startswith('multipart/'):
        # Files go beside: Discord docs, Reference: "Uploading Files".
        async for part in await request.multipart():
            if part.name == 'payload_json':
                return decode_json(await part.read())
        
        return None
    
    body = await request.read()
    if body and request.content_type == 'application/json':
        return decode_json(body)
    
    return None


class Rest:
    """
    Answers REST requests.
    
    Attributes
    ----------
    core : ``Core``
        The local Discord.
    """
    __slots__ = ('core',)
    
    def __new__(cls, core):
        self = object.__new__(cls)
        self.core = core
        return self
    
    
    async def handle(self, request):
        """Handles a request."""
        core = self.core
        method = request.method
        path = PREFIX_PATTERN.sub('', request.path, 1)
        record = RequestRecord(at = core.now(), method = method, path = path)
        core.recording.requests.append(record)
        
        try:
            record.data = await _read_body(request)
            answer = None
        except ValueError:
            answer = INVALID_JSON
        
        core.recording.changed()
        headers = _build_rate_limit_headers()
        fault = core.script.find_rest_fault(method, path)
        
        if (fault is not None):
            await self._pass(fault)
            headers.update(fault.headers)
        
        if (fault is not None) and (fault.status is not None):
            answer = fault.status, {'message': f'{fault.status}: scripted', 'code': 0}
        
        if answer is None:
            answer = self._answer(request, method, path, record.data)
        
        status, data = answer
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
    
    
    async def _pass(self, fault):
        """Waits as long as a fault wants."""
        if fault.hang:
            waiter = Event()
            fault.waiters.add(waiter)
            try:
                await waiter.wait()
            finally:
                fault.waiters.discard(waiter)
        
        if fault.delay:
            await sleep(fault.delay)
    
    
    def _answer(self, request, method, path, data):
        """Returns the status and the data that a request is answered with."""
        authorization = request.headers.get('Authorization', '')
        application = self.core.applications.get(authorization if authorization.startswith(TOKEN_PREFIX) else None)
        if (application is None) and (not PUBLIC_PATHS.fullmatch(path)):
            return UNAUTHORIZED
        
        route, parameters = find_route(method, path)
        if route is None:
            return NOT_FOUND
        
        return route(RestRequest(self.core, application, parameters, request.query, data))
