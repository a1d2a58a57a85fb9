using System.Globalization;
using Postern.Interop.Tests.Server;
using Postern.Smtp.Client;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Asked;

/// <summary>An Exim set up by docs/sasl-for-exim.md asks Postern about the logins of its clients.</summary>
public sealed class AskedByEximTests(AskedByEximTests.Server server) : IClassFixture<AskedByEximTests.Server>
{
    private static readonly string[] Names = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];

    public static TheoryData<string> Mechanisms() => [.. Names];

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task The_right_password_logs_in_and_a_wrong_one_or_a_stranger_does_not(string mechanism)
    {
        server.Require();

        Assert.Equal(mechanism, Assert.IsType<ClientLoginAnswer.Accepted>(await server.LogInAsync(mechanism, AskedPostern.User, AskedPostern.Password)).Mechanism);
        Assert.Equal(535, CodeOf(await server.LogInAsync(mechanism, AskedPostern.User, "lion")));
        Assert.Equal(535, CodeOf(await server.LogInAsync(mechanism, "maggie", AskedPostern.Password)));

        await server.Postern.LoggedAsync("\"event\":\"login\"", "\"listener\":\"exim\"", "\"client\":\"127.0.0.1\"", "\"service\":\"smtp\"", $"\"mechanism\":\"{mechanism}\"", "\"outcome\":\"ok\"");
    }

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task A_store_that_is_down_is_a_failure_for_now_and_works_again_when_it_is_back(string mechanism)
    {
        server.Require();
        using (server.Postern.TakeStoreAway())
        {
            Assert.Equal(435, CodeOf(await server.LogInUntilAsync<ClientLoginAnswer.Refused>(mechanism, AskedPostern.UserOfTheFile, AskedPostern.Password)));
            Assert.IsType<ClientLoginAnswer.Accepted>(await server.LogInAsync(mechanism, AskedPostern.User, AskedPostern.Password));
        }

        await server.LogInUntilAsync<ClientLoginAnswer.Accepted>(mechanism, AskedPostern.UserOfTheFile, AskedPostern.Password);
    }

    private static int CodeOf(ClientLoginAnswer answer) =>
        answer is ClientLoginAnswer.Refused(_, var reply) ? reply.Code : throw new InvalidOperationException($"{answer}");

    public sealed class Server : AskingServer
    {
        private RunningProgram? exim;
        private int port;

        protected override bool IsInstalled => Peer.FindUnpacked("exim4") is not null;

        protected override int Port => port;

        public override void Require()
        {
            Peer.RequireUnpacked("exim4");
            Assert.SkipUnless(Environment.IsPrivilegedProcess, "Exim starts only as root");
            Assert.SkipWhen(exim is null, "Exim does not start: its user or a library is missing");
        }

        protected override async Task<string> PrepareAsync()
        {
            File.SetUnixFileMode(Directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            foreach (var name in (string[])["spool", "log"])
                (await RunningProgram.RunAsync(["chown", "mail", Directory.CreateSubdirectory(name).FullName])).AssertSucceeded();
            return Here(AskedPostern.BlockOf("sasl-for-exim", "listeners:"));
        }

        protected override async Task StartAsync()
        {
            var (program, file) = (Peer.FindUnpacked("exim4")!, Path.Combine(Directory.FullName, "exim.conf"));
            (await RunningProgram.RunAsync(["chown", "mail", CertificateFile, KeyFile])).AssertSucceeded();
            await File.WriteAllTextAsync(file, Configuration(25));
            if ((await RunningProgram.RunAsync([program, "-C", file, "-bV"])) is { ExitCode: not 0 })
                return;
            (exim, port) = await ListeningProgram.StartAsync(async free =>
            {
                await File.WriteAllTextAsync(file, Configuration(free));
                return [program, "-C", file, "-bdf"];
            });
        }

        protected override async ValueTask StopAsync()
        {
            if (exim is not null)
                await exim.DisposeAsync();
        }

        /// <summary>The paths and the user of the test in the place of those of a machine.</summary>
        private string Here(string recipe) => recipe.Replace("/run/postern", Directory.FullName, StringComparison.Ordinal).Replace("Debian-exim", "mail", StringComparison.Ordinal);

        private string Configuration(int free) => string.Create(CultureInfo.InvariantCulture, $"""
            exim_user = mail
            exim_group = mail
            spool_directory = {Directory.FullName}/spool
            log_file_path = {Directory.FullName}/log/%slog
            primary_hostname = exim.test
            local_interfaces = 127.0.0.1
            daemon_smtp_ports = {free}
            rfc1413_hosts =
            host_lookup =
            tls_advertise_hosts = *
            tls_certificate = {CertificateFile}
            tls_privatekey = {KeyFile}
            acl_smtp_rcpt = deny
            begin acl
            begin routers
            begin transports
            begin retry

            """) + Authenticators();

        /// <summary>Those of the page, and one like them for each other mechanism.</summary>
        private string Authenticators()
        {
            var recipe = Here(AskedPostern.BlockOf("sasl-for-exim", "begin authenticators")) + "\n";
            var plain = recipe[recipe.IndexOf("postern_plain:", StringComparison.Ordinal)..];
            return recipe + string.Concat(Names.Where(name => !recipe.Contains($"= {name}\n", StringComparison.Ordinal)).Select(name =>
                plain.Replace("postern_plain", $"postern_{name.Replace('-', '_')}", StringComparison.Ordinal).Replace("= PLAIN", $"= {name}", StringComparison.Ordinal)));
        }
    }
}
