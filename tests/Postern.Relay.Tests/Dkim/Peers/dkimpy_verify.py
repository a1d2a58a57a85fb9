"""Verifies the two topmost signatures of every message in a directory with dkimpy; one line each that fails."""
import pathlib
import sys

import dkim

folder, keys = pathlib.Path(sys.argv[1]), {}
for line in open(sys.argv[2], encoding="ascii"):
    name, text = line.rstrip("\n").split(" ", 1)
    keys[name.encode() + b"."] = text.encode()

count = 0
for path in sorted(folder.glob("*.eml")):
    message = path.read_bytes()
    for index in (0, 1):
        count += 1
        try:
            if not dkim.DKIM(message).verify(idx=index, dnsfunc=lambda name, timeout=5: keys.get(name)):
                print(f"{path.stem} {index}: false")
        except Exception as e:
            print(f"{path.stem} {index}: {e!r}")
print(f"verified {count}")
