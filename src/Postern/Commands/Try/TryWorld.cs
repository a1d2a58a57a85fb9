using System.Net;
using Postern.Hosting.Certificates;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Commands.Try;

/// <summary>What a run plays in: the real server with everything behind it, an account, and a sink that mail is relayed to.</summary>
internal sealed class TryWorld : IAsyncDisposable
{
    public const string User = "lisa@example.org";

    /// <summary>An old device, whose password is kept as a shared secret.</summary>
    public const string Device = "scanner@example.org";

    /// <summary>Where old devices log in: every mechanism is named there.</summary>
    private const string Devices = "devices";

    /// <summary>Takes part in everything but logins: shows relaying where no login exists.</summary>
    private const string Inbound = "inbound";

    private TryWorld(RelayService relay, TrySink sink, TryIssuer issuer, string password, string devicePassword)
    {
        Relay = relay;
        Sink = sink;
        Issuer = issuer;
        Password = password;
        DevicePassword = devicePassword;
    }

    public RelayService Relay { get; }

    public TrySink Sink { get; }

    public string Password { get; }

    public string DevicePassword { get; }

    public TryIssuer Issuer { get; }

    public IPEndPoint SinkEndpoint => Sink.Endpoint;

    public IPEndPoint Submission => Endpoint("submission");

    public IPEndPoint Submissions => Endpoint("submissions");

    public IPEndPoint DevicesEndpoint => Endpoint(Devices);

    public IPEndPoint InboundEndpoint => Endpoint(Inbound);

    public Explainer Explainer => new(new AuditSearch(RelayOptions.DefaultLogDirectory(Relay.Snapshot.Options.DataDirectory)));

    public static async Task<TryWorld> StartAsync(string data, TimeProvider clock, CancellationToken ct)
    {
        var password = AddAccount(data, User, HashSchemes.Usual, clock);
        var devicePassword = AddAccount(data, Device, HashSchemes.Shared, clock);
        var issuer = new TryIssuer(data, clock);
        if (SelfSignedCertificate.LoadOrCreate(data, "localhost", clock.GetUtcNow(), isRsa: false, out _) is not CertificateOutcome.Loaded loaded)
            throw new TryFailure("no certificate could be made");
        var sink = new TrySink(clock);
        sink.Start();
        var route = RouteTable.Parse([new Route("*", $"smtp://{sink.Endpoint}")]);
        var relay = await RelayService.StartAsync(
            new RelayOptions
            {
                Hostname = "mail.example.org",
                DataDirectory = data,
                Tls = new TlsOptions(loaded.Certificate),
                Listeners =
                [
                    Listener("submission", TlsMode.StartTls, AuthMode.TlsOnly),
                    Listener("submissions", TlsMode.Implicit, AuthMode.TlsOnly),
                    Listener(Devices, TlsMode.StartTls, AuthMode.TlsOnly) with { Mechanisms = ["SCRAM-SHA-512", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2"] },
                    Listener(Inbound, TlsMode.StartTls, AuthMode.Off),
                ],
                Accounts = new AccountOptions { Sources = [new AccountSource("directory", "mail.example.org")], Issuers = [issuer.Trusted] },
                Delivery = new DeliveryOptions { Hostname = Domain.Parse("mail.example.org"), Routes = ((RouteParse.Ok)route).Table },
            },
            clock);
        ct.ThrowIfCancellationRequested();
        return new TryWorld(relay, sink, issuer, password, devicePassword);
    }

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        await Sink.DisposeAsync();
        Issuer.Dispose();
    }

    /// <summary>By the same commands that an operator uses; answers with the generated password.</summary>
    private static string AddAccount(string data, string name, HashScheme scheme, TimeProvider clock)
    {
        using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(RelayOptions.DirectoryFile(data)) { Clock = clock });
        var commands = new DirectoryCommands(directory, clock);
        commands.Accounts.Add(new AddAccount(name, [], []));
        return commands.Credentials.Add(new AddCredential(name) { Scheme = scheme }) is AdminOutcome.Issued { Generated: { } secret }
            ? secret.Reveal()
            : throw new TryFailure("no password could be generated");
    }

    private static SmtpListenerOptions Listener(string name, TlsMode tls, AuthMode auth) =>
        new() { Name = name, Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = tls, Auth = auth };

    private IPEndPoint Endpoint(string name) => Relay.Endpoints.First(e => e.Listener.Name == name).Endpoint;
}
