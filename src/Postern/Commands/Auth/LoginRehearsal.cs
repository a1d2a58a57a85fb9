using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Replies;

namespace Postern.Commands.Auth;

/// <summary>Plays a login with both halves of a mechanism, the server's on the real stores, and writes down the steps.</summary>
internal sealed class LoginRehearsal(AccountVerifiers verifiers, SaslClientCredentials credentials, TimeProvider clock)
{
    /// <summary>More messages than any mechanism has.</summary>
    private const int MaxSteps = 10;

    /// <summary>Both sides take this for the keying material of their connection.</summary>
    private static readonly ChannelBindings Channel = new((ChannelBindingType.TlsExporter, new byte[32]));

    /// <summary>Null where the mechanism needs what was not given, or what no store can answer.</summary>
    public async ValueTask<LoginAttemptDocument?> RunAsync(ISaslClientMechanism mechanism, CancellationToken ct)
    {
        var channel = mechanism.Name.EndsWith("-PLUS", StringComparison.Ordinal) ? Channel : null;
        var context = verifiers.Context with
        {
            Hostname = credentials.Host,
            Channel = channel,
            OffersChannelBinding = channel is not null,
            AllowsAnonymous = false,
        };
        if (context.Begin(SaslMechanisms.All.First(m => m.Name == mechanism.Name)) is not { } exchange)
            return null;
        using var owned = exchange as IDisposable;
        using var client = mechanism.TryStart(credentials with { Channel = channel });
        if (client is null)
            return null;
        var steps = ImmutableArray.CreateBuilder<LoginStepDocument>();
        var spent = TimeSpan.Zero;
        var took = TimeSpan.Zero;
        ReadOnlyMemory<byte>? challenge = null;
        for (var i = 0; i < MaxSteps; i++)
        {
            var answer = client.Next(challenge);
            if (answer is not SaslClientStep.Response(var response))
                return Ended(false, StandardReply.AuthCancelled, $"the client cancels: {(answer as SaslClientStep.Cancel)?.Reason}");
            steps.Add(new("client", response is { } sent ? Size("a response", sent.Length) : "no initial response"));
            var asked = clock.GetTimestamp();
            var step = await exchange.NextAsync(response, ct);
            took = clock.GetElapsedTime(asked);
            spent += took;
            switch (step)
            {
                case SaslStep.Challenge(var next):
                    steps.Add(new("server", Size("a challenge", next.Length)) { Milliseconds = took.TotalMilliseconds });
                    challenge = next;
                    continue;
                case SaslStep.Success(var identity, var data):
                    if (data is { } last)
                    {
                        steps.Add(new("server", Size("its own proof", last.Length)));
                        if (client.Next(last) is not SaslClientStep.Response)
                            return Ended(false, StandardReply.AuthCancelled, "the client does not believe the server's proof");
                    }

                    var who = identity.AuthorizationId == identity.AuthenticationId
                        ? identity.AuthenticationId
                        : $"{identity.AuthenticationId}, acting as {identity.AuthorizationId}";
                    return Ended(true, StandardReply.Authenticated, $"logged in as {who}");
                case SaslStep.Failure failure:
                    return Ended(false, StandardReply.Of(failure.Error), failure.Reason);
            }
        }

        return Ended(false, StandardReply.MalformedAuth, "the exchange did not come to an end");

        LoginAttemptDocument Ended(bool ok, Reply reply, string reason)
        {
            steps.Add(new("server", $"{reply}: {reason}") { Milliseconds = took.TotalMilliseconds });
            return new LoginAttemptDocument(mechanism.Name, ok, reply.ToString(), reason, Offered: string.Empty, steps.ToImmutable())
            {
                Milliseconds = spent.TotalMilliseconds,
            };
        }
    }

    private static string Size(string what, int octets) => string.Create(CultureInfo.InvariantCulture, $"{what} of {octets} octets");
}
