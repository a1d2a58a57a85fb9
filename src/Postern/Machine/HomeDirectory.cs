namespace Postern.Machine;

/// <summary>
/// The runtime looks for certificates below the home of its user before it makes or shows any, and fails where there is none: a user id of
/// a container has no entry in passwd, and a service no HOME. Nothing is ever written there; what this program keeps is in its data
/// directory.
/// </summary>
internal static class HomeDirectory
{
    private const string Variable = "HOME";

    /// <summary>Sees to it that there is one, before the first certificate.</summary>
    public static void Settle()
    {
        // The runtime's own answer for a user without a home is the root directory, which is root's: nobody else puts certificates there.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
            Environment.SetEnvironmentVariable(
                Variable,
                Environment.GetFolderPath(
                    Environment.SpecialFolder.UserProfile,
                    Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } home ? home : "/");
    }
}
