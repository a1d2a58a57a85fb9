namespace Postern.Interop.Tests.Server;

/// <summary>Programs that the tests talk to. A missing one skips its tests, by name.</summary>
internal static class Peer
{
    /// <summary>Debian keeps some of them where only root looks.</summary>
    private static readonly string[] Places = [.. (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':'), "/usr/sbin", "/usr/lib/git-core"];

    public static string Require(string program)
    {
        var path = Find(program);
        Assert.SkipWhen(path is null, $"{program} is not installed");
        return path!;
    }

    public static string? Find(string program) =>
        Places.Where(static p => p.Length > 0).Select(place => Path.Combine(place, program)).FirstOrDefault(File.Exists);

    /// <summary>One that cannot be installed beside another mail server, and is unpacked in this project's folder <c>unpacked</c>.</summary>
    public static string RequireUnpacked(string program)
    {
        var path = FindUnpacked(program);
        Assert.SkipWhen(path is null, $"{program} is not unpacked: ./test.sh does that");
        return path!;
    }

    /// <inheritdoc cref="RequireUnpacked"/>
    public static string? FindUnpacked(string program)
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            var path = Path.Combine(directory, "unpacked", "usr", "sbin", program);
            if (File.Exists(path))
                return path;
        }

        return null;
    }

    /// <summary>A script of this project, beside the tests.</summary>
    public static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Clients", "Scripts", name);

    public static void RequireNodePackage(string name) => Assert.SkipUnless(HasNodePackage(name), $"{name} is not installed: npm ci in tests/Postern.Interop.Tests");

    /// <summary>A package as Node finds it: in the nearest <c>node_modules</c> above the scripts.</summary>
    public static bool HasNodePackage(string name)
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (Directory.Exists(Path.Combine(directory, "node_modules", name)))
                return true;
        }

        return false;
    }
}
