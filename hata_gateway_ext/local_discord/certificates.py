"""
Certificates for a local Discord with TLS, made on the spot.

The standard library cannot make any, so this needs trustme. What is made lasts for the process; only what others need
to trust it, or what the caller asks for, is written to a file.
"""
__all__ = ('Certificates', 'create_certificates')

from os import makedirs
from os.path import join
from ssl import PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, SSLContext

AUTHORITY_FILE_NAME = 'ca.pem'


class Certificates:
    """
    An authority and a certificate that it issued.
    
    Attributes
    ----------
    _authority : `trustme.CA`
        The authority.
    _certificate : `trustme.LeafCert`
        The certificate.
    """
    __slots__ = ('_authority', '_certificate')
    
    def __new__(cls, authority, certificate):
        """The parameters are the attributes."""
        self = object.__new__(cls)
        self._authority = authority
        self._certificate = certificate
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__}>'
    
    
    def create_server_context(self):
        """
        Creates what `LocalDiscord(ssl_context = ...)` takes.
        
        Returns
        -------
        ssl_context : `ssl.SSLContext`
        """
        ssl_context = SSLContext(PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(ssl_context)
        return ssl_context
    
    
    def create_client_context(self):
        """
        Creates a client side context that trusts the authority, and nobody else.
        
        Returns
        -------
        ssl_context : `ssl.SSLContext`
        """
        ssl_context = SSLContext(PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(ssl_context)
        return ssl_context
    
    
    def write_authority(self, folder):
        """
        Writes the authority's certificate, for `SSL_CERT_FILE` and the like.
        
        Parameters
        ----------
        folder : `str`
            Where to. Created if missing.
        
        Returns
        -------
        path : `str`
            Path of the file.
        """
        makedirs(folder, exist_ok = True)
        path = join(folder, AUTHORITY_FILE_NAME)
        self._authority.cert_pem.write_to_path(path)
        return path


def create_certificates(*names):
    """
    Creates an authority and a certificate of it.
    
    Parameters
    ----------
    *names : `str`
        The host names and addresses that the certificate is for. `'127.0.0.1'` and `'localhost'` if none is given. With
        another one its owner is not who a client of the local Discord looks for: a misnamed certificate.
    
    Returns
    -------
    certificates : ``Certificates``
    
    Raises
    ------
    ModuleNotFoundError
        - If trustme is not installed.
    """
    try:
        from trustme import CA
    except ImportError as exception:
        raise ModuleNotFoundError(
            'Making certificates needs trustme: `pip install trustme`.', name = 'trustme'
        ) from exception
    
    authority = CA()
    return Certificates(authority, authority.issue_cert(*(names or ('127.0.0.1', 'localhost'))))
