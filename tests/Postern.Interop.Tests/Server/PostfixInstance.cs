using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A Postfix that hands everything to the server as its relay host. The recipient's domain chooses TLS and mechanism.</summary>
public sealed class PostfixInstance : IAsyncDisposable
{
    private static readonly TimeSpan FlushAgain = TimeSpan.FromSeconds(3);

    private readonly PostfixMaster master;

    private PostfixInstance(PostfixMaster master) => this.master = master;

    public static async Task<PostfixInstance> StartAsync(PosternServer server, string password)
    {
        var directory = server.NewDirectory();
        var instance = new PostfixInstance(await PostfixMaster.StartAsync(directory, MainFile(server, directory), Services));
        await instance.SetPasswordAsync(password);
        return instance;
    }

    /// <summary>Takes effect with the next delivery.</summary>
    public Task SetPasswordAsync(string password) =>
        File.WriteAllTextAsync(Path.Combine(master.Configuration, "passwords"), $"127.0.0.1 {PosternServer.User}:{password}\n");

    public async Task SubmitAsync(SampleMessage message) =>
        (await RunningProgram.RunAsync(
            [Peer.Require("sendmail"), "-C", master.Configuration, "-i", "-f", PosternServer.Sender, "--", message.Recipient], input: message.LfText)).AssertSucceeded();

    /// <summary>
    /// Tries everything in the queue with newly started delivery agents, until <paramref name="arrival"/> is there. A flush that reaches a queue manager which is
    /// about to be restarted by the reload is lost, and nothing tells: so it is asked for again.
    /// </summary>
    public async Task<T> RetryAsync<T>(Task<T> arrival)
    {
        (await master.RunAsync("postfix", "reload")).AssertSucceeded();
        do
            (await master.RunAsync("postqueue", "-f")).AssertSucceeded();
        while (await Task.WhenAny(arrival, Task.Delay(FlushAgain)) != arrival);
        return await arrival;
    }

    /// <summary>The first log line with this text, past or to come.</summary>
    public Task<string> LoggedAsync(string text) => master.LoggedAsync(text);

    public ValueTask DisposeAsync() => master.DisposeAsync();

    private static string MainFile(PosternServer server, string directory) => $$"""
        myhostname = client.test
        relayhost = [127.0.0.1]:{{server.Port(Way.StartTls)}}
        transport_maps = inline:{
          { implicit.sink.test = implicit:[127.0.0.1]:{{server.Port(Way.Implicit)}} }
          { login.sink.test = login:[127.0.0.1]:{{server.Port(Way.StartTls)}} } }
        smtp_tls_security_level = encrypt
        smtp_tls_CAfile = {{server.CertificateFile}}
        smtp_sasl_auth_enable = yes
        smtp_send_xforward_command = yes
        smtp_sasl_password_maps = texthash:{{directory}}/etc/passwords
        smtp_sasl_security_options = noanonymous
        smtp_sasl_mechanism_filter = plain

        """;

    /// <summary>Delivery agents in two more ways.</summary>
    private const string Services = """
        login     unix  -       -       n       -       -       smtp -o smtp_sasl_mechanism_filter=login
        implicit  unix  -       -       n       -       -       smtp -o smtp_tls_wrappermode=yes

        """;
}
