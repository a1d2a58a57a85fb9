#!/usr/bin/env python3
"""Mail through a server to next hops near and far, over TLS with a login: Postern beside Postfix, Exim and Haraka.

Each server starts with nothing, takes the messages from loopback without a login, and hands each on to the hop of its
destination, which speaks STARTTLS and wants AUTH PLAIN. The hops are Postern.Bench's, which delay what they are sent and
what they say. CPU is that of all the server's processes, by a cgroup, from the first message until the last is at its hop.
Root, Linux, the standard library. --help says the rest; bench/README.md where the servers come from.
"""
import argparse, asyncio, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
USER, PASSWORD, PORT = "relay", "relay-secret", 27025
OCTETS, PATIENCE, CLIENTS = 4096, 60.0, 8
LINE = b"Sixty-two octets of text and the end of a line, again and again.\r\n"


def host_of(destination): return f"127.0.{1 + destination // 250}.{1 + destination % 250}"


def domain_of(destination): return f"d{destination}.example.com"


def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


class Group:
    """A cgroup, so that what lives for a millisecond is counted too."""

    def __init__(self, name):
        self.is_first = os.path.isdir("/sys/fs/cgroup/cpuacct")
        self.path = os.path.join("/sys/fs/cgroup/cpuacct" if self.is_first else "/sys/fs/cgroup", f"outbound-{name}")
        os.makedirs(self.path, exist_ok=True)

    def start(self, command, **how):
        def enter():
            with open(self.path + "/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))
        return subprocess.Popen(command, preexec_fn=enter, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **how)

    def cpu(self):
        if self.is_first:
            return int(open(self.path + "/cpuacct.usage").read()) / 1e9
        return int(open(self.path + "/cpu.stat").read().split()[1]) / 1e6

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + 5
            while time.monotonic() < until:
                pids = open(self.path + "/cgroup.procs").read().split()
                if not pids:
                    os.rmdir(self.path)
                    return
                for pid in pids:
                    try:
                        os.kill(int(pid), number)
                    except ProcessLookupError:
                        pass
                time.sleep(0.1)


class Hops:
    def __init__(self, state, latency, destinations):
        names = ",".join(f"IP:{host_of(i)}" for i in range(destinations))
        self.certificate = os.path.join(state, "hops.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", state + "/hops.key", "-out", self.certificate,
             "-days", "30", "-subj", "/CN=hops", "-addext", "subjectAltName=" + names], check=True, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            ["dotnet", ROOT + "/bench/Postern.Bench/bin/Release/net10.0/Postern.Bench.dll", "hops", str(latency), self.certificate, state + "/hops.key"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def count(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        taken, connections = self.process.stdout.readline().split()
        return int(taken), int(connections)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def start_postern(group, state, hops, destinations, options):
    # What differs from the defaults: which hop is whose, and how to log in there.
    routes = "".join(
        f"""    - to: {domain_of(i)}
      via: "smtp://{host_of(i)}:{hops.port}?tls=required"
      ca: {hops.certificate}
      login: {{ user: {USER}, password: {PASSWORD}, mechanisms: [PLAIN] }}
""" for i in range(destinations))
    write(state + "/postern.yaml", f"""server: {{ hostname: bench.example.org, data: {state}/data }}
listeners: [{{ name: local, listen: ["127.0.0.1:{PORT}"], tls: none }}]
delivery:
  routes:
{routes}""", 0o600)
    os.mkdir(state + "/data", 0o700)
    command = ["dotnet", options.postern + "/postern.dll"]
    for words in (["domain", "add", "example.org"], ["network", "add", "127.0.0.1", "--domain", "example.org"]):
        subprocess.run([*command, *words, "--config", state + "/postern.yaml"], check=True, stdout=subprocess.DEVNULL)
    group.start([*command, "serve", "--config", state + "/postern.yaml"], stderr=subprocess.DEVNULL)


def start_postfix(group, state, hops, destinations, options):
    # What differs from the defaults: connections are kept for the next message, and no pause where mail comes faster than it goes.
    for name in ("etc", "spool", "data"):
        os.mkdir(f"{state}/{name}")
    shutil.chown(state + "/data", "postfix")
    os.chmod(state, 0o755)
    write(state + "/etc/transport", "".join(f"{domain_of(i)} smtp:[{host_of(i)}]:{hops.port}\n" for i in range(destinations)))
    write(state + "/etc/logins", "".join(f"[{host_of(i)}]:{hops.port} {USER}:{PASSWORD}\n" for i in range(destinations)))
    write(state + "/etc/main.cf", f"""compatibility_level = 3.6
queue_directory = {state}/spool
data_directory = {state}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {state}/mail.log
maillog_file_prefixes = {state}
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.example.org
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
transport_maps = hash:{state}/etc/transport
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:{state}/etc/logins
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = encrypt
smtp_tls_connection_reuse = yes
smtp_connection_cache_on_demand = yes
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
""")
    services = "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n"
    services += "".join(f"{name} unix - - n - 0 bounce\n" for name in ("bounce", "defer", "trace"))
    services += "verify unix - - n - 1 verify\nproxymap unix - - n - - proxymap\ntlsmgr unix - - n 1000? 1 tlsmgr\ntlsproxy unix - - n - 0 tlsproxy\n"
    services += "smtp unix - - n - - smtp\nrelay unix - - n - - smtp\nshowq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n"
    services += "anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n"
    write(state + "/etc/master.cf", f"127.0.0.1:{PORT} inet n - n - 200 smtpd\n" + services)
    for name in ("transport", "logins"):
        subprocess.run(["postmap", "-c", state + "/etc", f"hash:{state}/etc/{name}"], check=True)
    group.start(["postfix", "-c", state + "/etc", "start"], stderr=subprocess.DEVNULL)


def start_exim(group, state, hops, destinations, options):
    # What differs from the defaults: no limit of messages and deliveries a connection.
    for name in ("spool", "log"):
        os.mkdir(f"{state}/{name}")
        shutil.chown(f"{state}/{name}", "Debian-exim", "Debian-exim")
    os.chmod(state, 0o755)
    write(state + "/hops", "".join(f"{domain_of(i)}: {host_of(i)}::{hops.port}\n" for i in range(destinations)))
    config = write(state + "/exim.conf", f"""exim_path = {options.exim}/usr/sbin/exim4
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {state}/spool
log_file_path = {state}/log/%slog
primary_hostname = bench.example.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {PORT}
acl_smtp_rcpt = accept
acl_smtp_data = accept
rfc1413_hosts =
host_lookup =
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
begin routers
hops:
  driver = manualroute
  route_data = ${{lookup{{$domain}}lsearch{{{state}/hops}}}}
  self = send
  transport = remote
begin transports
remote:
  driver = smtp
  hosts_require_tls = *
  hosts_require_auth = *
  tls_verify_certificates = {hops.certificate}
  allow_localhost = true
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{USER}^{PASSWORD}
""")
    os.makedirs("/etc/exim4", exist_ok=True)
    with open("/etc/exim4/trusted_configs", "a") as trusted:
        trusted.write(config + "\n")
    group.start([options.exim + "/usr/sbin/exim4", "-C", config, "-bd", "-q1m", "-oP", state + "/exim.pid"])


def start_haraka(group, state, hops, destinations, options):
    for name in ("config", "plugins", "queue"):
        os.mkdir(f"{state}/{name}")
    shutil.copy(options.haraka + "/node_modules/Haraka/config/connection.ini", state + "/config/")
    write(state + "/config/smtp.ini", f"listen=127.0.0.1:{PORT}\ninactivity_timeout=300\n")
    write(state + "/config/plugins", "hops\n")
    write(state + "/config/me", "bench.example.org")
    write(state + "/config/loglevel", "NOTICE")
    write(state + "/config/outbound.ini", "local_mx_ok=true\nenable_tls=true\n")
    write(state + "/plugins/hops.js", f"""exports.hook_rcpt = function (next, connection) {{ connection.relaying = true; next(OK) }}
exports.hook_get_mx = function (next, item, domain) {{
  const i = Number(domain.slice(1).split('.')[0])
  next(OK, {{ priority: 0, exchange: `127.0.${{1 + Math.floor(i / 250)}}.${{1 + i % 250}}`, port: {hops.port},
              auth_type: 'plain', auth_user: '{USER}', auth_pass: '{PASSWORD}' }})
}}
""")
    log = open(state + "/haraka.log", "w")
    group.start(["sh", "-c", f"exec {options.haraka}/node_modules/.bin/haraka -c {state} > {state}/haraka.log 2>&1"])
    log.close()


SERVERS = {"postern": start_postern, "postfix": start_postfix, "exim": start_exim, "haraka": start_haraka}


async def submit(messages, destinations):
    """Hands over the messages, over connections that stay."""
    waiting = iter(range(messages))

    async def client():
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)

        async def say(octets, replies, expected):
            writer.write(octets)
            for _ in range(replies):
                while (line := await reader.readline())[3:4] == b"-":
                    pass
                if line[:1] not in expected:
                    raise RuntimeError(f"the server says {line!r}")

        await say(b"", 1, b"2")
        await say(b"EHLO client.example.org\r\n", 1, b"2")
        for i in waiting:
            text = f"Subject: {i}\r\nFrom: a@example.org\r\nTo: b@{domain_of(i % destinations)}\r\n\r\n".encode()
            text += LINE * ((OCTETS - len(text)) // len(LINE))
            await say(f"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@{domain_of(i % destinations)}>\r\nDATA\r\n".encode(), 3, b"23")
            await say(text + b".\r\n", 1, b"2")
        await say(b"QUIT\r\n", 1, b"2")
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


def await_port():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", PORT), 5) as probe:
                if probe.recv(4).startswith(b"220"):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError("the server does not greet")


def measure(server, latency, destinations, options):
    state = tempfile.mkdtemp(prefix=f"outbound-{server}-")
    group = Group(server)
    hops = Hops(state, latency, destinations)
    try:
        SERVERS[server](group, state, hops, destinations, options)
        await_port()
        cpu, begun = group.cpu(), time.monotonic()
        messages = options.messages
        if server != "postern" and latency > 0:
            messages = min(messages, options.few)
        asyncio.run(submit(messages, destinations))
        taken = 0
        while taken < messages and time.monotonic() - begun < PATIENCE:
            taken, connections = hops.count()
            ended = time.monotonic()
            time.sleep(0.02)
        cpu = group.cpu() - cpu
        return taken / (ended - begun), cpu / max(taken, 1) * 1000, connections, messages - taken
    finally:
        group.end()
        hops.end()
        if not options.keep:
            shutil.rmtree(state, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default="postern,postfix", help="of postern, postfix, exim, haraka")
    parser.add_argument("--latency", default="0,20,200", help="round trips to the hops, in milliseconds")
    parser.add_argument("--destinations", default="1,10,1000")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--few", type=int, default=1000, help="messages for the others where the hop is far away")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--postern", default=ROOT + "/src/Postern/bin/Release/net10.0", help="where postern.dll is")
    parser.add_argument("--exim", help="where the package of Exim is unpacked")
    parser.add_argument("--haraka", help="where npm has installed Haraka")
    parser.add_argument("--keep", action="store_true", help="leave configuration, spool and logs behind")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("a cgroup for each server needs root")
    print(f"{'round trip':>10} {'destinations':>12} {'server':>8} {'relayed/s':>10} {'CPU s/1,000':>12} {'connections':>12}")
    for latency in map(int, options.latency.split(",")):
        for destinations in map(int, options.destinations.split(",")):
            seen = {server: [] for server in options.servers.split(",")}
            for _ in range(options.rounds):
                for server, results in seen.items():
                    results.append(measure(server, latency, destinations, options))
            for server, results in seen.items():
                rate, cpu, connections, left = (statistics.median(column) for column in zip(*results))
                print(f"{latency:>7} ms {destinations:>12} {server:>8} {rate:>10.0f} {cpu:>12.3f} {connections:>12.0f}"
                      + (f"  {left:.0f} not relayed in {PATIENCE:.0f} s" if left else ""), flush=True)


if __name__ == "__main__":
    main()
