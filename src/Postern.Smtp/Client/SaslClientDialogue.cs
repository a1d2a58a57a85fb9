using System.Buffers.Text;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>Carries the client's half of one SASL exchange over SMTP (RFC 4954 §4): base64 both ways, <c>*</c> gives up.</summary>
internal sealed class SaslClientDialogue(ClientWire wire, SmtpClientOptions options, string mechanism, ISaslClientExchange exchange)
{
    /// <summary>A longer AUTH command leaves its initial response to the next line (RFC 4954 §4).</summary>
    private const int MaxCommandOctets = 512;

    /// <summary>What RFC 4954 §4.1 asks for, with the code and the line end.</summary>
    private const int MaxChallengeLineOctets = 12288 + 6;

    /// <summary>More than any mechanism has.</summary>
    private const int MaxChallenges = 16;

    private readonly List<string> said = [];

    /// <summary>The initial response that had no room in the command.</summary>
    private ReadOnlyMemory<byte>? held;

    public async ValueTask<ClientLoginAnswer> RunAsync(SaslClientCredentials credentials)
    {
        switch (exchange.AsksElsewhere ? await BeginApartAsync().ConfigureAwait(false) : exchange.Next(challenge: null))
        {
            case SaslClientStep.Response(var initial):
                WriteCommand(initial);
                break;
            case SaslClientStep.Cancel(var reason):
                return Abandon(reason);
        }

        var reply = await CommandAsync().ConfigureAwait(false);
        for (var challenges = 1; reply is { Code: 334 }; challenges++)
        {
            var step = challenges > MaxChallenges ? new SaslClientStep.Cancel("the server asks without end") : Answer(reply);
            if (step is not SaslClientStep.Response({ } response))
                return await CancelAsync(step is SaslClientStep.Cancel(var reason) ? reason : "the mechanism has no answer")
                    .ConfigureAwait(false);
            Write(response.Span);
            wire.Output.Append("\r\n"u8);
            reply = await CommandAsync().ConfigureAwait(false);
        }

        return Conclude(reply, credentials);
    }

    /// <summary>Where a KDC does not answer, every login hangs for a while: the threads that all others run on must not.</summary>
    private Task<SaslClientStep> BeginApartAsync() => Task.Factory.StartNew(
        () => exchange.Next(challenge: null), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private ClientLoginAnswer Conclude(Reply? reply, SaslClientCredentials credentials)
    {
        switch (reply)
        {
            case { Code: 235 } when exchange.MayTrustSuccess:
                return new ClientLoginAnswer.Accepted(mechanism, Discreet(reply, credentials));
            case { Code: 235 }:
                return Abandon("the server says that the login succeeded and has not proven that it knows the password");
            case { Code: >= 400 }:
                return new ClientLoginAnswer.Refused(mechanism, Discreet(reply, credentials));
            case not null:
                wire.Break(ClientPhase.Auth, ClientFault.ProtocolError, $"the server answered AUTH out of step, with {reply.Code}");
                break;
        }

        return new ClientLoginAnswer.Broken(mechanism, wire.Fault!.Fault, wire.Fault.Detail);
    }

    private void WriteCommand(ReadOnlyMemory<byte>? initial)
    {
        wire.Output.Append("AUTH "u8);
        wire.Output.Append(mechanism);
        if (initial is { } response)
        {
            var room = MaxCommandOctets - wire.Output.Length - " \r\n".Length;
            if (response.IsEmpty)
                wire.Output.Append(" ="u8);
            else if (Base64.GetMaxEncodedToUtf8Length(response.Length) > room)
                held = response;
            else
            {
                wire.Output.Append(" "u8);
                Write(response.Span);
            }
        }

        wire.Output.Append("\r\n"u8);
    }

    private void Write(ReadOnlySpan<byte> response)
    {
        var text = Convert.ToBase64String(response);
        if (text.Length > 0)
            said.Add(text);
        wire.Output.Append(text);
    }

    private SaslClientStep Answer(Reply reply)
    {
        if (reply.Lines.Count > 1
            || reply.Status is not null
            || !StrictBase64.TryDecode(Encoding.ASCII.GetBytes(reply.Lines[0]), out var challenge))
            return new SaslClientStep.Cancel("the server's challenge is not base64");
        if (held is not { } initial)
            return exchange.Next(challenge);
        held = null;
        return challenge.Length == 0
            ? new SaslClientStep.Response(initial)
            : new SaslClientStep.Cancel("the server speaks where it is to listen");
    }

    private async ValueTask<Reply?> CommandAsync()
    {
        await wire.FlushAsync(ClientPhase.Auth, options.Timeouts.Command).ConfigureAwait(false);
        return await wire.ReadAsync(ClientPhase.Auth, options.Timeouts.Command, MaxChallengeLineOctets).ConfigureAwait(false);
    }

    /// <summary>Says so, and does not mind the answer.</summary>
    private async ValueTask<ClientLoginAnswer> CancelAsync(string reason)
    {
        wire.Output.Append("*\r\n"u8);
        if (await wire.FlushAsync(ClientPhase.Auth, options.Timeouts.Quit).ConfigureAwait(false))
            await wire.ReadAsync(ClientPhase.Auth, options.Timeouts.Quit).ConfigureAwait(false);
        return Abandon(reason);
    }

    private ClientLoginAnswer.Abandoned Abandon(string reason)
    {
        wire.Break(ClientPhase.Auth, ClientFault.ProtocolError, reason);
        return new ClientLoginAnswer.Abandoned(mechanism, reason);
    }

    /// <summary>Without its text where that repeats what only the server was to see.</summary>
    private Reply Discreet(Reply reply, SaslClientCredentials credentials)
    {
        IEnumerable<string> secrets =
        [
            .. said,
            credentials.Password?.Reveal() ?? string.Empty,
            credentials.Token?.Reveal() ?? string.Empty,
        ];
        return secrets.Any(secret => secret.Length > 0 && reply.Lines.Any(line => line.Contains(secret, StringComparison.Ordinal)))
            ? new Reply(reply.Code, reply.Status, "(the text repeats the credentials)")
            : reply;
    }
}

/// <summary>Says why no mechanism could be chosen, for the people who have to change that.</summary>
internal static class LoginProspects
{
    private const int MostNames = 12;

    public static string WhyNone(
        IReadOnlyList<string> offered, SaslClientCredentials credentials, IReadOnlyCollection<string>? allowed, bool isTls)
    {
        if (offered.Count == 0)
            return "the server offers no AUTH";
        if (SaslClientMechanisms.Choose(offered, credentials, isVerified: true, allowed) is not var (mechanism, exchange))
            return $"the server offers {string.Join(' ', offered.Take(MostNames))}: none that is allowed and has what it needs";
        exchange.Dispose();
        return $"{mechanism.Name} would show the secret: "
            + $"{(isTls ? "the server's certificate did not verify" : "the connection has no TLS")}";
    }
}
