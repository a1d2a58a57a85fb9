using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Upstream;

/// <summary>Opens sessions with a mail server that checks logins: connects, greets, comes to its terms of TLS.</summary>
/// <param name="hostname">What this server calls itself; null where nobody has said.</param>
internal sealed class UpstreamServer(SmtpSource source, Domain? hostname, TimeProvider clock)
{
    private const string LiteralOfThisMachine = "[127.0.0.1]";

    private readonly Lock gate = new();
    private readonly Lazy<SmtpClientOptions> client = new(() => new SmtpClientOptions
    {
        Hostname = hostname ?? Domain.Parse(LiteralOfThisMachine),
        Tls = source.Tls,
        ServerName = source.Host,
        TrustedRoots = source.LoadAuthorities(),
        Memory = new TlsMemory(clock),
        Clock = clock,
    });

    private Task<IPAddress[]>? asked;

    /// <summary>A session in which nobody is logged in; else why there is none, in words that hold no secret.</summary>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>.</exception>
    public async ValueTask<(SmtpClientDialogue? Dialogue, string? Why)> OpenAsync(CancellationToken ct)
    {
        var (stream, problem) = await DialAsync(ct);
        if (stream is null)
            return (null, problem);
        var dialogue = new SmtpClientDialogue(stream, client.Value);
        string? why;
        try
        {
            why = WhyNot(await dialogue.OpenAsync(ct), dialogue);
        }
        catch
        {
            await dialogue.DisposeAsync();
            throw;
        }

        if (why is null)
            return (dialogue, null);
        await EndAsync(dialogue);
        return (null, why);
    }

    /// <summary>Says QUIT where that can be said, and closes.</summary>
    public static async Task EndAsync(SmtpClientDialogue dialogue)
    {
        await dialogue.QuitAsync(CancellationToken.None);
        await dialogue.DisposeAsync();
    }

    /// <summary>Nothing that is secret was said yet, so the server is quoted.</summary>
    private string? WhyNot(ClientAnswer answer, SmtpClientDialogue dialogue) => answer switch
    {
        ClientAnswer.Refused(ClientPhase.Greeting, var reply) => $"it turns this server away: {reply}",
        ClientAnswer.Refused(var phase, var reply) => $"it refuses {phase.ToString().ToUpperInvariant()}: {reply}",
        ClientAnswer.Broken(ClientPhase.StartTls, _, var detail) => $"TLS: {detail}",
        ClientAnswer.Broken(ClientPhase.Greeting, ClientFault.ConnectionLost, var detail) when source.Port == 465 =>
            $"{detail}; on port 465 TLS comes first: smtps:// is meant, not smtp://",
        ClientAnswer.Broken broken => $"{broken.Detail}, at {broken.Phase.ToString().ToUpperInvariant()}",
        ClientAnswer.Accepted(var reply) when !dialogue.IsOpen => $"it leaves: {reply}",
        _ when IsThisServer(dialogue) =>
            $"it calls itself {hostname}, which is this server's name: a login would ask itself. If it is another server, one of them "
                + "needs another name, or its entry 'same_name: true'",
        _ when dialogue.Extensions.AuthMechanisms.Count == 0 => dialogue.Tls is null
            ? "it offers no AUTH, on a connection without TLS"
            : "it offers no AUTH",
        _ => null,
    };

    /// <summary>A name without a dot is many hosts' name, and says nothing.</summary>
    private bool IsThisServer(SmtpClientDialogue dialogue) =>
        !source.MayHaveOurName
        && hostname is { Text: var own }
        && own.Contains('.', StringComparison.Ordinal)
        && (string.Equals(dialogue.PeerNames.Greeting, own, StringComparison.OrdinalIgnoreCase)
            || string.Equals(dialogue.PeerNames.Hello, own, StringComparison.OrdinalIgnoreCase));

    private async ValueTask<(NetworkStream? Stream, string? Problem)> DialAsync(CancellationToken ct)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(source.Host, out var literal) ? [literal] : await FindAsync().WaitAsync(ct);
        }
        catch (SocketException e)
        {
            return (null, $"its host is not found: {e.Message}");
        }

        var problem = "its host has no address";
        foreach (var address in addresses)
        {
            // One that is silent leaves time for the others.
            using var slice = new CancellationTokenSource(source.Terms.Timeout / addresses.Length, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, slice.Token);
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, source.Port), either.Token);
                return (new NetworkStream(socket, ownsSocket: true), null);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                problem = $"it cannot be reached: {e.Message}";
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                ct.ThrowIfCancellationRequested();
                problem = string.Create(CultureInfo.InvariantCulture, $"it cannot be reached: {address} does not answer");
            }
        }

        return (null, problem);
    }

    /// <summary>The system's call blocks and cannot be called off: it has a thread of its own, and is made once for all.</summary>
    private Task<IPAddress[]> FindAsync()
    {
        lock (gate)
        {
            if (asked is null or { IsCompleted: true })
                asked = Task.Factory.StartNew(
                    static host => Dns.GetHostAddresses((string)host!),
                    source.Host,
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
                    TaskScheduler.Default);
            return asked;
        }
    }
}
