using Postern.Configuration;

namespace Postern.Tests.Configuration;

public sealed class ConfigurationReferenceTests
{
    private static readonly string Page = RepositoryFiles.PathOf("docs/configuration.md");

    /// <summary>POSTERN_WRITE_DOCS=1 writes the page anew.</summary>
    [Fact]
    public void The_configuration_page_is_current()
    {
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
            File.WriteAllText(Page, ConfigurationReference.Write());

        Assert.Equal(ConfigurationReference.Write(), File.ReadAllText(Page));
    }

    [Fact]
    public void Every_section_and_key_has_words() =>
        Assert.All(ConfigurationReference.Keys(), static key => Assert.False(string.IsNullOrWhiteSpace(key.Doc), key.Path));

    [Fact]
    public void Every_key_says_when_a_change_counts() => Assert.All(
        ConfigurationReference.Keys().Where(static key => key.Type is not null),
        static key => Assert.False(string.IsNullOrEmpty(Effect.Find(key.Path)), key.Path));

    [Fact]
    public void Only_the_data_directory_needs_a_restart() => Assert.Equal(
        ["server.data"],
        ConfigurationReference.Keys()
            .Where(static key => key.Type is not null && Effect.Find(key.Path)!.StartsWith(Effect.Restart, StringComparison.Ordinal))
            .Select(static key => key.Path));
}
