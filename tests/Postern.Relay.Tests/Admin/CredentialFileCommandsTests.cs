using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;
using Postern.Sasl;

namespace Postern.Relay.Tests.Admin;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class CredentialFileCommandsTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("postern-passwd-");

    private string Path => System.IO.Path.Combine(folder.FullName, "passwd");

    private CredentialFileCommands Commands => new(Path);

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_new_file_is_its_owners_only()
    {
        Is<AdminOutcome.Done>("lisa added", Commands.Set("lisa", Hash("plain", "tiger-lily")));
        Assert.Equal("lisa:tiger-lily\n", File.ReadAllText(Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        Assert.Equal([Path], Directory.GetFiles(folder.FullName));
    }

    [Fact]
    public void One_line_changes_and_everything_else_stays_as_it_was()
    {
        File.WriteAllText(Path, "# staff\n\nLisa:old-and-gone\nbob:brush\nlisa:twice");
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Is<AdminOutcome.Done>("lisa changed", Commands.Set("lisa", Hash("plain", "tiger-lily")));
        Assert.Equal("# staff\n\nlisa:tiger-lily\nbob:brush\n", File.ReadAllText(Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path));
        Is<AdminOutcome.Done>("removed", Commands.Remove("LISA"));
        Is<AdminOutcome.NotFound>("has no user 'bbo'; did you mean 'bob'?", Commands.Remove("bbo"));
        Assert.Equal("# staff\n\nbob:brush\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_password_that_looks_like_a_hash_stays_a_password()
    {
        Commands.Set("lisa", Hash("plain", "{PLAIN}tricky"));
        Assert.Equal("lisa:{PLAIN}{PLAIN}tricky\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_digest_file_has_a_line_for_each_realm_of_a_user()
    {
        Commands.Set("lisa", Hash("digest-md5", "tiger-lily", "one"));
        Commands.Set("lisa", Hash("digest-md5", "tiger-lily", "two"));
        Commands.Set("lisa", Hash("digest-md5", "another-one", "one"));
        Assert.Equal(["lisa:one", "lisa:two"], File.ReadAllLines(Path).Select(static l => l[..8]));
        Is<AdminOutcome.Invalid>("another scheme needs another file", Commands.Set("lisa", Hash("plain", "tiger-lily")));
    }

    [Fact]
    public void A_file_of_passwords_takes_no_digest()
    {
        Commands.Set("lisa", Hash("scram-sha-256", "tiger-lily"));
        Is<AdminOutcome.Invalid>("digest-md5 needs a file of its own", Commands.Set("lisa", Hash("digest-md5", "tiger-lily", "one")));
    }

    [Theory]
    [InlineData("li:sa")]
    [InlineData("#lisa")]
    [InlineData("li sa")]
    [InlineData("")]
    [InlineData("li\nsa")]
    public void A_name_that_cannot_stand_in_a_line_is_refused(string name)
    {
        Is<AdminOutcome.Invalid>("cannot stand in a credential file", Commands.Set(name, Hash("plain", "tiger-lily")));
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public void Nothing_is_lost_when_the_new_file_cannot_take_the_place_of_the_old()
    {
        File.WriteAllText(Path, "lisa:old\n");
        var broken = new CredentialFileCommands(Path, static (_, _) => throw new IOException("no"));
        Assert.Throws<IOException>(() => broken.Set("lisa", Hash("plain", "tiger-lily")));
        Assert.Equal("lisa:old\n", File.ReadAllText(Path));
        Assert.Equal([Path], Directory.GetFiles(folder.FullName));
    }

    private static PasswordHash Hash(string scheme, string password, string realm = "")
    {
        Assert.True(HashSchemes.Find(scheme)!.TryHash(new HashRequest("lisa", realm, new Secret(password), IsGenerated: true), out var hash, out var problem), problem);
        return hash;
    }

    private static void Is<T>(string message, AdminOutcome outcome)
        where T : AdminOutcome => Assert.Contains(message, Assert.IsType<T>(outcome).Message, StringComparison.Ordinal);
}
