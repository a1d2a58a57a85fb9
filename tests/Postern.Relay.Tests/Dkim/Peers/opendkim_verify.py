"""Verifies the signatures of every message in a directory with libopendkim, which opendkim-testmsg and the milter are made of."""
import ctypes
import pathlib
import sys

SETOPT, QUERYMETHOD, QUERYINFO, BY_FILE, PASSED, MATCHES = 1, 6, 7, 1, 4, 0

lib = ctypes.CDLL("libopendkim.so.11")
for name in ("dkim_init", "dkim_verify", "dkim_sig_geterrorstr", "dkim_sig_getselector", "dkim_geterror"):
    getattr(lib, name).restype = ctypes.c_void_p
handle = ctypes.c_void_p(lib.dkim_init(None, None))
method = ctypes.c_int(BY_FILE)
info = ctypes.create_string_buffer(sys.argv[2].encode())
assert lib.dkim_options(handle, SETOPT, QUERYMETHOD, ctypes.byref(method), ctypes.c_size_t(ctypes.sizeof(method))) == 0
assert lib.dkim_options(handle, SETOPT, QUERYINFO, info, ctypes.c_size_t(len(info.value))) == 0
ours = {line.split("._domainkey.")[0] for line in open(sys.argv[2], encoding="ascii")}

count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    message, status = path.read_bytes(), ctypes.c_int()
    dkim = ctypes.c_void_p(lib.dkim_verify(handle, b"1", None, ctypes.byref(status)))
    result = lib.dkim_chunk(dkim, message, ctypes.c_size_t(len(message)))
    result = result or lib.dkim_chunk(dkim, None, ctypes.c_size_t(0))
    ended = lib.dkim_eom(dkim, None)
    sigs, found = ctypes.POINTER(ctypes.c_void_p)(), ctypes.c_int()
    lib.dkim_getsiglist(dkim, ctypes.byref(sigs), ctypes.byref(found))
    seen = 0
    for i in range(found.value):
        sig = ctypes.c_void_p(sigs[i])
        selector = ctypes.string_at(lib.dkim_sig_getselector(sig)).decode()
        if selector not in ours:
            continue
        seen += 1
        count += 1
        lib.dkim_sig_process(dkim, sig)
        if not lib.dkim_sig_getflags(sig) & PASSED or lib.dkim_sig_getbh(sig) != MATCHES:
            error = ctypes.string_at(lib.dkim_sig_geterrorstr(lib.dkim_sig_geterror(sig))).decode()
            print(f"{path.stem} {selector}: {error}, body {lib.dkim_sig_getbh(sig)}, end {ended}")
    if seen != len(ours):
        print(f"{path.stem}: {seen} signatures seen, chunk {result}, end {ended}")
    lib.dkim_free(dkim)
print(f"verified {count}")
