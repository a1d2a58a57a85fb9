using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Tests.Architecture;

/// <summary>
/// After ANONYMOUS a session has an identity and no login. Whoever asks the identity takes the one for the other: <c>SessionState.Login</c> is what is
/// asked, and these files are the whole of what may look past it.
/// </summary>
public sealed partial class LoginIsAskedTests
{
    private static readonly string[] MayLook =
    [
        "Auth.cs", // whether AUTH has been, of whatever kind
        "AuthConnection.cs", // tells another server who it is; ANONYMOUS is not carried there
        "AuthEvents.cs", // the same, to the log
        "ISmtpEvents.cs", // holds what was attempted
        "LoggedEvents.cs", // tells ANONYMOUS from a failure
        "RelayEvents.cs", // tells ANONYMOUS from a failure
        "SaslDialogue.cs", // sets it
        "SessionState.cs", // decides
        "XClient.cs", // tells what the peer claimed
    ];

    [Fact]
    public void Row_202_what_is_written_permitted_or_counted_of_a_login_asks_one_property() => Assert.Equal(
        MayLook,
        from file in Directory.EnumerateFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
                .Concat(Directory.EnumerateFiles(SourceTree.PathOf("samples"), "*.cs", SearchOption.AllDirectories))
        where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !file.Contains("Postern.Sasl", StringComparison.Ordinal)
            && Identity().IsMatch(File.ReadAllText(file))
        orderby Path.GetFileName(file)
        select Path.GetFileName(file));

    /// <summary>A member of that name, however it is reached: by a dot, in a pattern, or declared.</summary>
    [GeneratedRegex(@"[.?]Identity\b|\bIdentity: (\{|not|null|var)|\? Identity\b", RegexOptions.NonBacktracking)]
    private static partial Regex Identity();
}
