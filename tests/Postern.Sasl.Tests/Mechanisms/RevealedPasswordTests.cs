using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>PLAIN (RFC 4616) and LOGIN: every field at its border, and what an operator reads of a failure.</summary>
public sealed class RevealedPasswordTests
{
    [Theory]
    [InlineData("", "no NUL in the message")]
    [InlineData("lisa", "no NUL in the message")]
    [InlineData("lisa\0pencil", "one NUL in the message, two needed")]
    [InlineData("\0lisa\0pencil\0", "more than two NULs in the message")]
    [InlineData("\0lisa\0pen\0cil", "more than two NULs in the message")]
    public async Task Plain_has_two_nuls(string message, string reason) =>
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, reason), await ServerOf("PLAIN").FailAsync(message));

    [Theory]
    [InlineData("\0\0pencil", null, "the user name is empty or not a name")]
    [InlineData("\0\u0007\0pencil", null, "the user name is empty or not a name")]
    [InlineData("\0lis\u00e9\0pencil", null, "the user name is empty or not a name")]
    [InlineData("\u0007\0lisa\0pencil", "lisa", "the authorization identity is not a name")]
    [InlineData("\u00e9\0lisa\0pencil", "lisa", "the authorization identity is not a name")]
    [InlineData("\0lisa\0", "lisa", "the password is empty, too long, or not text")]
    [InlineData("\0lisa\0p\u00e9ncil", "lisa", "the password is empty, too long, or not text")]
    public async Task Plain_fields_are_text(string message, string? claimed, string reason) =>
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, claimed, reason), await ServerOf("PLAIN").FailAsync(message));

    [Theory]
    [InlineData("\0lisa\0wrong", "lisa", "no", true)]
    [InlineData("\0lisa\0pencil\u0007", "lisa", "no", true)]
    [InlineData("\0lisa\0pencil ", "lisa", "no", true)]
    [InlineData("\0nobody\0pencil", "nobody", "no", false)]
    [InlineData("bart\0lisa\0pencil", "lisa", "the user proved itself, but may not act as the authorization identity it asked for: no grant", true)]
    public async Task Only_the_audit_trail_tells_the_ways_to_fail_apart(string message, string claimed, string reason, bool exists) =>
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, claimed, reason, exists), await ServerOf("PLAIN").FailAsync(message));

    [Theory]
    [InlineData("\0lisa\0pencil", "lisa")]
    [InlineData("lisa\0lisa\0pencil", "lisa")]
    [InlineData("shared\0lisa\0pencil", "shared")]
    [InlineData("sha\u00c2\u00adred\0li\u00c2\u00adsa\0pencil", "shared")]
    public async Task Plain_logs_in_whom_it_may(string message, string actsAs)
    {
        var server = ServerOf("PLAIN");
        Assert.Equal("", await server.AskAsync(null));
        Assert.Equal(new SaslIdentity("lisa", actsAs), (await server.SucceedAsync(message)).Identity);
    }

    [Fact]
    public async Task Each_field_has_1020_octets_at_the_most()
    {
        var context = new SaslContext { Passwords = new Anybody(), Grants = new TestUsers() };
        await ServerOf("PLAIN", context).SucceedAsync($"\0{new string('u', 1020)}\0p");
        await ServerOf("PLAIN", context).SucceedAsync($"\0u\0{new string('p', 1020)}");
        await ServerOf("PLAIN", context).SucceedAsync($"{new string('u', 1020)}\0{new string('u', 1020)}\0p");
        foreach (var message in new[] { $"\0{new string('u', 1021)}\0p", $"\0u\0{new string('p', 1021)}", $"{new string('u', 1021)}\0u\0p" })
            Assert.Equal(SaslError.BadCredentials, (await ServerOf("PLAIN", context).FailAsync(message)).Error);
    }

    [Theory]
    [InlineData("PLAIN", "\0down\0pencil", null)]
    [InlineData("LOGIN", "down", "pencil")]
    public async Task A_store_that_is_down_is_temporary(string name, string first, string? second)
    {
        var server = ServerOf(name);
        if (second is not null)
            await server.AskAsync(first);
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, "down", "down"), await server.FailAsync(second ?? first));
    }

    [Fact]
    public async Task A_store_that_gives_no_answer_lets_nobody_in()
    {
        var context = new SaslContext { Passwords = new Silent() };
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, "lisa", "the store gave no answer"), await ServerOf("PLAIN", context).FailAsync("\0lisa\0pencil"));
    }

    [Theory]
    [InlineData("lisa", "pencil", null)]
    [InlineData("lisa", "wrong", "no")]
    [InlineData("", "pencil", "the user name is empty or not a name")]
    [InlineData("\0", "pencil", "the user name is empty or not a name")]
    [InlineData("lisa", "", "the password is empty, too long, or not text")]
    [InlineData("lisa", "\0", "the password is empty, too long, or not text")]
    [InlineData("lisa", "pencil\0", "the password is empty, too long, or not text")]
    public async Task Login_takes_the_user_with_the_command_or_after_it(string user, string password, string? reason)
    {
        foreach (var isInitial in new[] { true, false })
        {
            var server = ServerOf("LOGIN");
            if (!isInitial)
                Assert.Equal("Username:", await server.AskAsync(null));
            Assert.Equal("Password:", await server.AskAsync(user));
            if (reason is null)
                Assert.Equal(new SaslIdentity("lisa", "lisa"), (await server.SucceedAsync(password)).Identity);
            else
                Assert.Equal(reason, (await server.FailAsync(password)).Reason);
        }
    }

    /// <summary>A protocol may reuse its buffer between the two responses.</summary>
    [Fact]
    public async Task Login_keeps_its_own_copy_of_the_user()
    {
        var server = ServerOf("LOGIN");
        var buffer = "lisa"u8.ToArray();
        await server.NextAsync(buffer, CancellationToken.None);
        buffer.AsSpan().Fill((byte)'x');
        await server.SucceedAsync("pencil");
    }

    [Fact]
    public async Task A_function_is_a_verifier_and_what_it_throws_is_never_a_wrong_password()
    {
        var context = new SaslContext
        {
            Passwords = PasswordVerifier.From((user, password, ct) => user == "down" ? throw new InvalidOperationException(password.Reveal()) : new(user == "lisa" && password.Matches("pencil"))),
        };
        Assert.Equal(new SaslIdentity("lisa", "lisa"), (await ServerOf("PLAIN", context).SucceedAsync("\0lisa\0pencil")).Identity);
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, "lisa", "wrong user or password"), await ServerOf("PLAIN", context).FailAsync("\0lisa\0pencils"));
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, "down", "the check threw InvalidOperationException"), await ServerOf("PLAIN", context).FailAsync("\0down\0pencil"));
    }

    [Fact]
    public async Task A_check_that_is_called_off_is_called_off_and_one_that_gives_up_is_unavailable()
    {
        using var cancellation = new CancellationTokenSource();
        var verifier = PasswordVerifier.From(static (_, _, ct) => throw new OperationCanceledException(ct));
        Assert.IsType<LoginAnswer.Unavailable>(await verifier.CheckAsync("lisa", "x"u8.ToArray(), peer: null, cancellation.Token));
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await verifier.CheckAsync("lisa", "x"u8.ToArray(), peer: null, cancellation.Token));
    }

    [Fact]
    public void Clients_prepare_their_text_and_trust_no_early_success()
    {
        var lisa = new SaslClientCredentials { User = "\u2168", Password = new Secret("p\u00ad\u00a0w"), AuthorizationId = "a\u00adb" };
        using var plain = ClientOf("PLAIN", lisa);
        Assert.False(plain.MayTrustSuccess);
        Assert.Equal("ab\0IX\0p w", plain.Say(null));
        Assert.True(plain.MayTrustSuccess);
        Assert.Equal("the server asks for more than this mechanism has", plain.Cancel(""));
        Assert.Null(LoginClient.Instance.TryStart(lisa));
        using var login = ClientOf("LOGIN", lisa with { AuthorizationId = "" });
        Assert.Null(login.Say(null));
        Assert.Equal("IX", login.Say("whatever"));
        Assert.False(login.MayTrustSuccess);
        Assert.Equal("p w", login.Say(""));
        Assert.True(login.MayTrustSuccess);
        Assert.Equal("the server asks for more than this mechanism has", login.Cancel("Password:"));
    }

    [Theory]
    [InlineData("", "pencil", "")]
    [InlineData("\u00ad", "pencil", "")]
    [InlineData("lisa", null, "")]
    [InlineData("lisa", "", "")]
    [InlineData("lisa", "\u00ad", "")]
    [InlineData("li\0sa", "pencil", "")]
    [InlineData("lisa", "pen\0cil", "")]
    [InlineData("lisa", "pencil", "\0")]
    public void Clients_do_not_begin_with_what_cannot_be_sent(string user, string? password, string actAs)
    {
        var credentials = new SaslClientCredentials { User = user, Password = password is null ? null : new Secret(password), AuthorizationId = actAs };
        foreach (var name in new[] { "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256" })
            Assert.Null(SaslClientMechanisms.All.Single(m => m.Name == name).TryStart(credentials));
    }

    private sealed class Anybody : IPasswordVerifier
    {
        public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) => new(new LoginAnswer.Match(user));
    }

    private sealed class Silent : IPasswordVerifier
    {
        public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) => new((LoginAnswer)null!);
    }
}
