"""TLS as ISO 15118 wants it, on pyOpenSSL and memory buffers."""
