#!/usr/bin/env python3
"""Read and write files with commands of SMB1 that clients of today have forgotten: open, read, write;
raw reads and writes; several commands in one message. Usage: old_smb.py HOST SHARE FILE DIR: FILE of the
share is read in many ways into DIR, and written under the names of the ways."""
import pathlib
import sys

from impacket import smb

host, share, name, folder = sys.argv[1:]
out = pathlib.Path(folder)
part = 2000
S = smb.SMB


class Client(smb.SMB):
    def send(self, packet):
        self.sendSMB(packet)
        return self.recvSMB()

    def packet(self, tid, *commands):
        packet = smb.NewSMBPacket()
        packet["Tid"] = tid
        for command in commands:
            packet.addCommand(command)
        return packet


def command(code, parameters, data=b"", **values):
    one = smb.SMBCommand(code)
    one["Parameters"] = parameters
    for key, value in values.items():
        one["Parameters"][key] = value
    one["Data"] = data
    return one


client = Client(host, host, sess_port=445)
client.login("ana.ruiz", "guess")
tid = client.tree_connect_andx(f"\\\\{host}\\{share}")


def pieces(read, size):
    return b"".join(read(at, min(part, size - at)) for at in range(0, size, part))


def keep(way, data):
    (out / f"old.{way}").write_bytes(data)
    return data


# OPEN, READ, CLOSE
fid, _, _, size, _ = client.open(tid, name, 0x01, 0x40)
data = keep("read", pieces(lambda at, count: client.read(tid, fid, at, count), size))
client.close(tid, fid)
# OPEN_ANDX, READ_RAW
fid = client.open_andx(tid, name, 0x01, 0x40)[0]
keep("readraw", pieces(lambda at, count: client.read_raw(tid, fid, at, count), size))
# behind its end: an empty answer
client.sendSMB(client.packet(tid, command(S.SMB_COM_READ_RAW, smb.SMBReadRaw_Parameters(), Fid=fid, Offset=size, MaxCount=100)))
assert client._sess.recv_packet(5).get_trailer() == b""
client.close(tid, fid)


# WRITE; the form with the high half of the offset is for others
def written(way, write):
    fid = client.nt_create_andx(tid, f"{way}.bin", disposition=5)
    for at in range(0, size, part):
        write(fid, at, data[at : at + part])
    client.close(tid, fid)


written("write", lambda fid, at, piece: client.write(tid, fid, piece, at))


# WRITE_RAW: a part of it in the first message, the rest behind the answer
def write_raw(fid, at, piece, early=700):
    words = smb.SMBWriteRaw_Parameters()
    one = command(S.SMB_COM_WRITE_RAW, words, Fid=fid, Count=len(piece), Offset=at, WriteMode=1)
    words["DataLength"], words["DataOffset"] = early, 59 if early else 0
    one["Data"] = piece[:early]
    client.sendSMB(client.packet(tid, one))
    assert client.recvSMB()["Command"] == S.SMB_COM_WRITE_RAW
    client._sess.send_packet(piece[early:])
    assert client.recvSMB()["Command"] in (S.SMB_COM_WRITE_RAW, 0x20)


written("writeraw", write_raw)
written("writeraw2", lambda fid, at, piece: write_raw(fid, at, piece, 0))


# OPEN_ANDX, READ_ANDX, READ_ANDX in one message, then CLOSE
def opened(mode, access, file):
    words = smb.SMBOpenAndX_Parameters()
    return command(S.SMB_COM_OPEN_ANDX, words, file.encode() + b"\0", OpenMode=mode, DesiredAccess=access, SearchAttributes=0x16)


def read(at, count):
    return command(S.SMB_COM_READ_ANDX, smb.SMBReadAndX_Parameters(), Fid=0xFFFF, Offset=at, MaxCount=count)


answer = client.send(client.packet(tid, opened(1, 0x40, name), read(0, part), read(part, size - part)))
assert answer.isValidAnswer(S.SMB_COM_OPEN_ANDX)
fid = smb.SMBOpenAndXResponse_Parameters(smb.SMBCommand(answer["Data"][0])["Parameters"])["Fid"]
client.close(tid, fid)

# OPEN_ANDX that makes a file, WRITE_ANDX, CLOSE
first = opened(0x12, 0x41, "chain.bin")
words = smb.SMBWriteAndX_Parameters()
write = command(S.SMB_COM_WRITE_ANDX, words, data[:part], Fid=0xFFFF, Offset=0, WriteMode=0, Remaining=0, DataLength=part, DataOffset=0)
close = command(S.SMB_COM_CLOSE, smb.SMBClose_Parameters(), FID=0xFFFF)
packet = client.packet(tid, first, write, close)
words["DataOffset"] = packet.getData().index(data[:part])
answer = client.send(packet)
assert answer.isValidAnswer(S.SMB_COM_OPEN_ANDX)
client.disconnect_tree(tid)
client.logoff()
