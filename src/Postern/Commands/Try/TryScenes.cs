using System.Net;
using System.Text;
using Postern.Relay.Policy.Explaining;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Commands.Try;

/// <summary>Every scene, in the order in which they are shown.</summary>
internal static class TryScenes
{
    private const string Hidden = "(base64 of the login, not shown)";
    private const string Recipient = "bart@example.net";

    public static IReadOnlyList<TryScene> All { get; } =
    [
        new("STARTTLS, AUTH PLAIN, a message is queued and relayed", "235, 250, delivered", SubmitPlainAsync),
        new("Implicit TLS, AUTH LOGIN, a message is queued and relayed", "235, 250, delivered", SubmitLoginAsync),
        new("AUTH SCRAM-SHA-256: the password stays with the client, and both sides prove it", "235, 250, delivered", SubmitScramAsync),
        new("Every other mechanism logs in, by a shared secret or a token", "235 for each", SubmitOtherwiseAsync),
        new("A wrong password is refused, the session lives on, the retry succeeds", "535, then 235", WrongPasswordAsync),
        new("AUTH without TLS is refused: the password would be readable", "504 5.5.4", AuthInClearAsync),
        new("Relaying without a login asks for one", "530 5.7.0", NoLoginAsync),
        new("A sender that is not yours is refused", "553 5.7.1", ForeignSenderAsync),
        new("Relaying where nobody may is refused, and the refusal can be explained", "550 5.7.1", NoPermissionAsync),
    ];

    private static async Task SubmitPlainAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await OverTlsAsync(world, screen, ct);
        await LoginPlainAsync(client, world.Password, "235 2.7.0", ct);
        await SubmitAsync(client, world, screen, "PLAIN over STARTTLS", ct);
    }

    private static async Task SubmitLoginAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await TryDialogue.ConnectAsync(world.Submissions, screen, implicitTls: true, ct);
        await client.SayAsync("EHLO laptop.example.org", "250", ct);
        await client.SayAsync("AUTH LOGIN", "334", ct);
        await client.SayAsync(Base64(TryWorld.User), "334", ct);
        await client.SayAsync(Base64(world.Password), "235 2.7.0", ct, shown: Hidden);
        await SubmitAsync(client, world, screen, "LOGIN over implicit TLS", ct);
    }

    private static async Task SubmitScramAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await OverTlsAsync(world, screen, ct);
        using var scram = ScramClient.Sha256.TryStart(
            new SaslClientCredentials { User = TryWorld.User, Password = new Secret(world.Password) })
            ?? throw new TryFailure("SCRAM cannot start with this password");
        var reply = await client.SayAsync($"AUTH SCRAM-SHA-256 {Answer(scram, challenge: null)}", "334", ct);
        reply = await client.SayAsync(Answer(scram, reply), "334", ct);
        await client.SayAsync(Answer(scram, reply), "235 2.7.0", ct, shown: "(an empty line)");
        if (!scram.MayTrustSuccess)
            throw new TryFailure("the server did not prove that it knows the password");
        screen.Note("the server has proven that it knows the password too");
        await SubmitAsync(client, world, screen, "SCRAM-SHA-256 over STARTTLS", ct);
    }

    private static async Task SubmitOtherwiseAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        var device = new SaslClientCredentials
        {
            User = TryWorld.Device,
            Password = new Secret(world.DevicePassword),
            Host = "mail.example.org",
        };
        var user = new SaslClientCredentials { User = TryWorld.User, Token = new Secret(world.Issuer.TokenFor(TryWorld.User)) };
        foreach (var mechanism in (ISaslClientMechanism[])[
            ScramClient.Sha512,
            ScramClient.Sha1,
            DigestMd5Client.Instance,
            CramMd5Client.Instance,
            OAuthBearerClient.Instance,
            XOAuth2Client.Instance,
        ])
        {
            await using var client = await OverTlsAsync(world.DevicesEndpoint, screen, ct);
            var isToken = mechanism.ExposesSecret;
            using var exchange = mechanism.TryStart(isToken ? user : device) ?? throw new TryFailure($"{mechanism.Name} cannot start");
            var initial = exchange.Next(challenge: null) is SaslClientStep.Response { Data: { } data }
                ? Convert.ToBase64String(data.Span)
                : null;
            var reply = await client.SayAsync(
                $"AUTH {mechanism.Name}{(initial is null ? string.Empty : $" {initial}")}",
                isToken ? "235 2.7.0" : "334",
                ct,
                shown: isToken ? $"AUTH {mechanism.Name} (base64 of the token, not shown)" : null);
            while (reply.StartsWith("334", StringComparison.Ordinal))
                reply = await client.SayAsync(Answer(exchange, reply), string.Empty, ct);
            if (!reply.StartsWith("235 2.7.0", StringComparison.Ordinal) || !exchange.MayTrustSuccess)
                throw new TryFailure($"{mechanism.Name} came to {reply}");
            await client.SayAsync("QUIT", "221", ct);
        }
    }

    /// <param name="challenge">A reply 334; null at the start.</param>
    private static string Answer(ISaslClientExchange exchange, string? challenge)
    {
        byte[] octets = [];
        if (challenge is not null && !StrictBase64.TryDecode(Encoding.ASCII.GetBytes(challenge[4..]), out octets))
            throw new TryFailure($"the challenge is not base64: {challenge}");
        return exchange.Next(challenge is null ? null : new ReadOnlyMemory<byte>(octets)) switch
        {
            SaslClientStep.Response { Data: { } data } => Convert.ToBase64String(data.Span),
            SaslClientStep.Cancel(var reason) => throw new TryFailure(reason),
            _ => throw new TryFailure("the mechanism has nothing to say"),
        };
    }

    private static async Task WrongPasswordAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await OverTlsAsync(world, screen, ct);
        await LoginPlainAsync(client, "not the password", "535 5.7.8", ct);
        await LoginPlainAsync(client, world.Password, "235 2.7.0", ct);
        await client.SayAsync("QUIT", "221", ct);
    }

    private static async Task AuthInClearAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await TryDialogue.ConnectAsync(world.Submission, screen, implicitTls: false, ct);
        await client.SayAsync("EHLO laptop.example.org", "250", ct);
        await client.SayAsync("AUTH PLAIN", "504 5.5.4", ct);
        await client.SayAsync("QUIT", "221", ct);
    }

    private static async Task NoLoginAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await OverTlsAsync(world, screen, ct);
        await client.SayAsync("MAIL FROM:<someone@example.com>", "250", ct);
        await client.SayAsync($"RCPT TO:<{Recipient}>", "530 5.7.0", ct);
        await client.SayAsync("QUIT", "221", ct);
    }

    private static async Task ForeignSenderAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        await using var client = await OverTlsAsync(world, screen, ct);
        await LoginPlainAsync(client, world.Password, "235 2.7.0", ct);
        await client.SayAsync("MAIL FROM:<homer@example.org>", "55", ct);
        await client.SayAsync("QUIT", "221", ct);
    }

    private static async Task NoPermissionAsync(TryWorld world, TryScreen screen, CancellationToken ct)
    {
        string reply;
        await using (var client = await TryDialogue.ConnectAsync(world.InboundEndpoint, screen, implicitTls: false, ct))
        {
            await client.SayAsync("EHLO stranger.example.com", "250", ct);
            await client.SayAsync("MAIL FROM:<someone@example.com>", "250", ct);
            reply = await client.SayAsync($"RCPT TO:<{Recipient}>", "550 5.7.1", ct);
            await client.SayAsync("QUIT", "221", ct);
        }

        await ExplainAsync(reply, world, screen, ct);
    }

    /// <summary>What <c>postern explain</c> does with the reference at the end of the reply.</summary>
    private static async Task ExplainAsync(string reply, TryWorld world, TryScreen screen, CancellationToken ct)
    {
        var start = reply.LastIndexOf("(ref ", StringComparison.Ordinal);
        if (start < 0)
            throw new TryFailure($"the refusal has no reference: {reply}");
        var reference = reply[(start + "(ref ".Length)..].TrimEnd(')');
        await world.Relay.Audit.FlushAsync(ct);
        screen.Note($"postern explain {reference}");
        if (await world.Explainer.ExplainAsync(reference, ct) is not Explanation.OfReference([var decision, ..], _))
            throw new TryFailure($"nothing is known under {reference}");
        foreach (var step in decision.Chain)
            screen.Note($"   {step.Rule}: {step.Said}, it saw: {step.Saw}");
    }

    private static Task<TryDialogue> OverTlsAsync(TryWorld world, TryScreen screen, CancellationToken ct) =>
        OverTlsAsync(world.Submission, screen, ct);

    private static async Task<TryDialogue> OverTlsAsync(IPEndPoint server, TryScreen screen, CancellationToken ct)
    {
        var client = await TryDialogue.ConnectAsync(server, screen, implicitTls: false, ct);
        await client.SayAsync("EHLO laptop.example.org", "250", ct);
        await client.StartTlsAsync(ct);
        await client.SayAsync("EHLO laptop.example.org", "250", ct);
        return client;
    }

    private static Task<string> LoginPlainAsync(TryDialogue client, string password, string expected, CancellationToken ct) =>
        client.SayAsync($"AUTH PLAIN {Base64($"\0{TryWorld.User}\0{password}")}", expected, ct, shown: $"AUTH PLAIN {Hidden}");

    private static async Task SubmitAsync(TryDialogue client, TryWorld world, TryScreen screen, string subject, CancellationToken ct)
    {
        await client.SayAsync($"MAIL FROM:<{TryWorld.User}>", "250", ct);
        await client.SayAsync($"RCPT TO:<{Recipient}>", "250", ct);
        await client.SayAsync("DATA", "354", ct);
        var message = $"From: {TryWorld.User}\r\nTo: {Recipient}\r\nSubject: {subject}\r\n\r\nHello.\r\n.";
        await client.SayAsync(message, "250 2.0.0 Queued as", ct, shown: $"Subject: {subject} … and a dot");
        await client.SayAsync("QUIT", "221", ct);

        var delivered = await world.Sink.NextAsync(ct);
        if (!delivered.Contains($"Subject: {subject}\r\n", StringComparison.Ordinal)
            || !delivered.EndsWith("\r\n\r\nHello.\r\n", StringComparison.Ordinal))
            throw new TryFailure("another message was delivered than was sent");
        screen.Note("delivered to the sink, with these fields on top:");
        foreach (var line in delivered[..delivered.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n"))
            screen.Note($"   {line.Replace("\t", "    ", StringComparison.Ordinal)}");
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

/// <summary>One thing that <c>try</c> shows.</summary>
/// <param name="Title">What happens, in a sentence.</param>
/// <param name="Expected">What must come out, for the table.</param>
/// <param name="PlayAsync">Throws <see cref="TryFailure"/> when it comes out otherwise.</param>
internal sealed record TryScene(string Title, string Expected, Func<TryWorld, TryScreen, CancellationToken, Task> PlayAsync)
{
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(15);
}

/// <summary>A scene saw something other than what it expects; the message says both.</summary>
internal sealed class TryFailure : Exception
{
    public TryFailure()
    {
    }

    public TryFailure(string message)
        : base(message)
    {
    }

    public TryFailure(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
