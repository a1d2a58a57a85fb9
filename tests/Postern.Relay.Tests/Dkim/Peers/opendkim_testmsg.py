"""Has opendkim-testmsg verify every signature of the messages in a directory, one at a time, by the keys that an unbound of its own answers with.

opendkim-testmsg knows no other way to a key than the resolver of the machine: so this runs in a network and a mount namespace
(unshare --net --mount), where 127.0.0.1:53 is that unbound and /etc/resolv.conf says so.
"""
import concurrent.futures
import fcntl
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import time

SIOCSIFFLAGS, UP = 0x8914, 1
folder, key_file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
tool, server = sys.argv[3], sys.argv[4]

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP))

records = dict(line.split(" ", 1) for line in key_file.read_text("ascii").splitlines())
ours = [name.split("._domainkey.")[0] for name in records]


def zone_line(name, text):
    parts = " ".join(f'"{text[i:i + 255]}"' for i in range(0, len(text), 255))
    return f"  local-data: '{name}. 60 IN TXT {parts}'\n"


conf, resolv = folder / "unbound.conf", folder / "resolv.conf"
conf.write_text(
    "server:\n  interface: 127.0.0.1\n  username: \"\"\n  chroot: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n  module-config: \"iterator\"\n"
    "  local-zone: \".\" static\n" + "".join(zone_line(*record) for record in records.items()) + "remote-control:\n  control-enable: no\n")
resolv.write_text("nameserver 127.0.0.1\n")
subprocess.run(["mount", "--bind", str(resolv), os.path.realpath("/etc/resolv.conf")], check=True)
unbound = subprocess.Popen([server, "-d", "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def answers():
    """Whether the resolver is there: a question for the first key."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in next(iter(records)).split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        try:
            asking.connect(("127.0.0.1", 53))
            asking.send(struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + name + b"\0\0\x10\0\1")
            return struct.unpack(">H", asking.recv(4096)[6:8])[0] == 1
        except OSError:
            time.sleep(0.05)
            return False


def signed_by(message, selector):
    """The message with the one signature by this selector, and all that no key of ours made."""
    at, kept, removed = 0, [], 0
    for field in re.finditer(rb"[^\r\n][^\r]*(?:\r\n[ \t][^\r]*)*\r\n|\r\n", message):
        text = field.group()
        if text == b"\r\n" or not text.lower().startswith(b"dkim-signature:"):
            break
        name = re.search(rb"[;\s]s=([^;\s]+)", text)
        if name and name.group(1).decode() in ours and name.group(1).decode() != selector:
            removed += 1
        else:
            kept.append(text)
        at = field.end()
    assert removed == len(ours) - 1, f"{removed} signatures of other keys"
    return b"".join(kept) + message[at:]


def verify(message):
    done = subprocess.run([tool, "-C"], input=message, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("latin-1").strip()


try:
    until = time.monotonic() + 30
    while not answers():
        assert time.monotonic() < until, "unbound does not answer"
    jobs = [(path.stem, selector, signed_by(path.read_bytes(), selector)) for path in sorted(folder.glob("*.eml")) for selector in ours]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: verify(job[2]), jobs))
    for (stem, selector, _), (code, said) in zip(jobs, results):
        if code != 0 or said:
            print(f"{stem} {selector}: {code} {said}")
    # What was changed on the way must not pass, or the rest says nothing.
    for selector in ours:
        code, said = verify(signed_by((folder / "000.eml").read_bytes(), selector) + b"more\r\n")
        if code == 0:
            print(f"{selector}: a changed message passed: {said}")
    print(f"verified {sum(code == 0 for code, _ in results)}")
finally:
    unbound.kill()
    unbound.wait()
