using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Opens a session with a next hop: tries its hosts and their addresses in order until one greets. Addresses that came from a
/// stranger's DNS pass the <see cref="AddressGuard"/> first.
/// </summary>
#pragma warning disable CA1001 // a semaphore whose wait handle is never asked for holds nothing to release
internal sealed class HopConnector(DeliveryOptions options, MxResolver resolver, SmtpClientOptions client)
#pragma warning restore CA1001
{
    /// <summary>Addresses tried in one attempt: bounds how long a domain with many dead hosts keeps a lane.</summary>
    private const int MaxAddresses = 10;

    /// <summary>Whoever is in between takes STARTTLS off the offer, and guesses the password from what CRAM-MD5, DIGEST-MD5 or SCRAM show in clear.</summary>
    private const string NoLoginInClear = "the server offers no TLS, and no login is made in clear unless the route says ?tls=none";

    private readonly AddressGuard guard = new(options.AllowedMxNetworks);

    /// <summary>The system's resolver blocks a thread of the pool for each name: few at a time.</summary>
    private readonly SemaphoreSlim systemLookups = new(4);

    public ValueTask<HopConnection> ConnectAsync(NextHop hop, CancellationToken ct) => hop switch
    {
        NextHop.SmartHost host => ConnectHostAsync(host, ct),
        NextHop.MailExchanger { Domain.Literal: { } literal } => ConnectLiteralAsync(literal, ct),
        NextHop.MailExchanger(var domain) => ConnectExchangersAsync(domain, ct),
        _ => throw new InvalidOperationException($"Unknown next hop {hop}"),
    };

    private async ValueTask<HopConnection> ConnectHostAsync(NextHop.SmartHost host, CancellationToken ct)
    {
        var addresses = await LookUpAsync(host.Host, ct).ConfigureAwait(false);
        if (addresses is not AddressAnswer.Found(var found))
            return Closed(addresses);
        var trial = new Trial();
        await TryAddressesAsync(trial, host.Host, found, host.Port, HopTerms.Of(host), ct).ConfigureAwait(false);
        return trial.Result;
    }

    private async ValueTask<HopConnection> ConnectLiteralAsync(IPAddress literal, CancellationToken ct)
    {
        var trial = new Trial();
        await TryAddressesAsync(trial, literal.ToString(), [literal], options.MxPort, HopTerms.Strangers, ct).ConfigureAwait(false);
        return trial.Result;
    }

    private async ValueTask<HopConnection> ConnectExchangersAsync(Smtp.Grammar.Domain domain, CancellationToken ct)
    {
        switch (await resolver.FindAsync(domain, ct).ConfigureAwait(false))
        {
            case MxAnswer.Never(var status, var reason):
                return new HopConnection.Closed(new Outcome.Failed(Remote: null, reason, Tls: null, status));
            case MxAnswer.Unavailable(var reason):
                return new HopConnection.Closed(new Outcome.Deferred(Remote: null, reason, Tls: null));
            case MxAnswer.Hosts(var names):
                var trial = new Trial();
                foreach (var name in names)
                {
                    var addresses = await resolver.FindAddressesAsync(name, ct).ConfigureAwait(false);
                    if (addresses is not AddressAnswer.Found(var found))
                        trial.Note(Closed(addresses).Outcome);
                    else if (await TryAddressesAsync(trial, name, found, options.MxPort, HopTerms.Strangers, ct).ConfigureAwait(false))
                        break;
                }

                return trial.Result;
            default:
                throw new InvalidOperationException("Unknown answer");
        }
    }

    /// <summary>Tries addresses until one greets or the attempt has tried enough; true when there is no need to go on.</summary>
    private async ValueTask<bool> TryAddressesAsync(Trial trial, string host, ImmutableArray<IPAddress> addresses, int port, HopTerms terms, CancellationToken ct)
    {
        foreach (var address in addresses)
        {
            var remote = RemoteOf(host, address, port);
            if (terms.IsGuarded && guard.WhyNot(address) is { } why)
            {
                trial.Note(new Outcome.Failed(Remote: null, $"Mail is not sent to {remote}: {why} address", Tls: null, "5.4.4"));
                continue;
            }

            if (trial.Tried++ >= MaxAddresses)
                return true;
            if (await TryAddressAsync(trial, remote, host, new IPEndPoint(address, port), terms, ct).ConfigureAwait(false))
                return true;
        }

        return false;
    }

    private async ValueTask<bool> TryAddressAsync(Trial trial, string remote, string host, IPEndPoint address, HopTerms terms, CancellationToken ct)
    {
        var (stream, problem) = await DialAsync(address, ct).ConfigureAwait(false);
        if (stream is null)
        {
            trial.Note(new Outcome.Deferred(remote, problem!, Tls: null));
            return false;
        }

        var dialogue = new SmtpClientDialogue(stream, client with { Tls = terms.Tls, ServerName = host, TrustedRoots = terms.Trusted });
        ClientAnswer answer;
        LoginAnswer? login = null;
        try
        {
            answer = await dialogue.OpenAsync(ct).ConfigureAwait(false);
            if (terms.Login is not null && answer is ClientAnswer.Accepted && dialogue.IsOpen)
            {
                login = terms.Tls == ClientTls.Opportunistic && dialogue.Tls is null
                    ? new LoginAnswer.Unsuitable(NoLoginInClear)
                    : await dialogue.LogInAsync(terms.Login, ct).ConfigureAwait(false);
            }
        }
        catch
        {
            await dialogue.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var version = dialogue.Tls?.Version;
        var outcome = login is null ? null : LoginOutcomes.Of(login, remote, version);
        if (answer is ClientAnswer.Accepted && dialogue.IsOpen && outcome is null)
        {
            trial.Open = new HopConnection.Open(dialogue, remote);
            return true;
        }

        trial.Note(outcome ?? ClientOutcomes.Of(WithAdvice(answer, address.Port), remote, version));
        await dialogue.QuitAsync(ct).ConfigureAwait(false);
        await dialogue.DisposeAsync().ConfigureAwait(false);

        if (login is not null)
            return LoginOutcomes.IsFinal(login);
        // A handshake that fails is no reason to keep mail back where clear text would have been taken (RFC 7435 §5); an injection is.
        return terms is { Tls: ClientTls.Opportunistic, Login: null } && answer is ClientAnswer.Broken(ClientPhase.StartTls, ClientFault.TlsFailed, _)
            && await TryAddressAsync(trial, remote, host, address, terms with { Tls = ClientTls.None }, ct).ConfigureAwait(false);
    }

    /// <summary>Who waits for a handshake says nothing at first: on the port that is for it, the silence has a likely reason.</summary>
    internal static ClientAnswer WithAdvice(ClientAnswer answer, int port) =>
        port == 465 && answer is ClientAnswer.Broken { Phase: ClientPhase.Greeting, Fault: ClientFault.Timeout or ClientFault.ConnectionLost } silent
            ? silent with { Detail = $"{silent.Detail}; on port 465 TLS comes first: smtps:// is meant, not smtp://" }
            : answer;

    private async ValueTask<(NetworkStream? Stream, string? Problem)> DialAsync(IPEndPoint address, CancellationToken ct)
    {
        Socket? socket = null;
        using var deadline = new CancellationTokenSource(options.Timeouts.Connect, client.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, either.Token).ConfigureAwait(false);
            return (new NetworkStream(socket, ownsSocket: true), null);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            if (OwnShortage.WordsOf(e) is not null)
                throw;
            return (null, $"connect: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            socket?.Dispose();
            ct.ThrowIfCancellationRequested();
            return (null, $"connect: no answer within {options.Timeouts.Connect.TotalSeconds:0.###} s");
        }
    }

    /// <summary>A host that the operator named is found as every program of this machine finds it.</summary>
    private async ValueTask<AddressAnswer> LookUpAsync(string host, CancellationToken ct)
    {
        if (IPAddress.TryParse(host, out var literal))
            return new AddressAnswer.Found([literal]);
        await systemLookups.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return new AddressAnswer.Found([.. await System.Net.Dns.GetHostAddressesAsync(host, ct).ConfigureAwait(false)]);
        }
        catch (SocketException e) when (OwnShortage.WordsOf(e) is null)
        {
            return new AddressAnswer.Unavailable($"Host {host}: {e.Message}");
        }
        finally
        {
            systemLookups.Release();
        }
    }

    private static HopConnection.Closed Closed(AddressAnswer answer) => new(answer switch
    {
        AddressAnswer.None(var reason) => new Outcome.Failed(Remote: null, reason, Tls: null, "5.4.4"),
        AddressAnswer.Unavailable(var reason) => new Outcome.Deferred(Remote: null, reason, Tls: null),
        _ => throw new InvalidOperationException($"Unknown answer {answer}"),
    });

    private static string RemoteOf(string host, IPAddress address, int port) =>
        host == address.ToString() ? $"[{address}]:{port}" : $"{host}[{address}]:{port}";

    /// <summary>What an attempt at several addresses came to so far: an address that may work later outweighs those that never will.</summary>
    private sealed class Trial
    {
        private Outcome? worst;

        public int Tried { get; set; }

        public HopConnection.Open? Open { get; set; }

        public HopConnection Result => Open ?? (HopConnection)new HopConnection.Closed(worst!);

        public void Note(Outcome outcome)
        {
            if (worst is not Outcome.Deferred || outcome is Outcome.Deferred)
                worst = outcome;
        }
    }
}
