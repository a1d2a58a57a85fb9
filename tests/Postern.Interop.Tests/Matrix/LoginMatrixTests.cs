using System.Collections.Immutable;
using Postern.Interop.Tests.Matrix.Clients;
using Postern.Testing;

namespace Postern.Interop.Tests.Matrix;

/// <summary>Every mechanism, every client that speaks it, every case of <see cref="MatrixTable"/>: the reply to the letter, and the line of the log.</summary>
public sealed class LoginMatrixTests(MatrixServer server) : IClassFixture<MatrixServer>
{
    /// <summary>Of one address the server checks no more passwords at a time.</summary>
    private const int ClientsAtOnce = 2;

    /// <summary>No base64, and then octets that are no text.</summary>
    private static readonly string[] Garbage = ["%%%", Convert.ToBase64String([0xff, 0, 0xfe])];

    public static TheoryData<string, Case> Cases()
    {
        var cases = new TheoryData<string, Case>();
        foreach (var mechanism in MatrixTable.Mechanisms)
        {
            foreach (var @case in Enum.GetValues<Case>().Where(c => MatrixTable.Has(mechanism, c)))
                cases.Add(mechanism, @case);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_client_is_answered_as_it_must_be_and_the_log_says_so(string mechanism, Case @case)
    {
        var before = server.CountLogins(mechanism);
        var (expected, missing) = @case switch
        {
            Case.Right => await EachClientAsync(mechanism, server.Right, Login.Taken, static row => Ok(row)),
            Case.Wrong => await EachClientAsync(mechanism, server.Wrong, Login.Refused, static row => new(Login.TakesToken(row.Mechanism) ? AuditedLogin.Masked : row.Kept.User, "failed", WhyWrong(row))),
            Case.Unknown => await EachClientAsync(mechanism, server.Unknown, Login.Refused, static row => new(AuditedLogin.Masked, "failed", WhyUnknown(row))),
            Case.Cancelled => await EachStepAsync(mechanism, ["*"], Login.Cancelled),
            Case.Malformed => await EachStepAsync(mechanism, Garbage, Login.Malformed),
            _ => await SecondTriesAsync(mechanism),
        };

        var audited = await server.LoginsAsync(mechanism, before, expected.Count);
        Assert.Equal(InOrder(expected), InOrder(audited));
        server.AssertSaidNoSecret();
        Assert.SkipWhen(missing.Count > 0, $"not installed: {string.Join(", ", missing)}");
    }

    private async Task<(List<AuditedLogin> Expected, SortedSet<string> Missing)> EachClientAsync(
        string mechanism, Func<MatrixRow, Login> login, string reply, Func<MatrixRow, AuditedLogin> audited)
    {
        var expected = new List<AuditedLogin>();
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        var runs = new List<(MatrixRow Row, LoginClient Client)>();
        foreach (var row in MatrixTable.Of(mechanism))
        {
            foreach (var client in row.Clients.Where(client => reply == Login.Taken || client.RefusalsBy(mechanism) > 0))
            {
                if (client.Missing is { } program)
                    missing.Add(program);
                else
                    runs.Add((row, client));
            }
        }

        using var places = new SemaphoreSlim(ClientsAtOnce);
        var replies = await Task.WhenAll(runs.Select(run => InTurnAsync(places, run.Client, login(run.Row))));
        Assert.Equal(runs.Select(run => $"{run.Client.Name}, {run.Row.Kept.Name}: {reply}"), runs.Zip(replies, static (run, said) => $"{run.Client.Name}, {run.Row.Kept.Name}: {said}"));
        expected.AddRange(runs.SelectMany(run => Enumerable.Repeat(audited(run.Row), reply == Login.Taken ? 1 : run.Client.RefusalsBy(mechanism))));

        // Also keeps the failures of one case from counting against the next.
        var last = MatrixTable.Of(mechanism).First();
        Assert.Equal(Login.Taken, await LibraryClient.Instance.LogInAsync(server, server.Right(last)));
        expected.Add(Ok(last));
        return (expected, missing);
    }

    private async Task<string> InTurnAsync(SemaphoreSlim places, LoginClient client, Login login)
    {
        await places.WaitAsync();
        try
        {
            return await client.LogInAsync(server, login);
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>Says each of <paramref name="lines"/> in place of each response, and logs in behind it.</summary>
    private async Task<(List<AuditedLogin> Expected, SortedSet<string> Missing)> EachStepAsync(string mechanism, string[] lines, string reply)
    {
        var expected = new List<AuditedLogin>();
        foreach (var row in MatrixTable.Of(mechanism))
        {
            var login = server.Right(row);
            foreach (var line in lines)
            {
                for (var step = 0; ; step++)
                {
                    // LOGIN takes every text for a name.
                    if (mechanism == "LOGIN" && line == Garbage[1])
                        break;
                    await using var dialogue = await server.ConnectAsync(mechanism);
                    var (said, responses) = await dialogue.LogInAsync(mechanism, server.Credentials(login), i => i == step ? line : null);
                    if (responses <= step)
                    {
                        Assert.Equal(Login.Taken, said);
                        expected.Add(Ok(row));
                        break;
                    }

                    Assert.StartsWith(reply, said, StringComparison.Ordinal);
                    await dialogue.SayAsync("NOOP", "250");
                    Assert.Equal(Login.Taken, (await dialogue.LogInAsync(mechanism, server.Credentials(login))).Reply);
                    expected.Add(line == "*" ? new(User: null, "cancelled", "cancelled by the client") : new(User: null, "malformed", string.Empty));
                    expected.Add(Ok(row));
                }
            }
        }

        return (expected, []);
    }

    private async Task<(List<AuditedLogin> Expected, SortedSet<string> Missing)> SecondTriesAsync(string mechanism)
    {
        var expected = new List<AuditedLogin>();
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var row in MatrixTable.Of(mechanism))
        {
            await using var dialogue = await server.ConnectAsync(mechanism);
            Assert.Equal(Login.Refused, (await dialogue.LogInAsync(mechanism, server.Credentials(server.Wrong(row)))).Reply);
            Assert.Equal(Login.Taken, (await dialogue.LogInAsync(mechanism, server.Credentials(server.Right(row)))).Reply);
            ExpectBoth(row);
            if (!row.Clients.Contains(SmtplibClient.Instance))
                continue;
            if (SmtplibClient.Instance.Missing is { } program)
            {
                missing.Add(program);
                continue;
            }

            var right = server.Right(row);
            Assert.Equal([Login.Refused, Login.Taken], await SmtplibClient.Instance.LogInAsync(server, right, server.Wrong(row).Secret, right.Secret));
            ExpectBoth(row);
        }

        return (expected, missing);

        void ExpectBoth(MatrixRow row)
        {
            expected.Add(new(Login.TakesToken(mechanism) ? AuditedLogin.Masked : row.Kept.User, "failed", WhyWrong(row)));
            expected.Add(new(row.Kept.User, "ok", "ok"));
        }
    }

    /// <summary>ANONYMOUS succeeds, and is no login.</summary>
    private static AuditedLogin Ok(MatrixRow row) => new(UserOf(row), row.Mechanism == "ANONYMOUS" ? "anonymous" : "ok", "ok");

    private static string UserOf(MatrixRow row) => row.Mechanism == "ANONYMOUS" ? "(anonymous)" : row.Kept.User;

    private static string WhyWrong(MatrixRow row) =>
        !Login.TakesToken(row.Mechanism) ? "wrong password" : row.Kept == Kept.TokenAsked ? "the issuer says that the token is not active" : "the token's signature is wrong";

    private static string WhyUnknown(MatrixRow row) => Login.TakesToken(row.Mechanism) ? "the token is good, but its user may not log in: unknown user" : "unknown user";

    /// <summary>Clients run side by side. What exactly was malformed is the mechanism's own affair.</summary>
    private static ImmutableArray<string> InOrder(IEnumerable<AuditedLogin> logins) =>
        [.. logins.Select(static login => login.Outcome == "malformed" ? "malformed" : $"{login.User}: {login.Outcome}: {login.Reason}").Order(StringComparer.Ordinal)];
}
