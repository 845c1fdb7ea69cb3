#!/usr/bin/env python3
"""An FTP server that never tells how long a file is, and is slow: usage: ftp_server.py ADDRESS DIR BYTES_A_SECOND"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, ThrottledDTPHandler
from pyftpdlib.servers import FTPServer

address, folder, rate = sys.argv[1:]


class Slow(ThrottledDTPHandler):
    ac_out_buffer_size = ac_in_buffer_size = 2048
    read_limit = write_limit = int(rate)


class Handler(FTPHandler):
    authorizer = DummyAuthorizer()
    dtp_handler = Slow if int(rate) else DTPHandler
    permit_foreign_addresses = True
    use_sendfile = False


Handler.authorizer.add_anonymous(folder, perm="elradfmw")
FTPServer((address, 2121), Handler).serve_forever()
