using System.Globalization;
using Postern.Interop.Tests.Server;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Upstreams;

/// <summary>A route that logs in by GSSAPI with a keytab, at a Postern or a Postfix that takes the tickets of a real KDC.</summary>
[Collection<KerberosServers>]
public sealed class KerberosRouteTests(KerberosServer hop) : IClassFixture<KerberosServer>
{
    private const string Relay = "lisa@" + KerberosRealm.Name;

    [Fact]
    public async Task Mail_leaves_with_tickets_that_a_keytab_brings_and_the_hop_names_the_principal()
    {
        var keytab = await KeytabAsync("lisa");
        using var home = await HomeAsync($"user: {Relay}, keytab: {keytab}");
        await using var relay = await home.ServeAsync(environment: hop.Realm.Environment());

        await SubmitAsync(relay, "b@example.net");
        await relay.DrainAsync(TestContext.Current.CancellationToken);

        await hop.LoginAsync("GSSAPI", $"\"user\":\"{KerberosServer.Account}\"", "\"outcome\":\"ok\"");
        Assert.Equal(0, await relay.StopAsync());
    }

    [Fact]
    public async Task A_Postfix_with_Dovecot_takes_the_tickets()
    {
        PostfixMaster.Require();
        Assert.SkipUnless(DovecotTickets.IsHere, "dovecot-gssapi is not installed");
        var directory = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(hop.Tickets)!, "upstream"));
        await using var sink = new ScriptedSink();
        await using var dovecot = await DovecotTickets.StartAsync(directory.CreateSubdirectory("dovecot").FullName, hop.Realm);
        await using var postfix = await PostfixMaster.ListenAsync(Path.Combine(directory.FullName, "postfix"), MainFile(sink.Port, dovecot.Port), static port => $"127.0.0.1:{port} inet n - n - - smtpd\n");
        using var home = await HomeAsync($"user: {Relay}, keytab: {await KeytabAsync("lisa")}", port: postfix.Port);
        await using var relay = await home.ServeAsync(environment: hop.Realm.Environment());

        await SubmitAsync(relay, "b@example.net");

        Assert.Contains($"(Authenticated sender: {Relay})", (await sink.NextMessageAsync().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)).Text, StringComparison.Ordinal);
        Assert.Contains("sasl_method=GSSAPI", await postfix.LoggedAsync("sasl_method="), StringComparison.Ordinal);
    }

    /// <summary>They last for seconds, and a connection for one message.</summary>
    [Fact]
    public async Task Tickets_are_renewed_while_the_server_runs()
    {
        await hop.Realm.AddPrincipalAsync("-maxlife 3seconds brief", "x");
        var keytab = await KeytabAsync("brief");
        using var home = await HomeAsync($"keytab: {keytab}");
        await using var relay = await home.ServeAsync(environment: hop.Realm.Environment());
        var first = await hop.Realm.IssuedAsync("brief");

        // Each message is a login, which the hop refuses: nobody there is called so. The KDC's log tells of the tickets.
        for (var tries = 0; await hop.Realm.IssuedAsync("brief") < first + 2; tries++)
        {
            Assert.True(tries < 120, "no second ticket was asked for");
            await SubmitAsync(relay, $"b{tries}@example.net");
            (await home.RunAsync("queue", "retry", "--all")).AssertSucceeded();
            await Task.Delay(250, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("nobody", "Client 'nobody@KERBEROS.TEST' not found in Kerberos database")]
    [InlineData("changed", "Preauthentication failed")]
    [InlineData("missing key", ".keytab has no key of other@KERBEROS.TEST")]
    [InlineData("no service", "not found in Kerberos database")]
    [InlineData("no tickets", "No Kerberos credentials available")]
    public async Task Where_there_is_no_ticket_mail_waits_and_the_reason_says_why(string trouble, string reason)
    {
        var name = trouble.Split(' ')[0] + Guid.NewGuid().ToString("N")[..6];
        name = trouble == "nobody" ? "nobody" : name;
        var keytab = await KeytabAsync(name);
        if (trouble is "nobody")
            await hop.Realm.RemovePrincipalAsync(name);
        if (trouble is "changed")
            await hop.Realm.ChangeKeyAsync(name);
        var login = trouble switch
        {
            "no tickets" => "kerberos: true",
            "missing key" => $"user: other@{KerberosRealm.Name}, keytab: {keytab}",
            _ => $"user: {name}@{KerberosRealm.Name}, keytab: {keytab}",
        };
        using var home = await HomeAsync(login, host: trouble == "no service" ? "127.0.0.1" : "localhost");
        await using var relay = await home.ServeAsync(environment: hop.Realm.Environment());

        await SubmitAsync(relay, "b@example.net");

        await relay.Output.FindAsync(line => line.Contains("\"kind\":\"delivery\"", StringComparison.Ordinal) || line.Contains("deferred", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var item = Assert.Single((await home.JsonAsync("queue", "list")).GetProperty("items").EnumerateArray());
        var said = item.GetProperty("recipients")[0].GetProperty("lastReply").GetString();
        Assert.StartsWith("login by GSSAPI: Kerberos: ", said, StringComparison.Ordinal);
        Assert.Contains(reason, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_says_what_is_wrong_with_a_keytab_where_it_stands()
    {
        using var home = await HomeAsync("keytab: nowhere.keytab, password: x");

        var check = await home.RunAsync("check");

        Assert.Equal(2, check.ExitCode);
        Assert.Contains("delivery.routes[0].login.keytab: ", check.Error, StringComparison.Ordinal);
        Assert.Contains("nowhere.keytab does not exist", check.Error, StringComparison.Ordinal);
        Assert.Contains("delivery.routes[0].login.password: keytab and password exclude each other", check.Error, StringComparison.Ordinal);
    }

    private Task<PosternHome> HomeAsync(string login, string host = "localhost", int? port = null) => PosternHome.CreateAsync(
        Path.Combine(AppContext.BaseDirectory, "postern.dll"),
        PosternHome.Configuration(more: $$"""delivery: { routes: [ { to: "*", same_name: true, via: "smtp://{{host}}:{{port ?? hop.Port("plain")}}?tls=none", login: { {{login}} } } ], retry: { first: 1s, most: 2s } }"""));

    private static string MainFile(int next, int dovecot) => string.Create(CultureInfo.InvariantCulture, $"""
        myhostname = upstream.test
        relayhost = [127.0.0.1]:{next}
        smtp_tls_security_level = none
        smtpd_sasl_auth_enable = yes
        smtpd_sasl_security_options = noanonymous
        smtpd_sasl_authenticated_header = yes
        smtpd_sasl_type = dovecot
        smtpd_sasl_path = inet:127.0.0.1:{dovecot}
        smtpd_relay_restrictions = permit_sasl_authenticated, reject

        """);

    private async Task<string> KeytabAsync(string principal)
    {
        var file = Path.Combine(Path.GetDirectoryName(hop.Tickets)!, $"{Guid.NewGuid():N}.keytab");
        await hop.Realm.AddToKeytabAsync(principal, file);
        return file;
    }

    private static async Task SubmitAsync(PosternProcess relay, string to)
    {
        await using var dialogue = await SmtpDialogue.GreetAsync(relay["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        await dialogue.SendAsync(PosternHome.User, to, "Subject: ticket\r\n\r\nx\r\n");
    }
}
