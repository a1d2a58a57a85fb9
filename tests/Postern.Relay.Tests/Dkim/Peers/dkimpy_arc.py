"""Judges the chain of every message in a directory with dkimpy (pass, fail), or puts two sets of dkimpy's above each (sign)."""
import pathlib
import sys

import dkim

what, folder, keys = sys.argv[1], pathlib.Path(sys.argv[2]), {}
for line in open(sys.argv[3], encoding="ascii"):
    name, text = line.rstrip("\n").split(" ", 1)
    keys[name.encode() + b"."] = text.encode()

count = 0
for path in sorted(folder.glob("*.eml")):
    message = path.read_bytes()
    if what == "sign":
        private = open(sys.argv[4], "rb").read()
        for host, chain in ((b"one.example", b"none"), (b"two.example", b"pass")):
            message = b"Authentication-Results: " + host + b"; arc=" + chain + b"\r\n" + message
            message = b"".join(dkim.arc_sign(message, b"sel", b"there.example", private, host)) + message
        path.write_bytes(message)
        count += 1
        continue
    try:
        result, _, why = dkim.arc_verify(message, dnsfunc=lambda name, timeout=5: keys.get(name))
        result = result.decode()
    except Exception as e:
        result, why = "error", repr(e)
    count += result == what
    if result != what:
        print(f"{path.stem}: {result} {why}")
print(f"{what} {count}")
