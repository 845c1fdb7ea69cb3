#!/usr/bin/env python3
"""Record src/engine/packet/protocol/http/http2/tests/tables.tsv: both sides of a conversation of h2 (PyPI)
with itself, in which each changes the size of the table that the other one's encoder may
keep, up and down. A row: who speaks, and what, in hex.

Run: python3 testdata/record/h2_tables.py > src/engine/packet/protocol/http/http2/tests/tables.tsv
"""

import h2.config
import h2.connection
import h2.settings

SIZE = h2.settings.SettingCodes.HEADER_TABLE_SIZE


def side(is_client):
    config = h2.config.H2Configuration(client_side=is_client, header_encoding="utf-8")
    return h2.connection.H2Connection(config=config)


client, server = side(True), side(False)
rows = []


def deliver():
    """What each side has to say, until both are silent."""
    spoke = True
    while spoke:
        spoke = False
        for name, speaker, hearer in (("client", client, server), ("server", server, client)):
            if data := speaker.data_to_send():
                rows.append(f"{name}\t{data.hex()}")
                hearer.receive_data(data)
                spoke = True


client.initiate_connection()
server.initiate_connection()
deliver()
number = 0
for size in (None, 65536, 300, 0, 8192, 1 << 20, 4096):
    if size is not None:
        # Nobody acknowledges at once: requests are on their way.
        client.update_settings({SIZE: size})
        server.update_settings({SIZE: size})
    for _ in range(8):
        stream = client.get_next_available_stream_id()
        client.send_headers(
            stream,
            [
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", f"host{number % 3}.example"),
                (":path", f"/{number}"),
                ("user-agent", f"agent {number % 5} " + "x" * (number % 5 * 150)),
                ("referer", f"http://r{number % 2}.example/"),
            ],
            end_stream=True,
        )
        deliver()
        server.send_headers(
            stream,
            [
                (":status", "302"),
                ("location", f"http://l{number % 4}.example/{number % 7}"),
                ("server", "s" * (number % 5 * 200)),
            ],
            end_stream=True,
        )
        deliver()
        number += 1
print("\n".join(rows))
