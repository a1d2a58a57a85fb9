using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>
/// A Postfix of our own, in the foreground. Its configuration, queue and log are in one directory; <c>/etc/postfix</c> is not read.
/// </summary>
internal sealed class PostfixMaster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly RunningProgram master;

    private PostfixMaster(RunningProgram master, string configuration, int port)
    {
        this.master = master;
        Configuration = configuration;
        Port = port;
    }

    /// <summary>The directory of its <c>main.cf</c>.</summary>
    public string Configuration { get; }

    /// <summary>Where it listens on 127.0.0.1; 0 where it does not.</summary>
    public int Port { get; }

    /// <summary>Skips the test where it cannot be had.</summary>
    public static void Require()
    {
        Peer.Require("postfix");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Postfix starts only as root");
    }

    /// <summary>One that only sends.</summary>
    public static async Task<PostfixMaster> StartAsync(string directory, string main, string services)
    {
        var configuration = await PrepareAsync(directory, main);
        await File.WriteAllTextAsync(Path.Combine(configuration, "master.cf"), Services + services);
        return await ReadyAsync(new PostfixMaster(RunningProgram.Start(Command(configuration)), configuration, port: 0));
    }

    /// <summary>One that listens.</summary>
    /// <param name="services">Lines of <c>master.cf</c> for the port that was found.</param>
    public static async Task<PostfixMaster> ListenAsync(string directory, string main, Func<int, string> services)
    {
        var configuration = await PrepareAsync(directory, main);
        var (process, port) = await ListeningProgram.StartAsync(async port =>
        {
            await File.WriteAllTextAsync(Path.Combine(configuration, "master.cf"), Services + services(port));
            return [.. Command(configuration)];
        });
        return await ReadyAsync(new PostfixMaster(process, configuration, port));
    }

    public Task<ProgramResult> RunAsync(string program, string argument) =>
        RunningProgram.RunAsync([Peer.Require(program), "-c", Configuration, argument]);

    /// <summary>The first log line with this text, past or to come.</summary>
    public Task<string> LoggedAsync(string text) =>
        master.Output.FindAsync(line => line.Contains(text, StringComparison.Ordinal)).WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("postfix", "stop");
        await master.WaitAsync(Patience);
        await master.DisposeAsync();
    }

    private static IReadOnlyList<string> Command(string configuration) => [Peer.Require("postfix"), "-c", configuration, "start-fg"];

    private static async Task<PostfixMaster> ReadyAsync(PostfixMaster postfix)
    {
        await postfix.LoggedAsync("daemon started");
        return postfix;
    }

    private static async Task<string> PrepareAsync(string directory, string main)
    {
        var configuration = Path.Combine(directory, "etc");
        foreach (var name in (string[])["etc", "spool", "data"])
            Directory.CreateDirectory(Path.Combine(directory, name));
        await File.WriteAllTextAsync(Path.Combine(configuration, "main.cf"), MainFile(directory) + main);
        await File.WriteAllTextAsync(Path.Combine(configuration, "dynamicmaps.cf"), string.Empty);
        (await RunningProgram.RunAsync(["chown", "postfix", Path.Combine(directory, "data")])).AssertSucceeded();
        // The directory above belongs to the tests' user alone; Postfix's processes must pass through it.
        for (var parent = directory; parent.Length > Path.GetTempPath().Length; parent = Path.GetDirectoryName(parent)!)
            File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return configuration;
    }

    private static string MainFile(string directory) => $"""
        compatibility_level = 3.6
        queue_directory = {directory}/spool
        data_directory = {directory}/data
        command_directory = /usr/sbin
        daemon_directory = /usr/lib/postfix/sbin
        meta_directory = /etc/postfix
        maillog_file = /dev/stdout
        mail_owner = postfix
        setgid_group = postdrop
        mydestination =
        local_recipient_maps =
        local_transport = error:no local mail
        alias_maps =
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4

        """;

    private const string Services = """
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
        showq     unix  n       -       n       -       -       showq
        error     unix  -       -       n       -       -       error
        retry     unix  -       -       n       -       -       error
        discard   unix  -       -       n       -       -       discard
        anvil     unix  -       -       n       -       1       anvil
        scache    unix  -       -       n       -       1       scache
        postlog   unix-dgram n  -       n       -       1       postlogd

        """;
}
