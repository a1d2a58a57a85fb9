using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Interop.Tests.Server;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Upstreams;

/// <summary><c>postern serve</c> with <c>forward_client</c>: a Postfix, and another Postern, behind it name the client in log and trace.</summary>
public sealed class ClientsNamedOnwardTests
{
    private const string Client = "192.0.2.77";
    private const string Front = """
        listeners: [ { name: front, listen: ["127.0.0.1:0"], tls: none, xclient_from: [127.0.0.1/32] } ]
        """;

    private static readonly IPAddress Proxied = IPAddress.Parse("127.0.0.2");

    [Theory]
    [InlineData("xclient", false)]
    [InlineData("xforward", false)]
    [InlineData("proxy", true)]
    [InlineData("proxy-v2", true)]
    public async Task Postfix_hears_of_the_client(string forward, bool isProxied)
    {
        PostfixMaster.Require();
        var directory = Directory.CreateTempSubdirectory("postern-named-");
        try
        {
            await using var sink = new ScriptedSink();
            await using var postfix = await PostfixMaster.ListenAsync(directory.FullName, MainFile(sink.Port), static port => string.Create(CultureInfo.InvariantCulture, $"""
                127.0.0.1:{port} inet n - n - - smtpd
                {Proxied}:{port} inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy

                """));
            using var home = Home($"smtp://{(isProxied ? Proxied : IPAddress.Loopback)}:{postfix.Port}?tls=none", forward);
            await using var postern = await home.ServeAsync();

            await SubmitAsync(postern);

            var text = (await sink.NextMessageAsync()).Text;
            if (forward == "xforward")
            {
                Assert.Contains("client=unknown[127.0.0.1]", await postfix.LoggedAsync($"orig_client=unknown[{Client}]"), StringComparison.Ordinal);
                return;
            }

            await postfix.LoggedAsync($": client=unknown[{Client}]");
            Assert.Contains($"{(forward == "xclient" ? "from far.example" : "from mail.example.org")} (unknown [{Client}])", text, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("xclient", "xclient_from")]
    [InlineData("proxy", "proxy_from")]
    [InlineData("proxy-v2", "proxy_from")]
    public async Task Another_postern_hears_of_the_client(string forward, string key)
    {
        await using var sink = new ScriptedSink();
        using var back = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), $$"""
            server: { hostname: back.example.org, data: data }
            listeners: [ { name: back, listen: ["127.0.0.1:0"], tls: none, {{key}}: [127.0.0.1/32] } ]
            domains: [example.net]
            delivery: { routes: [ { to: "*", via: "smtp://127.0.0.1:{{sink.Port}}" } ] }
            """);
        await using var behind = await back.ServeAsync();
        using var home = Home($"smtp://127.0.0.1:{behind["back"].Port}?tls=none", forward);
        await using var postern = await home.ServeAsync();

        await SubmitAsync(postern);

        Assert.Contains($"[{Client}]", (await sink.NextMessageAsync()).Text.Split("Received:")[1], StringComparison.Ordinal);
        var line = await behind.Output.FindAsync(static l => l.Contains("\"event\":\"accepted\"", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains($"\"client\":\"{Client}\"", line, StringComparison.Ordinal);
    }

    private static PosternHome Home(string via, string forward) => new(Path.Combine(AppContext.BaseDirectory, "postern.dll"), $$"""
        server: { hostname: mail.example.org, data: data }
        {{Front}}
        domains: [example.net]
        delivery: { routes: [ { to: "*", via: "{{via}}", forward_client: {{forward}} } ], retry: { first: 1s, most: 5s } }
        """);

    /// <summary>As a filter in front does, which speaks for another client.</summary>
    private static async Task SubmitAsync(PosternProcess postern)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, postern["front"].Port));
        await using var dialogue = new SmtpClientDialogue(
            new NetworkStream(socket, ownsSocket: true), new SmtpClientOptions { Hostname = Domain.Parse("filter.test"), Forward = ClientForward.XClient });
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        var message = new OutgoingMessage(new ReversePath(Mailbox.Parse("a@far.example")), [Mailbox.Parse("b@example.net")], new ByteContent(Submission.Content))
        {
            Client = new PeerClaims { Address = IPAddress.Parse(Client), Port = 4711, Helo = "far.example" },
        };
        Assert.All(await dialogue.SendAsync(message, following: null, CancellationToken.None), static answer => Assert.IsType<ClientAnswer.Accepted>(answer));
        await dialogue.QuitAsync(CancellationToken.None);
    }

    private static string MainFile(int sinkPort) => string.Create(CultureInfo.InvariantCulture, $"""
        myhostname = behind.test
        relayhost = [127.0.0.1]:{sinkPort}
        smtp_tls_security_level = none
        mynetworks = 0.0.0.0/0
        smtpd_relay_restrictions = permit_mynetworks, reject
        smtpd_authorized_xclient_hosts = 127.0.0.1
        smtpd_authorized_xforward_hosts = 127.0.0.1
        smtpd_peername_lookup = no
        smtpd_error_sleep_time = 0

        """);
}
