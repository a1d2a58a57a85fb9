using Postern.Configuration;
using Postern.Relay.Delivery.Shaping;

namespace Postern.Tests.Configuration;

/// <summary>The file that <c>delivery.shaping</c> names, and what stands in routes.</summary>
public sealed class ShapingFileTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-shaping-");

    public void Dispose() => directory.Delete(recursive: true);

    private ConfigurationOutcome Read(string shaping, string routes = "[{ to: '*', via: 'smtp://relay.example.net' }]")
    {
        File.WriteAllText(Path.Combine(directory.FullName, "shaping.yaml"), shaping);
        return ConfigurationFile.Parse("postern.yaml", directory.FullName, $"delivery:\n  shaping: shaping.yaml\n  routes: {routes}\n");
    }

    private ShapingTable Table(string shaping, string routes = "[{ to: '*', via: 'smtp://relay.example.net' }]") =>
        Assert.IsType<ConfigurationOutcome.Valid>(Read(shaping, routes)).Configuration.ToShaping();

    private static object? ValueOf(ShapingTable table, ShapingKey key, ShapingSubject subject) => ShapingTable.Find(table.For(subject), key)?.Said.Value;

    [Fact]
    public void Every_key_is_read_with_its_place()
    {
        var table = Table("""
            shipped: false
            default: { minimum_rate: 1KB/s, deadline: 10m }
            entries:
              - mx: ["*.protection.outlook.com", mx.example.org]
                connections: 10
                new_connections: 30/min
                messages: 100/min
                bytes: 50MB/1h burst 10MB
                too_much: [4.7.1, 421]
                suspend_after: 3
                suspend_for: 1h
              - domain: .Example.NET
                messages: 20/s burst 5
                messages_per_connection: 50
                recipients_per_transaction: 20
                retry_first: 5m
                greylisted: 20m
              - { tenant: acme, recipients: 5000/1h }
              - { route: "*", messages: none }
            """);
        ShapingSubject outlook = new("a.test", "a-test.mail.protection.outlook.com", Route: null);
        ShapingSubject below = new("a.example.net", Host: null, Route: null);
        Assert.Equal(10, ValueOf(table, ShapingKey.Connections, outlook));
        Assert.Equal(new Rate(30, TimeSpan.FromMinutes(1), 1), ValueOf(table, ShapingKey.NewConnections, outlook));
        Assert.Equal(new Rate(100, TimeSpan.FromMinutes(1), 100 / 60.0), ValueOf(table, ShapingKey.Messages, outlook));
        Assert.Equal(new Rate(50_000_000, TimeSpan.FromHours(1), 10_000_000), ValueOf(table, ShapingKey.Bytes, outlook));
        Assert.Equal(new Rate(20, TimeSpan.FromSeconds(1), 5), ValueOf(table, ShapingKey.Messages, below));
        Assert.Equal(TimeSpan.FromMinutes(20), ValueOf(table, ShapingKey.Greylisted, below));
        Assert.Equal(1000L, ValueOf(table, ShapingKey.MinimumRate, below));
        Assert.Null(ShapingTable.Find(table.For(below with { Domain = "example.net" }), ShapingKey.Messages));
        Assert.Equal(new Rate(5000, TimeSpan.FromHours(1), 5000 / 3600.0), ValueOf(table, ShapingKey.Recipients, below with { Tenant = "Acme" }));
        Assert.EndsWith("shaping.yaml:5", ShapingTable.Find(table.For(outlook), ShapingKey.Connections)!.Value.Said.Source, StringComparison.Ordinal);
        Assert.Equal(["*"], table.Routes);
    }

    [Theory]
    [InlineData("entries:\n  - mx: a.test\n    mesages: 1/s\n", ":3:5: entries[0].mesages: unknown key; did you mean 'messages'?")]
    [InlineData("entries:\n  - { mx: a.test, messages: fast }\n", ":2:29: entries[0].messages: 'fast' is not right here; expected a count and a time such as 100/min, 20/s burst 5 or 5000/1h, at most 31 days, or 'none' for no such limit")]
    [InlineData("entries:\n  - { mx: a.test, messages: 0/s }\n", "'0/s' is not right here")]
    [InlineData("entries:\n  - { mx: a.test, bytes: 5/century }\n", "'5/century' is not right here")]
    [InlineData("entries:\n  - { mx: a.test, minimum_rate: 5KB }\n", "'5KB' is not right here; expected a size a second")]
    [InlineData("entries:\n  - { mx: a.test, too_much: [5.7.1] }\n", "'5.7.1' is not right here; expected a reply code or an enhanced code of class 4")]
    [InlineData("entries:\n  - { domain: 'a b', messages: 1/s }\n", "'a b' is not right here; expected a domain")]
    [InlineData("entries:\n  - { messages: 1/s }\n", ":2:5: entries[0]: an entry without a condition; what is about all mail stands under 'default'")]
    [InlineData("entries:\n  - { tenant: acme, connections: 3 }\n", ":2:34: entries[0].connections: tenants share connections: this cannot be said of one; expected an entry without 'tenant'")]
    [InlineData("entries:\n  - { route: 'x', messages: 1/s }\n", "entries[0].route: there is no route 'x'; expected one of '*'")]
    [InlineData("entries: [", "not YAML")]
    public void A_mistake_is_told_with_its_place_in_that_file(string shaping, string said)
    {
        var errors = Assert.IsType<ConfigurationOutcome.Invalid>(Read(shaping)).Errors;
        Assert.Contains(errors, e => e.ToString().Contains(said, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.Equal(Path.Combine(directory.FullName, "shaping.yaml"), e.File));
    }

    [Fact]
    public void A_file_that_is_not_there_is_told_at_the_key_that_names_it()
    {
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(
            ConfigurationFile.Parse("postern.yaml", directory.FullName, "delivery:\n  shaping: nowhere.yaml\n")).Errors);
        Assert.Equal(("postern.yaml", 2, "delivery.shaping"), (error.File, error.Line, error.Key));
        Assert.Contains("nowhere.yaml: no such file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_stands_in_a_route_counts_for_it_and_makes_it_a_destination_of_its_own()
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(Read(
            "entries: [{ route: '*', messages: 5/s }]\n",
            "[{ to: '*', via: 'smtp://relay.example.net', shaping: { messages: 7/s, deadline: 2m } }, { to: other.test, via: 'smtp://relay.example.net' }]")).Configuration;
        var options = configuration.ToDelivery();
        var shaped = options.Routes.Choose(Someone, Someone.Recipients[0]).Hop;
        Assert.Equal("*", shaped!.Route);
        Assert.Equal("7/s", ShapingTable.Find(options.Shaping.For(new(Domain: null, "relay.example.net", "*")), ShapingKey.Messages)!.Value.Said.Text);
        Assert.Equal("postern.yaml:3", ShapingTable.Find(options.Shaping.For(new(Domain: null, Host: null, "*")), ShapingKey.Deadline)!.Value.Said.Source);
        Assert.NotEqual(shaped, options.Routes.Find(Someone, Postern.Smtp.Grammar.Mailbox.Parse("b@other.test")));
    }

    [Fact]
    public void Numbers_of_connections_are_configured_and_one_host_has_no_more_than_all()
    {
        var options = Assert.IsType<ConfigurationOutcome.Valid>(
            ConfigurationFile.Parse("postern.yaml", "/", "delivery: { connections: { per_host: 7, all: 70, tried: 700 } }\n")).Configuration.ToDelivery();
        Assert.Equal((7, 70, 700), (options.ConnectionsPerDestination, options.Connections, options.ConnectionsTried));
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(
            ConfigurationFile.Parse("postern.yaml", "/", "delivery: { connections: { per_host: 501 } }\n")).Errors);
        Assert.Equal("postern.yaml:1:38: delivery.connections.per_host: one host would have more connections than there are in all", error.ToString());
    }

    private static Postern.Relay.Envelopes.Envelope Someone => new()
    {
        Id = default,
        ArrivedAt = default,
        Said = new(Postern.Smtp.Grammar.ReversePath.Null, [Postern.Smtp.Grammar.Mailbox.Parse("b@there.test")]),
    };
}
