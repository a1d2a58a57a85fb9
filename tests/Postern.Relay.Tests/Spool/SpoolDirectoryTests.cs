using System.Runtime.Versioning;
using Postern.Relay.Spool;

namespace Postern.Relay.Tests.Spool;

[SupportedOSPlatform("linux")]
public sealed class SpoolDirectoryTests : IDisposable
{
    private readonly SpoolHome home = new();

    public void Dispose() => home.Dispose();

    [Fact]
    public async Task The_directory_and_its_files_belong_to_their_owner_alone()
    {
        Directory.CreateDirectory(home.Path);
        File.SetUnixFileMode(home.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead);
        await using var spool = home.Open();
        await Samples.CommitAsync(spool, Samples.Content(10));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(home.Path));
        Assert.All(Directory.GetFiles(home.Path), static path => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path)));
    }

    [Fact]
    public async Task A_second_spool_on_the_same_directory_is_told_who_has_it()
    {
        await using (home.Open())
        {
            var e = Assert.Throws<SpoolUnavailableException>(() => home.Open());
            Assert.Contains($"process {Environment.ProcessId}", e.Message);
        }

        await using var next = home.Open();
        Assert.Equal(SpoolCondition.Writable, next.Status.Condition);
    }

    [Fact]
    public void A_path_that_cannot_be_a_directory_is_named_with_the_reason()
    {
        File.WriteAllText(home.Path, "");
        var e = Assert.Throws<SpoolUnavailableException>(() => home.Open());
        Assert.Contains(home.Path, e.Message);
    }

    [Fact]
    public async Task A_directory_that_is_not_writable_is_refused()
    {
        var parent = Path.GetDirectoryName(home.Path)!;
        if (Environment.IsPrivilegedProcess)
            await Command.RunAsync("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", parent);    // nothing else stops the superuser
        else
            File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Contains("must be able to", Assert.Throws<SpoolUnavailableException>(() => home.Open()).Message);
        }
        finally
        {
            if (Environment.IsPrivilegedProcess)
                await Command.RunAsync("umount", parent);
            else
                File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void A_symbolic_link_in_place_of_the_directory_is_refused()
    {
        var elsewhere = Directory.CreateDirectory(home.Path + "-elsewhere").FullName;
        Directory.CreateSymbolicLink(home.Path, elsewhere);
        Assert.Contains("symbolic link", Assert.Throws<SpoolUnavailableException>(() => home.Open()).Message);
        Assert.Empty(Directory.GetFiles(elsewhere));
    }

    [Fact]
    public async Task A_symbolic_link_in_place_of_a_segment_is_refused()
    {
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10));
        var segment = Assert.Single(home.Segments);
        File.Move(segment, home.Path + ".moved");
        File.CreateSymbolicLink(segment, home.Path + ".moved");
        Assert.Contains("symbolic link", Assert.Throws<SpoolUnavailableException>(() => home.Open()).Message);
    }

    [Fact]
    public void A_symbolic_link_in_place_of_the_lock_is_refused()
    {
        Directory.CreateDirectory(home.Path);
        File.WriteAllText(home.Path + ".victim", "precious");
        File.CreateSymbolicLink(Path.Combine(home.Path, "lock"), home.Path + ".victim");
        Assert.Throws<SpoolUnavailableException>(() => home.Open());
        Assert.Equal("precious", File.ReadAllText(home.Path + ".victim"));
    }

    [Fact]
    public async Task A_directory_of_another_user_is_refused()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only the superuser can give a directory away");
        Directory.CreateDirectory(home.Path);
        await Command.RunAsync("chown", "65534", home.Path);
        Assert.Contains("belongs to user id 65534", Assert.Throws<SpoolUnavailableException>(() => home.Open()).Message);
    }
}
