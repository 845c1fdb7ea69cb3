#!/usr/bin/env python3
"""HTTP/3 over QUIC with aioquic, which Debian 12 lacks (`pip install aioquic`).

    quic.py serve ADDRESS CERTIFICATE KEY
    quic.py get HOST ADDRESS PATH CA
"""
import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)

    def quic_event_received(self, event):
        for one in self.http.handle_event(event):
            if isinstance(one, HeadersReceived):
                self.http.send_headers(one.stream_id, [(b":status", b"200"), (b"content-type", b"text/plain")])
                self.http.send_data(one.stream_id, b"sleep 3600\n", end_stream=True)
                self.transmit()


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.done = asyncio.get_running_loop().create_future()

    def get(self, host: str, path: str):
        head = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", path), ("user-agent", "gh/0.9")]
        head = [(name.encode(), value.encode()) for name, value in head]
        self.http.send_headers(self._quic.get_next_available_stream_id(), head, end_stream=True)
        self.transmit()

    def quic_event_received(self, event):
        for one in self.http.handle_event(event):
            if isinstance(one, DataReceived) and one.stream_ended and not self.done.done():
                self.done.set_result(one.data)


async def main() -> None:
    if sys.argv[1] == "serve":
        address, certificate, key = sys.argv[2:]
        settings = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
        settings.load_cert_chain(certificate, key)
        await serve(address, 443, configuration=settings, create_protocol=Server)
        await asyncio.Event().wait()
    host, address, path, authority = sys.argv[2:]
    settings = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=host)
    settings.load_verify_locations(authority)
    async with connect(address, 443, configuration=settings, create_protocol=Client) as client:
        client.get(host, path)
        await asyncio.wait_for(client.done, 5)


asyncio.run(main())
