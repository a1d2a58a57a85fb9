using System.Buffers.Text;
using Postern.Sasl;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// Carries one SASL exchange over SMTP (RFC 4954 §4): base64 both ways, <c>*</c> cancels, and one final reply whatever happens.
/// </summary>
internal sealed class SaslDialogue(
    SmtpSession session, ISaslMechanism mechanism, ISaslExchange exchange, ReadOnlyMemory<byte>? initialResponse)
{
    private const string Left = "the client left during authentication";

    /// <summary>How the exchange has ended already, where the client is only being told why.</summary>
    private SaslStep.Failure? verdict;

    /// <summary>The final reply, and whether the session goes on.</summary>
    public async ValueTask<(Reply Reply, bool Stays)> RunAsync(CancellationToken ct)
    {
        using var owned = exchange as IDisposable;
        using var question = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var response = initialResponse;
        while (true)
        {
            var step = await AskAsync(response, question);
            switch (step)
            {
                case SaslStep.Failure failure:
                    return Fail(failure);
                case SaslStep.Success { Data: null } proven:
                    return (Succeed(proven), true);
            }

            // 235 carries no data: what a mechanism has to say with its success goes before it, and is answered by an empty line (RFC 4954
            // §4).
            var challenge = step is SaslStep.Challenge(var asked) ? asked : ((SaslStep.Success)step).Data!.Value;
            await session.WriteAsync(Encode(challenge.Span));
            verdict = (step as SaslStep.Challenge)?.Verdict;
            var (octets, end) = await ReadResponseAsync();
            if (end is { } over)
                return verdict is { Error: SaslError.BadCredentials } && session.State.FailedLogins >= session.Limits.FailedLogins
                    ? (StandardReply.TooManyFailedLogins, false)
                    : over;
            if (step is SaslStep.Success success)
                return (octets.Length == 0
                    ? Succeed(success)
                    : Abandon(SaslError.Malformed, StandardReply.MalformedAuth, "a response to the final message, which wants none"), true);
            response = octets;
        }
    }

    /// <summary>Whoever has to be asked takes a while; a client that leaves meanwhile wants no answer.</summary>
    private async ValueTask<SaslStep> AskAsync(ReadOnlyMemory<byte>? response, CancellationTokenSource question)
    {
        try
        {
            return await session.WhileThereAsync(exchange.NextAsync(response, question.Token), question);
        }
        catch (ConnectionLostException)
        {
            Abandon(error: null, StandardReply.AuthCancelled, Left);
            throw;
        }
    }

    /// <summary>One response, or how the exchange ends here.</summary>
    private async ValueTask<(byte[] Octets, (Reply Reply, bool Stays)? End)> ReadResponseAsync()
    {
        LineOutcome outcome;
        ReadOnlyMemory<byte> line;
        try
        {
            (outcome, line) = await session.ReadLineAsync(session.Limits.SaslOctets, idle: false);
        }
        catch (ConnectionLostException)
        {
            Abandon(error: null, StandardReply.AuthCancelled, Left);
            throw;
        }

        switch (outcome)
        {
            case LineOutcome.Line when line.Span.TrimEnd(CommandLine.WhiteSpace).SequenceEqual("*"u8):
                return ([], (Abandon(null, StandardReply.AuthCancelled, "cancelled by the client"), true));
            case LineOutcome.Line when StrictBase64.TryDecode(line.Span.TrimEnd(CommandLine.WhiteSpace), out var octets):
                return (octets, null);
            case LineOutcome.Line:
                return ([], (Abandon(SaslError.Malformed, StandardReply.BadBase64, "the response is not base64"), true));
            case LineOutcome.TooLong:
                return ([], (Abandon(
                    SaslError.Malformed, StandardReply.SaslLineTooLong, "the response is too long"), await session.SkipLineAsync()));
            case LineOutcome.BadOctet:
                return ([], (Abandon(SaslError.Malformed, StandardReply.BadOctet, "the response holds a bare CR, LF or NUL"), false));
            default:
                Abandon(error: null, StandardReply.AuthCancelled, Left);
                throw new ConnectionLostException(Left);
        }
    }

    private Reply Succeed(SaslStep.Success success)
    {
        var identity = success.Identity;
        session.State.Identity = identity;
        session.State.Mechanism = mechanism.Name;
        session.State.LoginData = success.LoginData;
        session.State.Authority = success.Authority;
        session.State.Credential = success.Credential;
        session.State.PolicyMemo = null;
        session.Server.Events.OnLogin(
            session.State,
            new LoginAttempt(mechanism.Name, identity.AuthenticationId, UserExists: true, identity, Error: null, "ok")
            {
                Credential = success.Credential,
            });
        return StandardReply.Authenticated.Saying(success.Text?.Text);
    }

    private (Reply Reply, bool Stays) Fail(SaslStep.Failure failure)
    {
        Tell(failure);
        // Only a wrong secret is a guess: who is told to use another mechanism must have its tries left for that (RFC 4954 §6, §9).
        if (failure.Error == SaslError.BadCredentials && ++session.State.FailedLogins >= session.Limits.FailedLogins)
            return (StandardReply.TooManyFailedLogins, false);
        var reply = StandardReply.Of(failure.Error);
        return failure.Error == SaslError.TooMany ? (reply, false) : (reply.Saying(failure.Text?.Text), true);
    }

    private void Tell(SaslStep.Failure failure) =>
        session.Server.Events.OnLogin(
            session.State,
            new LoginAttempt(mechanism.Name, failure.ClaimedUser, failure.UserExists, Identity: null, failure.Error, failure.Reason)
            {
                Credential = failure.Credential,
            });

    /// <summary>The client's way out of the exchange; where that was lost already, this is what is written down, and counted.</summary>
    private Reply Abandon(SaslError? error, Reply reply, string reason)
    {
        if (verdict is { } lost)
        {
            Tell(lost);
            if (lost.Error == SaslError.BadCredentials)
                session.State.FailedLogins++;
            return reply;
        }

        session.Server.Events.OnLogin(
            session.State, new LoginAttempt(mechanism.Name, ClaimedUser: null, UserExists: false, Identity: null, error, reason));
        return reply;
    }

    /// <summary><c>334 </c>, the challenge in base64 and nothing else; empty is exactly <c>334 </c> (RFC 4954 §4).</summary>
    private static byte[] Encode(ReadOnlySpan<byte> challenge)
    {
        var line = new byte[4 + Base64.GetMaxEncodedToUtf8Length(challenge.Length) + 2];
        "334 "u8.CopyTo(line);
        Base64.EncodeToUtf8(challenge, line.AsSpan(4), out _, out var written);
        "\r\n"u8.CopyTo(line.AsSpan(4 + written));
        return line;
    }
}
