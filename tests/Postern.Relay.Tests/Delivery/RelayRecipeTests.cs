using System.Text.RegularExpressions;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>The tables of docs/relay-through-….md: what a large upstream says, and what becomes of the message. Each row is tried.</summary>
public sealed partial class RelayRecipeTests
{
    public static TheoryData<string, string, string, string> Rows()
    {
        var rows = new TheoryData<string, string, string, string>();
        foreach (var file in Directory.GetFiles(SourceTree.PathOf("docs"), "relay-through-*.md").Order(StringComparer.Ordinal))
        {
            foreach (Match row in Row().Matches(File.ReadAllText(file)))
                rows.Add(Path.GetFileNameWithoutExtension(file), row.Groups["at"].Value, row.Groups["reply"].Value, row.Groups["does"].Value);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task What_an_upstream_is_documented_to_say_has_the_documented_end(string page, string at, string reply, string does)
    {
        var phase = at switch
        {
            "connect" => SinkPhase.Connect,
            "login" => SinkPhase.Auth,
            "mail" => SinkPhase.Mail,
            "rcpt" => SinkPhase.Rcpt,
            "end" => SinkPhase.EndOfData,
            _ => throw new InvalidOperationException($"{page}: no phase is called {at}"),
        };
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Certificate = TestCertificate.Instance,
            Extensions = ["PIPELINING", "AUTH PLAIN LOGIN"],
            Script = (p, _, _) => p == phase ? new SinkAction.Reply(reply) : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"smtp://localhost:{sink.Port}?tls=required")
        {
            Login = new ClientLogin(new SaslClientCredentials { User = "robot", Password = new Secret("x") }),
            Trusted = [TestCertificate.Instance],
        }));
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal(does == "fails" ? DeliveryOutcome.Failed : DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains(reply, delivery.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_page_has_its_rows() => Assert.Equal(3, Rows().Select(static row => row.Data.Item1).Distinct(StringComparer.Ordinal).Count());

    [GeneratedRegex(@"^\| (?<at>[a-z]+) \| `(?<reply>[^`]+)` \| [^|]+ \| (?<does>waits|fails)", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Row();
}
