using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Server;

/// <summary>
/// A Postfix that relays for who has logged in, to a sink: at 127.0.0.1 it asks Dovecot who that is, at 127.0.0.2 and the same port Cyrus SASL.
/// Not started where one of them is not installed.
/// </summary>
public sealed class UpstreamPostfix : IAsyncLifetime
{
    public const string User = "lisa";
    public const string Password = "tiger, tiger burning bright";

    private const string Realm = "upstream.test";

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-upstream-");
    private readonly ScriptedSink sink = new();
    private readonly Mailbag mailbag = new();
    private readonly CancellationTokenSource stopping = new();
    private Task collecting = Task.CompletedTask;
    private DovecotAuth? dovecot;
    private PostfixMaster? postfix;

    public static IPAddress ByDovecot { get; } = IPAddress.Loopback;

    public static IPAddress ByCyrus { get; } = IPAddress.Parse("127.0.0.2");

    /// <summary>Signs tokens (HS256).</summary>
    public static byte[] TokenKey { get; } = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];

    /// <summary>PEM; for <c>localhost</c>.</summary>
    public string CertificateFile => Path.Combine(directory.FullName, "certificate.pem");

    public int Port => postfix!.Port;

    public static void Require()
    {
        PostfixMaster.Require();
        Peer.Require("dovecot");
        Peer.Require("saslpasswd2");
    }

    /// <summary>The message that Postfix relays for <paramref name="recipient"/>.</summary>
    public Task<SinkMessage> MessageForAsync(string recipient) => mailbag.MessageForAsync(recipient);

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || Peer.Find("postfix") is null || Peer.Find("dovecot") is null || Peer.Find("saslpasswd2") is null)
            return;
        try
        {
            await StartAsync();
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (postfix is not null)
            await postfix.DisposeAsync();
        if (dovecot is not null)
            await dovecot.DisposeAsync();
        await stopping.CancelAsync();
        await collecting;
        await sink.DisposeAsync();
        stopping.Dispose();
        directory.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        collecting = mailbag.CollectAsync(sink, stopping.Token);
        await File.WriteAllTextAsync(CertificateFile, TestCertificate.Instance.ExportCertificatePem());
        await File.WriteAllTextAsync(KeyFile, TestCertificate.Instance.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await AddCyrusUserAsync();
        dovecot = await DovecotAuth.StartAsync(directory.CreateSubdirectory("dovecot").FullName, User, Password, TokenKey);
        postfix = await PostfixMaster.ListenAsync(PostfixDirectory, MainFile(dovecot.Port), Services);
    }

    private string KeyFile => Path.Combine(directory.FullName, "key.pem");

    /// <summary>Where Debian's Postfix looks, whatever <c>cyrus_sasl_config_path</c> says.</summary>
    private string CyrusDirectory => Path.Combine(PostfixDirectory, "etc", "sasl");

    private string PostfixDirectory => Path.Combine(directory.FullName, "postfix");

    private async Task AddCyrusUserAsync()
    {
        Directory.CreateDirectory(CyrusDirectory);
        var database = Path.Combine(CyrusDirectory, "sasldb2");
        await File.WriteAllTextAsync(
            Path.Combine(CyrusDirectory, "smtpd.conf"),
            $"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\nmech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512\n");
        (await RunningProgram.RunAsync([Peer.Require("saslpasswd2"), "-c", "-p", "-f", database, "-u", Realm, User], input: Password + "\n")).AssertSucceeded();
        (await RunningProgram.RunAsync(["chown", "-R", "postfix", CyrusDirectory])).AssertSucceeded();
    }

    private string MainFile(int dovecotPort) => string.Create(CultureInfo.InvariantCulture, $$"""
        myhostname = {{Realm}}
        relayhost = [127.0.0.1]:{{sink.Port}}
        smtp_tls_security_level = none
        smtpd_tls_security_level = may
        smtpd_tls_cert_file = {{CertificateFile}}
        smtpd_tls_key_file = {{KeyFile}}
        smtpd_sasl_auth_enable = yes
        smtpd_sasl_security_options = noanonymous
        smtpd_sasl_authenticated_header = yes
        smtpd_sasl_local_domain = {{Realm}}
        smtpd_sasl_type = dovecot
        smtpd_sasl_path = inet:127.0.0.1:{{dovecotPort}}
        smtpd_relay_restrictions = permit_sasl_authenticated, reject
        smtpd_error_sleep_time = 0

        """);

    private string Services(int port) => string.Create(CultureInfo.InvariantCulture, $"""
        {ByDovecot}:{port} inet n - n - - smtpd
        {ByCyrus}:{port} inet n - n - - smtpd -o smtpd_sasl_type=cyrus -o smtpd_sasl_path=smtpd -o cyrus_sasl_config_path={CyrusDirectory}

        """);
}
