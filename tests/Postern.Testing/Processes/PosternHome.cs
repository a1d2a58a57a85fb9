using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace Postern.Testing.Processes;

/// <summary>A temporary directory with a configuration and a data directory, and the program that is run on it.</summary>
public sealed class PosternHome : IDisposable
{
    public const string User = "lisa@example.org";
    public const string Password = "four-and-twenty blackbirds";

    // Made once and copied: every test would else run three commands first.
    private static readonly ConcurrentDictionary<string, byte[]> Databases = new(StringComparer.Ordinal);
    private static readonly SemaphoreSlim Making = new(1, 1);

    private readonly string dll;

    /// <param name="dll">The path of <c>postern.dll</c>.</param>
    public PosternHome(string dll, string configuration)
    {
        this.dll = dll;
        Root = Directory.CreateTempSubdirectory("pst").FullName;
        ConfigFile = Path.Combine(Root, "postern.yaml");
        File.WriteAllText(ConfigFile, configuration);
    }

    public string Root { get; }

    public string ConfigFile { get; }

    /// <summary>What the configuration calls the data directory.</summary>
    public string DataName { get; init; } = "data";

    public string Data => Path.Combine(Root, DataName);

    public string DirectoryFile => Path.Combine(Data, "directory.db");

    public string Spool => Path.Combine(Data, "spool");

    public string Logs => Path.Combine(Data, "logs");

    /// <summary>
    /// Listeners <c>plain</c> (AUTH in clear), <c>submission</c> (STARTTLS) and <c>submissions</c> (implicit TLS) on free loopback ports.
    /// </summary>
    /// <param name="sinkPort">Where all mail goes; null holds it.</param>
    /// <param name="more">More sections, as YAML.</param>
    public static string Configuration(int? sinkPort = null, string more = "") => string.Create(CultureInfo.InvariantCulture, $$"""
        server: { hostname: mail.example.org, data: data }
        listeners:
          - { name: plain, listen: ["127.0.0.1:0"], tls: none, auth: always }
          - { name: submission, listen: ["127.0.0.1:0"], tls: starttls }
          - { name: submissions, listen: ["127.0.0.1:0"], tls: implicit }
        {{(sinkPort is { } port ? $$"""delivery: { routes: [ { to: "*", via: "smtp://127.0.0.1:{{port}}" } ], retry: { first: 1s, most: 5s } }""" : string.Empty)}}
        {{more}}

        """);

    /// <summary>With the account <see cref="User"/> and its domain <c>example.org</c>.</summary>
    public static async Task<PosternHome> CreateAsync(string dll, string configuration)
    {
        var home = new PosternHome(dll, configuration);
        await home.AddDirectoryAsync();
        return home;
    }

    /// <summary>Puts the database of <see cref="CreateAsync"/> into the data directory, and makes that where it is missing.</summary>
    public async Task AddDirectoryAsync()
    {
        Directory.CreateDirectory(Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllBytesAsync(DirectoryFile, await DatabaseAsync(dll));
    }

    /// <summary>Runs a command of <c>postern</c> to its end.</summary>
    public Task<ProgramResult> RunAsync(params string[] args) => RunWithInputAsync(string.Empty, args);

    public Task<ProgramResult> RunWithInputAsync(string input, params string[] args) => RunningProgram.RunAsync(Command(args), Root, input);

    /// <summary>The same by way of another program, such as <c>setpriv</c>.</summary>
    public Task<ProgramResult> RunByAsync(IReadOnlyList<string> by, params string[] args) => RunningProgram.RunAsync([.. by, .. Command(args)], Root);

    /// <summary>The JSON document that a command prints.</summary>
    public async Task<JsonElement> JsonAsync(params string[] args)
    {
        var result = await RunAsync([.. args, "--json"]);
        return result.Output.Length > 0 ? JsonElement.Parse(result.Output) : throw new InvalidOperationException(result.Error);
    }

    /// <param name="by">A program that starts it, such as a tracer, with its arguments.</param>
    public Task<PosternProcess> ServeAsync(IReadOnlyList<string>? by = null, IReadOnlyDictionary<string, string>? environment = null) =>
        PosternProcess.StartAsync([.. by ?? [], .. Command("serve")], Root, Data, environment);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static async Task<byte[]> DatabaseAsync(string dll)
    {
        await Making.WaitAsync();
        try
        {
            return Databases.TryGetValue(dll, out var made) ? made : Databases[dll] = await MakeDatabaseAsync(dll);
        }
        finally
        {
            Making.Release();
        }
    }

    private static async Task<byte[]> MakeDatabaseAsync(string dll)
    {
        using var home = new PosternHome(dll, Configuration());
        await home.MustRunAsync(string.Empty, "domain", "add", "example.org");
        await home.MustRunAsync(string.Empty, "account", "add", User);
        await home.MustRunAsync(Password + "\n", "credential", "add", User, "--password-stdin");
        return await File.ReadAllBytesAsync(home.DirectoryFile);
    }

    private async Task MustRunAsync(string input, params string[] args)
    {
        var result = await RunWithInputAsync(input, args);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"postern {string.Join(' ', args)}: {result.Error}");
    }

    private IReadOnlyList<string> Command(params string[] args) =>
        [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", "exec", dll, .. args, "--config", ConfigFile];
}
