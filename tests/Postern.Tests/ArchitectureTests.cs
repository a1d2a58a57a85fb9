using System.Reflection;
using System.Runtime.InteropServices;
using Postern.Commands;
using Postern.Relay.Runtime;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Tests.Architecture;
using Postern.Web;

namespace Postern.Tests;

/// <summary>The arrows of ARCHITECTURE.md, held over everything that was compiled.</summary>
public sealed class ArchitectureTests
{
    private const string RelayRoot = "Postern.Relay.";

    /// <summary>The order in which a message meets the code. Each uses only what stands to its left.</summary>
    private static readonly string[] Capabilities = ["Envelopes", "Accounts", "DovecotAuth", "Policy", "Spool", "Delivery", "Dkim", "Admin", "Runtime"];

    /// <summary>
    /// The folders of the libraries and of the program, the root being empty. Each uses only what stands in a row above it; two in one row are a list and
    /// its members, which use each other.
    /// </summary>
    private static readonly string[][] SaslFolders = [["Values"], ["Preparation"], ["Digest"], ["Scram"], ["Kerberos"], ["Verifiers"], ["", "Mechanisms"], ["Client"]];

    private static readonly string[][] SmtpFolders =
    [
        ["Grammar"], ["Replies"], ["Session"], ["Policy"], ["Overload"], ["Transport"], ["Message"], ["Authentication"], ["Events"], ["Options"],
        ["Extensions"], ["Client"], ["Dialogue", "Verbs"], ["Listeners"], [""], ["Hosting"],
    ];

    private static readonly string[][] WebFolders =
    [
        ["Storage"], ["Access"], ["Documents"], ["Calls"], ["Api"], ["Traffic"], ["Parts"], ["Pages"], ["Entrance"], ["Doors"], ["Health"], ["Metrics"], [""],
    ];

    private static readonly string[][] ProgramFolders = [["Machine"], ["Configuration"], ["Hosting"], ["Commands"]];

    private static readonly Assembly Sasl = typeof(ISaslMechanism).Assembly;
    private static readonly Assembly Smtp = typeof(SmtpServer).Assembly;
    private static readonly Assembly Relay = typeof(RelayService).Assembly;
    private static readonly Assembly Web = typeof(WebRoutes).Assembly;
    private static readonly Assembly Program = typeof(PosternCommands).Assembly;

    [Fact]
    public void Sasl_needs_the_base_class_library_alone() => Assert.Empty(Foreign(Sasl));

    [Fact]
    public void Smtp_needs_only_Sasl_and_the_abstractions_of_the_host() => Assert.Subset(
        Names(
            "Postern.Sasl", "Microsoft.Extensions.Hosting.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Logging.Abstractions"),
        Foreign(Smtp));

    [Fact]
    public void Of_Smtp_only_Hosting_knows_the_host()
    {
        var wrong =
            from type in Smtp.GetTypes()
            where type.Namespace is not ("Postern.Smtp.Hosting" or "Microsoft.Extensions.DependencyInjection")
            from used in UsedTypes.Of(type)
            where used.Namespace?.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal) == true
            select $"{Outermost(type)} uses {used}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Relay_needs_only_Smtp_Sasl_the_embedded_database_two_hashes_and_one_signature() =>
        Assert.Subset(Names("Postern.Smtp", "Postern.Sasl", "Dapper", "MaxMind.Db", "Microsoft.Data.Sqlite", "MySqlConnector", "Npgsql", "SQLitePCLRaw.core", "SQLitePCLRaw.batteries_v2", "SQLitePCLRaw.provider.e_sqlite3", "BCrypt-Net-Next", "BouncyCastle.Cryptography", "Microsoft.IdentityModel.JsonWebTokens", "Microsoft.IdentityModel.Tokens", "Konscious.Security.Cryptography.Argon2"), Foreign(Relay));

    [Fact]
    public void Nobody_needs_the_program() =>
        Assert.All([Sasl, Smtp, Relay, Web], static library => Assert.DoesNotContain(Program.GetName().Name!, Foreign(library)));

    [Fact]
    public void Every_folder_of_the_relay_has_its_place_in_the_order() => Assert.Equal(
        Capabilities.Append("Audit").Order(StringComparer.Ordinal),
        Relay.GetTypes().Select(CapabilityOf).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

    [Fact]
    public void In_the_relay_each_capability_uses_only_what_stands_before_it()
    {
        var wrong =
            from type in Relay.GetTypes()
            let user = CapabilityOf(type)
            where user is not null
            from used in UsedTypes.Of(type)
            where used.Assembly == Relay && CapabilityOf(used) is { } capability && !MayUse(user, capability)
            select $"{Outermost(type)} uses {Outermost(used)}";
        var sentences = wrong.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();

        Assert.True(sentences.Count == 0, string.Join('\n', sentences));
    }

    [Fact]
    public void Every_folder_of_the_libraries_and_the_program_has_its_place_in_the_order()
    {
        Assert.Equal(SaslFolders.SelectMany(static row => row).Order(StringComparer.Ordinal), SourceFolders.Of(Sasl).Folders.Order(StringComparer.Ordinal));
        Assert.Equal(SmtpFolders.SelectMany(static row => row).Order(StringComparer.Ordinal), SourceFolders.Of(Smtp).Folders.Order(StringComparer.Ordinal));
        Assert.Equal(WebFolders.SelectMany(static row => row).Order(StringComparer.Ordinal), SourceFolders.Of(Web).Folders.Order(StringComparer.Ordinal));
        Assert.Equal(ProgramFolders.SelectMany(static row => row).Order(StringComparer.Ordinal), SourceFolders.Of(Program).Folders.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void In_the_libraries_and_the_program_each_folder_uses_only_what_stands_before_it() =>
        Assert.Equal(string.Empty, string.Join('\n', [.. AgainstTheOrder(Sasl, SaslFolders), .. AgainstTheOrder(Smtp, SmtpFolders), .. AgainstTheOrder(Web, WebFolders), .. AgainstTheOrder(Program, ProgramFolders)]));

    [Fact]
    public void The_server_knows_nothing_of_the_client()
    {
        var folders = SourceFolders.Of(Smtp);
        var wrong =
            from type in Smtp.GetTypes()
            where folders.FolderOf(type) is { } user && user != "Client"
            from used in UsedTypes.Of(type)
            where used.Assembly == Smtp && folders.FolderOf(used) == "Client"
            select $"{Outermost(type)} uses {Outermost(used)}";

        Assert.Empty(wrong.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void The_walk_sees_fields_signatures_bodies_and_attributes()
    {
        var used = UsedTypes.Of(typeof(Sample));

        Assert.Superset(
            new HashSet<Type> { typeof(Queue<>), typeof(Uri), typeof(Version), typeof(Stack<>), typeof(TimeZoneInfo), typeof(FormatException), typeof(ObsoleteAttribute) },
            used.ToHashSet());
    }

    private static IEnumerable<string> AgainstTheOrder(Assembly library, string[][] rows)
    {
        var folders = SourceFolders.Of(library);
        var wrong =
            from type in library.GetTypes()
            let user = folders.FolderOf(type)
            where user is not null
            from used in UsedTypes.Of(type)
            let folder = used.Assembly == library ? folders.FolderOf(used) : null
            where folder is not null && RowOf(folder) > RowOf(user)
            select $"{Outermost(type)} in '{user}' uses {Outermost(used)} in '{folder}'";
        return wrong.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

        int RowOf(string folder) => Array.FindIndex(rows, row => row.Contains(folder, StringComparer.Ordinal));
    }

    private static bool MayUse(string user, string used) => (user, used) switch
    {
        _ when user == used => true,
        ("Audit", _) => used == "Envelopes",
        (not "Envelopes", "Audit") => true,
        _ => Array.IndexOf(Capabilities, used) is >= 0 and var position && position < Array.IndexOf(Capabilities, user),
    };

    /// <summary>The folder below the relay's root; null for what the compiler put elsewhere.</summary>
    private static string? CapabilityOf(Type type) =>
        type.Namespace is { } place && place.StartsWith(RelayRoot, StringComparison.Ordinal) ? place[RelayRoot.Length..].Split('.')[0] : null;

    /// <summary>As it is written in its file: closures and state machines are the compiler's.</summary>
    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    /// <summary>What an assembly needs besides the base class library.</summary>
    private static HashSet<string> Foreign(Assembly assembly)
    {
        var framework = RuntimeEnvironment.GetRuntimeDirectory();
        return [.. assembly.GetReferencedAssemblies().Select(static n => n.Name!).Where(name => !File.Exists(Path.Combine(framework, name + ".dll")))];
    }

    private static HashSet<string> Names(params string[] names) => [.. names];

    private sealed class Sample
    {
        private readonly Queue<Uri> field = new();

        [Obsolete("only to be seen")]
        public int Count(Version version)
        {
            try
            {
                return field.Count + new Stack<int>(version.Major).Count + TimeZoneInfo.Utc.Id.Length;
            }
            catch (FormatException)
            {
                return 0;
            }
        }
    }
}
