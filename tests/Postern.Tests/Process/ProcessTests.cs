using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>One after the other: each starts a server, and the machine may be small.</summary>
[CollectionDefinition(nameof(ProcessTests))]
public sealed class ProcessTests
{
    /// <summary>The program that was built together with the tests.</summary>
    public static string Dll { get; } = Path.Combine(AppContext.BaseDirectory, "postern.dll");

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A home with the account of <see cref="PosternHome.User"/> and the usual configuration.</summary>
    public static Task<PosternHome> HomeAsync(int? sinkPort = null, string more = "") =>
        PosternHome.CreateAsync(Dll, PosternHome.Configuration(sinkPort, more));
}
