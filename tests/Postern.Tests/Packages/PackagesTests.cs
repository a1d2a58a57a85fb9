using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Packages;

/// <summary>The two packages, made of what was built with these tests, and a stranger's project that has nothing but them and their README.</summary>
public sealed partial class PackagesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo work = Directory.CreateTempSubdirectory("postern-packages-");

    [Fact]
    public async Task A_program_copied_from_the_readme_serves_with_the_packages_alone()
    {
        var feed = work.CreateSubdirectory("feed").FullName;
        await PackAsync("Postern.Sasl", feed);
        await PackAsync("Postern.Smtp", feed);
        var sasl = Read(Assert.Single(Directory.GetFiles(feed, "Postern.Sasl.*.nupkg")));
        var smtp = Read(Assert.Single(Directory.GetFiles(feed, "Postern.Smtp.*.nupkg")));
        Assert.Empty(sasl.Dependencies);
        Assert.Equal(["Microsoft.Extensions.Hosting.Abstractions", $"Postern.Sasl {sasl.Version}"], smtp.Dependencies.Select(static d => d.StartsWith("Postern", StringComparison.Ordinal) ? d : d.Split(' ')[0]).Order(StringComparer.Ordinal));
        Assert.All([sasl, smtp], static package =>
        {
            Assert.Equal("Apache-2.0", package.License);
            Assert.Equal("README.md", package.Readme);
            Assert.Contains("README.md", package.Files);
            Assert.Contains($"lib/net10.0/{package.Id}.dll", package.Files);
            Assert.Contains($"lib/net10.0/{package.Id}.xml", package.Files);
        });
        Assert.Equal(2, Directory.GetFiles(feed, "*.snupkg").Length);

        var program = CSharp().Match(smtp.ReadmeText).Groups["code"].Value;
        Assert.InRange(program.Split('\n').Length, 5, 29);
        var project = work.CreateSubdirectory("Stranger").FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), program);
        await File.WriteAllTextAsync(Path.Combine(project, "SaslReadme.cs"), AsMethods([.. CSharp().Matches(sasl.ReadmeText).Select(static m => m.Groups["code"].Value.Split('\n'))]));
        await File.WriteAllTextAsync(Path.Combine(project, "Stranger.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <UseAppHost>false</UseAppHost>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Postern.Smtp" Version="{smtp.Version}" />
              </ItemGroup>
            </Project>
            """);
        // What this repository restored is there already; our own packages go to a cache that is thrown away.
        await File.WriteAllTextAsync(Path.Combine(project, "nuget.config"), $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="restored" value="{RestoredPackages()}" /></fallbackPackageFolders>
            </configuration>
            """);
        await DotnetAsync(project, "build", "-c", "Release", "-o", "out", "--nologo");
        await ServeAsync(project);
    }

    public void Dispose() => work.Delete(recursive: true);

    private static async Task ServeAsync(string project)
    {
        await using var stranger = RunningProgram.Start(["dotnet", Path.Combine(project, "out", "Stranger.dll")], project);
        var line = await stranger.Output.FindAsync(static l => l.Contains(" on 127.0.0.1:", StringComparison.Ordinal)).WaitAsync(Patience);
        await using (var client = await SmtpDialogue.GreetAsync(IPEndPoint.Parse(line.Split(" on ")[1].Split(',')[0])))
        {
            await client.SayAsync("MAIL FROM:<lisa@example.org>", "530");
            await client.StartTlsAsync();
            await client.LogInAsync("lisa", "tiger");
            Assert.StartsWith("250 2.0.0 Queued as", await client.SendAsync("lisa@example.org", "bart@example.net", "Subject: x\r\n\r\nHello.\r\n"));
            await client.SayAsync("QUIT", "221");
        }

        await stranger.Input.WriteLineAsync();
        await stranger.Input.FlushAsync();
        Assert.Equal(0, await stranger.WaitAsync(Patience));
        Assert.Single(Directory.GetFiles(project, "*.eml"));
    }

    private Task PackAsync(string name, string feed)
    {
        var configuration = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory))!);
        return DotnetAsync(RepositoryFiles.PathOf($"src/{name}"), "pack", "--no-build", "-c", configuration, "-o", feed, "--nologo", "-warnaserror");
    }

    private async Task DotnetAsync(string directory, params string[] arguments)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["UseSharedCompilation"] = "false" };
        if (arguments[0] != "pack")
            environment["NUGET_PACKAGES"] = work.CreateSubdirectory("cache").FullName;
        var result = await RunningProgram.RunAsync(["dotnet", .. arguments], directory, environment: environment);
        Assert.True(result.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}:\n{result.Output}{result.Error}");
        Assert.DoesNotContain(": warning ", result.Output);
    }

    /// <summary>Programs as methods beside the one that runs: it is enough that they compile.</summary>
    private static string AsMethods(IReadOnlyList<string[]> programs)
    {
        Assert.NotEmpty(programs);
        var usings = programs.SelectMany(static p => p).Where(IsUsing).Distinct(StringComparer.Ordinal);
        var methods = programs.Select(static (p, i) => $"internal static async Task Program{i}Async()\n{{\nawait Task.Yield();\n{string.Join('\n', p.Where(static l => !IsUsing(l)))}\n}}");
        return string.Join('\n', [.. usings, "internal static class SaslReadme", "{", .. methods, "}"]);

        static bool IsUsing(string line) => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';');
    }

    private static string RestoredPackages() =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static Package Read(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        using var manifest = archive.Entries.Single(static e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        var metadata = XDocument.Load(manifest).Root!.Elements().Single(static e => e.Name.LocalName == "metadata");
        using var readme = new StreamReader(archive.GetEntry("README.md")!.Open());
        return new Package(
            Text("id"),
            Text("version"),
            Text("license"),
            Text("readme"),
            readme.ReadToEnd(),
            [.. metadata.Descendants().Where(static e => e.Name.LocalName == "dependency").Select(static e => $"{e.Attribute("id")!.Value} {e.Attribute("version")!.Value}")],
            [.. archive.Entries.Select(static e => e.FullName)]);

        string Text(string name) => metadata.Elements().SingleOrDefault(e => e.Name.LocalName == name)?.Value ?? string.Empty;
    }

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CSharp();

    private sealed record Package(string Id, string Version, string License, string Readme, string ReadmeText, IReadOnlyList<string> Dependencies, IReadOnlyList<string> Files);
}
