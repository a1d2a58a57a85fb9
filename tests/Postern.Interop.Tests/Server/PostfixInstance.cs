using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>
/// A Postfix of our own, in the foreground, that hands everything to the server as its relay host. Its configuration, queue and log
/// are in a temporary directory; <c>/etc/postfix</c> is not read. The recipient's domain chooses TLS and mechanism.
/// </summary>
public sealed class PostfixInstance : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly RunningProgram master;
    private readonly string configuration;

    private PostfixInstance(RunningProgram master, string configuration)
    {
        this.master = master;
        this.configuration = configuration;
    }

    public static async Task<PostfixInstance> StartAsync(PosternServer server, string password)
    {
        var directory = server.NewDirectory();
        var config = Path.Combine(directory, "etc");
        foreach (var name in (string[])["etc", "spool", "data"])
            Directory.CreateDirectory(Path.Combine(directory, name));
        await File.WriteAllTextAsync(Path.Combine(config, "main.cf"), MainFile(server, directory));
        await File.WriteAllTextAsync(Path.Combine(config, "master.cf"), MasterFile());
        await File.WriteAllTextAsync(Path.Combine(config, "dynamicmaps.cf"), string.Empty);
        (await RunningProgram.RunAsync(["chown", "postfix", Path.Combine(directory, "data")])).AssertSucceeded();
        // The directory above belongs to the tests' user alone; Postfix's processes must pass through it.
        for (var parent = directory; parent.Length > Path.GetTempPath().Length; parent = Path.GetDirectoryName(parent)!)
            File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var instance = new PostfixInstance(RunningProgram.Start([Peer.Require("postfix"), "-c", config, "start-fg"]), config);
        await instance.SetPasswordAsync(password);
        await instance.LoggedAsync("daemon started");
        return instance;
    }

    /// <summary>Takes effect with the next delivery.</summary>
    public Task SetPasswordAsync(string password) =>
        File.WriteAllTextAsync(Path.Combine(configuration, "passwords"), $"127.0.0.1 {PosternServer.User}:{password}\n");

    public async Task SubmitAsync(SampleMessage message) =>
        (await RunningProgram.RunAsync(
            [Peer.Require("sendmail"), "-C", configuration, "-i", "-f", PosternServer.Sender, "--", message.Recipient], input: message.LfText)).AssertSucceeded();

    /// <summary>Tries everything in the queue now, with newly started delivery agents.</summary>
    public async Task RetryAsync()
    {
        (await RunAsync("postfix", "reload")).AssertSucceeded();
        (await RunAsync("postqueue", "-f")).AssertSucceeded();
    }

    /// <summary>The first log line with this text, past or to come.</summary>
    public Task<string> LoggedAsync(string text) =>
        master.Output.FindAsync(line => line.Contains(text, StringComparison.Ordinal)).WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("postfix", "stop");
        await master.WaitAsync(Patience);
        await master.DisposeAsync();
    }

    private Task<ProgramResult> RunAsync(string program, string argument) =>
        RunningProgram.RunAsync([Peer.Require(program), "-c", configuration, argument]);

    private static string MainFile(PosternServer server, string directory) => $$"""
        compatibility_level = 3.6
        queue_directory = {{directory}}/spool
        data_directory = {{directory}}/data
        command_directory = /usr/sbin
        daemon_directory = /usr/lib/postfix/sbin
        meta_directory = /etc/postfix
        maillog_file = /dev/stdout
        mail_owner = postfix
        setgid_group = postdrop
        myhostname = client.test
        mydestination =
        local_recipient_maps =
        local_transport = error:no local mail
        alias_maps =
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
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

    /// <summary>No service listens on a network; delivery agents in three ways.</summary>
    private static string MasterFile() => """
        pickup    unix  n       -       n       60      1       pickup
        cleanup   unix  n       -       n       -       0       cleanup
        qmgr      unix  n       -       n       300     1       qmgr
        tlsmgr    unix  -       -       n       1000?   1       tlsmgr
        rewrite   unix  -       -       n       -       -       trivial-rewrite
        bounce    unix  -       -       n       -       0       bounce
        defer     unix  -       -       n       -       0       bounce
        trace     unix  -       -       n       -       0       bounce
        verify    unix  -       -       n       -       1       verify
        flush     unix  n       -       n       1000?   0       flush
        proxymap  unix  -       -       n       -       -       proxymap
        smtp      unix  -       -       n       -       -       smtp
        login     unix  -       -       n       -       -       smtp -o smtp_sasl_mechanism_filter=login
        implicit  unix  -       -       n       -       -       smtp -o smtp_tls_wrappermode=yes
        showq     unix  n       -       n       -       -       showq
        error     unix  -       -       n       -       -       error
        retry     unix  -       -       n       -       -       error
        discard   unix  -       -       n       -       -       discard
        anvil     unix  -       -       n       -       1       anvil
        scache    unix  -       -       n       -       1       scache
        postlog   unix-dgram n  -       n       -       1       postlogd

        """;
}
