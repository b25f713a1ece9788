"""
A Discord gateway for hata that loses no event.

```py
from hata import Client

Seija = Client(TOKEN, extensions = ['gateway_ext'])
```

Importing this registers the extension with hata. It is not needed: hata finds it by its name.
"""
__all__ = (
    'DurableGatewayClientShard', 'DurableGatewayClientSharder', 'FatalGatewayCloseException', 'GatewayCloseReport',
    'GatewayConfiguration', 'GatewayConnectReport', 'GatewayExtensionError', 'GatewayInputReport', 'GatewayReport',
    'GatewaySendReport', 'GatewayStatistics', 'GatewayStoreReport', 'PayloadTooLargeError', 'ShardStatistics',
    'setup_ext_gateway_ext',
)

from .configuration import GatewayConfiguration
from .errors import (
    FatalGatewayCloseException, GatewayCloseReport, GatewayConnectReport, GatewayExtensionError, GatewayInputReport,
    GatewayReport, GatewaySendReport, GatewayStoreReport, PayloadTooLargeError
)
from .extension import setup_ext_gateway_ext
from .gateway.shard import DurableGatewayClientShard
from .gateway.sharder import DurableGatewayClientSharder
from .gateway.statistics import GatewayStatistics, ShardStatistics
