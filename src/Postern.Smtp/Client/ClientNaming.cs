using System.Net;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Smtp.Transport.Proxy;

namespace Postern.Smtp.Client;

/// <summary>
/// Tells the server whose mail comes next, as <see cref="SmtpClientOptions.Forward"/> says: XCLIENT and XFORWARD between transactions, a
/// PROXY header before all else.
/// </summary>
internal sealed class ClientNaming(ClientWire wire, SmtpClientOptions options, MailTransactions transactions)
{
    /// <summary>Whom the server was told of last; null for nobody.</summary>
    public PeerClaims? Named { get; private set; }

    /// <summary>What EHLO says: after XCLIENT what the client said, as the server takes this name for the client's.</summary>
    public Domain Hostname { get; private set; } = options.Hostname;

    /// <summary>The PROXY header that this connection begins with; empty for none.</summary>
    public byte[] Header
    {
        get
        {
            if (options.Forward is not (ClientForward.Proxy or ClientForward.ProxyV2))
                return [];
            var header = options.Client is { Address: { } client } claims
                ? ProxyHeader.Of(
                    new IPEndPoint(client, claims.Port ?? 0),
                    new IPEndPoint(claims.ServerAddress ?? IPAddress.Any, claims.ServerPort ?? 0))
                : ProxyHeader.Itself;
            return options.Forward == ClientForward.Proxy ? ProxyVersion1.Write(header) : ProxyVersion2.Write(header);
        }
    }

    /// <summary>A client is to be named before the next message.</summary>
    public bool IsNeeded(PeerClaims? client) =>
        options.Forward is ClientForward.XClient or ClientForward.XForward && client is not null && client != Named;

    /// <summary>Names a client. Null where that is done; the session starts over with EHLO then, by XCLIENT.</summary>
    public async ValueTask<ClientAnswer?> NameAsync(PeerClaims client, SmtpExtensions offered)
    {
        var verb = options.Forward == ClientForward.XClient ? "XCLIENT" : "XFORWARD";
        if (offered.ParametersOf(verb) is not { } attributes)
            return options.Forward == ClientForward.XForward ? null : Broken("the server offers no XCLIENT to this address");
        if (await transactions.ResetAsync().ConfigureAwait(false) is { } stuck)
            return stuck;
        foreach (var line in PeerAttributes.Write(verb, client, attributes))
        {
            wire.Output.Append(line);
            wire.Output.Append("\r\n"u8);
            await wire.FlushAsync(ClientPhase.Client, options.Timeouts.Command).ConfigureAwait(false);
            var reply = await wire.ReadAsync(ClientPhase.Client, options.Timeouts.Command).ConfigureAwait(false);
            // For the log alone: a server that does not understand it has the mail all the same.
            if (wire.WhyNot(reply, ClientPhase.Client) is { } refused && (refused is not ClientAnswer.Refused || IsDemanded))
                return refused is ClientAnswer.Refused { Reply: var said } ? Broken($"{verb}: {said}") : refused;
        }

        Named = client;
        if (IsDemanded)
            Hostname = client.Helo is { } helo && Domain.TryParse(helo, out var name) ? name : options.Hostname;
        return null;
    }

    /// <summary>
    /// What the server said to EHLO behind XCLIENT: whatever is no welcome ends the dialogue, and is no verdict on a message.
    /// </summary>
    public ClientAnswer? Judge(ClientAnswer hello) => hello switch
    {
        ClientAnswer.Accepted => null,
        ClientAnswer.Refused(_, var reply) => Broken($"EHLO: {reply}"),
        _ => hello,
    };

    private bool IsDemanded => options.Forward == ClientForward.XClient;

    private ClientAnswer.Broken Broken(string why)
    {
        wire.Break(ClientPhase.Client, ClientFault.ProtocolError, $"the client cannot be named to it: {why}");
        return wire.Fault!;
    }
}
