using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>
/// A Postern that another server asks about logins, by the listener of a page of <c>docs</c>: lisa is in its directory, bart in a file that can be taken away.
/// </summary>
internal sealed class AskedPostern : IAsyncDisposable
{
    public const string User = "lisa";
    public const string Password = "tiger, tiger burning bright";
    public const string UserOfTheFile = "bart";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PosternHome home;
    private readonly PosternProcess process;

    private AskedPostern(PosternHome home, PosternProcess process) => (this.home, this.process) = (home, process);

    private string UsersFile => Path.Combine(home.Root, "users");

    /// <param name="listener">The block of the page that begins with <c>listeners:</c>, for this machine.</param>
    public static async Task<AskedPostern> StartAsync(string listener)
    {
        const string Protocol = "    protocol: dovecot-auth";
        var all = listener.Replace(
            Protocol, $"{Protocol}\n    mechanisms: [SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, DIGEST-MD5, CRAM-MD5, PLAIN, LOGIN]", StringComparison.Ordinal);
        var home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), $$"""
            server: { hostname: postern.test, data: data }
            login_protection: { exempt: [127.0.0.0/8] }
            {{all}}
            """);
        var users = Path.Combine(home.Root, "users");
        await File.WriteAllTextAsync(home.ConfigFile, await File.ReadAllTextAsync(home.ConfigFile) + $"\naccounts:\n  - directory\n  - uri: file://{users}\n");
        await File.WriteAllTextAsync(users, $"{UserOfTheFile}:{Password}\n");
        File.SetUnixFileMode(users, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await home.RunAsync("account", "add", User)).AssertSucceeded();
        (await home.RunWithInputAsync(Password + "\n", "credential", "add", User, "--password-stdin", "--form", "shared")).AssertSucceeded();
        (await home.RunAsync("check")).AssertSucceeded();
        return new AskedPostern(home, await home.ServeAsync());
    }

    /// <summary>The block of a page whose first line is this one, without its indent.</summary>
    public static string BlockOf(string page, string first)
    {
        var lines = File.ReadAllLines(SourceTree.PathOf($"docs/{page}.md"));
        var block = lines.SkipWhile(l => l != $"    {first}").TakeWhile(static l => l.StartsWith("    ", StringComparison.Ordinal)).Select(static l => l[4..]);
        return string.Join('\n', block);
    }

    /// <summary>The store of <see cref="UserOfTheFile"/> can say nothing until this is disposed.</summary>
    public IDisposable TakeStoreAway() => new Absence(UsersFile);

    /// <summary>The first line of the log, past or to come, with all of these texts.</summary>
    public Task<string> LoggedAsync(params string[] texts) =>
        process.Output.FindAsync(line => Array.TrueForAll(texts, text => line.Contains(text, StringComparison.Ordinal))).WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await process.StopAsync();
        await process.DisposeAsync();
        home.Dispose();
    }

    private sealed class Absence : IDisposable
    {
        private readonly string file;

        public Absence(string file)
        {
            this.file = file;
            File.Move(file, file + ".away");
        }

        public void Dispose() => File.Move(file + ".away", file);
    }
}
