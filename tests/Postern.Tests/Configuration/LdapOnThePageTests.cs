using Postern.Configuration;
using Postern.Testing;

namespace Postern.Tests.Configuration;

/// <summary>The examples of docs/stores.md for LDAP are configurations. What their keys do is tried against slapd by LdapStoreTests.</summary>
public sealed class LdapOnThePageTests
{
    [Fact]
    public async Task What_the_page_shows_is_a_configuration()
    {
        var page = await File.ReadAllTextAsync(SourceTree.PathOf("docs/stores.md"), TestContext.Current.CancellationToken);
        var lines = page[page.IndexOf("\n## Users in LDAP", StringComparison.Ordinal)..].Split('\n').SkipWhile(static line => !line.StartsWith("    accounts:", StringComparison.Ordinal));
        var text = string.Join('\n', lines.TakeWhile(static line => line.Length == 0 || line.StartsWith("    ", StringComparison.Ordinal)).Select(static line => line.Length == 0 ? line : line[4..]));
        var folder = Directory.CreateTempSubdirectory("postern-page-").FullName;
        try
        {
            foreach (var name in new[] { "ldap.secret", "ad.secret" })
            {
                await File.WriteAllTextAsync(Path.Combine(folder, name), "secret\n", TestContext.Current.CancellationToken);
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(Path.Combine(folder, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            var outcome = ConfigurationFile.Parse("postern.yaml", folder, text);
            Assert.True(outcome is ConfigurationOutcome.Valid, outcome is ConfigurationOutcome.Invalid(var errors) ? string.Join('\n', errors) : "no configuration");
            var accounts = ((ConfigurationOutcome.Valid)outcome).Configuration.Accounts;
            Assert.Equal(["ldaps://ldap.example.org/ou=people,dc=example,dc=org", "ldap://dc1.corp.example/dc=corp,dc=example"], accounts.Select(static entry => entry.Uri));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
