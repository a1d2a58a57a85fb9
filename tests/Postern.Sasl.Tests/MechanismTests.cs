using System.Text;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Tests;

public sealed class MechanismTests
{
    private static readonly SaslContext Context = new() { Passwords = new OnePassword(), Grants = new OnePassword() };

    [Fact]
    public void Every_mechanism_has_its_line_in_the_list()
    {
        var types = typeof(ISaslMechanism).Assembly.GetTypes().Where(static t => t.IsClass && t.IsAssignableTo(typeof(ISaslMechanism)));
        foreach (var type in types)
            Assert.True(SaslMechanisms.All.Any(m => m.GetType() == type), $"{type.Name} has no line in SaslMechanisms.All");
    }

    [Fact]
    public void Without_a_verifier_nothing_can_start() => Assert.All(SaslMechanisms.All, static m => Assert.Null(m.TryStart(new SaslContext())));

    [Fact]
    public async Task Plain_logs_in_with_rfc_4616_messages()
    {
        Assert.Equal(new SaslIdentity("tim", "tim"), await SuccessAsync("\0tim\0tanstaaftanstaaf"));
        Assert.Equal(new SaslIdentity("tim", "tim"), await SuccessAsync("tim\0tim\0tanstaaftanstaaf"));
        Assert.Equal(new SaslIdentity("tim", "Ursel"), await SuccessAsync("Ursel\0tim\0tanstaaftanstaaf"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("tim")]
    [InlineData("tim\0tanstaaftanstaaf")]
    [InlineData("\0tim\0tanstaaf\0tanstaaf")]
    [InlineData("\0\0\0\0")]
    public async Task Plain_needs_exactly_two_nuls(string message) => Assert.Equal(SaslError.Malformed, (await FailureAsync(message)).Error);

    [Theory]
    [InlineData("\0tim\0wrong")]
    [InlineData("\0nobody\0tanstaaftanstaaf")]
    [InlineData("\0\0tanstaaftanstaaf")]
    [InlineData("\0tim\0")]
    [InlineData("admin\0tim\0tanstaaftanstaaf")]
    [InlineData("\0ti\rm\0tanstaaftanstaaf")]
    public async Task Plain_tells_no_difference_between_the_ways_to_fail(string message) =>
        Assert.Equal(SaslError.BadCredentials, (await FailureAsync(message)).Error);

    [Fact]
    public async Task Every_octet_in_a_user_name_is_survived()
    {
        for (var octet = 1; octet < 256; octet++)
        {
            byte[] message = [0, (byte)octet, 0, (byte)'p'];
            Assert.IsType<SaslStep.Failure>(await PlainMechanism.Instance.TryStart(Context)!.NextAsync(message, CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_store_that_cannot_answer_is_temporary() =>
        Assert.Equal(SaslError.TemporaryFailure, (await FailureAsync("\0down\0x")).Error);

    [Fact]
    public async Task Login_asks_twice_and_takes_the_user_at_once()
    {
        var exchange = LoginMechanism.Instance.TryStart(Context)!;
        Assert.Equal("Username:", Text(await exchange.NextAsync(null, CancellationToken.None)));
        Assert.Equal("Password:", Text(await exchange.NextAsync("tim"u8.ToArray(), CancellationToken.None)));
        Assert.IsType<SaslStep.Success>(await exchange.NextAsync("tanstaaftanstaaf"u8.ToArray(), CancellationToken.None));

        var short1 = LoginMechanism.Instance.TryStart(Context)!;
        Assert.Equal("Password:", Text(await short1.NextAsync("tim"u8.ToArray(), CancellationToken.None)));
    }

    private static string Text(SaslStep step) => Encoding.ASCII.GetString(Assert.IsType<SaslStep.Challenge>(step).Data.Span);

    private static async Task<SaslIdentity> SuccessAsync(string message) => Assert.IsType<SaslStep.Success>(await PlainAsync(message)).Identity;

    private static async Task<SaslStep.Failure> FailureAsync(string message) => Assert.IsType<SaslStep.Failure>(await PlainAsync(message));

    private static async Task<SaslStep> PlainAsync(string message) =>
        await PlainMechanism.Instance.TryStart(Context)!.NextAsync(Encoding.UTF8.GetBytes(message), CancellationToken.None);

    private sealed class OnePassword : IPasswordVerifier, IAuthorizationGrants
    {
        public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) =>
            new(user == "down" ? new LoginAnswer.Unavailable("down")
                : user == "tim" && password.Span.SequenceEqual("tanstaaftanstaaf"u8) ? new LoginAnswer.Match("tim")
                : new LoginAnswer.NoMatch("wrong", UserExists: user == "tim"));

        public ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct) =>
            new(authorizationId == "Ursel" ? new LoginAnswer.Match(authorizationId) : new LoginAnswer.NoMatch("no grant", UserExists: false));
    }
}
