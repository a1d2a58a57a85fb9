using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>A container: a user id without a name, no HOME, no environment, and nothing writable but the data directory.</summary>
[Collection(nameof(ProcessTests))]
public sealed class ContainerTests
{
    private const string User = "64321";

    /// <summary>In a network of its own, where the usual bound of privileged ports holds.</summary>
    [Fact]
    public async Task A_port_that_needs_a_privilege_is_told_with_the_line_that_a_unit_lacks()
    {
        using var home = new PosternHome(ProcessTests.Dll, "server: { hostname: mail.example.org, data: data }\nlisteners: [ { name: smtp, listen: [\"0.0.0.0:25\"], tls: none } ]\n");
        Directory.CreateDirectory(home.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await OtherUser.OwnAsync(home.Data, $"{User}:{User}");
        File.SetUnixFileMode(home.Root, File.GetUnixFileMode(home.Root) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        string[] by = ["unshare", "--net", .. Bare()];
        await OtherUser.SkipUnlessAsync([.. by, "test", "-r", ProcessTests.Dll]);

        var serve = await home.RunByAsync(by, "serve");

        Assert.Equal(2, serve.ExitCode);
        Assert.Contains("ports below 1024 need privileges", serve.Error, StringComparison.Ordinal);
        Assert.Contains("AmbientCapabilities=CAP_NET_BIND_SERVICE", serve.Error, StringComparison.Ordinal);
    }

    private static string[] Bare(params string[] variables) =>
        ["setpriv", "--reuid", User, "--regid", User, "--clear-groups", "env", "-i", $"DOTNET_ROOT={Path.GetDirectoryName(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH"))}", .. variables];

    /// <summary>The file system read-only for this process and its children, but for one directory.</summary>
    private static string[] ReadOnly(string but) =>
    [
        "unshare", "--mount", "sh", "-c",
        "mount --bind \"$1\" \"$1\" && for at in /var/tmp /dev/shm; do mount -t tmpfs -o ro none $at; done && mount -o remount,bind,ro / && shift && exec \"$@\"", "sh", but,
    ];

    [Theory]
    [InlineData("")]
    [InlineData("HOME=/root")]
    public async Task It_serves_and_delivers_over_tls_without_a_home_or_a_name_on_a_file_system_that_is_read_only(string variable)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = TestCertificate.Instance });
        using var home = await PosternHome.CreateAsync(ProcessTests.Dll, PosternHome.Configuration(more: $"delivery: {{ routes: [ {{ to: '*', via: 'smtp://localhost:{sink.Port}?tls=required', ca: ca.pem }} ] }}"));
        await File.WriteAllTextAsync(Path.Combine(home.Root, "ca.pem"), TestCertificate.Instance.ExportCertificatePem(), ProcessTests.Stop);
        await OtherUser.OwnAsync(home.Data, $"{User}:{User}");
        File.SetUnixFileMode(home.Root, File.GetUnixFileMode(home.Root) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        string[] by = Bare(variable.Length > 0 ? [variable] : []);
        await OtherUser.SkipUnlessAsync([.. ReadOnly(home.Data), .. by, "test", "-r", ProcessTests.Dll]);

        Assert.Equal(0, (await home.RunByAsync(by, "account", "add", "bob")).ExitCode);
        Assert.Equal(0, (await home.RunByAsync([.. ReadOnly(home.Data), .. by], "check")).ExitCode);
        await using var server = await home.ServeAsync([.. ReadOnly(home.Data), .. by]);
        await using var client = await SmtpDialogue.GreetAsync(server["submissions"], implicitTls: true);
        await client.LogInAsync(PosternHome.User, PosternHome.Password);
        await client.SendAsync(PosternHome.User, "b@example.net", "Subject: x\r\n\r\nx\r\n");

        Assert.True((await sink.NextMessageAsync()).IsTls);
        Assert.Equal($"user {User}", (await home.JsonAsync("log", "admin"))[0].GetProperty("actor").GetString());
    }
}
