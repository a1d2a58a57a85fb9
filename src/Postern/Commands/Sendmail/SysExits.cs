namespace Postern.Commands.Sendmail;

/// <summary>Exit codes that every program which calls <c>sendmail</c> knows: those of BSD's sysexits.h.</summary>
internal static class SysExits
{
    public const int Ok = 0;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;

    /// <summary>The message is: an address in it, or its size.</summary>
    public const int Data = 65;

    /// <summary>What was asked for is not there.</summary>
    public const int Unavailable = 69;

    /// <summary>A mistake of this program.</summary>
    public const int Software = 70;

    /// <summary>Not now, such as for a full disk: the same may go well later.</summary>
    public const int TemporaryFailure = 75;

    /// <summary>This user may not.</summary>
    public const int NoPermission = 77;

    /// <summary>Something is not set up.</summary>
    public const int Configuration = 78;
}
