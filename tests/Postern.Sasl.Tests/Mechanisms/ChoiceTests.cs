using Postern.Sasl.Client;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>What the lists promise: names, order, what may be shown to whom.</summary>
public sealed class ChoiceTests
{
    private static readonly string[] Exposing = ["OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"];
    private static readonly string[] ServerFirst = ["DIGEST-MD5", "CRAM-MD5"];
    private static readonly string[] OptIn = ["DIGEST-MD5", "CRAM-MD5", "ANONYMOUS"];

    private static readonly string[] InOrder =
    [
        "EXTERNAL", "GSSAPI", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2",
        "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", "ANONYMOUS",
    ];

    private static SaslClientCredentials Everything { get; } = new()
    {
        User = "lisa", Password = new Secret("pencil"), Token = new Secret("token"), HasClientCertificate = true, Channel = FixedChannel.Of(), Host = "mail.example.org",
    };

    [Fact]
    public void The_facts_of_each_mechanism_are_these()
    {
        Assert.Equal(InOrder, SaslMechanisms.All.Select(static m => m.Name));
        Assert.Equal(Exposing, SaslMechanisms.All.Where(static m => m.ExposesSecret).Select(static m => m.Name));
        Assert.Equal(Exposing, SaslClientMechanisms.All.Where(static m => m.ExposesSecret).Select(static m => m.Name));
        Assert.Equal(ServerFirst, SaslMechanisms.All.Where(static m => !m.TakesInitialResponse).Select(static m => m.Name));
        Assert.Equal(OptIn, SaslMechanisms.All.Where(static m => m.IsOptIn).Select(static m => m.Name));
        Assert.All(InOrder, static name => Assert.Matches("^[A-Z0-9_-]{1,20}$", name));
    }

    [Fact]
    public void The_client_goes_down_the_list_as_the_server_offers_less()
    {
        var offered = InOrder.ToList();
        foreach (var name in InOrder.Where(static n => n is not ("GSSAPI" or "ANONYMOUS")))
        {
            Assert.Equal(name, Choose(offered, isVerified: true));
            offered.Remove(name);
        }

        Assert.Null(Choose(offered, isVerified: true));
        Assert.Equal("ANONYMOUS", Choose(offered, isVerified: false, "anonymous"));
    }

    [Fact]
    public void An_unverified_server_is_shown_no_secret_and_names_compare_without_case()
    {
        Assert.Null(Choose(Exposing, isVerified: false));
        Assert.Equal("CRAM-MD5", Choose(["plain", "cram-md5"], isVerified: false));
        Assert.Equal("PLAIN", Choose(["plain", "cram-md5"], isVerified: true, "plain", "login"));
        Assert.Null(Choose(["cram-md5"], isVerified: true, "plain", "login"));
        Assert.Null(Choose([], isVerified: true));
    }

    [Fact]
    public void What_the_credentials_lack_is_not_chosen()
    {
        var password = new SaslClientCredentials { User = "lisa", Password = new Secret("pencil") };
        Assert.Equal("SCRAM-SHA-512", SaslClientMechanisms.Choose(InOrder, password, isVerified: true)!.Value.Mechanism.Name);
        Assert.Equal("PLAIN", SaslClientMechanisms.Choose(["CRAM-MD5", "LOGIN", "PLAIN"], password with { AuthorizationId = "shared" }, isVerified: true)!.Value.Mechanism.Name);
        Assert.Null(SaslClientMechanisms.Choose(InOrder, new SaslClientCredentials(), isVerified: true));
        Assert.Null(GssapiClient.Instance.TryStart(new SaslClientCredentials { Kerberos = new("lisa", "pencil") }));
        Assert.Null(GssapiClient.Instance.TryStart(new SaslClientCredentials { Host = "mail.example.org" }));
    }

    [Fact]
    public void A_channel_has_the_bindings_it_was_given()
    {
        var channel = FixedChannel.Of("1");
        Assert.True(channel.TryGet(ChannelBindingType.TlsServerEndPoint, out var data));
        Assert.Equal("1"u8.ToArray(), data.ToArray());
        Assert.False(channel.TryGet(ChannelBindingType.TlsUnique, out _));
        Assert.False(channel.TiesTheConnection);
        Assert.True(FixedChannel.Of(ChannelBindingType.TlsExporter).TiesTheConnection);
        Assert.False(new ChannelBindings(ChannelBindingType.All, static _ => null).TryGet(ChannelBindingType.TlsExporter, out _));
    }

    [Theory]
    [InlineData("tls-exporter", true)]
    [InlineData("tls-unique", true)]
    [InlineData("tls-server-end-point", false)]
    public void A_type_of_binding_is_found_by_its_registered_name_alone(string name, bool isOfConnection)
    {
        Assert.Equal(isOfConnection, ChannelBindingType.Find(name)!.IsOfConnection);
        Assert.Null(ChannelBindingType.Find(name.ToUpperInvariant()));
        Assert.Null(ChannelBindingType.Find(name + " "));
    }

    [Fact]
    public void Generated_secrets_are_seven_groups_of_four()
    {
        var secret = Secret.Generate();
        Assert.Matches("^([0-9a-hjkmnp-tv-z]{4}-){6}[0-9a-hjkmnp-tv-z]{4}$", secret.Reveal());
        Assert.NotEqual(secret.Reveal(), Secret.Generate().Reveal());
        Assert.Equal("***", secret.ToString());
    }

    private static string? Choose(IReadOnlyCollection<string> offered, bool isVerified, params string[] allowed) =>
        SaslClientMechanisms.Choose(offered, Everything, isVerified, allowed.Length == 0 ? null : allowed)?.Mechanism.Name;
}
