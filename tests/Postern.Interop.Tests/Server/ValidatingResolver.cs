using System.Globalization;
using System.Net;
using System.Text;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>
/// An unbound on loopback that validates DNSSEC, with two zones of its own: <c>signed.test</c>, whose key is its trust anchor, and <c>plain.test</c> without
/// signatures. In the signed zone the record of <c>spoilt</c> was changed after it was signed.
/// </summary>
internal sealed class ValidatingResolver : IAsyncDisposable
{
    private readonly DirectoryInfo directory;
    private readonly RunningProgram process;

    private ValidatingResolver(DirectoryInfo directory, RunningProgram process, int port)
    {
        (this.directory, this.process) = (directory, process);
        EndPoint = new IPEndPoint(IPAddress.Loopback, port);
    }

    public IPEndPoint EndPoint { get; }

    /// <param name="signed">Lines of the signed zone.</param>
    /// <param name="plain">Lines of the other.</param>
    public static async Task<ValidatingResolver> StartAsync(string signed, string plain)
    {
        var (unbound, keygen, sign) = (Peer.Require("unbound"), Peer.Require("ldns-keygen"), Peer.Require("ldns-signzone"));
        var directory = Directory.CreateTempSubdirectory("postern-unbound-");
        string In(string name) => Path.Combine(directory.FullName, name);
        await File.WriteAllTextAsync(In("signed.zone"), Zone("signed.test", signed));
        await File.WriteAllTextAsync(In("plain.zone"), Zone("plain.test", plain));
        var made = await RunningProgram.RunAsync([keygen, "-r", "/dev/urandom", "-a", "ECDSAP256SHA256", "-k", "signed.test"], directory.FullName);
        made.AssertSucceeded();
        var key = made.Output.Trim();
        (await RunningProgram.RunAsync([sign, "-n", "-f", In("signed.zone.signed"), In("signed.zone"), key], directory.FullName)).AssertSucceeded();
        var text = await File.ReadAllTextAsync(In("signed.zone.signed"));
        await File.WriteAllTextAsync(In("signed.zone.signed"), text.Replace("MX\t4711 ", "MX\t4712 ", StringComparison.Ordinal));
        var (process, port) = await ListeningProgram.StartAsync(async at =>
        {
            await File.WriteAllTextAsync(In("unbound.conf"), Configuration(directory.FullName, at, key), Encoding.ASCII);
            return [unbound, "-d", "-c", In("unbound.conf")];
        });
        return new ValidatingResolver(directory, process, port);
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private static string Zone(string name, string lines) => $"""
        $ORIGIN {name}.
        $TTL 60
        @ IN SOA ns.{name}. root.{name}. 1 3600 600 86400 60
        @ IN NS ns
        ns IN A 127.0.0.1
        {lines.ReplaceLineEndings("\n")}

        """;

    private static string Configuration(string directory, int port, string key) => string.Create(CultureInfo.InvariantCulture, $"""
        server:
          directory: "{directory}"
          interface: 127.0.0.1@{port}
          username: ""
          chroot: ""
          pidfile: ""
          use-syslog: no
          do-daemonize: no
          module-config: "validator iterator"
          do-not-query-localhost: no
          trust-anchor-file: "{directory}/{key}.ds"
          local-zone: "test." nodefault
        auth-zone:
          name: "signed.test."
          zonefile: "{directory}/signed.zone.signed"
          for-upstream: yes
          for-downstream: no
        auth-zone:
          name: "plain.test."
          zonefile: "{directory}/plain.zone"
          for-upstream: yes
          for-downstream: no
        remote-control:
          control-enable: no

        """);
}
