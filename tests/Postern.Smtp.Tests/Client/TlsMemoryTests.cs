using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>What is known of certificates from other connections counts for the same certificates on the same terms, for a time, and for nothing else.</summary>
public sealed class TlsMemoryTests : IDisposable
{
    private readonly TestAuthority authority = TestAuthority.Create("Authority of the test");
    private readonly ManualClock clock = new();
    private readonly TlsMemory memory;

    public TlsMemoryTests() => memory = new TlsMemory(clock);

    public void Dispose() => authority.Dispose();

    [Fact]
    public async Task Certificates_that_were_looked_at_are_not_looked_at_again_for_five_minutes()
    {
        using var certificate = authority.IssueServer(["sink.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });

        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate])));
        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate])));
        Assert.Equal(1, memory.Judged);

        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate])));
        Assert.Equal(2, memory.Judged);
    }

    [Fact]
    public async Task Distrust_is_kept_for_a_minute_and_told_in_the_same_words()
    {
        using var certificate = authority.IssueServer(["sink.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        using var other = TestAuthority.Create("Another");

        var unremembered = await RefusalAsync(sink, Options([other.Certificate]) with { Memory = null });
        Assert.StartsWith("unknown issuer: ", unremembered, StringComparison.Ordinal);
        Assert.Equal(unremembered, await RefusalAsync(sink, Options([other.Certificate])));
        Assert.Equal(unremembered, await RefusalAsync(sink, Options([other.Certificate])));
        Assert.Equal(1, memory.Judged);

        clock.Advance(TimeSpan.FromMinutes(1));
        await RefusalAsync(sink, Options([other.Certificate]));
        Assert.Equal(2, memory.Judged);
    }

    [Fact]
    public async Task A_name_is_looked_at_each_time_and_the_chain_serves_all_names()
    {
        using var certificate = authority.IssueServer(["one.test", "two.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });

        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate], "one.test")));
        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate], "two.test")));
        Assert.StartsWith("wrong name: ", await RefusalAsync(sink, Options([authority.Certificate], "three.test")), StringComparison.Ordinal);
        Assert.Equal(1, memory.Judged);
    }

    [Fact]
    public async Task Other_roots_and_other_certificates_are_other_questions()
    {
        using var other = TestAuthority.Create("Another");
        using var certificate = authority.IssueServer(["sink.test"]);
        using var renewed = authority.IssueServer(["sink.test"]);
        using var forged = other.IssueServer(["sink.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });

        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate])));
        Assert.StartsWith("unknown issuer: ", await RefusalAsync(sink, Options([other.Certificate])), StringComparison.Ordinal);
        Assert.StartsWith("unknown issuer: ", await RefusalAsync(sink, Options(roots: null)), StringComparison.Ordinal);
        Assert.True(await IsVerifiedAsync(sink, Options([other.Certificate, authority.Certificate])));
        Assert.Equal(4, memory.Judged);
        // The same roots in another collection are the same roots.
        Assert.True(await IsVerifiedAsync(sink, Options([X509CertificateLoader.LoadCertificate(authority.Certificate.RawData)])));
        Assert.Equal(4, memory.Judged);
        sink.Options = new SinkOptions { Certificate = renewed };
        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate])));
        sink.Options = new SinkOptions { Certificate = forged };
        Assert.StartsWith("unknown issuer: ", await RefusalAsync(sink, Options([authority.Certificate])), StringComparison.Ordinal);
        Assert.Equal(6, memory.Judged);
    }

    [Fact]
    public async Task Issuers_that_were_sent_are_part_of_what_is_known()
    {
        using var below = authority.CreateIntermediate("Below");
        using var certificate = below.IssueServer(["sink.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });

        Assert.StartsWith("unknown issuer: ", await RefusalAsync(sink, Options([authority.Certificate])), StringComparison.Ordinal);
        sink.Options = new SinkOptions { Certificate = certificate, Chain = [below.Certificate] };
        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate])));
        sink.Options = new SinkOptions { Certificate = certificate };
        Assert.StartsWith("unknown issuer: ", await RefusalAsync(sink, Options([authority.Certificate])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_known_beyond_the_date_of_a_certificate()
    {
        using var certificate = authority.IssueServer(["sink.test"], validFor: TimeSpan.FromDays(3));
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        // By the clock of the client it ends in a minute and a half.
        var soon = new ManualClock(new DateTimeOffset(certificate.NotAfter.ToUniversalTime()) - TimeSpan.FromSeconds(90));
        var late = new TlsMemory(soon);

        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate]) with { Memory = late }));
        soon.Advance(TimeSpan.FromSeconds(89));
        Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate]) with { Memory = late }));
        Assert.Equal(1, late.Judged);
        soon.Advance(TimeSpan.FromSeconds(1));
        await IsVerifiedAsync(sink, Options([authority.Certificate]) with { Memory = late });
        Assert.Equal(2, late.Judged);
    }

    [Fact]
    public async Task Answers_of_equal_proofs_are_kept_and_those_of_others_are_not()
    {
        using var certificate = authority.IssueServer(["sink.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        X509Certificate2Collection roots = [authority.Certificate];

        Assert.True(await IsVerifiedAsync(sink, Options(roots, "host.test") with { Proof = new NamedServerProof(["sink.test"], roots) }));
        Assert.True(await IsVerifiedAsync(sink, Options(roots, "host.test") with { Proof = new NamedServerProof(["sink.test"], roots) }));
        Assert.Equal(1, memory.Judged);
        Assert.StartsWith("wrong name: ", await RefusalAsync(sink, Options(roots, "host.test") with { Proof = new NamedServerProof(["other.test"], roots) }), StringComparison.Ordinal);
        Assert.Equal(2, memory.Judged);
        Assert.StartsWith("wrong name: ", await RefusalAsync(sink, Options(roots, "host.test")), StringComparison.Ordinal);
        Assert.Equal(3, memory.Judged);

        var own = new CountingProof();
        Assert.True(await IsVerifiedAsync(sink, Options(roots) with { Proof = own }));
        Assert.True(await IsVerifiedAsync(sink, Options(roots) with { Proof = own }));
        Assert.Equal((2, 3), (own.Asked, memory.Judged));
    }

    [Fact]
    public async Task A_session_that_is_resumed_is_judged_by_the_certificates_of_its_first_handshake()
    {
        using var below = authority.CreateIntermediate("Below");
        using var certificate = below.IssueServer(["resumed.test"]);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate, Chain = [below.Certificate] });

        for (var i = 0; i < 3; i++)
            Assert.True(await IsVerifiedAsync(sink, Options([authority.Certificate], "resumed.test")));

        Assert.Equal(1, memory.Judged);
    }

    private SmtpClientOptions Options(X509Certificate2Collection? roots, string server = "sink.test") =>
        new() { Hostname = Domain.Parse("client.test"), ServerName = server, Tls = ClientTls.Required, TrustedRoots = roots, Memory = memory };

    private static async Task<bool> IsVerifiedAsync(ScriptedSink sink, SmtpClientOptions options)
    {
        await using var dialogue = await SinkClient.ConnectAsync(sink, options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(TestContext.Current.CancellationToken));
        await dialogue.QuitAsync(TestContext.Current.CancellationToken);
        return dialogue.IsVerified;
    }

    private static async Task<string> RefusalAsync(ScriptedSink sink, SmtpClientOptions options)
    {
        await using var dialogue = await SinkClient.ConnectAsync(sink, options);
        var broken = Assert.IsType<ClientAnswer.Broken>(await dialogue.OpenAsync(TestContext.Current.CancellationToken));
        Assert.False(dialogue.IsVerified);
        return broken.Detail;
    }

    /// <summary>A program's own: what it goes by nobody here knows.</summary>
    private sealed class CountingProof : IServerProof
    {
        public int Asked { get; private set; }

        public ServerDistrust? WhyNot(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors)
        {
            Asked++;
            return null;
        }
    }
}
