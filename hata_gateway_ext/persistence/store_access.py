"""
A session store as the event loop sees it: it takes its time in a thread, and what fails is reported, not raised.
"""
__all__ = ('StoreAccess', 'TROUBLE_CHECKPOINTS', 'TROUBLE_RECORDS')

from scarletio import RichAttributeErrorBaseType

from ..errors import GatewayStoreReport
from ..stores.errors import StoreError
from .store_thread import StoreThread


TROUBLE_RECORDS = 'store records'
TROUBLE_CHECKPOINTS = 'store checkpoints'

# What is kept, in words, by the trouble that it may have. They are apart, because a disk may have room for one of them only.
KEPT = {
    TROUBLE_RECORDS: 'Sessions',
    TROUBLE_CHECKPOINTS: 'Checkpoints of the cache',
}


class StoreAccess(RichAttributeErrorBaseType):
    """
    Calls a store, and reports its troubles: each once, and again when it is over.
    
    Attributes
    ----------
    _opened : `bool`
        Whether the store was opened.
    failures : `int`
        How often a call failed. After a failure it is not known what is in the store.
    reports : ``Reports``
        Tells the bot's owner.
    store : ``SessionStore``
        The store.
    thread : ``StoreThread``
        Where it is called.
    """
    __slots__ = ('_opened', 'failures', 'reports', 'store', 'thread')
    
    def __new__(cls, store, reports):
        """
        Creates the access to a store. Nothing is opened yet.
        
        Parameters
        ----------
        store : ``SessionStore``
            The store.
        reports : ``Reports``
            Tells the bot's owner.
        """
        self = object.__new__(cls)
        self._opened = False
        self.failures = 0
        self.reports = reports
        self.store = store
        self.thread = StoreThread()
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} store = {self.store!r}, open = {self._opened!r}>'
    
    
    def fail(self, trouble, exception):
        """
        A call failed.
        
        Parameters
        ----------
        trouble : `str`
            What it was about.
        exception : ``StoreError``
            Why.
        """
        self.failures += 1
        self.reports.report_once(
            trouble,
            GatewayStoreReport(f'{KEPT[trouble]} are not kept at the moment: {exception} The gateway goes on without.'),
            type(exception),
        )
    
    
    async def open(self):
        """
        Opens the store if it is not open.
        
        This method is a coroutine.
        
        Returns
        -------
        opened : `bool`
        """
        if not self._opened:
            try:
                await self.thread.call(self.store.open)
            except StoreError as exception:
                self.fail(TROUBLE_RECORDS, exception)
                return False
            
            self._opened = True
        
        return True
    
    
    async def close(self):
        """
        Closes the store if it is open.
        
        This method is a coroutine.
        """
        if self._opened:
            self._opened = False
            try:
                await self.thread.call(self.store.close)
            except StoreError as exception:
                self.fail(TROUBLE_RECORDS, exception)
        
        self.thread.stop()
    
    
    async def save(self, trouble, function, *positional_parameters):
        """
        Calls what changes the store.
        
        This method is a coroutine.
        
        Parameters
        ----------
        trouble : `str`
            What it is about.
        function : `callable`
            What to call.
        *positional_parameters : Positional parameters
            What to call it with.
        
        Returns
        -------
        saved : `bool`
            Whether it worked.
        """
        try:
            await self.thread.call(function, *positional_parameters)
        except StoreError as exception:
            self.fail(trouble, exception)
            return False
        
        if self.reports.settle(trouble):
            self.reports.report(GatewayStoreReport(f'{KEPT[trouble]} are kept again.'))
        
        return True
