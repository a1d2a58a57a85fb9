using Postern.Configuration;
using Postern.Testing;

namespace Postern.Tests.Configuration;

/// <summary>
/// The examples of docs/stores.md for PAM, a Dovecot and another mail server are configurations. What their keys do is tried by PamStoreTests, DovecotStoreTests and SmtpStoreTests.
/// </summary>
public sealed class PresumedUsersOnThePageTests
{
    [Theory]
    [InlineData("Users whom PAM knows", "pam:smtp")]
    [InlineData("Users of a Dovecot", "dovecot:/run/dovecot/auth-client")]
    [InlineData("Logins at another mail server", "smtp://mail.example.net:587")]
    public async Task What_the_page_shows_is_a_configuration(string section, string uri)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "PAM is on Linux only");
        var page = await File.ReadAllTextAsync(SourceTree.PathOf("docs/stores.md"), TestContext.Current.CancellationToken);
        var lines = page[page.IndexOf($"\n## {section}\n", StringComparison.Ordinal)..].Split('\n').SkipWhile(static line => !line.StartsWith("    accounts:", StringComparison.Ordinal));
        var text = string.Join('\n', lines.TakeWhile(static line => line.StartsWith("    ", StringComparison.Ordinal)).Select(static line => line[4..]));

        var outcome = ConfigurationFile.Parse("postern.yaml", "/", text);
        Assert.True(outcome is ConfigurationOutcome.Valid, outcome is ConfigurationOutcome.Invalid(var errors) ? string.Join('\n', errors) : "no configuration");
        Assert.Equal(["directory", uri], ((ConfigurationOutcome.Valid)outcome).Configuration.Accounts.Select(static entry => entry.Uri));
    }
}
