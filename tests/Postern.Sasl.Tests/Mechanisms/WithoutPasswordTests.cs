using Postern.Sasl.Client;
using Postern.Sasl.Mechanisms;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>EXTERNAL (RFC 4422 appendix A) and ANONYMOUS (RFC 4505).</summary>
public sealed class WithoutPasswordTests
{
    /// <summary>RFC 4422 appendix A.4: without an identity, and with one that is not granted.</summary>
    [Fact]
    public async Task External_plays_its_rfc()
    {
        var server = ServerOf("EXTERNAL");
        Assert.Equal("", await server.AskAsync(null));
        Assert.Equal(new SaslIdentity("lisa", "lisa"), (await server.SucceedAsync("")).Identity);
        var failure = await ServerOf("EXTERNAL").FailAsync("fred@example.com");
        Assert.Equal((SaslError.BadCredentials, "lisa", true), (failure.Error, failure.ClaimedUser, failure.UserExists));
        Assert.Contains("may not act as", failure.Reason, StringComparison.Ordinal);
        Assert.Equal(new SaslIdentity("lisa", "shared"), (await ServerOf("EXTERNAL").SucceedAsync("shared")).Identity);
        Assert.Equal(new SaslIdentity("lisa", "lisa"), (await ServerOf("EXTERNAL").SucceedAsync("lisa")).Identity);
    }

    [Fact]
    public async Task External_needs_a_name_or_nothing()
    {
        foreach (var message in new[] { "\0", "\u0007", "\u00e9", new string('x', 1021) })
            Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "the authorization identity is not a name"), await ServerOf("EXTERNAL").FailAsync(message));
        Assert.Equal(SaslError.BadCredentials, (await ServerOf("EXTERNAL").FailAsync(new string('x', 1020))).Error);
        var stranger = TestUsers.Context with { External = new TestUsers { Certified = null } };
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, null, "no certificate"), await ServerOf("EXTERNAL", stranger).FailAsync("lisa"));
    }

    [Fact]
    public void External_client_needs_a_certificate_and_says_whom_it_acts_for()
    {
        var certified = new SaslClientCredentials { HasClientCertificate = true };
        using var client = ClientOf("EXTERNAL", certified with { AuthorizationId = "\u00e9" });
        Assert.False(client.MayTrustSuccess);
        Assert.Equal(Utf8("\u00e9"), client.Say(null));
        Assert.True(client.MayTrustSuccess);
        Assert.Equal("", ClientOf("EXTERNAL", certified).Say(null));
        Assert.Null(ExternalClient.Instance.TryStart(new SaslClientCredentials { User = "lisa", Password = new Secret("pencil") }));
    }

    /// <summary>RFC 4505 §3: <c>c2lyaGM=</c>, and the limits of a trace.</summary>
    [Fact]
    public async Task Anonymous_plays_its_rfc()
    {
        Assert.True(StrictBase64.TryDecode("c2lyaGM="u8, out var trace));
        var server = ServerOf("ANONYMOUS");
        Assert.Equal("", await server.AskAsync(null));
        Assert.Equal(new SaslIdentity(AnonymousMechanism.User, AnonymousMechanism.User), (await server.SucceedAsync(Text(trace))).Identity);
        await ServerOf("ANONYMOUS").SucceedAsync("");
        await ServerOf("ANONYMOUS").SucceedAsync(new string('x', 255));
        await ServerOf("ANONYMOUS").SucceedAsync(Utf8(string.Concat(Enumerable.Repeat("\U0001f600", 255))));
        foreach (var message in new[] { new string('x', 256), "\u00e9", "a\0", "a\n", "a\u007f" })
            Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "the trace is not a short text"), await ServerOf("ANONYMOUS").FailAsync(message));
        Assert.Equal("", ClientOf("ANONYMOUS", new SaslClientCredentials()).Say(null));
        Assert.Null(AnonymousMechanism.Instance.TryStart(TestUsers.Context with { AllowsAnonymous = false }));
    }
}
