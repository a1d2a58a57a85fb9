using System.Net;
using Postern.Configuration;
using Postern.Hosting.Live;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Runtime;

namespace Postern.Commands.Try;

/// <summary>What a run plays in: the real server with everything behind it, an account, and a sink that mail is relayed to.</summary>
internal sealed class TryWorld : IAsyncDisposable
{
    public const string User = "lisa@example.org";

    /// <summary>An old device, whose password is kept as a shared secret.</summary>
    public const string Device = "scanner@example.org";

    public const string Hostname = "mail.example.org";

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
        var sink = new TrySink(clock);
        sink.Start();
        var compiled = await CompileAsync(data, ConfigurationOf(issuer, sink), clock);
        var relay = await RelayService.StartAsync(compiled.ToRelay(), key => Compilation.IdOf(compiled, key.Span), compiled, clock);
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

    /// <summary>As an operator would write it: what is not said is as everybody has it.</summary>
    private static string ConfigurationOf(TryIssuer issuer, TrySink sink) => $$"""
        server: { hostname: {{Hostname}}, data: . }
        listeners:
          - { name: submission, listen: ["127.0.0.1:0"] }
          - { name: submissions, listen: ["127.0.0.1:0"], tls: implicit }
          - name: {{Devices}}
            listen: ["127.0.0.1:0"]
            mechanisms: [SCRAM-SHA-512, SCRAM-SHA-1, DIGEST-MD5, CRAM-MD5, OAUTHBEARER, XOAUTH2]
          - { name: {{Inbound}}, listen: ["127.0.0.1:0"], auth: "off" }
        oauth:
          - { issuer: "{{TryIssuer.Name}}", jwks: "{{issuer.Keys}}", audience: {{TryIssuer.Audience}}, user_claim: {{TryIssuer.UserClaim}} }
        delivery: { routes: [{ to: "*", via: "smtp://{{sink.Endpoint}}" }] }
        """;

    /// <summary>The way of every server, so that what is tried is what is served.</summary>
    private static async Task<Compiled> CompileAsync(string data, string text, TimeProvider clock) =>
        ConfigurationFile.Parse(ConfigurationFile.Name, data, text) switch
        {
            ConfigurationOutcome.Valid(var configuration) => await Compilation.ReadAsync(configuration, CompileFor.Serving, clock) switch
            {
                CompileOutcome.Ready(var compiled) => compiled,
                CompileOutcome.Broken(var errors, _) => throw new TryFailure(errors[0].ToString()),
                _ => throw new InvalidOperationException("a new outcome"),
            },
            ConfigurationOutcome.Invalid(var errors) => throw new TryFailure(errors[0].ToString()),
            _ => throw new InvalidOperationException("a new outcome"),
        };

    private IPEndPoint Endpoint(string name) => Relay.Endpoints.First(e => e.Listener.Name == name).Endpoint;
}
