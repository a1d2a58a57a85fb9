using System.Net;
using Postern.Hosting;
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

    /// <summary>Takes part in everything but logins: shows relaying where no login exists.</summary>
    private const string Inbound = "inbound";

    private TryWorld(RelayService relay, TrySink sink, string password)
    {
        Relay = relay;
        Sink = sink;
        Password = password;
    }

    public RelayService Relay { get; }

    public TrySink Sink { get; }

    public string Password { get; }

    public IPEndPoint SinkEndpoint => Sink.Endpoint;

    public IPEndPoint Submission => Endpoint("submission");

    public IPEndPoint Submissions => Endpoint("submissions");

    public IPEndPoint InboundEndpoint => Endpoint(Inbound);

    public Explainer Explainer => new(new AuditSearch(RelayOptions.DefaultLogDirectory(Relay.Options.DataDirectory)));

    public static async Task<TryWorld> StartAsync(string data, TimeProvider clock, CancellationToken ct)
    {
        var password = AddAccount(data, clock);
        if (SelfSignedCertificate.LoadOrCreate(data, "localhost", clock.GetUtcNow(), out _) is not CertificateOutcome.Loaded loaded)
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
                    Listener(Inbound, TlsMode.StartTls, AuthMode.Off),
                ],
                Delivery = new DeliveryOptions { Hostname = Domain.Parse("mail.example.org"), Routes = ((RouteParse.Ok)route).Table },
            },
            clock);
        ct.ThrowIfCancellationRequested();
        return new TryWorld(relay, sink, password);
    }

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        await Sink.DisposeAsync();
    }

    /// <summary>By the same commands that an operator uses; answers with the generated password.</summary>
    private static string AddAccount(string data, TimeProvider clock)
    {
        using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(RelayOptions.DirectoryFile(data)) { Clock = clock });
        var commands = new DirectoryCommands(directory, clock);
        commands.Add(new AddAccount(User, [], []));
        return commands.Add(new AddCredential(User)) is AdminOutcome.Issued { Generated: { } secret }
            ? secret.Reveal()
            : throw new TryFailure("no password could be generated");
    }

    private static SmtpListenerOptions Listener(string name, TlsMode tls, AuthMode auth) =>
        new() { Name = name, Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = tls, Auth = auth };

    private IPEndPoint Endpoint(string name) => Relay.Endpoints.First(e => e.Listener.Name == name).Endpoint;
}
