using System.Globalization;
using Postern.Interop.Tests.Server;
using Postern.Smtp.Client;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Asked;

/// <summary>A Postfix set up by docs/sasl-for-postfix.md asks Postern about the logins of its clients.</summary>
public sealed class AskedByPostfixTests(AskedByPostfixTests.Server server) : IClassFixture<AskedByPostfixTests.Server>
{
    public static TheoryData<string> Mechanisms() => ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task The_right_password_logs_in_and_a_wrong_one_or_a_stranger_does_not(string mechanism)
    {
        server.Require();

        Assert.Equal(mechanism, Assert.IsType<ClientLoginAnswer.Accepted>(await server.LogInAsync(mechanism, AskedPostern.User, AskedPostern.Password)).Mechanism);
        Assert.Equal((535, "5.7.8"), CodeOf(await server.LogInAsync(mechanism, AskedPostern.User, "lion")));
        Assert.Equal((535, "5.7.8"), CodeOf(await server.LogInAsync(mechanism, "maggie", AskedPostern.Password)));

        await server.Postern.LoggedAsync("\"event\":\"login\"", "\"listener\":\"postfix\"", "\"client\":\"127.0.0.1\"", "\"service\":\"smtp\"", $"\"mechanism\":\"{mechanism}\"", "\"outcome\":\"ok\"");
        await server.Postern.LoggedAsync("\"event\":\"login\"", $"\"mechanism\":\"{mechanism}\"", "\"outcome\":\"failed\"", "\"user\":\"lisa\"");
    }

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task A_store_that_is_down_is_454_and_works_again_when_it_is_back(string mechanism)
    {
        server.Require();
        using (server.Postern.TakeStoreAway())
        {
            Assert.Equal((454, "4.7.0"), CodeOf(await server.LogInUntilAsync<ClientLoginAnswer.Refused>(mechanism, AskedPostern.UserOfTheFile, AskedPostern.Password)));
            Assert.IsType<ClientLoginAnswer.Accepted>(await server.LogInAsync(mechanism, AskedPostern.User, AskedPostern.Password));
        }

        await server.LogInUntilAsync<ClientLoginAnswer.Accepted>(mechanism, AskedPostern.UserOfTheFile, AskedPostern.Password);
    }

    private static (int, string?) CodeOf(ClientLoginAnswer answer) =>
        answer is ClientLoginAnswer.Refused(_, var reply) ? (reply.Code, reply.Status?.ToString()) : throw new InvalidOperationException($"{answer}");

    public sealed class Server : AskingServer
    {
        private PostfixMaster? postfix;

        protected override bool IsInstalled => Peer.Find("postfix") is not null;

        protected override int Port => postfix!.Port;

        private string Home => Directory.CreateSubdirectory("postfix").FullName;

        public override void Require() => PostfixMaster.Require();

        protected override async Task<string> PrepareAsync()
        {
            const string Spool = "/var/spool/postfix";
            var install = AskedPostern.BlockOf("sasl-for-postfix", $"install -d -o postern -g postfix -m 2750 {Spool}/postern");
            File.SetUnixFileMode(Directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            File.SetUnixFileMode(Home, File.GetUnixFileMode(Directory.FullName));
            System.IO.Directory.CreateDirectory(Path.Combine(Home, "spool"));
            (await RunningProgram.RunAsync(install.Replace("-o postern", "-o root", StringComparison.Ordinal).Replace(Spool, $"{Home}/spool", StringComparison.Ordinal).Split(' '))).AssertSucceeded();
            return AskedPostern.BlockOf("sasl-for-postfix", "listeners:").Replace(Spool, $"{Home}/spool", StringComparison.Ordinal);
        }

        protected override async Task StartAsync() => postfix = await PostfixMaster.ListenAsync(
            Home,
            $"""
                myhostname = postfix.test
                smtpd_tls_security_level = may
                smtpd_tls_cert_file = {CertificateFile}
                smtpd_tls_key_file = {KeyFile}
                smtpd_error_sleep_time = 0

                """.Replace("    ", string.Empty, StringComparison.Ordinal) + AskedPostern.BlockOf("sasl-for-postfix", "smtpd_sasl_auth_enable = yes") + "\n",
            static port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port} inet n - y - - smtpd\n"));

        protected override async ValueTask StopAsync()
        {
            if (postfix is not null)
                await postfix.DisposeAsync();
        }
    }
}
