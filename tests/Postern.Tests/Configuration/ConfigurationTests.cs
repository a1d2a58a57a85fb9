using System.Net;
using Postern.Configuration;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Tests.Configuration;

public sealed class ConfigurationTests
{
    private const string AskingListener = "listeners: [{ name: a, listen: '127.0.0.1:25', client_certificates: request }]\n";
    private const string Fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private const string FingerprintWithColons = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

    private static readonly Envelope Lisa = new()
    {
        Id = default,
        ArrivedAt = DateTimeOffset.UnixEpoch,
        Said = new(new ReversePath(Mailbox.Parse("lisa@sales.example")), [Mailbox.Parse("b@a.example")]),
        Login = "lisa",
        Listener = "submission",
    };

    /// <summary>The library throws there what is no error of YAML.</summary>
    [Fact]
    public void Row_227_what_the_yaml_library_falls_over_is_an_error_with_its_line()
    {
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(ConfigurationFile.Parse("postern.yaml", "/", ": {\rz")).Errors);
        Assert.True(error is { Line: > 0, Column: > 0 });
        Assert.Equal("not YAML: what follows here cannot be read", error.Message);
    }

    [Theory]
    [InlineData("server:\n  hostnam: a.example\n", "postern.yaml:2:3: server.hostnam: unknown key; did you mean 'hostname'?")]
    [InlineData("printers: []\n", "postern.yaml:1:1: printers: unknown key; expected one of server, tls, listeners, accounts, oauth, limits, networks, network_files, domains, rules, devices, delivery, pools, tenants, sendmail, dkim, keep, logs, web, metrics, login_protection, external, kerberos, vault")]
    [InlineData("listeners:\n  - name: a\n    listen: '127.0.0.1:25'\n    tsl: none\n", "postern.yaml:4:5: listeners[0].tsl: unknown key; did you mean 'tls'?")]
    [InlineData("listeners:\n  - name: a\n    listen: '127.0.0.1:25'\n    bare_newlines: allow\n", "postern.yaml:4:20: listeners[0].bare_newlines: 'allow' is not right here; expected 'reject' or 'normalize'")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', tls_minimum: '1.4' }\n", "postern.yaml:2:53: listeners[0].tls_minimum: '1.4' is not right here; expected '1.0', '1.1', '1.2' or '1.3'")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', ciphers: strong }\n", "postern.yaml:2:49: listeners[0].ciphers: 'strong' is not right here; expected 'modern', 'compatible' or 'legacy'")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', tls: none, ciphers: legacy }\n", "postern.yaml:2:60: listeners[0].ciphers: where tls is 'none' there is no handshake; expected another tls, or the key left out")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', accounts: [directory, 'file:///etc/passwords'] }\naccounts: [directory, 'file:///etc/passwd', { users: { lisa: a } }]\n", "postern.yaml:2:62: listeners[0].accounts[1]: there is no store 'file:///etc/passwords' in accounts; did you mean 'file:///etc/passwd'?")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', accounts: users }\n", "postern.yaml:2:50: listeners[0].accounts[0]: there is no store 'users' in accounts; expected one of directory")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', accounts: [] }\n", "postern.yaml:2:50: listeners[0].accounts: without a store nobody can log in here; expected at least one, the key left out for all, or auth 'off'")]
    [InlineData("listeners:\n  - { name: a, listen: '127.0.0.1:25', mechanisms: [CRAM-MD5], accounts: ['digest:///d'] }\naccounts: [directory, 'digest:///d']\n", "postern.yaml:2:5: listeners[0]: CRAM-MD5 is never offered here: no store in its accounts keeps what it computes with")]
    [InlineData("limits: { message_size: 50 potatoes }\n", "postern.yaml:1:25: limits.message_size: '50 potatoes' is not right here; expected a size such as 50MB or 64KiB, at least 1")]
    [InlineData("limits: { connections: 0 }\n", "postern.yaml:1:24: limits.connections: '0' is not right here; expected a whole number, at least 1")]
    [InlineData("limits:\n  idle:\n", "postern.yaml:2:8: limits.idle: no value; expected a duration such as 30s, 5m, 4h or 5d, longer than nothing; leave the key out for its default")]
    [InlineData("limits:\n  connections: 10\n  connections_per_address: 11\n", "postern.yaml:3:28: limits.connections_per_address: more connections from one address than in all; expected at most 10")]
    [InlineData("keep:\n  content:\n    - { for: 7d }\n", "postern.yaml:3:7: keep.content[0].login: missing key; expected one of 'login', 'domain' and 'tenant'")]
    [InlineData("keep:\n  content:\n    - { login: a, for: 7 }\n", "postern.yaml:3:24: keep.content[0].for: '7' is not right here; expected a time from 1m to 3650d such as 7d, or 'off'")]
    [InlineData("keep:\n  content:\n    - { login: a, tenant: b, for: 7d }\n", "postern.yaml:3:27: keep.content[0].tenant: this entry is for a login already; expected an entry of its own")]
    [InlineData("keep:\n  content:\n    - { domain: example.org, for: 7d }\n    - { domain: Example.ORG, for: off }\n", "postern.yaml:4:7: keep.content[1]: there is an entry for example.org before")]
    [InlineData("tenants: { acme: { held_messages: 5 }, Acme: { held_size: 1GB } }\n", "postern.yaml:1:46: tenants.Acme: the tenant 'Acme' stands here twice: its name is the same in any case")]
    [InlineData("limits: { held_messages: 0 }\n", "postern.yaml:1:26: limits.held_messages: '0' is not right here; expected a whole number, at least 1")]
    [InlineData("networks: [192.0.2.0/24, 10.0.0.5/24]\n", "postern.yaml:1:26: networks[1]: '10.0.0.5/24' has bits set behind its prefix: the network is 10.0.0.0/24, the one address 10.0.0.5/32")]
    [InlineData("tls: { certificate: a.pem }\n", "postern.yaml:1:21: tls.certificate: a certificate without its key cannot be used; expected tls.key as well")]
    [InlineData("tls: { key: a.pem }\n", "postern.yaml:1:13: tls.key: a key without its certificate cannot be used; expected tls.certificate as well")]
    [InlineData("tls: { minimum: '1.1' }\n", "postern.yaml:1:17: tls.minimum: '1.1' is not right here; expected '1.2' or '1.3'")]
    [InlineData("accounts:\n  - directory\n  - uri: fil:///x\n", "postern.yaml:3:10: accounts[1].uri: there is no store 'fil'; did you mean 'file'?; there are directory, file:///etc/postern/passwd, digest:///etc/postern/digest, users: { lisa: PASSWORD }, sqlite:///srv/app/users.db, postgres://app@db.example.org/app, mysql://app@db.example.org/app, dovecot:/run/dovecot/auth-client, pam:smtp, smtp://mail.example.net:587, smtps://mail.example.net:465, https://id.example.org/smtp-auth, http://127.0.0.1:8080/smtp-auth, vault://secret/smtp-auth, ldap://ldap.example.org/ou=people,dc=example,dc=org, ldaps://ldap.example.org/ou=people,dc=example,dc=org, ldapi://%2Frun%2Fslapd%2Fldapi/ou=people,dc=example,dc=org")]
    [InlineData("accounts: [{ users: { lisa: a, LISA: b } }]\n", "postern.yaml:1:21: accounts[0].users: user 'LISA' stands here twice, in two spellings")]
    [InlineData("accounts: [{ users: { lisa: 'file:/nowhere/secret' } }]\n", "postern.yaml:1:29: accounts[0].users.lisa: /nowhere/secret does not exist")]
    [InlineData("accounts: [{ uri: 'file:///x', weak_forms: keep }]\n", "postern.yaml:1:32: accounts[0].weak_forms: unknown key; expected one of uri, realm, logins")]
    [InlineData("accounts: [{ uri: directory, logins: [lisa, '@'] }]\n", "postern.yaml:1:38: accounts[0].logins: '@' names no domain; expected such as \"@example.org\", \"@.example.org\", lisa or \"robot-*\"")]
    [InlineData("accounts: [{ uri: directory, logins: '*@*' }]\n", "postern.yaml:1:38: accounts[0].logins: '*@*' has more than one star; expected such as \"@example.org\", \"@.example.org\", lisa or \"robot-*\"")]
    [InlineData("accounts: [{ uri: directory, logins: [] }]\n", "postern.yaml:1:38: accounts[0].logins: a store that nobody is asked for; expected at least one, or the key left out for all")]
    [InlineData("accounts: [{ uri: 'sqlite:///x', query: 'select a from b where c = @user', cache: { ttl: 5m, stale_on_outage: 5m } }]\n", "postern.yaml:1:111: accounts[0].cache.stale_on_outage: so long is everything remembered anyway (ttl); expected a longer time than ttl")]
    [InlineData("accounts: [digest:x]\n", "postern.yaml:1:12: accounts[0].uri: 'digest:x' names no file; a path is absolute: file:///etc/postern/passwd")]
    [InlineData("accounts: [directory, 'smtp://localhost:2587']\n", "postern.yaml:1:23: accounts[1]: 'smtp://localhost:2587' is this server's own listener submission: every login would ask itself")]
    [InlineData("accounts: ['dovecot:/run/p/auth']\nlisteners:\n  - { name: sasl, listen: 'unix:/run/p/auth', protocol: dovecot-auth }\n", "postern.yaml:1:12: accounts[0]: 'dovecot:/run/p/auth' is this server's own listener 'sasl': every login would ask itself")]
    [InlineData("accounts: [directory, directory]\n", "postern.yaml:1:23: accounts[1]: 'directory' stands here twice; the second is never asked anything new")]
    [InlineData("accounts: [{ uri: 'digest:///x', realm: 'a:b' }]\n", "postern.yaml:1:41: accounts[0].realm: a realm with a colon, a quotation mark or a backslash")]
    [InlineData("accounts: [{ realm: a }]\n", "postern.yaml:1:12: accounts[0].uri: missing key; expected some text")]
    [InlineData("oauth: [{ issuer: a, audience: b }]\n", "postern.yaml:1:9: oauth[0].jwks: nothing says whether a token is good; expected jwks or introspection")]
    [InlineData("oauth: [{ issuer: a, audience: b, jwks: 'http://id.example.org/k' }]\n", "postern.yaml:1:41: oauth[0].jwks: 'http://id.example.org/k' is no address that can be believed; expected file:///path or https://host/path")]
    [InlineData("oauth: [{ issuer: a, audience: b, introspection: 'https://id.example.org/i' }]\n", "postern.yaml:1:50: oauth[0].introspection: the address answers only who proves itself (RFC 7662 §2.1); expected client_id and client_secret as well")]
    [InlineData("oauth: [{ issuer: a, audience: b, jwks: 'file:///k', algorithms: [HS256] }]\n", "postern.yaml:1:67: oauth[0].algorithms[0]: 'HS256' is not right here; did you mean 'ES256'?")]
    [InlineData("oauth: [{ issuer: a, audience: b, jwks: 'file:///k' }, { issuer: a, audience: c, jwks: 'file:///k' }]\n", "postern.yaml:1:56: oauth[1]: the issuer 'a' stands here twice")]
    [InlineData("listeners: [{ name: a, listen: '127.0.0.1:25', mechanisms: [XOAUTH2] }]\n", "postern.yaml:1:13: listeners[0]: XOAUTH2 is never offered here: there is no section 'oauth'")]
    [InlineData("accounts: digest:///x\nlisteners: [{ name: a, listen: '127.0.0.1:25', mechanisms: [SCRAM-SHA-256] }]\n", "postern.yaml:2:13: listeners[0]: SCRAM-SHA-256 is never offered here: no store in 'accounts' keeps what it computes with")]
    [InlineData("accounts: []\n", "postern.yaml:1:11: accounts: without a store nobody can log in; expected [directory], or the key left out")]
    [InlineData("listeners: []\n", "postern.yaml:1:12: listeners: a server without a way in; expected at least one, or the key left out")]
    [InlineData("rules: { recipient: [permit_network] }\n", "postern.yaml:1:22: rules.recipient[0]: 'permit_network' is not right here; did you mean 'permit_networks'?")]
    [InlineData("rules: { sender: [reject_unauth_destination] }\n", "postern.yaml:1:19: rules.sender[0]: the rule reject_unauth_destination cannot stand at the sender stage")]
    [InlineData("rules: { recipient: [permit_networks, permit_networks] }\n", "postern.yaml:1:39: rules.recipient[1]: 'permit_networks' stands here twice; the second is never asked anything new")]
    [InlineData("delivery: { routes: [{ via: 'smtp://a' }] }\n", "postern.yaml:1:22: delivery.routes[0].to: missing key; expected some text")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'ftp://a' }] }\n", "postern.yaml:1:38: delivery.routes[0].via: 'ftp://a' is not mx, smtp://host[:port][?tls=none|opportunistic|required], smtps://host[:port], smtp+mx://domain[:port], smtp+srv://domain, smtps+srv://domain, lmtp://host[:port][?tls=none|opportunistic|required] or lmtp:unix:/path, maildir:/path/{user}, pipe:/command argument…, discard:, error:550 5.1.1 text")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a\ufffd' }] }\n", "postern.yaml:1:38: delivery.routes[0].via: 'a\ufffd' is not a host name or an address")]
    [InlineData("oauth: [{ issuer: a, audience: b, jwks: 'https://a\ufffd/k' }]\n", "postern.yaml:1:41: oauth[0].jwks: 'https://a\ufffd/k' is no address that can be believed; expected file:///path or https://host/path")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://user:secret@a' }] }\n", "postern.yaml:1:38: delivery.routes[0].via: the route to a carries credentials: they belong into login")]
    [InlineData("delivery: { routes: [{ to: '*', login: { user: a, password: b } }] }\n", "postern.yaml:1:40: delivery.routes[0].login: mail exchangers are strangers: a login needs a via that names its server")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', login: { password: b } }] }\n", "postern.yaml:1:58: delivery.routes[0].login.user: missing key; expected some text")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', login: { user: b } }] }\n", "postern.yaml:1:58: delivery.routes[0].login.password: a login without a secret; expected password, token, oauth, certificate or kerberos")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', login: { user: b, password: '${POSTERN_TEST_UNSET}' } }] }\n", "postern.yaml:1:79: delivery.routes[0].login.password: the environment variable POSTERN_TEST_UNSET is not set")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', login: { user: b, password: 'file:none' } }] }\n", "postern.yaml:1:79: delivery.routes[0].login.password: /etc/here/none does not exist")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', login: { user: b, password: \"ti\\nger\" } }] }\n", "postern.yaml:1:79: delivery.routes[0].login.password: a secret is one line without control characters; or write file:PATH, credential:NAME, vault:PATH#KEY or ${VARIABLE}")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', login: { user: b, token: c, mechanisms: [XOAUTH] } }] }\n", "postern.yaml:1:92: delivery.routes[0].login.mechanisms[0]: 'XOAUTH' is not right here; did you mean 'XOAUTH2'?")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a', login: { user: u, oauth: { grant: client_credentials, client_secret: s, client_id: c, token_url: 'http://id.example' } } }] }\n", "postern.yaml:1:147: delivery.routes[0].login.oauth.token_url: 'http://id.example' is no address that a secret may be sent to; expected https://host/path; http:// on this machine only")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a', login: { user: u, oauth: { grant: refresh_token, client_id: c, token_url: 'https://id.example' } } }] }\n", "postern.yaml:1:84: delivery.routes[0].login.oauth.grant: nothing says how somebody allows it; expected refresh_token or device_url as well")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a', login: { user: u, oauth: { grant: client_credentials, client_id: c, token_url: 'https://id.example' } } }] }\n", "postern.yaml:1:84: delivery.routes[0].login.oauth.grant: an application that asks in its own right must prove itself; expected client_secret as well")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a', login: { user: u, oauth: { grant: jwt_bearer, client_id: c, key: none.pem, token_url: 'https://id.example' } } }] }\n", "postern.yaml:1:115: delivery.routes[0].login.oauth.key: /etc/here/none.pem does not exist")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a', login: { user: u, oauth: { grant: jwt_bearer, client_id: c, key: /etc/hostname, token_url: 'https://id.example' } } }] }\n", "postern.yaml:1:115: delivery.routes[0].login.oauth.key: it cannot sign: it is no private key for RSA in PEM")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a', login: { user: u, oauth: { grant: refresh_token, refresh_token: r, key_id: k, client_id: c, token_url: 'https://id.example' } } }] }\n", "postern.yaml:1:125: delivery.routes[0].login.oauth.key_id: it is of use with another grant only")]
    [InlineData("pools: { p: { sources: [{ address: 192.0.2.1 }] } }\ndelivery: { routes: [{ to: '*', pool: q }] }\n", "postern.yaml:2:39: delivery.routes[0].pool: there is no pool 'q'; did you mean 'p'?")]
    [InlineData("tenants: { acme: { pool: q } }\n", "postern.yaml:1:26: tenants.acme.pool: there is no pool 'q'; expected a section for it in 'pools'")]
    [InlineData("pools: { p: { sources: [] } }\n", "postern.yaml:1:24: pools.p.sources: the list is empty; expected at least one: { address, hostname }")]
    [InlineData("pools: { p: { sources: [{ address: 192.0.2.1, warm_up: { since: soon, messages: [5] } }] } }\n", "postern.yaml:1:65: pools.p.sources[0].warm_up.since: 'soon' is not right here; expected a day such as 2026-12-01")]
    [InlineData("pools: { p: { sources: [{ address: 192.0.2.1 }, { address: 192.0.2.1 }] } }\n", "postern.yaml:1:49: pools.p.sources[1]: 192.0.2.1 stands here twice")]
    [InlineData("pools: { q: { sources: [{ address: 192.0.2.1 }] } }\ndelivery: { routes: [{ to: '*', pool: q, bind: 192.0.2.1 }] }\n", "postern.yaml:2:39: delivery.routes[0].pool: a pool brings its own addresses and names: without bind and hello")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtps://a', ca: none.pem }] }\n", "postern.yaml:1:55: delivery.routes[0].ca: /etc/here/none.pem does not exist")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://a?tls=none', ca: /etc/hostname }] }\n", "postern.yaml:1:63: delivery.routes[0].ca: /etc/hostname holds no PEM certificate")]
    [InlineData("delivery: { routes: [{ to: 'a b' }] }\n", "postern.yaml:1:28: delivery.routes[0].to: 'a b' is not *, a domain, or .domain")]
    [InlineData("delivery: { routes: [{ to: a.example }, { to: A.Example }] }\n", "postern.yaml:1:41: delivery.routes[1]: 'A.Example' has a route already")]
    [InlineData("delivery: { routes: [{ from: 'a b' }] }\n", "postern.yaml:1:30: delivery.routes[0].from: 'a b' is not an address, @domain, @.domain or <>")]
    [InlineData("delivery: { routes: [{ from: [a.example, '@'] }] }\n", "postern.yaml:1:42: delivery.routes[0].from[1]: '@' is not an address, @domain, @.domain or <>")]
    [InlineData("delivery: { routes: [{ to: a.example, from: [] }] }\n", "postern.yaml:1:45: delivery.routes[0].from: the list is empty; expected at least one, or the key left out")]
    [InlineData("delivery: { routes: [{ listener: submision }] }\n", "postern.yaml:1:34: delivery.routes[0].listener: there is no listener 'submision'; did you mean 'submission'?")]
    [InlineData("delivery: { routes: [{ login_is: robot, via: ['smtp://a', 'smtp://a:x'] }] }\n", "postern.yaml:1:59: delivery.routes[0].via[1]: 'smtp://a:x' is not smtp://host[:port][?tls=none|opportunistic|required]")]
    [InlineData("delivery: { routes: [{ to: '*', via: [mx, 'smtp://a'] }] }\n", "postern.yaml:1:39: delivery.routes[0].via[0]: mail exchangers stand alone: mx is not one of several servers")]
    [InlineData("delivery: { routes: [{ to: '*', hello: 'a b' }] }\n", "postern.yaml:1:40: delivery.routes[0].hello: 'a b' is not a domain or an address literal")]
    [InlineData("delivery: { routes: [{ to: '*' }, { login_is: robot }] }\n", "postern.yaml:1:35: delivery.routes[1]: '*' has a route without conditions before this one, which is never asked then")]
    [InlineData("delivery: { routes: [{ to: '*', via: mx, bind: '10.1' }] }\n", "postern.yaml:1:48: delivery.routes[0].bind: '10.1' is not right here; expected an IP address such as 192.0.2.1 or 2001:db8::1")]
    [InlineData("delivery: { routes: [{ to: '*', via: mx, in_flight: 4 }] }\n", "postern.yaml:1:53: delivery.routes[0].in_flight: mail exchangers are strangers, and get one message after another: it needs a via that names its server")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'lmtp://h', in_flight: 4 }] }\n", "postern.yaml:1:61: delivery.routes[0].in_flight: LMTP takes one message after another")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://h', in_flight: 99 }] }\n", "postern.yaml:1:61: delivery.routes[0].in_flight: '99' is not right here; expected a whole number from 1 to 16")]
    [InlineData("delivery: { routes: [{ to: '*', via: mx, same_name: true }] }\n", "postern.yaml:1:53: delivery.routes[0].same_name: a mail exchanger with this server's name is this server; a via that names the other one is needed")]
    [InlineData("delivery: { dns: { servers: [dns.example.org] } }\n", "postern.yaml:1:30: delivery.dns.servers[0]: 'dns.example.org' is not right here; expected an IP address such as 192.0.2.53, or with a port 192.0.2.53:5353 or [2001:db8::53]:5353")]
    [InlineData("delivery: { tls: { default: may } }\n", "postern.yaml:1:29: delivery.tls.default: 'may' is not right here; expected 'none', 'opportunistic', 'encrypt', 'verify', 'dane' or 'mta-sts'")]
    [InlineData("delivery: { tls: { policies: [{ to: \"*\", level: dane }] } }\n", "postern.yaml:1:37: delivery.tls.policies[0].to: '*' stands for every domain, which is what 'default' is for")]
    [InlineData("delivery: { tls: { policies: [{ to: a.example, level: encrypt, otherwise: defer }] } }\n", "postern.yaml:1:75: delivery.tls.policies[0].otherwise: only a level that asks what the receiver publishes needs it; expected level: dane or mta-sts")]
    [InlineData("delivery: { tls: { policies: [{ to: a.example, level: dane, names: [b.example] }] } }\n", "postern.yaml:1:68: delivery.tls.policies[0].names: no other level looks at names that are written here; expected level: verify")]
    [InlineData("delivery: { tls: { policies: [{ to: a.example, level: dane }, { to: A.example, level: none }] } }\n", "postern.yaml:1:63: delivery.tls.policies[1]: 'a.example' has a policy already")]
    [InlineData("delivery: { dns: { validating: true } }\n", "postern.yaml:1:32: delivery.dns.validating: whose word counts is not said; expected 'servers' beside it; one on loopback is believed anyway")]
    [InlineData("delivery: { mx: { allow_networks: [10.0.0.1/8] } }\n", "postern.yaml:1:36: delivery.mx.allow_networks[0]: '10.0.0.1/8' has bits set behind its prefix: the network is 10.0.0.0/8, the one address 10.0.0.1/32")]
    [InlineData("delivery: { retry: { first: 1h, most: 1m } }\n", "postern.yaml:1:39: delivery.retry.most: the longest wait is shorter than the first")]
    [InlineData("delivery: { retry: { mailbox_full: 2d } }\n", "postern.yaml:1:36: delivery.retry.mailbox_full: longer than the longest wait; expected at most what 'most' says")]
    [InlineData("delivery: { retry: { bounces: { give_up: 9d } } }\n", "postern.yaml:1:31: delivery.retry.bounces: a bounce would be tried for longer than the message it tells of; expected a shorter 'give_up' in it")]
    [InlineData("external: { authority: ca.pem }\n", "postern.yaml:1:11: external: no listener asks for certificates; expected 'client_certificates: request' at a listener")]
    [InlineData(AskingListener + "external: {}\n", "postern.yaml:2:11: external.authority: neither an authority nor certificates: nobody could log in by this; expected authority or certificates")]
    [InlineData(AskingListener + "external: { user: dns, certificates: [{ fingerprint: '" + Fingerprint + "', account: a }] }\n", "postern.yaml:2:19: external.user: without an authority no certificate is believed by its name; expected external.authority as well")]
    [InlineData(AskingListener + "external: { certificates: [{ fingerprint: 'AB:CD', account: a }] }\n", "postern.yaml:2:43: external.certificates[0].fingerprint: 'AB:CD' is not right here; expected 64 hexadecimal digits, with or without colons")]
    [InlineData(AskingListener + "external:\n  certificates:\n  - { fingerprint: '" + Fingerprint + "', account: a }\n  - { fingerprint: '" + FingerprintWithColons + "', account: b }\n", "postern.yaml:5:5: external.certificates[1]: this fingerprint is listed already")]
    [InlineData("listeners: [{ name: a, listen: '127.0.0.1:25', mechanisms: [EXTERNAL] }]\n", "postern.yaml:1:13: listeners[0]: EXTERNAL is never offered here: there is no section 'external'")]
    [InlineData("listeners: [{ name: a, listen: '127.0.0.1:25', mechanisms: [gssapi] }]\n", "postern.yaml:1:13: listeners[0]: GSSAPI is never offered here: there is no section 'kerberos'")]
    [InlineData("kerberos: { realms: [EXAMPLE.ORG] }\n", "postern.yaml:1:11: kerberos.keytab: missing key; expected a path")]
    [InlineData("kerberos: { keytab: a }\n", "postern.yaml:1:11: kerberos.realms: missing key; expected at least one: a Kerberos realm such as EXAMPLE.ORG")]
    [InlineData("kerberos: { keytab: a, realms: [lisa@EXAMPLE.ORG] }\n", "postern.yaml:1:33: kerberos.realms[0]: 'lisa@EXAMPLE.ORG' is not right here; expected a Kerberos realm such as EXAMPLE.ORG")]
    [InlineData("kerberos: { keytab: a, realms: [A.ORG, B.ORG], account: name }\n", "postern.yaml:1:57: kerberos.account: with 'name' the same name in two realms would be one account; expected one realm, or 'principal'")]
    [InlineData("root:x:0:0:root:/root\nhunter2\n", "postern.yaml:1:1: text where a section belongs; expected keys with values")]
    [InlineData("hunter2", "postern.yaml:1:1: text where a section belongs; expected keys with values")]
    [InlineData("server: 'one two three four five six seven eight nine ten eleven twelve thirteen'\n", "postern.yaml:1:9: server: 'one two three four five six seven eight nine ten eleven twel…' where a section belongs; expected keys with values")]
    [InlineData("limits: { message_size: \"1\\nhunter2\" }\n", "postern.yaml:1:25: limits.message_size: '1…' is not right here; expected a size such as 50MB or 64KiB, at least 1")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://1.2.3' }] }\n", "postern.yaml:1:38: delivery.routes[0].via: '1.2.3' is not a host name or an address, which has four numbers")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://relay.5:587' }] }\n", "postern.yaml:1:38: delivery.routes[0].via: 'relay.5' is not a host name or an address, which has four numbers")]
    [InlineData("server: []\n", "postern.yaml:1:9: server: a list where a section belongs; expected keys with values")]
    [InlineData("listeners: yes\n", "postern.yaml:1:12: listeners: 'yes' where a list belongs; expected one '- ' for each entry")]
    [InlineData("server: { data: a, data: b }\n", "postern.yaml:1:20: the key 'data' was given before, in line 1")]
    [InlineData("server: &a { data: x }\n", "postern.yaml:1:9: anchors (&name) are not understood here")]
    [InlineData("server: !!map { data: x }\n", "postern.yaml:1:9: tags (!name) are not understood here")]
    [InlineData("logs: {}\n---\nlogs: {}\n", "postern.yaml:2:1: a second document begins here; a configuration is one document")]
    public void An_error_names_its_place_its_key_and_what_was_expected(string yaml, string expected) =>
        Assert.Equal([expected], Errors(yaml));

    [Fact]
    public void Resolvers_private_exchangers_and_a_source_address_reach_the_engine()
    {
        var outcome = ConfigurationFile.Parse("postern.yaml", "/", """
            server: { hostname: mail.example.org }
            delivery:
              dns: { servers: [192.0.2.53, "192.0.2.54:5353", "2001:db8::53"], validating: true }
              tls: { default: opportunistic, policies: [{ to: example.net, level: dane }, { to: .example.org, level: verify, names: [mx.example.org] }] }
              mx: { allow_networks: [10.0.0.0/8] }
              routes: [{ to: "*", via: mx, bind: 192.0.2.1 }, { to: a.example, via: "smtp://127.0.0.1:10025", same_name: true }]
            """);

        var delivery = Assert.IsType<ConfigurationOutcome.Valid>(outcome).Configuration.ToDelivery();

        Assert.Equal(["192.0.2.53:53", "192.0.2.54:5353", "[2001:db8::53]:53"], delivery.Resolvers.Select(static r => r.ToString()));
        Assert.True(delivery.ResolversValidate);
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8")], delivery.AllowedMxNetworks);
        Assert.Equal((TlsLevel.Dane, TlsOtherwise.Defer), (delivery.Tls.For(Domain.Parse("example.net")).Level, delivery.Tls.For(Domain.Parse("example.net")).Otherwise));
        Assert.Equal(["mx.example.org"], delivery.Tls.For(Domain.Parse("a.example.org")).Names);
        Assert.Equal(TlsLevel.Opportunistic, delivery.Tls.For(Domain.Parse("example.org")).Level);
        Assert.Equal("192.0.2.1", delivery.Routes.Find(Lisa, Mailbox.Parse("b@b.example")).Bind?.ToString());
        Assert.True(Assert.IsType<NextHop.SmartHost>(delivery.Routes.Find(Lisa, Mailbox.Parse("b@a.example"))).MayHaveOurName);
    }

    [Fact]
    public void Conditions_and_several_servers_of_a_route_reach_the_engine()
    {
        const string File = """
            server: { hostname: mail.example.org }
            delivery:
              routes:
                - { from: "@sales.example", listener: [submission, submissions], via: ["smtp://one.test", "smtps://two.test"], hello: sales.example }
                - { login_is: lisa, via: "smtp://lisa.test" }
                - { to: "*", via: "smtp://all.test", login: { user: a, password: b } }
            """;

        RouteTable[] tables = [.. ((string[])[File, File]).Select(static file => Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Parse("postern.yaml", "/", file)).Configuration.ToDelivery().Routes)];
        var to = Mailbox.Parse("b@any.test");

        Assert.Equal(("one.test:25, two.test:465", "sales.example"), (tables[0].Find(Lisa, to).Name, tables[0].Find(Lisa, to).Hello?.Text));
        Assert.Equal("lisa.test:25", tables[0].Find(Lisa with { Listener = null }, to).Name);
        Assert.Equal("all.test:25", tables[0].Find(Lisa with { Listener = null, Login = null }, to).Name);
        Assert.Equal("* from @sales.example listener submission|submissions", tables[0].NameOf(Lisa, to));
        Assert.Equal(tables[0].Find(Lisa, to), tables[1].Find(Lisa, to));
        Assert.Equal(tables[0].Find(Lisa with { Listener = null, Login = null }, to), tables[1].Find(Lisa with { Listener = null, Login = null }, to));
    }

    [Theory]
    [InlineData("localhost", "every machine's name")]
    [InlineData("localhost.localdomain", "every machine's name")]
    [InlineData("box.localdomain", "every machine's name")]
    [InlineData("192.0.2.1", "is an address")]
    [InlineData("f3a1b2c4d5e6", "id of a container")]
    [InlineData("postern-7d4b9c8f6-x2xkq", "has no dot")]
    [InlineData("mail.example.org", null)]
    [InlineData("deadbeef.example.org", null)]
    public void A_hostname_that_others_will_not_take_is_doubted(string name, string? doubt)
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Parse("postern.yaml", "/", $"server: {{ hostname: {name} }}\n")).Configuration;

        if (doubt is null)
            Assert.DoesNotContain(configuration.Doubts, static d => d.Key == "server.hostname");
        else
            Assert.Contains(doubt, Assert.Single(configuration.Doubts, static d => d.Key == "server.hostname").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_error_is_reported_in_the_order_of_the_file()
    {
        var errors = Errors("limits: { idle: x }\nprinters: {}\nlisteners:\n  - { name: a, listen: [nonsense], auth: sometimes }\n");

        Assert.Equal(["postern.yaml:1:17", "postern.yaml:2:1", "postern.yaml:4:25", "postern.yaml:4:42"], errors.Select(static e => e[..e.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Theory]
    [InlineData("tls-only")]
    [InlineData("off")]
    public void A_listener_that_could_never_do_what_it_says_is_refused(string auth)
    {
        var errors = Errors($"listeners:\n  - name: a\n    listen: ['127.0.0.1:25']\n    tls: none\n    auth: {auth}\n    mechanisms: [PLAIN]\n");

        Assert.Equal(
            auth == "off"
                ? "postern.yaml:6:17: listeners[0].mechanisms: where auth is 'off' no mechanism is ever offered; expected no mechanisms here, or another auth"
                : "postern.yaml:5:11: listeners[0].auth: 'tls-only' where tls is 'none' means that AUTH is never offered; expected 'off' or 'always' here, or another tls",
            Assert.Single(errors));
    }

    [Fact]
    public void Two_listeners_share_neither_name_nor_endpoint()
    {
        var errors = Errors("listeners:\n  - { name: a, listen: '127.0.0.1:25' }\n  - { name: A, listen: ['127.0.0.1:25', '[::1]:25'] }\n");

        Assert.Equal(
            ["postern.yaml:3:5: listeners[1]: the name 'A' is taken by listeners[0]", "postern.yaml:3:5: listeners[1]: 127.0.0.1:25 is taken by listeners[0]"],
            errors);
    }

    [Fact]
    public void Port_zero_may_be_asked_for_more_than_once() =>
        Assert.Empty(Errors("listeners:\n  - { name: a, listen: ['127.0.0.1:0', '127.0.0.1:0'] }\n"));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost:25")]
    [InlineData("::1:25")]
    [InlineData("127.1:25")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData(":25")]
    public void An_endpoint_is_an_address_and_a_port(string endpoint) =>
        Assert.Single(Errors($"listeners:\n  - {{ name: a, listen: ['{endpoint}'] }}\n"));

    [Fact]
    public void Text_that_is_not_yaml_is_an_error_with_its_place() =>
        Assert.StartsWith("postern.yaml:3:1: not YAML: ", Assert.Single(Errors("server:\n  data: [\n")), StringComparison.Ordinal);

    [Fact]
    public void Json_is_read_by_the_same_rules()
    {
        var outcome = Parse("{\n\t\"server\": { \"hostname\": \"mail.example.org\", \"data\": \"\\/var\\/x\" },\n\t\"limits\": { \"recipients\": 5 }\n}");

        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(outcome).Configuration;
        Assert.Equal(("mail.example.org", "/var/x", 5), (configuration.Server.Hostname.Text, configuration.Server.Data, configuration.Limits.Recipients));
        Assert.Equal(["postern.yaml:1:15: server.hostnam: unknown key; did you mean 'hostname'?"], Errors("{ \"server\": { \"hostnam\": \"a\" } }"));
    }

    [Fact]
    public void Nothing_written_is_a_server_on_loopback_that_holds_its_mail()
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(Parse("# nothing\n")).Configuration;

        Assert.Equal(["127.0.0.1:2587", "[::1]:2587", "127.0.0.1:2465", "[::1]:2465"], configuration.Listeners.SelectMany(static l => l.Endpoints).Select(static e => e.ToString()));
        Assert.Equal([TlsMode.StartTls, TlsMode.Implicit], configuration.Listeners.Select(static l => l.Tls));
        Assert.All(configuration.Listeners, static l => Assert.Equal(AuthMode.TlsOnly, l.Auth));
        Assert.Empty(configuration.Networks);
        Assert.Empty(configuration.Delivery.Routes);
        Assert.Equal("/etc/here/postern-data", configuration.Server.Data);
        Assert.Equal("/etc/here/postern-data/logs", configuration.LogsDirectory);
    }

    [Fact]
    public void A_whole_configuration_comes_out_as_it_was_written()
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(Parse("""
            server: { hostname: Mail.Example.ORG, data: ../data }
            tls: { certificate: cert.pem, key: /keys/key.pem, minimum: "1.3" }
            listeners:
              - name: devices
                listen: ["10.0.0.5:25", "[::]:25"]
                tls: none
                auth: always
                mechanisms: [login, PLAIN]
                clients: [10.0.0.0/24, 2001:db8::1]
            accounts: [directory]
            limits: { connections: 100, connections_per_address: 5, message_size: 64KiB, recipients: 100, idle: 1m30s, memory: 512MiB }
            networks: 192.0.2.0/24
            domains: [Example.org]
            rules: { sender: [], recipient: [permit_authenticated] }
            delivery:
              routes:
                - { to: example.net, via: "smtp://[2001:db8::2]" }
                - { to: "*" }
              retry: { first: 2m, factor: 1.5, most: 1h, give_up: 2d, bounces: { give_up: 1d } }
            logs: { directory: /var/log/postern }
            """)).Configuration;

        Assert.Equal(("mail.example.org", "/etc/data"), (configuration.Server.Hostname.Text, configuration.Server.Data));
        Assert.Equal(("/etc/here/cert.pem", "/keys/key.pem", System.Security.Authentication.SslProtocols.Tls13), (configuration.Tls.CertificateFile, configuration.Tls.KeyFile, configuration.Tls.Protocols));
        var devices = Assert.Single(configuration.Listeners);
        Assert.Equal((TlsMode.None, AuthMode.Always), (devices.Tls, devices.Auth));
        Assert.Equal(["LOGIN", "PLAIN"], devices.Mechanisms!);
        Assert.Equal([IPNetwork.Parse("10.0.0.0/24"), IPNetwork.Parse("2001:db8::1/128")], devices.Clients!);
        Assert.Equal(new LimitsOptions(100, 5, 65_536, 100, TimeSpan.FromSeconds(90), 512L << 20), configuration.Limits);
        Assert.Equal([IPNetwork.Parse("192.0.2.0/24")], configuration.Networks);
        Assert.Equal(["example.org"], configuration.Domains.Select(static d => d.Text));
        Assert.Empty(configuration.Rules.Sender);
        Assert.Equal(["permit_authenticated"], configuration.Rules.Recipient.Select(static r => r.ToString()));
        Assert.Equal([("example.net", "smtp://[2001:db8::2]"), ("*", "mx")], configuration.Delivery.Routes.Select(static r => (r.Route.To, r.Route.Via[0])));
        Assert.Equal(new RetryOptions(TimeSpan.FromMinutes(2), 1.5, TimeSpan.FromHours(1), TimeSpan.FromDays(2), TimeSpan.FromHours(4), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), new BounceOptions(TimeSpan.FromDays(1))), configuration.Delivery.Retry);
        Assert.Equal("/var/log/postern", configuration.LogsDirectory);
    }

    private static string[] Errors(string yaml) =>
        Parse(yaml) is ConfigurationOutcome.Invalid(var errors) ? [.. errors.Select(static e => e.ToString())] : [];

    [Fact]
    public void Users_that_stand_in_the_configuration_are_a_store_that_is_equal_by_what_it_holds_and_shows_no_password()
    {
        var (one, same, other) = (SourceOf("tiger"), SourceOf("tiger"), SourceOf("lion"));
        Assert.Equal(one, same);
        Assert.NotEqual(one, other);
        Assert.DoesNotContain("tiger", one.ToString(), StringComparison.Ordinal);
        Assert.Equal(Relay.Accounts.Hashes.StoredForms.All, Relay.Accounts.Stores.AccountStores.Of(one)!.CommonForms(one));

        static Relay.Accounts.AccountSource SourceOf(string password) =>
            Assert.IsType<ConfigurationOutcome.Valid>(Parse($"accounts: [{{ users: {{ Scott: {password} }}, realm: here }}]\n")).Configuration.ToAccounts().Sources[0];
    }

    private static ConfigurationOutcome Parse(string yaml) => ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml);

    [Theory]
    [InlineData("", "1.2", TlsCiphers.Modern)]
    [InlineData(", tls_minimum: '1.1'", "1.1", TlsCiphers.Legacy)]
    [InlineData(", tls_minimum: '1.0', ciphers: compatible", "1.0", TlsCiphers.Compatible)]
    [InlineData(", ciphers: compatible, without_extensions: [dsn, CHUNKING]", "1.2", TlsCiphers.Compatible)]
    public void A_listener_says_what_it_takes_and_does_without(string more, string floor, TlsCiphers ciphers)
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Parse("postern.yaml", "/", $"listeners: [{{ name: a, listen: '127.0.0.1:25'{more} }}]\n")).Configuration;
        var listener = configuration.Listeners[0];
        Assert.Equal(ciphers, listener.Ciphers);
        Assert.Equal(floor != "1.2", listener.TlsProtocols is not null);
        Assert.Equal(ciphers == TlsCiphers.Modern ? null : ciphers, listener.ToListener(isWidened: false).Ciphers);
        Assert.Equal(ciphers, listener.ToListener(isWidened: true).Ciphers);
        Assert.Equal(more.Contains("without", StringComparison.Ordinal) ? ["DSN", "CHUNKING"] : [], listener.ToListener(isWidened: false).WithoutExtensions);
    }
}
