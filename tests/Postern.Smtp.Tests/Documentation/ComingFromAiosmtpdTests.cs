using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Authentication;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

/// <summary>The code of docs/coming-from-aiosmtpd.md, as it stands there, at work.</summary>
public sealed partial class ComingFromAiosmtpdTests
{
    [Fact]
    public async Task The_code_of_the_page_is_the_code_of_these_tests()
    {
        var page = await File.ReadAllTextAsync(SourceTree.PathOf("docs/coming-from-aiosmtpd.md"));
        var here = WithoutIndents(await File.ReadAllTextAsync(ThisFile()));
        var blocks = CSharp.Matches(page);
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(WithoutIndents(block.Groups[1].Value), here));
    }

    [Fact]
    public async Task The_code_of_the_page_does_what_the_page_says()
    {
        var options = new SmtpServerOptions { Store = new MemoryStore(), Tls = new TlsOptions(TestCertificate.Instance) };
        Configure(options, new Accounts(), new Dictionary<string, string>(StringComparer.Ordinal) { ["1234"] = "lisa" });
        options.Listen(0);
        await using var server = new SmtpServer(options);
        server.Start();
        var endpoint = server.Endpoints[0].Endpoint;

        await using var client = await SmtpDialogue.GreetAsync(endpoint);
        await client.SayAsync("AUTH X-BADGE", "504 5.5.4");
        await client.StartTlsAsync();
        await client.SayAsync("AUTH LOGIN", "504 5.5.4");
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("down", "x")}", "454 4.7.0");
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("nobody", "x")}", "535 5.7.8 Authentication failed");
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("locked", "tiger")}", "535 5.7.8 Ask the help desk to unlock your account");
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("scram", "tiger")}", "534 5.7.9");
        await client.LogInAsync("lisa", "tiger");
        await client.SayAsync("MAIL FROM:<bart@example.org>", "553 5.7.1");
        await client.SayAsync("MAIL FROM:<lisa@example.org>", "250");

        await using var badge = await SmtpDialogue.GreetAsync(endpoint);
        await badge.StartTlsAsync();
        await badge.SayAsync("AUTH X-BADGE", "334 QmFkZ2U/");
        await badge.SayAsync("NDMyMQ==", "535 5.7.8 Unknown badge");
        await badge.SayAsync("AUTH X-BADGE MTIzNA==", "235");
    }

    private static void Configure(SmtpServerOptions options, Accounts accounts, IReadOnlyDictionary<string, string> holders)
    {
        options.Authenticate(async (session, mechanism, credentials, ct) =>
        {
            if (credentials is not LoginCredentials.UserPassword(var user, var password))
                return new AuthenticationResult.Refused();
            var account = await accounts.FindAsync(user, ct); // an exception here is 454, never 535
            return account is null || !account.Matches(password) ? new AuthenticationResult.Refused() { UserExists = account is not null }
                : account.IsLocked ? new AuthenticationResult.Refused("Ask the help desk to unlock your account")
                : account.WantsScram ? new AuthenticationResult.TooWeak()
                : new AuthenticationResult.Accepted(account.Name, loginData: account);
        });

        options.Policy = EnvelopePolicy.From(
            recipient: EnvelopePolicy.LoggedInOnly.OnRecipientAsync,
            sender: (session, sender, ct) => new(session.LoginData is Account account && account.Owns(sender)
                ? Verdict.Pass.Instance
                : new Verdict.Refuse(new Reply(553, new(5, 7, 1), "That address is not yours"), "own_addresses")));

        options.Mechanisms = SaslMechanisms.All.With(new BadgeMechanism(holders)).Without("LOGIN");
    }

    private static string WithoutIndents(string code) => string.Join('\n', code.Split('\n').Select(static l => l.Trim()).Where(static l => l.Length > 0));

    private static string ThisFile([CallerFilePath] string path = "") => SourceTree.PathOf("tests/Postern.Smtp.Tests/Documentation/" + Path.GetFileName(path));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CSharp { get; }

    private sealed record Account(string Name)
    {
        public bool IsLocked => Name == "locked";

        public bool WantsScram => Name == "scram";

        public bool Matches(Password password) => password.Matches("tiger");

        public bool Owns(ReversePath sender) => sender.Address == Name + "@example.org";
    }

    private sealed class Accounts
    {
        public ValueTask<Account?> FindAsync(string user, CancellationToken ct) => user switch
        {
            "down" => throw new InvalidOperationException("the database is down"),
            "nobody" => new((Account?)null),
            _ => new(new Account(user)),
        };
    }

    /// <summary>X-BADGE: the number of a badge, and nothing else.</summary>
    public sealed class BadgeMechanism(IReadOnlyDictionary<string, string> holders) : ISaslMechanism
    {
        public string Name => "X-BADGE";
        public bool ExposesSecret => true;
        public bool TakesInitialResponse => true;
        public ISaslExchange? TryStart(SaslContext context) => context.Channel is null ? null : new Exchange(holders); // TLS first

        private sealed class Exchange(IReadOnlyDictionary<string, string> holders) : ISaslExchange
        {
            public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct) => new(
                response is not { } said ? new SaslStep.Challenge("Badge?"u8.ToArray())
                : holders.TryGetValue(Encoding.UTF8.GetString(said.Span), out var user) ? new SaslStep.Success(new SaslIdentity(user, user)) { LoginData = "badge" }
                : new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "no such badge") { Text = new OutcomeText("Unknown badge") });
        }
    }
}
