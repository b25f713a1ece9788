"""
A certificate for the measurement over TLS.
"""
__all__ = ('create_certificate',)

from os.path import join as join_paths


def create_certificate(directory):
    """
    Creates an authority, and a certificate of it for this machine's loopback.
    
    Parameters
    ----------
    directory : `str`
        Where files can be written.
    
    Returns
    -------
    paths : `None | tuple<str, str>`
        The server's key with its certificate, and the authority's certificate. `None` if `trustme` is not installed.
    """
    try:
        from trustme import CA
    except ImportError:
        return None
    
    authority = CA()
    authority_path = join_paths(directory, 'authority.pem')
    authority.cert_pem.write_to_path(authority_path)
    server_path = join_paths(directory, 'server.pem')
    authority.issue_cert('localhost', '127.0.0.1').private_key_and_cert_chain_pem.write_to_path(server_path)
    return server_path, authority_path
