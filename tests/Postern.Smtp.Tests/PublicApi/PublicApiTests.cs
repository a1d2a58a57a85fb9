using System.Reflection;
using Postern.Sasl;

namespace Postern.Smtp.Tests.PublicApi;

/// <summary>
/// The public surface of both packages as text files beside this one. A change that is meant is accepted by
/// <c>POSTERN_WRITE_API=1 dotnet test tests/Postern.Smtp.Tests --filter FullyQualifiedName~PublicApi</c>.
/// </summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_surface_of_Sasl_is_as_agreed() => Check(typeof(ISaslMechanism).Assembly);

    [Fact]
    public void The_public_surface_of_Smtp_is_as_agreed() => Check(typeof(SmtpServer).Assembly);

    [Fact]
    public void The_text_shows_what_matters_to_an_embedder()
    {
        var text = ApiText.Of(typeof(SmtpServer).Assembly);
        Assert.Contains("sealed class Postern.Smtp.SmtpServer : IAsyncDisposable", text);
        Assert.Contains("    Task StopAsync(CancellationToken ct)", text);
        Assert.Contains("    Postern.Smtp.Transport.TlsOptions? Tls { get; set; }", text);
        Assert.DoesNotContain("SmtpSession ", text);
    }

    private static void Check(Assembly assembly)
    {
        var path = Path.Combine(Root(), "tests", "Postern.Smtp.Tests", "PublicApi", $"PublicApi.{assembly.GetName().Name}.txt");
        var actual = ApiText.Of(assembly);
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_API") == "1")
            File.WriteAllText(path, actual);
        var agreed = File.ReadAllText(path);
        if (actual == agreed)
            return;

        var (before, after) = (agreed.Split('\n'), actual.Split('\n'));
        var gone = before.Except(after, StringComparer.Ordinal).Select(static l => "- " + l);
        var added = after.Except(before, StringComparer.Ordinal).Select(static l => "+ " + l);
        Assert.Fail($"the public surface has changed:\n{string.Join('\n', gone.Concat(added))}\nWhen that is meant: POSTERN_WRITE_API=1 dotnet test tests/Postern.Smtp.Tests --filter FullyQualifiedName~PublicApi");
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Postern.slnx")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the tests do not run inside the source tree");
        return directory;
    }
}
