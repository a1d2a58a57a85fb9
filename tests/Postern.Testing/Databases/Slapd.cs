using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Testing.Processes;

namespace Postern.Testing.Databases;

/// <summary>
/// OpenLDAP's server on loopback, with a directory of its own. Attributes of Active Directory are there by their names; how that server behaves is not.
/// </summary>
public sealed class Slapd : IAsyncDisposable
{
    public const string Suffix = "dc=example,dc=org";
    public const string People = "ou=people,dc=example,dc=org";
    public const string Service = "cn=postern,ou=services,dc=example,dc=org";
    public const string ServicePassword = "password-of-the-service";

    private const string Program = "/usr/sbin/slapd";
    private const string Admin = "cn=admin,dc=example,dc=org";
    private const string AdminPassword = "password-of-the-admin";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-slapd-").FullName;
    private readonly TestAuthority authority = TestAuthority.Create("of the rig");
    private RunningProgram? server;

    public int Port { get; } = FreePort();

    public int SecurePort { get; } = FreePort();

    public int Id => server!.Id;

    /// <summary>The certificates that are to be trusted.</summary>
    public string Authorities => Path.Combine(folder, "ca.pem");

    /// <summary>Percent-encoded, as in a URI.</summary>
    public string Socket => Uri.EscapeDataString(Path.Combine(folder, "ldapi"));

    /// <summary>Why it cannot be had here; null where it can.</summary>
    public static string? WhyNot() => !File.Exists(Program) ? "slapd is not installed" : File.Exists("/usr/bin/ldapmodify") ? null : "ldap-utils is not installed";

    /// <param name="more">Entries beside those that are always there.</param>
    public static async Task<Slapd> StartAsync(string more = "")
    {
        var slapd = new Slapd();
        Directory.CreateDirectory(Path.Combine(slapd.folder, "data"));
        await File.WriteAllTextAsync(Path.Combine(slapd.folder, "local.schema"), Schema.ReplaceLineEndings("\n"));
        await File.WriteAllTextAsync(slapd.ConfigurationFile, slapd.Configuration().ReplaceLineEndings("\n"));
        await File.WriteAllTextAsync(slapd.Authorities, slapd.authority.Certificate.ExportCertificatePem());
        await slapd.CertifyAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10));
        await File.WriteAllTextAsync(Path.Combine(slapd.folder, "first.ldif"), Entries.ReplaceLineEndings("\n") + more);
        var added = await RunningProgram.RunAsync(["/usr/sbin/slapadd", "-q", "-f", slapd.ConfigurationFile, "-l", Path.Combine(slapd.folder, "first.ldif")]);
        if (added.ExitCode != 0)
            throw new InvalidOperationException(added.Output + added.Error);
        await slapd.RunAsync();
        return slapd;
    }

    /// <summary>Starts it, or starts it again.</summary>
    public async Task RunAsync()
    {
        server = RunningProgram.Start([Program, "-f", ConfigurationFile, "-d", "0", "-h", string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{Port}/ ldaps://127.0.0.1:{SecurePort}/ ldapi://{Socket}/")]);
        while (true)
        {
            if (server.HasExited)
                throw new InvalidOperationException(server.Error.Text);
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, SecurePort);
                return;
            }
            catch (SocketException)
            {
                // It does not tell when it is ready: asking is the only way.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    /// <summary>As the machine does when it has no memory left.</summary>
    public async Task StopAsync()
    {
        ProcessTree.Signal(server!.Id, ProcessTree.Kill);
        await server.WaitAsync(TimeSpan.FromSeconds(30));
        await server.DisposeAsync();
        server = null;
    }

    /// <summary>Changes in LDIF. What is to be deleted and is not there is passed over.</summary>
    public async Task ChangeAsync(string ldif)
    {
        var result = await RunningProgram.RunAsync(
            ["/usr/bin/ldapmodify", "-c", "-x", "-H", string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{Port}"), "-D", Admin, "-w", AdminPassword], input: ldif.ReplaceLineEndings("\n"));
        if (result.ExitCode is not (0 or 32))
            throw new InvalidOperationException(result.Error);
    }

    /// <summary>The binds that have ended, this question's among them.</summary>
    public async Task<long> CountBindsAsync()
    {
        var result = await RunningProgram.RunAsync(
            ["/usr/bin/ldapsearch", "-LLL", "-x", "-H", string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{Port}"), "-b", "cn=Bind,cn=Operations,cn=Monitor", "-s", "base", "monitorOpCompleted"]);
        return long.Parse(result.Output.Split("monitorOpCompleted: ")[1].Split('\n')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>A line of LDIF, whatever the value holds.</summary>
    public static string Line(string attribute, string value) => $"{attribute}:: {Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}\n";

    /// <summary>The server shows this certificate from its next start on.</summary>
    /// <param name="validFor">From yesterday on.</param>
    public async Task CertifyAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        using var certificate = authority.IssueServer(names, addresses, validFor: validFor);
        using var key = certificate.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(Path.Combine(folder, "server.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "server.key"), key.ExportPkcs8PrivateKeyPem());
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await StopAsync();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string ConfigurationFile => Path.Combine(folder, "slapd.conf");

    private static int FreePort()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }

    private string Configuration() => $"""
        include /etc/ldap/schema/core.schema
        include /etc/ldap/schema/cosine.schema
        include /etc/ldap/schema/inetorgperson.schema
        pidfile {folder}/slapd.pid
        modulepath /usr/lib/ldap
        moduleload back_mdb
        moduleload memberof
        moduleload back_monitor
        include {folder}/local.schema
        TLSCACertificateFile {folder}/ca.pem
        TLSCertificateFile {folder}/server.pem
        TLSCertificateKeyFile {folder}/server.key
        sockbuf_max_incoming_auth 33554432
        threads 4
        database mdb
        suffix {Suffix}
        rootdn {Admin}
        rootpw {AdminPassword}
        directory {folder}/data
        maxsize 1073741824
        dbnosync
        index objectClass,uid,mail,member,sAMAccountName,userPrincipalName eq
        overlay memberof
        memberof-refint true
        access to attrs=userPassword by dn.exact="{Service}" read by * auth
        access to attrs=employeeNumber by * search
        access to * by * read
        database monitor
        access to * by * read
        """;

    private const string Schema = """
        attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.42.2.27.8.1.17 NAME 'pwdAccountLockedTime' EQUALITY generalizedTimeMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'mailAlternateAddress' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 1.3.6.1.4.1.32473.1.2 NAME 'sendsForDomain' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 1.3.6.1.4.1.32473.1.3 NAME 'tenantName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.32473.1.4 NAME 'accountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 1.3.6.1.4.1.32473.1.5 NAME 'isBarred' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY
          MAY ( sAMAccountName $ userPrincipalName $ userAccountControl $ accountExpires $ proxyAddresses $ objectCategory $ pwdAccountLockedTime $ mailAlternateAddress
            $ sendsForDomain $ tenantName $ accountName $ isBarred ) )
        """;

    private const string Entries = """
        dn: dc=example,dc=org
        objectClass: domain
        dc: example

        dn: ou=people,dc=example,dc=org
        objectClass: organizationalUnit
        ou: people

        dn: ou=groups,dc=example,dc=org
        objectClass: organizationalUnit
        ou: groups

        dn: ou=services,dc=example,dc=org
        objectClass: organizationalUnit
        ou: services

        dn: cn=postern,ou=services,dc=example,dc=org
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: postern
        userPassword: password-of-the-service

        dn: uid=other,ou=people,dc=example,dc=org
        objectClass: inetOrgPerson
        uid: other
        cn: other
        sn: other
        employeeNumber: 1
        userPassword: other

        dn: uid=another,ou=people,dc=example,dc=org
        objectClass: inetOrgPerson
        uid: another
        cn: another
        sn: another


        """;
}
