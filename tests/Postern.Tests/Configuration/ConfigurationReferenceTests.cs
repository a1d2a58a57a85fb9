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
}
