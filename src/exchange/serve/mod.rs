//! Sockets, TLS, the start and the end of the server.
